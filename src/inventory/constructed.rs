//! The plugin `constructed`: variables and groups from expressions over the hosts that earlier sources gave.

use std::sync::Arc;

use super::computed::{Given, safe_group_name};
use super::data::{Inventory, located};
use super::layers::Level;
use super::settings_file::Settings;
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};
use crate::yaml::Node;

const OPTIONS: &[&str] = &[
    "plugin",
    "strict",
    "compose",
    "groups",
    "keyed_groups",
    "use_extra_vars",
    "use_vars_plugins",
    "leading_separator",
];

/// Adds what the file says, given as a mapping with a `plugin` key.
pub(super) fn load(inventory: &mut Inventory, document: &Node, extra_vars: &Dict) -> Result<Vec<Diagnostic>> {
    let settings = Settings::new(document);
    let constructed = Constructed {
        strict: settings.flag("strict", false)?,
        compose: settings.entries("compose")?,
        groups: settings.entries("groups")?,
        keyed_groups: settings.list("keyed_groups")?,
        leading_separator: settings.flag("leading_separator", true)?,
        with_files: settings.flag("use_vars_plugins", false)?,
        extra_vars: settings.flag("use_extra_vars", false)?.then_some(extra_vars),
    };
    let names: Vec<Arc<str>> = inventory.hosts().map(|(name, _)| Arc::clone(name)).collect();
    for host in names {
        constructed.host(inventory, &host)?;
    }
    Ok(settings.unknown(OPTIONS))
}

/// What an entry of `keyed_groups` may hold.
const KEYS: &[&str] = &["key", "prefix", "separator", "parent_group", "default_value", "trailing_separator"];

struct Constructed<'a> {
    /// Whether an expression that fails is an error; it is passed over otherwise.
    strict: bool,
    compose: &'a [(Node, Node)],
    groups: &'a [(Node, Node)],
    keyed_groups: &'a [Node],
    leading_separator: bool,
    /// Whether `group_vars` and `host_vars` count.
    with_files: bool,
    extra_vars: Option<&'a Dict>,
}

impl Constructed<'_> {
    fn host(&self, inventory: &mut Inventory, host: &Arc<str>) -> Result<()> {
        let mut given = self.variables(inventory, host)?;
        for (name, expression) in self.compose {
            let Some(text) = expression.as_str() else {
                inventory.set_host_var(host, &name.to_value(), expression.to_value());
                continue;
            };
            let value = given.expression(text, &expression.place);
            let lead = format!("Could not set {} for host {host}", name.to_value());
            if let Some(value) = self.tolerated(value.map_err(|error| error.context(lead)))? {
                if matches!(value, Value::Omit) {
                    continue;
                }
                let value = inventory.computed.note(&value, &given);
                inventory.set_host_var(host, &name.to_value(), value);
            }
        }
        if !self.compose.is_empty() {
            given = self.variables(inventory, host)?;
        }
        for (name, condition) in self.groups {
            let name = safe_group_name(&name.to_value().to_string());
            let lead = format!("Could not add host {host} to group {name}");
            let holds = given.holds(condition).map_err(|error| error.context(lead));
            if self.tolerated(holds)? == Some(true) {
                inventory.add_group(&name);
                inventory.put(host, &name);
            }
        }
        self.keyed_groups.iter().try_for_each(|keyed| self.keyed(inventory, host, &given, keyed))
    }

    /// What the expressions see of a host.
    fn variables(&self, inventory: &Inventory, host: &Arc<str>) -> Result<Given> {
        let (mut vars, mut magic) = (Dict::new(), Dict::new());
        let layers = inventory.host_layers(host, None)?;
        let counts = |level| self.with_files || matches!(level, Level::InventoryGroup | Level::InventoryHost);
        for layer in layers.iter().filter(|layer| counts(layer.level)) {
            vars.extend(layer.vars.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        magic.insert("inventory_hostname", Value::Str(Arc::clone(host)));
        magic.insert("inventory_hostname_short", host.split('.').next().unwrap_or_default());
        let groups = inventory.group_names(host).into_iter().map(Value::Str).collect();
        magic.insert("group_names", Value::list(groups));
        if let Some(known) = inventory.host(host) {
            let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
            magic.insert(
                "inventory_file",
                known.inventory_file().map_or(Value::None, |file| path(file).into()),
            );
            magic.insert("inventory_dir", known.inventory_dir().map_or(Value::None, |dir| path(dir).into()));
        }
        for (name, value) in self.extra_vars.into_iter().flatten() {
            vars.insert(name.clone(), value.clone());
        }
        Ok(Given { vars, magic })
    }

    /// Lets an error through where failing is allowed.
    fn tolerated<T>(&self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.strict => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Groups named after the value of an expression.
    fn keyed(&self, inventory: &mut Inventory, host: &Arc<str>, given: &Given, keyed: &Node) -> Result<()> {
        let wrong = |message: String| Err(Diagnostic::new(message).at(&keyed.place));
        if keyed.as_map().is_none() {
            return wrong(format!("Invalid keyed group entry: {}", keyed.to_value()));
        }
        let settings = Settings::new(keyed);
        let written = settings.text("key").unwrap_or_default();
        let lead = format!("Could not generate group for host {host} from {written} entry");
        let key = match keyed.get("key") {
            Some(node) => given.expression(&written, &node.place).map_err(|error| error.context(lead)),
            None => Ok(Value::None),
        };
        let Some(key) = self.tolerated(key)? else { return Ok(()) };
        let default = settings.text("default_value");
        let trailing = settings.flag("trailing_separator", true)?;
        if default.is_some() && keyed.get("trailing_separator").is_some() {
            return wrong(
                "parameters are mutually exclusive for keyed groups: default_value|trailing_separator"
                    .to_owned(),
            );
        }
        if let Some(unknown) = settings.unknown(KEYS).into_iter().next() {
            return Err(unknown);
        }
        if !key.is_truthy() && default.is_none() {
            let is_container = matches!(key, Value::List(_) | Value::Tuple(_) | Value::Dict(_));
            if self.strict && !is_container {
                return wrong(format!(
                    "No key or key resulted empty for {written} in host {host}, invalid entry"
                ));
            }
            return Ok(());
        }
        let prefix = settings.text("prefix").unwrap_or_default();
        let separator = settings.text("separator").unwrap_or_else(|| "_".to_owned());
        let parent = match keyed.get("parent_group").filter(|node| !node.is_null()) {
            None => None,
            Some(node) => {
                let lead = format!("Could not generate parent group for host {host} from {written} entry");
                let name = given.rendered(&node.to_value()).map_err(|error| error.context(lead));
                let Some(name) = self.tolerated(name)? else { return Ok(()) };
                Some(safe_group_name(&name.to_string()))
            }
        };
        let named = Named { default: default.as_deref(), separator: &separator, trailing };
        let Some(names) = named.names(&key) else {
            return wrong(format!(
                "Invalid group name format, expected a string or a list of them or dictionary, got: {}",
                key.type_name()
            ));
        };
        for name in names {
            let between = if prefix.is_empty() && !self.leading_separator { "" } else { &separator };
            let group = safe_group_name(&format!("{prefix}{between}{name}"));
            inventory.add_group(&group);
            inventory.put(host, &group);
            if let Some(parent) = &parent {
                inventory.add_group(parent);
                located(inventory.add_child(parent, &group), &keyed.place)?;
            }
        }
        Ok(())
    }
}

/// How names come from a key.
struct Named<'a> {
    /// For what is empty.
    default: Option<&'a str>,
    separator: &'a str,
    /// Whether a key of a mapping without value is followed by the separator.
    trailing: bool,
}

impl Named<'_> {
    /// The names without prefix; `None` for a key that cannot name anything.
    fn names(&self, key: &Value) -> Option<Vec<String>> {
        let or_default = |value: &Value| match self.default {
            Some(default) if !value.is_truthy() => default.to_owned(),
            _ => value.to_string(),
        };
        Some(match key {
            Value::None | Value::Str(_) => vec![or_default(key)],
            Value::List(items) | Value::Tuple(items) => items.iter().map(or_default).collect(),
            Value::Dict(entries) => entries.iter().map(|(key, value)| self.pair(key, value)).collect(),
            _ => return None,
        })
    }

    fn pair(&self, key: &Value, value: &Value) -> String {
        let is_empty = matches!(value, Value::None) || value.as_str() == Some("");
        match self.default {
            _ if !is_empty => format!("{key}{}{value}", self.separator),
            Some(default) => format!("{key}{}{default}", self.separator),
            None if self.trailing => format!("{key}{}{value}", self.separator),
            None => key.to_string(),
        }
    }
}
