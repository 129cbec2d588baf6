use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::command::yes;
use crate::kit::csv::{Dialect, Record, delimiter, records};
use crate::kit::{Failure, FilePath, Result, System};

/// Reads a CSV file of the target into a variable.
///
/// # Examples
///
/// ```yaml
/// - name: Rows, as a list
///   read_csv: {path: /srv/users.csv}
///   register: users
///
/// - name: Rows by their name
///   read_csv: {path: /srv/users.csv, key: name}
///   register: users
///
/// - name: A file that does not name its fields
///   read_csv: {path: /srv/users.csv, fieldnames: "name,uid,gid", delimiter: ";"}
///   register: users
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The file.
    #[schemars(extend("aliases" = ["filename"]))]
    pub path: FilePath,
    /// The field by which rows are told as a mapping, not as a list.
    pub key: Option<String>,
    /// How the file is written: `excel`, `excel-tab` or `unix`.
    #[serde(default = "excel")]
    pub dialect: String,
    /// The names of the fields, where the first row does not tell.
    pub fieldnames: Option<Vec<String>>,
    /// Whether two rows with one `key` are an error; else the last one counts.
    #[serde(default = "yes")]
    pub unique: bool,
    /// The character between fields, where it is not that of the dialect.
    pub delimiter: Option<String>,
    /// Leaves out spaces behind a delimiter.
    pub skipinitialspace: Option<bool>,
    /// Fails where the file is not well written.
    pub strict: Option<bool>,
}

fn excel() -> String {
    "excel".to_owned()
}

#[derive(Serialize)]
pub struct Returns {
    dict: Map<String, Json>,
    list: Vec<Json>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let dialect = dialect(&args)?;
    let path = args.path.text();
    let text = match sys.stat_followed(&args.path)? {
        Some(meta) if meta.is_dir() => {
            return Err(Failure::new(format!("Unable to open file: [Errno 21] Is a directory: '{path}'")));
        }
        Some(_) => sys.read_text_if_there(&args.path)?.unwrap_or_default(),
        None => {
            let why = "No such file or directory";
            return Err(Failure::new(format!("Unable to open file: [Errno 2] {why}: '{path}'")));
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let unable = |why| Failure::new(format!("Unable to process file: {why}"));
    let (names, records) = records(text, dialect, args.fieldnames.clone()).map_err(unable)?;
    let mut returns = Returns { dict: Map::new(), list: Vec::new() };
    let Some(key) = &args.key else {
        returns.list = records.into_iter().map(|record| Json::Object(mapping(record))).collect();
        return Ok(returns);
    };
    if !names.contains(key) {
        let names = names.join(", ");
        return Err(Failure::new(format!("Key '{key}' was not found in the CSV header fields: {names}")));
    }
    for record in records {
        let row = mapping(record);
        // What Python calls None is null as a key, and told as it is.
        let value = row.get(key).and_then(Json::as_str).map(str::to_owned);
        let place = value.clone().unwrap_or_else(|| "null".to_owned());
        if args.unique && returns.dict.contains_key(&place) {
            let told = value.unwrap_or_else(|| "None".to_owned());
            return Err(Failure::new(format!("Key '{key}' is not unique for value '{told}'")));
        }
        returns.dict.insert(place, Json::Object(row));
    }
    Ok(returns)
}

fn dialect(args: &Args) -> Result<Dialect> {
    let mut dialect = Dialect::named(&args.dialect).ok_or_else(|| {
        Failure::new(format!("Dialect '{}' is not supported by your version of python.", args.dialect))
    })?;
    if let Some(text) = &args.delimiter {
        let unable = |why| Failure::new(format!("Unable to create custom dialect: {why}"));
        dialect.delimiter = delimiter(text).map_err(unable)?;
    }
    dialect.skip_initial_space = args.skipinitialspace.unwrap_or_default();
    dialect.strict = args.strict.unwrap_or_default();
    Ok(dialect)
}

fn mapping(record: Record) -> Map<String, Json> {
    let mut map: Map<String, Json> =
        record.fields.into_iter().map(|(name, value)| (name, json!(value))).collect();
    if !record.more.is_empty() {
        map.insert("null".to_owned(), json!(record.more));
    }
    map
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const USERS: &str = "name,uid,gid\ndag,500,500\njeroen,501,500\n";

    fn read(text: &str, mut args: Json) -> Json {
        let trial = Trial::of("read_csv");
        trial.host.file("/f", text);
        args["path"] = json!("/f");
        let result = trial.run(&args);
        assert_ne!(result["changed"], true);
        result
    }

    #[test]
    fn rows_by_number_or_key() {
        let list = read(USERS, json!({}));
        assert_eq!(list["list"][1], json!({"name": "jeroen", "uid": "501", "gid": "500"}));
        assert_eq!(list["dict"], json!({}));
        let dict = read(USERS, json!({"key": "name"}));
        assert_eq!(dict["dict"]["dag"]["uid"], "500");
        assert_eq!(dict["list"], json!([]));
        let last = read(USERS, json!({"key": "gid", "unique": false}));
        assert_eq!(last["dict"], json!({"500": {"name": "jeroen", "uid": "501", "gid": "500"}}));
    }

    #[test]
    fn names_of_fields() {
        let named = |names: Json| read("1,2,3\n", json!({"fieldnames": names}))["list"].clone();
        assert_eq!(named(json!("a,b")), json!([{"a": "1", "b": "2", "null": ["3"]}]));
        assert_eq!(named(json!(["a", "b", "c", "d"])), json!([{"a": "1", "b": "2", "c": "3", "d": null}]));
        assert_eq!(read("a;b\n1;2\n", json!({"delimiter": ";"}))["list"], json!([{"a": "1", "b": "2"}]));
        assert_eq!(
            read("a\tb\n1\t2\n", json!({"dialect": "excel-tab"}))["list"],
            json!([{"a": "1", "b": "2"}])
        );
        assert_eq!(read("\u{feff}a,a\n1,2\n", json!({}))["list"], json!([{"a": "2"}]));
        let spaced = read("a, b\n1, \"2\"\n", json!({"skipinitialspace": true}));
        assert_eq!(spaced["list"], json!([{"a": "1", "b": "2"}]));
    }

    #[test]
    fn what_cannot_be_read() {
        let fails = |text: &str, args: Json, msg: &str| assert_eq!(read(text, args)["msg"], msg);
        fails(
            USERS,
            json!({"key": "nope"}),
            "Key 'nope' was not found in the CSV header fields: name, uid, gid",
        );
        fails(USERS, json!({"key": "gid"}), "Key 'gid' is not unique for value '500'");
        fails(USERS, json!({"dialect": "zzz"}), "Dialect 'zzz' is not supported by your version of python.");
        let msg = "Unable to create custom dialect: \"delimiter\" must be a 1-character string";
        fails(USERS, json!({"delimiter": ";;"}), msg);
        fails("a\n\"1", json!({"strict": true}), "Unable to process file: unexpected end of data");
        let result = Trial::of("read_csv").run(&json!({"path": "/none"}));
        assert_eq!(result["msg"], "Unable to open file: [Errno 2] No such file or directory: '/none'");
    }
}
