mod account;
mod grants;
mod known;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use self::grants::privileges;
pub(crate) use self::known::LIMITS;
use self::known::{Known, hashed};
use crate::command::yes;
use crate::kit::digest::hex;
use crate::kit::{Failure, Result, Secret, System};
use crate::lineinfile::State;
use crate::mysql::{Login, Session, is_mariadb, set_session, sql};

/// Ensures that a MySQL or MariaDB server has a user with these privileges, or has none.
///
/// A password is compared with what the server keeps, and set where it differs. It stands in no result.
///
/// # Examples
///
/// ```yaml
/// - name: A user who may do all with a database
///   mysql_user:
///     name: bob
///     password: "{{ bobs_password }}"
///     priv: 'bobdata.*:ALL'
///
/// - name: One more privilege
///   mysql_user:
///     name: bob
///     host: "%"
///     priv: {'otherdata.*': 'SELECT,INSERT'}
///     append_privs: yes
///
/// - name: No such user, wherever from
///   mysql_user: {name: bob, host_all: yes, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["append_privs", "subtract_privs"]]))]
pub struct Args {
    /// The user.
    pub name: String,
    /// Where from.
    #[serde(default = "localhost")]
    pub host: String,
    /// Wherever from: all users of that name.
    #[serde(default)]
    pub host_all: bool,
    /// The password.
    pub password: Option<Secret>,
    /// Whether `password` is a hash as `mysql_native_password` keeps it.
    #[serde(default)]
    pub encrypted: bool,
    /// Whether the user is there.
    #[serde(default)]
    pub state: State,
    /// What the user may: `database.table:PRIV,PRIV/database.table:PRIV`, or a mapping.
    #[schemars(extend("kind" = "raw"))]
    pub r#priv: Option<Json>,
    /// Keeps other privileges.
    #[serde(default)]
    pub append_privs: bool,
    /// Takes these privileges away, and keeps others.
    #[serde(default)]
    pub subtract_privs: bool,
    /// Whether names of columns in privileges stay as they are written; else they are in capitals.
    #[serde(default = "yes")]
    pub column_case_sensitive: bool,
    /// When a password is set: whenever it differs, or for new users alone.
    #[serde(default)]
    pub update_password: UpdatePassword,
    /// How the user shows who it is.
    pub plugin: Option<String>,
    /// What the plugin keeps.
    pub plugin_hash_string: Option<Secret>,
    /// What the plugin is told.
    pub plugin_auth_string: Option<Secret>,
    /// The salt, twenty letters, of the hash that is made of `plugin_auth_string`: for `caching_sha2_password` and
    /// `sha256_password`. With it the same password is known again.
    pub salt: Option<Secret>,
    /// What the connection must be: `SSL`, `X509`, or `SUBJECT`, `ISSUER`, `CIPHER` with values; nothing for none.
    pub tls_requires: Option<Map<String, Json>>,
    /// How much the user may: `MAX_QUERIES_PER_HOUR`, `MAX_UPDATES_PER_HOUR`, `MAX_CONNECTIONS_PER_HOUR`,
    /// `MAX_USER_CONNECTIONS`.
    pub resource_limits: Option<Map<String, Json>>,
    /// What the server keeps of the user besides (`INFORMATION_SCHEMA.USER_ATTRIBUTES`, MySQL 8); null takes a key away.
    pub attributes: Option<Map<String, Json>>,
    /// Whether nobody can log in as the user.
    pub locked: Option<bool>,
    /// When the password ends: `default` is as the server's own variable says.
    pub password_expire: Option<Expire>,
    /// After how many days, with `interval`.
    pub password_expire_interval: Option<u64>,
    /// Variables of the session.
    pub session_vars: Option<Map<String, Json>>,
    /// Whether what is done goes to the log of changes.
    #[serde(default = "yes")]
    pub sql_log_bin: bool,
    /// Tries to log in as root without a password first.
    #[serde(default)]
    pub check_implicit_admin: bool,
    /// Works in the database `mysql`.
    #[serde(default)]
    pub force_context: bool,
    #[serde(flatten)]
    pub login: Login,
}

fn localhost() -> String {
    "localhost".to_owned()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdatePassword {
    #[default]
    Always,
    OnCreate,
    OnNewUsername,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expire {
    Now,
    Never,
    Default,
    Interval,
}

#[derive(Serialize)]
pub struct Returns {
    user: String,
    msg: String,
    password_changed: Option<bool>,
    attributes: Json,
}

/// A user of the server, as statements name it.
#[derive(Clone)]
struct Account {
    name: String,
    host: String,
}

impl Account {
    fn sql(&self) -> String {
        format!("{}@{}", sql::text(&self.name), sql::text(&self.host))
    }
}

/// Runs a statement that changes something, or tells it in check mode. `told` stands for it in messages.
fn change(session: &mut Session, statement: &str, told: &str, sys: &mut System<'_>) -> Result<()> {
    if !sys.is_check() {
        session.query(statement).map_err(|error| Failure::new(error.to_string()))?;
    }
    sys.count_as_change(told.to_owned());
    Ok(())
}

/// What a user may, as `priv` has it; or a role, which has no host.
pub(crate) fn granted(name: &str, host: &str, is_role: bool, session: &mut Session) -> Result<String> {
    let account = Account { name: name.to_owned(), host: host.to_owned() };
    let who = if is_role { sql::identifier(name) } else { account.sql() };
    grants::told_in_one(&who, session)
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    check_options(&args)?;
    let host = args.host.to_lowercase();
    let database = args.force_context.then_some("mysql");
    let mut session = args.login.open_implicit(args.check_implicit_admin, database, sys)?;
    let session = &mut session;
    set_session(args.session_vars.as_ref(), session)?;
    if !args.sql_log_bin {
        session.query("SET SQL_LOG_BIN=0").map_err(|error| Failure::new(error.to_string()))?;
    }
    let hosts = known::hosts(&args.name, session)?;
    let of_hosts = if args.host_all { hosts.clone() } else { vec![host] };
    let accounts: Vec<Account> =
        of_hosts.into_iter().map(|host| Account { name: args.name.clone(), host }).collect();
    let mut returns = Returns {
        user: args.name.clone(),
        msg: String::new(),
        password_changed: Some(false),
        attributes: Json::Null,
    };
    let is_there = |account: &Account| hosts.contains(&account.host);
    if args.state == State::Absent {
        "User doesn't exist".clone_into(&mut returns.msg);
        for account in accounts.iter().filter(|account| is_there(account)) {
            let statement = format!("DROP USER {}", account.sql());
            change(session, &statement, &statement, sys)?;
            "User deleted".clone_into(&mut returns.msg);
        }
        return Ok(returns);
    }
    if args.host_all && accounts.is_empty() {
        return Err(Failure::new("host_all parameter cannot be used when adding a user"));
    }
    for account in &accounts {
        if is_there(account) {
            returns.attributes = json!({});
            update(&args, account, &mut returns, session, sys)?;
        } else {
            returns.attributes = create(&args, account, &hosts, session, sys)?;
            "User added".clone_into(&mut returns.msg);
            returns.password_changed = (!sys.is_check()).then_some(true);
        }
    }
    if !sys.changes().is_empty() && !sys.is_check() {
        // Servers that read their tables once are told.
        session.query("FLUSH PRIVILEGES").map_err(|error| Failure::new(error.to_string()))?;
    }
    Ok(returns)
}

fn check_options(args: &Args) -> Result<()> {
    if let Some(salt) = &args.salt {
        if args.plugin_auth_string.is_none() {
            return Err(Failure::new("salt requires plugin_auth_string"));
        }
        if !matches!(args.plugin.as_deref(), Some("caching_sha2_password" | "sha256_password")) {
            return Err(Failure::new("salt requires caching_sha2_password or sha256_password plugin"));
        }
        if salt.expose().len() != 20 {
            return Err(Failure::new("salt must be 20 characters long"));
        }
    }
    if args.password_expire == Some(Expire::Interval) && args.password_expire_interval.is_none() {
        return Err(Failure::new("password_expire: interval needs password_expire_interval"));
    }
    // Its name stands in statements as it is.
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match args.plugin.as_deref().filter(|plugin| plugin.is_empty() || !is_name(plugin)) {
        Some(plugin) => Err(Failure::new(format!(
            "plugin: '{plugin}' is no plugin's name: letters, digits and _ make one"
        ))),
        None => Ok(()),
    }
}

/// How a user is to show who it is: the part of a statement, and what is told of it. `None` where nothing is asked.
fn identified(args: &Args, kept: Option<&Known>, mariadb: bool) -> Option<(String, String)> {
    let hidden =
        |lead: &str, value: &str| (format!(" {lead} {}", sql::text(value)), format!(" {lead} '********'"));
    let by_hash = if mariadb { "IDENTIFIED BY PASSWORD" } else { "IDENTIFIED WITH mysql_native_password AS" };
    if let Some(plugin) = &args.plugin {
        let bare = format!("IDENTIFIED WITH {plugin}");
        return Some(match (&args.plugin_hash_string, &args.plugin_auth_string) {
            (Some(hash), _) => hidden(&format!("{bare} AS"), hash.expose()),
            // In hexadecimal: the salt may be any bytes.
            (None, Some(auth)) if args.salt.is_some() => {
                let hash = known::salted(auth.expose(), args.salt.as_ref().map_or("", Secret::expose));
                let hash = hex(hash.as_bytes()).to_uppercase();
                (format!(" {bare} AS 0x{hash}"), format!(" {bare} AS '********'"))
            }
            (None, Some(auth)) if mariadb || plugin == "auth_pam" => {
                hidden(&format!("{bare} AS"), auth.expose())
            }
            (None, Some(auth)) => hidden(&format!("{bare} BY"), auth.expose()),
            (None, None) => (format!(" {bare}"), format!(" {bare}")),
        });
    }
    if let Some(kept) = kept {
        // As the others of that name do, by the same plugin.
        let with = kept.plugin.as_ref().map(|plugin| format!("IDENTIFIED WITH {}", sql::identifier(plugin)));
        return match (with, &kept.hash) {
            (Some(with), Some(hash)) => Some(hidden(&format!("{with} AS"), hash)),
            (None, Some(hash)) => Some(hidden(by_hash, hash)),
            (Some(with), None) => Some((format!(" {with}"), format!(" {with}"))),
            (None, None) => None,
        };
    }
    let password = args.password.as_ref()?.expose();
    Some(if args.encrypted { hidden(by_hash, password) } else { hidden("IDENTIFIED BY", password) })
}

fn create(
    args: &Args,
    account: &Account,
    hosts: &[String],
    session: &mut Session,
    sys: &mut System<'_>,
) -> Result<Json> {
    let attributes = account::Attributes::of(args, session)?;
    let mariadb = is_mariadb(session);
    let kept = match hosts.first() {
        Some(host) if args.update_password == UpdatePassword::OnNewUsername => {
            let other = Account { host: host.clone(), ..account.clone() };
            Some(Known::read(&other, session)?)
        }
        _ => None,
    };
    let (mut statement, mut told) =
        (format!("CREATE USER {}", account.sql()), format!("CREATE USER {}", account.sql()));
    if let Some((part, shown)) = identified(args, kept.as_ref(), mariadb) {
        statement.push_str(&part);
        told.push_str(&shown);
    }
    let required = args.tls_requires.as_ref().filter(|tls| !tls.is_empty());
    if let Some(part) = required.map(known::required).transpose()? {
        statement.push_str(&part);
        told.push_str(&part);
    }
    change(session, &statement, &told, sys)?;
    if let Some(part) = account::expires(args, None) {
        let statement = format!("ALTER USER {}{part}", account.sql());
        change(session, &statement, &statement, sys)?;
    }
    if let Some(wanted) = privileges(args.r#priv.as_ref(), args.column_case_sensitive)? {
        for (on, names) in wanted.iter().filter(|(_, names)| *names != ["USAGE"]) {
            grants::grant(session, account, on, names, sys)?;
        }
    }
    if let Some(part) = limits(args, None)? {
        let statement = format!("ALTER USER {}{part}", account.sql());
        change(session, &statement, &statement, sys)?;
    }
    if args.locked == Some(true) {
        let statement = format!("ALTER USER {} ACCOUNT LOCK", account.sql());
        change(session, &statement, &statement, sys)?;
    }
    match attributes {
        Some(attributes) => attributes.create(account, session, sys),
        None => Ok(Json::Null),
    }
}

fn update(
    args: &Args,
    account: &Account,
    returns: &mut Returns,
    session: &mut Session,
    sys: &mut System<'_>,
) -> Result<()> {
    let mariadb = is_mariadb(session);
    let known = Known::read(account, session)?;
    if returns.msg.is_empty() {
        "User unchanged".clone_into(&mut returns.msg);
    }
    if args.update_password == UpdatePassword::Always
        && differs(args, account, &known, sys)?
        && let Some((part, shown)) = identified(args, None, mariadb)
    {
        let user = account.sql();
        change(session, &format!("ALTER USER {user}{part}"), &format!("ALTER USER {user}{shown}"), sys)?;
        returns.password_changed = Some(true);
        "Password updated (new style)".clone_into(&mut returns.msg);
    }
    let rules = if args.locked.is_some() || args.password_expire.is_some() {
        Some(account::Rules::read(account, &known, session)?)
    } else {
        None
    };
    if let Some(rules) = &rules
        && let Some(part) = account::expires(args, Some(rules))
    {
        let statement = format!("ALTER USER {}{part}", account.sql());
        change(session, &statement, &statement, sys)?;
        returns.password_changed = Some(true);
    }
    if let Some(wanted) = privileges(args.r#priv.as_ref(), args.column_case_sensitive)?
        && let Some(msg) = grants::ensure(args, account, &wanted, session, sys)?
    {
        returns.msg = msg;
    }
    if let Some(attributes) = account::Attributes::of(args, session)? {
        attributes.ensure(account, returns, session, sys)?;
    } else if !mariadb {
        returns.attributes = account::attributes(account, session)?;
    }
    if let (Some(rules), Some(locked)) = (&rules, args.locked)
        && rules.locked != locked
    {
        let (word, done) = if locked { ("LOCK", "locked") } else { ("UNLOCK", "unlocked") };
        let statement = format!("ALTER USER {} ACCOUNT {word}", account.sql());
        change(session, &statement, &statement, sys)?;
        returns.msg = format!("User {}{done}", if sys.is_check() { "will be " } else { "" });
    }
    if let Some(wanted) = &args.tls_requires
        && !known.requires(wanted)?
    {
        let statement = format!("ALTER USER {}{}", account.sql(), known::required(wanted)?);
        change(session, &statement, &statement, sys)?;
        "TLS requires updated".clone_into(&mut returns.msg);
    }
    if let Some(part) = limits(args, Some(&known))? {
        let statement = format!("ALTER USER {}{part}", account.sql());
        change(session, &statement, &statement, sys)?;
    }
    Ok(())
}

/// Whether how the user shows who it is, is not what is asked for.
fn differs(args: &Args, account: &Account, known: &Known, sys: &mut System<'_>) -> Result<bool> {
    if let Some(plugin) = &args.plugin {
        let hash = args.plugin_hash_string.as_ref().map(Secret::expose);
        let auth = args.plugin_auth_string.as_ref().map(Secret::expose);
        let same_hash = hash.is_none_or(|hash| known.hash.as_deref() == Some(hash));
        let same_auth = auth.is_none_or(|auth| {
            if let Some(salt) = &args.salt {
                return known.hash.as_deref() == Some(&known::salted(auth, salt.expose()));
            }
            known.hash.as_deref() == Some(auth) || known.hash.as_deref() == Some(&hashed(auth))
        });
        return Ok(known.plugin.as_deref() != Some(plugin) || !same_hash || !same_auth);
    }
    let Some(password) = args.password.as_ref().map(Secret::expose) else { return Ok(false) };
    let kept = known.hash.as_deref().unwrap_or_default();
    if args.encrypted {
        return Ok(kept != password);
    }
    if kept.starts_with("$A$") {
        // A hash that is slow on purpose: the server tells whether the password is the one.
        return Ok(!args.login.lets_in(&account.name, &account.host, password, sys)?);
    }
    Ok(if password.is_empty() { !kept.is_empty() } else { kept != hashed(password) })
}

/// The part of a statement about limits that are others. `None` where there are none.
fn limits(args: &Args, known: Option<&Known>) -> Result<Option<String>> {
    let mut part = String::new();
    for (name, value) in args.resource_limits.iter().flatten() {
        let name = name.to_uppercase();
        if !known::LIMITS.iter().any(|(limit, _)| *limit == name) {
            return Err(Failure::new(format!("resource_limits: {name} is not known")));
        }
        let wanted: u64 = value
            .as_u64()
            .or_else(|| value.as_str()?.parse().ok())
            .ok_or_else(|| Failure::new(format!("Can't convert value '{value}' to integer.")))?;
        if known.is_none_or(|known| known.limit(&name) != Some(wanted)) {
            part.extend([" ", &name, " ", &wanted.to_string()]);
        }
    }
    Ok((!part.is_empty()).then(|| format!(" WITH{part}")))
}
