use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::docker::engine::{Engine, query};
use crate::docker::{EngineOptions, at, filters};
use crate::kit::{ByteSize, Failure, Result, System};

/// Removes what nothing uses any more from a Docker engine.
///
/// The engine cannot foretell what would go: check mode does nothing, and says that it skipped.
///
/// # Examples
///
/// ```yaml
/// - name: What is not used any more goes
///   docker_prune: {containers: true, images: true, networks: true}
///
/// - name: All images that no container is of, a week old and more
///   docker_prune: {images: true, images_filters: {dangling: false, until: 168h}}
///
/// - name: What builds left
///   docker_prune: {builder_cache: true, builder_cache_keep_storage: 10G}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// Whether containers go that do not run.
    #[serde(default)]
    pub containers: bool,
    /// Which: `until: 24h`, `label: key=value`.
    pub containers_filters: Option<Map<String, Json>>,
    /// Whether images go that no container is of, and that have no name.
    #[serde(default)]
    pub images: bool,
    /// Which: `dangling: false` for those with a name, too; `until`, `label`.
    pub images_filters: Option<Map<String, Json>>,
    /// Whether networks go that no container is of.
    #[serde(default)]
    pub networks: bool,
    /// Which: `until`, `label`.
    pub networks_filters: Option<Map<String, Json>>,
    /// Whether volumes go that no container has.
    #[serde(default)]
    pub volumes: bool,
    /// Which: `label`, `all`.
    pub volumes_filters: Option<Map<String, Json>>,
    /// Whether what builds left goes.
    #[serde(default)]
    pub builder_cache: bool,
    /// All of it.
    #[serde(default)]
    pub builder_cache_all: bool,
    /// Which: `until`, `type` …
    pub builder_cache_filters: Option<Map<String, Json>>,
    /// How much of it stays: `10G`.
    pub builder_cache_keep_storage: Option<ByteSize>,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    if sys.is_check() {
        let msg = "remote module (community.docker.docker_prune) does not support check mode";
        return Ok(Map::from_iter([("skipped".to_owned(), true.into()), ("msg".to_owned(), msg.into())]));
    }
    let engine = args.engine.open(sys)?;
    let mut returns = Map::new();
    let parts = [
        ("containers", args.containers, &args.containers_filters, "ContainersDeleted", true),
        ("images", args.images, &args.images_filters, "ImagesDeleted", true),
        ("networks", args.networks, &args.networks_filters, "NetworksDeleted", false),
        ("volumes", args.volumes, &args.volumes_filters, "VolumesDeleted", true),
    ];
    for (what, _, filters, key, has_size) in parts.into_iter().filter(|(_, wanted, ..)| *wanted) {
        let filters = filters::of(filters.as_ref())?;
        let told =
            prune(&engine, &query(&format!("/{what}/prune"), &[("filters", filters.as_deref())]), key, sys)?;
        returns.insert(what.to_owned(), list(&told, key));
        if has_size {
            returns.insert(format!("{what}_space_reclaimed"), at(&told, "SpaceReclaimed").clone());
        }
    }
    if args.builder_cache {
        builder(&args, &engine, &mut returns, sys)?;
    }
    Ok(returns)
}

fn builder(
    args: &Args,
    engine: &Engine,
    returns: &mut Map<String, Json>,
    sys: &mut System<'_>,
) -> Result<()> {
    let given = args.builder_cache_all || args.builder_cache_filters.is_some();
    if engine.version < (1, 39) && (given || args.builder_cache_keep_storage.is_some()) {
        let (major, minor) = engine.version;
        return Err(Failure::new(format!(
            "builder_cache_all, builder_cache_filters and builder_cache_keep_storage need the Docker engine's interface \
             1.39, not {major}.{minor}"
        )));
    }
    let filters = filters::of(args.builder_cache_filters.as_ref())?;
    let keep = args.builder_cache_keep_storage.as_ref().map(|size| size.0.to_string());
    let path = query(
        "/build/prune",
        &[
            ("keep-storage", keep.as_deref()),
            ("all", args.builder_cache_all.then_some("true")),
            ("filters", filters.as_deref()),
        ],
    );
    let told = prune(engine, &path, "CachesDeleted", sys)?;
    returns.insert("builder_cache_space_reclaimed".to_owned(), at(&told, "SpaceReclaimed").clone());
    if engine.version >= (1, 39) {
        returns.insert("builder_cache_caches_deleted".to_owned(), at(&told, "CachesDeleted").clone());
    }
    Ok(())
}

/// Has the engine remove what nothing uses; something went where it says so.
fn prune(engine: &Engine, path: &str, key: &str, sys: &mut System<'_>) -> Result<Json> {
    let told = engine.post(path, &Json::Null, sys)?;
    let went = list(&told, key).as_array().is_some_and(|list| !list.is_empty());
    if went || at(&told, "SpaceReclaimed").as_u64().is_some_and(|size| size > 0) {
        sys.count_as_change(format!("docker: POST {path}"));
    }
    Ok(told)
}

fn list(told: &Json, key: &str) -> Json {
    at(told, key).as_array().map_or_else(|| json!([]), |list| list.clone().into())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn what_went_is_told() {
        let trial = Trial::of("docker_prune");
        let engine = fake::serve(&trial.host);
        let args = json!({"images": true, "images_filters": {"dangling": false, "label": ["a", "b"]}, "networks": true});
        assert_eq!(trial.check(&args)["skipped"], true);
        let none = trial.run(&args);
        assert_eq!(
            (&none["changed"], &none["images"], &none["networks"]),
            (&false.into(), &json!([]), &json!([]))
        );
        engine.lock().unwrap().pruned = json!({"ImagesDeleted": [{"Deleted": "x"}], "SpaceReclaimed": 5});
        let done = trial.run(&args);
        assert_eq!((&done["changed"], &done["images_space_reclaimed"]), (&true.into(), &5.into()));
        assert_eq!(done["containers"], Json::Null);
        let asked = engine.lock().unwrap().asked[0].clone();
        let filters =
            "filters=%7B%22dangling%22%3A%5B%22false%22%5D%2C%22label%22%3A%5B%22a%22%2C%22b%22%5D%7D";
        assert!(asked.contains(filters), "{asked}");
    }
}
