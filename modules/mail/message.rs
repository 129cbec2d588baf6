//! The message: headers, a text, files.

use std::fmt::Write as _;

use crate::kit::charset::Charset;
use crate::kit::encode::base64;
use crate::kit::{Failure, Result};

/// Who writes or reads: a name, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    name: String,
    pub mailbox: String,
}

impl Address {
    /// Reads `Name <mailbox>`, `mailbox (Name)` or `mailbox`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (name, mailbox) = match (text.rsplit_once('<'), text.split_once('(')) {
            (Some((name, rest)), _) => (name, rest.trim_end_matches('>')),
            (None, Some((mailbox, name))) => (name.trim_end().trim_end_matches(')'), mailbox),
            (None, None) => ("", text),
        };
        let (name, mailbox) = (name.trim().trim_matches('"').to_owned(), mailbox.trim().to_owned());
        if mailbox.is_empty() || mailbox.contains(|c: char| c.is_control() || " <>".contains(c)) {
            return Err(Failure::new(format!("{text:?} is no address")));
        }
        Ok(Self { name, mailbox })
    }

    fn header(&self) -> String {
        let Self { name, mailbox } = self;
        if name.is_empty() {
            return mailbox.clone();
        }
        if !is_plain(name) {
            return format!("{} <{mailbox}>", encoded(name.as_bytes(), "utf-8"));
        }
        if name.contains(|c: char| "()<>@,:;\".[]\\".contains(c)) {
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            return format!("\"{quoted}\" <{mailbox}>");
        }
        format!("{name} <{mailbox}>")
    }
}

pub struct Part {
    /// The kind of content, with parameters.
    pub kind: String,
    /// More headers of it.
    pub headers: Vec<String>,
    pub content: Vec<u8>,
}

pub struct Message<'a> {
    pub from: &'a Address,
    pub to: &'a [Address],
    pub cc: &'a [Address],
    pub subject: &'a str,
    pub charset: &'a str,
    pub headers: &'a [(String, String)],
    pub parts: &'a [Part],
    /// Seconds since 1970.
    pub date: i64,
    pub id: String,
    /// What no line of it is.
    pub boundary: String,
}

impl Message<'_> {
    /// The message, its lines ended as SMTP wants them.
    pub fn text(&self) -> Result<String> {
        let Self { boundary, .. } = self;
        let mut text = String::new();
        let mut header = |name: &str, value: &str| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{name}: {value}\r\n");
        };
        let list = |all: &[Address]| all.iter().map(Address::header).collect::<Vec<_>>().join(", ");
        header("Content-Type", &format!("multipart/mixed; boundary=\"{boundary}\""));
        header("MIME-Version", "1.0");
        header("From", &self.from.header());
        header("Date", &date(self.date)?);
        header("Subject", &self.subject()?);
        header("Message-ID", &format!("<{}>", self.id));
        for (name, value) in self.headers {
            let is_plain = is_plain(value);
            header(name, &if is_plain { value.clone() } else { encoded(value.as_bytes(), "utf-8") });
        }
        header("X-Mailer", "Ansible mail module");
        header("To", &list(self.to));
        if !self.cc.is_empty() {
            header("Cc", &list(self.cc));
        }
        text.push_str("\r\nMultipart message\r\n");
        for part in self.parts {
            let _ = write!(text, "--{boundary}\r\nContent-Type: {}\r\nMIME-Version: 1.0\r\n", part.kind);
            text.push_str("Content-Transfer-Encoding: base64\r\n");
            for line in &part.headers {
                let _ = write!(text, "{line}\r\n");
            }
            text.push_str("\r\n");
            let content = base64(&part.content);
            for line in content.as_bytes().chunks(76) {
                let _ = write!(text, "{}\r\n", String::from_utf8_lossy(line));
            }
            text.push_str("\r\n");
        }
        let _ = write!(text, "--{boundary}--\r\n");
        Ok(text)
    }

    fn subject(&self) -> Result<String> {
        let Self { subject, charset, .. } = self;
        if is_plain(subject) {
            return Ok((*subject).to_owned());
        }
        Ok(encoded(&bytes(subject, charset, "subject")?, charset))
    }
}

/// A text in the character set of that name.
pub fn bytes(text: &str, charset: &str, option: &str) -> Result<Vec<u8>> {
    let known = Charset::named(charset)
        .ok_or_else(|| Failure::new(format!("charset: {charset} is no character set that is known")))?;
    let encoded = known.encode(text).map(std::borrow::Cow::into_owned);
    encoded.map_err(|_| Failure::new(format!("{option}: it has characters that are not in {charset}")))
}

/// Whether it can stand in a header as it is.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii() && !c.is_ascii_control()) && !text.contains("=?") && text.len() < 900
}

/// The bytes as words of a header that hold any text. Each is short, and holds whole characters of UTF-8.
fn encoded(bytes: &[u8], charset: &str) -> String {
    let mut words: Vec<Vec<u8>> = vec![Vec::new()];
    for byte in bytes {
        let continues = byte & 0xc0 == 0x80 && charset.to_lowercase().contains("utf");
        if words.last().is_some_and(|word| word.len() >= 40) && !continues {
            words.push(Vec::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(*byte);
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("=?{charset}?b?{}?=", base64(word))).collect();
    words.join("\r\n ")
}

fn date(seconds: i64) -> Result<String> {
    let moment = jiff::Timestamp::from_second(seconds)
        .map_err(|e| Failure::new(format!("the host's clock tells no time: {e}")))?;
    Ok(moment.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string())
}

#[cfg(test)]
mod tests {
    use super::{Address, Message, Part};

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn addresses_are_read_and_written() {
        for (text, mailbox, header) in [
            ("root", "root", "root"),
            ("John Smith <j@x.org>", "j@x.org", "John Smith <j@x.org>"),
            ("jane@x.net (Jane Jolie)", "jane@x.net", "Jane Jolie <jane@x.net>"),
            ("Jane (J) <jane@x.org>", "jane@x.org", "\"Jane (J)\" <jane@x.org>"),
            ("\"A, B\" <a@x>", "a@x", "\"A, B\" <a@x>"),
            ("Jöhn <j@x.org>", "j@x.org", "=?utf-8?b?SsO2aG4=?= <j@x.org>"),
        ] {
            let read = address(text);
            assert_eq!((read.mailbox.as_str(), read.header().as_str()), (mailbox, header));
        }
        for text in ["", "a b", "x <a\r\nRCPT TO:b>"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_message_is_written() {
        let (from, to) = (address("root"), [address("a@x"), address("B <b@x>")]);
        let long = "ü".repeat(30);
        let message = Message {
            from: &from,
            to: &to,
            cc: &[],
            subject: &long,
            charset: "utf-8",
            headers: &[("X-Foo".into(), "b=c".into())],
            parts: &[Part {
                kind: "text/plain; charset=\"utf-8\"".into(),
                headers: vec!["Content-ID: <x>".into()],
                content: b"hello".to_vec(),
            }],
            date: 1_795_325_300,
            id: "1.2@ansible".into(),
            boundary: "==1==".into(),
        };
        let text = message.text().unwrap();
        let expected = "Content-Type: multipart/mixed; boundary=\"==1==\"\r\n\
            MIME-Version: 1.0\r\n\
            From: root\r\n\
            Date: Sun, 22 Nov 2026 05:28:20 +0000\r\n\
            Subject: =?utf-8?b?w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvA==?=\r\n \
            =?utf-8?b?w7zDvMO8w7zDvMO8w7zDvMO8w7w=?=\r\n\
            Message-ID: <1.2@ansible>\r\n\
            X-Foo: b=c\r\n\
            X-Mailer: Ansible mail module\r\n\
            To: a@x, B <b@x>\r\n\
            \r\n\
            Multipart message\r\n\
            --==1==\r\n\
            Content-Type: text/plain; charset=\"utf-8\"\r\n\
            MIME-Version: 1.0\r\n\
            Content-Transfer-Encoding: base64\r\n\
            Content-ID: <x>\r\n\
            \r\n\
            aGVsbG8=\r\n\
            \r\n\
            --==1==--\r\n";
        assert_eq!(text, expected);
    }
}
