use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::docker::name::is_id;
use crate::docker::told::states;
use crate::docker::{EngineOptions, image, text};
use crate::kit::change::Shape;
use crate::kit::{Failure, Result, System};

/// Pulls Docker images from registries.
///
/// # Examples
///
/// ```yaml
/// - name: The newest image of that name is there
///   docker_image_pull: {name: "nginx:1.27"}
///
/// - name: Some image of that name is there
///   docker_image_pull: {name: nginx, tag: "1.27", pull: not_present}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// The image, `repository[:tag]` or `repository@digest`.
    pub name: String,
    /// The tag, where the name has none.
    #[serde(default = "image::latest")]
    pub tag: String,
    /// For which platform: `linux/arm64`.
    pub platform: Option<String>,
    /// When it is pulled.
    #[serde(default)]
    pub pull: Pull,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pull {
    /// Each time: the registry may have another one by now.
    #[default]
    Always,
    /// Where there is none, or it is for another platform.
    NotPresent,
}

#[derive(Serialize)]
pub struct Returns {
    /// As the engine tells it.
    image: Json,
    actions: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if is_id(&args.name) {
        return Err(Failure::new("Cannot pull an image by ID"));
    }
    let engine = args.engine.open(sys)?;
    let name = image::wanted(&args.name, &args.tag)?;
    let whole = name.whole();
    let before = image::inspect(&engine, &whole, sys)?;
    if args.pull == Pull::NotPresent
        && let Some(image) = &before
        && args.platform.as_deref().is_none_or(|platform| is_for(image, platform))
    {
        tell(Some(image), state(Some(image)), sys);
        return Ok(Returns { image: image.clone(), actions: Vec::new() });
    }
    let actions = vec![format!("Pulled image {whole}")];
    if sys.is_check() {
        // What the registry has is told to nobody who does not pull it.
        sys.count_as_change(format!("docker: pulled image {whole}"));
        tell(before.as_ref(), id("unknown"), sys);
        return Ok(Returns { image: before.unwrap_or_else(|| json!({})), actions });
    }
    image::pull(&engine, &name, args.platform.as_deref(), sys)?;
    let image = image::inspect(&engine, &whole, sys)?.unwrap_or_else(|| json!({}));
    if before.as_ref().is_none_or(|before| text(before, "Id") != text(&image, "Id")) {
        sys.count_as_change(format!("docker: pulled image {whole}"));
    }
    tell(before.as_ref(), state(Some(&image)), sys);
    Ok(Returns { image, actions })
}

/// `linux/amd64`, `linux/arm64/v8`, `arm64`: what is not said may be anything.
fn is_for(image: &Json, platform: &str) -> bool {
    let mut words = platform.split('/');
    let first = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    match rest.as_slice() {
        [] => first == text(image, "Architecture") || first == text(image, "Os"),
        [architecture, variant @ ..] => {
            first == text(image, "Os")
                && *architecture == text(image, "Architecture")
                && variant.first().is_none_or(|variant| *variant == text(image, "Variant"))
        }
    }
}

/// The diff, which is told in any case.
fn tell(before: Option<&Json>, after: Map<String, Json>, sys: &mut System<'_>) {
    sys.shape_diff(Shape::Given(states(state(before), after)));
}

fn state(image: Option<&Json>) -> Map<String, Json> {
    image.map_or_else(|| Map::from_iter([("exists".to_owned(), false.into())]), |image| id(text(image, "Id")))
}

fn id(id: &str) -> Map<String, Json> {
    Map::from_iter([("id".to_owned(), id.into())])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_for;
    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn an_image_is_pulled_where_it_is_to_be() {
        let trial = Trial::of("docker_image_pull");
        let engine = fake::serve(&trial.host);
        let there = json!({"name": "tiny:1", "pull": "not_present"});
        assert_eq!(trial.foretold(&there, false)["actions"], json!([]));
        let new = json!({"name": "other", "tag": "3"});
        let told = trial.foretold(&new, true);
        assert_eq!(told["actions"], json!(["Pulled image other:3"]));
        assert_eq!(told["image"]["RepoTags"], json!(["other:3"]));
        // The registry may have another one, for all a check knows.
        assert_eq!(trial.check(&new)["changed"], true);
        let asked = engine.lock().unwrap().asked.join("\n");
        assert_eq!(asked.trim(), "POST /images/create?tag=3&fromImage=other");
        let id = trial.run(&json!({"name": format!("sha256:{:064x}", 5)}));
        assert_eq!(id["msg"], "Cannot pull an image by ID");
        let bad = trial.run(&json!({"name": "a", "tag": "b d"}));
        assert_eq!(bad["msg"], "\"b d\" is not a valid docker tag!");
    }

    #[test]
    fn platforms_are_compared_as_far_as_they_are_said() {
        let image = json!({"Os": "linux", "Architecture": "arm64", "Variant": "v8"});
        for (platform, is) in [
            ("linux/arm64", true),
            ("linux/arm64/v8", true),
            ("arm64", true),
            ("linux", true),
            ("linux/amd64", false),
            ("linux/arm64/v7", false),
        ] {
            assert_eq!(is_for(&image, platform), is, "{platform}");
        }
    }
}
