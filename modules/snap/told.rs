//! What `snap` tells, and the options of snaps as users write them.

use serde_json::{Map, Value as Json};

/// An installed snap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Installed {
    pub name: String,
    pub revision: String,
    /// With its track: `latest/stable`.
    pub channel: String,
    pub disabled: bool,
    pub held: bool,
}

/// Of `snap list`: columns with a heading.
pub(crate) fn installed(text: &str) -> Vec<Installed> {
    let mut lines = text.lines();
    let heading: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    let column = |words: &[&str], name: &str| {
        let at = heading.iter().position(|heading| *heading == name)?;
        words.get(at).map(|word| (*word).to_owned())
    };
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let notes = column(&words, "Notes").unwrap_or_default();
        let noted = |note: &str| notes.split(',').any(|known| known == note);
        Some(Installed {
            name: column(&words, "Name")?,
            revision: column(&words, "Rev").unwrap_or_default(),
            channel: column(&words, "Tracking").unwrap_or_default(),
            disabled: noted("disabled"),
            held: noted("held"),
        })
    };
    lines.filter_map(row).collect()
}

/// The names of which `snap info` tells.
pub(crate) fn names(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| line.strip_prefix("name:"));
    names.map(|name| name.trim().to_owned()).collect()
}

/// Of `snap version`: a program and its version a line.
pub(crate) fn versions(text: &str) -> Map<String, Json> {
    let pair = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.into()))
    };
    text.lines().filter_map(pair).collect()
}

/// A channel with its track.
pub(crate) fn full(channel: &str) -> String {
    if channel.contains('/') { channel.to_owned() } else { format!("latest/{channel}") }
}

/// `key=value`, of all snaps or, as `snap:key=value`, of one.
pub(crate) struct Setting<'a> {
    pub snap: Option<&'a str>,
    pub key: &'a str,
    pub value: &'a str,
}

impl<'a> Setting<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let (before, value) = text.split_once('=').filter(|(_, value)| !value.is_empty())?;
        let (snap, key) = match before.split_once(':') {
            Some((snap, key)) => (Some(snap), key),
            None => (None, before),
        };
        let named = !key.is_empty() && snap != Some("");
        named.then_some(Self { snap, key, value })
    }

    /// Whether the snap's configuration says so.
    pub fn is_set(&self, configuration: &Json) -> bool {
        let found = self.key.split('.').try_fold(configuration, |at, part| at.get(part));
        match found {
            None => false,
            Some(Json::String(text)) => {
                text == self.value || serde_json::from_str::<Json>(self.value).ok().as_ref() == found
            }
            Some(found) => serde_json::from_str::<Json>(self.value).is_ok_and(|value| value == *found),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_compared_by_their_values() {
        let has = json!({"a": 1, "b": {"c": "x", "on": true}, "t": "1", "l": [1, 2]});
        for text in ["a=1", "foo:b.c=x", "b.c=\"x\"", "b.on=true", "t=1", "l=[1, 2]", "l=[1,2]"] {
            assert!(Setting::parse(text).unwrap().is_set(&has), "{text}");
        }
        for text in ["a=2", "b.d=x", "b.on=false", "l=[1]", "x=1"] {
            assert!(!Setting::parse(text).unwrap().is_set(&has), "{text}");
        }
        for text in ["a", "a=", "=1", ":a=1"] {
            assert!(Setting::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn lists_are_read_by_their_headings() {
        let text = "Name  Version  Rev  Tracking  Publisher  Notes\ncore20  2024  2318  latest/stable  canonical**  base,held\n";
        let core = Installed {
            name: "core20".to_owned(),
            revision: "2318".to_owned(),
            channel: "latest/stable".to_owned(),
            disabled: false,
            held: true,
        };
        assert_eq!(installed(text), [core]);
        assert_eq!(names("name:      foo\nsummary: x\n---\nname: bar\n"), ["foo", "bar"]);
    }
}
