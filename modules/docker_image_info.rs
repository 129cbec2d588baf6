use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::docker::{EngineOptions, image, text};
use crate::kit::{Result, System};

/// Tells what the Docker engine knows of images.
///
/// # Examples
///
/// ```yaml
/// - name: Of these, where they are there
///   docker_image_info: {name: ["nginx:1.27", postgres]}
///   register: found
///
/// - name: Of all
///   docker_image_info:
///   register: all_images
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// Images, by name, without a tag that of `latest`, or by id; by default all.
    pub name: Option<Vec<String>>,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

#[derive(Serialize)]
pub struct Returns {
    /// As the engine tells them.
    images: Vec<Json>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let engine = args.engine.open(sys)?;
    let names = match args.name {
        Some(names) if !names.is_empty() => names,
        _ => {
            let all = engine.get("/images/json", sys)?;
            let all = all.as_array().cloned().unwrap_or_default();
            all.iter().map(|one| text(one, "Id").to_owned()).collect()
        }
    };
    let mut images = Vec::new();
    for name in names {
        images.extend(image::find(&engine, &name, sys)?);
    }
    Ok(Returns { images })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn images_that_are_there_are_told() {
        let trial = Trial::of("docker_image_info");
        fake::serve(&trial.host);
        for args in [json!({}), json!({"name": ["tiny:1", "nope"]})] {
            let found = trial.check(&args);
            assert_eq!(found["images"].as_array().unwrap().len(), 1, "{found}");
            assert_eq!(
                (&found["images"][0]["RepoTags"], &found["changed"]),
                (&json!(["tiny:1"]), &false.into())
            );
        }
    }
}
