//! What is written into files, wherever it comes from.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, BufRead as _, Cursor, Read};
use std::path::Path;

use sha1::Digest;

use crate::kit::control::{ControlFile, key_of_sha1};
use crate::kit::digest::{Algorithm, hex};
use crate::kit::outcome::{Failure, Result};
use crate::kit::system::{Channel, System};
use crate::kit::wire::PIECE;

/// Content for a file.
#[derive(Clone, Debug)]
pub enum Content<'c> {
    Bytes(Cow<'c, [u8]>),
    /// Of the control node: asked for only where it differs.
    Control(&'c ControlFile),
    /// Of another file on the target.
    Copy(&'c Path),
}

impl<'c> From<&'c str> for Content<'c> {
    fn from(text: &'c str) -> Self {
        Self::Bytes(text.as_bytes().into())
    }
}

impl<'c> From<&'c [u8]> for Content<'c> {
    fn from(bytes: &'c [u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<String> for Content<'_> {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes().into())
    }
}

impl From<Vec<u8>> for Content<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl<'c> From<&'c ControlFile> for Content<'c> {
    fn from(file: &'c ControlFile) -> Self {
        Self::Control(file)
    }
}

impl System<'_> {
    /// The content of a file of the control node.
    pub fn control_content(&mut self, file: &ControlFile) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.control_reader(file, false)?
            .read_to_end(&mut bytes)
            .map_err(|e| Failure::new(format!("cannot get {} from the control node: {e}", shown(file))))?;
        Ok(bytes)
    }

    /// The SHA-1 of a file of the control node, in lower-case hex. The control node may have to read it first.
    pub fn sha1_of(&mut self, file: &ControlFile) -> Result<String> {
        if !file.unhashed {
            return Ok(file.sha1.clone());
        }
        if let Some(sha1) = self.sha1s.get(&file.sha1) {
            return Ok(sha1.clone());
        }
        self.ask_for_sha1(file)?;
        self.hear_sha1(file)
    }

    /// Whether the file at the path has that SHA-1. Both sides take theirs at the same time.
    pub(super) fn has_sha1_of(&mut self, path: &Path, file: &ControlFile) -> Result<bool> {
        let is_late = file.unhashed && !self.sha1s.contains_key(&file.sha1);
        if is_late {
            self.ask_for_sha1(file)?;
        }
        let here = self.checksum(path, Algorithm::Sha1)?;
        let there = if is_late { self.hear_sha1(file)? } else { self.sha1_of(file)? };
        Ok(here == there)
    }

    fn ask_for_sha1(&mut self, file: &ControlFile) -> Result<()> {
        let asked = self.channel.need(&key_of_sha1(&file.sha1)).and_then(|()| self.channel.flush());
        asked.map_err(|e| Failure::new(format!("cannot ask for the SHA-1 of {}: {e}", shown(file))))
    }

    fn hear_sha1(&mut self, file: &ControlFile) -> Result<String> {
        let heard = self.channel.receive(&key_of_sha1(&file.sha1)).and_then(|(mut piece, _)| {
            let mut sha1 = String::new();
            piece.read_to_string(&mut sha1)?;
            Ok(sha1)
        });
        let sha1 =
            heard.map_err(|e| Failure::new(format!("cannot get the SHA-1 of {}: {e}", shown(file))))?;
        self.sha1s.insert(file.sha1.clone(), sha1.clone());
        Ok(sha1)
    }

    /// Asks for the content of several files at once: one round trip. They must then be read with
    /// `asked` set, in this order, nothing else between.
    pub(super) fn ask_for(&mut self, file: &ControlFile) -> Result<()> {
        if file.content.is_none() && file.size > 0 {
            self.channel
                .need(&file.sha1)
                .map_err(|e| Failure::new(format!("cannot ask for {}: {e}", shown(file))))?;
        }
        Ok(())
    }

    /// Reads a control file's content as it arrives, and checks it against its hash at the end.
    pub(super) fn control_reader<'s>(
        &'s mut self,
        file: &ControlFile,
        asked: bool,
    ) -> Result<Box<dyn Read + 's>> {
        if let Some(bytes) = file.inline_bytes() {
            let bytes =
                bytes.map_err(|why| Failure::new(format!("bad content for {}: {why}", shown(file))))?;
            return Ok(Box::new(Cursor::new(bytes.into_owned())));
        }
        if file.size == 0 {
            return Ok(Box::new(io::empty()));
        }
        if !asked {
            self.ask_for(file)?;
        }
        Ok(Box::new(Incoming {
            channel: &mut *self.channel,
            key: file.sha1.clone(),
            heard: file.unhashed.then_some(&mut self.sha1s),
            hasher: Some(sha1::Sha1::new()),
            piece: Cursor::new(Vec::new()),
            last: false,
        }))
    }

    /// Sends a file to the control node, which knows what to do with that key.
    pub fn send_file(&mut self, key: &str, path: &Path) -> Result<()> {
        let mut file = self.host.open(path)?;
        self.send(key, &mut file)
    }

    /// Sends content to the control node, which knows what to do with that key.
    pub fn send(&mut self, key: &str, content: &mut dyn Read) -> Result<()> {
        let fail = |e: io::Error| Failure::new(format!("cannot send {key}: {e}"));
        let mut buffer = vec![0; PIECE];
        loop {
            let n = content.read(&mut buffer).map_err(fail)?;
            self.channel.send(key, buffer.get(..n).unwrap_or_default(), n == 0).map_err(fail)?;
            if n == 0 {
                return Ok(());
            }
        }
    }
}

fn shown(file: &ControlFile) -> &str {
    if file.source.is_empty() { &file.name } else { &file.source }
}

/// Content on its way from the control node.
struct Incoming<'s> {
    channel: &'s mut dyn Channel,
    key: String,
    /// Where the SHA-1 is kept of content whose key is none.
    heard: Option<&'s mut HashMap<String, String>>,
    /// Taken when the end was checked.
    hasher: Option<sha1::Sha1>,
    piece: Cursor<Vec<u8>>,
    last: bool,
}

impl Read for Incoming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.piece.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            if self.last {
                if let Some(hasher) = self.hasher.take() {
                    let sha1 = hex(&hasher.finalize());
                    match &mut self.heard {
                        Some(heard) => drop(heard.insert(self.key.clone(), sha1)),
                        None if sha1 == self.key => {}
                        None => {
                            let changed = "the content changed on its way";
                            return Err(io::Error::new(io::ErrorKind::InvalidData, changed));
                        }
                    }
                }
                return Ok(0);
            }
            let (mut piece, last) = self.channel.receive(&self.key)?;
            if let Some(hasher) = &mut self.hasher {
                hasher.update(piece.fill_buf()?);
            }
            self.piece = piece;
            self.last = last;
        }
    }
}
