use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::docker::name::is_id;
use crate::docker::{EngineOptions, image};
use crate::kit::{Failure, Result, System};

/// Pushes Docker images to registries.
///
/// Only a registry knows whether it has an image: check mode does nothing, and says that it skipped. Logins are those of
/// `~/.docker/config.json` (`docker_login`).
///
/// # Examples
///
/// ```yaml
/// - name: The registry has the image
///   docker_image_push: {name: "registry.example.org/app:2.1"}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// The image, `registry/repository[:tag]`.
    pub name: String,
    /// The tag, where the name has none.
    #[serde(default = "image::latest")]
    pub tag: String,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    if sys.is_check() {
        let msg = "remote module (community.docker.docker_image_push) does not support check mode";
        return Ok(Map::from_iter([("skipped".to_owned(), true.into()), ("msg".to_owned(), msg.into())]));
    }
    if is_id(&args.name) {
        return Err(Failure::new("Cannot push an image by ID"));
    }
    let engine = args.engine.open(sys)?;
    let name = image::wanted(&args.name, &args.tag)?;
    let whole = name.whole();
    let image = image::inspect(&engine, &whole, sys)?
        .ok_or_else(|| Failure::new(format!("Cannot find image {whole}")))?;
    if image::push(&engine, &name, sys)? {
        sys.count_as_change(format!("docker: pushed image {whole}"));
    }
    Ok(Map::from_iter([
        ("image".to_owned(), image),
        ("actions".to_owned(), vec![format!("Pushed image {whole}")].into()),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn an_image_that_is_there_is_pushed() {
        let trial = Trial::of("docker_image_push");
        let engine = fake::serve(&trial.host);
        assert_eq!(trial.check(&json!({"name": "tiny:1"}))["skipped"], true);
        assert_eq!(trial.run(&json!({"name": "nope:1"}))["msg"], "Cannot find image nope:1");
        let told = trial.run(&json!({"name": "tiny", "tag": "1"}));
        assert_eq!(
            (&told["changed"], &told["actions"]),
            (&json!(true), &json!(["Pushed image tiny:1"])),
            "{told}"
        );
        assert!(engine.lock().unwrap().asked[0].starts_with("POST /images/tiny/push?tag=1"));
    }
}
