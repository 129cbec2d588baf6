#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::docker::client::ClientOptions;
use crate::docker::compose::{Done, Project, ProjectOptions, words};
use crate::docker::text;
use crate::kit::args::Kind;
use crate::kit::{Failure, Result, System};

/// Manages projects of Docker Compose.
///
/// The program `docker` with its plugin `compose`, 2.18 or newer, does the work on the target; what changed is read from
/// what it says. Check mode has it tell what it would do (`--dry-run`).
///
/// # Examples
///
/// ```yaml
/// - name: The project runs
///   docker_compose_v2: {project_src: /srv/app}
///
/// - name: With newer images, once it is well
///   docker_compose_v2: {project_src: /srv/app, pull: always, wait: true, wait_timeout: 120, remove_orphans: true}
///
/// - name: A project that is no file
///   docker_compose_v2:
///     project_name: cache
///     definition:
///       services:
///         redis: {image: "redis:7", ports: ["127.0.0.1:6379:6379"]}
///
/// - name: One service starts anew
///   docker_compose_v2: {project_src: /srv/app, services: [web], state: restarted}
///
/// - name: All of it is gone
///   docker_compose_v2: {project_src: /srv/app, state: absent, remove_volumes: true}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["docker_host", "cli_context"], ["definition", "project_src"], ["definition", "files"]],
    "required_one_of" = [["definition", "project_src"]],
    "required_by" = {"definition": ["project_name"]},
))]
pub struct Args {
    /// What becomes of it.
    #[serde(default)]
    pub state: State,
    /// The services that are meant; by default all.
    pub services: Option<Vec<String>>,
    /// Whether services are meant, too, that those need.
    #[serde(default = "yes")]
    pub dependencies: bool,
    /// When images are pulled.
    #[serde(default)]
    pub pull: Pull,
    /// When images are built.
    #[serde(default)]
    pub build: Build,
    /// Whether that an image is built is no change.
    #[serde(default = "yes")]
    pub ignore_build_events: bool,
    /// When containers are made anew.
    #[serde(default)]
    pub recreate: Recreate,
    /// Whether containers made anew have new nameless volumes.
    #[serde(default)]
    pub renew_anon_volumes: bool,
    /// Whether containers go whose services are no longer described.
    #[serde(default)]
    pub remove_orphans: bool,
    /// With `absent`: the images that go, too.
    pub remove_images: Option<RemoveImages>,
    /// With `absent`: whether volumes go, too.
    #[serde(default)]
    pub remove_volumes: bool,
    /// How many containers services have.
    pub scale: Option<Map<String, Json>>,
    /// How many seconds containers have to stop.
    pub timeout: Option<i64>,
    /// Whether to wait until services run, and are well.
    #[serde(default)]
    pub wait: bool,
    /// How many seconds.
    pub wait_timeout: Option<i64>,
    /// Whether questions are answered with yes: volumes that are otherwise are made anew. For 2.32 and newer.
    #[serde(default)]
    pub assume_yes: bool,
    #[serde(flatten)]
    pub project: ProjectOptions,
    #[serde(flatten)]
    pub client: ClientOptions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its containers, networks and volumes are gone.
    Absent,
    /// Its containers do not run.
    Stopped,
    /// Its containers start anew.
    Restarted,
    /// It runs, as it is described.
    #[default]
    Present,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pull {
    Always,
    Missing,
    Never,
    /// As the project says.
    #[default]
    Policy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Build {
    Always,
    Never,
    /// As the project says.
    #[default]
    Policy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recreate {
    Always,
    Never,
    /// Where they are otherwise than described.
    #[default]
    Auto,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemoveImages {
    All,
    /// Those without a name of their own.
    Local,
}

fn yes() -> bool {
    true
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let scale = scale(&args)?;
    let project = Project::open(&args.project, &args.client, sys)?;
    if args.assume_yes {
        project.version.need("assume_yes=true", (2, 32))?;
    }
    let services = args.services.clone().unwrap_or_default();
    let done = match args.state {
        State::Present => vec![project.act(&up(&args, &scale, false), &services, sys)?],
        State::Stopped => stopped(&args, &scale, &services, &project, sys)?,
        State::Restarted => {
            let mut verb = words(&["restart"]);
            verb.extend((!args.dependencies).then(|| "--no-deps".to_owned()));
            verb.extend(timeout(&args));
            vec![project.act(&verb, &services, sys)?]
        }
        State::Absent => vec![project.act(&down(&args), &services, sys)?],
    };
    project.returns(&done, !args.ignore_build_events, sys)
}

/// Containers are made, then all that run are stopped.
fn stopped(
    args: &Args,
    scale: &[String],
    services: &[String],
    project: &Project<'_>,
    sys: &mut System<'_>,
) -> Result<Vec<Done>> {
    let made = project.act(&up(args, scale, true), services, sys)?;
    if !made.ok() {
        return Ok(vec![made]);
    }
    let is_still =
        |container: &Json| ["created", "exited", "stopped", "dead"].contains(&text(container, "State"));
    if project.containers(sys)?.iter().all(is_still) {
        return Ok(vec![made]);
    }
    let mut verb = words(&["stop"]);
    verb.extend(timeout(args));
    Ok(vec![made, project.act(&verb, services, sys)?])
}

fn timeout(args: &Args) -> Vec<String> {
    args.timeout.into_iter().flat_map(|seconds| ["--timeout".to_owned(), seconds.to_string()]).collect()
}

fn up(args: &Args, scale: &[String], only_made: bool) -> Vec<String> {
    let mut verb = words(&["up", "--detach", "--no-color", "--quiet-pull"]);
    verb.extend(match args.pull {
        Pull::Policy => Vec::new(),
        Pull::Always => words(&["--pull", "always"]),
        Pull::Missing => words(&["--pull", "missing"]),
        Pull::Never => words(&["--pull", "never"]),
    });
    let mut flag = |flag: &str, wanted: bool| verb.extend(wanted.then(|| flag.to_owned()));
    flag("--remove-orphans", args.remove_orphans);
    flag("--force-recreate", args.recreate == Recreate::Always);
    flag("--no-recreate", args.recreate == Recreate::Never);
    flag("--renew-anon-volumes", args.renew_anon_volumes);
    flag("--no-deps", !args.dependencies);
    verb.extend(timeout(args));
    let mut flag = |flag: &str, wanted: bool| verb.extend(wanted.then(|| flag.to_owned()));
    flag("--build", args.build == Build::Always);
    flag("--no-build", args.build == Build::Never);
    for service in scale {
        verb.extend(["--scale".to_owned(), service.clone()]);
    }
    if args.wait {
        verb.push("--wait".to_owned());
        let seconds = args.wait_timeout.into_iter();
        verb.extend(seconds.flat_map(|seconds| ["--wait-timeout".to_owned(), seconds.to_string()]));
    }
    verb.extend(only_made.then(|| "--no-start".to_owned()));
    verb.extend(args.assume_yes.then(|| "--yes".to_owned()));
    verb
}

fn down(args: &Args) -> Vec<String> {
    let mut verb = words(&["down"]);
    verb.extend(args.remove_orphans.then(|| "--remove-orphans".to_owned()));
    verb.extend(match args.remove_images {
        None => Vec::new(),
        Some(RemoveImages::All) => words(&["--rmi", "all"]),
        Some(RemoveImages::Local) => words(&["--rmi", "local"]),
    });
    verb.extend(args.remove_volumes.then(|| "--volumes".to_owned()));
    verb.extend(timeout(args));
    verb
}

/// `service=number`, each.
fn scale(args: &Args) -> Result<Vec<String>> {
    let wanted = args.scale.iter().flatten();
    wanted
        .map(|(service, count)| {
            let whole = Kind::Int.convert(count).ok().filter(Json::is_i64);
            let whole = whole.ok_or_else(|| {
                let count = count.as_str().map_or_else(|| count.to_string(), |text| format!("'{text}'"));
                Failure::new(format!("The value {count} for `scale['{service}']` is not an integer"))
            })?;
            Ok(format!("{service}={whole}"))
        })
        .collect()
}
