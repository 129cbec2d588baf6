use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::command::yes;
use crate::kit::{Failure, Result, Secret, System};
use crate::lineinfile::State;
use crate::postgresql::{Changes, Login, is_kept, sql};

/// Ensures that a PostgreSQL server has a role, or has it not.
///
/// A password is compared with what the server keeps, and set where it differs. It stands in no result.
///
/// # Examples
///
/// ```yaml
/// - name: A user
///   postgresql_user: {name: django, password: "{{ django_password }}"}
///
/// - name: Who may make databases, until then
///   postgresql_user: {name: django, role_attr_flags: "CREATEDB,NOSUPERUSER", expires: Jan 31 2030}
///
/// - name: No such user
///   postgresql_user: {name: test, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The role.
    #[schemars(extend("aliases" = ["user"]))]
    pub name: String,
    /// Its password, as it is or hashed as the server keeps it; an empty one takes it away.
    pub password: Option<Secret>,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// The database to connect to.
    #[serde(default)]
    #[schemars(extend("aliases" = ["db"]))]
    pub login_db: String,
    /// Fails where the role cannot be removed.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["fail_on_role"]))]
    pub fail_on_user: bool,
    /// What it may do: `CREATEDB`, `CREATEROLE`, `SUPERUSER`, `LOGIN` … or `NO…`, with commas.
    #[serde(default)]
    pub role_attr_flags: String,
    /// Whether the server keeps the password hashed. It does.
    #[serde(default = "yes")]
    pub encrypted: bool,
    /// Until when the password counts.
    pub expires: Option<String>,
    /// Leaves the password of a role that is there.
    #[serde(default)]
    pub no_password_changes: bool,
    /// How many connections it may have.
    pub conn_limit: Option<i64>,
    /// A comment on it; an empty one removes it.
    pub comment: Option<String>,
    /// Parameters that count for it.
    #[serde(default)]
    pub configuration: Map<String, Json>,
    /// Resets parameters that are not in `configuration`.
    #[serde(default)]
    pub reset_unspecified_configuration: bool,
    /// Whether values of `configuration` are quoted.
    #[serde(default = "yes")]
    pub quote_configuration_values: bool,
    #[serde(flatten)]
    pub login: Login,
}

#[derive(Serialize)]
pub struct Returns {
    user: String,
    queries: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_removed: Option<bool>,
}

/// What a role may do: the option's word, and the server's column.
const FLAGS: [(&str, &str); 7] = [
    ("SUPERUSER", "rolsuper"),
    ("CREATEROLE", "rolcreaterole"),
    ("CREATEDB", "rolcreatedb"),
    ("INHERIT", "rolinherit"),
    ("LOGIN", "rolcanlogin"),
    ("REPLICATION", "rolreplication"),
    ("BYPASSRLS", "rolbypassrls"),
];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    args.login.check_input(&[&args.name, &args.role_attr_flags])?;
    if !args.encrypted {
        return Err(Failure::new(
            "encrypted: false is not supported: servers since 10 keep no plain passwords",
        ));
    }
    let database = args.login.database(Some(&args.login_db));
    let flags = flags(&args.role_attr_flags)?;
    let mut session = args.login.open(database, sys)?;
    let columns: Vec<&str> = FLAGS.iter().map(|(_, column)| *column).collect();
    let row = session
        .query(&format!(
            "SELECT rolconnlimit, rolvaliduntil, pg_catalog.shobj_description(oid, 'pg_authid'), {} \
             FROM pg_catalog.pg_roles WHERE rolname = {}",
            columns.join(", "),
            sql::text(&args.name)
        ))?
        .rows
        .into_iter()
        .next();
    let mut changes = Changes::of(&mut session);
    let mut user_removed = None;
    match (args.state, row) {
        (State::Absent, Some(_)) => user_removed = remove(&args, &mut changes, sys)?,
        (State::Absent, None) => {}
        (State::Present, None) => create(&args, &flags, &mut changes, sys)?,
        (State::Present, Some(row)) => alter(&args, &flags, row, &mut changes, sys)?,
    }
    if args.state == State::Present {
        configure(&args, &mut changes, sys)?;
    }
    let queries = changes.statements;
    Ok(Returns { user: args.name, queries, user_removed })
}

/// The words of `role_attr_flags`.
fn flags(text: &str) -> Result<Vec<String>> {
    let words: Vec<String> =
        text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_uppercase).collect();
    let is_known = |word: &&String| {
        let positive = word.strip_prefix("NO").unwrap_or(word);
        FLAGS.iter().any(|(flag, _)| *flag == positive)
    };
    let unknown: Vec<&str> = words.iter().filter(|word| !is_known(word)).map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(words);
    }
    Err(Failure::new(format!("Invalid role_attr_flags specified: {}", unknown.join(" "))))
}

fn remove(args: &Args, changes: &mut Changes<'_>, sys: &mut System<'_>) -> Result<Option<bool>> {
    let statement = format!("DROP USER {}", sql::identifier(&args.name));
    match changes.run(&statement, sys) {
        Ok(()) => Ok(Some(true)),
        Err(failure) if args.fail_on_user => {
            Err(Failure::new(format!("Unable to remove user: {}", failure.msg)))
        }
        Err(failure) => {
            sys.warn(format!("the role {} was not removed: {}", args.name, failure.msg));
            changes.statements.push(statement);
            Ok(Some(false))
        }
    }
}

/// A statement that may have a password in it, and what is told of it.
struct Statement {
    text: String,
    told: String,
}

impl Statement {
    fn new(text: String) -> Self {
        Self { told: text.clone(), text }
    }

    fn add(&mut self, more: &str) {
        self.text.push_str(more);
        self.told.push_str(more);
    }

    fn expires(&mut self, expires: &str) {
        self.text.extend([" VALID UNTIL ", &sql::text(expires)]);
        self.told.push_str(" VALID UNTIL %(expires)s");
    }

    fn password(&mut self, word: &str, password: &str) {
        self.text.extend([word, " PASSWORD ", &sql::text(password)]);
        self.told.extend([word, " PASSWORD %(password)s"]);
    }
}

fn create(args: &Args, flags: &[String], changes: &mut Changes<'_>, sys: &mut System<'_>) -> Result<()> {
    let mut statement = Statement::new(format!("CREATE USER {}", sql::identifier(&args.name)));
    let password = args.password.as_ref().map(Secret::expose).filter(|password| !password.is_empty());
    if password.is_some() || args.expires.is_some() || args.conn_limit.is_some() || !flags.is_empty() {
        statement.add(" WITH");
    }
    if let Some(password) = password {
        statement.password(" ENCRYPTED", password);
    }
    statement.add(&format!(" {}", flags.join(" ")));
    if let Some(expires) = &args.expires {
        statement.expires(expires);
    }
    if let Some(limit) = args.conn_limit {
        statement.add(&format!(" CONNECTION LIMIT {limit}"));
    }
    changes.run_told(&statement.text, &statement.told, sys)?;
    match args.comment.as_deref() {
        Some(comment) if !comment.is_empty() => comment_on(&args.name, comment, changes, sys),
        _ => Ok(()),
    }
}

fn comment_on(name: &str, comment: &str, changes: &mut Changes<'_>, sys: &mut System<'_>) -> Result<()> {
    changes.run(&format!("COMMENT ON ROLE {} IS {}", sql::identifier(name), sql::text(comment)), sys)
}

fn alter(
    args: &Args,
    flags: &[String],
    row: Vec<Option<String>>,
    changes: &mut Changes<'_>,
    sys: &mut System<'_>,
) -> Result<()> {
    let mut row = row.into_iter();
    let (limit, until, comment) = (row.next().flatten(), row.next().flatten(), row.next().flatten());
    let has: Vec<bool> = row.map(|flag| flag.as_deref() == Some("t")).collect();
    let mut statement = Statement::new(format!("ALTER USER {}", sql::identifier(&args.name)));
    let bare = statement.text.len();
    if let Some(password) = &args.password
        && !args.no_password_changes
        && !has_password(args, password.expose(), changes)?
    {
        if password.expose().is_empty() {
            statement.add(" WITH PASSWORD NULL ");
        } else {
            statement.password(" WITH ENCRYPTED", password.expose());
            statement.add(" ");
        }
    }
    let differs = |word: &&String| {
        let (wanted, positive) = word.strip_prefix("NO").map_or((true, word.as_str()), |rest| (false, rest));
        let at = FLAGS.iter().position(|(flag, _)| *flag == positive);
        at.and_then(|at| has.get(at)) != Some(&wanted)
    };
    // One that differs, and all of them are said, as in Ansible.
    if flags.iter().any(|flag| differs(&flag)) {
        statement.add(if statement.text.len() > bare { "" } else { " WITH " });
        statement.add(&flags.join(" "));
    }
    if let Some(expires) = &args.expires {
        let literal = sql::text(expires);
        let same = changes.session.query(&format!(
            "SELECT {}::timestamptz IS NOT DISTINCT FROM {literal}::timestamptz",
            until.as_deref().map_or_else(|| "NULL".to_owned(), sql::text)
        ))?;
        if same.value() != Some("t") {
            statement.expires(expires);
        }
    }
    if let Some(wanted) = args.conn_limit
        && limit.as_deref() != Some(wanted.to_string().as_str())
    {
        statement.add(&format!(" CONNECTION LIMIT {wanted}"));
    }
    if statement.text.len() > bare {
        changes.run_told(&statement.text, &statement.told, sys)?;
    }
    match &args.comment {
        Some(wanted) if *wanted != comment.unwrap_or_default() => {
            comment_on(&args.name, wanted, changes, sys)
        }
        _ => Ok(()),
    }
}

/// Whether the server keeps that password. What may not be looked at is set anew.
fn has_password(args: &Args, password: &str, changes: &mut Changes<'_>) -> Result<bool> {
    let asked =
        format!("SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = {}", sql::text(&args.name));
    let kept = match changes.session.query(&asked) {
        Ok(answer) => answer.value().map(str::to_owned),
        // Of who is no superuser it is kept from sight.
        Err(error) if error.code == "42501" => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    Ok(match kept {
        None => password.is_empty(),
        Some(kept) => is_kept(&kept, &args.name, password),
    })
}

/// Ensures the parameters that count for the role.
fn configure(args: &Args, changes: &mut Changes<'_>, sys: &mut System<'_>) -> Result<()> {
    if args.configuration.is_empty() && !args.reset_unspecified_configuration {
        return Ok(());
    }
    let name = sql::identifier(&args.name);
    let answer = changes.session.query(&format!(
        "SELECT unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r \
         ON r.oid = s.setrole WHERE s.setdatabase = 0 AND r.rolname = {}",
        sql::text(&args.name)
    ))?;
    let set = answer.first_column();
    let set: Vec<(&str, &str)> = set.iter().filter_map(|line| line.split_once('=')).collect();
    for (parameter, value) in &args.configuration {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if set.iter().any(|(known, now)| known == parameter && *now == value) {
            continue;
        }
        let written = if args.quote_configuration_values { sql::text(&value) } else { value };
        changes.run(&format!("ALTER ROLE {name} SET {} TO {written};", sql::qualified(parameter)), sys)?;
    }
    if args.reset_unspecified_configuration {
        for (parameter, _) in set.iter().filter(|(known, _)| !args.configuration.contains_key(*known)) {
            changes.run(&format!("ALTER ROLE {name} RESET {};", sql::qualified(parameter)), sys)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::flags;

    #[test]
    fn flags_are_known() {
        assert_eq!(flags("createdb,NOSUPERUSER").unwrap(), ["CREATEDB", "NOSUPERUSER"]);
        assert_eq!(flags("").unwrap(), [""; 0]);
        assert_eq!(flags("CREATEDB,FLY").unwrap_err().msg, "Invalid role_attr_flags specified: FLY");
    }
}
