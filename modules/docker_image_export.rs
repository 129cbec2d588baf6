use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::docker::engine::{Engine, Question, query};
use crate::docker::name::{ImageName, is_id};
use crate::docker::{EngineOptions, image, saved, text};
use crate::kit::{Content, Failure, FilePath, Result, System, WriteOptions};

/// Writes Docker images to an archive, which `docker load` and `docker_image_load` read.
///
/// # Examples
///
/// ```yaml
/// - name: The images are in one file
///   docker_image_export:
///     names: ["app:2.1", "nginx:1.27"]
///     path: /srv/images.tar
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// The images, `repository[:tag]` or ids.
    #[schemars(extend("aliases" = ["name"]))]
    pub names: Vec<String>,
    /// The tag, where a name has none.
    #[serde(default = "image::latest")]
    pub tag: String,
    /// The archive.
    pub path: FilePath,
    /// Whether it is written though it holds these images.
    #[serde(default)]
    pub force: bool,
    /// Which platform's images, of those for several: engines since 28 know.
    pub platform: Option<String>,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

#[derive(Serialize)]
pub struct Returns {
    /// As the engine tells them.
    images: Vec<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<String>,
}

/// Name and id of an image in an archive; no name where it was asked for by its id.
type Held = (Option<String>, String);

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.names.is_empty() {
        return Err(Failure::new("At least one image name must be specified"));
    }
    let engine = args.engine.open(sys)?;
    if args.platform.is_some() && engine.version < (1, 48) {
        let (major, minor) = engine.version;
        return Err(Failure::new(format!(
            "platform: the Docker engine's interface has version {major}.{minor}, at least 1.48 is needed"
        )));
    }
    let mut names: Vec<ImageName> = Vec::new();
    let (mut images, mut wanted) = (Vec::new(), BTreeSet::new());
    for given in &args.names {
        let name = image::wanted(given, &args.tag)?;
        let whole = name.whole();
        let found = image::inspect(&engine, &whole, sys)?
            .ok_or_else(|| Failure::new(format!("Image {whole} not found")))?;
        let id = text(&found, "Id").trim_start_matches("sha256:").to_owned();
        wanted.insert(((!is_id(given)).then_some(whole), id));
        images.push(found);
        names.push(name);
    }
    let msg = reason(&args, &wanted, sys);
    if msg.is_some() {
        if sys.is_check() {
            sys.count_as_change(format!("docker: exported {}", args.names.join(", ")));
        } else {
            write(&args, &names, &engine, sys)?;
        }
    }
    Ok(Returns { images, msg })
}

/// Why the archive is written; `None` where it holds what it is to hold.
fn reason(args: &Args, wanted: &BTreeSet<Held>, sys: &mut System<'_>) -> Option<String> {
    if args.force {
        return Some("Exporting since force=true".to_owned());
    }
    let there = match saved::read_all(&args.path, sys) {
        Err(why) => return Some(format!("Overwriting an unreadable archive file: {}", why.msg)),
        Ok(None) => return Some("Overwriting since no image is present in archive".to_owned()),
        Ok(Some(there)) => there,
    };
    let held: BTreeSet<Held> = there
        .into_iter()
        .flat_map(|image| {
            let names: Vec<Option<String>> =
                if image.names.is_empty() { vec![None] } else { image.names.into_iter().map(Some).collect() };
            names.into_iter().map(move |name| (name, image.id.clone()))
        })
        .collect();
    if *wanted == held {
        return None;
    }
    let missing = shown(wanted.difference(&held));
    Some(if missing.is_empty() {
        format!("Overwriting archive since it has more images: {}", shown(held.difference(wanted)))
    } else {
        format!("Overwriting archive since it is missing image(s) {missing}")
    })
}

fn shown<'h>(images: impl Iterator<Item = &'h Held>) -> String {
    images.map(|(name, id)| name.as_ref().unwrap_or(id).clone()).collect::<Vec<_>>().join(", ")
}

fn write(args: &Args, names: &[ImageName], engine: &Engine, sys: &mut System<'_>) -> Result<()> {
    let wholes: Vec<String> = names.iter().map(ImageName::whole).collect();
    let path = match wholes.as_slice() {
        [one] => query(&format!("{}/get", image::path(one)), &[("platform", args.platform.as_deref())]),
        several => {
            let mut values: Vec<(&str, Option<&str>)> =
                several.iter().map(|name| ("names", Some(name.as_str()))).collect();
            values.push(("platform", args.platform.as_deref()));
            query("/images/get", &values)
        }
    };
    let reply = engine.ask(&Question::new("GET", &path), None, sys);
    let mut reply = reply
        .map_err(|error| Failure::new(format!("Error getting image {} - {error}", wholes.join(", "))))?;
    let temporary = sys.scratch(args.path.parent());
    let done = sys.spool(&temporary, 0o600, &mut reply).and_then(|()| {
        let options = WriteOptions { hidden: true, ..WriteOptions::default() };
        sys.write_with(&args.path, Content::Copy(&temporary), &options).map(drop)
    });
    sys.discard(&temporary)?;
    done.map_err(|failure| failure.context(format!("Error writing image archive {}", args.path.text())))?;
    // The same images in other words are an archive that was written, too.
    if sys.changes().is_empty() {
        sys.count_as_change(format!("docker: exported {}", args.names.join(", ")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::docker::{fake, saved};
    use crate::kit::trial::Trial;

    #[test]
    fn an_archive_is_written_where_it_holds_something_else() {
        let trial = Trial::of("docker_image_export");
        let engine = fake::serve(&trial.host);
        let manifest = format!(r#"[{{"Config":"{:064x}.json","RepoTags":["tiny:1"]}}]"#, 1);
        engine.lock().unwrap().archive = saved::archive_of(&manifest);
        let args = json!({"name": "tiny:1", "path": "/a.tar"});
        let told = trial.foretold(&args, true);
        assert_eq!(told["msg"], "Overwriting since no image is present in archive");
        assert_eq!(trial.foretold(&args, false)["images"][0]["RepoTags"], json!(["tiny:1"]));
        let forced = json!({"name": "tiny:1", "path": "/a.tar", "force": true});
        assert_eq!(trial.run(&forced)["changed"], true);
        engine.lock().unwrap().images.push(fake::image("other:1", 2));
        let two = trial.check(&json!({"names": ["tiny:1", "other:1"], "path": "/a.tar"}));
        assert_eq!(two["msg"], "Overwriting archive since it is missing image(s) other:1");
        let none = trial.run(&json!({"name": "nope:1", "path": "/a.tar"}));
        assert_eq!(none["msg"], "Image nope:1 not found");
        let platform = trial.run(&json!({"name": "tiny:1", "path": "/a.tar", "platform": "linux/arm64"}));
        assert!(platform["msg"].as_str().unwrap().starts_with("platform: "), "{platform}");
    }
}
