//! Path patterns: `*`, `?`, `[a-z]`, as Python's `glob` and `fnmatch`.

use std::path::{Path, PathBuf};

use crate::kit::outcome::Result;
use crate::kit::system::System;

/// The paths that match, sorted. A path without wildcards matches itself when it is there. Names that start with
/// a dot are matched only by a pattern that does.
pub fn expand(sys: &System<'_>, pattern: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy();
        let mut next = Vec::new();
        for dir in found {
            if !has_magic(&name) {
                let path = dir.join(part);
                if sys.stat(&path)?.is_some() {
                    next.push(path);
                }
                continue;
            }
            let at = if dir.as_os_str().is_empty() { Path::new(".") } else { &dir };
            if !matches!(sys.stat_followed(at)?, Some(meta) if meta.is_dir()) {
                continue;
            }
            for entry in sys.list(at)? {
                let text = entry.to_string_lossy();
                if text.starts_with('.') == name.starts_with('.') && matches(&name, &text) {
                    next.push(dir.join(&entry));
                }
            }
        }
        found = next;
    }
    Ok(found)
}

/// Whether the text has a wildcard.
pub fn has_magic(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether a name matches a pattern (`fnmatch`).
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    go(&pattern, &name)
}

fn go(mut pattern: &[char], mut name: &[char]) -> bool {
    // Where to go on when what followed the last star did not match: one more character for the star.
    let mut retry: Option<(&[char], &[char])> = None;
    loop {
        let step = match (pattern.split_first(), name.split_first()) {
            (None, None) => return true,
            (Some(('*', rest)), _) => {
                retry = Some((rest, name));
                pattern = rest;
                continue;
            }
            (Some(('?', rest)), Some((_, left))) => Some((rest, left)),
            (Some(('[', rest)), Some((c, left))) => match class(rest) {
                Some((set, after)) => in_class(set, *c).then_some((after, left)),
                None => (*c == '[').then_some((rest, left)),
            },
            (Some((p, rest)), Some((c, left))) => (p == c).then_some((rest, left)),
            _ => None,
        };
        if let Some((rest, left)) = step {
            (pattern, name) = (rest, left);
            continue;
        }
        match retry {
            Some((rest, [_, left @ ..])) => {
                retry = Some((rest, left));
                (pattern, name) = (rest, left);
            }
            _ => return false,
        }
    }
}

/// The inside of `[…]`, and what follows; `None` when it is not closed.
fn class(rest: &[char]) -> Option<(&[char], &[char])> {
    let start = if rest.first() == Some(&'!') { 2 } else { 1 };
    let end = rest.iter().skip(start).position(|c| *c == ']')? + start;
    Some((rest.get(..end)?, rest.get(end + 1..)?))
}

fn in_class(set: &[char], c: char) -> bool {
    let (set, wanted) = match set.split_first() {
        Some(('!', rest)) => (rest, false),
        _ => (set, true),
    };
    let mut set = set;
    while let Some((first, rest)) = set.split_first() {
        if let [_, '-', last, after @ ..] = set {
            if (*first..=*last).contains(&c) {
                return wanted;
            }
            set = after;
        } else {
            if *first == c {
                return wanted;
            }
            set = rest;
        }
    }
    !wanted
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_match_as_with_fnmatch() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*.log", "a.log", true),
            ("*.log", "a.logs", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbYd", false),
            ("?x", "ax", true),
            ("?x", "x", false),
            ("[a-c]1", "b1", true),
            ("[!a-c]1", "b1", false),
            ("[]]", "]", true),
            ("[x", "[x", true),
            ("**a", "bba", true),
        ] {
            assert_eq!(super::matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
