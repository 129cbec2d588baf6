//! Plain HTTP/1.1, without any program.

use std::io::{self, Read, Write};
use std::time::Duration;

use crate::kit::encode::base64;
use crate::kit::host::{Connection, Peer};
use crate::kit::http::answer::{Answer, header_line, status_line};
use crate::kit::http::request::Hop;
use crate::kit::{Failure, Result, System};

/// Longer heads are an attack or no HTTP.
const MAX_HEAD: usize = 256 * 1024;

pub(super) fn fetch(hop: &Hop<'_>, sys: &mut System<'_>) -> Result<Answer> {
    let timeout = Duration::from_secs(hop.client.timeout.max(1));
    let to = hop.proxy.as_ref().unwrap_or(hop.url);
    if to.scheme != "http" {
        return Err(Failure::new(format!(
            "a proxy by {} needs curl on the target, and there is none",
            to.scheme
        )));
    }
    let host = to.host.trim_start_matches('[').trim_end_matches(']');
    let peer = match hop.client.unix_socket {
        Some(path) => Peer::Unix(path),
        None => Peer::Tcp { host, port: to.port.unwrap_or(80) },
    };
    let size = match hop.body {
        Some(path) => sys.stat_followed(path)?.map(|meta| meta.size),
        None => None,
    };
    let mut connection = sys.connect(&peer, timeout).map_err(|failure| failure.context("Request failed"))?;
    connection.set_read_timeout(timeout).map_err(broken)?;
    connection.write_all(request(hop, size).as_bytes()).map_err(broken)?;
    if let Some((path, size)) = hop.body.zip(size) {
        // No more than was announced, should the file grow meanwhile.
        let mut body = sys.open(path)?.take(size);
        io::copy(&mut body, &mut connection).map_err(broken)?;
    }
    connection.flush().map_err(broken)?;
    let mut stream = Stream { connection, buffer: vec![0; 16 * 1024], start: 0, end: 0 };
    let mut answer = head(&mut stream, hop)?;
    while answer.status.is_some_and(|status| (100..200).contains(&status)) {
        answer = head(&mut stream, hop)?;
    }
    let Some(path) = hop.place() else { return Ok(answer) };
    let framing = if matches!(answer.status, Some(204 | 304)) { Framing::Ended } else { framing(&answer)? };
    let mut body = Body { stream, framing, error: None };
    let spooled = sys.spool(path, 0o600, &mut body);
    match body.error {
        Some(error) => return Err(broken(error)),
        None => spooled?,
    }
    answer.fetched = true;
    Ok(answer)
}

fn broken(error: io::Error) -> Failure {
    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
        return Failure::new("Connection failure: timed out");
    }
    Failure::new(format!("Connection failure: {error}"))
}

/// The head of the request; `size` is how much follows.
fn request(hop: &Hop<'_>, size: Option<u64>) -> String {
    let verb = hop.method;
    let target = match (&hop.proxy, hop.url.target.as_str()) {
        (Some(_), _) => hop.url.plain(),
        (None, "") => "/".to_owned(),
        (None, target) => target.to_owned(),
    };
    let mut text = format!("{verb} {target} HTTP/1.1\r\n");
    let mut line = |name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            text.push_str(part);
        }
    };
    if !hop.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        line("Host", &hop.url.authority());
    }
    for (name, value) in &hop.headers {
        line(name, value);
    }
    if let Some((user, password)) = hop.proxy.as_ref().and_then(|proxy| proxy.credentials.as_ref()) {
        line("Proxy-Authorization", &format!("Basic {}", base64(format!("{user}:{password}").as_bytes())));
    }
    if let Some(size) = size.or_else(|| hop.lacks_body().then_some(0)) {
        line("Content-Length", &size.to_string());
    }
    line("Connection", "close");
    text + "\r\n"
}

fn head(stream: &mut Stream, hop: &Hop<'_>) -> Result<Answer> {
    let mut room = MAX_HEAD;
    let first = stream.line(&mut room).map_err(broken)?;
    let (status, reason) =
        status_line(&first).ok_or_else(|| Failure::new("Connection failure: the server speaks no HTTP"))?;
    let mut headers = Vec::new();
    loop {
        let line = stream.line(&mut room).map_err(broken)?;
        if line.is_empty() {
            break;
        }
        headers.extend(header_line(&line));
    }
    Ok(Answer::new(Some(status), reason, headers, hop.url.clone()))
}

fn framing(answer: &Answer) -> Result<Framing> {
    if answer.header("transfer-encoding").is_some_and(|how| how.to_ascii_lowercase().contains("chunked")) {
        return Ok(Framing::Chunked { left: 0, begun: false });
    }
    match answer.header("content-length") {
        None => Ok(Framing::UntilClosed),
        Some(_) => answer
            .length()
            .map(Framing::Sized)
            .ok_or_else(|| Failure::new("Connection failure: the server's Content-Length is no number")),
    }
}

/// How the end of the content is known.
enum Framing {
    Sized(u64),
    Chunked { left: u64, begun: bool },
    UntilClosed,
    Ended,
}

struct Body {
    stream: Stream,
    framing: Framing,
    /// What went wrong on the connection, as opposed to on the disk.
    error: Option<io::Error>,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.next(buffer);
        read.map_err(|error| {
            let kind = error.kind();
            self.error = Some(error);
            kind.into()
        })
    }
}

impl Body {
    fn next(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Framing::Chunked { left: left @ 0, begun } = &mut self.framing {
            let mut room = 4096;
            if *begun {
                self.stream.line(&mut room)?;
            }
            *begun = true;
            let line = self.stream.line(&mut room)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            *left = u64::from_str_radix(size, 16)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a chunk has no size"))?;
            if *left == 0 {
                self.framing = Framing::Ended;
            }
        }
        let left = match &mut self.framing {
            Framing::Ended | Framing::Sized(0) => return Ok(0),
            Framing::UntilClosed => return self.stream.read(buffer),
            Framing::Sized(left) | Framing::Chunked { left, .. } => left,
        };
        let most = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.stream.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up before the end"));
        }
        *left -= count as u64;
        Ok(count)
    }
}

struct Stream {
    connection: Box<dyn Connection>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Stream {
    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = loop {
                match self.connection.read(&mut self.buffer) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    other => break other?,
                }
            };
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill()?.read(buffer)?;
        self.start += count;
        Ok(count)
    }

    /// A line without its end. `room` is what all lines together may take.
    fn line(&mut self, room: &mut usize) -> io::Result<String> {
        let mut line = Vec::new();
        loop {
            let there = self.fill()?;
            if there.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the server hung up before the end",
                ));
            }
            let end = there.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(there.len(), |end| end + 1);
            line.extend_from_slice(there.get(..taken).unwrap_or_default());
            self.start += taken;
            *room = room
                .checked_sub(taken)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer's head is too long"))?;
            if end.is_some() {
                let text = String::from_utf8_lossy(&line);
                return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
            }
        }
    }
}
