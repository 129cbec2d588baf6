//! The protocol of MySQL and MariaDB: a login, queries as text, their answers.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Duration;

use serde_json::{Map, Value as Json};
use sha1::Digest;

use crate::kit::host::Connection;

pub struct Session {
    stream: Box<dyn Connection>,
    sequence: u8,
    /// No packet is larger.
    largest: usize,
    /// As the server tells it: `10.11.6-MariaDB-…`.
    pub version: String,
}

/// What one statement gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Names, and kinds of values.
    pub columns: Vec<(String, u8)>,
    pub rows: Vec<Vec<Option<String>>>,
    /// How many rows it was about.
    pub count: u64,
}

/// What the server does not do, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    pub code: u16,
    pub message: String,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {:?})", self.code, self.message)
    }
}

impl From<io::Error> for ServerError {
    fn from(error: io::Error) -> Self {
        Self { code: 2013, message: format!("Lost connection to MySQL server ({error})") }
    }
}

impl Answer {
    /// The first values of all rows.
    pub fn first_column(&self) -> Vec<String> {
        self.rows.iter().filter_map(|row| row.first()?.clone()).collect()
    }

    /// The rows as mappings, their values by their kinds.
    pub fn mappings(&self) -> Vec<Json> {
        let row = |row: &Vec<Option<String>>| {
            let pairs = self.columns.iter().zip(row);
            let pairs = pairs.map(|((name, kind), text)| (name.clone(), typed(*kind, text.as_deref())));
            Json::Object(pairs.collect::<Map<_, _>>())
        };
        self.rows.iter().map(row).collect()
    }

    /// The value of that name in the first row.
    pub fn named(&self, name: &str) -> Option<&str> {
        let at = self.columns.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        self.rows.first()?.get(at)?.as_deref()
    }
}

/// Text as the value that its kind says.
fn typed(kind: u8, text: Option<&str>) -> Json {
    let Some(text) = text else { return Json::Null };
    match kind {
        // Integers, and years.
        1 | 2 | 3 | 8 | 9 | 13 => text.parse::<i64>().map_or_else(|_| text.into(), Json::from),
        // Floats. Decimals stay as exact as they are.
        4 | 5 => text.parse::<f64>().map_or_else(|_| text.into(), Json::from),
        _ => text.into(),
    }
}

/// Capabilities: what MySQL calls LONG_PASSWORD, FOUND_ROWS, LONG_FLAG, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION,
/// MULTI_RESULTS, PLUGIN_AUTH.
const CAPABILITIES: u32 = 0x1 | 0x4 | 0x200 | 0x2000 | 0x8000 | 0x2_0000 | 0x8_0000;
const CONNECT_WITH_DB: u32 = 0x8;
const SSL: u32 = 0x800;
/// utf8mb4.
const CHARSET: u8 = 45;
const PIECE: usize = 0xff_ffff;
/// No packet of a login is larger.
const LARGEST_HELLO: usize = 1 << 16;
/// What a status tells: there is one more answer.
const MORE_RESULTS: u16 = 0x8;

/// Who logs in, to what.
pub struct Who<'a> {
    pub user: &'a str,
    pub password: &'a str,
    pub database: Option<&'a str>,
    /// Nobody else hears: a password may be told.
    pub is_private: bool,
    /// How long the server may take for a step of the login.
    pub timeout: Duration,
}

/// How a connection is encrypted, where the server offers it.
pub struct Encryption<'e> {
    /// One that is not encrypted will not do.
    pub is_needed: bool,
    pub encrypt: &'e mut dyn FnMut(Box<dyn Connection>) -> Result<Box<dyn Connection>, ServerError>,
}

impl Session {
    pub fn open(
        stream: Box<dyn Connection>,
        who: &Who<'_>,
        encryption: Option<Encryption<'_>>,
    ) -> Result<Self, ServerError> {
        let session = Self { stream, sequence: 0, largest: LARGEST_HELLO, version: String::new() };
        session.stream.set_read_timeout(who.timeout)?;
        let session = session.log_in(who, encryption)?;
        // A query takes as long as it takes.
        session.stream.set_read_timeout(Duration::MAX)?;
        Ok(Self { largest: usize::MAX, ..session })
    }

    fn log_in(mut self, who: &Who<'_>, encryption: Option<Encryption<'_>>) -> Result<Self, ServerError> {
        let hello = self.packet()?;
        if hello.first() == Some(&0xff) {
            return Err(error(&hello));
        }
        let mut fields = Fields(hello.get(1..).unwrap_or_default());
        self.version = fields.text();
        fields.bytes(4);
        let mut salt = fields.bytes(8).to_vec();
        fields.bytes(1);
        let offered = fields.status();
        fields.bytes(1 + 2 + 2);
        let length = usize::from(fields.bytes(1).first().copied().unwrap_or(0));
        fields.bytes(10);
        salt.extend(fields.bytes(length.saturating_sub(8).max(13)));
        salt.truncate(20);
        let mut plugin = fields.text();
        let capabilities = CAPABILITIES | if who.database.is_some() { CONNECT_WITH_DB } else { 0 };
        let proof = proof(&plugin, who, &salt).unwrap_or_default();
        let is_offered = u32::from(offered) & SSL != 0;
        if !is_offered && encryption.as_ref().is_some_and(|encryption| encryption.is_needed) {
            let message = "SSL is required, but the server does not support it";
            return Err(ServerError { code: 2026, message: message.to_owned() });
        }
        let encryption = encryption.filter(|_| is_offered);
        let is_private = who.is_private || encryption.is_some();
        let who = &Who { is_private, ..*who };
        let capabilities = capabilities | if encryption.is_some() { SSL } else { 0 };
        let mut answer = capabilities.to_le_bytes().to_vec();
        answer.extend((1u32 << 30).to_le_bytes());
        answer.push(CHARSET);
        answer.extend([0; 23]);
        if let Some(encryption) = encryption {
            self.send(&answer)?;
            self.stream = (encryption.encrypt)(self.stream)?;
            self.stream.set_read_timeout(who.timeout)?;
        }
        answer.extend([who.user.as_bytes(), &[0]].concat());
        answer.push(u8::try_from(proof.len()).unwrap_or_default());
        answer.extend(proof);
        if let Some(database) = who.database {
            answer.extend([database.as_bytes(), &[0]].concat());
        }
        answer.extend([plugin.as_bytes(), &[0]].concat());
        self.send(&answer)?;
        loop {
            let packet = self.packet()?;
            match packet.split_first() {
                Some((0, _)) => return Ok(self),
                Some((0xff, _)) => return Err(error(&packet)),
                Some((0xfe, rest)) => {
                    let mut fields = Fields(rest);
                    plugin = fields.text();
                    salt = fields.0.to_vec();
                    salt.truncate(20);
                    let Some(proof) = proof_of(&plugin, who, &salt) else {
                        let message = format!("Authentication plugin '{plugin}' is not supported");
                        return Err(ServerError { code: 2059, message });
                    };
                    self.send(&proof)?;
                }
                Some((1, [4])) if who.is_private => self.send(&[who.password.as_bytes(), &[0]].concat())?,
                Some((1, [4])) => {
                    let message =
                        "caching_sha2_password wants an encrypted connection, or the server's socket";
                    return Err(ServerError { code: 2061, message: message.to_owned() });
                }
                Some((1, _)) => {}
                _ => return Err(ServerError { code: 2027, message: "Malformed packet".to_owned() }),
            }
        }
    }

    /// Runs one statement. Of several answers, as procedures give them, the first one counts, and an error in any.
    pub fn query(&mut self, sql: &str) -> Result<Answer, ServerError> {
        self.sequence = 0;
        self.send(&[&[3], sql.as_bytes()].concat())?;
        let (first, mut status) = self.answer()?;
        while status & MORE_RESULTS != 0 {
            (_, status) = self.answer()?;
        }
        Ok(first)
    }

    /// One answer, and the status that goes with it.
    fn answer(&mut self) -> Result<(Answer, u16), ServerError> {
        let head = self.packet()?;
        match head.first() {
            Some(0) => {
                let mut fields = Fields(head.get(1..).unwrap_or_default());
                let count = fields.length().unwrap_or_default();
                fields.length();
                return Ok((Answer { count, ..Answer::default() }, fields.status()));
            }
            Some(0xff) => return Err(error(&head)),
            // A file of ours is nobody's business.
            Some(0xfb) => {
                self.send(&[])?;
                let packet = self.packet()?;
                return Err(error(&packet));
            }
            _ => {}
        }
        let columns = Fields(&head).length().unwrap_or_default();
        let mut answer = Answer::default();
        for _ in 0..columns {
            let packet = self.packet()?;
            let mut fields = Fields(&packet);
            for _ in 0..4 {
                fields.counted();
            }
            let name = fields.counted().unwrap_or_default();
            fields.counted();
            fields.bytes(1 + 2 + 4);
            answer.columns.push((name, fields.bytes(1).first().copied().unwrap_or_default()));
        }
        self.packet()?;
        let status = loop {
            let packet = self.packet()?;
            match packet.first() {
                Some(0xfe) if packet.len() < 9 => {
                    let mut fields = Fields(packet.get(3..).unwrap_or_default());
                    break fields.status();
                }
                Some(0xff) => return Err(error(&packet)),
                _ => {}
            }
            let mut fields = Fields(&packet);
            answer.rows.push(answer.columns.iter().map(|_| fields.counted()).collect());
        };
        answer.count = answer.rows.len() as u64;
        Ok((answer, status))
    }

    fn send(&mut self, body: &[u8]) -> io::Result<()> {
        let mut pieces: Vec<&[u8]> = body.chunks(PIECE).collect();
        if body.len().is_multiple_of(PIECE) {
            pieces.push(&[]);
        }
        for piece in pieces {
            let [a, b, c, _] = u32::try_from(piece.len()).unwrap_or_default().to_le_bytes();
            self.stream.write_all(&[&[a, b, c, self.sequence], piece].concat())?;
            self.sequence = self.sequence.wrapping_add(1);
        }
        self.stream.flush()
    }

    fn packet(&mut self) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        loop {
            let mut head = [0; 4];
            self.stream.read_exact(&mut head)?;
            let [a, b, c, sequence] = head;
            let length = usize::try_from(u32::from_le_bytes([a, b, c, 0])).unwrap_or_default();
            self.sequence = sequence.wrapping_add(1);
            if whole.len().saturating_add(length) > self.largest {
                return Err(io::Error::other("that is no MySQL server"));
            }
            // As it comes: a header alone takes no memory.
            let mut piece = Read::take(&mut self.stream, length as u64);
            if piece.read_to_end(&mut whole)? < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if length < PIECE {
                return Ok(whole);
            }
        }
    }
}

fn error(packet: &[u8]) -> ServerError {
    let mut fields = Fields(packet.get(1..).unwrap_or_default());
    let code = fields.bytes(2).iter().rev().fold(0, |code, byte| (code << 8) | u16::from(*byte));
    if fields.0.first() == Some(&b'#') {
        fields.bytes(6);
    }
    ServerError { code, message: String::from_utf8_lossy(fields.0).into_owned() }
}

/// What shows the server that the password is known. `None` where that plugin is not known.
fn proof_of(plugin: &str, who: &Who<'_>, salt: &[u8]) -> Option<Vec<u8>> {
    match plugin {
        // The server knows who is at the other end of its socket.
        "auth_socket" | "unix_socket" => Some(Vec::new()),
        "mysql_clear_password" if who.is_private => Some([who.password.as_bytes(), &[0]].concat()),
        other => proof(other, who, salt),
    }
}

fn proof(plugin: &str, who: &Who<'_>, salt: &[u8]) -> Option<Vec<u8>> {
    let mix = |one: &[u8], other: &[u8]| one.iter().zip(other).map(|(a, b)| a ^ b).collect();
    let password = who.password.as_bytes();
    match plugin {
        "mysql_native_password" | "caching_sha2_password" if password.is_empty() => Some(Vec::new()),
        "mysql_native_password" => {
            let once = sha1::Sha1::digest(password);
            let twice = sha1::Sha1::digest(once);
            Some(mix(&once, &sha1::Sha1::digest([salt, &twice[..]].concat())))
        }
        "caching_sha2_password" => {
            let once = sha2::Sha256::digest(password);
            let twice = sha2::Sha256::digest(once);
            Some(mix(&once, &sha2::Sha256::digest([&twice[..], salt].concat())))
        }
        _ => None,
    }
}

/// Reads off a packet.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn bytes(&mut self, count: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at_checked(count).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    /// Text that ends with a zero.
    fn text(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let text = String::from_utf8_lossy(self.bytes(end)).into_owned();
        self.bytes(1);
        text
    }

    /// A length of one to nine bytes. `None` is no value.
    fn length(&mut self) -> Option<u64> {
        let first = self.bytes(1).first().copied()?;
        let more = match first {
            0xfb => return None,
            0xfc => 2,
            0xfd => 3,
            0xfe => 8,
            small => return Some(u64::from(small)),
        };
        Some(self.bytes(more).iter().rev().fold(0, |length, byte| (length << 8) | u64::from(*byte)))
    }

    fn status(&mut self) -> u16 {
        self.bytes(2).iter().rev().fold(0, |status, byte| (status << 8) | u16::from(*byte))
    }

    /// Text with its length before it.
    fn counted(&mut self) -> Option<String> {
        let length = usize::try_from(self.length()?).ok()?;
        Some(String::from_utf8_lossy(self.bytes(length)).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::digest::hex;

    fn ann() -> Who<'static> {
        let timeout = Duration::from_secs(1);
        Who { user: "ann", password: "", database: None, is_private: false, timeout }
    }

    #[test]
    fn passwords_are_not_told() {
        let who = Who { password: "secret", ..ann() };
        let salt = b"01234567890123456789";
        assert_eq!(proof("mysql_native_password", &who, salt).map(|proof| hex(&proof)).unwrap().len(), 40);
        assert_eq!(proof("caching_sha2_password", &who, salt).map(|proof| proof.len()), Some(32));
        assert_eq!(proof_of("mysql_clear_password", &who, salt), None);
        assert_eq!(proof("client_ed25519", &who, salt), None);
    }

    #[test]
    fn a_login_is_small() {
        let (server, memory) = (|_: &str| vec![0xff, 0xff, 0xff, 0], crate::kit::memory::Memory::new());
        memory.serve(3306, server);
        let peer = crate::kit::host::Peer::Tcp { host: "db", port: 3306 };
        let stream = crate::kit::host::Host::connect(&*memory, &peer, Duration::from_secs(1)).unwrap();
        let error = Session::open(stream, &ann(), None).map(drop).unwrap_err();
        assert!(error.message.contains("that is no MySQL server"), "{error}");
    }

    #[test]
    fn lengths_are_of_any_size() {
        assert_eq!(Fields(&[250]).length(), Some(250));
        assert_eq!(Fields(&[0xfb]).length(), None);
        assert_eq!(Fields(&[0xfc, 1, 1]).length(), Some(257));
        assert_eq!(Fields(&[0xfd, 0, 0, 1]).length(), Some(65_536));
        assert_eq!(Fields(&[3, b'a', b'b', b'c']).counted(), Some("abc".to_owned()));
    }
}
