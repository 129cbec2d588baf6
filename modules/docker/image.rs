//! Images: which there are, and pulling them.

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value as Json;

use crate::docker::engine::{ApiError, Engine, Question, Upload, query, quoted};
use crate::docker::name::{ImageName, is_id};
use crate::docker::{at, registry, text};
use crate::kit::http::wire::{Reply, broken};
use crate::kit::{Failure, Result, System};

/// The tag of a name that has none.
pub fn latest() -> String {
    "latest".to_owned()
}

/// What the engine knows of an image, by its name or id. A name that no image can have is that of none.
pub fn inspect(engine: &Engine, name: &str, sys: &mut System<'_>) -> Result<Option<Json>, ApiError> {
    match engine.get_if_there(&format!("{}/json", path(name)), sys) {
        Err(error) if error.status == 400 => Ok(None),
        found => found,
    }
}

/// Where the engine has it: names stay as they are written.
pub fn path(name: &str) -> String {
    format!("/images/{}", quoted(name).replace("%3A", ":").replace("%2F", "/"))
}

/// As [`inspect`]; an id and a name without a tag are understood as users mean them.
pub fn find(engine: &Engine, name: &str, sys: &mut System<'_>) -> Result<Option<Json>, ApiError> {
    if is_id(name) {
        return inspect(engine, name, sys);
    }
    inspect(engine, &ImageName::parse(name).or_tag(&latest()).whole(), sys)
}

/// Pulls an image.
pub fn pull(engine: &Engine, name: &ImageName, platform: Option<&str>, sys: &mut System<'_>) -> Result<()> {
    let path = query(
        "/images/create",
        &[("tag", name.tag.as_deref()), ("fromImage", Some(&name.repository)), ("platform", platform)],
    );
    let headers = headers(name, sys)?;
    let question = Question { headers: &headers, ..Question::new("POST", &path) };
    let reply = engine
        .ask(&question, None, sys)
        .map_err(|error| Failure::new(format!("Error pulling image {} - {error}", name.whole())))?;
    lines(reply, &mut |_| {}).map_err(|error| {
        error.worded(|error| {
            format!("Error pulling {} - code: {} message: {}", name.repository, error.code, error.message)
        })
    })
}

/// Pushes an image. Tells whether its registry had something of it not yet.
pub fn push(engine: &Engine, name: &ImageName, sys: &mut System<'_>) -> Result<bool> {
    let path = query(&format!("{}/push", path(&name.repository)), &[("tag", name.tag.as_deref())]);
    let mut headers = headers(name, sys)?;
    if headers.is_empty() {
        // The engine asks for one: an empty object.
        headers.push(("X-Registry-Auth", "e30=".to_owned()));
    }
    let question = Question { headers: &headers, ..Question::new("POST", &path) };
    let failed = |why: &str| format!("Error pushing image {}: {why}", name.repository);
    let reply = engine.ask(&question, None, sys).map_err(|error| Failure::new(failed(&error.message)))?;
    let mut pushed = false;
    lines(reply, &mut |line| {
        let status = text(line, "status");
        pushed |= status == "Pushed" || status.starts_with("Mounted from ");
    })
    .map_err(|error| error.worded(|error| failed(&error.message)))?;
    Ok(pushed)
}

/// What an archive held: an image's name, or its id where it has none.
pub enum Loaded {
    Name(String),
    Id(String),
}

impl Loaded {
    pub fn text(&self) -> &str {
        match self {
            Self::Name(text) | Self::Id(text) => text,
        }
    }

    pub fn shown(&self) -> String {
        format!("'{}'", self.text())
    }
}

pub struct Found {
    pub names: Vec<Loaded>,
    pub stdout: String,
}

/// Loads an archive; tells which images it held.
pub fn load(path: &Path, name: &str, engine: &Engine, sys: &mut System<'_>) -> Result<Found> {
    let upload = Upload { kind: "application/x-tar", path };
    let reply = engine.ask(&Question::new("POST", "/images/load"), Some(upload), sys);
    let reply = reply.map_err(|error| Failure::new(format!("Error loading image {name} - {error}")))?;
    let mut said = Vec::new();
    lines(reply, &mut |line| {
        said.extend(line.get("stream").and_then(Json::as_str).map(str::to_owned));
    })
    .map_err(|error| error.worded(|error| format!("Error loading image {name} - {}", error.message)))?;
    let lines: Vec<&str> = said.iter().map(|line| line.trim_end()).collect();
    let named = |line: &&str| {
        let name = line.strip_prefix("Loaded image: ").map(|name| Loaded::Name(name.to_owned()));
        name.or_else(|| line.strip_prefix("Loaded image ID: ").map(|id| Loaded::Id(id.to_owned())))
    };
    Ok(Found { names: lines.iter().filter_map(named).collect(), stdout: lines.join("\n") })
}

/// The image that is meant by a name and the tag for one that has none.
pub fn wanted(name: &str, tag: &str) -> Result<ImageName> {
    let is_tag = |tag: &str| {
        tag.len() <= 128
            && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    };
    if !is_tag(tag) {
        return Err(Failure::new(format!("\"{tag}\" is not a valid docker tag!")));
    }
    if is_id(name) {
        return Ok(ImageName { repository: name.to_owned(), tag: None });
    }
    Ok(ImageName::parse(name).or_tag(tag))
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

/// What ended an answer before its end.
pub enum LineError {
    Told(StreamError),
    Broken(Failure),
}

impl From<Failure> for LineError {
    fn from(failure: Failure) -> Self {
        Self::Broken(failure)
    }
}

impl LineError {
    /// What the engine tells in those words.
    pub fn worded(self, words: impl FnOnce(StreamError) -> String) -> Failure {
        match self {
            Self::Told(error) => Failure::new(words(error)),
            Self::Broken(failure) => failure,
        }
    }
}

/// Reads the lines of an answer that comes bit by bit. One that tells of an error ends it.
pub fn lines(mut reply: Reply, each: &mut dyn FnMut(&Json)) -> Result<(), LineError> {
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
            return Err(LineError::Told(StreamError { code, message: message.to_owned() }));
        }
        each(&line);
    }
    Ok(())
}
