use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::docker::engine::{ApiError, Engine, quoted};
use crate::docker::words::{self, mapping};
use crate::docker::{EngineOptions, Told, at, text};
use crate::kit::{Result, System};

/// Manages Docker volumes.
///
/// What a volume is made with cannot change: where it is otherwise, `recreate` says whether it is made anew, which loses
/// all that is in it.
///
/// # Examples
///
/// ```yaml
/// - name: A volume for the database
///   docker_volume: {name: pgdata, labels: {backup: daily}}
///
/// - name: A directory of another machine
///   docker_volume:
///     name: shared
///     driver_options: {type: nfs, o: "addr=10.0.0.1,rw", device: ":/export"}
///
/// - name: It is gone
///   docker_volume: {name: old, state: absent}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// Its name.
    #[schemars(extend("aliases" = ["name"]))]
    pub volume_name: String,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// What keeps it.
    #[serde(default = "local")]
    pub driver: String,
    /// Options of its driver.
    #[serde(default)]
    pub driver_options: Map<String, Json>,
    /// Labels.
    pub labels: Option<Map<String, Json>>,
    /// When it is made anew, with what is in it lost.
    #[serde(default)]
    pub recreate: Recreate,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there.
    #[default]
    Present,
    /// It is not there.
    Absent,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Recreate {
    /// Never.
    #[default]
    Never,
    /// Each time.
    Always,
    /// Where its driver, its options or its labels are otherwise.
    OptionsChanged,
}

fn local() -> String {
    "local".to_owned()
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let labels = args.labels.as_ref().map(words::labels).transpose()?;
    let engine = args.engine.open(sys)?;
    let mut work = Work { args: &args, engine: &engine, labels, told: Told::default(), sys };
    let mut returns = match args.state {
        State::Present => work.present()?,
        State::Absent => work.absent()?,
    };
    let Work { told, sys, .. } = work;
    if sys.is_check() || args.engine.debug || args.state == State::Absent {
        returns.insert("actions".to_owned(), told.actions.clone().into());
    }
    told.listing(args.engine.debug, sys);
    Ok(returns)
}

struct Work<'w, 's> {
    args: &'w Args,
    engine: &'w Engine,
    labels: Option<Map<String, Json>>,
    told: Told,
    sys: &'w mut System<'s>,
}

impl Work<'_, '_> {
    fn present(&mut self) -> Result<Map<String, Json>, ApiError> {
        let existing = self.find()?;
        self.told.state("exists", true, existing.is_some());
        self.told.list(Told::default());
        let is_to_be_made = match &existing {
            None => true,
            Some(volume) => {
                let differs = self.differs(volume);
                let anew = match self.args.recreate {
                    Recreate::Never => false,
                    Recreate::Always => true,
                    Recreate::OptionsChanged => differs,
                };
                if anew {
                    self.remove()?;
                }
                anew
            }
        };
        if is_to_be_made {
            self.create()?;
        }
        let volume = self.find()?.unwrap_or_default();
        Ok(Map::from_iter([("volume".to_owned(), volume)]))
    }

    fn absent(&mut self) -> Result<Map<String, Json>, ApiError> {
        let exists = self.find()?.is_some();
        self.told.state("exists", false, exists);
        if exists {
            self.remove()?;
        }
        Ok(Map::new())
    }

    fn find(&mut self) -> Result<Option<Json>, ApiError> {
        self.engine.get_if_there(&path(&self.args.volume_name), self.sys)
    }

    /// Tells what of it is not as it is wanted.
    fn differs(&mut self, volume: &Json) -> bool {
        let mut differences = Told::default();
        let driver = self.args.driver.as_str();
        if driver != text(volume, "Driver") {
            differences.state("driver", driver, at(volume, "Driver").clone());
        }
        words::compare("driver_options", &self.args.driver_options, at(volume, "Options"), &mut differences);
        if let Some(labels) = &self.labels {
            words::compare_each("labels", labels, &mapping(volume, "Labels"), &mut differences);
        }
        let differs = differences.differs();
        self.told.list(differences);
        differs
    }

    fn remove(&mut self) -> Result<(), ApiError> {
        let name = &self.args.volume_name;
        if !self.sys.is_check() {
            self.engine.delete(&path(name), self.sys)?;
        }
        self.told.action(format!("Removed volume {name}").into(), self.sys);
        Ok(())
    }

    fn create(&mut self) -> Result<(), ApiError> {
        let args = self.args;
        let (name, driver) = (args.volume_name.as_str(), args.driver.as_str());
        if !self.sys.is_check() {
            let mut body = Map::from_iter([
                ("Name".to_owned(), name.into()),
                ("Driver".to_owned(), driver.into()),
                ("DriverOpts".to_owned(), args.driver_options.clone().into()),
            ]);
            body.extend(self.labels.clone().map(|labels| ("Labels".to_owned(), labels.into())));
            self.engine.post("/volumes/create", &body.into(), self.sys)?;
        }
        self.told.action(format!("Created volume {name} with driver {driver}").into(), self.sys);
        Ok(())
    }
}

fn path(name: &str) -> String {
    format!("/volumes/{}", quoted(name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn a_volume_is_made_once_and_anew_where_that_is_wanted() {
        let trial = Trial::of("docker_volume");
        let engine = fake::serve(&trial.host);
        let changes = |args: Json, changes: bool| {
            let told = trial.foretold(&args, changes);
            assert_eq!(trial.check(&args)["changed"], args["recreate"] == "always", "{args} again");
            told
        };
        let options = json!({"type": "tmpfs"});
        changes(json!({"name": "v", "labels": {"a": 1}}), true);
        changes(json!({"name": "v", "driver_options": options}), false);
        changes(json!({"name": "v", "driver_options": options, "recreate": "options-changed"}), true);
        changes(json!({"name": "v", "recreate": "always"}), true);
        changes(json!({"name": "v", "state": "absent"}), true);
        let asked = engine.lock().unwrap().asked.clone();
        let verbs: Vec<&str> = asked.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(verbs, ["POST", "DELETE", "POST", "DELETE", "POST", "DELETE"]);
        assert_eq!(
            asked[0],
            r#"POST /volumes/create {"Name":"v","Driver":"local","DriverOpts":{},"Labels":{"a":"1"}}"#
        );
    }
}
