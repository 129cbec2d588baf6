//! The record of what a call changed, and the diff made from it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use crate::kit::charset::Charset;

/// Larger contents are not shown in diffs. Ansible's default.
pub const MAX_DIFF_BYTES: u64 = 104_448;

/// One change, made or (in check mode) foretold.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A file's content. `before` is `None` when there was no file.
    /// `source` is where the new content is from, when it has a name.
    Content { path: PathBuf, before: Option<Snippet>, after: Snippet, source: Option<String> },
    /// Something about a path: `mode`, `owner`, `state` … Null: it has none.
    Attribute { path: PathBuf, key: &'static str, before: Json, after: Json },
    /// A command ran. `told` is what it said it would change, or has.
    Ran { line: String, told: Option<String> },
    /// Anything else, told by before and after; `what` may be empty.
    Other { what: String, before: Json, after: Json },
}

/// Content as a diff shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snippet {
    /// Not looked at: no diff is wanted, or it must not show.
    Unread,
    Text(String),
    Binary,
    /// Its size in bytes.
    Larger(u64),
}

impl Snippet {
    pub fn of(bytes: Vec<u8>, charset: Charset) -> Self {
        if bytes.len() as u64 > MAX_DIFF_BYTES {
            return Self::Larger(bytes.len() as u64);
        }
        match charset.decode(bytes) {
            Ok(text) if !text.contains('\0') => Self::Text(text),
            _ => Self::Binary,
        }
    }
}

impl Change {
    pub fn path(&self) -> Option<&Path> {
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

/// The shape of a call's `diff`, which Ansible's modules do not share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// One mapping, or a list of them when there are several; nothing when nothing changed.
    #[default]
    Mapping,
    /// The same, and a mapping of the path alone when nothing changed.
    Managed(PathBuf),
    /// A list, an empty one where no diff is wanted; of a file that is as it should be the mapping of its path.
    Copied(PathBuf),
    /// A list, whose headers name the part of the file: `/f (content)`, `/f (file attributes)`.
    Parts,
    /// Such a list of both parts, changed or not, the content being empty where no diff is wanted. `content` is
    /// what the file holds when nothing changed.
    Edited { path: PathBuf, content: String },
    /// The whole text of a file, changed or not, wanted or not. `before` is `None` when there was no file.
    Whole { path: PathBuf, before: Option<String>, after: String },
    /// States of something that is no file, empty ones when nothing changed.
    States { before: Map<String, Json>, after: Map<String, Json> },
    /// What the module made itself, wanted or not.
    Given(Map<String, Json>),
}

impl Shape {
    fn names_parts(&self) -> bool {
        matches!(self, Self::Parts | Self::Edited { .. })
    }
}

/// Ansible's `diff` key in the shape of the module; `None` where it has none.
pub fn diff(changes: &[Change], shape: &Shape, wanted: bool) -> Option<Json> {
    let unchanged = |path: &Path| {
        let path = path.to_string_lossy();
        json!({"before": {"path": path}, "after": {"path": path}})
    };
    match shape {
        Shape::Copied(_) if !wanted => return Some(json!([])),
        Shape::Edited { path, content } => return Some(edited(changes, path, content, wanted)),
        Shape::Whole { path, before, after } => return Some(whole(path, before.as_deref(), after)),
        Shape::Given(diff) => return Some(diff.clone().into()),
        _ if !wanted => return None,
        Shape::States { before, after } => return Some(json!({"before": before, "after": after})),
        Shape::Managed(path) | Shape::Copied(path) if changes.is_empty() => return Some(unchanged(path)),
        Shape::Mapping | Shape::Managed(_) | Shape::Copied(_) | Shape::Parts => {}
    }
    let mut diffs = entries(changes, shape);
    let is_content = |diff: &Json| diff.get("after").is_none_or(Json::is_string);
    match shape {
        Shape::Copied(_) if diffs.iter().any(is_content) => Some(Json::Array(diffs)),
        Shape::Parts => (!diffs.is_empty()).then_some(Json::Array(diffs)),
        _ if diffs.len() < 2 => diffs.pop(),
        _ => Some(Json::Array(diffs)),
    }
}

/// What is shown of each change, in order, and then of the attributes of each path.
fn entries(changes: &[Change], shape: &Shape) -> Vec<Json> {
    let mut diffs: Vec<Json> = Vec::new();
    for change in changes {
        match change {
            Change::Content { path, before, after, source } if *after != Snippet::Unread => {
                diffs.push(content(path, before.as_ref(), after, source.as_deref(), shape));
            }
            Change::Other { what, before, after } if what.is_empty() => {
                diffs.push(json!({"before": before, "after": after}));
            }
            Change::Other { what, before, after } => diffs.push(json!({
                "before_header": what, "before": before, "after_header": what, "after": after,
            })),
            Change::Ran { told: Some(told), .. } => diffs.push(json!({"prepared": told})),
            Change::Content { .. } | Change::Attribute { .. } | Change::Ran { told: None, .. } => {}
        }
    }
    diffs.extend(attributes(changes).into_iter().map(|(path, [before, after])| {
        if shape.names_parts() {
            let header = format!("{} (file attributes)", path.display());
            return json!({"before_header": header, "before": before, "after_header": header, "after": after});
        }
        let named = |side: Map<String, Json>| {
            let mut whole = Map::from_iter([("path".to_owned(), Json::from(path.to_string_lossy()))]);
            whole.extend(side);
            whole
        };
        json!({"before": named(before), "after": named(after)})
    }));
    diffs
}

/// Content and attributes of one file, whether they changed or not.
fn edited(changes: &[Change], path: &Path, content: &str, wanted: bool) -> Json {
    let shape = Shape::Parts;
    let (text, facts) =
        (format!("{} (content)", path.display()), format!("{} (file attributes)", path.display()));
    let mut entries = entries(changes, &shape);
    let is_attributes = |entry: &Json| entry.get("after").is_some_and(Json::is_object);
    let attributes = entries.pop_if(|entry| is_attributes(entry));
    let same = if wanted { content } else { "" };
    let mut first = entries.pop().unwrap_or_else(|| json!({"before": same, "after": same}));
    let mut second = attributes.unwrap_or_else(|| json!({}));
    for (entry, header) in [(&mut first, text), (&mut second, facts)] {
        let Some(map) = entry.as_object_mut() else { continue };
        for side in ["before_header", "after_header"] {
            map.shift_remove(side);
            map.insert(side.to_owned(), Json::from(header.as_str()));
        }
    }
    json!([first, second])
}

/// All the text of a file.
fn whole(path: &Path, before: Option<&str>, after: &str) -> Json {
    let path = path.to_string_lossy();
    let old = before.map_or("/dev/null", |_| &*path);
    let before = before.unwrap_or_default();
    json!({"before_header": old, "after_header": path, "before": before, "after": after})
}

/// Per path, in order of first appearance: the attributes that changed. A directory that was made for the sake of
/// what is in it does not show.
fn attributes(changes: &[Change]) -> Vec<(&Path, [Map<String, Json>; 2])> {
    let mut attributes: Vec<(&Path, [Map<String, Json>; 2])> = Vec::new();
    for change in changes {
        let Change::Attribute { path, key, before, after } = change else { continue };
        let at = attributes.iter().position(|(known, _)| known == path).unwrap_or_else(|| {
            attributes.push((path, [Map::new(), Map::new()]));
            attributes.len() - 1
        });
        if let Some((_, [old, new])) = attributes.get_mut(at) {
            // The first before and the last after count.
            if !before.is_null() {
                old.entry((*key).to_owned()).or_insert_with(|| before.clone());
            }
            if !after.is_null() {
                new.insert((*key).to_owned(), after.clone());
            }
        }
    }
    let is_new = |side: &Map<String, Json>| side.get("state").is_some_and(|state| state == "absent");
    attributes.retain(|(path, [before, _])| {
        let inside = |other: &Path| other != *path && other.starts_with(path);
        !(is_new(before) && changes.iter().filter_map(Change::path).any(inside))
    });
    attributes
}

fn content(
    path: &Path,
    before: Option<&Snippet>,
    after: &Snippet,
    source: Option<&str>,
    shape: &Shape,
) -> Json {
    let mut map = Map::new();
    let path = path.to_string_lossy();
    let (old, new) = if shape.names_parts() {
        (format!("{path} (content)"), format!("{path} (content)"))
    } else {
        (path.to_string(), source.unwrap_or(&path).to_owned())
    };
    let mut side =
        |snippet: &Snippet, text: &str, header: Option<String>, binary: &str, larger: &str| match snippet {
            Snippet::Text(content) => {
                map.insert(text.to_owned(), Json::from(content.as_str()));
                if let Some(header) = header {
                    map.insert(format!("{text}_header"), Json::from(header));
                }
            }
            Snippet::Binary => {
                map.insert(binary.to_owned(), Json::from(1));
            }
            Snippet::Larger(_) => {
                map.insert(larger.to_owned(), Json::from(MAX_DIFF_BYTES));
            }
            Snippet::Unread => {}
        };
    let nothing = Snippet::Text(String::new());
    let old = (before.is_some() || shape.names_parts()).then_some(old);
    side(before.unwrap_or(&nothing), "before", old, "dst_binary", "dst_larger");
    side(after, "after", Some(new), "src_binary", "src_larger");
    Json::Object(map)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{Change, Shape, Snippet, diff};
    use crate::kit::charset::Charset;

    fn check(changes: &[Change], expected: &Json) {
        assert_eq!(&diff(changes, &Shape::Mapping, true).unwrap_or_default(), expected);
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
            after: Snippet::of(after.to_vec(), Charset::default()),
            source: None,
        };
        check(&[], &Json::Null);
        let ran = |told: Option<&str>| Change::Ran { line: "true".into(), told: told.map(str::to_owned) };
        check(&[ran(None)], &Json::Null);
        check(&[ran(Some("1 upgraded"))], &json!({"prepared": "1 upgraded"}));
        check(
            &[mode("0644", "0600"), mode("0600", "0640")],
            &json!({"before": {"path": "/f", "mode": "0644"}, "after": {"path": "/f", "mode": "0640"}}),
        );
        check(&[text(None, b"a\n")], &json!({"before": "", "after": "a\n", "after_header": "/f"}));
        check(&[text(None, b"\xff")], &json!({"before": "", "src_binary": 1}));
        check(
            &[text(Some("a"), b"b"), mode("0644", "0600")],
            &json!([
                {"before": "a", "before_header": "/f", "after": "b", "after_header": "/f"},
                {"before": {"path": "/f", "mode": "0644"}, "after": {"path": "/f", "mode": "0600"}},
            ]),
        );
        let made = |path: &str| Change::Attribute {
            path: path.into(),
            key: "state",
            before: "absent".into(),
            after: "directory".into(),
        };
        check(
            &[made("/a"), made("/a/b")],
            &json!({"before": {"path": "/a/b", "state": "absent"}, "after": {"path": "/a/b", "state": "directory"}}),
        );
        let parts = diff(&[text(None, b"b"), mode("0644", "0600")], &Shape::Parts, true).unwrap();
        assert_eq!(
            parts,
            json!([
                {"before": "", "before_header": "/f (content)", "after": "b", "after_header": "/f (content)"},
                {"before": {"mode": "0644"}, "before_header": "/f (file attributes)",
                 "after": {"mode": "0600"}, "after_header": "/f (file attributes)"},
            ])
        );
    }

    #[test]
    fn modules_shape_what_did_not_change() {
        let none = |shape: Shape, wanted| diff(&[], &shape, wanted).unwrap_or_default();
        let path = json!({"before": {"path": "/f"}, "after": {"path": "/f"}});
        assert_eq!(none(Shape::Managed("/f".into()), true), path);
        assert_eq!(none(Shape::Managed("/f".into()), false), Json::Null);
        assert_eq!(none(Shape::Copied("/f".into()), true), path);
        assert_eq!(none(Shape::Copied("/f".into()), false), json!([]));
        let edited = |wanted| none(Shape::Edited { path: "/f".into(), content: "a".into() }, wanted);
        let facts = "/f (file attributes)";
        let both = |text: &str| {
            json!([
                {"before": text, "after": text, "before_header": "/f (content)", "after_header": "/f (content)"},
                {"before_header": facts, "after_header": facts},
            ])
        };
        assert_eq!(edited(true), both("a"));
        assert_eq!(edited(false), both(""));
        let whole = |before: Option<&str>| {
            let before = before.map(str::to_owned);
            none(Shape::Whole { path: "/f".into(), before, after: "a".into() }, false)
        };
        let new = json!({"before_header": "/dev/null", "before": "", "after_header": "/f", "after": "a"});
        assert_eq!(whole(None), new);
        let same = json!({"before_header": "/f", "before": "a", "after_header": "/f", "after": "a"});
        assert_eq!(whole(Some("a")), same);
    }
}
