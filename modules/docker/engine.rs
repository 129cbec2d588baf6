//! The engine's interface: HTTP with JSON, one connection a question.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;

use crate::docker::text;
use crate::kit::host::Peer;
use crate::kit::http::quote_plus;
use crate::kit::http::wire::{Reply, broken, exchange};
use crate::kit::tls::Tls;
use crate::kit::{Failure, Result, System};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    Tcp {
        host: String,
        port: u16,
    },
    /// By TCP, encrypted so.
    Tls {
        tls: Tls,
        port: u16,
    },
}

pub struct Engine {
    address: Address,
    /// As the user gave it.
    host: String,
    timeout: Duration,
    /// `/v1.41`
    prefix: String,
    /// Of its interface.
    pub version: (u32, u32),
}

/// What the engine does not do, and why.
#[derive(Debug)]
pub struct ApiError {
    /// 0 where no answer came.
    pub status: u16,
    pub message: String,
}

/// One question.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub method: &'a str,
    /// With its query, quoted.
    pub path: &'a str,
    pub body: Option<&'a Json>,
    pub headers: &'a [(&'a str, String)],
    /// How long it may be until something comes; else as long as is usual.
    pub patience: Option<Duration>,
}

impl<'a> Question<'a> {
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, body: None, headers: &[], patience: None }
    }
}

/// A file that is sent, and what it is.
pub struct Upload<'a> {
    pub kind: &'a str,
    pub path: &'a Path,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self { status: 0, message: failure.msg }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::new(error.message)
    }
}

impl ApiError {
    /// With a lead before the message.
    pub fn context(self, lead: impl fmt::Display) -> Failure {
        Failure::new(format!("{lead}: {}", self.message))
    }
}

impl Engine {
    pub fn open(
        address: Address,
        host: String,
        timeout: Duration,
        version: Option<&str>,
        sys: &mut System<'_>,
    ) -> Result<Self> {
        let mut engine = Self { address, host, timeout, prefix: String::new(), version: (0, 0) };
        let version = if let Some(version) = version {
            version.to_owned()
        } else {
            let told = engine.get("/version", sys).map_err(|error| {
                error.context(format!("the Docker engine at {} does not answer", engine.host))
            })?;
            text(&told, "ApiVersion").to_owned()
        };
        let numbers = version
            .split_once('.')
            .and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
        engine.version =
            numbers.ok_or_else(|| Failure::new(format!("api_version: {version:?} is no version")))?;
        if engine.version < (1, 25) {
            let msg = format!("the Docker engine's interface has version {version}, at least 1.25 is needed");
            return Err(Failure::new(msg));
        }
        engine.prefix = format!("/v{version}");
        Ok(engine)
    }

    /// How long it may take to answer.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    pub fn get(&self, path: &str, sys: &mut System<'_>) -> Result<Json, ApiError> {
        self.json(&Question::new("GET", path), sys)
    }

    /// As [`Engine::get`]; `None` where there is no such thing.
    pub fn get_if_there(&self, path: &str, sys: &mut System<'_>) -> Result<Option<Json>, ApiError> {
        match self.get(path, sys) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.status == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn post(&self, path: &str, body: &Json, sys: &mut System<'_>) -> Result<Json, ApiError> {
        let body = (!body.is_null()).then_some(body);
        self.json(&Question { body, ..Question::new("POST", path) }, sys)
    }

    pub fn delete(&self, path: &str, sys: &mut System<'_>) -> Result<Json, ApiError> {
        self.json(&Question::new("DELETE", path), sys)
    }

    /// The answer as JSON; null where it is empty.
    pub fn json(&self, question: &Question<'_>, sys: &mut System<'_>) -> Result<Json, ApiError> {
        let content = content(self.ask(question, None, sys)?)?;
        if content.is_empty() {
            return Ok(Json::Null);
        }
        serde_json::from_slice(&content).map_err(|error| {
            Failure::new(format!("the Docker engine's answer to {} is no JSON: {error}", question.path))
                .into()
        })
    }

    /// The answer as a stream, once it is no error.
    pub fn ask(
        &self,
        question: &Question<'_>,
        upload: Option<Upload<'_>>,
        sys: &mut System<'_>,
    ) -> Result<Reply, ApiError> {
        let path = format!("{}{}", self.prefix, question.path);
        let body = question.body.map(Json::to_string);
        let uploaded = match &upload {
            Some(upload) => sys.stat_followed(upload.path)?.map(|meta| meta.size),
            None => None,
        };
        let size = uploaded.or(body.as_ref().map(|body| body.len() as u64));
        let kind = upload.as_ref().map_or("application/json", |upload| upload.kind);
        let mut head = format!("{} {path} HTTP/1.1\r\nHost: {}\r\n", question.method, self.name());
        let mut line = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        };
        line("User-Agent", "fanfare");
        line("Accept-Encoding", "identity");
        if let Some(size) = size {
            line("Content-Type", kind);
            line("Content-Length", &size.to_string());
        } else if question.method != "GET" {
            line("Content-Length", "0");
        }
        for (name, value) in question.headers {
            line(name, value);
        }
        line("Connection", "close");
        head.push_str("\r\n");
        let connection = self.connect(question.patience, sys)?;
        let mut sent = body.as_deref().unwrap_or_default().as_bytes();
        let reply = match upload {
            Some(upload) => {
                let mut content = sys.open(upload.path)?.take(size.unwrap_or_default());
                exchange(connection, &head, Some(&mut content))?
            }
            None => exchange(connection, &head, Some(&mut sent))?,
        };
        match reply.status {
            // It would send us to another path where a name is none, such as `/x`: nothing is called that.
            301 | 302 | 307 | 308 => {
                Err(ApiError { status: 404, message: format!("the Docker engine knows no {path}") })
            }
            101 | 200..400 => Ok(reply),
            _ => Err(self.refusal(&path, reply)),
        }
    }

    /// A question after whose answer's head more is sent, where there is `input`; gives all that comes.
    pub fn talk(
        &self,
        question: &Question<'_>,
        input: Option<&[u8]>,
        sys: &mut System<'_>,
    ) -> Result<Vec<u8>, ApiError> {
        // A command may say nothing for long.
        let patience = Duration::from_hours(24);
        let question = Question { patience: Some(patience), ..*question };
        Ok(self.ask(&question, None, sys)?.converse(input, patience)?)
    }

    fn connect(
        &self,
        patience: Option<Duration>,
        sys: &mut System<'_>,
    ) -> Result<Box<dyn crate::kit::host::Connection>> {
        let peer = match &self.address {
            Address::Unix(path) => Peer::Unix(path),
            Address::Tcp { host, port } => Peer::Tcp { host, port: *port },
            Address::Tls { tls, port } => Peer::Tcp { host: &tls.host, port: *port },
        };
        let mut connection = sys.connect(&peer, self.timeout)?;
        if let Address::Tls { tls, .. } = &self.address {
            connection = tls.encrypt(connection, sys)?;
        }
        connection.set_read_timeout(patience.unwrap_or(self.timeout)).map_err(broken)?;
        Ok(connection)
    }

    /// The name of the host of the engine in what it is asked.
    fn name(&self) -> &str {
        match &self.address {
            Address::Unix(_) => "localhost",
            Address::Tcp { host, .. } | Address::Tls { tls: Tls { host, .. }, .. } => host,
        }
    }

    fn refusal(&self, path: &str, reply: Reply) -> ApiError {
        let (status, reason) = (reply.status, reply.reason.clone());
        let said = content(reply).unwrap_or_default();
        let said = match serde_json::from_slice::<Json>(&said) {
            Ok(json) if json.get("message").is_some() => text(&json, "message").to_owned(),
            _ => String::from_utf8_lossy(&said).trim().to_owned(),
        };
        let whose = if status < 500 { "Client" } else { "Server" };
        let place = match &self.address {
            Address::Unix(_) => "http+docker://localhost".to_owned(),
            Address::Tcp { host, port } => format!("http://{host}:{port}"),
            Address::Tls { tls, port } => format!("https://{}:{port}", tls.host),
        };
        let message = format!("{status} {whose} Error for {place}{path}: {reason} (\"{said}\")");
        ApiError { status, message }
    }
}

/// All that is left of an answer.
pub fn content(mut reply: Reply) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    reply.read_to_end(&mut content).map_err(|error| broken(reply.error.take().unwrap_or(error)))?;
    Ok(content)
}

/// A path with a query of those that have a value.
pub fn query(path: &str, values: &[(&str, Option<&str>)]) -> String {
    let given = values.iter().filter_map(|(name, value)| Some(format!("{name}={}", quoted((*value)?))));
    let given = given.collect::<Vec<_>>().join("&");
    if given.is_empty() { path.to_owned() } else { format!("{path}?{given}") }
}

/// `a b/c` in a query or path: `a%20b%2Fc`.
pub fn quoted(text: &str) -> String {
    quote_plus(text).replace('+', "%20")
}
