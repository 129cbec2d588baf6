//! What the modules of PostgreSQL share: the way to the server, in its own protocol.

mod auth;
pub mod sql;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

pub use self::wire::Session;
use crate::command::yes;
use crate::kit::host::Peer;
use crate::kit::{Failure, FilePath, Result, Secret, System};

/// How to reach the server.
#[derive(Clone, Deserialize, JsonSchema)]
pub struct Login {
    /// The server's host; without one its socket on this machine.
    #[serde(default, rename = "login_host")]
    #[schemars(extend("aliases" = ["host"]))]
    host: String,
    /// The server's port.
    #[serde(default = "port", rename = "login_port")]
    #[schemars(extend("aliases" = ["port"]))]
    port: u16,
    /// The directory of the server's socket, or the socket itself.
    #[serde(default, rename = "login_unix_socket")]
    #[schemars(extend("aliases" = ["unix_socket"]))]
    socket: String,
    /// Who logs in.
    #[serde(default = "postgres", rename = "login_user")]
    #[schemars(extend("aliases" = ["login"]))]
    user: String,
    /// The password of who logs in.
    #[serde(rename = "login_password")]
    password: Option<Secret>,
    /// The role to take on then.
    pub session_role: Option<String>,
    /// Whether names are taken as they are; else such that look like an attack are errors.
    #[serde(default = "yes")]
    pub trust_input: bool,
    /// Whether the connection is encrypted. Such that must be are not supported.
    #[serde(default)]
    ssl_mode: SslMode,
    /// Not supported: connections are not encrypted.
    #[schemars(extend("aliases" = ["ssl_rootcert"]))]
    ca_cert: Option<String>,
    /// Not supported: connections are not encrypted.
    ssl_cert: Option<FilePath>,
    /// Not supported: connections are not encrypted.
    ssl_key: Option<FilePath>,
    /// More parameters of the connection: `connect_timeout`, `application_name`, `options`; others are not supported.
    #[serde(default)]
    connect_params: Map<String, Json>,
}

fn port() -> u16 {
    5432
}

fn postgres() -> String {
    "postgres".to_owned()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    Allow,
    Disable,
    #[default]
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Where servers keep their sockets.
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

impl Login {
    /// A session on that database.
    pub fn open(&self, database: &str, sys: &mut System<'_>) -> Result<Session> {
        let failed = |why: String| Failure::new(format!("unable to connect to database: {why}"));
        self.check_supported()?;
        let mut parameters = vec![("user", self.user.clone()), ("database", database.to_owned())];
        let mut timeout = 30;
        for (name, value) in &self.connect_params {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match name.as_str() {
                "connect_timeout" => {
                    timeout = value.parse().map_err(|_| failed(format!("bad connect_timeout: {value}")))?;
                }
                "application_name" => parameters.push(("application_name", value)),
                "options" => parameters.push(("options", value)),
                other => return Err(Failure::new(format!("connect_params: {other} is not supported"))),
            }
        }
        let timeout = Duration::from_secs(timeout);
        let local = self.host.is_empty() || (self.host == "localhost" && !self.socket.is_empty());
        let stream = if local || self.host.starts_with('/') {
            let socket = self.socket_path(sys)?;
            sys.connect(&Peer::Unix(&socket), timeout)
        } else {
            sys.connect(&Peer::Tcp { host: &self.host, port: self.port }, timeout)
        };
        let stream = stream.map_err(|failure| failed(failure.msg))?;
        let password = self.password.as_ref().map(Secret::expose).filter(|password| !password.is_empty());
        let nonce = sys.unique();
        let mut session = Session::open(stream, &parameters, &self.user, password, &nonce).map_err(failed)?;
        if let Some(role) = &self.session_role {
            self.check_input(&[role])?;
            session
                .query(&format!("SET ROLE {}", sql::identifier(role)))
                .map_err(|error| Failure::new(format!("Could not switch role: {error}")))?;
        }
        Ok(session)
    }

    /// The same for the programs that come with the server: they read their environment.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let host = if self.socket.is_empty() { &self.host } else { &self.socket };
        let mut environment = vec![("PGUSER", self.user.clone()), ("PGPORT", self.port.to_string())];
        if !host.is_empty() {
            environment.push(("PGHOST", host.clone()));
        }
        if let Some(password) =
            self.password.as_ref().map(Secret::expose).filter(|password| !password.is_empty())
        {
            environment.push(("PGPASSWORD", password.to_owned()));
        }
        environment
    }

    fn check_supported(&self) -> Result<()> {
        let encrypted = matches!(self.ssl_mode, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull);
        let given = [
            ("ssl_mode", encrypted),
            ("ca_cert", self.ca_cert.is_some()),
            ("ssl_cert", self.ssl_cert.is_some()),
            ("ssl_key", self.ssl_key.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(Failure::new(format!(
                "{option} is not supported: connections to PostgreSQL are not encrypted"
            ))),
            None => Ok(()),
        }
    }

    fn socket_path(&self, sys: &System<'_>) -> Result<PathBuf> {
        let given = [&self.socket, &self.host].into_iter().find(|path| path.starts_with('/'));
        let name = format!(".s.PGSQL.{}", self.port);
        if let Some(given) = given {
            let path = Path::new(given);
            return Ok(if sys.is_dir(path)? { path.join(name) } else { path.to_owned() });
        }
        for dir in SOCKETS {
            let path = Path::new(dir).join(&name);
            if sys.stat(&path)?.is_some() {
                return Ok(path);
            }
        }
        Ok(Path::new(SOCKETS.first().copied().unwrap_or_default()).join(name))
    }

    /// With `trust_input: false`: whether nothing looks as if it were more than a name.
    pub fn check_input<T: AsRef<str>>(&self, names: &[T]) -> Result<()> {
        if self.trust_input {
            return Ok(());
        }
        let suspicious = |name: &&T| {
            let lower = name.as_ref().to_lowercase();
            let follows = lower.split_once('"').is_some_and(|(_, rest)| rest.contains(';'));
            lower.contains("--")
                || lower.contains("/*")
                || follows
                || lower.contains("';")
                || lower.contains("union select")
        };
        let bad: Vec<&str> = names.iter().filter(suspicious).map(AsRef::as_ref).collect();
        if bad.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "Passed input '{}' is potentially dangerous; trust_input: true would take it",
            bad.join(", ")
        )))
    }
}

/// Whether what a server keeps of a role is that password, or is the hash that was given for one.
pub fn is_kept(kept: &str, user: &str, password: &str) -> bool {
    kept == password
        || kept == auth::kept_md5(user, password)
        || auth::is_kept_scram(kept, password).unwrap_or(false)
}

/// Statements that change something, run or, in check mode, told.
pub struct Changes<'s> {
    pub session: &'s mut Session,
    /// As results have them: without passwords.
    pub statements: Vec<String>,
}

impl<'s> Changes<'s> {
    pub fn of(session: &'s mut Session) -> Self {
        Self { session, statements: Vec::new() }
    }

    pub fn run(&mut self, statement: &str, sys: &mut System<'_>) -> Result<()> {
        self.run_told(statement, statement, sys)
    }

    /// `told` is what results have of it.
    pub fn run_told(&mut self, statement: &str, told: &str, sys: &mut System<'_>) -> Result<()> {
        if !sys.is_check() {
            self.session
                .query(statement)
                .map_err(|error| Failure::new(format!("Cannot execute SQL '{told}': {error}")))?;
        }
        sys.count_as_change(told.to_owned());
        self.statements.push(told.to_owned());
        Ok(())
    }
}

impl From<wire::ServerError> for Failure {
    fn from(error: wire::ServerError) -> Self {
        Self::new(error.to_string())
    }
}
