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
/// What the port follows in a socket's name.
const SOCKET: &str = ".s.PGSQL.";
/// How many seconds to wait for the server.
const PATIENCE: u64 = 30;

impl Login {
    /// A session on that database.
    pub fn open(&self, database: &str, sys: &mut System<'_>) -> Result<Session> {
        let failed = |why: String| Failure::new(format!("unable to connect to database: {why}"));
        self.check_supported()?;
        let (timeout, more) = self.parameters()?;
        let mut parameters = vec![
            ("user", self.user.clone()),
            ("database", database.to_owned()),
            ("client_encoding", "UTF8".to_owned()),
        ];
        parameters.extend(more);
        let timeout = Duration::from_secs(timeout);
        let socket = self.socket(sys)?;
        let stream = match &socket {
            Some(socket) => sys.connect(&Peer::Unix(socket), timeout),
            None => sys.connect(&Peer::Tcp { host: &self.host, port: self.port }, timeout),
        };
        let stream = stream.map_err(|failure| failed(failure.msg))?;
        let who = wire::Who {
            user: &self.user,
            password: self.password(),
            is_local: socket.is_some(),
            nonce: &sys.unique(),
            timeout,
        };
        let mut session = Session::open(stream, &parameters, &who).map_err(failed)?;
        if let Some(role) = &self.session_role {
            self.check_input(&[role])?;
            session
                .query(&format!("SET ROLE {}", sql::identifier(role)))
                .map_err(|error| Failure::new(format!("Could not switch role: {error}")))?;
        }
        Ok(session)
    }

    /// The same for the programs that come with the server: they read their environment.
    pub fn environment(&self, sys: &System<'_>) -> Result<Vec<(&'static str, String)>> {
        self.check_supported()?;
        let (timeout, more) = self.parameters()?;
        let mut environment = vec![("PGUSER", self.user.clone()), ("PGCONNECT_TIMEOUT", timeout.to_string())];
        match self.socket(sys)? {
            // They know a socket by its directory and its port.
            Some(socket) => {
                let name = socket.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let port = name.strip_prefix(SOCKET).ok_or_else(|| {
                    Failure::new(format!(
                        "{} is no socket of PostgreSQL: it is not named {SOCKET}PORT",
                        socket.display()
                    ))
                })?;
                let dir = socket.parent().unwrap_or(&socket).to_string_lossy().into_owned();
                environment.extend([("PGHOST", dir), ("PGPORT", port.to_owned())]);
            }
            None => environment.extend([("PGHOST", self.host.clone()), ("PGPORT", self.port.to_string())]),
        }
        for (name, value) in more {
            environment.push((if name == "options" { "PGOPTIONS" } else { "PGAPPNAME" }, value));
        }
        if let Some(password) = self.password() {
            environment.push(("PGPASSWORD", password.to_owned()));
        }
        Ok(environment)
    }

    fn password(&self) -> Option<&str> {
        self.password.as_ref().map(Secret::expose).filter(|password| !password.is_empty())
    }

    /// How many seconds to wait, and what the server is told at once.
    fn parameters(&self) -> Result<(u64, Vec<(&'static str, String)>)> {
        let (mut timeout, mut told) = (PATIENCE, Vec::new());
        for (name, value) in &self.connect_params {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match name.as_str() {
                "connect_timeout" => {
                    let bad = |_| Failure::new(format!("connect_params: bad connect_timeout: {value}"));
                    timeout =
                        Some(value.parse().map_err(bad)?).filter(|given| *given > 0).unwrap_or(PATIENCE);
                }
                "application_name" => told.push(("application_name", value)),
                "options" => told.push(("options", value)),
                other => return Err(Failure::new(format!("connect_params: {other} is not supported"))),
            }
        }
        Ok((timeout, told))
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

    /// The server's socket; `None` where it is reached by TCP.
    fn socket(&self, sys: &System<'_>) -> Result<Option<PathBuf>> {
        let local = self.host.is_empty() || (self.host == "localhost" && !self.socket.is_empty());
        if !local && !self.host.starts_with('/') {
            return Ok(None);
        }
        let given = [&self.socket, &self.host].into_iter().find(|path| path.starts_with('/'));
        let name = format!("{SOCKET}{}", self.port);
        if let Some(given) = given {
            let path = Path::new(given);
            return Ok(Some(if sys.is_dir(path)? { path.join(name) } else { path.to_owned() }));
        }
        for dir in SOCKETS {
            let path = Path::new(dir).join(&name);
            if sys.stat(&path)?.is_some() {
                return Ok(Some(path));
            }
        }
        Ok(Some(Path::new(SOCKETS.first().copied().unwrap_or_default()).join(name)))
    }

    /// With `trust_input: false`: whether nothing looks as if it were more than a name.
    pub fn check_input<T: AsRef<str>>(&self, names: &[T]) -> Result<()> {
        if self.trust_input {
            return Ok(());
        }
        let suspicious = |name: &&T| {
            let lower = name.as_ref().to_lowercase();
            let next = |rest: &str| VERBS.iter().any(|verb| rest.trim_start().starts_with(verb));
            let is_torn = lower.matches('"').count() % 2 == 1;
            let follows = lower.split_once('"').is_some_and(|(_, rest)| rest.contains(';'));
            is_torn
                || follows
                || lower.contains("--")
                || lower.contains("/*")
                || lower.contains("';")
                || lower.contains("union select")
                || lower.split(';').skip(1).any(next)
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

/// What a second statement starts with.
const VERBS: [&str; 9] =
    ["alter", "create", "delete", "drop", "exec", "insert", "select", "truncate", "update"];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::memory::Memory;
    use crate::kit::system::Wishes;
    use crate::kit::trial::{Deaf, Trial};

    fn environment(login: &Json, host: &Memory) -> Result<String> {
        let login: Login = serde_json::from_value(login.clone()).unwrap();
        let mut deaf = Deaf;
        let sys = System::new(&**host, &mut deaf, Wishes::default());
        let pairs = login.environment(&sys)?;
        Ok(pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn programs_go_where_sessions_go() {
        let host = Memory::new();
        host.file("/tmp/.s.PGSQL.5433", "").dir("/run/pg");
        for (login, expected) in [
            (serde_json::json!({"login_port": 5433}), "PGHOST=/tmp PGPORT=5433"),
            (
                serde_json::json!({"login_host": "db", "login_unix_socket": "/run/pg"}),
                "PGHOST=db PGPORT=5432",
            ),
            (serde_json::json!({"login_unix_socket": "/run/pg"}), "PGHOST=/run/pg PGPORT=5432"),
            (serde_json::json!({"login_unix_socket": "/tmp/.s.PGSQL.5433"}), "PGHOST=/tmp PGPORT=5433"),
            (
                serde_json::json!({"login_host": "db", "connect_params": {"application_name": "a"}}),
                "PGHOST=db PGPORT=5432 PGAPPNAME=a",
            ),
        ] {
            let lead = "PGUSER=postgres PGCONNECT_TIMEOUT=30";
            assert_eq!(environment(&login, &host).unwrap(), format!("{lead} {expected}"), "{login}");
        }
        let unknown = serde_json::json!({"connect_params": {"sslcrl": "x"}});
        assert!(environment(&unknown, &host).unwrap_err().msg.contains("sslcrl is not supported"));
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind], &u32::try_from(body.len() + 4).unwrap().to_be_bytes()[..], body].concat()
    }

    /// A server that lets everybody in and says that, one answer after the other.
    fn server(answers: &[(&[&str], u8)]) -> Trial {
        let mut stream = [message(b'R', &[0; 4]), message(b'Z', b"I")].concat();
        for (tags, status) in answers {
            for tag in *tags {
                stream.extend(message(b'C', format!("{tag}\0").as_bytes()));
            }
            stream.extend(message(b'Z', &[*status]));
        }
        let trial = Trial::of("postgresql_query");
        trial.host.serve(5432, move |_| stream.clone());
        trial
    }

    #[test]
    fn a_check_takes_all_back_or_fails() {
        let args = serde_json::json!({"login_host": "db", "query": "…"});
        let begun: (&[&str], u8) = (&["BEGIN"], b'T');
        for (tags, status, taken_back) in [
            (&["INSERT 0 1", "SELECT 1"][..], b'T', true),
            (&["INSERT 0 1", "COMMIT"], b'I', false),
            (&["INSERT 0 1", "COMMIT", "BEGIN"], b'T', false),
        ] {
            let got = server(&[begun, (tags, status), (&["ROLLBACK"], b'I')]).check(&args);
            assert_eq!(got.get("failed").is_none(), taken_back, "{got}");
            // The last tag is none of a change.
            assert_eq!(got["changed"], Json::Bool(taken_back), "{got}");
        }
    }

    #[test]
    fn passwords_are_not_told_to_all() {
        let trial = Trial::of("postgresql_query");
        trial.host.serve(5432, |_| message(b'R', &[0, 0, 0, 3]));
        let args = serde_json::json!({"login_host": "db", "login_password": "pw", "query": "…"});
        let msg = trial.run(&args)["msg"].as_str().unwrap().to_owned();
        assert!(msg.contains("it was not sent"), "{msg}");
        // Nor does a header make us wait for what it tells of.
        trial.host.serve(5432, |_| vec![b'R', 0x3f, 0xff, 0xff, 0xff]);
        let msg = trial.run(&args)["msg"].as_str().unwrap().to_owned();
        assert!(msg.contains("that is no PostgreSQL server"), "{msg}");
        let encoding = trial.run(&serde_json::json!({"query": "…", "encoding": "LATIN1"}));
        assert!(encoding["msg"].as_str().unwrap().starts_with("encoding: LATIN1 is not supported"));
    }
}
