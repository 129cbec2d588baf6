use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::docker::{EngineOptions, image};
use crate::kit::{Failure, FilePath, Result, System};

/// Loads all Docker images of an archive, as `docker save` and `docker_image_export` write it.
///
/// Nothing tells beforehand what an archive would change: check mode does nothing, and says that it skipped.
///
/// # Examples
///
/// ```yaml
/// - name: The images of the archive are there
///   docker_image_load: {path: /srv/images.tar}
///   register: loaded
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// The archive.
    pub path: FilePath,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    if sys.is_check() {
        let msg = "remote module (community.docker.docker_image_load) does not support check mode";
        return Ok(Map::from_iter([("skipped".to_owned(), true.into()), ("msg".to_owned(), msg.into())]));
    }
    let engine = args.engine.open(sys)?;
    let path = args.path.text();
    if !sys.exists(&args.path)? {
        return Err(Failure::new(format!("Error opening archive {path} - there is no such file")));
    }
    let found = image::load(&args.path, &path, &engine, sys).map_err(|failure| failure.with("stdout", ""))?;
    if found.names.is_empty() {
        let msg = "Detected no loaded images. Archive potentially corrupt?";
        return Err(Failure::new(msg).with("stdout", found.stdout));
    }
    let names: Vec<String> = found.names.iter().map(|name| name.text().to_owned()).collect();
    sys.count_as_change(format!("docker: loaded {}", names.join(", ")));
    let mut images = Vec::new();
    for name in &names {
        images.extend(image::inspect(&engine, name, sys)?);
    }
    Ok(Map::from_iter([
        ("image_names".to_owned(), names.into()),
        ("images".to_owned(), images.into()),
        ("stdout".to_owned(), found.stdout.into()),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn what_was_loaded_is_told() {
        let trial = Trial::of("docker_image_load");
        fake::serve(&trial.host);
        let args = json!({"path": "/a.tar"});
        assert_eq!(trial.run(&args)["msg"], "Error opening archive /a.tar - there is no such file");
        trial.host.file("/a.tar", "x");
        assert_eq!(trial.check(&args)["skipped"], true);
        let told = trial.run(&args);
        assert_eq!((&told["changed"], &told["image_names"]), (&json!(true), &json!(["loaded:1"])), "{told}");
        assert_eq!(told["images"][0]["RepoTags"], json!(["loaded:1"]));
    }
}
