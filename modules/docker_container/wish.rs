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
}
