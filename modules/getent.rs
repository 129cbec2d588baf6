use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::command::yes;
use crate::kit::{Command, Failure, Result, System};

/// Looks entries up in the databases of the system and makes facts of them.
///
/// The fact is called `getent_` and the database's name.
///
/// # Examples
///
/// ```yaml
/// - name: What the system knows of root
///   getent: {database: passwd, key: root}
///
/// - name: The http service, no error where it is unknown
///   getent: {database: services, key: http, fail_key: false}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The database: `passwd`, `group`, `hosts`, `services` …
    pub database: String,
    /// The entry; without it all there are, where the database can list them.
    pub key: Option<String>,
    /// Asks this source alone instead of those the system is configured to ask.
    pub service: Option<String>,
    /// What divides an entry's fields, where the usual one of the database is wrong.
    pub split: Option<String>,
    /// Whether a key that is not there is an error.
    #[serde(default = "yes")]
    pub fail_key: bool,
}

#[derive(Serialize)]
pub struct Returns {
    ansible_facts: BTreeMap<String, Map<String, Json>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'static str>,
}

const NO_KEY: &str = "One or more supplied key could not be found in the database.";

/// Databases whose fields colons divide.
const COLONS: [&str; 4] = ["passwd", "shadow", "group", "gshadow"];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = sys.need("getent")?;
    if args.split.as_deref() == Some("") {
        return Err(Failure::new("split: must not be empty"));
    }
    let command = Command::new(program).opt("-s", args.service.as_ref()).arg(&args.database);
    let output = sys.query(command.args(args.key.as_ref()))?;
    let fact = format!("getent_{}", args.database);
    let mut entries = Map::new();
    let mut msg = None;
    match output.code {
        0 => {
            let usual = COLONS.contains(&args.database.as_str()).then_some(":");
            entries = parse(&output.stdout(), args.split.as_deref().or(usual));
        }
        1 => return Err(Failure::new("Missing arguments, or database unknown.")),
        2 if args.fail_key => return Err(Failure::new(NO_KEY)),
        2 => {
            msg = Some(NO_KEY);
            entries.insert(args.key.unwrap_or_default(), Json::Null);
        }
        3 => return Err(Failure::new("Enumeration not supported on this database.")),
        _ => return Err(Failure::new("Unexpected failure!")),
    }
    Ok(Returns { ansible_facts: BTreeMap::from([(fact, entries)]), msg })
}

/// By first field the others. Of a key that comes several times, a list of the lists.
fn parse(text: &str, split: Option<&str>) -> Map<String, Json> {
    let mut entries = Map::new();
    for line in text.lines() {
        let fields: Vec<&str> = match split {
            Some(split) => line.split(split).collect(),
            None => line.split_whitespace().collect(),
        };
        let Some((key, fields)) = fields.split_first() else { continue };
        let fields: Vec<Json> = fields.iter().map(|field| Json::from(*field)).collect();
        match entries.get_mut(*key).and_then(Json::as_array_mut) {
            None => {
                entries.insert((*key).to_owned(), Json::Array(fields));
            }
            Some(known) => {
                if !known.first().is_some_and(Json::is_array) {
                    *known = vec![Json::Array(std::mem::take(known))];
                }
                known.push(Json::Array(fields));
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(args: &Json, code: i32, said: &str, expected: &Json) {
        let trial = Trial::of("getent");
        trial.host.program("/usr/bin/getent").answer("/usr/bin/getent", code, said);
        let result = trial.run(args);
        assert_eq!(result["changed"], false);
        let key = if result["failed"] == true { "msg" } else { "ansible_facts" };
        assert_eq!(&result[key], expected, "{args} {result:#}");
    }

    #[test]
    fn entries_become_facts() {
        let root = json!({"database": "passwd", "key": "root"});
        check(&root, 0, "root:x:0\n", &json!({"getent_passwd": {"root": ["x", "0"]}}));
        check(&root, 2, "", &json!(super::NO_KEY));
        check(
            &json!({"database": "no", "key": "x"}),
            1,
            "",
            &json!("Missing arguments, or database unknown."),
        );
        let lenient = json!({"database": "services", "key": "x", "fail_key": false});
        check(&lenient, 2, "", &json!({"getent_services": {"x": null}}));
        check(
            &json!({"database": "hosts"}),
            0,
            "127.0.0.1   a\n127.0.0.1   b\n::1 c d\n",
            &json!({"getent_hosts": {"127.0.0.1": [["a"], ["b"]], "::1": ["c", "d"]}}),
        );
        check(&json!({"database": "x", "split": ","}), 0, "a,b c\n", &json!({"getent_x": {"a": ["b c"]}}));
    }
}
