//! What is done for an image to be there, or gone.

use serde_json::{Map, Value as Json, json};

use super::{Args, Source, build};
use crate::docker::engine::{Engine, Question, query};
use crate::docker::image::Loaded;
use crate::docker::name::{ImageName, is_id};
use crate::docker::{image, saved, text};
use crate::kit::{Failure, Result, Suboptions, System, WriteOptions};

pub struct Work<'w, 's> {
    args: &'w Args,
    build: Option<build::Wish>,
    engine: &'w Engine,
    sys: &'w mut System<'s>,
    name: ImageName,
    actions: Vec<String>,
    stdout: Option<String>,
}

impl<'w, 's> Work<'w, 's> {
    pub fn new(
        args: &'w Args,
        build: Option<build::Wish>,
        engine: &'w Engine,
        sys: &'w mut System<'s>,
    ) -> Self {
        let name = if is_id(&args.name) {
            ImageName { repository: args.name.clone(), tag: None }
        } else {
            ImageName::parse(&args.name).or_tag(&args.tag)
        };
        Self { args, build, engine, sys, name, actions: Vec::new(), stdout: None }
    }

    pub fn returns(self, more: &Json) -> Map<String, Json> {
        let mut returns = more.as_object().cloned().unwrap_or_default();
        returns.insert("actions".to_owned(), self.actions.into());
        returns.extend(self.stdout.map(|text| ("stdout".to_owned(), text.into())));
        returns
    }

    pub fn present(&mut self) -> Result<Json> {
        let args = self.args;
        let before = self.find()?;
        let mut image = before.clone().unwrap_or_default();
        if before.is_none() || args.force_source {
            let is_new = self.source(before.is_none())?;
            if !self.sys.is_check() {
                image = self.find()?.unwrap_or_default();
            }
            let is_same = before.as_ref().is_some_and(|old| text(old, "Id") == text(&image, "Id"));
            if is_new && (self.sys.is_check() || !is_same) {
                self.changed();
            }
        }
        if let Some(path) = &args.archive_path {
            self.archive(path, &image)?;
        }
        match &args.repository {
            Some(repository) => {
                let wanted =
                    ImageName::parse(repository).or_tag(self.name.tag.as_deref().unwrap_or(&args.tag));
                self.tag(&wanted)?;
                if args.push {
                    self.push(&wanted)?;
                }
                if !self.sys.is_check() {
                    image = image::inspect(self.engine, &wanted.whole(), self.sys)?.unwrap_or(image);
                }
            }
            None if args.push => self.push(&self.name.clone())?,
            None => {}
        }
        Ok(if image.is_null() { json!({}) } else { image })
    }

    pub fn absent(&mut self) -> Result<Json> {
        if self.find()?.is_none() {
            return Ok(json!({}));
        }
        let whole = self.name.whole();
        if !self.sys.is_check() {
            let force = if self.args.force_absent { "True" } else { "False" };
            let path = format!("{}?force={force}", image::path(&whole));
            match self.engine.delete(&path, self.sys) {
                Err(error) if error.status == 404 => {}
                done => drop(
                    done.map_err(|error| Failure::new(format!("Error removing image {whole} - {error}")))?,
                ),
            }
        }
        self.actions.push(format!("Removed image {whole}"));
        self.changed();
        Ok(json!({"state": "Deleted"}))
    }

    fn find(&mut self) -> Result<Option<Json>> {
        Ok(image::inspect(self.engine, &self.name.whole(), self.sys)?)
    }

    fn changed(&mut self) {
        self.sys.count_as_change(format!("docker: {}", self.actions.last().map_or("", String::as_str)));
    }

    /// Gets it from where it is from. Tells whether that may have changed something.
    fn source(&mut self, is_missing: bool) -> Result<bool> {
        let (args, whole) = (self.args, self.name.whole());
        match args.source {
            None | Some(Source::Local) => {
                if is_missing {
                    return Err(Failure::new(format!("Cannot find the image {whole} locally.")));
                }
                return Ok(false);
            }
            Some(source @ (Source::Build | Source::Pull)) if is_id(&args.name) => {
                let source = if source == Source::Build { "build" } else { "pull" };
                return Err(Failure::new(format!(
                    "Image name must not be an image ID for source={source}; got: {}",
                    args.name
                )));
            }
            Some(Source::Build) => {
                let Some(build) = &self.build else { return Err(Failure::new("build: a path is needed")) };
                if !self.sys.is_dir(std::path::Path::new(&build.path))? {
                    return Err(Failure::new(format!(
                        "Requested build path {} could not be found or you do not have access.",
                        build.path
                    )));
                }
                self.actions.push(format!("Built image {whole} from {}", build.path));
                if !self.sys.is_check() {
                    let tag = self.name.tag.as_deref().unwrap_or(&args.tag);
                    self.stdout = Some(build.run(&self.name.repository, tag, self.engine, self.sys)?);
                }
            }
            Some(Source::Load) => self.load()?,
            Some(Source::Pull) => {
                let platform = match &args.pull {
                    Some(given) => Suboptions::of("pull", given, &["platform"])?.text("platform")?,
                    None => None,
                };
                if !self.sys.is_check() {
                    image::pull(self.engine, &self.name, platform.as_deref(), self.sys)?;
                }
                self.actions.push(format!("Pulled image {whole}"));
            }
        }
        Ok(true)
    }

    fn load(&mut self) -> Result<()> {
        let (name, whole) = (self.name.repository.clone(), self.name.whole());
        let Some(path) = &self.args.load_path else {
            return Err(Failure::new("load_path: a file is needed"));
        };
        let shown = path.text();
        if !self.sys.exists(path)? {
            return Err(Failure::new(format!(
                "Error loading image {name}. Specified path {shown} does not exist."
            )));
        }
        if !self.sys.is_check() {
            let found = image::load(path, &name, self.engine, self.sys)?;
            let is_it = |one: &Loaded| match one {
                Loaded::Name(found) => *found == whole,
                Loaded::Id(id) => *id == self.args.name,
            };
            if !found.names.iter().any(is_it) {
                let mut names: Vec<String> = found.names.iter().map(Loaded::shown).collect();
                names.sort();
                let msg = if names.is_empty() {
                    format!("Detected no loaded images. Archive potentially corrupt? {shown}")
                } else {
                    format!(
                        "The archive did not contain image '{whole}'. Instead, found {}.",
                        names.join(", ")
                    )
                };
                return Err(Failure::new(msg).with("stdout", found.stdout));
            }
        }
        self.actions.push(format!("Loaded image {whole} from {shown}"));
        Ok(())
    }

    /// Writes it to a file, unless that holds it.
    fn archive(&mut self, path: &std::path::Path, image: &Json) -> Result<()> {
        let whole = self.name.whole();
        let shown = path.display();
        let id = text(image, "Id").trim_start_matches("sha256:");
        let why = match saved::read(path, self.sys) {
            Err(_) => "overwriting an unreadable archive file".to_owned(),
            Ok(None) => "since none present".to_owned(),
            Ok(Some(there)) if there.id == id && there.names == [whole.as_str()] => return Ok(()),
            Ok(Some(there)) => {
                format!("overwriting archive with image {} named {}", there.id, there.names.join(", "))
            }
        };
        if !self.sys.is_check() {
            let question = format!("{}/get", image::path(&whole));
            let reply = self.engine.ask(&Question::new("GET", &question), None, self.sys);
            let mut reply = reply.map_err(|error| {
                Failure::new(format!("Error getting image {} - {error}", self.name.repository))
            })?;
            let temporary = self.sys.scratch(path.parent());
            let done = self.sys.spool(&temporary, 0o600, &mut reply).and_then(|()| {
                let options = WriteOptions { hidden: true, ..WriteOptions::default() };
                let content = crate::kit::Content::Copy(&temporary);
                self.sys.write_with(path, content, &options).map(drop)
            });
            self.sys.discard(&temporary)?;
            done.map_err(|failure| failure.context(format!("Error writing image archive {shown}")))?;
        }
        self.actions.push(format!("Archived image {whole} to {shown}, {why}"));
        self.changed();
        Ok(())
    }

    fn tag(&mut self, wanted: &ImageName) -> Result<()> {
        let there = image::inspect(self.engine, &wanted.whole(), self.sys)?;
        if there.is_some() && !self.args.force_tag {
            return Ok(());
        }
        let (from, to) = (self.name.whole(), wanted.whole());
        if !self.sys.is_check() {
            let path = query(
                &format!("{}/tag", image::path(&from)),
                &[
                    ("tag", wanted.tag.as_deref()),
                    ("repo", Some(&wanted.repository)),
                    ("force", Some("True")),
                ],
            );
            let done = self.engine.post(&path, &Json::Null, self.sys);
            done.map_err(|error| Failure::new(format!("Error: failed to tag image - {error}")))?;
        }
        self.actions.push(format!("Tagged image {from} to {to}"));
        let is_same = match there {
            Some(there) => self.find()?.is_some_and(|image| text(&image, "Id") == text(&there, "Id")),
            None => false,
        };
        if !is_same {
            self.changed();
        }
        Ok(())
    }

    fn push(&mut self, wanted: &ImageName) -> Result<()> {
        let action = format!("Pushed image {} to {}", self.name.repository, wanted.whole());
        if self.sys.is_check() {
            self.actions.push(action);
            self.changed();
            return Ok(());
        }
        let pushed = image::push(self.engine, wanted, self.sys)?;
        self.actions.push(action);
        if pushed {
            self.changed();
        }
        Ok(())
    }
}
