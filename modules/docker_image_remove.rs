use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::command::yes;
use crate::docker::engine::query;
use crate::docker::name::is_id;
use crate::docker::{EngineOptions, image, items, text};
use crate::kit::change::Shape;
use crate::kit::{Failure, Result, System};

/// Removes Docker images.
///
/// # Examples
///
/// ```yaml
/// - name: The old version is gone
///   docker_image_remove: {name: "app:1.9"}
///
/// - name: Though a container is of it
///   docker_image_remove: {name: app, tag: "1.8", force: true}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// The image, `repository[:tag]` or an id.
    pub name: String,
    /// The tag, where the name has none.
    #[serde(default = "image::latest")]
    pub tag: String,
    /// Whether it goes though it is used.
    #[serde(default)]
    pub force: bool,
    /// Whether images without a name that it was built on go with it.
    #[serde(default = "yes")]
    pub prune: bool,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

#[derive(Serialize)]
pub struct Returns {
    /// As the engine told it before; empty where there was none.
    image: Json,
    actions: Vec<String>,
    /// Names that are gone.
    untagged: Vec<Json>,
    /// Images that are gone.
    deleted: Vec<Json>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let engine = args.engine.open(sys)?;
    let name = image::wanted(&args.name, &args.tag)?;
    let whole = name.whole();
    let Some(image) = image::inspect(&engine, &whole, sys)? else {
        return Ok(Returns {
            image: json!({}),
            actions: Vec::new(),
            untagged: Vec::new(),
            deleted: Vec::new(),
        });
    };
    let before = state(Some(&image));
    let action = format!("Removed image {whole}");
    sys.count_as_change(format!("docker: {action}"));
    let (untagged, deleted, after) = if sys.is_check() {
        foretold(&image, &whole, is_id(&args.name))
    } else {
        let flag = |flag: bool| Some(if flag { "True" } else { "False" });
        let path =
            query(&image::path(&whole), &[("force", flag(args.force)), ("noprune", flag(!args.prune))]);
        let told = engine
            .delete(&path, sys)
            .map_err(|error| Failure::new(format!("Error removing image {whole} - {error}")))?;
        let of = |key: &str| {
            let told = told.as_array().map(Vec::as_slice).unwrap_or_default();
            told.iter().filter_map(|one| one.get(key).cloned()).collect::<Vec<Json>>()
        };
        let rest = image::inspect(&engine, text(&image, "Id"), sys)?;
        (of("Untagged"), of("Deleted"), state(rest.as_ref()))
    };
    sys.shape_diff(Shape::States { before, after });
    Ok(Returns { image, actions: vec![action], untagged, deleted })
}

/// What a diff tells of an image.
fn state(image: Option<&Json>) -> Map<String, Json> {
    let Some(image) = image else { return Map::from_iter([("exists".to_owned(), false.into())]) };
    let sorted = |key: &str| {
        let mut names: Vec<&str> = items(image, key).iter().filter_map(Json::as_str).collect();
        names.sort_unstable();
        json!(names)
    };
    Map::from_iter([
        ("exists".to_owned(), true.into()),
        ("id".to_owned(), text(image, "Id").into()),
        ("tags".to_owned(), sorted("RepoTags")),
        ("digests".to_owned(), sorted("RepoDigests")),
    ])
}

/// Names and images that would go. An image that has another name stays.
fn foretold(image: &Json, whole: &str, by_id: bool) -> (Vec<Json>, Vec<Json>, Map<String, Json>) {
    let tags = items(image, "RepoTags");
    let digests = items(image, "RepoDigests");
    let is_it = |one: &&Json| one.as_str() == Some(whole);
    let others = tags.iter().filter(|one| !is_it(one)).count();
    if !by_id && others > 0 && tags.iter().any(|one| is_it(&one)) {
        let kept: Vec<&Json> = tags.iter().filter(|one| !is_it(one)).collect();
        let rest = json!({"Id": text(image, "Id"), "RepoTags": kept, "RepoDigests": digests});
        return (vec![whole.into()], Vec::new(), state(Some(&rest)));
    }
    let untagged = tags.iter().chain(digests).cloned().collect();
    (untagged, vec![text(image, "Id").into()], state(None))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn an_image_goes_once() {
        let trial = Trial::of("docker_image_remove");
        let engine = fake::serve(&trial.host);
        let args = json!({"name": "tiny", "tag": "1", "prune": false});
        let told = trial.check(&args);
        assert_eq!((&told["changed"], &told["untagged"]), (&json!(true), &json!(["tiny:1"])), "{told}");
        assert_eq!(engine.lock().unwrap().asked, Vec::<String>::new());
        let told = trial.run(&args);
        assert_eq!(
            (&told["changed"], &told["actions"]),
            (&json!(true), &json!(["Removed image tiny:1"])),
            "{told}"
        );
        let again = trial.run(&args);
        assert_eq!((&again["changed"], &again["image"]), (&json!(false), &json!({})));
        let asked = engine.lock().unwrap().asked.join("\n");
        assert_eq!(asked.trim(), "DELETE /images/tiny:1?force=False&noprune=True");
    }

    #[test]
    fn an_image_of_two_names_stays() {
        let trial = Trial::of("docker_image_remove");
        let engine = fake::serve(&trial.host);
        engine.lock().unwrap().images[0]["RepoTags"] = json!(["tiny:1", "tiny:2"]);
        let told = trial.check(&json!({"name": "tiny:1"}));
        assert_eq!((&told["untagged"], &told["deleted"]), (&json!(["tiny:1"]), &json!([])), "{told}");
    }
}
