use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::kit::{Failure, Result, System};
use crate::postgresql::{Login, sql};

/// Runs SQL on a PostgreSQL server.
///
/// All queries run in one transaction, unless `autocommit` is set. A check runs them, too, and takes them back.
///
/// # Examples
///
/// ```yaml
/// - name: What there is
///   postgresql_query: {login_db: test_db, query: SELECT version()}
///
/// - name: With arguments
///   postgresql_query:
///     login_db: test_db
///     query: SELECT * FROM test WHERE id = %(id)s AND story = %(story)s
///     named_args: {id: 1, story: test}
///
/// - name: Several at once
///   postgresql_query:
///     login_db: test_db
///     query: ["INSERT INTO test VALUES (1, 'a')", SELECT * FROM test]
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["positional_args", "named_args"]]))]
pub struct Args {
    /// One query, or several. `%s` and `%(name)s` stand for arguments.
    pub query: Option<Json>,
    /// The arguments in order. A list is an array.
    #[serde(rename = "positional_args")]
    pub positional: Option<Vec<Json>>,
    /// The arguments by their names.
    #[serde(rename = "named_args")]
    pub named: Option<Map<String, Json>>,
    /// The database.
    #[schemars(extend("aliases" = ["db"]))]
    pub login_db: Option<String>,
    /// Runs each query by itself, as `VACUUM` wants it. Not for checks.
    #[serde(default)]
    pub autocommit: bool,
    /// The encoding of the connection.
    pub encoding: Option<String>,
    /// The schemas where names are looked for.
    pub search_path: Option<Vec<String>>,
    #[serde(flatten)]
    pub login: Login,
}

#[derive(Serialize)]
pub struct Returns {
    query: String,
    query_list: Vec<String>,
    statusmessage: String,
    query_result: Json,
    query_all_results: Vec<Json>,
    rowcount: i64,
    execution_time_ms: Vec<f64>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.autocommit && sys.is_check() {
        return Err(Failure::new("Using autocommit is mutually exclusive with check_mode"));
    }
    // Results are text of JSON, whatever the connection's.
    if let Some(encoding) = &args.encoding
        && !["utf8", "unicode"].contains(&encoding.to_lowercase().replace(['-', '_'], "").as_str())
    {
        return Err(Failure::new(format!(
            "encoding: {encoding} is not supported: the connection is in UTF8"
        )));
    }
    let queries = queries(&args)?;
    let mut session = args.login.open(args.login.database(args.login_db.as_deref()), sys)?;
    if let Some(path) = &args.search_path {
        let path: Vec<String> = path.iter().map(|schema| sql::identifier(schema)).collect();
        session.query(&format!("SET search_path TO {}", path.join(",")))?;
    }
    let mut returns = Returns {
        query: String::new(),
        query_list: Vec::new(),
        statusmessage: String::new(),
        query_result: json!({}),
        query_all_results: Vec::new(),
        rowcount: 0,
        execution_time_ms: Vec::new(),
    };
    if !args.autocommit {
        session.query("BEGIN")?;
    }
    let mut changes = Vec::new();
    for (written, query) in queries {
        let since = sys.now().as_f64();
        let answer = session.query(&query).map_err(|error| {
            Failure::new(format!(
                "Cannot execute SQL '{query}' {:?}: {error}, query list: {query}",
                args.positional.as_deref().unwrap_or_default()
            ))
        })?;
        returns.execution_time_ms.push((sys.now().as_f64() - since) * 1000.0);
        if answer.tags.iter().any(|tag| is_change(tag)) {
            changes.push(query.clone());
        }
        let ended = answer.tags.iter().any(|tag| ends_transaction(tag)) || !session.in_transaction();
        if sys.is_check() && ended {
            return Err(Failure::new(format!(
                "the query '{query}' ends the transaction that a check takes back: what came before it may be done, and \
                 nothing more was run; skip it in check mode, with `when: not ansible_check_mode`"
            )));
        }
        returns.rowcount += answer.count().max(0);
        answer.tag().clone_into(&mut returns.statusmessage);
        // What gives no rows has none to tell, not even an empty list.
        returns.query_result = if answer.columns.is_empty() { json!({}) } else { answer.mappings().into() };
        returns.query_all_results.push(returns.query_result.clone());
        returns.query = query;
        returns.query_list.push(written);
    }
    if !args.autocommit {
        session.query(if sys.is_check() { "ROLLBACK" } else { "COMMIT" })?;
    }
    for query in changes {
        sys.count_as_change(query);
    }
    Ok(returns)
}

/// Whether a statement with that tag ended the transaction it was in.
fn ends_transaction(tag: &str) -> bool {
    ["COMMIT", "ROLLBACK", "PREPARE TRANSACTION"].contains(&tag)
}

/// Whether a statement that ended with that tag changed something.
fn is_change(tag: &str) -> bool {
    let mut words = tag.split_whitespace();
    match (words.next(), words.next_back()) {
        (Some("SELECT" | "SHOW" | "BEGIN" | "COMMIT" | "ROLLBACK" | "FETCH" | "EXPLAIN") | None, _) => false,
        (Some("INSERT" | "UPDATE" | "DELETE" | "MERGE" | "COPY"), Some(count)) => count != "0",
        _ => true,
    }
}

/// The queries as they are written, and with their arguments in them.
fn queries(args: &Args) -> Result<Vec<(String, String)>> {
    let text = |query: &Json| {
        let text = query.as_str().ok_or_else(|| Failure::new("query must be a string or a list of strings"));
        let text = text?;
        let filled = fill(text, args.positional.as_deref(), args.named.as_ref(), sql::value)?;
        Ok((text.to_owned(), filled))
    };
    match &args.query {
        Some(Json::Array(list)) => list.iter().map(text).collect(),
        Some(query) => Ok(vec![text(query)?]),
        None => Err(Failure::new("missing required arguments: query")),
    }
}

/// A query with its arguments in it; `quoted` makes SQL of a value.
pub(crate) fn fill(
    query: &str,
    positional: Option<&[Json]>,
    named: Option<&Map<String, Json>>,
    quoted: fn(&Json) -> String,
) -> Result<String> {
    // Empty ones are none: a % is a % then.
    if positional.is_none_or(<[Json]>::is_empty) && named.is_none_or(Map::is_empty) {
        return Ok(query.to_owned());
    }
    let mut positional = positional.into_iter().flatten();
    let mut filled = String::new();
    let mut rest = query;
    while let Some((before, after)) = rest.split_once('%') {
        filled.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            filled.push('%');
            rest = after;
        } else if let Some(after) = after.strip_prefix('s') {
            let value =
                positional.next().ok_or_else(|| Failure::new("not enough positional_args for the query"))?;
            filled.push_str(&quoted(value));
            rest = after;
        } else if let Some((name, after)) = after.strip_prefix('(').and_then(|after| after.split_once(")s")) {
            let value = named.and_then(|named| named.get(name));
            let value =
                value.ok_or_else(|| Failure::new(format!("the query wants '{name}' of named_args")))?;
            filled.push_str(&quoted(value));
            rest = after;
        } else {
            return Err(Failure::new("a % of a query with arguments is written %%, %s or %(name)s"));
        }
    }
    if positional.next().is_some() {
        return Err(Failure::new("not all positional_args have a %s in the query"));
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_filled_in() {
        let filled = |query: &str, given: Json| {
            let positional = given.get("positional_args").and_then(Json::as_array);
            let named = given.get("named_args").and_then(Json::as_object);
            fill(query, positional.map(Vec::as_slice), named, sql::value).map_err(|failure| failure.msg)
        };
        assert_eq!(filled("a % b", json!({})).unwrap(), "a % b");
        assert_eq!(filled("a %s %% %s", json!({"positional_args": ["o'c", 1]})).unwrap(), "a 'o''c' % 1");
        assert_eq!(filled("%(x)s", json!({"named_args": {"x": ["a"]}})).unwrap(), "'{\"a\"}'");
        assert!(filled("%(y)s", json!({"named_args": {"x": 1}})).unwrap_err().contains("'y'"));
        assert_eq!(filled("a % %s", json!({"positional_args": []})).unwrap(), "a % %s");
        assert!(filled("%s %s", json!({"positional_args": [1]})).unwrap_err().contains("not enough"));
        assert!(filled("%s", json!({"positional_args": [1, 2]})).unwrap_err().contains("not all"));
    }

    #[test]
    fn tags_tell_what_changed() {
        for (tag, changed) in [
            ("SELECT 3", false),
            ("INSERT 0 1", true),
            ("UPDATE 0", false),
            ("CREATE TABLE", true),
            ("SET", true),
            ("SHOW", false),
        ] {
            assert_eq!(is_change(tag), changed, "{tag}");
        }
    }
}
