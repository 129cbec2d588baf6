use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Failure, Result, System};
use crate::lineinfile::State;
use crate::postgresql::{Changes, Login, sql};

/// Ensures that a PostgreSQL database has an extension, or has it not.
///
/// # Examples
///
/// ```yaml
/// - name: PostGIS
///   postgresql_ext: {name: postgis, login_db: acme, schema: foo}
///
/// - name: The newest version of it
///   postgresql_ext: {name: postgis, login_db: acme, version: latest}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The extension.
    #[schemars(extend("aliases" = ["ext"]))]
    pub name: String,
    /// The database.
    #[schemars(extend("aliases" = ["db"]))]
    pub login_db: String,
    /// The schema a new one goes to; one that is there stays where it is.
    pub schema: Option<String>,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// Installs, or removes, what depends on it, too.
    #[serde(default)]
    pub cascade: bool,
    /// Its version; `latest` is the newest the server has.
    pub version: Option<String>,
    /// A comment on it; an empty one removes it.
    pub comment: Option<String>,
    #[serde(flatten)]
    pub login: Login,
}

#[derive(Serialize)]
pub struct Returns {
    db: String,
    ext: String,
    prev_version: String,
    version: String,
    queries: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let named: Vec<&String> =
        [Some(&args.name), args.schema.as_ref(), args.version.as_ref()].into_iter().flatten().collect();
    args.login.check_input(&named)?;
    let mut session = args.login.open(&args.login_db, sys)?;
    let name = sql::identifier(&args.name);
    let literal = sql::text(&args.name);
    let there = session.query(&format!(
        "SELECT e.extversion, pg_catalog.obj_description(e.oid, 'pg_extension') \
         FROM pg_catalog.pg_extension e WHERE e.extname = {literal}"
    ))?;
    let usual = session
        .query(&format!(
            "SELECT default_version FROM pg_catalog.pg_available_extensions WHERE name = {literal}"
        ))?
        .value()
        .map(str::to_owned);
    let wanted = match args.version.as_deref() {
        Some("latest") => usual.clone(),
        other => other.map(str::to_owned),
    };
    let mut row = there.rows.into_iter().next().map(Vec::into_iter);
    let mut next = || row.as_mut().and_then(Iterator::next).flatten();
    let (now, comment) = (next(), next());
    let mut changes = Changes::of(&mut session);
    let cascade = if args.cascade { " CASCADE" } else { "" };
    match (args.state, &now) {
        (State::Absent, Some(_)) => changes.run(&format!("DROP EXTENSION {name}{cascade}"), sys)?,
        (State::Absent, None) => {}
        (State::Present, Some(now)) => {
            if let Some(wanted) = &wanted
                && wanted != now
            {
                changes.run(&format!("ALTER EXTENSION {name} UPDATE TO {}", sql::text(wanted)), sys)?;
            }
        }
        (State::Present, None) => {
            if usual.is_none() {
                return Err(Failure::new(format!("Extension {} is not available", args.name)));
            }
            let mut statement = format!("CREATE EXTENSION {name}");
            if let Some(schema) = &args.schema {
                statement.extend([" WITH SCHEMA ", &sql::identifier(schema)]);
            }
            if let Some(version) = args.version.as_deref().filter(|version| *version != "latest") {
                statement.extend([" VERSION ", &sql::text(version)]);
            }
            changes.run(&format!("{statement}{cascade}"), sys)?;
        }
    }
    if let (State::Present, Some(wanted)) = (args.state, &args.comment)
        && *wanted != comment.unwrap_or_default()
    {
        changes.run(&format!("COMMENT ON EXTENSION {name} IS {}", sql::text(wanted)), sys)?;
    }
    let queries = changes.statements;
    let version = match args.state {
        State::Absent => String::new(),
        State::Present => wanted.or_else(|| now.clone()).or(usual).unwrap_or_default(),
    };
    Ok(Returns { db: args.login_db, ext: args.name, prev_version: now.unwrap_or_default(), version, queries })
}
