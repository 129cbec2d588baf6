use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::kit::{Result, System};
use crate::postgresql::Login;

/// Tells whether a PostgreSQL server is there, and which.
///
/// # Examples
///
/// ```yaml
/// - name: Is it there?
///   postgresql_ping: {login_db: postgres}
///   become: yes
///   register: server
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The database to connect to.
    #[schemars(extend("aliases" = ["db"]))]
    pub login_db: Option<String>,
    #[serde(flatten)]
    pub login: Login,
}

#[derive(Serialize)]
pub struct Returns {
    is_available: bool,
    server_version: Json,
    conn_err_msg: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    args.login.check_input(args.login.session_role.as_slice())?;
    let database = args.login.database(args.login_db.as_deref());
    let found = args.login.open(database, sys).and_then(|mut session| {
        Ok(session.query("SELECT version()")?.value().unwrap_or_default().to_owned())
    });
    Ok(match found {
        Ok(raw) => Returns { is_available: true, server_version: version(&raw), conn_err_msg: String::new() },
        Err(failure) => {
            sys.warn(format!("PostgreSQL server is unavailable: {}", failure.msg));
            Returns { is_available: false, server_version: json!({}), conn_err_msg: failure.msg }
        }
    })
}

fn version(raw: &str) -> Json {
    let full = raw.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let mut numbers = full.split('.').map(|part| part.parse::<u64>().unwrap_or_default());
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next());
    let mut told = json!({"major": major, "minor": minor, "full": full, "raw": raw});
    if let (Some(patch), Json::Object(map)) = (numbers.next(), &mut told) {
        map.insert("patch".to_owned(), patch.into());
    }
    told
}
