//! What kind of content a file has, told from its first bytes: a small part of what `file` knows.

use crate::kit::host::FileType;

/// How files of a kind begin.
const MAGIC: [(&[u8], &str); 16] = [
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"PK\x03\x04", "application/zip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"!<arch>\ndebian", "application/vnd.debian.binary-package"),
    (b"\xed\xab\xee\xdb", "application/x-rpm"),
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"RIFF", "application/octet-stream"),
    (b"OggS", "audio/ogg"),
    (b"\xca\xfe\xba\xbe", "application/x-java-applet"),
];

/// The MIME type and the character set, as `file --mime` prints them.
pub fn guess(kind: FileType, start: &[u8]) -> (&'static str, &'static str) {
    match kind {
        FileType::File => {}
        FileType::Dir => return ("inode/directory", "binary"),
        FileType::Link => return ("inode/symlink", "binary"),
        FileType::Fifo => return ("inode/fifo", "binary"),
        FileType::Socket => return ("inode/socket", "binary"),
        FileType::Block => return ("inode/blockdevice", "binary"),
        FileType::Char => return ("inode/chardevice", "binary"),
    }
    if start.is_empty() {
        return ("inode/x-empty", "binary");
    }
    if let Some(elf) = start.strip_prefix(b"\x7fELF") {
        // The object's type, a 16-bit number whose low byte comes first on the machines there are.
        return match elf.get(12) {
            Some(1) => ("application/x-object", "binary"),
            Some(2) => ("application/x-executable", "binary"),
            Some(3) => ("application/x-pie-executable", "binary"),
            Some(4) => ("application/x-coredump", "binary"),
            _ => ("application/octet-stream", "binary"),
        };
    }
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
        return (name, "binary");
    }
    if start.get(257..262) == Some(b"ustar") {
        return ("application/x-tar", "binary");
    }
    let charset = match std::str::from_utf8(start) {
        _ if start.iter().any(|byte| *byte < 0x20 && !b"\t\n\r\x0c\x08\x1b".contains(byte)) => "binary",
        Ok(_) if start.is_ascii() => "us-ascii",
        Ok(_) => "utf-8",
        // The last character may be cut off.
        Err(bad) if bad.error_len().is_none() && bad.valid_up_to() > 0 => "utf-8",
        Err(_) => "iso-8859-1",
    };
    if charset == "binary" {
        return ("application/octet-stream", "binary");
    }
    (text_type(start), charset)
}

fn text_type(start: &[u8]) -> &'static str {
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |word: &[u8]| first.windows(word.len()).any(|part| part == word);
    if first.starts_with(b"#!") {
        return match () {
            () if has(b"python") => "text/x-script.python",
            () if has(b"perl") => "text/x-perl",
            () if has(b"ruby") => "text/x-ruby",
            () if has(b"node") => "application/javascript",
            () if has(b"sh") => "text/x-shellscript",
            () => "text/plain",
        };
    }
    let trimmed = start.trim_ascii_start();
    if trimmed.starts_with(b"<?xml") {
        "text/xml"
    } else if trimmed.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case(b"<html"))
        || trimmed.get(..9).is_some_and(|tag| tag.eq_ignore_ascii_case(b"<!doctype"))
    {
        "text/html"
    } else if matches!(trimmed.first(), Some(b'{' | b'['))
        && serde_json::from_slice::<serde::de::IgnoredAny>(start).is_ok()
    {
        "application/json"
    } else {
        "text/plain"
    }
}

#[cfg(test)]
mod tests {
    use crate::kit::host::FileType;

    #[test]
    fn content_is_told_as_file_tells_it() {
        for (start, kind, charset) in [
            (&b""[..], "inode/x-empty", "binary"),
            (b"hello\n", "text/plain", "us-ascii"),
            ("h\u{e9}llo\n".as_bytes(), "text/plain", "utf-8"),
            (b"h\xe9llo\n", "text/plain", "iso-8859-1"),
            (b"#!/bin/sh\n", "text/x-shellscript", "us-ascii"),
            (b"{\"a\": 1}", "application/json", "us-ascii"),
            (b"\x1f\x8b\x08", "application/gzip", "binary"),
            (b"a\0b", "application/octet-stream", "binary"),
        ] {
            assert_eq!(super::guess(FileType::File, start), (kind, charset), "{start:?}");
        }
        assert_eq!(super::guess(FileType::Dir, b""), ("inode/directory", "binary"));
    }
}
