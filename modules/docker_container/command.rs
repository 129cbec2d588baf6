//! What runs: the command, and the program before it.

use serde_json::Value as Json;

use super::wish::{Kind, Wish};
use super::{CommandHandling, Process};
use crate::docker::at;
use crate::kit::args::Kind as Type;
use crate::kit::{Failure, Result, words};

/// What is empty is that of the image.
pub fn wishes(process: &Process, image: &Json) -> Result<Vec<Wish>> {
    let mut wishes = Vec::new();
    let joined = process.command_handling == CommandHandling::Compatibility;
    let command = match &process.command {
        None | Some(Json::Null) => None,
        Some(Json::Array(items)) => {
            let texts: Result<Vec<_>, _> = items.iter().map(|item| Type::Str.convert(item)).collect();
            let texts = texts.map_err(|why| Failure::new(format!("command: {why}")))?;
            Some(texts.iter().filter_map(Json::as_str).map(str::to_owned).collect())
        }
        Some(other) => {
            let text = Type::Str.convert(other).map_err(|why| Failure::new(format!("command: {why}")))?;
            Some(split("command", text.as_str().unwrap_or_default())?)
        }
    };
    for (option, place, words) in
        [("command", "Config/Cmd", command), ("entrypoint", "Config/Entrypoint", process.entrypoint.clone())]
    {
        let Some(words) = words else { continue };
        // What was written as one text is split once only.
        let is_text = option == "command" && !process.command.as_ref().is_some_and(Json::is_array);
        let words = if joined && !is_text { split(option, &words.join(" "))? } else { words };
        if words.is_empty() {
            let usual = at(image, place).clone();
            let wish = Wish::new(option, Kind::List, place, words.into()).expecting(usual);
            wishes.extend((!joined).then_some(wish));
        } else {
            wishes.push(Wish::new(option, Kind::List, place, words.into()));
        }
    }
    Ok(wishes)
}

fn split(option: &str, text: &str) -> Result<Vec<String>> {
    words::split(text).map_err(|why| Failure::new(format!("{option}: {why}")))
}
