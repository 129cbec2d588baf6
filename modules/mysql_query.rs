use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::{Failure, Result, System};
use crate::mysql::{Login, set_session, sql};

/// Runs SQL on a MySQL or MariaDB server.
///
/// A check runs the queries, too, and takes them back, as far as the server can.
///
/// # Examples
///
/// ```yaml
/// - name: With arguments
///   mysql_query:
///     login_db: test_db
///     query: SELECT * FROM articles WHERE id = %s AND story = %s
///     positional_args: [1, test]
///
/// - name: Several, all or none of them
///   mysql_query:
///     login_db: test_db
///     query: ["INSERT INTO articles (id, story) VALUES (2, 'my story')", SELECT * FROM prices]
///     single_transaction: true
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["positional_args", "named_args"]]))]
pub struct Args {
    /// One query, or several. `%s` and `%(name)s` stand for arguments.
    pub query: Json,
    /// The arguments in order.
    #[serde(rename = "positional_args")]
    pub positional: Option<Vec<Json>>,
    /// The arguments by their names.
    #[serde(rename = "named_args")]
    pub named: Option<Map<String, Json>>,
    /// The database.
    pub login_db: Option<String>,
    /// Runs all in one transaction.
    #[serde(default)]
    pub single_transaction: bool,
    /// Variables of the session.
    pub session_vars: Option<Map<String, Json>>,
    #[serde(flatten)]
    pub login: Login,
}

#[derive(Serialize)]
pub struct Returns {
    executed_queries: Vec<String>,
    query_result: Vec<Vec<Json>>,
    rowcount: Vec<u64>,
    execution_time_ms: Vec<f64>,
}

/// What changes something, by its first word.
const CHANGING: [&str; 15] = [
    "INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "TRUNCATE", "RENAME", "GRANT",
    "REVOKE", "LOAD", "CALL", "MERGE", "IMPORT",
];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let queries = queries(&args)?;
    let mut session = args.login.open(args.login_db.as_deref(), sys)?;
    set_session(args.session_vars.as_ref(), &mut session)?;
    let told = |error: crate::mysql::ServerError| Failure::new(error.to_string());
    session.query("SET autocommit = 0").map_err(told)?;
    let mut returns = Returns {
        executed_queries: Vec::new(),
        query_result: Vec::new(),
        rowcount: Vec::new(),
        execution_time_ms: Vec::new(),
    };
    let mut changes = Vec::new();
    for query in queries {
        let word = query.split_whitespace().next().unwrap_or_default().to_uppercase();
        let changes_schema = ["CREATE", "DROP", "ALTER", "TRUNCATE", "RENAME", "GRANT", "REVOKE"];
        // What no rollback takes back a check does not run.
        if sys.is_check() && changes_schema.contains(&word.as_str()) {
            changes.push(query.clone());
            returns.query_result.push(Vec::new());
            returns.rowcount.push(0);
            returns.execution_time_ms.push(0.0);
            returns.executed_queries.push(query);
            continue;
        }
        let since = sys.now().as_f64();
        let answer = session.query(&query).map_err(|error| {
            Failure::new(format!("Cannot execute SQL '{query}' args [{}]: {error}", shown(&args)))
        })?;
        returns.execution_time_ms.push((sys.now().as_f64() - since) * 1000.0);
        let is_schema = changes_schema.contains(&word.as_str());
        if CHANGING.contains(&word.as_str()) && (is_schema || answer.count > 0) {
            changes.push(query.clone());
        }
        returns.query_result.push(answer.mappings());
        returns.rowcount.push(answer.count);
        if !args.single_transaction && !sys.is_check() {
            session.query("COMMIT").map_err(told)?;
        }
        returns.executed_queries.push(query);
    }
    session.query(if sys.is_check() { "ROLLBACK" } else { "COMMIT" }).map_err(told)?;
    for query in changes {
        sys.count_as_change(query);
    }
    Ok(returns)
}

fn shown(args: &Args) -> String {
    let items = args.positional.as_deref().unwrap_or_default();
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The queries with their arguments in them.
fn queries(args: &Args) -> Result<Vec<String>> {
    let text = |query: &Json| {
        let text = query.as_str().map(str::trim);
        fill(text.ok_or_else(|| Failure::new("query must be a string or a list of strings"))?, args)
    };
    match &args.query {
        Json::Array(list) => list.iter().map(text).collect(),
        query => Ok(vec![text(query)?]),
    }
}

fn fill(query: &str, args: &Args) -> Result<String> {
    crate::postgresql_query::fill(query, args.positional.as_deref(), args.named.as_ref(), sql::value)
}
