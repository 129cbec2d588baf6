//! A container as the engine tells of it.

use serde_json::Value as Json;

use crate::docker::engine::{ApiError, Engine, quoted};
use crate::docker::{at, text};
use crate::kit::System;

#[derive(Clone, Debug, Default)]
pub struct Container {
    /// As the engine tells it; null where there is none.
    pub raw: Json,
}

impl Container {
    pub fn find(engine: &Engine, name: &str, sys: &mut System<'_>) -> Result<Self, ApiError> {
        let found = engine.get_if_there(&format!("/containers/{}/json", quoted(name)), sys)?;
        Ok(Self { raw: found.unwrap_or_default() })
    }

    pub fn exists(&self) -> bool {
        !self.raw.is_null()
    }

    pub fn id(&self) -> &str {
        text(&self.raw, "Id")
    }

    fn has_state(&self, state: &str) -> bool {
        at(&self.raw, "State").get(state).and_then(Json::as_bool).unwrap_or_default()
    }

    pub fn is_running(&self) -> bool {
        self.has_state("Running") && !self.has_state("Ghost")
    }

    pub fn is_paused(&self) -> bool {
        self.has_state("Paused")
    }

    /// The engine is about to remove it.
    pub fn is_going(&self) -> bool {
        ["removing", "dead"].contains(&text(&self.raw, "State/Status"))
    }

    /// The id of its image.
    pub fn image(&self) -> &str {
        text(&self.raw, "Image")
    }

    /// Its image as it was named.
    pub fn image_name(&self) -> &str {
        text(&self.raw, "Config/Image")
    }
}
