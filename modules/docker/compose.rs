//! Projects of `docker compose`, and what is done with them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::docker::client::{Client, ClientOptions};
use crate::docker::events::{Action, Said};
use crate::docker::text;
use crate::kit::{Command, Failure, FilePath, Output, Result, System};

/// Where a project is described.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ProjectOptions {
    /// The project's directory, with a file `compose.yaml`, `compose.yml`, `docker-compose.yaml` or
    /// `docker-compose.yml`.
    project_src: Option<FilePath>,
    /// Its name, by default that of the directory.
    project_name: Option<String>,
    /// Files that describe it, in the order they are merged, relative to the directory.
    files: Option<Vec<FilePath>>,
    /// The project itself, in place of a directory. Relative paths in it are relative to `/`.
    definition: Option<Map<String, Json>>,
    /// Files of variables, in place of `.env`, relative to the directory.
    env_files: Option<Vec<FilePath>>,
    /// Profiles whose services are of the project.
    profiles: Option<Vec<String>>,
    /// Whether one of the usual files must be there, where `files` are not given.
    #[serde(default = "yes")]
    check_files_existing: bool,
}

fn yes() -> bool {
    true
}

/// A project, and the client that works on it.
pub struct Project<'a> {
    options: &'a ProjectOptions,
    client: Client,
    pub version: Version,
    dir: String,
    /// What the client reads as the project.
    definition: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: (u32, u32),
    text: String,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_start_matches('v').split('.');
        let numbers = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { numbers, text: text.trim_start_matches('v').to_owned() })
    }

    /// An option that older versions do not have.
    pub fn need(&self, what: &str, version: (u32, u32)) -> Result<()> {
        if self.numbers >= version {
            return Ok(());
        }
        let (major, minor) = version;
        Err(Failure::new(format!(
            "{what} needs Docker Compose {major}.{minor}.0 or newer, not version {}",
            self.text
        )))
    }
}

/// What a call did, and how it ended.
pub struct Done {
    pub said: Said,
    stdout: String,
    stderr: String,
    code: i32,
    line: String,
}

impl<'a> Project<'a> {
    pub fn open(options: &'a ProjectOptions, client: &ClientOptions, sys: &mut System<'_>) -> Result<Self> {
        let client = client.client(sys)?;
        let output = sys.query(client.command(&words(&["compose", "version", "--format", "json"])))?;
        let told: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let version = Some(text(&told, "version")).filter(|_| output.ok()).and_then(Version::parse);
        let version = version.ok_or_else(|| {
            let program = client.program();
            let said = output.stderr().trim().to_owned();
            Failure::new(format!("Docker CLI {program} does not have the compose plugin installed: {said}"))
                .with("rc", output.code)
        })?;
        if version.numbers < (2, 18) {
            return Err(Failure::new(format!(
                "Docker CLI {} has the compose plugin with version {}; need version 2.18.0 or later",
                client.program(),
                version.text
            )));
        }
        let (dir, definition) = match (&options.project_src, &options.definition) {
            (Some(dir), _) => (dir.text().into_owned(), None),
            (None, Some(definition)) => ("/".to_owned(), Some(Json::Object(definition.clone()).to_string())),
            (None, None) => return Err(Failure::new("project_src: a directory is needed")),
        };
        let project = Self { options, client, version, dir, definition };
        if project.definition.is_none() {
            project.check_files(sys)?;
        }
        Ok(project)
    }

    fn check_files(&self, sys: &System<'_>) -> Result<()> {
        let dir = std::path::Path::new(&self.dir);
        if !sys.is_dir(dir)? {
            return Err(Failure::new(format!("\"{}\" is not a directory", self.dir)));
        }
        let usual = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
        if let Some(files) = self.options.files.as_ref().filter(|files| !files.is_empty()) {
            for file in files {
                if !sys.exists(&dir.join(file))? {
                    return Err(Failure::new(format!(
                        "Cannot find Compose file \"{}\" relative to project directory \"{}\"",
                        file.text(),
                        self.dir
                    )));
                }
            }
            return Ok(());
        }
        if !self.options.check_files_existing {
            return Ok(());
        }
        for file in usual {
            if sys.exists(&dir.join(file))? {
                return Ok(());
            }
        }
        let [first, second, third, last] = usual;
        Err(Failure::new(format!("\"{}\" does not contain {first}, {second}, {third}, or {last}", self.dir)))
    }

    /// The client's words for that verb, about this project.
    fn words(&self, verb: &[String]) -> Vec<String> {
        let progress = if self.version.numbers >= (2, 29) { "json" } else { "plain" };
        let mut all = words(&["compose", "--ansi", "never", "--progress", progress]);
        all.extend(["--project-directory".to_owned(), self.dir.clone()]);
        let mut opt = |flag: &str, value: &str| all.extend([flag.to_owned(), value.to_owned()]);
        if let Some(name) = &self.options.project_name {
            opt("--project-name", name);
        }
        if self.definition.is_some() {
            opt("--file", "-");
        }
        for file in self.options.files.iter().flatten() {
            opt("--file", &file.text());
        }
        for file in self.options.env_files.iter().flatten() {
            opt("--env-file", &file.text());
        }
        for profile in self.options.profiles.iter().flatten() {
            opt("--profile", profile);
        }
        all.extend(verb.iter().cloned());
        all
    }

    pub fn command(&self, verb: &[String]) -> Command {
        let command = self.client.command(&self.words(verb)).dir(&self.dir);
        match &self.definition {
            Some(definition) => command.stdin(definition.as_str()),
            None => command,
        }
    }

    /// Does that, or in check mode has the client tell what it would do.
    pub fn act(&self, verb: &[String], after: &[String], sys: &mut System<'_>) -> Result<Done> {
        let mut words = verb.to_vec();
        if sys.is_check() {
            words.push("--dry-run".to_owned());
        }
        words.push("--".to_owned());
        words.extend(after.iter().cloned());
        let command = self.command(&words);
        let output = if sys.is_check() {
            sys.query(command)?
        } else {
            sys.attempt_judging(command, |_| false)?.unwrap_or_default()
        };
        Ok(Done {
            said: Said::of(&output.stderr()),
            stdout: output.stdout().into_owned(),
            stderr: output.stderr().into_owned(),
            code: output.code,
            line: self.client.line(&self.words(&words)),
        })
    }

    /// Its containers.
    pub fn containers(&self, sys: &mut System<'_>) -> Result<Vec<Json>> {
        let verb = words(&["ps", "--format", "json", "--all", "--no-trunc"]);
        let output = self.look(&verb, sys)?;
        let mut containers = objects(&output.stdout()).ok_or_else(|| {
            Failure::new(format!(
                "what {} tells is no JSON: {}",
                self.client.line(&self.words(&verb)),
                output.stdout()
            ))
        })?;
        for container in containers.iter_mut().filter_map(Json::as_object_mut) {
            take_apart(container);
        }
        Ok(containers)
    }

    /// The images of its containers.
    pub fn images(&self, sys: &mut System<'_>) -> Result<Json> {
        let verb = words(&["images", "--format", "json"]);
        let output = self.look(&verb, sys)?;
        serde_json::from_slice(&output.stdout).map_err(|error| {
            Failure::new(format!("what {} tells is no JSON: {error}", self.client.line(&self.words(&verb))))
        })
    }

    fn look(&self, verb: &[String], sys: &mut System<'_>) -> Result<Output> {
        let output = sys.query(self.command(verb))?;
        if output.ok() {
            return Ok(output);
        }
        Err(Failure::new(output.stderr().trim())
            .with("cmd", self.command(verb).line())
            .with("rc", output.code)
            .with("stdout", output.stdout())
            .with("stderr", output.stderr()))
    }

    /// What the call returns, after all that was done.
    pub fn returns(
        &self,
        done: &[Done],
        builds_count: bool,
        sys: &mut System<'_>,
    ) -> Result<Map<String, Json>> {
        for warning in done.iter().flat_map(|one| &one.said.warnings) {
            sys.warn(warning.as_str());
        }
        if let Some(changing) = done.iter().find(|one| one.said.changed(builds_count)) {
            sys.count_as_change(changing.line.clone());
        }
        let actions: Vec<Action> = done.iter().flat_map(|one| one.said.actions()).collect();
        let joined = |part: fn(&Done) -> &str| {
            let parts: Vec<&str> = done.iter().map(part).filter(|text| !text.is_empty()).collect();
            parts.join("\n")
        };
        let (stdout, stderr) = (joined(|one| &one.stdout), joined(|one| &one.stderr));
        let failed = done.iter().find(|one| one.code != 0);
        let mut returns = Map::from_iter([("actions".to_owned(), json!(actions))]);
        for (key, text) in [("stdout", stdout), ("stderr", stderr)] {
            if failed.is_some() || !text.is_empty() {
                returns.insert(key.to_owned(), text.into());
            }
        }
        let containers = self.containers(sys);
        let images = containers.and_then(|containers| Ok((containers, self.images(sys)?)));
        match (failed, images) {
            (None, Ok((containers, images))) => {
                returns.extend([("containers".to_owned(), containers.into()), ("images".to_owned(), images)]);
                Ok(returns)
            }
            (None, Err(failure)) => Err(failure),
            (Some(failed), looked) => {
                let msg = failed.said.failure();
                let msg = if msg.is_empty() { failed.stderr.trim().to_owned() } else { msg };
                let failure =
                    Failure::new(msg).with_all(returns).with("cmd", &failed.line).with("rc", failed.code);
                Err(match looked {
                    Ok((containers, images)) => failure.with("containers", containers).with("images", images),
                    Err(_) => failure,
                })
            }
        }
    }
}

impl Done {
    pub fn ok(&self) -> bool {
        self.code == 0
    }
}

/// A list, or one after the other, as versions have it.
fn objects(text: &str) -> Option<Vec<Json>> {
    if let Ok(Json::Array(all)) = serde_json::from_str(text) {
        return Some(all);
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).ok()).collect()
}

/// Labels, names and networks, which come as one text each.
fn take_apart(container: &mut Map<String, Json>) {
    let parts = |text: &str| -> Vec<String> {
        text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    if let Some(Json::String(labels)) = container.get("Labels") {
        let pair = |label: String| {
            let (name, value) = label.split_once('=').unwrap_or((&label, ""));
            (name.to_owned(), value.into())
        };
        let labels: Map<String, Json> = parts(labels).into_iter().map(pair).collect();
        container.insert("Labels".to_owned(), labels.into());
    }
    for key in ["Names", "Networks"] {
        if let Some(Json::String(text)) = container.get(key) {
            let list = parts(text);
            container.insert(key.to_owned(), list.into());
        }
    }
    if container.get("Publishers").is_none_or(Json::is_null) {
        container.insert("Publishers".to_owned(), json!([]));
    }
}

pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_taken_apart() {
        let lines = "{\"Labels\":\"a=b,c=d=e\",\"Names\":\"x\",\"Networks\":\"\"}\n{\"Publishers\":[1]}\n";
        let mut all = objects(lines).unwrap();
        all.iter_mut().filter_map(Json::as_object_mut).for_each(take_apart);
        assert_eq!(
            json!(all),
            json!([
                {"Labels": {"a": "b", "c": "d=e"}, "Names": ["x"], "Networks": [], "Publishers": []},
                {"Publishers": [1]},
            ])
        );
        assert_eq!(objects("[{}, {}]").unwrap().len(), 2);
        assert!(objects("oops").is_none() && objects("").unwrap().is_empty());
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let version = Version::parse("v2.26.1-4").unwrap();
        assert!(version.need("x", (2, 26)).is_ok());
        let msg = version.need("assume_yes=true", (2, 32)).unwrap_err().msg;
        assert_eq!(msg, "assume_yes=true needs Docker Compose 2.32.0 or newer, not version 2.26.1-4");
    }
}
