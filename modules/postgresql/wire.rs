//! PostgreSQL's protocol, version 3: simple queries, their answers, and what a login takes.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::auth::{self, Scram};
use crate::kit::host::Connection;

/// A session on one database.
pub struct Session {
    stream: Box<dyn Connection>,
    /// What the server tells of itself: `server_version` …
    parameters: Vec<(String, String)>,
    /// `I` for idle, `T` in a transaction, `E` in one that a failure has spoilt.
    status: u8,
    /// No message is larger.
    largest: usize,
}

/// What one statement gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Names, and numbers of types.
    pub columns: Vec<(String, u32)>,
    pub rows: Vec<Vec<Option<String>>>,
    /// `INSERT 0 1`, `CREATE TABLE`: one a statement that was sent with it.
    pub tags: Vec<String>,
}

/// What the server does not do, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    pub message: String,
    /// SQLSTATE.
    pub code: String,
    pub detail: Option<String>,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.detail {
            Some(detail) => write!(f, " (DETAIL: {detail})"),
            None => Ok(()),
        }
    }
}

impl From<io::Error> for ServerError {
    fn from(error: io::Error) -> Self {
        Self { message: format!("the connection to the server broke: {error}"), ..Self::default() }
    }
}

impl Answer {
    /// The first value of the first row.
    pub fn value(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }

    /// The first values of all rows.
    pub fn first_column(&self) -> Vec<String> {
        self.rows.iter().filter_map(|row| row.first()?.clone()).collect()
    }

    /// The last statement's tag.
    pub fn tag(&self) -> &str {
        self.tags.last().map_or("", String::as_str)
    }

    /// How many rows the last statement was about; -1 where that is no question.
    pub fn count(&self) -> i64 {
        self.tag().rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(-1)
    }

    /// The rows as mappings, their values by their types.
    pub fn mappings(&self) -> Vec<Json> {
        let row = |row: &Vec<Option<String>>| {
            let pairs = self.columns.iter().zip(row);
            Json::Object(
                pairs
                    .map(|((name, kind), text)| (name.clone(), typed(*kind, text.as_deref())))
                    .collect::<Map<_, _>>(),
            )
        };
        self.rows.iter().map(row).collect()
    }
}

/// Text as the value that its type says.
fn typed(kind: u32, text: Option<&str>) -> Json {
    let Some(text) = text else { return Json::Null };
    let as_text = || Json::from(text);
    match kind {
        // bool
        16 => Json::Bool(text == "t"),
        // int8, int2, int4, oid
        20 | 21 | 23 | 26 => text.parse::<i64>().map_or_else(|_| as_text(), Json::from),
        // float4, float8
        700 | 701 => text.parse::<f64>().map_or_else(|_| as_text(), Json::from),
        // json, jsonb
        114 | 3802 => serde_json::from_str(text).unwrap_or_else(|_| as_text()),
        _ => match element(kind) {
            Some(kind) => array(kind, text).unwrap_or_else(as_text),
            None => as_text(),
        },
    }
}

/// The type of an array's elements.
fn element(kind: u32) -> Option<u32> {
    Some(match kind {
        1000 => 16,
        1005 => 21,
        1007 => 23,
        1016 => 20,
        1021 => 700,
        1022 => 701,
        1028 => 26,
        // text, name, varchar
        1009 | 1003 | 1015 => 25,
        _ => return None,
    })
}

/// `{a,"b c",NULL}`.
fn array(kind: u32, text: &str) -> Option<Json> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    if inner.contains('{') {
        return None;
    }
    let mut items = Vec::new();
    let mut chars = inner.chars().peekable();
    while chars.peek().is_some() {
        let (mut item, mut quoted, mut was_quoted) = (String::new(), false, false);
        while let Some(c) = chars.next() {
            match c {
                '\\' => item.extend(chars.next()),
                '"' => (quoted, was_quoted) = (!quoted, true),
                ',' if !quoted => break,
                c => item.push(c),
            }
        }
        let is_null = !was_quoted && item == "NULL";
        items.push(typed(kind, Some(item.as_str()).filter(|_| !is_null)));
    }
    Some(Json::Array(items))
}

/// No message of a server is larger.
const LARGEST: usize = 1 << 30;
/// No message of a login is larger.
const LARGEST_HELLO: usize = 1 << 16;

/// Who logs in.
pub struct Who<'a> {
    pub user: &'a str,
    pub password: Option<&'a str>,
    /// Nobody else hears: a password may be told.
    pub is_private: bool,
    /// What SCRAM calls the client's nonce.
    pub nonce: &'a str,
    /// How long the server may take for a step of the login.
    pub timeout: Duration,
}

/// Whether the server is ready to encrypt this connection, on which nothing was said yet.
pub fn offers_encryption(stream: &mut dyn Connection, timeout: Duration) -> io::Result<bool> {
    stream.set_read_timeout(timeout)?;
    stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47])?;
    stream.flush()?;
    let mut answer = [0];
    stream.read_exact(&mut answer)?;
    match answer {
        [b'S'] => Ok(true),
        // Servers that do not know the question answer with an error.
        [b'N' | b'E'] => Ok(false),
        _ => Err(io::Error::other("that is no PostgreSQL server")),
    }
}

impl Session {
    /// Logs in.
    pub fn open(
        stream: Box<dyn Connection>,
        parameters: &[(&str, String)],
        who: &Who<'_>,
    ) -> Result<Self, ServerError> {
        let mut session = Self { stream, parameters: Vec::new(), status: b'I', largest: LARGEST_HELLO };
        let mut start = 196_608u32.to_be_bytes().to_vec();
        for (name, value) in parameters {
            start.extend([name.as_bytes(), &[0], value.as_bytes(), &[0]].concat());
        }
        start.push(0);
        session.stream.set_read_timeout(who.timeout)?;
        session.log_in(&start, who)?;
        // A query takes as long as it takes.
        session.stream.set_read_timeout(Duration::MAX)?;
        session.largest = LARGEST;
        Ok(session)
    }

    fn log_in(&mut self, start: &[u8], who: &Who<'_>) -> Result<(), ServerError> {
        let told = |message: &str| ServerError { message: message.to_owned(), ..ServerError::default() };
        let needed = || who.password.ok_or_else(|| told("the server wants a password: give login_password"));
        let length = u32::try_from(start.len() + 4).unwrap_or_default().to_be_bytes();
        self.stream.write_all(&[&length, start].concat())?;
        self.stream.flush()?;
        let mut scram: Option<Scram> = None;
        loop {
            let (kind, body) = self.message()?;
            match kind {
                b'R' => {
                    let (method, rest) = body.split_at_checked(4).unwrap_or_default();
                    let text = String::from_utf8_lossy(rest);
                    match method.last() {
                        Some(0) => {}
                        Some(3) if !who.is_private => {
                            return Err(told(
                                "the server wants the password in the clear over a connection that is not \
                                 encrypted: it was not sent; use the server's socket, or scram-sha-256 in pg_hba.conf",
                            ));
                        }
                        Some(3) => self.send(b'p', &[needed()?.as_bytes(), &[0]].concat())?,
                        Some(5) => {
                            let answer = auth::md5(who.user, needed()?, rest);
                            self.send(b'p', &[answer.as_bytes(), &[0]].concat())?;
                        }
                        Some(10) if text.split('\0').any(|method| method == "SCRAM-SHA-256") => {
                            let exchange = Scram::new(needed()?, who.nonce);
                            let first = exchange.first();
                            let length = u32::try_from(first.len()).unwrap_or_default().to_be_bytes();
                            self.send(b'p', &[&b"SCRAM-SHA-256\0"[..], &length, first.as_bytes()].concat())?;
                            scram = Some(exchange);
                        }
                        Some(11) => {
                            let second = scram.as_mut().and_then(|scram| scram.second(&text));
                            let second = second.ok_or_else(|| told("the server's SCRAM makes no sense"))?;
                            self.send(b'p', second.as_bytes())?;
                        }
                        Some(12) if scram.as_ref().is_some_and(|scram| scram.is_proven(&text)) => {}
                        Some(12) => return Err(told("the server does not know the password, either")),
                        other => {
                            return Err(told(&format!(
                                "the server wants a login that is not supported: {other:?}"
                            )));
                        }
                    }
                }
                b'S' => {
                    let mut words =
                        body.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
                    self.parameters
                        .push((words.next().unwrap_or_default(), words.next().unwrap_or_default()));
                }
                b'E' => return Err(error(&body)),
                b'Z' => return Ok(()),
                _ => {}
            }
        }
    }

    /// What the server tells of itself.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().rev().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The server's version as a number: 150004.
    pub fn version(&self) -> u32 {
        let digits = |text: &str| {
            text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
        };
        let mut parts = self.parameter("server_version").split('.').map(digits);
        let (major, minor): (u32, u32) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        if major >= 10 { major * 10_000 + minor } else { major * 10_000 + minor * 100 }
    }

    /// Whether a transaction is open, and good.
    pub fn in_transaction(&self) -> bool {
        self.status == b'T'
    }

    /// Runs statements; what the last one gave, and the tags of all.
    pub fn query(&mut self, sql: &str) -> Result<Answer, ServerError> {
        self.send(b'Q', &[sql.as_bytes(), &[0]].concat())?;
        let (mut last, mut now, mut failed) = (Answer::default(), Answer::default(), None);
        let mut tags = Vec::new();
        loop {
            let (kind, body) = self.message()?;
            match kind {
                b'T' => now.columns = columns(&body),
                b'D' => now.rows.push(row(&body)),
                b'C' => {
                    let tag = body.strip_suffix(&[0]).unwrap_or(&body);
                    tags.push(String::from_utf8_lossy(tag).into_owned());
                    last = std::mem::take(&mut now);
                }
                b'E' => failed = Some(error(&body)),
                b'Z' => {
                    self.status = body.first().copied().unwrap_or(b'I');
                    last.tags = tags;
                    return failed.map_or(Ok(last), Err);
                }
                // A copy from here, or to here, is no query.
                b'G' => self.send(b'f', b"COPY needs a file\0")?,
                _ => {}
            }
        }
    }

    fn send(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len() + 4).unwrap_or_default().to_be_bytes();
        self.stream.write_all(&[&[kind], &length[..], body].concat())?;
        self.stream.flush()
    }

    fn message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or_default().saturating_sub(4);
        if length > self.largest {
            return Err(io::Error::other("that is no PostgreSQL server"));
        }
        // As it comes: a header alone takes no memory.
        let mut body = Vec::new();
        if Read::take(&mut self.stream, length as u64).read_to_end(&mut body)? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok((kind, body))
    }
}

fn error(body: &[u8]) -> ServerError {
    let mut error = ServerError::default();
    let mut severity = String::new();
    for field in body.split(|byte| *byte == 0) {
        let Some((kind, text)) = field.split_first() else { continue };
        let text = String::from_utf8_lossy(text).into_owned();
        match kind {
            b'S' => severity = text,
            b'M' => error.message = text,
            b'C' => error.code = text,
            b'D' => error.detail = Some(text),
            _ => {}
        }
    }
    if severity == "FATAL" {
        error.message = format!("FATAL:  {}", error.message);
    }
    error
}

/// Reads numbers and texts off a message.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn bytes(&mut self, count: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at_checked(count).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    fn number(&mut self, bytes: usize) -> u32 {
        self.bytes(bytes).iter().fold(0, |number, byte| (number << 8) | u32::from(*byte))
    }

    fn text(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let text = String::from_utf8_lossy(self.bytes(end)).into_owned();
        self.bytes(1);
        text
    }
}

fn columns(body: &[u8]) -> Vec<(String, u32)> {
    let mut fields = Fields(body);
    let count = fields.number(2);
    let column = |_| {
        let name = fields.text();
        fields.bytes(6);
        let kind = fields.number(4);
        fields.bytes(8);
        (name, kind)
    };
    (0..count).map(column).collect()
}

fn row(body: &[u8]) -> Vec<Option<String>> {
    let mut fields = Fields(body);
    let count = fields.number(2);
    let value = |_| {
        let length = fields.number(4);
        let there = length != u32::MAX;
        there.then(|| {
            String::from_utf8_lossy(fields.bytes(usize::try_from(length).unwrap_or_default())).into_owned()
        })
    };
    (0..count).map(value).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_have_their_types() {
        for (kind, text, expected) in [
            (16, "t", json!(true)),
            (23, "-5", json!(-5)),
            (701, "1.5", json!(1.5)),
            (25, "5", json!("5")),
            (3802, "{\"a\": 1}", json!({"a": 1})),
            (1007, "{1,2,NULL}", json!([1, 2, null])),
            (1009, "{a,\"b \\\"c\",\"NULL\"}", json!(["a", "b \"c", "NULL"])),
            (1009, "{}", json!([])),
        ] {
            assert_eq!(typed(kind, Some(text)), expected);
        }
        assert_eq!(typed(25, None), Json::Null);
    }

    #[test]
    fn answers_tell_how_many() {
        let answer = |tag: &str| Answer { tags: vec![tag.to_owned()], ..Answer::default() };
        assert_eq!((answer("INSERT 0 3").count(), answer("CREATE TABLE").count()), (3, -1));
    }

    #[test]
    fn errors_tell_why() {
        let error = error(b"SERROR\0C42P01\0Mno such thing\0Dlook there\0\0");
        assert_eq!(
            (error.code.as_str(), error.to_string()),
            ("42P01", "no such thing (DETAIL: look there)".to_owned())
        );
    }
}
