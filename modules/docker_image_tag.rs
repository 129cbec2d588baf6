use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::docker::engine::query;
use crate::docker::name::{ImageName, is_id};
use crate::docker::told::states;
use crate::docker::{EngineOptions, image, text};
use crate::kit::change::Shape;
use crate::kit::{Failure, Result, System};

/// Gives Docker images further names.
///
/// # Examples
///
/// ```yaml
/// - name: The image is the registry's, too
///   docker_image_tag:
///     name: app:2.1
///     repository: ["registry.example.org/app:2.1", "registry.example.org/app:latest"]
///
/// - name: A name that is taken stays whose it is
///   docker_image_tag: {name: "app:2.1", repository: ["app:stable"], existing_images: keep}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// The image, `repository[:tag]` or an id.
    pub name: String,
    /// The tag, where a name has none.
    #[serde(default = "image::latest")]
    pub tag: String,
    /// Names it has, too: `repository[:tag]`.
    pub repository: Vec<String>,
    /// What becomes of a name that another image has.
    #[serde(default)]
    pub existing_images: Existing,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Existing {
    /// The other image keeps it.
    Keep,
    /// The other image loses it.
    #[default]
    Overwrite,
}

#[derive(Serialize)]
pub struct Returns {
    /// As the engine tells it.
    image: Json,
    actions: Vec<String>,
    tagged_images: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if let Some((at, id)) = args.repository.iter().enumerate().find(|(_, name)| is_id(name)) {
        return Err(Failure::new(format!("repository[{}] must not be an image ID; got: {id}", at + 1)));
    }
    let names: Vec<ImageName> =
        args.repository.iter().map(|name| ImageName::parse(name).or_tag(&args.tag)).collect();
    if let Some(at) = names.iter().position(ImageName::has_digest) {
        let given = args.repository.get(at).map_or("", String::as_str);
        return Err(Failure::new(format!("repository[{}] must not have a digest; got: {given}", at + 1)));
    }
    let engine = args.engine.open(sys)?;
    let name = image::wanted(&args.name, &args.tag)?;
    let image = image::inspect(&engine, &name.whole(), sys)?
        .ok_or_else(|| Failure::new(format!("Cannot find image {}", name.whole())))?;
    let id = text(&image, "Id").to_owned();
    let (mut actions, mut tagged) = (Vec::new(), Vec::new());
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for name in names {
        let whole = name.whole();
        let told = |key: &str, value: Json| json!({"name": name.repository, "tag": name.tag, key: value});
        let there = image::inspect(&engine, &whole, sys)?.map(|there| text(&there, "Id").to_owned());
        before.push(match &there {
            Some(there) => told("id", json!(there)),
            None => told("exists", json!(false)),
        });
        let why = match &there {
            Some(there) if *there == id => {
                actions.push(format!(
                    "Not tagged image {id} as {whole}: target image already exists ({there}) and is as expected"
                ));
                after.push(told("id", json!(there)));
                continue;
            }
            Some(there) if args.existing_images == Existing::Keep => {
                actions.push(format!(
                    "Not tagged image {id} as {whole}: target image already exists ({there}) and is not as expected, \
                     but kept"
                ));
                after.push(told("id", json!(there)));
                continue;
            }
            Some(there) => format!("target image existed ({there}) and was not as expected"),
            None => "target image did not exist".to_owned(),
        };
        after.push(told("id", json!(id)));
        if !sys.is_check() {
            let path = query(
                &format!("{}/tag", image::path(&id)),
                &[("tag", name.tag.as_deref()), ("repo", Some(&name.repository)), ("force", Some("True"))],
            );
            let done = engine.post(&path, &Json::Null, sys);
            done.map_err(|error| Failure::new(format!("Error: failed to tag image as {whole} - {error}")))?;
        }
        let action = format!("Tagged image {id} as {whole}: {why}");
        sys.count_as_change(format!("docker: {action}"));
        actions.push(action);
        tagged.push(whole);
    }
    let of = |images: Vec<Json>| Map::from_iter([("images".to_owned(), Json::from(images))]);
    sys.shape_diff(Shape::Given(states(of(before), of(after))));
    Ok(Returns { image, actions, tagged_images: tagged })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn names_are_given_once() {
        let trial = Trial::of("docker_image_tag");
        let engine = fake::serve(&trial.host);
        engine.lock().unwrap().images.push(fake::image("other:1", 2));
        let args = json!({"name": "tiny:1", "repository": ["new:3", "more"], "tag": "1"});
        let told = trial.foretold(&args, true);
        assert_eq!(told["tagged_images"], json!(["new:3", "more:1"]), "{told}");
        assert_eq!(trial.check(&args)["changed"], false);
        let keep = json!({"name": "tiny:1", "repository": ["other:1"], "existing_images": "keep"});
        assert_eq!(trial.foretold(&keep, false)["tagged_images"], json!([]));
        let asked = engine.lock().unwrap().asked.clone();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked[0].contains("/tag?tag=3&repo=new&force=True"), "{asked:?}");
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("docker_image_tag");
        fake::serve(&trial.host);
        let id = format!("sha256:{:064x}", 5);
        for (args, msg) in [
            (json!({"name": "nope:1", "repository": ["a"]}), "Cannot find image nope:1".to_owned()),
            (
                json!({"name": "tiny:1", "repository": [id]}),
                format!("repository[1] must not be an image ID; got: {id}"),
            ),
            (
                json!({"name": "tiny:1", "repository": [format!("a@{id}")]}),
                format!("repository[1] must not have a digest; got: a@{id}"),
            ),
        ] {
            assert_eq!(trial.run(&args)["msg"], msg);
        }
    }
}
