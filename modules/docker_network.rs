mod ipam;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::docker::engine::{ApiError, Engine, quoted};
use crate::docker::words;
use crate::docker::{EngineOptions, Told, at, text};
use crate::kit::{Failure, Result, System};

/// Manages Docker networks.
///
/// What is not given is not looked at. A network that is not as it is wanted is made anew: its containers leave the old
/// one, and those of `connected`, else all of them, join the new one. How they joined is not kept: fixed addresses and
/// aliases are the work of `docker_container`.
///
/// # Examples
///
/// ```yaml
/// - name: A network for the web
///   docker_network: {name: web}
///
/// - name: A network with its own addresses
///   docker_network:
///     name: backend
///     internal: true
///     ipam_config:
///       - {subnet: 172.20.0.0/16, gateway: 172.20.0.1, iprange: 172.20.10.0/24}
///     driver_options: {com.docker.network.bridge.name: backend0}
///
/// - name: These containers are of it, besides those that are
///   docker_network: {name: backend, connected: [db, app], appends: true}
///
/// - name: It is gone
///   docker_network: {name: old, state: absent}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// Its name.
    #[schemars(extend("aliases" = ["network_name"]))]
    pub name: String,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// The containers that are of it, by name or id; others leave it. None given: that stays as it is.
    #[serde(default)]
    #[schemars(extend("aliases" = ["containers"]))]
    pub connected: Vec<String>,
    /// Whether containers stay that `connected` does not name.
    #[serde(default)]
    #[schemars(extend("aliases" = ["incremental"]))]
    pub appends: bool,
    /// Whether a network that is as it should be is made anew.
    #[serde(default)]
    pub force: bool,
    /// What makes it.
    #[serde(default = "bridge")]
    pub driver: String,
    /// Options of its driver.
    #[serde(default)]
    pub driver_options: Map<String, Json>,
    /// What gives out addresses.
    pub ipam_driver: Option<String>,
    /// Options of that.
    pub ipam_driver_options: Option<Map<String, Json>>,
    /// Its addresses: `subnet`, `gateway`, `iprange`, `aux_addresses`.
    pub ipam_config: Option<Vec<Map<String, Json>>>,
    /// Whether it has addresses of version 4: for an engine of the interface 1.47 and later.
    pub enable_ipv4: Option<bool>,
    /// Whether it has addresses of version 6.
    pub enable_ipv6: Option<bool>,
    /// Whether nothing outside is reached from it.
    pub internal: Option<bool>,
    /// Whether containers that are of no service can join it, in a swarm.
    pub attachable: Option<bool>,
    /// Whether it distributes what reaches a swarm.
    pub ingress: Option<bool>,
    /// Where it is known.
    pub scope: Option<Scope>,
    /// Whether others have their configuration of it, and it is nothing else.
    pub config_only: Option<bool>,
    /// The network it has its configuration of.
    pub config_from: Option<String>,
    /// Labels.
    #[serde(default)]
    pub labels: Map<String, Json>,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there, as it is described.
    #[default]
    Present,
    /// It is not there.
    Absent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Local,
    Global,
    Swarm,
}

fn bridge() -> String {
    "bridge".to_owned()
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let labels = words::labels(&args.labels)?;
    let ipam = ipam::Ipam::of(&args)?;
    let engine = args.engine.open(sys)?;
    if args.enable_ipv4.is_some() && engine.version < (1, 47) {
        let (major, minor) = engine.version;
        return Err(Failure::new(format!(
            "Docker API version is {major}.{minor}. Minimum version required is 1.47 to set enable_ipv4 option."
        )));
    }
    let mut work = Work { args: &args, engine: &engine, labels, ipam, told: Told::default(), sys };
    let mut returns = match args.state {
        State::Present => work.present(),
        State::Absent => work.absent(),
    }
    .map_err(|error| error.context("An unexpected Docker error occurred"))?;
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
    labels: Map<String, Json>,
    ipam: ipam::Ipam,
    told: Told,
    sys: &'w mut System<'s>,
}

impl Work<'_, '_> {
    fn present(&mut self) -> Result<Map<String, Json>, ApiError> {
        let args = self.args;
        let mut existing = self.find()?;
        let mut connected = args.connected.clone();
        self.told.state("exists", true, existing.is_some());
        self.told.list(Told::default());
        if let Some(network) = &existing {
            if connected.is_empty() {
                connected = members(network).map(|(_, name)| name.to_owned()).collect();
            }
            if self.differs(&network.clone()) || args.force {
                self.remove(&network.clone())?;
                existing = None;
            }
        }
        let is_new = existing.is_none();
        if is_new {
            self.create()?;
        }
        self.connect(&connected, is_new)?;
        if let Some(network) = existing.filter(|_| !args.appends) {
            let others = members(&network).filter(|(id, name)| {
                !connected.iter().any(|wanted| wanted == name || id.starts_with(wanted.as_str()))
            });
            let others: Vec<String> = others.map(|(_, name)| name.to_owned()).collect();
            for name in others {
                self.disconnect(&name)?;
            }
        }
        let network = self.find()?.unwrap_or_default();
        Ok(Map::from_iter([("network".to_owned(), network)]))
    }

    fn absent(&mut self) -> Result<Map<String, Json>, ApiError> {
        let existing = self.find()?;
        self.told.state("exists", false, existing.is_some());
        if let Some(network) = existing {
            self.remove(&network)?;
        }
        Ok(Map::new())
    }

    fn find(&mut self) -> Result<Option<Json>, ApiError> {
        self.engine.get_if_there(&path(&self.args.name, ""), self.sys)
    }

    /// Tells what of it is not as it is wanted.
    fn differs(&mut self, network: &Json) -> bool {
        let args = self.args;
        let mut differences = Told::default();
        let state = |told: &mut Told, option: &str, wanted: Option<Json>, place: &str| {
            let current = at(network, place);
            let is_off = current.is_null() && wanted.as_ref() == Some(&Json::Bool(false));
            if let Some(wanted) = wanted.filter(|wanted| wanted != current && !is_off) {
                told.state(option, wanted, current.clone());
            }
        };
        let driver = (args.config_only != Some(true)).then(|| args.driver.as_str().into());
        state(&mut differences, "config_only", args.config_only.map(Json::from), "ConfigOnly");
        state(
            &mut differences,
            "config_from",
            args.config_from.clone().map(Json::from),
            "ConfigFrom/Network",
        );
        state(&mut differences, "driver", driver, "Driver");
        let options = words::texts(&args.driver_options);
        words::compare("driver_options", &options, at(network, "Options"), &mut differences);
        self.ipam.compare(network, &mut differences);
        state(&mut differences, "enable_ipv4", args.enable_ipv4.map(Json::from), "EnableIPv4");
        state(&mut differences, "enable_ipv6", args.enable_ipv6.map(Json::from), "EnableIPv6");
        state(&mut differences, "internal", args.internal.map(Json::from), "Internal");
        state(&mut differences, "scope", args.scope.map(|scope| json!(scope)), "Scope");
        state(&mut differences, "attachable", args.attachable.map(Json::from), "Attachable");
        state(&mut differences, "ingress", args.ingress.map(Json::from), "Ingress");
        words::compare("labels", &self.labels, at(network, "Labels"), &mut differences);
        let differs = differences.differs();
        self.told.list(differences);
        differs
    }

    /// Removes it, once all have left it.
    fn remove(&mut self, network: &Json) -> Result<(), ApiError> {
        let members: Vec<String> = members(network).map(|(_, name)| name.to_owned()).collect();
        for name in members {
            self.disconnect(&name)?;
        }
        if !self.sys.is_check() {
            self.engine.delete(&path(&self.args.name, ""), self.sys)?;
        }
        self.told.action(format!("Removed network {}", self.args.name).into(), self.sys);
        Ok(())
    }

    fn create(&mut self) -> Result<(), ApiError> {
        if !self.sys.is_check() {
            let made = self.engine.post("/networks/create", &self.body(), self.sys)?;
            if let Some(warning) = Some(text(&made, "Warning")).filter(|warning| !warning.is_empty()) {
                self.sys.warn(format!("Docker warning: {warning}"));
            }
        }
        let action = format!("Created network {} with driver {}", self.args.name, self.args.driver);
        self.told.action(action.into(), self.sys);
        Ok(())
    }

    /// What it is made with.
    fn body(&self) -> Json {
        let args = self.args;
        let mut body = Map::new();
        let mut set = |key: &str, value: Option<Json>| {
            if let Some(value) = value {
                body.insert(key.to_owned(), value);
            }
        };
        set("Name", Some(args.name.as_str().into()));
        set("CheckDuplicate", Some(true.into()));
        set("Driver", (args.config_only != Some(true)).then(|| args.driver.as_str().into()));
        set("Options", Some(words::texts(&args.driver_options).into()));
        set("IPAM", self.ipam.body());
        set("EnableIPv4", args.enable_ipv4.map(Json::from));
        set("EnableIPv6", args.enable_ipv6.map(Json::from));
        set("Internal", args.internal.map(Json::from));
        set("Attachable", args.attachable.map(Json::from));
        set("Ingress", args.ingress.map(Json::from));
        set("Scope", args.scope.map(|scope| json!(scope)));
        set("ConfigOnly", args.config_only.map(Json::from));
        set("ConfigFrom", args.config_from.as_ref().map(|name| json!({"Network": name})));
        set("Labels", Some(self.labels.clone().into()));
        body.into()
    }

    /// Has containers join that are not of it. `is_new`: nobody is.
    fn connect(&mut self, containers: &[String], is_new: bool) -> Result<(), ApiError> {
        for name in containers {
            let place = format!("/containers/{}/json", quoted(name));
            let Some(container) = self.engine.get_if_there(&place, self.sys)? else {
                self.sys.warn(format!("connected: there is no container {name}"));
                continue;
            };
            let networks = at(&container, "NetworkSettings/Networks");
            if !is_new && networks.get(&self.args.name).is_some() {
                continue;
            }
            if !self.sys.is_check() {
                let body = json!({"Container": name});
                self.engine.post(&path(&self.args.name, "/connect"), &body, self.sys)?;
            }
            self.told.restate(&format!("connected.{name}"), true, false);
            self.told.action(format!("Connected container {name}").into(), self.sys);
        }
        Ok(())
    }

    fn disconnect(&mut self, name: &str) -> Result<(), ApiError> {
        if !self.sys.is_check() {
            let body = json!({"Container": name, "Force": true});
            self.engine.post(&path(&self.args.name, "/disconnect"), &body, self.sys)?;
        }
        self.told.state(&format!("connected.{name}"), false, true);
        self.told.action(format!("Disconnected container {name}").into(), self.sys);
        Ok(())
    }
}

fn path(name: &str, verb: &str) -> String {
    format!("/networks/{}{verb}", quoted(name))
}

/// Ids and names of its containers.
fn members(network: &Json) -> impl Iterator<Item = (&str, &str)> {
    let containers = at(network, "Containers").as_object().into_iter().flatten();
    containers.map(|(id, member)| (id.as_str(), text(member, "Name")))
}
