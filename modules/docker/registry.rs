//! What the client's file knows of registries: who logs in there.

mod store;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use crate::docker::{at, text};
use crate::kit::encode::{base64, from_base64};
use crate::kit::{Command, Failure, Result, Secret, System};

pub use self::store::Store;

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
pub fn config(path: &Path, sys: &System<'_>) -> Result<Json> {
    let Some(content) = sys.read_text_if_there(path)?.filter(|content| !content.trim().is_empty()) else {
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
    let config = config(&config_path(sys)?, sys)?;
    let key = if registry == "docker.io" || registry == "index.docker.io" { HUB } else { registry };
    Ok(known(&config, key, sys)?.map(|(_, login)| login))
}

/// Who that file says logs in there, and under which name.
fn known(config: &Json, key: &str, sys: &mut System<'_>) -> Result<Option<(String, Login)>> {
    if let Some(helper) = helper(config, key) {
        return Ok(ask_helper(&helper, key, sys)?.map(|login| (key.to_owned(), login)));
    }
    let entries = at(config, "auths").as_object();
    let found = entries.and_then(|entries| {
        entries.get_key_value(key).or_else(|| {
            let mut known = entries.iter();
            known.find(|(name, _)| host_of(name) == host_of(key))
        })
    });
    let Some((name, entry)) = found else { return Ok(None) };
    let token = Some(text(entry, "identitytoken")).filter(|token| !token.is_empty());
    let plain = from_base64(text(entry, "auth")).unwrap_or_default();
    let plain = String::from_utf8_lossy(&plain);
    let (username, password) = plain.split_once(':').unwrap_or((&plain, ""));
    if username.is_empty() && token.is_none() {
        return Ok(None);
    }
    let login = Login {
        username: username.to_owned(),
        password: Secret::new(password.trim_end_matches('\0')),
        identity_token: token.map(Secret::new),
    };
    Ok(Some((name.clone(), login)))
}

/// Who logs in at the registries that are known, for a build.
pub fn all_logins(config: &Json, sys: &mut System<'_>) -> Result<Vec<(&'static str, String)>> {
    let mut all = Map::new();
    let entries = ["auths", "credHelpers"].iter().filter_map(|key| at(config, key).as_object()).flatten();
    for (name, _) in entries {
        if let Some((_, login)) = known(config, name, sys)? {
            all.insert(name.clone(), login.told(name));
        }
    }
    if all.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![("X-Registry-Config", url_safe(&Json::Object(all)))])
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
        url_safe(&self.told(key))
    }

    fn told(&self, key: &str) -> Json {
        match &self.identity_token {
            Some(token) => json!({"identitytoken": token.expose(), "serveraddress": key}),
            None => json!({
                "username": self.username, "password": self.password.expose(), "serveraddress": key,
            }),
        }
    }
}

fn url_safe(told: &Json) -> String {
    base64(told.to_string().as_bytes()).replace('+', "-").replace('/', "_")
}
