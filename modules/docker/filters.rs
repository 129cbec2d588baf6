//! Filters of lists, as the engine takes them: lists of texts by names.

use serde_json::{Map, Value as Json};

use crate::kit::args::Kind;
use crate::kit::{Failure, Result};

pub fn of(given: Option<&Map<String, Json>>) -> Result<Option<String>> {
    let Some(given) = given else { return Ok(None) };
    let mut filters = Map::new();
    for (name, value) in given {
        let texts: Result<Vec<Json>> = match value {
            Json::Array(items) => items.iter().map(|item| text(name, item)).collect(),
            one => text(name, one).map(|one| vec![one]),
        };
        filters.insert(name.clone(), texts?.into());
    }
    Ok(Some(Json::Object(filters).to_string()))
}

fn text(name: &str, value: &Json) -> Result<Json> {
    match value {
        Json::Bool(flag) => Ok(flag.to_string().into()),
        other => Kind::Str
            .convert(other)
            .map_err(|why| Failure::new(format!("the filter {name} is no text: {why}"))),
    }
}
