//! The syntax of `ansible.cfg`: sections, `key = value` or `key: value`, indented continuation lines, comments on
//! lines of their own (`#`, `;`) and after ` ;`.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, Result, Source};

/// One setting as it stands in the file.
#[derive(Debug)]
pub(super) struct Entry {
    pub section: String,
    /// In lower case.
    pub key: String,
    pub value: String,
    pub place: Place,
}

pub(super) fn read(path: &Path) -> Result<Vec<Entry>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Diagnostic::new(format!("cannot read {}: {error}", path.display())))?;
    parse(&Arc::new(Source { path: path.to_owned(), text: text.into(), secret: false }))
}

fn parse(source: &Arc<Source>) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut section: Option<&str> = None;
    let mut open = false;
    for (line, number) in source.text.lines().zip(1_u32..) {
        let place = Place { source: Arc::clone(source), line: number, column: 1, length: 0 };
        let content = without_comment(line);
        let trimmed = content.trim();
        if trimmed.is_empty() {
            continue;
        }
        if open && line.starts_with([' ', '\t']) {
            if let Some(last) = entries.last_mut() {
                last.value.push('\n');
                last.value.push_str(trimmed);
            }
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            section = Some(name.0);
            open = false;
            continue;
        }
        let Some(section) = section else {
            return Err(Diagnostic::new("a setting before the first section")
                .at(&place)
                .hint("start with a line `[defaults]`"));
        };
        let Some((key, value)) = trimmed.split_once(['=', ':']) else {
            return Err(Diagnostic::new("expected `key = value`").at(&place));
        };
        let key = key.trim().to_lowercase();
        if let Some(first) = entries.iter().find(|entry| entry.section == section && entry.key == key) {
            return Err(Diagnostic::new(format!("{section}.{key} is set twice"))
                .at(&place)
                .note("first set here", Some(first.place.clone())));
        }
        entries.push(Entry { section: section.to_owned(), key, value: value.trim().to_owned(), place });
        open = true;
    }
    Ok(entries)
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with(['#', ';']) {
        return "";
    }
    let starts =
        |(at, _): &(usize, &str)| line.get(..*at).is_some_and(|before| before.ends_with([' ', '\t']));
    match line.match_indices(';').find(starts) {
        Some((at, _)) => line.get(..at).unwrap_or(line),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let source = Arc::new(Source { path: "ansible.cfg".into(), text: text.into(), secret: false });
        let got = match parse(&source) {
            Ok(entries) => entries
                .iter()
                .map(|entry| format!("{}.{}={:?}", entry.section, entry.key, entry.value))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => format!("{error} at {}", error.place().expect("a place")),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn syntax() {
        check("[defaults]\nForks = 7\nroles_path: a:b\n", r#"defaults.forks="7" defaults.roles_path="a:b""#);
        check("# c\n; c\n[a]\nx = 1 ; c\ny = 1;2\nz = # no\n", r##"a.x="1" a.y="1;2" a.z="# no""##);
        check("[a]\nx = 1,\n   2\n\n  3\n[b]\ny=\n", r#"a.x="1,\n2\n3" b.y="""#);
        check("x = 1\n", "a setting before the first section at ansible.cfg:1:1");
        check("[a]\nx\n", "expected `key = value` at ansible.cfg:2:1");
        check("[a]\nx=1\nX=2\n", "a.x is set twice at ansible.cfg:3:1");
    }
}
