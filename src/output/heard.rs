//! What commands say while they run (`--follow`): each line with its host's name, so that hosts may talk at once.

use std::fmt::Write;

use fanfare_modules::kit::host::Stream;

use super::page::Page;
use super::style::Meaning;

/// `web1 | line` for stdout, `web1 ! line` for stderr.
pub fn show(host: &str, stream: Stream, text: &str, page: &mut Page) {
    let (mark, meaning) = match stream {
        Stream::Out => ('|', Meaning::Plain),
        Stream::Err => ('!', Meaning::Verbose),
    };
    for line in text.lines() {
        page.out(meaning, format!("{host} {mark} {}", harmless(line)).trim_end());
    }
}

/// The line as it would stand in the end where it was written over itself, and without what a terminal would obey.
pub fn harmless(line: &str) -> String {
    let last = line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
    let mut text = String::with_capacity(last.len());
    for c in last.chars() {
        if c.is_control() && c != '\t' {
            // Nothing fails that writes to a text.
            let _ = write!(text, "{}", c.escape_default());
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn terminals_obey_nothing() {
        assert_eq!(harmless("a\tb ü"), "a\tb ü");
        assert_eq!(harmless("\u{1b}[2J\u{7}x"), "\\u{1b}[2J\\u{7}x");
        assert_eq!(harmless(" 1 %\r50 %\r99 %\r"), "99 %");
    }
}
