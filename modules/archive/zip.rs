//! Zip archives.

use std::io::{self, Cursor, Read};
use std::path::Path;
use std::slice;

use flate2::Compression;
use flate2::CrcReader;
use flate2::read::DeflateEncoder;
use jiff::tz::TimeZone;

use super::entry::{Entry, Known, Node, unread};
use crate::kit::{Result, System};

/// What the fields of old cannot hold, others do.
const FULL: u32 = u32::MAX;
/// An entry this large may not fit the fields of old, packed.
const LARGE: u64 = 0xf000_0000;
const DEFLATED: u16 = 8;
/// Sizes and checksum come behind the content; names are UTF-8.
const FLAGS: u16 = 0x0808;

/// An archive to be read: made while it is.
pub(super) struct Zip<'s, 'a> {
    entries: slice::Iter<'s, Entry>,
    sys: &'s System<'a>,
    zone: TimeZone,
    part: Cursor<Vec<u8>>,
    packing: Option<Packing<'s>>,
    directory: Vec<u8>,
    count: u64,
    written: u64,
    ended: bool,
}

/// The entry that is being packed.
struct Packing<'s> {
    content: DeflateEncoder<CrcReader<Box<dyn Read + 's>>>,
    entry: &'s Entry,
    offset: u64,
}

impl<'s, 'a> Zip<'s, 'a> {
    pub fn of(entries: &'s [Entry], sys: &'s System<'a>) -> Self {
        Self {
            entries: entries.iter(),
            sys,
            zone: crate::setup::clock::zone(sys),
            part: Cursor::default(),
            packing: None,
            directory: Vec::new(),
            count: 0,
            written: 0,
            ended: false,
        }
    }

    fn begin(&mut self, entry: &'s Entry) -> io::Result<()> {
        let content = DeflateEncoder::new(CrcReader::new(entry.content(self.sys)?), Compression::default());
        self.packing = Some(Packing { content, entry, offset: self.written });
        let large = is_large(entry);
        let mut head = Vec::new();
        put4(&mut head, 0x0403_4b50);
        put2(&mut head, if large { 45 } else { 20 });
        put2(&mut head, FLAGS);
        put2(&mut head, DEFLATED);
        put4(&mut head, self.stamp(entry));
        put4(&mut head, 0);
        put4(&mut head, if large { FULL } else { 0 });
        put4(&mut head, if large { FULL } else { 0 });
        let name = name(entry);
        put2(&mut head, short(name.len()));
        put2(&mut head, if large { 20 } else { 0 });
        head.extend(name);
        if large {
            put2(&mut head, 1);
            put2(&mut head, 16);
            head.extend([0; 16]);
        }
        self.part = Cursor::new(head);
        Ok(())
    }

    /// What comes behind an entry's content; the directory at the end learns of it.
    fn end(&mut self, done: &Packing<'_>) {
        let (packed, size) = (done.content.total_out(), done.content.total_in());
        let crc = done.content.get_ref().crc().sum();
        let large = is_large(done.entry);
        let mut tail = Vec::new();
        put4(&mut tail, 0x0807_4b50);
        put4(&mut tail, crc);
        for number in [packed, size] {
            if large { put8(&mut tail, number) } else { put4(&mut tail, narrow(number)) }
        }
        self.part = Cursor::new(tail);
        let name = name(done.entry);
        let mut extra = Vec::new();
        for number in [size, packed, done.offset] {
            if narrow(number) == FULL {
                put8(&mut extra, number);
            }
        }
        let stamp = self.stamp(done.entry);
        let directory = &mut self.directory;
        put4(directory, 0x0201_4b50);
        // Packed on a Unix.
        put2(directory, 0x0300 | if extra.is_empty() { 20 } else { 45 });
        put2(directory, if extra.is_empty() { 20 } else { 45 });
        put2(directory, FLAGS);
        put2(directory, DEFLATED);
        put4(directory, stamp);
        put4(directory, crc);
        put4(directory, narrow(packed));
        put4(directory, narrow(size));
        put2(directory, short(name.len()));
        put2(directory, if extra.is_empty() { 0 } else { short(extra.len() + 4) });
        put2(directory, 0);
        put2(directory, 0);
        put2(directory, 0);
        let is_dir = done.entry.node == Node::Dir;
        let kind = if is_dir { 0o040_000 } else { 0o100_000 };
        put4(directory, ((kind | done.entry.meta.mode & 0o7777) << 16) | if is_dir { 0x10 } else { 0 });
        put4(directory, narrow(done.offset));
        directory.extend(name);
        if !extra.is_empty() {
            put2(directory, 1);
            put2(directory, short(extra.len()));
            directory.extend(extra);
        }
        self.count += 1;
    }

    fn finish(&mut self) {
        self.ended = true;
        let (offset, size) = (self.written, self.directory.len() as u64);
        let mut last = std::mem::take(&mut self.directory);
        if self.count >= 0xffff || narrow(offset) == FULL || narrow(size) == FULL {
            put4(&mut last, 0x0606_4b50);
            put8(&mut last, 44);
            put2(&mut last, 0x032d);
            put2(&mut last, 45);
            put4(&mut last, 0);
            put4(&mut last, 0);
            for number in [self.count, self.count, size, offset] {
                put8(&mut last, number);
            }
            put4(&mut last, 0x0706_4b50);
            put4(&mut last, 0);
            put8(&mut last, offset + size);
            put4(&mut last, 1);
        }
        put4(&mut last, 0x0605_4b50);
        put4(&mut last, 0);
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        put2(&mut last, count);
        put2(&mut last, count);
        put4(&mut last, narrow(size));
        put4(&mut last, narrow(offset));
        put2(&mut last, 0);
        self.part = Cursor::new(last);
    }

    /// When it was changed, by the clock on the wall, in steps of two seconds since 1980.
    fn stamp(&self, entry: &Entry) -> u32 {
        let Ok(at) = jiff::Timestamp::new(entry.meta.mtime.secs, 0) else { return 1 << 21 };
        let at = at.to_zoned(self.zone.clone());
        let part = |number: i8| u32::from(number.unsigned_abs());
        let year = u32::from(at.year().unsigned_abs());
        if !(1980..2108).contains(&year) {
            return (1 << 21) | (1 << 16);
        }
        let date = (year - 1980) << 9 | part(at.month()) << 5 | part(at.day());
        date << 16 | part(at.hour()) << 11 | part(at.minute()) << 5 | (part(at.second()) / 2)
    }
}

impl Read for Zip<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let mut n = self.part.read(buffer)?;
            if n == 0
                && let Some(packing) = &mut self.packing
            {
                n = packing.content.read(buffer)?;
            }
            if n > 0 || self.ended {
                self.written += n as u64;
                return Ok(n);
            }
            if let Some(done) = self.packing.take() {
                self.end(&done);
            } else if let Some(entry) = self.entries.next() {
                self.begin(entry)?;
            } else {
                self.finish();
            }
        }
    }
}

fn is_large(entry: &Entry) -> bool {
    entry.size() >= LARGE
}

fn name(entry: &Entry) -> Vec<u8> {
    let slash: &[u8] = if entry.node == Node::Dir { b"/" } else { b"" };
    [&entry.name, slash].concat()
}

fn put2(bytes: &mut Vec<u8>, number: u16) {
    bytes.extend(number.to_le_bytes());
}

fn put4(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend(number.to_le_bytes());
}

fn put8(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend(number.to_le_bytes());
}

fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(FULL)
}

/// What is in an archive: it says so at its end. `None` where that is no zip archive's.
pub(super) fn list(path: &Path, sys: &System<'_>) -> Result<Option<Vec<Known>>> {
    let fail = |error: io::Error| unread(path, &error);
    let size = sys.stat_followed(path)?.map_or(0, |meta| meta.size);
    // A comment may follow what is looked for.
    let tail = tail_of(path, size.saturating_sub(0x1_0100), sys).map_err(fail)?;
    let Some(at) = tail.windows(4).rposition(|bytes| bytes == b"PK\x05\x06") else { return Ok(None) };
    let mut offset = number(&tail, at + 16, 4);
    if offset == u64::from(FULL)
        && let Some(at) = tail.windows(4).rposition(|bytes| bytes == b"PK\x06\x06")
    {
        offset = number(&tail, at + 48, 8);
    }
    let directory = tail_of(path, offset, sys).map_err(fail)?;
    let mut found = Vec::new();
    let mut rest = directory.as_slice();
    while rest.starts_with(b"PK\x01\x02") {
        let lengths: Vec<usize> =
            [28, 30, 32].iter().map(|at| usize::try_from(number(rest, *at, 2)).unwrap_or_default()).collect();
        let [name, extra, comment] = lengths.as_slice() else { break };
        let end = 46 + name;
        let bytes = rest.get(46..end).unwrap_or_default().to_vec();
        let crc = narrow(number(rest, 16, 4));
        found.push(Known { name: bytes, crc, size: 0, header: None });
        rest = rest.get(end + extra + comment..).unwrap_or_default();
    }
    Ok(Some(found))
}

/// What the archive of these entries holds.
pub(super) fn foretold(entries: &[Entry], sys: &System<'_>) -> Result<Vec<Known>> {
    let known = |entry: &Entry| Ok(Known { name: name(entry), crc: entry.crc(sys)?, size: 0, header: None });
    entries.iter().map(known).collect()
}

fn tail_of(path: &Path, from: u64, sys: &System<'_>) -> io::Result<Vec<u8>> {
    let mut file = sys.open(path).map_err(|failure| io::Error::other(failure.msg))?;
    io::copy(&mut (&mut file).take(from), &mut io::sink())?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail)
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let bytes = bytes.get(at..at + length).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
