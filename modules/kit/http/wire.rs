//! One question and its answer in HTTP/1.1, over an open connection. Each has a connection of its own.

use std::io::{self, Read, Write};
use std::time::Duration;

use crate::kit::host::Connection;
use crate::kit::http::answer::{header_line, status_line};
use crate::kit::{Failure, Result};

/// Longer heads are an attack or no HTTP.
const MAX_HEAD: usize = 256 * 1024;

/// What a server answers. Its content is read from it.
pub struct Reply {
    pub status: u16,
    pub reason: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    stream: Stream,
    framing: Framing,
    /// What went wrong on the connection, as opposed to on the disk.
    pub error: Option<io::Error>,
}

/// Sends a head (with the empty line at its end) and what follows it, and reads the answer's head.
pub fn exchange(
    mut connection: Box<dyn Connection>,
    head: &str,
    body: Option<&mut dyn Read>,
) -> Result<Reply> {
    connection.write_all(head.as_bytes()).map_err(broken)?;
    if let Some(body) = body {
        io::copy(body, &mut connection).map_err(broken)?;
    }
    connection.flush().map_err(broken)?;
    let stream = Stream { connection, buffer: vec![0; 16 * 1024], start: 0, end: 0 };
    let mut reply = Reply {
        status: 0,
        reason: String::new(),
        headers: Vec::new(),
        stream,
        framing: Framing::Ended,
        error: None,
    };
    while (0..200).contains(&reply.status) && reply.status != 101 {
        reply.read_head()?;
    }
    reply.framing = if matches!(reply.status, 204 | 304) { Framing::Ended } else { reply.framing() };
    Ok(reply)
}

pub fn broken(error: io::Error) -> Failure {
    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
        return Failure::new("Connection failure: timed out");
    }
    Failure::new(format!("Connection failure: {error}"))
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Sends more, where the connection is for both once the head has come, and that this is all; gives all that comes.
    pub fn converse(mut self, input: Option<&[u8]>, patience: Duration) -> Result<Vec<u8>> {
        let mut said = Vec::new();
        if let Some(input) = input {
            for piece in input.chunks(4096) {
                // What comes meanwhile is taken: who waits to be rid of it reads nothing more.
                self.take_what_is_there(&mut said).map_err(broken)?;
                if let Err(error) = self.stream.connection.write_all(piece) {
                    // It has ended, and wanted no more.
                    if error.kind() == io::ErrorKind::BrokenPipe {
                        break;
                    }
                    return Err(broken(error));
                }
            }
            self.stream.connection.set_read_timeout(patience).map_err(broken)?;
            match self.stream.connection.end_of_writing() {
                Err(error) if error.kind() != io::ErrorKind::NotConnected => return Err(broken(error)),
                _ => {}
            }
        }
        self.read_to_end(&mut said).map_err(|error| broken(self.error.take().unwrap_or(error)))?;
        Ok(said)
    }

    fn take_what_is_there(&mut self, said: &mut Vec<u8>) -> io::Result<()> {
        let mut buffer = [0; 4096];
        self.stream.connection.set_read_timeout(Duration::from_millis(1))?;
        loop {
            match self.next(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => said.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn read_head(&mut self) -> Result<()> {
        let mut room = MAX_HEAD;
        let first = self.stream.line(&mut room).map_err(broken)?;
        (self.status, self.reason) = status_line(&first)
            .ok_or_else(|| Failure::new("Connection failure: the server speaks no HTTP"))?;
        self.headers.clear();
        loop {
            let line = self.stream.line(&mut room).map_err(broken)?;
            if line.is_empty() {
                return Ok(());
            }
            self.headers.extend(header_line(&line));
        }
    }

    fn framing(&self) -> Framing {
        let chunked = |how: &str| how.to_ascii_lowercase().contains("chunked");
        if self.header("transfer-encoding").is_some_and(chunked) {
            return Framing::Chunked { left: 0, begun: false };
        }
        match self.header("content-length").map(|length| length.trim().parse()) {
            None => Framing::UntilClosed,
            Some(Ok(length)) => Framing::Sized(length),
            Some(Err(_)) => Framing::Nonsense,
        }
    }
}

/// How the end of the content is known.
enum Framing {
    Sized(u64),
    Chunked { left: u64, begun: bool },
    UntilClosed,
    Ended,
    Nonsense,
}

impl Read for Reply {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.next(buffer);
        read.map_err(|error| {
            let kind = error.kind();
            self.error = Some(error);
            kind.into()
        })
    }
}

impl Reply {
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
            Framing::Nonsense => {
                let why = "the server's Content-Length is no number";
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
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
            // Nothing is there, should the reading fail.
            (self.start, self.end) = (0, 0);
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

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn more_is_sent_after_the_head_and_what_comes_is_heard() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let other = std::thread::spawn(move || {
            let mut head = [0; 8];
            theirs.read_exact(&mut head).unwrap();
            theirs.write_all(b"HTTP/1.1 101 UPGRADED\r\n\r\n").unwrap();
            // Silence until all has come.
            let mut said = String::new();
            theirs.read_to_string(&mut said).unwrap();
            theirs.write_all(said.to_uppercase().as_bytes()).unwrap();
        });
        let reply = exchange(Box::new(ours), "GET /\r\n\n", None).unwrap();
        let heard = reply.converse(Some(b"hello"), Duration::from_secs(10)).unwrap();
        assert_eq!(heard, b"HELLO");
        other.join().unwrap();
    }
}
