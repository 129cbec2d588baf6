//! SMTP, not encrypted.

use std::io;
use std::time::Duration;

use crate::kit::digest::{Algorithm, digest};
use crate::kit::encode::{base64, from_base64};
use crate::kit::host::{Connection, Peer};
use crate::kit::{Failure, Result, Secret, System};

/// A server that has said good day.
pub struct Session {
    connection: Box<dyn Connection>,
    /// What was read and not used yet.
    ahead: Vec<u8>,
    /// What it can do besides: `STARTTLS`, `AUTH PLAIN LOGIN`.
    extensions: Vec<String>,
}

/// What a server answers: a number, and words.
pub type Reply = (u16, String);

/// No server says as much at once.
const ROOM: usize = 65_536;

impl Session {
    pub fn open(host: &str, port: u16, me: &str, timeout: Duration, sys: &mut System<'_>) -> Result<Self> {
        let connection = sys.connect(&Peer::Tcp { host, port }, timeout)?;
        connection.set_read_timeout(timeout).map_err(broken)?;
        let mut session = Self { connection, ahead: Vec::new(), extensions: Vec::new() };
        session.expect(220, "the server")?;
        let (code, said) = session.ask(&format!("EHLO {me}"))?;
        if code == 250 {
            session.extensions = said.lines().skip(1).map(str::to_uppercase).collect();
        } else {
            session.say(&format!("HELO {me}"))?;
            session.expect(250, "HELO")?;
        }
        Ok(session)
    }

    /// What it says of that extension; `None` where it does not know it.
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.iter().find_map(|known| {
            let rest = known.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with([' ', '='])).then(|| rest.trim_start_matches([' ', '=']))
        })
    }

    /// Logs in, by the best way that the server knows.
    pub fn login(&mut self, user: &str, password: &Secret) -> Result<()> {
        let ways: Vec<String> =
            self.extension("AUTH").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let knows = |way: &str| ways.iter().any(|known| known == way);
        let password = password.expose();
        let (code, said) = if knows("CRAM-MD5") {
            let (code, said) = self.ask("AUTH CRAM-MD5")?;
            if code == 334 {
                let challenge = from_base64(&said).map_err(|why| Failure::new(format!("AUTH: {why}")))?;
                let answer = format!("{user} {}", hmac_md5(password.as_bytes(), &challenge)?);
                self.ask(&base64(answer.as_bytes()))?
            } else {
                (code, said)
            }
        } else if knows("PLAIN") {
            self.ask(&format!("AUTH PLAIN {}", base64(format!("\0{user}\0{password}").as_bytes())))?
        } else if knows("LOGIN") {
            let (code, said) = self.ask(&format!("AUTH LOGIN {}", base64(user.as_bytes())))?;
            if code == 334 { self.ask(&base64(password.as_bytes()))? } else { (code, said) }
        } else {
            let ways = ways.join(", ");
            return Err(Failure::new(format!(
                "the server logs in by none of CRAM-MD5, PLAIN, LOGIN: {ways}"
            )));
        };
        if code == 235 || code == 503 {
            return Ok(());
        }
        Err(Failure::new(format!("Authentication failed: {code} {said}")))
    }

    /// Sends the message. Gives what was said of recipients who are refused; where all are, nothing was sent.
    pub fn send(&mut self, from: &str, to: &[String], message: &str) -> Result<Vec<(String, Reply)>> {
        let size = self.extension("SIZE").map(|_| format!(" SIZE={}", message.len())).unwrap_or_default();
        self.say(&format!("MAIL FROM:<{from}>{size}"))?;
        self.expect(250, "MAIL FROM")?;
        let mut refused = Vec::new();
        for mailbox in to {
            let (code, said) = self.ask(&format!("RCPT TO:<{mailbox}>"))?;
            if code != 250 && code != 251 {
                refused.push((mailbox.clone(), (code, said)));
            }
        }
        if refused.len() == to.len() {
            return Ok(refused);
        }
        self.say("DATA")?;
        self.expect(354, "DATA")?;
        // A lone dot would end it.
        let mut text: String = message.split("\r\n").fold(String::new(), |mut all, line| {
            if line.starts_with('.') {
                all.push('.');
            }
            all.push_str(line);
            all.push_str("\r\n");
            all
        });
        if text.ends_with("\r\n\r\n") {
            text.truncate(text.len() - 2);
        }
        text.push('.');
        self.say(&text)?;
        self.expect(250, "the message")?;
        Ok(refused)
    }

    /// Takes leave; what it says to that is no matter.
    pub fn close(mut self) {
        drop(self.ask("QUIT"));
    }

    fn say(&mut self, line: &str) -> Result<()> {
        self.connection.write_all(format!("{line}\r\n").as_bytes()).map_err(broken)?;
        self.connection.flush().map_err(broken)
    }

    fn ask(&mut self, line: &str) -> Result<Reply> {
        self.say(line)?;
        self.reply()
    }

    fn expect(&mut self, code: u16, what: &str) -> Result<String> {
        match self.reply()? {
            (got, said) if got == code => Ok(said),
            (got, said) => Err(Failure::new(format!("{what}: the server says {got} {said}"))),
        }
    }

    fn reply(&mut self) -> Result<Reply> {
        let mut said = Vec::new();
        loop {
            let line = self.line()?;
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let code: u16 = code.ok_or_else(|| Failure::new(format!("the server speaks no SMTP: {line}")))?;
            said.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok((code, said.join("\n")));
            }
            if said.len() > 1000 {
                return Err(Failure::new("the server does not come to an end"));
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            let mut buffer = [0; 1024];
            let count = self.connection.read(&mut buffer).map_err(broken)?;
            if count == 0 || self.ahead.len() > ROOM {
                return Err(Failure::new("the server hung up"));
            }
            self.ahead.extend(buffer.get(..count).unwrap_or_default());
        }
    }
}

fn broken(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::new("the server does not answer"),
        _ => Failure::new(format!("the connection broke: {error}")),
    }
}

fn hmac_md5(key: &[u8], text: &[u8]) -> Result<String> {
    let md5 = |mut bytes: &[u8]| {
        digest(Algorithm::Md5, &mut bytes).map_err(|e| Failure::new(format!("no checksum: {e}")))
    };
    let raw = |hex: &str| -> Vec<u8> {
        let pairs = hex.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
        pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
    };
    let mut block = if key.len() > 64 { raw(&md5(key)?) } else { key.to_vec() };
    block.resize(64, 0);
    let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
    let inner = raw(&md5(&[padded(0x36).as_slice(), text].concat())?);
    md5(&[padded(0x5c).as_slice(), &inner].concat())
}

#[cfg(test)]
mod tests {
    #[test]
    fn hmac_is_as_in_the_rfc() {
        let got = super::hmac_md5(b"Jefe", b"what do ya want for nothing?").unwrap();
        assert_eq!(got, "750c783e6ab0b503eaa86e310a5db738");
    }
}
