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
use crate::kit::host::{Connection, Peer};
use crate::kit::tls::{Tls, Trust};
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
    /// Whether the connection is encrypted, and who the server has to be. The target's `openssl` does it.
    #[serde(default)]
    ssl_mode: SslMode,
    /// The file of who may vouch for the server, on the target.
    #[schemars(extend("aliases" = ["ssl_rootcert"]))]
    ca_cert: Option<FilePath>,
    /// The file of a certificate that shows who logs in.
    ssl_cert: Option<FilePath>,
    /// The file of its key.
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

/// What a connection is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encryption {
    No,
    /// Where the server offers it, and there is a program for it.
    Maybe,
    Yes,
}

impl SslMode {
    /// What is tried, one after the other.
    fn wishes(self) -> &'static [Encryption] {
        match self {
            Self::Disable => &[Encryption::No],
            Self::Allow => &[Encryption::No, Encryption::Yes],
            Self::Prefer => &[Encryption::Maybe, Encryption::No],
            Self::Require | Self::VerifyCa | Self::VerifyFull => &[Encryption::Yes],
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// SQLSTATE of a server that has no rule for such a connection.
const NOT_THIS_WAY: &str = "28000";

/// Where servers keep their sockets.
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];
/// What the port follows in a socket's name.
const SOCKET: &str = ".s.PGSQL.";
/// How many seconds to wait for the server.
const PATIENCE: u64 = 30;

impl Login {
    /// The database that is meant; without one that of the user's name, as everywhere in PostgreSQL.
    pub fn database<'a>(&'a self, given: Option<&'a str>) -> &'a str {
        given.filter(|name| !name.is_empty()).unwrap_or(&self.user)
    }

    /// A session on that database.
    pub fn open(&self, database: &str, sys: &mut System<'_>) -> Result<Session> {
        let (timeout, more) = self.parameters()?;
        let mut parameters = vec![
            ("user", self.user.clone()),
            ("database", database.to_owned()),
            ("client_encoding", "UTF8".to_owned()),
        ];
        parameters.extend(more);
        let mut session = self.log_in(&parameters, Duration::from_secs(timeout), sys)?;
        if let Some(role) = &self.session_role {
            self.check_input(&[role])?;
            session
                .query(&format!("SET ROLE {}", sql::identifier(role)))
                .map_err(|error| Failure::new(format!("Could not switch role: {error}")))?;
        }
        Ok(session)
    }

    fn log_in(
        &self,
        parameters: &[(&str, String)],
        timeout: Duration,
        sys: &mut System<'_>,
    ) -> Result<Session> {
        let failed = |why: String| Failure::new(format!("unable to connect to database: {why}"));
        let nonce = sys.unique();
        let who = |is_private| wire::Who {
            user: &self.user,
            password: self.password(),
            is_private,
            nonce: &nonce,
            timeout,
        };
        if let Some(socket) = self.socket(sys)? {
            let stream = sys.connect(&Peer::Unix(&socket), timeout).map_err(|failure| failed(failure.msg))?;
            return Session::open(stream, parameters, &who(true)).map_err(|error| failed(error.to_string()));
        }
        let mut refused = None;
        for wish in self.ssl_mode.wishes() {
            let (stream, is_encrypted) = match self.connect(*wish, timeout, sys) {
                Ok(found) => found,
                Err(failure) => return Err(refused.unwrap_or_else(|| failed(failure.msg))),
            };
            match Session::open(stream, parameters, &who(is_encrypted)) {
                Ok(session) => return Ok(session),
                // It may let in who comes the other way.
                Err(error) if error.code == NOT_THIS_WAY && self.ca_cert.is_none() => {
                    refused.get_or_insert(failed(error.to_string()));
                }
                Err(error) => return Err(failed(error.to_string())),
            }
        }
        Err(refused.unwrap_or_else(|| failed("there is no way to it".to_owned())))
    }

    /// A connection by TCP, and whether it is encrypted.
    fn connect(
        &self,
        wish: Encryption,
        timeout: Duration,
        sys: &mut System<'_>,
    ) -> Result<(Box<dyn Connection>, bool)> {
        let peer = Peer::Tcp { host: &self.host, port: self.port };
        let mut stream = sys.connect(&peer, timeout)?;
        if wish == Encryption::No || (wish == Encryption::Maybe && sys.which("openssl").is_none()) {
            return Ok((stream, false));
        }
        match wire::offers_encryption(&mut *stream, timeout) {
            Ok(true) => Ok((self.tls(sys)?.encrypt(stream, sys)?, true)),
            Ok(false) if wish == Encryption::Maybe => Ok((stream, false)),
            Ok(false) => Err(Failure::new("server does not support SSL, but SSL was required")),
            Err(error) => Err(Failure::new(error.to_string())),
        }
    }

    fn tls(&self, sys: &System<'_>) -> Result<Tls> {
        let file = |file: &Option<FilePath>| file.as_ref().map(|file| file.0.clone());
        let mut authorities = file(&self.ca_cert);
        if authorities.is_none() && matches!(self.ssl_mode, SslMode::VerifyCa | SslMode::VerifyFull) {
            authorities = Some(PathBuf::from(sys.expand("~/.postgresql/root.crt")?));
        }
        Ok(Tls {
            host: self.host.clone(),
            trust: Trust::of(authorities),
            name: (self.ssl_mode == SslMode::VerifyFull).then(|| self.host.clone()),
            certificate: file(&self.ssl_cert),
            key: file(&self.ssl_key),
        })
    }

    /// The same for the programs that come with the server: they read their environment.
    pub fn environment(&self, sys: &System<'_>) -> Result<Vec<(&'static str, String)>> {
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
        if self.ssl_mode != SslMode::default() {
            environment.push(("PGSSLMODE", self.ssl_mode.word().to_owned()));
        }
        let files =
            [("PGSSLROOTCERT", &self.ca_cert), ("PGSSLCERT", &self.ssl_cert), ("PGSSLKEY", &self.ssl_key)];
        for (name, file) in files {
            environment.extend(file.as_ref().map(|file| (name, file.text().into_owned())));
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

    /// A server that answers the question for encryption so, then lets in.
    fn asked(answer: u8) -> Trial {
        let trial = Trial::of("postgresql_query");
        trial.host.program("/usr/bin/openssl").file("/ca", "").file("/root/.postgresql/root.crt", "");
        let mut stream = [vec![answer], message(b'R', &[0; 4]), message(b'Z', b"I")].concat();
        for _ in 0..3 {
            stream.extend([message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat());
        }
        trial.host.serve(5432, move |_| stream.clone());
        trial
    }

    #[test]
    fn connections_are_encrypted_as_asked() {
        let openssl = "/usr/bin/openssl s_client -quiet -pass pass: -servername db";
        for (mut args, ran) in [
            (serde_json::json!({}), String::new()),
            (serde_json::json!({"ssl_mode": "require"}), String::new()),
            (
                serde_json::json!({"ssl_mode": "verify-ca"}),
                " -verify_return_error -verify 32 -no-CApath -CAfile /root/.postgresql/root.crt".to_owned(),
            ),
            (
                serde_json::json!({"ssl_mode": "verify-full", "ca_cert": "/ca"}),
                " -verify_return_error -verify 32 -no-CApath -CAfile /ca -verify_hostname db".to_owned(),
            ),
        ] {
            let trial = asked(b'S');
            (args["login_host"], args["query"]) = ("db".into(), "…".into());
            assert_eq!(trial.run(&args)["failed"], Json::Null, "{args}");
            assert_eq!(trial.host.ran(), [format!("{openssl}{ran}")], "{args}");
        }
        let run = |trial: &Trial, mode: &str| {
            trial.run(&serde_json::json!({"login_host": "db", "ssl_mode": mode, "query": "…"}))
        };
        assert_eq!(run(&asked(b'N'), "prefer")["failed"], Json::Null);
        let refused = run(&asked(b'N'), "require")["msg"].as_str().unwrap().to_owned();
        assert!(refused.ends_with("server does not support SSL, but SSL was required"), "{refused}");
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
