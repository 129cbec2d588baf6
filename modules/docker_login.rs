#[cfg(test)]
mod tests;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::docker::registry::{self, Login, Store};
use crate::docker::{EngineOptions, text};
use crate::kit::{Failure, FilePath, Result, Secret, System};

/// Logs in at registries of Docker images, and out.
///
/// The engine asks the registry whether the password is right, also in check mode; it is then kept in the client's file,
/// which only its owner may read, or by the program that the file names for that (`credsStore`, `credHelpers`). The rest of
/// the file stays.
///
/// # Examples
///
/// ```yaml
/// - name: The deploy user may pull
///   docker_login:
///     registry_url: registry.example.org
///     username: deploy
///     password: "{{ registry_password }}"
///
/// - name: Nobody is logged in there
///   docker_login: {registry_url: registry.example.org, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["username", "password"]]]))]
pub struct Args {
    /// The registry; by default Docker's own.
    #[serde(default = "hub")]
    #[schemars(extend("aliases" = ["registry", "url"]))]
    pub registry_url: String,
    /// Who logs in.
    pub username: Option<String>,
    /// The password, or a token.
    pub password: Option<Secret>,
    /// Whether somebody who is logged in logs in again.
    #[serde(default)]
    #[schemars(extend("aliases" = ["reauth"]))]
    pub reauthorize: bool,
    /// The client's file.
    #[serde(default = "config")]
    #[schemars(extend("aliases" = ["dockercfg_path"]))]
    pub config_path: FilePath,
    /// Whether somebody is logged in.
    #[serde(default)]
    pub state: State,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody is logged in.
    #[default]
    Present,
    /// Nobody is.
    Absent,
}

fn hub() -> String {
    registry::HUB.to_owned()
}

fn config() -> FilePath {
    "~/.docker/config.json".into()
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let path = PathBuf::from(sys.expand(&args.config_path.text())?);
    let store = Store::open(path, sys)?;
    let told = match args.state {
        State::Present => log_in(&args, store, sys)?,
        State::Absent => {
            store.forget(&args.registry_url, sys)?;
            json!({})
        }
    };
    Ok(Map::from_iter([("login_result".to_owned(), told)]))
}

fn log_in(args: &Args, store: Store, sys: &mut System<'_>) -> Result<Json> {
    let url = &args.registry_url;
    let wanted = Login {
        username: args.username.clone().unwrap_or_default(),
        password: args.password.clone().unwrap_or_default(),
        identity_token: None,
    };
    let known = store.find(url, sys)?;
    let known = known.filter(|(_, login)| {
        login.username == wanted.username && login.password == wanted.password && !args.reauthorize
    });
    let (told, wanted) = match known {
        Some((key, _)) => (json!({"username": wanted.username, "email": null, "serveraddress": key}), wanted),
        None => ask(args, wanted, sys)?,
    };
    store.keep(url, &wanted, sys)?;
    if args.reauthorize && sys.changes().is_empty() {
        sys.count_as_change(format!("docker: login at {url}"));
    }
    Ok(told)
}

/// Has the engine ask the registry. What is to be kept may be a token of the registry's.
fn ask(args: &Args, wanted: Login, sys: &mut System<'_>) -> Result<(Json, Login)> {
    let engine = args.engine.open(sys)?;
    let url = &args.registry_url;
    let question = json!({
        "username": wanted.username, "password": wanted.password.expose(), "email": null, "serveraddress": url,
    });
    let told = engine.post("/auth", &question, sys).map_err(|error| {
        Failure::new(format!("Logging into {url} for user {} failed - {error}", wanted.username))
    })?;
    let mut shown = told.clone();
    let token = text(&told, "IdentityToken");
    if token.is_empty() {
        return Ok((shown, wanted));
    }
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("IdentityToken".to_owned(), "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER".into());
    }
    Ok((shown, Login { identity_token: Some(Secret::new(token)), ..wanted }))
}
