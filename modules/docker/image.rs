//! Images: which there are, and pulling them.

use std::io::{BufRead, BufReader};

use serde_json::Value as Json;

use crate::docker::engine::{ApiError, Engine, Question, query, quoted};
use crate::docker::name::{ImageName, is_id};
use crate::docker::{at, registry, text};
use crate::kit::http::wire::{Reply, broken};
use crate::kit::{Failure, Result, System};

/// What the engine knows of an image, by its name or id.
pub fn inspect(engine: &Engine, name: &str, sys: &mut System<'_>) -> Result<Option<Json>, ApiError> {
    engine.get_if_there(&format!("/images/{}/json", quoted(name)), sys)
}

/// As [`inspect`]; an id and a name without a tag are understood as users mean them.
pub fn find(engine: &Engine, name: &str, sys: &mut System<'_>) -> Result<Option<Json>, ApiError> {
    if is_id(name) {
        return inspect(engine, name, sys);
    }
    inspect(engine, &ImageName::parse(name).or_tag("latest").whole(), sys)
}

/// Pulls an image. Tells what the engine said, line by line.
pub fn pull(
    engine: &Engine,
    name: &ImageName,
    platform: Option<&str>,
    sys: &mut System<'_>,
) -> Result<Vec<Json>> {
    let path = query(
        "/images/create",
        &[("fromImage", Some(&name.repository)), ("tag", name.tag.as_deref()), ("platform", platform)],
    );
    let headers = headers(name, sys)?;
    let question = Question { headers: &headers, ..Question::new("POST", &path) };
    let reply = engine
        .ask(&question, None, sys)
        .map_err(|error| error.context(format!("Error pulling image {}", name.whole())))?;
    lines(reply, |error| {
        format!("Error pulling {} - code: {} message: {}", name.repository, error.code, error.message)
    })
}

/// Who logs in at the image's registry, for the engine.
pub fn headers(name: &ImageName, sys: &mut System<'_>) -> Result<Vec<(&'static str, String)>> {
    let registry = name.registry();
    Ok(match registry::login(registry, sys)? {
        Some(login) => vec![("X-Registry-Auth", login.header(registry))],
        None => Vec::new(),
    })
}

/// What went wrong, in the midst of an answer.
pub struct StreamError {
    pub code: String,
    pub message: String,
}

/// The lines of an answer that comes bit by bit. One that tells of an error ends it.
pub fn lines(mut reply: Reply, worded: impl Fn(&StreamError) -> String) -> Result<Vec<Json>> {
    let mut told = Vec::new();
    for line in BufReader::new(&mut reply).lines() {
        let line = line.map_err(broken)?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Json = serde_json::from_str(&line).map_err(|error| {
            Failure::new(format!("a line of the Docker engine's answer is no JSON ({error}): {line}"))
        })?;
        if line.get("error").is_some() {
            let detail = at(&line, "errorDetail");
            let code = detail.get("code").map_or_else(|| "None".to_owned(), Json::to_string);
            let message =
                detail.get("message").and_then(Json::as_str).unwrap_or_else(|| text(&line, "error"));
            return Err(Failure::new(worded(&StreamError { code, message: message.to_owned() })));
        }
        told.push(line);
    }
    Ok(told)
}
