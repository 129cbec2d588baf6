//! The image a container is made of.

use serde_json::{Value as Json, json};

use super::container::Container;
use super::{Args, ImageComparison, PullForetold};
use crate::docker::engine::Engine;
use crate::docker::name::{ImageName, is_id};
use crate::docker::{Told, image, text};
use crate::kit::{Failure, Result, System};

/// When images are pulled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pull {
    Never,
    Missing,
    Always,
}

fn pull(args: &Args) -> Result<Pull> {
    match &args.pull {
        Json::Bool(true) => Ok(Pull::Always),
        Json::Bool(false) => Ok(Pull::Missing),
        Json::String(text) => match text.as_str() {
            "never" => Ok(Pull::Never),
            "missing" | "False" | "false" | "no" => Ok(Pull::Missing),
            "always" | "True" | "true" | "yes" => Ok(Pull::Always),
            other => Err(Failure::new(format!(
                "value of pull must be one of: never, missing, always, True, False, got: {other}"
            ))),
        },
        other => Err(Failure::new(format!(
            "value of pull must be one of: never, missing, always, True, False, got: {other}"
        ))),
    }
}

/// What the engine knows of the image that is wanted, null where none is; pulled where that is wanted.
pub fn wanted(args: &Args, engine: &Engine, told: &mut Told, sys: &mut System<'_>) -> Result<Json> {
    let pull = pull(args)?;
    let Some(wanted) = &args.image else { return Ok(Json::Null) };
    let found = image::find(engine, wanted, sys)?;
    if is_id(wanted) {
        return found.ok_or_else(|| Failure::new(format!("Cannot find image with ID {wanted}")));
    }
    let name = ImageName::parse(wanted).or_tag(&image::latest());
    match (&found, pull) {
        (None, Pull::Never) => {
            return Err(Failure::new(format!(
                "Cannot find image with name {}, and pull=never",
                name.whole()
            )));
        }
        (Some(_), Pull::Never | Pull::Missing) => return Ok(found.unwrap_or_default()),
        (None, Pull::Missing) | (_, Pull::Always) => {}
    }
    let action = json!({"pulled_image": name.whole(), "changed": true});
    if sys.is_check() {
        if found.is_none() || args.pull_check_mode_behavior == PullForetold::Always {
            told.action(action, sys);
        }
        return Ok(found.unwrap_or_default());
    }
    image::pull(engine, &name, args.process.platform.as_deref(), sys)?;
    let pulled = image::inspect(engine, &name.whole(), sys)?;
    let pulled = pulled.ok_or_else(|| Failure::new(format!("the image {} is not there", name.whole())))?;
    if found.is_none_or(|found| text(&found, "Id") != text(&pulled, "Id")) {
        told.action(action, sys);
    }
    Ok(pulled)
}

/// The image whose defaults count in comparisons.
pub fn compared(
    args: &Args,
    wanted: &Json,
    container: &Container,
    engine: &Engine,
    sys: &mut System<'_>,
) -> Result<Json> {
    let current = args.image_comparison == ImageComparison::Current || wanted.is_null();
    if container.exists() && current {
        return Ok(image::inspect(engine, container.image(), sys)?.unwrap_or_default());
    }
    Ok(wanted.clone())
}
