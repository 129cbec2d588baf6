//! What the client's file knows of registries: who logs in there.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::docker::{at, text};
use crate::kit::encode::{base64, from_base64};
use crate::kit::{Command, Failure, Result, Secret, System};

/// The name of Docker's own registry in the client's file.
pub const HUB: &str = "https://index.docker.io/v1/";

/// Who logs in.
pub struct Login {
    pub username: String,
    pub password: Secret,
    /// In place of a password.
    pub identity_token: Option<Secret>,
}

/// The client's file.
pub fn config_path(sys: &System<'_>) -> Result<PathBuf> {
    match sys.env("DOCKER_CONFIG").filter(|dir| !dir.is_empty()) {
        Some(dir) => Ok(PathBuf::from(dir).join("config.json")),
        None => Ok(PathBuf::from(sys.expand("~/.docker/config.json")?)),
    }
}

/// What the client's file holds; an empty mapping where there is none.
pub fn config(sys: &System<'_>) -> Result<Json> {
    let path = config_path(sys)?;
    let Some(content) = sys.read_text_if_there(&path)?.filter(|content| !content.trim().is_empty()) else {
        return Ok(json!({}));
    };
    let config: Json = serde_json::from_str(&content)
        .map_err(|error| Failure::new(format!("{} is no JSON: {error}", path.display())))?;
    if config.is_object() {
        return Ok(config);
    }
    Err(Failure::new(format!("{} is no JSON object", path.display())))
}

/// Who the client's file says logs in at that registry.
pub fn login(registry: &str, sys: &mut System<'_>) -> Result<Option<Login>> {
    let config = config(sys)?;
    let key = if registry == "docker.io" || registry == "index.docker.io" { HUB } else { registry };
    if let Some(helper) = helper(&config, key) {
        return ask_helper(&helper, key, sys);
    }
    let entries = at(&config, "auths").as_object();
    let found = entries.and_then(|entries| {
        entries.get(key).or_else(|| {
            let mut known = entries.iter();
            known.find(|(name, _)| host_of(name) == host_of(key)).map(|(_, entry)| entry)
        })
    });
    let Some(entry) = found else { return Ok(None) };
    let token = Some(text(entry, "identitytoken")).filter(|token| !token.is_empty());
    let plain = from_base64(text(entry, "auth")).unwrap_or_default();
    let plain = String::from_utf8_lossy(&plain);
    let (username, password) = plain.split_once(':').unwrap_or((&plain, ""));
    if username.is_empty() && token.is_none() {
        return Ok(None);
    }
    Ok(Some(Login {
        username: username.to_owned(),
        password: Secret::new(password.trim_end_matches('\0')),
        identity_token: token.map(Secret::new),
    }))
}

/// The program that keeps passwords of that registry.
pub fn helper(config: &Json, key: &str) -> Option<String> {
    let own = config
        .get("credHelpers")
        .and_then(|helpers| helpers.get(key).or_else(|| helpers.get(host_of(key))).and_then(Json::as_str));
    let name = own.unwrap_or_else(|| text(config, "credsStore"));
    (!name.is_empty()).then(|| format!("docker-credential-{name}"))
}

fn ask_helper(program: &str, key: &str, sys: &mut System<'_>) -> Result<Option<Login>> {
    let output = sys.query(Command::new(program).arg("get").stdin(key))?;
    if !output.ok() {
        let said = output.stdout().trim().to_owned();
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(Failure::new(format!("{program} get failed for {key}: {said}")));
    }
    let told: Json = serde_json::from_slice(&output.stdout)
        .map_err(|_| Failure::new(format!("what {program} tells of {key} is no JSON")))?;
    let (username, secret) = (text(&told, "Username"), text(&told, "Secret"));
    let is_token = username == "<token>";
    Ok(Some(Login {
        username: if is_token { String::new() } else { username.to_owned() },
        password: Secret::new(if is_token { "" } else { secret }),
        identity_token: is_token.then(|| Secret::new(secret)),
    }))
}

/// `https://host/v1/`: `host`.
fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

impl Login {
    /// As the engine takes it, in the header `X-Registry-Auth`.
    pub fn header(&self, registry: &str) -> String {
        let key = if registry == "docker.io" { HUB } else { registry };
        let told = match &self.identity_token {
            Some(token) => json!({"identitytoken": token.expose(), "serveraddress": key}),
            None => json!({
                "username": self.username, "password": self.password.expose(), "serveraddress": key,
            }),
        };
        base64(told.to_string().as_bytes()).replace('+', "-").replace('/', "_")
    }
}
