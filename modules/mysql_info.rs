use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Number, Value as Json};

use crate::kit::{Failure, Result, System};
use crate::mysql::{Answer, Login, Session, is_mariadb, sql};
use crate::mysql_user;

/// Tells what a MySQL or MariaDB server is and has.
///
/// # Examples
///
/// ```yaml
/// - name: Its version, and how large its databases are
///   mysql_info: {filter: [version, databases]}
///   register: server
///
/// - name: All but its variables
///   mysql_info: {filter: ["!settings", "!global_status"], login_unix_socket: /run/mysqld/mysqld.sock}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What is told: `version`, `databases`, `settings`, `global_status`, `users`, `users_info`, `engines`, `master_status`,
    /// `slave_status`, `slave_hosts`; `!NAME` for all but that.
    #[serde(default)]
    pub filter: Vec<String>,
    /// What is left out of `databases`: `db_size`, `db_table_count`.
    #[serde(default)]
    pub exclude_fields: Vec<String>,
    /// Whether databases without tables are told.
    #[serde(default)]
    pub return_empty_dbs: bool,
    /// The database to connect to.
    pub login_db: Option<String>,
    #[serde(flatten)]
    pub login: Login,
}

type Look = fn(&Args, &mut Session) -> Result<Json>;

const PARTS: &[(&str, Look)] = &[
    ("version", |_, session| version(session)),
    ("databases", databases),
    ("settings", |_, session| variables("SHOW GLOBAL VARIABLES", session)),
    ("global_status", |_, session| variables("SHOW GLOBAL STATUS", session)),
    ("engines", |_, session| Ok(by(&["Engine"], &ask("SHOW ENGINES", session)?))),
    ("users", |_, session| Ok(by(&["Host", "User"], &ask("SELECT * FROM mysql.user", session)?))),
    ("users_info", |_, session| accounts(session)),
    ("master_status", |_, session| master(session)),
    ("slave_hosts", |_, session| Ok(by(&["Server_id"], &ask(replication(session).hosts, session)?))),
    ("slave_status", |_, session| {
        let words = replication(session);
        Ok(by(words.keys, &ask(words.slave, session)?))
    }),
];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let mut session = args.login.open(args.login_db.as_deref(), sys)?;
    let engine = if is_mariadb(&session) { "MariaDB" } else { "MySQL" };
    let mut returns = Map::new();
    returns.insert("server_engine".to_owned(), engine.into());
    returns.insert("connector_name".to_owned(), "fanfare".into());
    returns.insert("connector_version".to_owned(), env!("CARGO_PKG_VERSION").into());
    for (name, look) in PARTS.iter().filter(|(name, _)| is_wanted(name, &args.filter)) {
        returns.insert((*name).to_owned(), look(&args, &mut session)?);
    }
    Ok(returns)
}

/// Names that are none do not count.
fn is_wanted(name: &str, filter: &[String]) -> bool {
    let known = |word: &str| PARTS.iter().any(|(name, _)| *name == word);
    let mut included = filter.iter().map(|word| word.trim()).filter(|word| known(word)).peekable();
    let is_excluded = filter.iter().any(|word| word.trim().strip_prefix('!') == Some(name));
    !is_excluded && (included.peek().is_none() || included.any(|word| word == name))
}

fn ask(statement: &str, session: &mut Session) -> Result<Answer> {
    session
        .query(statement)
        .map_err(|error| Failure::new(format!("Cannot execute SQL '{statement}': {error}")))
}

/// The rows as mappings. What MySQL counts exactly is a number, too.
fn rows(answer: &Answer) -> Vec<Map<String, Json>> {
    const DECIMALS: [u8; 2] = [0, 246];
    let is_decimal =
        |name: &str| answer.columns.iter().any(|(known, kind)| known == name && DECIMALS.contains(kind));
    let mut rows: Vec<Map<String, Json>> = Vec::new();
    for row in answer.mappings() {
        let Json::Object(mut row) = row else { continue };
        for (name, value) in &mut row {
            if let Some(text) = value.as_str().filter(|_| is_decimal(name)) {
                *value = exact(text)
                    .or_else(|| Number::from_f64(text.parse().ok()?))
                    .map_or(Json::Null, Json::Number);
            }
        }
        rows.push(row);
    }
    rows
}

fn exact(text: &str) -> Option<Number> {
    text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
}

/// The rows in mappings by those columns, one within the other.
fn by(keys: &[&str], answer: &Answer) -> Json {
    let mut all = Json::Object(Map::new());
    for mut row in rows(answer) {
        let mut at = &mut all;
        for key in keys {
            let name = match row.shift_remove(*key) {
                Some(Json::String(text)) => text,
                Some(other) => other.to_string(),
                None => String::new(),
            };
            let Json::Object(map) = at else { continue };
            at = map.entry(name).or_insert_with(|| Json::Object(Map::new()));
        }
        *at = Json::Object(row);
    }
    all
}

fn version(session: &mut Session) -> Result<Json> {
    let full = ask("SELECT VERSION()", session)?.first_column().into_iter().next().unwrap_or_default();
    let (numbers, suffix) = full.split_once('-').unwrap_or((&full, ""));
    let mut numbers = numbers.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let mut number = || numbers.next().unwrap_or(0);
    Ok(
        serde_json::json!({"major": number(), "minor": number(), "release": number(), "suffix": suffix, "full": full}),
    )
}

fn databases(args: &Args, session: &mut Session) -> Result<Json> {
    let entry = |size: Json, tables: Json| {
        let fields = [("size", "db_size", size), ("tables", "db_table_count", tables)];
        let told =
            fields.into_iter().filter(|(_, field, _)| args.exclude_fields.iter().all(|name| name != field));
        Json::Object(told.map(|(name, _, value)| (name.to_owned(), value)).collect())
    };
    let found = ask(
        "SELECT table_schema AS name, SUM(data_length + index_length) AS size, COUNT(table_name) AS tables \
         FROM information_schema.TABLES GROUP BY table_schema",
        session,
    )?;
    let mut all = Map::new();
    for mut row in rows(&found) {
        let name = row.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
        let mut take = |key: &str| row.shift_remove(key).filter(|value| !value.is_null()).unwrap_or(0.into());
        let (size, tables) = (take("size"), take("tables"));
        all.insert(name, entry(size, tables));
    }
    if args.return_empty_dbs {
        for name in ask("SHOW DATABASES", session)?.first_column() {
            all.entry(name).or_insert_with(|| entry(0.into(), 0.into()));
        }
    }
    Ok(Json::Object(all))
}

/// Names and values; what looks like a number is one.
fn variables(statement: &str, session: &mut Session) -> Result<Json> {
    let found = ask(statement, session)?;
    let pair = |row: &Vec<Option<String>>| {
        let name = row.first().cloned().flatten()?;
        let text = row.get(1).cloned().flatten().unwrap_or_default();
        let value = exact(text.trim()).map_or(Json::String(text), Json::Number);
        Some((name, value))
    };
    Ok(Json::Object(found.rows.iter().filter_map(pair).collect()))
}

/// What servers call the parts of a replication.
struct Replication {
    master: &'static str,
    slave: &'static str,
    hosts: &'static str,
    keys: &'static [&'static str],
}

fn replication(session: &Session) -> Replication {
    let mut numbers = session.version.split(['.', '-']).map(|number| number.parse::<u32>().unwrap_or(0));
    let mut number = || numbers.next().unwrap_or(0);
    let version = (number(), number(), number());
    let is_new = !is_mariadb(session) && version >= (8, 0, 22);
    Replication {
        master: if is_new && version >= (8, 2, 0) { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" },
        slave: if is_new { "SHOW REPLICA STATUS" } else { "SHOW SLAVE STATUS" },
        hosts: if is_new { "SHOW REPLICAS" } else { "SHOW SLAVE HOSTS" },
        keys: if is_new {
            &["Source_Host", "Source_Port", "Source_User"]
        } else {
            &["Master_Host", "Master_Port", "Master_User"]
        },
    }
}

fn master(session: &mut Session) -> Result<Json> {
    let found = ask(replication(session).master, session)?;
    Ok(Json::Object(rows(&found).into_iter().next().unwrap_or_default()))
}

/// Accounts as `mysql_user` takes them.
fn accounts(session: &mut Session) -> Result<Json> {
    let found = ask("SELECT * FROM mysql.user", session)?;
    rows(&found).iter().map(|row| account(row, session)).collect::<Result<Vec<_>>>().map(Json::Array)
}

fn account(row: &Map<String, Json>, session: &mut Session) -> Result<Json> {
    let text = |key: &str| row.get(key).and_then(Json::as_str).unwrap_or_default();
    let (name, host) = (text("User"), text("Host"));
    let mut told = Map::new();
    told.insert("name".to_owned(), name.into());
    told.insert("host".to_owned(), host.into());
    told.insert("priv".to_owned(), mysql_user::granted(name, host, text("is_role") == "Y", session)?.into());
    let limits = mysql_user::LIMITS.iter().filter_map(|(limit, column)| {
        let value = row.get(*column)?.as_u64().filter(|value| *value != 0)?;
        Some(((*limit).to_owned(), value.into()))
    });
    let limits: Map<String, Json> = limits.collect();
    if !limits.is_empty() {
        told.insert("resource_limits".to_owned(), limits.into());
    }
    let requires: Map<String, Json> = match text("ssl_type") {
        "" => Map::new(),
        "ANY" => Map::from_iter([("SSL".to_owned(), Json::Null)]),
        "X509" => Map::from_iter([("X509".to_owned(), Json::Null)]),
        _ => [("CIPHER", "ssl_cipher"), ("ISSUER", "x509_issuer"), ("SUBJECT", "x509_subject")]
            .into_iter()
            .filter(|(_, column)| !text(column).is_empty())
            .map(|(word, column)| (word.to_owned(), text(column).into()))
            .collect(),
    };
    if !requires.is_empty() {
        told.insert("tls_requires".to_owned(), requires.into());
    }
    told.insert("plugin".to_owned(), text("plugin").into());
    told.insert("plugin_hash_string".to_owned(), text("authentication_string").into());
    // Roles have no such statement, and older servers do not know it.
    let statement = format!("SHOW CREATE USER {}@{}", sql::text(name), sql::text(host));
    if let Ok(made) = session.query(&statement)
        && let Some(made) = made.first_column().first()
    {
        told.insert("locked".to_owned(), made.contains("ACCOUNT LOCK").into());
    }
    Ok(Json::Object(told))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{by, exact, is_wanted, rows};
    use crate::mysql::Answer;

    #[test]
    fn what_is_asked_is_told() {
        for (filter, name, expected) in [
            (vec![], "version", true),
            (vec!["version"], "version", true),
            (vec!["version"], "users", false),
            (vec!["!version"], "version", false),
            (vec!["!version"], "users", true),
            (vec!["!settings", "version"], "users", false),
            (vec!["nope"], "users", true),
        ] {
            let filter: Vec<String> = filter.into_iter().map(str::to_owned).collect();
            assert_eq!(is_wanted(name, &filter), expected, "{filter:?} {name}");
        }
    }

    #[test]
    fn rows_stand_by_their_keys() {
        let column = |name: &str, kind: u8| (name.to_owned(), kind);
        let row = |values: [&str; 4]| values.iter().map(|value| Some((*value).to_owned())).collect();
        let answer = Answer {
            columns: vec![column("Host", 254), column("User", 254), column("n", 3), column("t", 246)],
            rows: vec![row(["h", "ann", "1", "0.500"]), row(["h", "bob", "2", "7"])],
            count: 2,
        };
        assert_eq!(rows(&answer)[0]["t"], 0.5);
        assert_eq!(
            by(&["Host", "User"], &answer),
            json!({"h": {"ann": {"n": 1, "t": 0.5}, "bob": {"n": 2, "t": 7}}})
        );
        assert_eq!(exact("18446744073709551615").unwrap().as_u64(), Some(u64::MAX));
        assert_eq!(exact("10.000000"), None);
    }
}
