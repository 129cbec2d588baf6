//! What the modules of MySQL and MariaDB share: the way to the server, in its own protocol.

pub mod sql;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

pub use self::wire::{Answer, ServerError, Session};
use crate::kit::host::Peer;
use crate::kit::{Failure, FilePath, Result, Secret, System};

/// How to reach the server.
#[derive(Clone, Deserialize, JsonSchema)]
pub struct Login {
    /// Who logs in; else whom the file of the client names, else who runs the task.
    #[serde(rename = "login_user")]
    user: Option<String>,
    /// The password of who logs in.
    #[serde(rename = "login_password")]
    password: Option<Secret>,
    /// The server's host; `localhost` is its socket, where one is known.
    #[serde(default = "localhost", rename = "login_host")]
    host: String,
    /// The server's port.
    #[serde(default = "port", rename = "login_port")]
    port: u16,
    /// The server's socket.
    #[serde(rename = "login_unix_socket")]
    socket: Option<String>,
    /// The client's file, for user, password, host, port and socket that are not given.
    #[serde(default = "my_cnf")]
    config_file: FilePath,
    /// How many seconds to wait for the server.
    #[serde(default = "thirty")]
    connect_timeout: u64,
    /// Not supported: connections are not encrypted.
    #[schemars(extend("aliases" = ["ssl_ca"]))]
    ca_cert: Option<FilePath>,
    /// Not supported: connections are not encrypted.
    #[schemars(extend("aliases" = ["ssl_cert"]))]
    client_cert: Option<FilePath>,
    /// Not supported: connections are not encrypted.
    #[schemars(extend("aliases" = ["ssl_key"]))]
    client_key: Option<FilePath>,
    /// Not supported: connections are not encrypted.
    check_hostname: Option<bool>,
}

fn localhost() -> String {
    "localhost".to_owned()
}

fn port() -> u16 {
    3306
}

fn my_cnf() -> FilePath {
    FilePath::from("")
}

fn thirty() -> u64 {
    30
}

/// Where servers keep their sockets.
const SOCKETS: [&str; 4] = [
    "/run/mysqld/mysqld.sock",
    "/var/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",
];

/// Where to, and who: options, then the client's file.
struct Found {
    user: String,
    password: String,
    host: String,
    port: u16,
    socket: Option<String>,
}

impl Login {
    /// A session on that database, or on none.
    pub fn open(&self, database: Option<&str>, sys: &mut System<'_>) -> Result<Session> {
        self.open_as(None, database, sys)
    }

    /// As [`Login::open`]; with `check_implicit_admin` first as root without a password.
    pub fn open_implicit(
        &self,
        implicit: bool,
        database: Option<&str>,
        sys: &mut System<'_>,
    ) -> Result<Session> {
        if implicit && let Ok(session) = self.open_as(Some(("root", "")), database, sys) {
            return Ok(session);
        }
        self.open_as(None, database, sys)
    }

    fn open_as(
        &self,
        who: Option<(&str, &str)>,
        database: Option<&str>,
        sys: &mut System<'_>,
    ) -> Result<Session> {
        self.check_supported()?;
        let found = self.find(sys)?;
        let (user, password) = who.unwrap_or((&found.user, &found.password));
        let timeout = Duration::from_secs(self.connect_timeout);
        let file = self.file(sys)?;
        let failed = |why: String| {
            Failure::new(format!(
                "unable to connect to database, check login_user and login_password are correct or {} has the \
                 credentials. Exception message: {why}",
                file.display()
            ))
        };
        let socket = match (&found.socket, found.host.as_str()) {
            (Some(socket), _) => Some(PathBuf::from(socket)),
            (None, "localhost") => {
                let there = |path: &&str| matches!(sys.stat(Path::new(path)), Ok(Some(_)));
                SOCKETS.iter().copied().find(there).map(PathBuf::from)
            }
            (None, _) => None,
        };
        let is_local = socket.is_some();
        let stream = match &socket {
            Some(socket) => sys.connect(&Peer::Unix(socket), timeout),
            None => sys.connect(&Peer::Tcp { host: &found.host, port: found.port }, timeout),
        };
        let stream = stream.map_err(|failure| {
            let to = if is_local { "localhost" } else { &found.host };
            failed(format!("(2003, \"Can't connect to MySQL server on '{to}' ({})\")", failure.msg))
        })?;
        let who = wire::Who { user, password, database, is_local };
        Session::open(stream, &who).map_err(|error| failed(error.to_string()))
    }

    /// Whether the server lets that user in with that password.
    pub fn lets_in(&self, user: &str, password: &str, sys: &mut System<'_>) -> bool {
        self.open_as(Some((user, password)), None, sys).is_ok()
    }

    fn check_supported(&self) -> Result<()> {
        let given = [
            ("ca_cert", self.ca_cert.is_some()),
            ("client_cert", self.client_cert.is_some()),
            ("client_key", self.client_key.is_some()),
            ("check_hostname", self.check_hostname.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(Failure::new(format!(
                "{option} is not supported: connections to MySQL are not encrypted"
            ))),
            None => Ok(()),
        }
    }

    fn file(&self, sys: &System<'_>) -> Result<PathBuf> {
        if self.config_file.as_os_str().is_empty() {
            return Ok(PathBuf::from(sys.expand("~/.my.cnf")?));
        }
        Ok(self.config_file.0.clone())
    }

    fn find(&self, sys: &System<'_>) -> Result<Found> {
        let text = sys.read_text_if_there(&self.file(sys)?)?.unwrap_or_default();
        let file = client_section(&text);
        let of_file =
            |name: &str| file.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let me = || {
            let (uid, _) = sys.identity();
            Ok::<_, Failure>(sys.user_by_id(uid)?.map(|user| user.name).unwrap_or_default())
        };
        let user = match self.user.clone().or_else(|| of_file("user")) {
            Some(user) => user,
            None => me()?,
        };
        let password = self.password.as_ref().map(|password| password.expose().to_owned());
        let host = if self.host == "localhost" {
            of_file("host").unwrap_or_else(localhost)
        } else {
            self.host.clone()
        };
        let port = match of_file("port").and_then(|port| port.parse().ok()) {
            Some(port) if self.port == 3306 => port,
            _ => self.port,
        };
        Ok(Found {
            user,
            password: password.or_else(|| of_file("password")).unwrap_or_default(),
            host,
            port,
            socket: self.socket.clone().or_else(|| of_file("socket")),
        })
    }

    /// A file for the client's programs, which says who and where. For its owner alone; discard it.
    pub fn client_file(&self, sys: &mut System<'_>) -> Result<PathBuf> {
        let found = self.find(sys)?;
        // A line's end within would begin a setting of its own.
        let quoted = |text: &str| {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{}\"", text.replace('\n', "\\n").replace('\r', "\\r"))
        };
        let mut text =
            format!("[client]\nuser={}\npassword={}\n", quoted(&found.user), quoted(&found.password));
        if let Some(socket) = &found.socket {
            text.extend(["socket=", &quoted(socket), "\n"]);
        } else {
            let port = found.port.to_string();
            text.extend(["host=", &quoted(&found.host), "\nport=", &port, "\n"]);
        }
        let path = sys.scratch(None);
        sys.spool(&path, 0o600, &mut text.as_bytes())?;
        Ok(path)
    }
}

/// The `[client]` part of a file.
fn client_section(text: &str) -> Vec<(String, String)> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = name == "client";
        } else if inside && !line.starts_with(['#', ';', '!']) {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            let value = value.trim();
            let bare = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            found.push((name.trim().to_owned(), bare.unwrap_or(value).to_owned()));
        }
    }
    found
}

/// Variables of the session, set at its beginning.
pub fn set_session(variables: Option<&Map<String, Json>>, session: &mut Session) -> Result<()> {
    for (name, value) in variables.into_iter().flatten() {
        session
            .query(&format!("SET SESSION {} = {}", sql::identifier(name), sql::value(value)))
            .map_err(|error| Failure::new(format!("session_vars: {error}")))?;
    }
    Ok(())
}

/// Whether the server is MariaDB, and its version.
pub fn is_mariadb(session: &Session) -> bool {
    session.version.to_lowercase().contains("mariadb")
}

#[cfg(test)]
mod tests {
    use super::client_section;

    #[test]
    fn the_clients_file_says_who() {
        let text = "[mysqld]\nuser=x\n[client]\n# no\nuser = \"root\"\npassword='a=b'\n";
        let expected = [("user", "root"), ("password", "a=b")];
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(client_section(text), expected);
    }
}
