use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::docker::engine::query;
use crate::docker::{EngineOptions, at, filters};
use crate::kit::{Result, System};

/// Tells of a Docker engine's host, and what the engine has.
///
/// # Examples
///
/// ```yaml
/// - name: The engine's host, and all of its containers
///   docker_host_info: {containers: true, containers_all: true}
///   register: engine
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// Whether containers are told: those that run.
    #[serde(default)]
    pub containers: bool,
    /// Those that do not run, too.
    #[serde(default)]
    pub containers_all: bool,
    /// Which: `label: key=value`, `status: exited`.
    pub containers_filters: Option<Map<String, Json>>,
    /// Whether images are told.
    #[serde(default)]
    pub images: bool,
    /// Which: `dangling: true`, `label`.
    pub images_filters: Option<Map<String, Json>>,
    /// Whether networks are told.
    #[serde(default)]
    pub networks: bool,
    /// Which: `driver: bridge`, `label`.
    pub networks_filters: Option<Map<String, Json>>,
    /// Whether volumes are told.
    #[serde(default)]
    pub volumes: bool,
    /// Which: `dangling: true`, `label`.
    pub volumes_filters: Option<Map<String, Json>>,
    /// Whether it is told how much room all of it takes.
    #[serde(default)]
    pub disk_usage: bool,
    /// All that the engine tells of each, not the little that its client shows.
    #[serde(default)]
    pub verbose_output: bool,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

const CONTAINER: &[&str] = &["Id", "Image", "Command", "Created", "Status", "Ports", "Names"];
const IMAGE: &[&str] = &["Id", "RepoTags", "Created", "Size"];
const NETWORK: &[&str] = &["Id", "Driver", "Name", "Scope"];
const VOLUME: &[&str] = &["Driver", "Name"];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let engine = args.engine.open(sys).map_err(|failure| failure.with("can_talk_to_docker", false))?;
    let mut returns = Map::from_iter([
        ("can_talk_to_docker".to_owned(), true.into()),
        ("host_info".to_owned(), engine.get("/info", sys)?),
    ]);
    if args.disk_usage {
        let usage = engine.get("/system/df", sys)?;
        let usage = if args.verbose_output { usage } else { json!({"LayersSize": at(&usage, "LayersSize")}) };
        returns.insert("disk_usage".to_owned(), usage);
    }
    let all = args.containers_all.then_some("1");
    let parts = [
        ("containers", args.containers, "/containers/json", &args.containers_filters, "", CONTAINER),
        ("images", args.images, "/images/json", &args.images_filters, "", IMAGE),
        ("networks", args.networks, "/networks", &args.networks_filters, "", NETWORK),
        ("volumes", args.volumes, "/volumes", &args.volumes_filters, "Volumes", VOLUME),
    ];
    for (what, _, path, which, within, fields) in parts.into_iter().filter(|(_, wanted, ..)| *wanted) {
        let filters = filters::of(which.as_ref())?;
        let all = all.filter(|_| what == "containers");
        let told = engine.get(&query(path, &[("all", all), ("filters", filters.as_deref())]), sys)?;
        let told = if within.is_empty() { &told } else { at(&told, within) };
        let told = told.as_array().map(Vec::as_slice).unwrap_or_default();
        let one = |one: &Json| if args.verbose_output { one.clone() } else { some(one, fields) };
        returns.insert(what.to_owned(), told.iter().map(one).collect::<Vec<Json>>().into());
    }
    Ok(returns)
}

/// Those of its fields.
fn some(one: &Json, fields: &[&str]) -> Json {
    fields.iter().map(|field| ((*field).to_owned(), at(one, field).clone())).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn what_the_engine_has_is_told() {
        let trial = Trial::of("docker_host_info");
        let engine = fake::serve(&trial.host);
        engine.lock().unwrap().volumes.push(json!({"Name": "v", "Driver": "local", "Labels": {}}));
        let told = trial.check(&json!({"images": true, "volumes": true, "disk_usage": true}));
        assert_eq!((&told["changed"], &told["host_info"]["Name"]), (&json!(false), &json!("here")), "{told}");
        assert_eq!(told["volumes"], json!([{"Driver": "local", "Name": "v"}]));
        assert_eq!(told["images"][0]["RepoTags"], json!(["tiny:1"]));
        assert_eq!(told["disk_usage"], json!({"LayersSize": 7}));
        assert_eq!(told.get("containers"), None);
        let verbose = trial.run(&json!({"volumes": true, "verbose_output": true}));
        assert_eq!(verbose["volumes"][0]["Labels"], json!({}));
        let none = Trial::of("docker_host_info").run(&json!({}));
        assert_eq!((&none["failed"], &none["can_talk_to_docker"]), (&json!(true), &json!(false)), "{none}");
    }
}
