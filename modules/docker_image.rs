mod build;
mod present;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::docker::{EngineOptions, image};
use crate::kit::{FilePath, Result, System};

/// Manages Docker images: pulls, builds, loads, tags, pushes, archives and removes them.
///
/// An image that is there is left as it is, unless `force_source` says otherwise. Logins at registries are those of
/// `~/.docker/config.json` (`docker_login`). Builds are the engine's own, without BuildKit.
///
/// # Examples
///
/// ```yaml
/// - name: An image of a registry is there
///   docker_image: {name: "nginx:1.27", source: pull}
///
/// - name: An image is built and pushed
///   docker_image:
///     name: registry.example.org/app
///     tag: "2.1"
///     source: build
///     build: {path: /srv/app, pull: true, args: {MODE: release}}
///     push: true
///
/// - name: It has another name
///   docker_image: {name: "app:2.1", source: local, repository: "app:latest", force_tag: true}
///
/// - name: It is gone
///   docker_image: {name: "old:1", state: absent}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [
    ["state", "present", ["source"]], ["source", "build", ["build"]], ["source", "load", ["load_path"]],
]))]
pub struct Args {
    /// The image, `repository[:tag]`; an id where it must be there already, or goes.
    pub name: String,
    /// The tag, where the name has none.
    #[serde(default = "image::latest")]
    pub tag: String,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// Where it is from.
    pub source: Option<Source>,
    /// Whether an image that is there is built, loaded or pulled again.
    #[serde(default)]
    pub force_source: bool,
    /// Whether all of its names go, with `absent`.
    #[serde(default)]
    pub force_absent: bool,
    /// Whether another image loses the name of `repository`.
    #[serde(default)]
    pub force_tag: bool,
    /// Another name it has, too: `repository[:tag]`.
    pub repository: Option<String>,
    /// Whether it is pushed: by `repository`, else by its name.
    #[serde(default)]
    pub push: bool,
    /// The file it is written to.
    pub archive_path: Option<FilePath>,
    /// The file it is loaded from.
    pub load_path: Option<FilePath>,
    /// How it is pulled: `platform`.
    pub pull: Option<Map<String, Json>>,
    /// How it is built: `path`, `dockerfile`, `args`, `target`, `labels`, `pull`, `nocache`, `rm`, `network`, `platform`,
    /// `cache_from`, `etc_hosts`, `shm_size`, `container_limits` (`memory`, `memswap`, `cpushares`, `cpusetcpus`),
    /// `http_timeout`, `use_config_proxy`.
    pub build: Option<Map<String, Json>>,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there.
    #[default]
    Present,
    /// It is not there.
    Absent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A Dockerfile.
    Build,
    /// An archive.
    Load,
    /// A registry.
    Pull,
    /// It must be there.
    Local,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let build = args.build.as_ref().map(build::Wish::of).transpose()?;
    let engine = args.engine.open(sys)?;
    let mut work = present::Work::new(&args, build, &engine, sys);
    let image = match args.state {
        State::Present => work.present()?,
        State::Absent => work.absent()?,
    };
    Ok(work.returns(&json!({"image": image})))
}
