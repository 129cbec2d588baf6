//! The networks a container is of.

use serde_json::{Map, Value as Json, json};

use super::Args;
use super::compare::{Comparisons, Method};
use super::container::Container;
use super::wish::{Kind, Wish};
use crate::docker::engine::{Engine, quoted};
use crate::docker::{Told, at, items, text};
use crate::kit::{Failure, Result, Suboptions, System};

const FIELDS: [&str; 8] =
    ["aliases", "driver_opts", "gw_priority", "ipv4_address", "ipv6_address", "links", "mac_address", "name"];

/// A network that is wanted, and how.
pub struct Network {
    pub name: String,
    id: String,
    /// Its options, as the playbook has them.
    told: Map<String, Json>,
    ipv4: Option<String>,
    ipv6: Option<String>,
    aliases: Option<Vec<String>>,
    links: Option<Vec<String>>,
    mac: Option<String>,
    driver_opts: Option<Map<String, Json>>,
    gw_priority: Option<i64>,
    /// What the engine knows of it.
    raw: Json,
}

/// The networks wanted, which must be there.
pub fn wanted(args: &Args, engine: &Engine, sys: &mut System<'_>) -> Result<Vec<Network>> {
    let mut networks = Vec::new();
    let given = args.networks.as_deref().unwrap_or_default();
    for (fields, told) in Suboptions::each("networks", given, &FIELDS)?.iter().zip(given) {
        let name = fields.needed("name")?;
        let found = engine.get_if_there(&format!("/networks/{}", quoted(&name)), sys)?;
        let raw = found.ok_or_else(|| {
            Failure::new(format!("Parameter error: network named {name} could not be found. Does it exist?"))
        })?;
        let id = text(&raw, "Id").to_owned();
        let mut all: Map<String, Json> = FIELDS.iter().map(|key| ((*key).to_owned(), Json::Null)).collect();
        all.insert("id".to_owned(), id.as_str().into());
        all.extend(told.clone());
        networks.push(Network {
            id,
            told: all,
            ipv4: fields.text("ipv4_address")?,
            ipv6: fields.text("ipv6_address")?,
            aliases: fields.texts("aliases")?,
            links: fields.texts("links")?,
            mac: fields.text("mac_address")?,
            driver_opts: fields.mapping("driver_opts")?,
            gw_priority: fields.int("gw_priority")?,
            name,
            raw,
        });
    }
    Ok(networks)
}

/// The address of published ports that name none.
pub fn default_ip(args: &Args, networks: &[Network]) -> Result<String> {
    if let Some(given) = &args.surroundings.default_host_ip {
        if !given.is_empty() && given.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_err() {
            return Err(Failure::new(format!(
                "The value of default_host_ip must be an empty string, an IPv4 address, or an IPv6 address. Got \
                 \"{given}\" instead."
            )));
        }
        return Ok(given.trim_matches(['[', ']']).to_owned());
    }
    let bound =
        networks.iter().filter(|network| text(&network.raw, "Driver") == "bridge").find_map(|network| {
            let option = at(&network.raw, "Options").get("com.docker.network.bridge.host_binding_ipv4")?;
            option.as_str().map(str::to_owned)
        });
    Ok(bound.unwrap_or_else(|| "0.0.0.0".to_owned()))
}

/// The network it is made with.
pub fn mode(
    args: &Args,
    networks: &[Network],
    engine: &Engine,
    sys: &mut System<'_>,
) -> Result<Option<Wish>> {
    let first = networks.first().filter(|_| args.networks_cli_compatible).map(|network| &network.name);
    let Some(mode) = args.surroundings.network_mode.as_ref().or(first) else { return Ok(None) };
    let value = shared(mode, engine, sys)?;
    Ok(Some(Wish::new("network_mode", Kind::Value, "HostConfig/NetworkMode", value.into())))
}

/// Its hardware address. Newer engines tell it of the network it is made with alone.
pub fn mac_address(args: &Args, engine: &Engine) -> Option<Wish> {
    let wanted = args.surroundings.mac_address.as_deref()?;
    let wish = Wish::new("mac_address", Kind::Value, "Config/MacAddress", wanted.into());
    if engine.version < (1, 44) {
        return Some(wish);
    }
    Some(wish.found_by(|container| {
        let mode = match text(container, "HostConfig/NetworkMode") {
            "default" => "bridge",
            other => other,
        };
        let endpoint = at(container, "NetworkSettings/Networks").get(mode).unwrap_or(&Json::Null);
        let told = [text(container, "Config/MacAddress"), text(endpoint, "MacAddress")];
        told.into_iter().find(|address| !address.is_empty()).into()
    }))
}

/// `container:NAME` by the id of that container.
pub fn shared(mode: &str, engine: &Engine, sys: &mut System<'_>) -> Result<String> {
    let Some(name) = mode.strip_prefix("container:") else { return Ok(mode.to_owned()) };
    let other = Container::find(engine, name, sys)?;
    Ok(if other.exists() { format!("container:{}", other.id()) } else { mode.to_owned() })
}

impl Network {
    /// As the engine takes it.
    fn endpoint(&self) -> Json {
        let mut endpoint = Map::new();
        let mut set = |key: &str, value: Json| {
            if !value.is_null() {
                endpoint.insert(key.to_owned(), value);
            }
        };
        let mut addresses = Map::new();
        for (key, address) in [("IPv4Address", &self.ipv4), ("IPv6Address", &self.ipv6)] {
            if let Some(address) = address {
                addresses.insert(key.to_owned(), address.as_str().into());
            }
        }
        if !addresses.is_empty() {
            set("IPAMConfig", addresses.into());
        }
        set("Aliases", self.aliases.clone().into());
        set("Links", self.links.clone().into());
        set("MacAddress", self.mac.clone().into());
        set("DriverOpts", self.driver_opts.clone().into());
        set("GwPriority", self.gw_priority.into());
        endpoint.into()
    }

    /// What a container that is made with it is made with.
    pub fn configuration(&self) -> Json {
        json!({"EndpointsConfig": {&self.name: self.endpoint()}})
    }

    /// What differs of it, in a container that is of it.
    fn differs(&self, endpoint: &Json, container: &Json) -> bool {
        let address = |wanted: &Option<String>, key: &str| {
            wanted.as_ref().is_some_and(|wanted| wanted != text(at(endpoint, "IPAMConfig"), key))
        };
        let lacks = |wanted: &Option<Vec<String>>, key: &str| {
            let there = items(endpoint, key);
            wanted.iter().flatten().any(|one| !there.iter().any(|other| other == one))
        };
        let id = text(container, "Id").get(..12).unwrap_or_default();
        let aliases = self
            .aliases
            .as_ref()
            .map(|aliases| aliases.iter().filter(|alias| *alias != id).cloned().collect());
        let options = at(endpoint, "DriverOpts");
        address(&self.ipv4, "IPv4Address")
            || address(&self.ipv6, "IPv6Address")
            || lacks(&aliases, "Aliases")
            || lacks(&self.links, "Links")
            || self.mac.as_ref().is_some_and(|mac| !mac.eq_ignore_ascii_case(text(endpoint, "MacAddress")))
            || self.driver_opts.iter().flatten().any(|(key, value)| options.get(key) != Some(value))
            || self
                .gw_priority
                .is_some_and(|wanted| at(endpoint, "GwPriority").as_i64().unwrap_or(0) != wanted)
    }
}

/// Connects the container to networks it lacks, and where that is wanted disconnects it from all others. Tells
/// whether something changed.
pub fn update(
    args: &Args,
    comparisons: &Comparisons,
    networks: &[Network],
    container: &Container,
    engine: &Engine,
    told: &mut Told,
    sys: &mut System<'_>,
) -> Result<bool> {
    let method = comparisons.of_option("networks");
    if method == Some(Method::Ignore) || args.networks.is_none() {
        return Ok(false);
    }
    let connected = at(&container.raw, "NetworkSettings/Networks").as_object().cloned().unwrap_or_default();
    let mut changed = false;
    for network in networks {
        let there = connected
            .get(&network.name)
            .or_else(|| connected.values().find(|endpoint| text(endpoint, "NetworkID") == network.id));
        if there.is_some_and(|endpoint| !network.differs(endpoint, &container.raw)) {
            continue;
        }
        let before = there.map_or(Json::Null, |endpoint| shown(&network.name, endpoint));
        told.state(&format!("network.{}", network.name), network.told.clone(), before);
        if there.is_some() {
            disconnect(&network.id, &network.name, container, engine, told, sys)?;
        }
        if !sys.is_check() {
            let body = json!({"Container": container.id(), "EndpointConfig": network.endpoint()});
            engine.post(&format!("/networks/{}/connect", quoted(&network.id)), &body, sys).map_err(
                |error| {
                    let name = &network.name;
                    error.context(format!("Error connecting container to network {name}"))
                },
            )?;
        }
        let action = json!({"added_to_network": network.name, "network_parameters": network.told});
        told.action(action, sys);
        changed = true;
    }
    if method == Some(Method::Strict) {
        for (name, endpoint) in &connected {
            let id = text(endpoint, "NetworkID");
            if networks.iter().any(|network| network.name == *name || network.id == id) {
                continue;
            }
            told.state(&format!("network.{name}"), Json::Null, json!({"id": id, "name": name}));
            let id = if id.is_empty() { name } else { id };
            disconnect(id, name, container, engine, told, sys)?;
            changed = true;
        }
    }
    Ok(changed)
}

fn disconnect(
    id: &str,
    name: &str,
    container: &Container,
    engine: &Engine,
    told: &mut Told,
    sys: &mut System<'_>,
) -> Result<()> {
    if !sys.is_check() {
        let body = json!({"Container": container.id()});
        engine
            .post(&format!("/networks/{}/disconnect", quoted(id)), &body, sys)
            .map_err(|error| error.context(format!("Error disconnecting container from network {name}")))?;
    }
    told.action(json!({"removed_from_network": name}), sys);
    Ok(())
}

/// A container's part of a network, as it is told.
fn shown(name: &str, endpoint: &Json) -> Json {
    let ipam = at(endpoint, "IPAMConfig");
    json!({
        "ipv4_address": at(ipam, "IPv4Address"),
        "ipv6_address": at(ipam, "IPv6Address"),
        "aliases": at(endpoint, "Aliases"),
        "links": at(endpoint, "Links"),
        "mac_address": at(endpoint, "MacAddress"),
        "name": name,
    })
}
