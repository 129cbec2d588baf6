//! The record of what a call changed, and the diff made from it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

/// Larger contents are not shown in diffs. Ansible's default.
pub const MAX_DIFF_BYTES: u64 = 104_448;

/// One change, made or (in check mode) foretold.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A file's content. `before` is `None` when there was no file.
    /// `source` is where the new content is from, when it has a name.
    Content { path: PathBuf, before: Option<Snippet>, after: Snippet, source: Option<String> },
    /// Something about a path: `mode`, `owner`, `state` …
    Attribute { path: PathBuf, key: &'static str, before: Json, after: Json },
    /// A command ran.
    Ran { line: String },
    /// Anything else, told by before and after.
    Other { what: String, before: Json, after: Json },
}

/// Content as a diff shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snippet {
    /// Not looked at: no diff is wanted.
    Unread,
    Text(String),
    Binary,
    /// Its size in bytes.
    Larger(u64),
    /// It must not show.
    Hidden,
}

impl Snippet {
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            _ if bytes.len() as u64 > MAX_DIFF_BYTES => Self::Larger(bytes.len() as u64),
            Ok(text) if !text.contains('\0') => Self::Text(text.to_owned()),
            _ => Self::Binary,
        }
    }
}

impl Change {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Content { path, .. } | Self::Attribute { path, .. } => Some(path),
            Self::Ran { .. } | Self::Other { .. } => None,
        }
    }

    /// Whether the file system's state changed, as opposed to whatever a command did.
    pub fn is_file_change(&self) -> bool {
        self.path().is_some()
    }
}

/// Ansible's `diff` key: one mapping, or a list of them when there are several; `None` when there is nothing to
/// show.
pub fn diff(changes: &[Change]) -> Option<Json> {
    let mut diffs: Vec<Json> = Vec::new();
    // Per path, in order of first appearance: the attributes that changed.
    let mut attributes: Vec<(&Path, [Map<String, Json>; 2])> = Vec::new();
    for change in changes {
        match change {
            Change::Content { path, before, after, source } => {
                diffs.push(content(path, before.as_ref(), after, source.as_deref()));
            }
            Change::Attribute { path, key, before, after } => {
                let at = attributes.iter().position(|(known, _)| known == path).unwrap_or_else(|| {
                    let start = Map::from_iter([("path".to_owned(), Json::from(path.to_string_lossy()))]);
                    attributes.push((path, [start.clone(), start]));
                    attributes.len() - 1
                });
                if let Some((_, [old, new])) = attributes.get_mut(at) {
                    // The first before and the last after count.
                    old.entry((*key).to_owned()).or_insert_with(|| before.clone());
                    new.insert((*key).to_owned(), after.clone());
                }
            }
            Change::Other { what, before, after } => diffs.push(json!({
                "before_header": what, "before": before, "after_header": what, "after": after,
            })),
            Change::Ran { .. } => {}
        }
    }
    diffs
        .extend(attributes.into_iter().map(|(_, [before, after])| json!({"before": before, "after": after})));
    if diffs.len() > 1 { Some(Json::Array(diffs)) } else { diffs.pop() }
}

fn content(path: &Path, before: Option<&Snippet>, after: &Snippet, source: Option<&str>) -> Json {
    let mut map = Map::new();
    let path = path.to_string_lossy();
    let mut side =
        |snippet: Option<&Snippet>, text: &str, header: (&str, &str), binary: &str, larger: &str| {
            match snippet {
                None => {
                    map.insert(text.to_owned(), Json::from(""));
                    return;
                }
                Some(Snippet::Text(content)) => map.insert(text.to_owned(), Json::from(content.as_str())),
                Some(Snippet::Binary) => map.insert(binary.to_owned(), Json::from(1)),
                Some(Snippet::Larger(_)) => map.insert(larger.to_owned(), Json::from(MAX_DIFF_BYTES)),
                Some(Snippet::Hidden) => {
                    map.insert(text.to_owned(), Json::from(" [[ Diff output has been hidden ]]"))
                }
                Some(Snippet::Unread) => None,
            };
            map.insert(header.0.to_owned(), Json::from(header.1));
        };
    side(before, "before", ("before_header", &path), "dst_binary", "dst_larger");
    side(Some(after), "after", ("after_header", source.unwrap_or(&path)), "src_binary", "src_larger");
    Json::Object(map)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{Change, Snippet, diff};

    fn check(changes: &[Change], expected: &Json) {
        assert_eq!(&diff(changes).unwrap_or_default(), expected);
    }

    #[test]
    fn diffs_have_ansibles_shape() {
        let mode = |before: &str, after: &str| Change::Attribute {
            path: "/f".into(),
            key: "mode",
            before: before.into(),
            after: after.into(),
        };
        let text = |before: Option<&str>, after: &[u8]| Change::Content {
            path: "/f".into(),
            before: before.map(|text| Snippet::Text(text.to_owned())),
            after: Snippet::of(after),
            source: None,
        };
        check(&[], &Json::Null);
        check(&[Change::Ran { line: "true".into() }], &Json::Null);
        check(
            &[mode("0644", "0600"), mode("0600", "0640")],
            &json!({"before": {"path": "/f", "mode": "0644"}, "after": {"path": "/f", "mode": "0640"}}),
        );
        check(&[text(None, b"a\n")], &json!({"before": "", "after": "a\n", "after_header": "/f"}));
        check(&[text(None, b"\xff")], &json!({"before": "", "src_binary": 1, "after_header": "/f"}));
        check(
            &[text(Some("a"), b"b"), mode("0644", "0600")],
            &json!([
                {"before": "a", "before_header": "/f", "after": "b", "after_header": "/f"},
                {"before": {"path": "/f", "mode": "0644"}, "after": {"path": "/f", "mode": "0600"}},
            ]),
        );
    }
}
