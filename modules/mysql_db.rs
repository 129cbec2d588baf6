mod dump;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::command::yes;
use crate::kit::{Failure, FilePath, Result, System};
use crate::mysql::{Login, Session, sql};

/// Ensures that a MySQL or MariaDB server has databases, or has them not; dumps and imports them.
///
/// # Examples
///
/// ```yaml
/// - name: A database
///   mysql_db: {name: bobdata, collation: utf8mb4_general_ci, encoding: utf8mb4}
///
/// - name: All into a file
///   mysql_db: {name: all, state: dump, target: /tmp/dump.sql.gz}
///
/// - name: Back from a file
///   mysql_db: {name: my_db, state: import, target: /tmp/dump.sql.bz2}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The databases; `all` for a dump or an import of everything.
    #[schemars(extend("aliases" = ["db"]))]
    pub name: Vec<String>,
    /// Whether they are there; `dump` writes them to `target`, `import` runs what is there.
    #[serde(default)]
    pub state: State,
    /// How text is sorted in new ones.
    #[serde(default)]
    pub collation: String,
    /// What text is written in in new ones, and in the file of a dump.
    #[serde(default)]
    pub encoding: String,
    /// The file of a dump; its name's end says how it is packed: `.gz`, `.bz2`, `.xz`, `.zst`.
    pub target: Option<FilePath>,
    /// Dumps all in one transaction.
    #[serde(default)]
    pub single_transaction: bool,
    /// Dumps row by row: for large tables.
    #[serde(default = "yes")]
    pub quick: bool,
    /// Tables not to dump, as `database.table`.
    #[serde(default)]
    pub ignore_tables: Vec<String>,
    /// Dumps binary columns in hex.
    #[serde(default)]
    pub hex_blob: bool,
    /// Goes on after errors.
    #[serde(default)]
    pub force: bool,
    /// Writes where in the log of changes the dump was made: 1 as a statement, 2 as a comment.
    #[serde(default)]
    pub master_data: u8,
    /// Locks no tables for a dump.
    #[serde(default)]
    pub skip_lock_tables: bool,
    /// More arguments for the program that dumps.
    #[serde(rename = "dump_extra_args")]
    pub dump_extra: Option<String>,
    /// Whether what is done goes to the log of changes.
    #[serde(default = "yes")]
    pub sql_log_bin: bool,
    /// The directory an import runs in.
    pub chdir: Option<FilePath>,
    /// Tries to log in as root without a password first.
    #[serde(default)]
    pub check_implicit_admin: bool,
    /// Means nothing here: what the client's file says counts before defaults.
    #[serde(default)]
    #[expect(dead_code, reason = "it is so in any case")]
    pub config_overrides_defaults: bool,
    /// Means nothing here: the programs read a file of ours.
    #[serde(default)]
    #[expect(dead_code, reason = "it is so in any case")]
    pub restrict_config_file: bool,
    /// Means nothing here: the password stands in no command.
    #[serde(default)]
    #[expect(dead_code, reason = "it is so in any case")]
    pub unsafe_login_password: bool,
    /// Means nothing here: the failure of any program is one.
    #[serde(default = "yes")]
    #[expect(dead_code, reason = "it is so in any case")]
    pub pipefail: bool,
    /// Means nothing here: a shell runs the programs.
    #[serde(default)]
    #[expect(dead_code, reason = "it is so in any case")]
    pub use_shell: bool,
    #[serde(flatten)]
    pub login: Login,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Dump,
    Import,
    #[default]
    Present,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let names: Vec<String> = args.name.iter().map(|name| name.trim().to_owned()).collect();
    let is_all = names.iter().any(|name| name == "all");
    if is_all && matches!(args.state, State::Present | State::Absent) {
        return Err(Failure::new("name is not allowed to equal 'all' unless state equals import, or dump."));
    }
    if matches!(args.state, State::Dump | State::Import) && args.target.is_none() {
        let state = if args.state == State::Dump { "dump" } else { "import" };
        return Err(Failure::new(format!("with state={state} target is required")));
    }
    if args.state == State::Import && names.len() > 1 {
        return Err(Failure::new("Multiple databases are not supported with state=import"));
    }
    let mut session = args.login.open_implicit(args.check_implicit_admin, None, sys)?;
    let told = |error: crate::mysql::ServerError| Failure::new(error.to_string());
    if !args.sql_log_bin {
        session.query("SET SQL_LOG_BIN=0").map_err(told)?;
    }
    let (there, missing) = sorted(&names, &mut session)?;
    let mut commands = Vec::new();
    let mut returns = Map::new();
    match args.state {
        State::Present => {
            for name in &missing {
                commands.push(create(name, &args));
            }
        }
        State::Absent => {
            commands.extend(there.iter().map(|name| format!("DROP DATABASE {}", sql::identifier(name))));
        }
        State::Dump => {
            if !is_all && !missing.is_empty() {
                return Err(Failure::new(format!(
                    "Cannot dump database(s) '{}' - not found",
                    missing.join(", ")
                )));
            }
            dump::dump(&args, &names, is_all, &mut returns, sys)?;
        }
        State::Import => {
            if !is_all {
                for name in &missing {
                    let command = create(name, &args);
                    if !sys.is_check() {
                        session.query(&command).map_err(told)?;
                    }
                    commands.push(command);
                }
            }
            dump::import(&args, &names, is_all, &mut returns, sys)?;
        }
    }
    if matches!(args.state, State::Present | State::Absent) {
        for command in &commands {
            if !sys.is_check() {
                session.query(command).map_err(|error| {
                    Failure::new(format!(
                        "error {}: {error}",
                        if args.state == State::Present { "creating database" } else { "deleting database" }
                    ))
                })?;
            }
            sys.count_as_change(command.clone());
        }
    }
    returns.insert("db".to_owned(), names.join(" ").into());
    returns.insert("db_list".to_owned(), names.into());
    if let Some(Json::Array(more)) = returns.get("executed_commands") {
        commands.extend(more.iter().filter_map(Json::as_str).map(str::to_owned));
    }
    if !sys.is_check() {
        returns.insert("executed_commands".to_owned(), commands.into());
    }
    Ok(returns)
}

/// Those that are there, and those that are not.
fn sorted(names: &[String], session: &mut Session) -> Result<(Vec<String>, Vec<String>)> {
    let known =
        session.query("SHOW DATABASES").map_err(|error| Failure::new(error.to_string()))?.first_column();
    Ok(names.iter().filter(|name| *name != "all").cloned().partition(|name| known.contains(name)))
}

fn create(name: &str, args: &Args) -> String {
    let mut query = format!("CREATE DATABASE {}", sql::identifier(name));
    for (word, value) in [("CHARACTER SET", &args.encoding), ("COLLATE", &args.collation)] {
        if !value.is_empty() {
            query.extend([" ", word, " ", &sql::text(value)]);
        }
    }
    query
}
