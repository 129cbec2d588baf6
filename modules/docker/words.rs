//! Mappings of words to words: labels, and options of drivers.

use serde_json::{Map, Value as Json};

use crate::docker::{Told, at};
use crate::kit::args::Kind;
use crate::kit::{Failure, Result};

/// Labels as the engine takes them.
pub fn labels(given: &Map<String, Json>) -> Result<Map<String, Json>> {
    let text = |(key, value): (&String, &Json)| match value {
        Json::String(_) => Ok((key.clone(), value.clone())),
        Json::Number(number) if !number.is_f64() => Ok((key.clone(), number.to_string().into())),
        other => {
            let other = Kind::Str.convert(other).unwrap_or_else(|_| other.clone());
            let other = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
            Err(Failure::new(format!(
                "The value {other} for '{key}' of labels is not a string or something than can be safely converted to \
                 a string!"
            )))
        }
    };
    given.iter().map(text).collect()
}

/// Values as texts; yes and no as `true` and `false`.
pub fn texts(given: &Map<String, Json>) -> Map<String, Json> {
    let text = |(key, value): (&String, &Json)| {
        let text = match value {
            Json::Bool(value) => value.to_string().into(),
            other => Kind::Str.convert(other).unwrap_or_else(|_| other.clone()),
        };
        (key.clone(), text)
    };
    given.iter().map(text).collect()
}

/// Tells what of a mapping is not as it is wanted; more may be there. As a whole where nothing is there.
pub fn compare(option: &str, wanted: &Map<String, Json>, current: &Json, told: &mut Told) {
    let there = current.as_object().filter(|there| !there.is_empty());
    let Some(there) = there else {
        if !wanted.is_empty() {
            told.state(option, wanted.clone(), Map::new());
        }
        return;
    };
    compare_each(option, wanted, there, told);
}

/// As [`compare`], each by itself.
pub fn compare_each(option: &str, wanted: &Map<String, Json>, there: &Map<String, Json>, told: &mut Told) {
    for (key, value) in wanted {
        let current = there.get(key).unwrap_or(&Json::Null);
        if current != value {
            told.state(&format!("{option}.{key}"), value.clone(), current.clone());
        }
    }
}

/// The mapping there; an empty one where there is none.
pub fn mapping(value: &Json, path: &str) -> Map<String, Json> {
    at(value, path).as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_are_texts_or_whole_numbers() {
        let given = |value: Json| json!({"a": value}).as_object().cloned().unwrap();
        assert_eq!(labels(&given(json!(1))).unwrap(), given(json!("1")));
        assert_eq!(labels(&given(json!("x"))).unwrap(), given(json!("x")));
        for (bad, word) in [(json!(true), "True"), (json!(2.5), "2.5")] {
            let msg = labels(&given(bad)).unwrap_err().msg;
            assert!(msg.starts_with(&format!("The value {word} for 'a' of labels")), "{msg}");
        }
        assert_eq!(texts(&given(json!(true))), given(json!("true")));
    }
}
