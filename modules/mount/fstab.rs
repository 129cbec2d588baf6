//! The lines of `fstab`.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub src: String,
    pub path: String,
    pub fstype: String,
    pub opts: String,
    pub dump: String,
    pub passno: String,
}

impl Entry {
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        let mut fields = line.split_whitespace().map(unescape);
        let (src, path, fstype) = (fields.next()?, fields.next()?, fields.next()?);
        let mut next = |usual: &str| fields.next().unwrap_or_else(|| usual.to_owned());
        Some(Self { src, path, fstype, opts: next("defaults"), dump: next("0"), passno: next("0") })
    }

    fn line(&self) -> String {
        let Self { src, path, fstype, opts, dump, passno } = self;
        [src, path, fstype, opts, dump, passno].map(|field| escape(field)).join(" ")
    }
}

/// The text with the entry in the place of the one that has its path, else at the end.
pub(super) fn with(text: &str, entry: &Entry) -> String {
    let mut found = false;
    let mut new = String::with_capacity(text.len());
    for line in text.lines() {
        match Entry::parse(line) {
            Some(known) if is_it(&known, entry) => {
                if known == *entry {
                    new.push_str(line);
                } else {
                    new.push_str(&entry.line());
                }
                found = true;
            }
            _ => new.push_str(line),
        }
        new.push('\n');
    }
    if !found {
        new.push_str(&entry.line());
        new.push('\n');
    }
    if !text.is_empty() && !text.ends_with('\n') && new.trim_end() == text { text.to_owned() } else { new }
}

/// Swap areas have no path; there the source counts.
fn is_it(known: &Entry, entry: &Entry) -> bool {
    let swap = matches!(entry.path.as_str(), "none" | "swap");
    known.path == entry.path && (!swap || known.src == entry.src)
}

pub(super) fn without(text: &str, path: &str) -> String {
    let goes = |line: &&str| Entry::parse(line).is_some_and(|known| known.path == path);
    if !text.lines().any(|line| goes(&line)) {
        return text.to_owned();
    }
    text.lines().filter(|line| !goes(line)).flat_map(|line| [line, "\n"]).collect()
}

const ESCAPES: [(&str, &str); 4] = [("\\", "\\134"), (" ", "\\040"), ("\t", "\\011"), ("&", "\\046")];

fn escape(field: &str) -> String {
    ESCAPES.iter().fold(field.to_owned(), |text, (plain, code)| text.replace(plain, code))
}

fn unescape(field: &str) -> String {
    ESCAPES.iter().rev().fold(field.to_owned(), |text, (plain, code)| text.replace(code, plain))
}
