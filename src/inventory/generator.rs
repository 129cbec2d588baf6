//! The plugin `generator`: every combination of words, made into hosts and groups by templates of their names.

use std::path::Path;
use std::sync::Arc;

use super::computed::Given;
use super::data::{Inventory, located};
use super::settings_file::Settings;
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};
use crate::yaml::Node;

/// More hosts than any inventory has.
const MAX_HOSTS: usize = 1_000_000;

/// Adds what the file says, given as a mapping with a `plugin` key.
pub(super) fn load(
    inventory: &mut Inventory,
    document: &Node,
    source: &Arc<Path>,
) -> Result<Vec<Diagnostic>> {
    let settings = Settings::new(document);
    let layers = layers(settings.entries("layers")?)?;
    let Some(hosts) = document.get("hosts").filter(|hosts| hosts.as_map().is_some()) else {
        return Err(Diagnostic::new("the plugin `generator` needs `hosts:`, a mapping with a `name`")
            .at(&document.place));
    };
    let mut warnings = settings.unknown(&["plugin", "hosts", "layers"]);
    warnings.extend(Settings::new(hosts).unknown(&["name", "parents"]));
    let Some(name) = hosts.get("name") else {
        return Err(Diagnostic::new("`hosts:` needs a `name`").at(&hosts.place));
    };
    for given in combinations(&layers)? {
        let host = given.rendered(&name.to_value()).map_err(|error| error.at(&name.place))?.to_string();
        inventory.name_host(&host, Some(source));
        for parent in Settings::new(hosts).list("parents")? {
            let parent = group(inventory, &given, &host, parent, 0)?;
            inventory.put(&host, &parent);
        }
    }
    Ok(warnings)
}

type Layers = Vec<(Value, Vec<Value>)>;

fn layers(entries: &[(Node, Node)]) -> Result<Layers> {
    let layer = |(name, values): &(Node, Node)| match values.as_list() {
        Some(values) => Ok((name.to_value(), values.iter().map(Node::to_value).collect())),
        None => Err(Diagnostic::new(format!("a layer is a list of words, this is {}", values.describe()))
            .at(&values.place)),
    };
    entries.iter().map(layer).collect()
}

/// Every choice of one word of each layer; the last layer changes first.
fn combinations(layers: &Layers) -> Result<Vec<Given>> {
    let mut all = vec![Dict::new()];
    for (name, values) in layers {
        if all.len().saturating_mul(values.len()) > MAX_HOSTS {
            return Err(Diagnostic::new(format!("the layers stand for more than {MAX_HOSTS} hosts")));
        }
        let with = |chosen: &Dict, value: &Value| {
            let mut chosen = chosen.clone();
            chosen.insert(name.clone(), value.clone());
            chosen
        };
        all = all.iter().flat_map(|chosen| values.iter().map(move |value| with(chosen, value))).collect();
    }
    Ok(all.into_iter().map(|vars| Given { vars, magic: Dict::new() }).collect())
}

/// Makes a group with all above it, and answers its name.
fn group(
    inventory: &mut Inventory,
    given: &Given,
    child: &str,
    group: &Node,
    depth: usize,
) -> Result<String> {
    const MAX_DEPTH: usize = 100;
    let wrong = |message: String| Diagnostic::new(message).at(&group.place);
    if depth > MAX_DEPTH {
        return Err(wrong("parents are nested too deeply".to_owned()));
    }
    let Some(name) = group.get("name") else {
        return Err(wrong(format!("Element {child} has a parent with no name.")));
    };
    let name = given.rendered(&name.to_value()).map_err(|error| error.at(&name.place))?.to_string();
    inventory.add_group(&name);
    let settings = Settings::new(group);
    for (key, value) in settings.entries("vars")? {
        let written = value.to_value();
        let mut rendered = given.rendered(&written).map_err(|error| error.at(&value.place))?;
        if matches!(written, Value::Template(_)) {
            rendered = inventory.computed.note(&rendered, given);
        }
        let key = key.as_str().map_or_else(|| key.to_value(), Value::from);
        if let Some(warning) = inventory.set_group_var(&name, &key, rendered) {
            return Err(warning.at(&value.place));
        }
    }
    for parent in settings.list("parents")? {
        let above = self::group(inventory, given, &name, parent, depth + 1)?;
        located(inventory.add_child(&above, &name), &parent.place)?;
    }
    Ok(name)
}
