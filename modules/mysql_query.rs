use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::{Failure, Result, System};
use crate::mysql::{Login, set_session, sql};

/// Runs SQL on a MySQL or MariaDB server.
///
/// A check runs what only looks (`SELECT`, `SHOW`, `EXPLAIN`, `DESCRIBE`); of the rest it tells that it was not run.
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

/// Of these what changes something however many rows the server counts.
const OF_SCHEMA: [&str; 7] = ["CREATE", "DROP", "ALTER", "TRUNCATE", "RENAME", "GRANT", "REVOKE"];

/// What only looks.
const LOOKING: [&str; 5] = ["SELECT", "SHOW", "EXPLAIN", "DESCRIBE", "DESC"];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let queries = queries(&args)?;
    let mut session = args.login.open(args.login_db.as_deref(), sys)?;
    set_session(args.session_vars.as_ref(), &mut session)?;
    let told = |error: crate::mysql::ServerError| Failure::new(error.to_string());
    if args.single_transaction {
        session.query("SET autocommit = 0").map_err(told)?;
    }
    let mut returns = Returns {
        executed_queries: Vec::new(),
        query_result: Vec::new(),
        rowcount: Vec::new(),
        execution_time_ms: Vec::new(),
    };
    let mut changes = Vec::new();
    let mut left = 0;
    for query in queries {
        let word = first_word(&query);
        if sys.is_check() && !only_looks(&query) {
            left += 1;
            if CHANGING.contains(&word.as_str()) {
                changes.push(query.clone());
            }
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
        let is_schema = OF_SCHEMA.contains(&word.as_str());
        if CHANGING.contains(&word.as_str()) && (is_schema || answer.count > 0) {
            changes.push(query.clone());
        }
        returns.query_result.push(answer.mappings());
        returns.rowcount.push(answer.count);
        returns.executed_queries.push(query);
    }
    if args.single_transaction {
        session.query("COMMIT").map_err(told)?;
    }
    if left > 0 {
        let looking = "SELECT, SHOW, EXPLAIN and DESCRIBE";
        sys.warn(format!("check mode runs {looking} alone: {left} of the queries were not run"));
    }
    for query in changes {
        sys.count_as_change(query);
    }
    Ok(returns)
}

/// A statement without comments and parentheses before it. What the server takes for more than a comment stays.
fn bare(query: &str) -> &str {
    let mut rest = query;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        let dashes = rest.strip_prefix("--").filter(|rest| rest.starts_with(char::is_whitespace));
        let after = if rest.starts_with("/*!") || rest.starts_with("/*M!") {
            None
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, rest)| rest)
        } else {
            rest.strip_prefix('#').or(dashes).and_then(|line| line.split_once('\n')).map(|(_, rest)| rest)
        };
        match after {
            Some(after) => rest = after,
            None => return rest,
        }
    }
}

fn first_word(query: &str) -> String {
    let word: String = bare(query).chars().take_while(char::is_ascii_alphabetic).collect();
    word.to_uppercase()
}

/// Whether a check may run it. What a query puts into a file or variable is more than a look, as is what is explained
/// by doing it.
fn only_looks(query: &str) -> bool {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    LOOKING.contains(&first_word(query).as_str())
        && words
            .into_iter()
            .all(|word| !["INTO", "ANALYZE"].iter().any(|more| word.eq_ignore_ascii_case(more)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_only_looks() {
        for (query, word, looks) in [
            ("SELECT 1", "SELECT", true),
            ("/* why */ -- so\n# and\n (select*from t)", "SELECT", true),
            ("DESC t", "DESC", true),
            ("/* why */ INSERT INTO t VALUES (1)", "INSERT", false),
            ("/*!50000 DROP TABLE t */", "", false),
            ("SET GLOBAL max_connections = 1", "SET", false),
            ("COMMIT", "COMMIT", false),
            ("CALL p()", "CALL", false),
            ("SELECT 1 INTO OUTFILE '/x'", "SELECT", false),
            ("EXPLAIN ANALYZE SELECT f()", "EXPLAIN", false),
            ("--1", "", false),
            ("/* no end", "", false),
        ] {
            assert_eq!((first_word(query).as_str(), only_looks(query)), (word, looks), "{query}");
        }
    }
}
