//! One thing that is wanted of a container's configuration, and where the engine keeps it.

use serde_json::{Map, Value as Json, json};

use crate::docker::at;

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Value,
    List,
    Set,
    Dict,
    /// A set of mappings.
    Records,
}

#[derive(Clone, Debug)]
pub struct Wish {
    /// The option, as it is named in `comparisons` and in diffs.
    pub option: &'static str,
    pub kind: Kind,
    /// Where the engine keeps it: `HostConfig/Memory`.
    pub place: &'static str,
    /// It can change while the container runs.
    pub is_live: bool,
    /// For the engine, when a container is made; null for what its image alone brings along.
    pub value: Json,
    /// What a container then has: with what its image brings along.
    pub expected: Json,
    /// What a container has, where that is not told in that place.
    pub found: Option<fn(&Json) -> Json>,
    /// What the engine tells, as it is told and compared.
    pub normal: fn(&Json) -> Json,
    /// What is the same in other words, in one.
    pub alike: fn(&Json) -> Json,
    /// It is not looked at unless `comparisons` say so.
    pub is_ignored: bool,
}

impl Wish {
    pub fn new(option: &'static str, kind: Kind, place: &'static str, value: Json) -> Self {
        Self {
            option,
            kind,
            place,
            is_live: false,
            expected: value.clone(),
            value,
            found: None,
            normal: Json::clone,
            alike: Json::clone,
            is_ignored: false,
        }
    }

    #[must_use]
    pub fn expecting(self, expected: Json) -> Self {
        Self { expected, ..self }
    }

    #[must_use]
    pub fn found_by(self, found: fn(&Json) -> Json) -> Self {
        Self { found: Some(found), ..self }
    }

    #[must_use]
    pub fn seen_as(self, normal: fn(&Json) -> Json) -> Self {
        Self { normal, ..self }
    }

    #[must_use]
    pub fn alike(self, alike: fn(&Json) -> Json) -> Self {
        Self { alike, ..self }
    }

    /// What that container has.
    pub fn current(&self, container: &Json) -> Json {
        match self.found {
            Some(found) => found(container),
            None => (self.normal)(at(container, self.place)),
        }
    }

    /// A value of it as diffs have it: what has no order is sorted.
    pub fn shown(&self, value: Json) -> Json {
        match (self.kind, value) {
            (Kind::Set | Kind::Records, Json::Array(mut items)) => {
                items.sort_by_cached_key(in_words);
                items.into()
            }
            (_, value) => value,
        }
    }

    /// Puts it into what the engine is asked for.
    pub fn put(&self, body: &mut Map<String, Json>) {
        if !self.value.is_null() {
            put(body, self.place.strip_prefix("Config/").unwrap_or(self.place), self.value.clone());
        }
    }

    /// Puts it into a question to change a running container.
    pub fn put_live(&self, body: &mut Map<String, Json>) {
        put(body, self.place.strip_prefix("HostConfig/").unwrap_or(self.place), self.value.clone());
    }
}

/// What an item is sorted by: its text, or its keys and their values, all as texts.
fn in_words(item: &Json) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match item {
        Json::Object(record) => {
            let mut pairs: Vec<_> = record.iter().map(|(key, value)| (key.clone(), text(value))).collect();
            pairs.sort_unstable();
            pairs
        }
        other => vec![(text(other), String::new())],
    }
}

fn put(body: &mut Map<String, Json>, place: &str, value: Json) {
    let Some((first, rest)) = place.split_once('/') else {
        body.insert(place.to_owned(), value);
        return;
    };
    let inner = body.entry(first.to_owned()).or_insert_with(|| json!({}));
    if let Some(inner) = inner.as_object_mut() {
        put(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_have_their_places() {
        let mut body = Map::new();
        Wish::new("tty", Kind::Value, "Config/Tty", json!(true)).put(&mut body);
        let log = Wish::new("log_driver", Kind::Value, "HostConfig/LogConfig/Type", json!("none"));
        log.put(&mut body);
        let expected = json!({"Tty": true, "HostConfig": {"LogConfig": {"Type": "none"}}});
        assert_eq!(Json::Object(body), expected);
        assert_eq!(log.current(&expected), json!("none"));
        assert_eq!(log.current(&json!({})), Json::Null);
    }

    #[test]
    fn what_has_no_order_is_shown_sorted() {
        let shown = |kind, value: Json| Wish::new("x", kind, "X", Json::Null).shown(value);
        for (kind, value, expected) in [
            (Kind::Set, json!(["b", "a", "11", "2"]), json!(["11", "2", "a", "b"])),
            (Kind::List, json!(["b", "a"]), json!(["b", "a"])),
            (Kind::Set, Json::Null, Json::Null),
            // Numbers as texts, and keys count before values.
            (
                Kind::Records,
                json!([{"Name": "c", "Hard": 300}, {"Name": "b", "Hard": 2000}, {"A": "z"}]),
                json!([{"A": "z"}, {"Name": "b", "Hard": 2000}, {"Name": "c", "Hard": 300}]),
            ),
        ] {
            assert_eq!(shown(kind, value), expected);
        }
    }
}
