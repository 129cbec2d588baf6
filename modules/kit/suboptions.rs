//! Options whose values are mappings: what each of their fields holds, as loosely typed as options are.

use serde_json::{Map, Value as Json};

use crate::kit::args::Kind;
use crate::kit::{Failure, Result};

/// The fields of one mapping, and the option it is of.
pub struct Suboptions<'a> {
    option: &'a str,
    map: &'a Map<String, Json>,
}

impl<'a> Suboptions<'a> {
    /// Names that are not among `known` are mistakes.
    pub fn of(option: &'a str, map: &'a Map<String, Json>, known: &[&str]) -> Result<Self> {
        match map.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => Err(Failure::new(format!(
                "Unsupported parameters: {option}.{unknown}. Supported parameters include: {}.",
                known.join(", ")
            ))),
            None => Ok(Self { option, map }),
        }
    }

    /// Those of each mapping of a list.
    pub fn each(option: &'a str, list: &'a [Map<String, Json>], known: &[&str]) -> Result<Vec<Self>> {
        list.iter().map(|map| Self::of(option, map, known)).collect()
    }

    fn get(&self, name: &str, kind: &Kind) -> Result<Option<Json>> {
        let Some(value) = self.map.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
        kind.convert(value).map(Some).map_err(|why| {
            let (option, wanted) = (self.option, kind.name());
            Failure::new(format!("{option}.{name}: we were unable to convert to {wanted}: {why}"))
        })
    }

    pub fn raw(&self, name: &str) -> Option<&'a Json> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub fn text(&self, name: &str) -> Result<Option<String>> {
        Ok(self.get(name, &Kind::Str)?.and_then(|value| value.as_str().map(str::to_owned)))
    }

    /// The text there must be.
    pub fn needed(&self, name: &str) -> Result<String> {
        let missing = || Failure::new(format!("missing required arguments: {name} found in {}", self.option));
        self.text(name)?.ok_or_else(missing)
    }

    /// The text there may be, of those.
    pub fn choice(&self, name: &str, choices: &[&str]) -> Result<Option<String>> {
        let text = self.text(name)?;
        match &text {
            Some(text) if !choices.contains(&text.as_str()) => Err(Failure::new(format!(
                "value of {name} must be one of: {}, got: {text} found in {}",
                choices.join(", "),
                self.option
            ))),
            _ => Ok(text),
        }
    }

    pub fn int(&self, name: &str) -> Result<Option<i64>> {
        Ok(self.get(name, &Kind::Int)?.and_then(|value| value.as_i64()))
    }

    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        Ok(self.get(name, &Kind::Bool)?.and_then(|value| value.as_bool()))
    }

    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>> {
        let list = self.get(name, &Kind::List(Box::new(Kind::Str)))?;
        Ok(list.map(|list| match list {
            Json::Array(items) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }))
    }

    /// A mapping of texts.
    pub fn mapping(&self, name: &str) -> Result<Option<Map<String, Json>>> {
        let Some(Json::Object(map)) = self.get(name, &Kind::Dict)? else { return Ok(None) };
        let texts = map.into_iter().map(|(key, value)| {
            let text = Kind::Str.convert(&value).unwrap_or(value);
            (key, text)
        });
        Ok(Some(texts.collect()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn suboptions_are_typed_as_options_are() {
        let map = json!({"name": 5, "count": "3", "on": "yes", "list": "a,b", "none": null});
        let map = map.as_object().unwrap();
        let given = Suboptions::of("o", map, &["name", "count", "on", "list", "none"]).unwrap();
        assert_eq!(given.needed("name").unwrap(), "5");
        assert_eq!(given.int("count").unwrap(), Some(3));
        assert_eq!(given.flag("on").unwrap(), Some(true));
        assert_eq!(given.texts("list").unwrap().unwrap(), ["a", "b"]);
        assert_eq!(given.text("none").unwrap(), None);
        assert!(given.int("on").unwrap_err().msg.starts_with("o.on: we were unable to convert to int"));
        assert_eq!(given.needed("none").unwrap_err().msg, "missing required arguments: none found in o");
        let unknown = Suboptions::of("o", map, &["name"]).err().unwrap();
        assert!(unknown.msg.starts_with("Unsupported parameters: o.count."), "{}", unknown.msg);
    }
}
