use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Result, System};
use crate::lineinfile::State;
use crate::postgresql::{Changes, Login, sql};

/// Ensures that a PostgreSQL database has a schema, or has it not.
///
/// # Examples
///
/// ```yaml
/// - name: A schema of bob's
///   postgresql_schema: {login_db: test, name: acme, owner: bob}
///
/// - name: Gone, with all that is in it
///   postgresql_schema: {login_db: test, name: acme, state: absent, cascade_drop: yes}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The schema.
    #[schemars(extend("aliases" = ["schema"]))]
    pub name: String,
    /// The database.
    #[serde(default = "postgres")]
    #[schemars(extend("aliases" = ["db", "database"]))]
    pub login_db: String,
    /// Who owns it.
    #[serde(default)]
    pub owner: String,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// Removes what is in it, too.
    #[serde(default)]
    pub cascade_drop: bool,
    /// A comment on it; an empty one removes it.
    pub comment: Option<String>,
    #[serde(flatten)]
    pub login: Login,
}

fn postgres() -> String {
    "postgres".to_owned()
}

#[derive(Serialize)]
pub struct Returns {
    schema: String,
    queries: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    args.login.check_input(&[&args.name, &args.owner])?;
    let mut session = args.login.open(&args.login_db, sys)?;
    let name = sql::identifier(&args.name);
    let found = session.query(&format!(
        "SELECT pg_catalog.pg_get_userbyid(nspowner), pg_catalog.obj_description(oid, 'pg_namespace') \
         FROM pg_catalog.pg_namespace WHERE nspname = {}",
        sql::text(&args.name)
    ))?;
    let row = found.rows.into_iter().next();
    let mut changes = Changes::of(&mut session);
    match (args.state, row) {
        (State::Absent, Some(_)) => {
            let cascade = if args.cascade_drop { " CASCADE" } else { "" };
            changes.run(&format!("DROP SCHEMA {name}{cascade}"), sys)?;
        }
        (State::Absent, None) => {}
        (State::Present, row) => {
            let is_new = row.is_none();
            let mut row = row.into_iter().flatten();
            let (owner, comment) = (row.next().flatten(), row.next().flatten());
            if is_new {
                let owner = match args.owner.as_str() {
                    "" => String::new(),
                    owner => format!(" AUTHORIZATION {}", sql::identifier(owner)),
                };
                changes.run(&format!("CREATE SCHEMA {name}{owner}"), sys)?;
            } else if !args.owner.is_empty() && owner.as_ref() != Some(&args.owner) {
                changes
                    .run(&format!("ALTER SCHEMA {name} OWNER TO {}", sql::identifier(&args.owner)), sys)?;
            }
            if let Some(wanted) = &args.comment
                && *wanted != comment.unwrap_or_default()
            {
                changes.run(&format!("COMMENT ON SCHEMA {name} IS {}", sql::text(wanted)), sys)?;
            }
        }
    }
    let queries = changes.statements;
    Ok(Returns { schema: args.name, queries })
}
