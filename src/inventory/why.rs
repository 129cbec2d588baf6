//! `fanfare inventory --why`: where a variable of a host comes from, and what it won against.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::data::Inventory;
use super::layers::{Layer, Level, Origin};
use super::range;
use super::show::View;
use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::nearest::nearest;
use crate::value::Value;
use crate::yaml::{self, Node};

/// A place that sets the variable.
struct Setter {
    /// Its number in Ansible's list of precedence.
    rank: u8,
    what: String,
    at: String,
    value: String,
}

/// The one that won first, then those that lost, strongest first.
pub fn why(inventory: &Inventory, variable: &str, host: &str, view: &View<'_>) -> Result<String> {
    let layers = inventory.host_layers(host, view.playbook_dir)?;
    let mut setters: Vec<Setter> = Vec::new();
    for layer in layers.iter() {
        if let Some(value) = layer.vars.get(variable) {
            for setter in layer_setters(inventory, layer, variable, host, value) {
                // A directory may be both the inventory's and the playbook's.
                setters.retain(|weaker| weaker.at != setter.at);
                setters.push(setter);
            }
        }
    }
    if let Some(value) = view.extra_vars.get(variable) {
        setters.push(Setter {
            rank: 22,
            what: "extra variables".to_owned(),
            at: "-e".to_owned(),
            value: shown(value),
        });
    }
    let Some(winner) = setters.pop() else {
        let names: Vec<&str> =
            layers.iter().flat_map(|layer| layer.vars.keys()).filter_map(Value::as_str).collect();
        let error = Diagnostic::new(format!("nothing in the inventory sets `{variable}` for {host}"));
        return Err(match nearest(variable, names) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint("plays, roles and tasks set variables, too; those are known only in a run"),
        });
    };
    let mut text = format!("{variable} of {host} is {}\n\n", winner.value);
    let lost = setters.iter().rev().map(|setter| ("lost", setter));
    let all: Vec<_> = std::iter::once(("won", &winner)).chain(lost).collect();
    let width = all.iter().map(|(_, setter)| setter.at.chars().count()).max().unwrap_or_default();
    let what = all.iter().map(|(_, setter)| setter.what.chars().count()).max().unwrap_or_default();
    for (fate, setter) in all {
        let Setter { rank, what: name, at, value } = setter;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{fate:<4}  {at:<width$}  {rank:>2} {name:<what$}  {value}");
    }
    Ok(text)
}

/// The places of one layer, weakest first.
fn layer_setters(
    inventory: &Inventory,
    layer: &Layer,
    variable: &str,
    host: &str,
    value: &Value,
) -> Vec<Setter> {
    let beside = match layer.level {
        Level::PlaybookAllFile | Level::PlaybookGroupFile | Level::PlaybookHostFile => "playbook",
        _ => "inventory",
    };
    let (what, places) = match &layer.origin {
        Origin::Group(group) => {
            let places = in_sources(inventory, |file| group_place(file, group, variable));
            (format!("group `{group}` in the inventory"), places)
        }
        Origin::Host(name) => {
            let places = in_sources(inventory, |file| host_place(file, name, variable));
            (format!("host `{name}` in the inventory"), places)
        }
        Origin::File(path) => {
            let directory = match layer.level {
                Level::InventoryHostFile | Level::PlaybookHostFile => "host_vars",
                _ => "group_vars",
            };
            (format!("{directory} beside the {beside}"), vec![file_place(path, variable)])
        }
        Origin::Implicit => (format!("{host} is there without being named"), vec!["-".to_owned()]),
    };
    let count = places.len();
    let setter = |(index, at)| Setter {
        rank: layer.level as u8,
        what: what.clone(),
        at,
        value: if index + 1 == count { shown(value) } else { "(a later source sets it anew)".to_owned() },
    };
    places.into_iter().enumerate().map(setter).collect()
}

/// As it is written; secrets stay secret.
fn shown(value: &Value) -> String {
    match value {
        Value::Vault(_) => "(vaulted)".to_owned(),
        other => other.repr(),
    }
}

fn short(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

fn line(place: &Place) -> String {
    format!("{}:{}", short(&place.source.path), place.line)
}

fn file_place(path: &Path, variable: &str) -> String {
    let place = || {
        let (document, _) = yaml::load_file(path).ok()?.single().ok()?;
        document?.get_entry(variable).map(|(key, _)| line(&key.place))
    };
    place().unwrap_or_else(|| short(path))
}

/// The places in the sources, in their order; plugins and scripts have no lines.
fn in_sources(inventory: &Inventory, find: impl Fn(&Parsed) -> Option<Place>) -> Vec<String> {
    let place = |path: &Arc<Path>| find(&Parsed::read(path)?).as_ref().map(line);
    let places: Vec<String> = inventory.files.iter().filter_map(place).collect();
    if !places.is_empty() {
        return places;
    }
    match inventory.files.as_slice() {
        [only] => vec![short(only)],
        _ => vec!["a plugin or a script".to_owned()],
    }
}

/// A source that has lines.
enum Parsed {
    Yaml(Node),
    Ini(Arc<Source>),
}

impl Parsed {
    fn read(path: &Path) -> Option<Self> {
        let source = Arc::new(yaml::read_source(path).ok()?);
        let document =
            yaml::load(&source).ok().and_then(|loaded| loaded.single().ok()).and_then(|(node, _)| node);
        match document.filter(|node| node.as_map().is_some()) {
            Some(node) => Some(Self::Yaml(node)),
            None => Some(Self::Ini(source)),
        }
    }
}

fn group_place(file: &Parsed, group: &str, variable: &str) -> Option<Place> {
    match file {
        Parsed::Yaml(document) => {
            let mut place = None;
            each_group(document, &mut |name, content| {
                let entry = content.get("vars").and_then(|vars| vars.get_entry(variable));
                if name == group
                    && let Some((key, _)) = entry
                {
                    place = Some(key.place.clone());
                }
            });
            place
        }
        Parsed::Ini(source) => ini_place(source, |section, line| {
            let is_set = line.split_once('=').is_some_and(|(name, _)| name.trim() == variable);
            is_set && section.strip_suffix(":vars") == Some(group)
        }),
    }
}

fn host_place(file: &Parsed, host: &str, variable: &str) -> Option<Place> {
    let is_host = |pattern: &str| {
        range::expand(pattern).is_ok_and(|expanded| expanded.names.iter().any(|name| name == host))
    };
    let has_port = |pattern: &str| range::expand(pattern).is_ok_and(|expanded| expanded.port.is_some());
    match file {
        Parsed::Yaml(document) => {
            let mut place = None;
            each_group(document, &mut |_, content| {
                let hosts = content.get("hosts").and_then(Node::as_map).unwrap_or_default();
                for (pattern, vars) in
                    hosts.iter().filter(|(pattern, _)| pattern.as_str().is_some_and(is_host))
                {
                    if let Some((key, _)) = vars.get_entry(variable) {
                        place = Some(key.place.clone());
                    } else if variable == "ansible_port" && pattern.as_str().is_some_and(has_port) {
                        place.get_or_insert_with(|| pattern.place.clone());
                    }
                }
            });
            place
        }
        Parsed::Ini(source) => ini_place(source, |section, line| {
            let mut words = line.split_whitespace();
            !section.ends_with(":vars")
                && words.next().is_some_and(|pattern| {
                    let by_port = variable == "ansible_port" && has_port(pattern);
                    let mut names = words.filter_map(|word| word.split_once('=')).map(|(name, _)| name);
                    is_host(pattern) && (by_port || names.any(|name| name == variable))
                })
        }),
    }
}

/// Every group of a YAML inventory, wherever it stands.
fn each_group(groups: &Node, found: &mut dyn FnMut(&str, &Node)) {
    for (name, content) in groups.as_map().unwrap_or_default() {
        found(name.as_str().unwrap_or_default(), content);
        if let Some(children) = content.get("children") {
            each_group(children, found);
        }
    }
}

/// The last line of an INI inventory that is wanted.
fn ini_place(source: &Arc<Source>, wanted: impl Fn(&str, &str) -> bool) -> Option<Place> {
    let mut section = "ungrouped";
    let mut place = None;
    for (text, number) in source.text.lines().zip(1_u32..) {
        let text = text.trim();
        if let Some((name, _)) = text.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            section = name;
        } else if !text.starts_with(['#', ';']) && wanted(section, text) {
            place = Some(Place { source: Arc::clone(source), line: number, column: 1, length: 0 });
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::config::InventoryOptions;
    use crate::value::Dict;

    #[test]
    fn the_strongest_place_is_named_and_those_it_beats() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let ini = write("hosts", "[web]\nweb[1:2]:2222 port=80\n[web:vars]\nport=70\n[all:vars]\nport=60\n");
        let yml = write("more.yml", "all:\n  vars: {port: 5}\n  hosts:\n    web1: {y: 2}\n");
        write("group_vars/web.yml", "# Ports.\nport: 90\n");
        write("host_vars/web1.yml", "port: '{{ other }}'\n");
        let options = InventoryOptions { sources: vec![ini, yml], ..InventoryOptions::default() };
        let (inventory, _) = Inventory::load(&options).unwrap();
        let check = |variable: &str, extra_vars: &Dict| {
            let view = View {
                playbook_dir: Some(dir.path()),
                limit: None,
                export: false,
                merges: false,
                extra_vars,
            };
            match why(&inventory, variable, "web1", &view) {
                // The columns are as wide as the directory's name makes them.
                Ok(text) => text
                    .replace(&format!("{}/", dir.path().display()), "")
                    .lines()
                    .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                    .collect::<Vec<_>>()
                    .join("\n"),
                Err(error) => error.report(false),
            }
        };
        assert_snapshot!(check("port", &Dict::new()), @r"
        port of web1 is '{{ other }}'

        won host_vars/web1.yml:1 10 host_vars beside the playbook '{{ other }}'
        lost hosts:2 8 host `web1` in the inventory 80
        lost group_vars/web.yml:2 7 group_vars beside the playbook 90
        lost hosts:4 3 group `web` in the inventory 70
        lost more.yml:2 3 group `all` in the inventory 5
        lost hosts:6 3 group `all` in the inventory (a later source sets it anew)
        ");
        let extra = Dict::from_iter([("ansible_port", Value::Int(1))]);
        assert_snapshot!(check("ansible_port", &extra), @r"
        ansible_port of web1 is 1

        won -e 22 extra variables 1
        lost hosts:2 8 host `web1` in the inventory 2222
        ");
        assert_snapshot!(check("prt", &extra), @r"
        error: nothing in the inventory sets `prt` for web1
        help: did you mean port?
        ");
    }
}
