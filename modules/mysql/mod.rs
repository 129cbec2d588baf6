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
use crate::kit::tls::{Tls, Trust};
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
    /// The file of who may vouch for the server, on the target; the connection is encrypted then, by the target's `openssl`.
    #[schemars(extend("aliases" = ["ssl_ca"]))]
    ca_cert: Option<FilePath>,
    /// The file of a certificate that shows who logs in.
    #[schemars(extend("aliases" = ["ssl_cert"]))]
    client_cert: Option<FilePath>,
    /// The file of its key.
    #[schemars(extend("aliases" = ["ssl_key"]))]
    client_key: Option<FilePath>,
    /// Whether what `ca_cert` vouches for is `login_host`; so where it is not given.
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

/// The user is none, or the password another.
const ACCESS_DENIED: u16 = 1045;

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
    /// Who may vouch for the server, and who we are: certificate and key.
    files: [Option<PathBuf>; 3],
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
        let file = self.file(sys)?;
        self.try_as(who, database, sys)?.map_err(|error| {
            Failure::new(format!(
                "unable to connect to database, check login_user and login_password are correct or {} has the \
                 credentials. Exception message: {error}",
                file.display()
            ))
        })
    }

    /// As [`Login::open_as`]; apart from other failures what the server says, or that there is none.
    fn try_as(
        &self,
        who: Option<(&str, &str)>,
        database: Option<&str>,
        sys: &mut System<'_>,
    ) -> Result<Result<Session, ServerError>> {
        let found = self.find(sys)?;
        let (user, password) = who.unwrap_or((&found.user, &found.password));
        let timeout = Duration::from_secs(self.connect_timeout.max(1));
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
        let stream = match stream {
            Ok(stream) => stream,
            Err(failure) => {
                let to = if is_local { "localhost" } else { &found.host };
                let message = format!("Can't connect to MySQL server on '{to}' ({})", failure.msg);
                return Ok(Err(ServerError { code: 2003, message }));
            }
        };
        let who = wire::Who { user, password, database, is_private: is_local, timeout };
        let tls = if is_local { None } else { self.tls(&found, sys) };
        let Some((tls, is_needed)) = tls else { return Ok(Session::open(stream, &who, None)) };
        let mut encrypt = |stream| {
            tls.encrypt(stream, sys).map_err(|failure| ServerError { code: 2026, message: failure.msg })
        };
        Ok(Session::open(stream, &who, Some(wire::Encryption { is_needed, encrypt: &mut encrypt })))
    }

    /// Whether the server lets that user in with that password, as that account (`name@host`) and no other of the name.
    pub fn lets_in(&self, user: &str, host: &str, password: &str, sys: &mut System<'_>) -> Result<bool> {
        match self.try_as(Some((user, password)), None, sys)? {
            Ok(mut session) => {
                let answer = session.query("SELECT CURRENT_USER()");
                let answer = answer.map_err(|error| Failure::new(error.to_string()))?;
                Ok(answer.first_column() == [format!("{user}@{host}")])
            }
            Err(error) if error.code == ACCESS_DENIED => Ok(false),
            Err(error) => {
                Err(Failure::new(format!("cannot tell whether {user}@{host} has that password: {error}")))
            }
        }
    }

    /// How the connection is encrypted, and whether it has to be; `None` where there is no way.
    fn tls(&self, found: &Found, sys: &System<'_>) -> Option<(Tls, bool)> {
        let [authorities, certificate, key] = found.files.clone();
        let is_asked = self.check_hostname.is_some() || found.files.iter().any(Option::is_some);
        if !is_asked && sys.which("openssl").is_none() {
            return None;
        }
        let is_checked = authorities.is_some() && self.check_hostname != Some(false);
        let host = found.host.clone();
        let name = is_checked.then(|| host.clone());
        Some((Tls { host, trust: Trust::of(authorities), name, certificate, key }, is_asked))
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
            files: [
                ("ssl-ca", &self.ca_cert),
                ("ssl-cert", &self.client_cert),
                ("ssl-key", &self.client_key),
            ]
            .map(|(name, given)| {
                given.as_ref().map(|file| file.0.clone()).or_else(|| of_file(name).map(PathBuf::from))
            }),
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
        for (name, file) in ["ssl-ca", "ssl-cert", "ssl-key"].iter().zip(&found.files) {
            if let Some(file) = file {
                text.extend([name, "=", &quoted(&file.to_string_lossy()), "\n"]);
            }
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
    use serde_json::json;

    use super::{Login, client_section};
    use crate::kit::System;
    use crate::kit::system::Wishes;
    use crate::kit::trial::{Deaf, Trial};

    /// Packets of a server that lets in; then those.
    fn server(module: &str, answers: &[Vec<u8>]) -> Trial {
        let packet = |body: &[u8]| {
            let [a, b, c, _] = u32::try_from(body.len()).unwrap().to_le_bytes();
            [&[a, b, c, 0], body].concat()
        };
        let hello = [&b"\x0a8.0.30\0"[..], &[0; 44], b"mysql_native_password\0"].concat();
        let mut stream = [packet(&hello), packet(&done(0))].concat();
        stream.extend(answers.iter().flat_map(|body| packet(body)));
        let trial = Trial::of(module);
        trial.host.serve(3306, move |_| stream.clone());
        trial
    }

    #[test]
    fn connections_are_encrypted_where_the_server_offers_it() {
        let packet = |body: &[u8]| [&[u8::try_from(body.len()).unwrap(), 0, 0, 0], body].concat();
        let serve = |capabilities: u8| {
            let hello =
                [&b"\x0a8.0.30\0"[..], &[0; 13], &[0, capabilities], &[0; 29], b"mysql_native_password\0"];
            let stream = [packet(&hello.concat()), packet(&done(0))].concat();
            let trial = Trial::of("mysql_variables");
            trial.host.serve(3306, move |_| stream.clone()).program("/usr/bin/openssl").file("/ca", "");
            trial
        };
        let openssl = "/usr/bin/openssl s_client -quiet -pass pass: -servername db";
        let verified = "-verify_return_error -verify 32 -no-CApath -CAfile /ca";
        for (more, capabilities, ran) in [
            (json!({}), 0, vec![]),
            (json!({}), 8, vec![openssl.to_owned()]),
            (json!({"ca_cert": "/ca"}), 8, vec![format!("{openssl} {verified} -verify_hostname db")]),
            (json!({"ca_cert": "/ca", "check_hostname": false}), 8, vec![format!("{openssl} {verified}")]),
        ] {
            let mut args = more.clone();
            (args["login_host"], args["login_user"], args["variable"]) =
                ("db".into(), "a".into(), "v".into());
            let trial = serve(capabilities);
            trial.run(&args);
            assert_eq!(trial.host.ran(), ran, "{more}");
        }
        let needed = json!({"login_host": "db", "login_user": "a", "variable": "v", "ca_cert": "/ca"});
        let msg = serve(0).run(&needed)["msg"].as_str().unwrap().to_owned();
        assert!(msg.contains("SSL is required, but the server does not support it"), "{msg}");
    }

    fn done(status: u8) -> Vec<u8> {
        vec![0, 0, 0, status, 0, 0, 0]
    }

    /// One column of text.
    fn told(rows: &[&str], status: u8) -> Vec<Vec<u8>> {
        let column = [&[0, 0, 0, 0, 1, b'c', 0][..], &[0; 7], &[253], &[0; 5]].concat();
        let end = vec![0xfe, 0, 0, status, 0];
        let row = |row: &&str| [&[u8::try_from(row.len()).unwrap()], row.as_bytes()].concat();
        [vec![vec![1], column, end.clone()], rows.iter().map(row).collect(), vec![end]].concat()
    }

    fn refused(code: u16) -> Vec<u8> {
        [&[0xff][..], &code.to_le_bytes(), b"#HY000no"].concat()
    }

    #[test]
    fn the_last_of_several_answers_counts_too() {
        let args = json!({"login_host": "db", "login_user": "a", "query": "CALL p()"});
        let good = server("mysql_query", &[told(&["x"], 8), vec![done(0)]].concat());
        assert_eq!(good.run(&args)["query_result"], json!([[{"c": "x"}]]));
        let bad = server("mysql_query", &[told(&["x"], 8), vec![refused(1062)]].concat());
        let msg = bad.run(&args)["msg"].as_str().unwrap().to_owned();
        assert!(msg.contains("1062"), "{msg}");
    }

    #[test]
    fn a_check_asks_the_server_for_looks_alone() {
        // Who is asked more than once breaks off.
        let trial = server("mysql_query", &told(&["x"], 0));
        let queries = json!(["/* x */ INSERT INTO t VALUES (1)", "SELECT c", "SET GLOBAL x = 1", "COMMIT"]);
        let got = trial.check(&json!({"login_host": "db", "login_user": "a", "query": queries}));
        assert_eq!((&got["failed"], &got["changed"]), (&json!(null), &json!(true)), "{got}");
        assert_eq!(got["query_result"], json!([[], [{"c": "x"}], [], []]));
        assert!(got["warnings"][0].as_str().unwrap().contains("3 of the queries"), "{got}");
    }

    #[test]
    fn only_the_account_itself_shows_its_password() {
        let login: Login = serde_json::from_value(json!({"login_host": "db"})).unwrap();
        for (answers, expected) in [
            (told(&["ann@%"], 0), Some(true)),
            (told(&["ann@localhost"], 0), Some(false)),
            (vec![refused(1040)], None),
        ] {
            let trial = server("mysql_user", &answers);
            let mut deaf = Deaf;
            let mut sys = System::new(&*trial.host, &mut deaf, Wishes::default());
            assert_eq!(login.lets_in("ann", "%", "pw", &mut sys).ok(), expected);
        }
        for (code, expected) in [(1045, Some(false)), (1129, None)] {
            let trial = Trial::of("mysql_user");
            let body = refused(code);
            let packet = [&[u8::try_from(body.len()).unwrap(), 0, 0, 0], &body[..]].concat();
            trial.host.serve(3306, move |_| packet.clone());
            let mut deaf = Deaf;
            let mut sys = System::new(&*trial.host, &mut deaf, Wishes::default());
            assert_eq!(login.lets_in("ann", "%", "pw", &mut sys).ok(), expected);
        }
    }

    #[test]
    fn what_is_persisted_already_stays() {
        let args = |mode: &str| json!({"login_host": "db", "login_user": "a", "variable": "v", "value": "5", "mode": mode});
        let column = |now: &str| {
            let mut two = told(&[], 0);
            two[0] = vec![2];
            two.insert(2, two[1].clone());
            two.insert(4, [&[1, b'v', 1], now.as_bytes()].concat());
            two
        };
        for (mode, now, kept, changed) in [
            ("persist", "5", "5", false),
            ("persist", "4", "5", true),
            ("persist", "5", "4", true),
            ("persist_only", "4", "5", false),
        ] {
            let answers = [column(now), told(&[kept], 0), vec![done(0)]].concat();
            let got = server("mysql_variables", &answers).run(&args(mode));
            assert_eq!((&got["failed"], &got["changed"]), (&json!(null), &json!(changed)), "{mode}: {got}");
        }
    }

    #[test]
    fn the_clients_file_says_who() {
        let text = "[mysqld]\nuser=x\n[client]\n# no\nuser = \"root\"\npassword='a=b'\n";
        let expected = [("user", "root"), ("password", "a=b")];
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(client_section(text), expected);
    }
}
