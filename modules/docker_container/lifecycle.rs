//! What is done to a container. In check mode it is told, not done.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::Args;
use super::container::Container;
use crate::docker::engine::{ApiError, Engine, Question, content, query};
use crate::docker::{Told, stream, text};
use crate::kit::{Failure, Result, System};

/// As long as it takes.
const EVER: Duration = Duration::from_hours(30 * 24);

/// The engine, what is told, and whom it is done for.
pub struct Work<'w, 's> {
    pub args: &'w Args,
    pub engine: &'w Engine,
    pub told: Told,
    pub sys: &'w mut System<'s>,
}

impl Work<'_, '_> {
    /// Makes a container; `None` in check mode.
    pub fn create(&mut self, body: &Json) -> Result<Option<Container>> {
        let action = json!({"created": "Created container", "create_parameters": body});
        if self.sys.is_check() {
            self.act(action);
            return Ok(None);
        }
        let platform = self.args.process.platform.as_deref();
        let path = query("/containers/create", &[("name", Some(&self.args.name)), ("platform", platform)]);
        let made = self.engine.post(&path, body, self.sys);
        let made = made.map_err(|error| error.context("Error creating container"))?;
        self.act(action);
        for warning in crate::docker::items(&made, "Warnings").iter().filter_map(Json::as_str) {
            self.sys.warn(format!("Docker warning: {warning}"));
        }
        self.find(text(&made, "Id")).map(Some)
    }

    pub fn find(&mut self, name: &str) -> Result<Container> {
        Ok(Container::find(self.engine, name, self.sys)?)
    }

    pub fn start(&mut self, id: &str) -> Result<()> {
        self.post(id, "start", 0, "starting", json!({"started": id}))
    }

    pub fn restart(&mut self, id: &str) -> Result<()> {
        let timeout = self.args.process.stop_timeout;
        let verb = query("restart", &[("t", seconds(timeout).as_deref())]);
        self.post(id, &verb, patience(timeout), "restarting", json!({"restarted": id, "timeout": timeout}))
    }

    /// Stops a container, or kills it where that is wanted.
    pub fn stop(&mut self, id: &str) -> Result<()> {
        if self.args.force_kill {
            let signal = self.args.kill_signal.as_deref();
            let verb = query("kill", &[("signal", signal)]);
            return self.post(id, &verb, 0, "killing", json!({"killed": id, "signal": signal}));
        }
        let timeout = self.args.process.stop_timeout;
        let verb = query("stop", &[("t", seconds(timeout).as_deref())]);
        self.post(id, &verb, patience(timeout), "stopping", json!({"stopped": id, "timeout": timeout}))
    }

    pub fn pause(&mut self, id: &str, pause: bool) -> Result<()> {
        let (done, verb, doing) =
            if pause { ("paused", "pause", "pausing") } else { ("unpaused", "unpause", "unpausing") };
        self.post(id, verb, 0, doing, json!({"set_paused": pause, done: id}))
    }

    /// Removes a container, and waits until it is gone.
    pub fn remove(&mut self, container: &Container) -> Result<()> {
        let id = container.id();
        let volumes = !self.args.keep_volumes;
        let action = json!({"removed": id, "volume_state": volumes, "link": false, "force": false});
        if self.sys.is_check() {
            self.act(action);
            return Ok(());
        }
        let path = format!("/containers/{id}?v={volumes}&link=false&force=false");
        let removed = self.unpausing(id, |work| work.engine.delete(&path, work.sys).map(drop));
        match removed {
            Err(error) if error.status == 404 || error.message.contains("is already in progress") => {}
            other => other.map_err(|error| error.context(format!("Error removing container {id}")))?,
        }
        self.act(action);
        self.wait_until_gone(id)
    }

    pub fn wait_until_gone(&mut self, id: &str) -> Result<()> {
        let begun = self.sys.now().as_f64();
        let mut pause = Duration::from_millis(50);
        while self.find(id)?.exists() {
            if let Some(most) = self.args.removal_wait_timeout
                && self.sys.now().as_f64() - begun >= most
            {
                return Err(Failure::new(format!(
                    "Timeout of {most:?} seconds exceeded while waiting for container \"{id}\""
                )));
            }
            self.sys.sleep(pause)?;
            pause = (pause * 2).min(Duration::from_secs(10));
        }
        Ok(())
    }

    pub fn wait_until_healthy(&mut self, id: &str) -> Result<Container> {
        let begun = self.sys.now().as_f64();
        let most = self.args.healthy_wait_timeout;
        loop {
            let container = self.find(id)?;
            if !container.exists() {
                return Err(Failure::new(format!(
                    "Encountered vanished container while waiting for container \"{id}\""
                )));
            }
            match text(&container.raw, "State/Health/Status") {
                // What has no check is as well as can be told.
                "healthy" | "" | "none" => return Ok(container),
                _ => {}
            }
            if most > 0.0 && self.sys.now().as_f64() - begun >= most {
                return Err(Failure::new(format!(
                    "Timeout of {most:?} seconds exceeded while waiting for container \"{id}\""
                ))
                .with("container", container.raw));
            }
            self.sys.sleep(Duration::from_millis(500))?;
        }
    }

    /// Changes what can change in a container that runs.
    pub fn update(&mut self, id: &str, body: Map<String, Json>) -> Result<()> {
        let body = Json::Object(body);
        if !self.sys.is_check() {
            let done = self.engine.post(&format!("/containers/{id}/update"), &body, self.sys);
            done.map_err(|error| error.context(format!("Error updating container {id}")))?;
        }
        self.act(json!({"updated": id, "update_parameters": body}));
        Ok(())
    }

    /// Waits for its command to end; gives its exit code.
    pub fn wait(&mut self, id: &str) -> Result<i64> {
        let path = format!("/containers/{id}/wait");
        let question = Question { patience: Some(EVER), ..Question::new("POST", &path) };
        let told = self.engine.json(&question, self.sys);
        let told = told.map_err(|error| error.context(format!("Error waiting for container {id}")))?;
        told.get("StatusCode")
            .and_then(Json::as_i64)
            .ok_or_else(|| Failure::new(format!("the Docker engine does not tell how container {id} ended")))
    }

    /// What it said.
    pub fn logs(&mut self, container: &Container) -> Result<String> {
        let path = format!("/containers/{}/logs?stdout=1&stderr=1", container.id());
        let reply = self.engine.ask(&Question::new("GET", &path), None, self.sys)?;
        let said = content(reply)?;
        let has_terminal = crate::docker::at(&container.raw, "Config/Tty") == &Json::Bool(true);
        Ok(if has_terminal { String::from_utf8_lossy(&said).into_owned() } else { stream::all(&said) })
    }

    fn act(&mut self, action: Json) {
        self.told.action(action, self.sys);
    }

    /// `more` is how many seconds it may take longer than questions usually do. What the engine refuses is no change.
    fn post(&mut self, id: &str, verb: &str, more: u64, doing: &str, action: Json) -> Result<()> {
        if self.sys.is_check() {
            self.act(action);
            return Ok(());
        }
        let path = format!("/containers/{id}/{verb}");
        let patience = Some(self.engine.timeout() + Duration::from_secs(more));
        let done = self.unpausing(id, |work| {
            let question = Question { patience, ..Question::new("POST", &path) };
            work.engine.json(&question, work.sys).map(drop)
        });
        match done {
            // It already is so.
            Err(error) if error.status == 304 => {}
            other => other.map_err(|error| error.context(format!("Error {doing} container {id}")))?,
        }
        self.act(action);
        Ok(())
    }

    /// A frozen container is thawed first where the engine asks for that.
    fn unpausing(
        &mut self,
        id: &str,
        mut act: impl FnMut(&mut Self) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        match act(self) {
            Err(error) if error.message.contains("Unpause the container before stopping or killing") => {
                self.engine.post(&format!("/containers/{id}/unpause"), &Json::Null, self.sys)?;
                act(self)
            }
            done => done,
        }
    }
}

fn seconds(timeout: Option<i64>) -> Option<String> {
    timeout.map(|seconds| seconds.to_string())
}

/// How long a container has to stop: the engine's ten seconds, where nobody says otherwise.
fn patience(timeout: Option<i64>) -> u64 {
    timeout.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(10)
}
