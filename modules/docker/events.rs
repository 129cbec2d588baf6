//! What `docker compose` says while it works: text for people in older versions, JSON in newer ones.

use serde::Serialize;
use serde_json::Value as Json;

use crate::docker::text;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Container,
    Image,
    Network,
    Service,
    Volume,
}

/// What became of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub what: What,
    pub id: String,
    pub status: String,
    /// More words, of warnings and errors.
    pub more: String,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Action {
    pub what: What,
    pub id: String,
    pub status: String,
}

/// All that was said.
#[derive(Debug, Default)]
pub struct Said {
    pub events: Vec<Event>,
    pub warnings: Vec<String>,
    /// What is about nothing in particular: why it ended, where it failed.
    rest: Vec<String>,
}

/// Words for what is under way, and so was done.
const WORK: [&str; 12] = [
    "Creating",
    "Starting",
    "Restarting",
    "Stopping",
    "Killing",
    "Removing",
    "Recreate",
    "Recreating",
    "Exiting",
    "Renaming",
    "Pulling",
    "Building",
];

/// Words for what is so, or was done.
const DONE: [&str; 18] = [
    "Created",
    "Started",
    "Healthy",
    "Exited",
    "Restarted",
    "Running",
    "Stopped",
    "Killed",
    "Removed",
    "Recreated",
    "Renamed",
    "Pulled",
    "Built",
    "Waiting",
    "Skipped",
    "Interrupted",
    "Warning",
    "Error",
];

const IN_USE: &str = "Resource is still in use";

impl Said {
    pub fn of(stderr: &str) -> Self {
        let mut said = Self::default();
        for line in stderr.lines() {
            if line.trim_start().starts_with('{') {
                match serde_json::from_str(line) {
                    Ok(json) => said.json(&json),
                    Err(_) => said.rest.push(line.to_owned()),
                }
            } else {
                said.plain(line);
            }
        }
        for event in &said.events {
            if event.status == "Warning" {
                said.warnings.push(format!("{}: {}", event.id, event.more));
            } else if event.status == IN_USE {
                let kind = format!("{:?}", event.what).to_lowercase();
                said.warnings.push(format!("Docker compose: {kind} {}: {IN_USE}", event.id));
            }
        }
        said
    }

    fn json(&mut self, line: &Json) {
        let (id, status, words) = (text(line, "id"), text(line, "status"), text(line, "text"));
        if line.get("error") == Some(&Json::Bool(true)) {
            self.rest.push(text(line, "message").to_owned());
        } else if line.get("level").is_some() {
            self.log(text(line, "level"), text(line, "msg"));
        } else if !id.is_empty() {
            let (what, id) = named(id);
            // In some versions what is done is the text, and the status a word for its kind.
            let (status, more) = match (status, words) {
                (status, "") => (status, ""),
                (kind @ ("Error" | "Warning"), words) => (kind, words),
                ("Working" | "Done" | "", words) => (words, ""),
                (more, words) => (words, more),
            };
            let details = text(line, "details");
            let more = if details.is_empty() { more } else { details };
            self.events.push(Event {
                what,
                id: id.to_owned(),
                status: status.to_owned(),
                more: more.to_owned(),
            });
        }
        // What is left tells how a build goes.
    }

    fn plain(&mut self, line: &str) {
        let line = line.trim();
        let line = line.strip_prefix("DRY-RUN MODE -").unwrap_or(line).trim();
        if line.is_empty() {
            return;
        }
        if let Some(log) = line.strip_prefix("time=\"") {
            let level = log.split_once(" level=").and_then(|(_, rest)| rest.split(' ').next());
            let message = log.split_once(" msg=").map_or(log, |(_, message)| message);
            let message = serde_json::from_str(message).unwrap_or_else(|_| message.to_owned());
            self.log(level.unwrap_or_default(), &message);
            return;
        }
        if let Some(event) = event(line) {
            self.events.push(event);
            return;
        }
        match self.events.last_mut().filter(|event| event.status == "Error" && self.rest.is_empty()) {
            // It goes on about that.
            Some(error) => {
                error.more.push('\n');
                error.more.push_str(line);
            }
            None => self.rest.push(line.to_owned()),
        }
    }

    fn log(&mut self, level: &str, message: &str) {
        match level {
            "warning" => self.warnings.push(message.to_owned()),
            "error" | "fatal" => self.rest.push(message.to_owned()),
            _ => {}
        }
    }

    /// What was done, in order.
    pub fn actions(&self) -> Vec<Action> {
        let done = self.events.iter().filter(|event| WORK.contains(&event.status.as_str()));
        let action =
            |event: &Event| Action { what: event.what, id: event.id.clone(), status: event.status.clone() };
        done.map(action).collect()
    }

    /// Whether something else was done than to look whether images are as they should be.
    pub fn changed(&self, builds_count: bool) -> bool {
        self.events.iter().any(|event| match event.status.as_str() {
            "Pulling" => event.what == What::Image,
            "Building" | "Built" => builds_count,
            status => WORK.contains(&status),
        })
    }

    /// Why it failed.
    pub fn failure(&self) -> String {
        let errors = self.events.iter().filter(|event| event.status == "Error").map(|event| {
            let kind = match event.what {
                What::Service => String::new(),
                what => format!("{} ", format!("{what:?}").to_lowercase()),
            };
            format!("Error when processing {kind}{}: {}", event.id, event.more)
        });
        let mut errors: Vec<String> = errors.collect();
        let rest = self.rest.join("\n");
        if !rest.trim().is_empty() {
            errors.push(format!("General error: {}", rest.trim()));
        }
        errors.join("\n")
    }
}

/// `Container web-1`: what it is, and its name. A service has no word before its name.
fn named(id: &str) -> (What, &str) {
    let kinds = [
        ("Container ", What::Container),
        ("Image ", What::Image),
        ("Network ", What::Network),
        ("Volume ", What::Volume),
        ("Service ", What::Service),
    ];
    let found = kinds.iter().find_map(|(word, what)| Some((*what, id.strip_prefix(word)?)));
    found.unwrap_or((What::Service, id))
}

/// `Container web-1  Creating`, `web Pulling`, `web Error more words`.
fn event(line: &str) -> Option<Event> {
    let new = |id: &str, status: &str, more: &str| {
        let (what, id) = named(id.trim());
        Event { what, id: id.to_owned(), status: status.to_owned(), more: more.to_owned() }
    };
    let is_known = |word: &str| WORK.contains(&word) || DONE.contains(&word);
    if let Some(id) = line.strip_suffix(IN_USE) {
        return Some(new(id, IN_USE, ""));
    }
    if let Some((id, status)) = line.split_once("  ") {
        let status = status.trim();
        let (word, more) = status.split_once(' ').unwrap_or((status, ""));
        return is_known(word).then(|| new(id, word, more));
    }
    let (id, status) = line.split_once(' ')?;
    let (word, more) = status.split_once(' ').unwrap_or((status, ""));
    is_known(word).then(|| new(id, word, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(said: &Said) -> Vec<String> {
        said.actions().iter().map(|one| format!("{:?} {} {}", one.what, one.id, one.status)).collect()
    }

    #[test]
    fn text_and_json_tell_the_same() {
        let plain = " Network p_default  Creating\n Network p_default  Created\n DRY-RUN MODE -  web Pulling \n web \
                     Pulled \n Container p-web-1  Recreate\n Container p-db-1  Running\n";
        let json = r#"{"id":"Network p_default","status":"Creating"}
{"vertexes":[{"digest":"sha256:1"}]}
{"dry-run":true,"id":"web","text":"Pulling"}
{"id":"Container p-web-1","status":"Working","text":"Recreate"}
{"id":"Container p-db-1","status":"Running"}"#;
        let expected = ["Network p_default Creating", "Service web Pulling", "Container p-web-1 Recreate"];
        for said in [Said::of(plain), Said::of(json)] {
            assert_eq!(actions(&said), expected);
            assert!(said.changed(false) && said.warnings.is_empty() && said.failure().is_empty());
        }
    }

    #[test]
    fn to_look_is_no_change() {
        assert!(!Said::of(" web Pulling \n web Pulled \n Container p-web-1  Running\n").changed(true));
        let built = Said::of(r#"{"id":"built:1","status":"Built"}"#);
        assert!(built.changed(true) && !built.changed(false));
    }

    #[test]
    fn errors_and_warnings_are_told() {
        for (said, failure, warnings) in [
            (" a Pulling \n a Error no\nthis host\n", "Error when processing a: no\nthis host", &[][..]),
            ("{\"id\":\"a\",\"text\":\"Error\",\"status\":\"no\"}", "Error when processing a: no", &[]),
            (" Container x  Creating\nname is taken\n", "General error: name is taken", &[]),
            ("{\"error\":true,\"message\":\"no such service: x\"}", "General error: no such service: x", &[]),
            ("time=\"2026\" level=warning msg=\"`a \\\"b\\\"`\"\n", "", &["`a \"b\"`"]),
            ("{\"level\":\"warning\",\"msg\":\"old\",\"time\":\"x\"}", "", &["old"]),
            (" b Warning Get \"x\": no\n", "", &["b: Get \"x\": no"]),
            (
                " Image t:1  Removing\n Image t:1  Resource is still in use\n",
                "",
                &["Docker compose: image t:1: Resource is still in use"],
            ),
        ] {
            let told = Said::of(said);
            assert_eq!(told.failure(), failure, "{said}");
            assert_eq!(told.warnings, warnings, "{said}");
        }
    }
}
