mod statement;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::statement::{Object, Wish};
use crate::command::yes;
use crate::kit::{Failure, Result, System};
use crate::lineinfile::State;
use crate::postgresql::{Login, Session, sql};

/// Grants privileges on what is in a PostgreSQL database, or takes them away.
///
/// What changes is asked of the server: it does the work in a transaction, and check mode takes that back.
///
/// # Examples
///
/// ```yaml
/// - name: Ann reads and writes two tables, and lets others do so
///   postgresql_privs:
///     login_db: library
///     privs: SELECT,INSERT,UPDATE
///     objs: books,authors
///     roles: ann
///     grant_option: yes
///
/// - name: Readers read what librarians will make
///   postgresql_privs:
///     login_db: library
///     type: default_privs
///     privs: SELECT
///     objs: TABLES
///     role: reader
///     target_roles: librarian
///
/// - name: Bob is no librarian
///   postgresql_privs: {login_db: library, type: group, objs: librarian, roles: bob, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The database to log in to.
    #[schemars(extend("aliases" = ["db", "database"]))]
    pub login_db: String,
    /// Whether they have them.
    #[serde(default)]
    pub state: State,
    /// The privileges, parted by commas.
    #[schemars(extend("aliases" = ["priv"]))]
    pub privs: Option<String>,
    /// What the privileges are on.
    #[serde(default)]
    pub r#type: Object,
    /// The objects, parted by commas; `ALL_IN_SCHEMA` for all of a schema. Of a function with its types, colons
    /// between them: `add(int:int)`.
    #[schemars(extend("aliases" = ["obj"]))]
    pub objs: Option<String>,
    /// The schema they are in; `public` when not given, none with `not-specified`.
    pub schema: Option<String>,
    /// Who has them, parted by commas; `PUBLIC` is everybody.
    #[schemars(extend("aliases" = ["role"]))]
    pub roles: String,
    /// Whether a role that is not there is an error; else it is left out, with a warning.
    #[serde(default = "yes")]
    pub fail_on_role: bool,
    /// With `default_privs`: whose new objects they are on, parted by commas.
    pub target_roles: Option<String>,
    /// Whether they may grant them to others; stays as it is when not given.
    #[schemars(extend("aliases" = ["admin_option"]))]
    pub grant_option: Option<bool>,
    #[serde(flatten)]
    pub login: Login,
}

#[derive(Serialize)]
pub struct Returns {
    queries: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let wish = Wish::of(&args)?;
    let names: Vec<&str> =
        wish.roles.iter().chain(&wish.target_roles).chain(&wish.schema).map(String::as_str).collect();
    args.login.check_input(&names)?;
    let mut session = args.login.open(&args.login_db, sys)?;
    let roles = there(&args, &wish, &mut session, sys)?;
    if roles.is_empty() {
        sys.warn("None of the roles is there: nothing was done");
        return Ok(Returns { queries: Vec::new() });
    }
    let statements = wish.statements(&roles)?;
    let text = statements.join("\n");
    session.query("BEGIN")?;
    let done = apply(wish.object, &statements, &mut session);
    // What failed is taken back with the session.
    let changed =
        done.map_err(|failure| Failure::new(format!("Cannot execute SQL '{text}': {}", failure.msg)))?;
    session.query(if sys.is_check() { "ROLLBACK" } else { "COMMIT" })?;
    if changed {
        sys.count_as_change(text.clone());
    }
    Ok(Returns { queries: vec![text] })
}

/// The roles that are there, as statements name them.
fn there(args: &Args, wish: &Wish, session: &mut Session, sys: &mut System<'_>) -> Result<Vec<String>> {
    let mut roles = Vec::new();
    for role in &wish.roles {
        let special = ["PUBLIC", "CURRENT_ROLE", "CURRENT_USER", "SESSION_USER"];
        if let Some(special) = special.iter().find(|special| role.eq_ignore_ascii_case(special)) {
            roles.push((*special).to_owned());
            continue;
        }
        let found = session
            .query(&format!("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = {}", sql::text(role)))?;
        if !found.rows.is_empty() {
            roles.push(format!("\"{}\"", role.replace('"', "\"\"")));
        } else if args.fail_on_role {
            return Err(Failure::new(format!("Role '{role}' does not exist")));
        } else {
            sys.warn(format!("Role '{role}' does not exist, pass it"));
        }
    }
    Ok(roles)
}

/// Whether the statements changed anything.
fn apply(object: Object, statements: &[String], session: &mut Session) -> Result<bool> {
    let granted = object.granted(session.version());
    let before = session.query(&granted)?;
    for statement in statements.iter().flat_map(|text| text.lines()) {
        session.query(statement)?;
    }
    let after = session.query(&granted)?;
    Ok(before.rows != after.rows)
}
