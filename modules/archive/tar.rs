//! Tar archives, as GNU tar writes them: all that unpack tar can read that.

use std::io::{self, Cursor, Read};
use std::slice;

use super::entry::{Entry, Header, Known, Node};
use crate::kit::host::FileType;
use crate::kit::{Result, System};

const BLOCK: usize = 512;
/// An archive is as long as a number of these.
const RECORD: u64 = 20 * BLOCK as u64;

/// An archive to be read: made while it is.
pub(crate) struct Tar<'s, 'a> {
    entries: slice::Iter<'s, Entry>,
    sys: &'s System<'a>,
    part: Box<dyn Read + 's>,
    written: u64,
    ended: bool,
}

impl<'s, 'a> Tar<'s, 'a> {
    pub fn of(entries: &'s [Entry], sys: &'s System<'a>) -> Self {
        Self { entries: entries.iter(), sys, part: Box::new(io::empty()), written: 0, ended: false }
    }
}

impl Read for Tar<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.part.read(buffer)?;
            self.written += n as u64;
            if n > 0 || self.ended || buffer.is_empty() {
                return Ok(n);
            }
            self.part = if let Some(entry) = self.entries.next() {
                let content = entry.content(self.sys)?;
                let head = Cursor::new(head(entry));
                Box::new(head.chain(content).chain(io::repeat(0).take(padding(entry.size()))))
            } else {
                self.ended = true;
                let end = (self.written + 2 * BLOCK as u64).next_multiple_of(RECORD);
                Box::new(io::repeat(0).take(end - self.written))
            };
        }
    }
}

fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

/// An entry's header, after those that hold what is too long for it.
fn head(entry: &Entry) -> Vec<u8> {
    let header = header(entry);
    let mut name = entry.name.clone();
    if entry.node == Node::Dir {
        name.push(b'/');
    }
    let nobody = <[String; 2]>::default();
    let mut blocks = Vec::new();
    for (kind, text) in [(b'K', &header.link), (b'L', &name)] {
        if text.len() > 100 {
            let long = Header { kind, ..Header::default() };
            blocks.extend(block(b"././@LongLink", &long, text.len() as u64 + 1, (0, 0), &nobody));
            blocks.extend(text);
            blocks.push(0);
            blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
        }
    }
    let device = entry.meta.rdevice;
    let numbers = match entry.node {
        Node::Device(_) => (rustix::fs::major(device), rustix::fs::minor(device)),
        _ => (0, 0),
    };
    blocks.extend(block(&name, &header, entry.size(), numbers, &entry.owners));
    blocks
}

fn header(entry: &Entry) -> Header {
    let (kind, link) = match &entry.node {
        Node::File => (b'0', Vec::new()),
        Node::Again(first) => (b'1', first.clone()),
        Node::Link(target) => (b'2', target.clone()),
        Node::Device(FileType::Block) => (b'4', Vec::new()),
        Node::Device(_) => (b'3', Vec::new()),
        Node::Dir => (b'5', Vec::new()),
        Node::Fifo => (b'6', Vec::new()),
    };
    let meta = &entry.meta;
    let (uid, gid) = (meta.uid.into(), meta.gid.into());
    Header { kind, mode: meta.mode & 0o7777, uid, gid, mtime: meta.mtime.secs, link }
}

/// The fields of a header: where they are, and how long.
const MODE: (usize, usize) = (100, 8);
const UID: (usize, usize) = (108, 8);
const GID: (usize, usize) = (116, 8);
const SIZE: (usize, usize) = (124, 12);
const MTIME: (usize, usize) = (136, 12);
const SUM: (usize, usize) = (148, 8);
const LINK: (usize, usize) = (157, 100);
const MAGIC: (usize, usize) = (257, 8);
/// One byte less: it ends with a NUL.
const USER: (usize, usize) = (265, 31);
const GROUP: (usize, usize) = (297, 31);
const MAJOR: (usize, usize) = (329, 8);
const MINOR: (usize, usize) = (337, 8);
const PREFIX: (usize, usize) = (345, 155);

fn block(
    name: &[u8],
    header: &Header,
    size: u64,
    (major, minor): (u32, u32),
    [user, group]: &[String; 2],
) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    put(&mut block, (0, 100), name);
    put_number(&mut block, MODE, header.mode.into());
    put_number(&mut block, UID, header.uid);
    put_number(&mut block, GID, header.gid);
    put_number(&mut block, SIZE, size);
    put_number(&mut block, MTIME, header.mtime.max(0).unsigned_abs());
    put(&mut block, (156, 1), &[header.kind]);
    put(&mut block, LINK, &header.link);
    put(&mut block, MAGIC, b"ustar  ");
    put(&mut block, USER, user.as_bytes());
    put(&mut block, GROUP, group.as_bytes());
    if matches!(header.kind, b'3' | b'4') {
        put_number(&mut block, MAJOR, major.into());
        put_number(&mut block, MINOR, minor.into());
    }
    put(&mut block, SUM, b"        ");
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    put(&mut block, SUM, format!("{sum:06o}\0 ").as_bytes());
    block
}

fn put(block: &mut [u8], (at, length): (usize, usize), bytes: &[u8]) {
    for (to, from) in block.iter_mut().skip(at).take(length).zip(bytes) {
        *to = *from;
    }
}

/// In octal, with a NUL; what is too large for that in binary, marked by the first bit.
fn put_number(block: &mut [u8], field: (usize, usize), number: u64) {
    let digits = field.1 - 1;
    let octal = format!("{number:0digits$o}");
    if octal.len() <= digits {
        return put(block, field, octal.as_bytes());
    }
    let mut binary = vec![0; field.1.saturating_sub(8)];
    binary.extend(number.to_be_bytes());
    binary.drain(..binary.len() - field.1);
    if let Some(first) = binary.first_mut() {
        *first |= 0x80;
    }
    put(block, field, &binary);
}

/// What is in an archive.
pub(super) fn list(mut from: impl Read) -> io::Result<Vec<Known>> {
    let mut found = Vec::new();
    let (mut long_name, mut long_link, mut long_size) = (None, None, None);
    let mut block = [0; BLOCK];
    loop {
        from.read_exact(&mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(found);
        }
        let kind = block.get(156).copied().unwrap_or_default();
        let size = long_size.take().unwrap_or_else(|| number(&block, SIZE));
        if matches!(kind, b'K' | b'L' | b'x' | b'g') {
            let mut text = Vec::new();
            (&mut from).take(size).read_to_end(&mut text)?;
            skip(&mut from, padding(size))?;
            match kind {
                b'K' => long_link = Some(till_nul(&text)),
                b'L' => long_name = Some(till_nul(&text)),
                b'x' => {
                    for (key, value) in records(&text) {
                        match key {
                            b"path" => long_name = Some(value.to_vec()),
                            b"linkpath" => long_link = Some(value.to_vec()),
                            b"size" => {
                                long_size =
                                    std::str::from_utf8(value).ok().and_then(|size| size.parse().ok());
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
            continue;
        }
        let size = if matches!(kind, b'0' | 0 | b'7') { size } else { 0 };
        let (crc, read) = super::entry::sum(&mut (&mut from).take(size))?;
        if read < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        skip(&mut from, padding(size))?;
        let mut name = long_name.take().unwrap_or_else(|| plain_name(&block));
        while name.ends_with(b"/") {
            name.pop();
        }
        let link = long_link.take().unwrap_or_else(|| till_nul(field(&block, LINK)));
        let header = Header {
            kind: if kind == 0 { b'0' } else { kind },
            mode: u32::try_from(number(&block, MODE)).unwrap_or_default() & 0o7777,
            uid: number(&block, UID),
            gid: number(&block, GID),
            mtime: i64::try_from(number(&block, MTIME)).unwrap_or_default(),
            link,
        };
        found.push(Known { name, crc, size, header: Some(header) });
    }
}

/// What the archive of these entries holds.
pub(super) fn foretold(entries: &[Entry], sys: &System<'_>) -> Result<Vec<Known>> {
    let known = |entry: &Entry| {
        let header = Header { mtime: entry.meta.mtime.secs.max(0), ..header(entry) };
        Ok(Known { name: entry.name.clone(), crc: entry.crc(sys)?, size: entry.size(), header: Some(header) })
    };
    entries.iter().map(known).collect()
}

fn skip(from: &mut impl Read, bytes: u64) -> io::Result<()> {
    io::copy(&mut from.take(bytes), &mut io::sink()).map(drop)
}

fn field(block: &[u8], (at, length): (usize, usize)) -> &[u8] {
    block.get(at..at + length).unwrap_or_default()
}

fn till_nul(text: &[u8]) -> Vec<u8> {
    text.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
}

/// Of POSIX, not GNU, a name may begin in another field.
fn plain_name(block: &[u8]) -> Vec<u8> {
    let name = till_nul(field(block, (0, 100)));
    let prefix = till_nul(field(block, PREFIX));
    if prefix.is_empty() || field(block, MAGIC).starts_with(b"ustar ") {
        return name;
    }
    [prefix, name].join(&b'/')
}

fn number(block: &[u8], at: (usize, usize)) -> u64 {
    let bytes = field(block, at);
    match bytes.split_first() {
        Some((first, rest)) if first & 0x80 != 0 => {
            rest.iter().fold(u64::from(first & 0x7f), |number, byte| (number << 8) | u64::from(*byte))
        }
        _ => {
            let digits =
                bytes.iter().skip_while(|byte| **byte == b' ').take_while(|byte| byte.is_ascii_digit());
            digits.fold(0, |number, digit| number.wrapping_mul(8) + u64::from(digit - b'0'))
        }
    }
}

/// The records of a POSIX header: `LENGTH KEY=VALUE`, each with a line end.
fn records(mut text: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut records = Vec::new();
    while let Some(space) = text.iter().position(|byte| *byte == b' ') {
        let length =
            text.get(..space).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
        let Some(length) = length.filter(|length| *length > space + 1 && *length <= text.len()) else {
            break;
        };
        let (record, rest) = text.split_at(length);
        let record = record.get(space + 1..length - 1).unwrap_or_default();
        if let Some(equals) = record.iter().position(|byte| *byte == b'=') {
            let (key, value) = record.split_at(equals);
            records.push((key, value.get(1..).unwrap_or_default()));
        }
        text = rest;
    }
    records
}
