//! What `fanfare inventory` prints, as `ansible-inventory` words it.

use std::collections::HashSet;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use super::computed::Computed;
use super::data::Inventory;
use super::layers::{Layer, Level};
use super::pattern::Selection;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::Template;
use crate::value::dumps::{Part, Style, dumps_with};
use crate::value::{Dict, Value};
use crate::yaml::{DumpOptions, dump};

/// What to show besides the inventory itself.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The directory whose `group_vars` and `host_vars` count as the playbook's.
    pub playbook_dir: Option<&'a Path>,
    /// The hosts that `--limit` leaves; all when there is none.
    pub limit: Option<&'a Selection>,
    /// Variables where they are set, not where they end up.
    pub export: bool,
    /// `-e`, which a host has unless exported.
    pub extra_vars: &'a Dict,
    /// Whether dictionaries of one name are laid over each other.
    pub merges: bool,
}

/// `--list`: what an inventory script answers, in JSON.
pub fn list(inventory: &Inventory, view: &View<'_>) -> Result<String> {
    let shower = Shower { inventory, view };
    let mut result = Dict::new();
    let mut seen = HashSet::new();
    shower.list_group("all", &mut result, &mut seen)?;
    let mut hostvars = Dict::new();
    for (name, _) in inventory.hosts() {
        if shower.is_shown(name) {
            let vars = shower.host_vars(name)?;
            if !vars.is_empty() {
                hostvars.insert(Value::Str(Arc::clone(name)), vars);
            }
        }
    }
    result.insert(
        "_meta",
        Dict::from_iter([("hostvars", Value::from(hostvars)), ("profile", "inventory_legacy".into())]),
    );
    Ok(json(&Value::from(result), Some(&inventory.computed)))
}

/// `--list --yaml`: an inventory in YAML.
pub fn list_yaml(inventory: &Inventory, view: &View<'_>) -> Result<String> {
    let shower = Shower { inventory, view };
    let (mut groups, mut hosts) = (HashSet::new(), HashSet::new());
    let all = shower.yaml_group("all", &mut groups, &mut hosts)?;
    let mut document = Dict::new();
    if !all.is_empty() {
        document.insert("all", all);
    }
    Ok(dump(&Value::from(document), &DumpOptions::default()))
}

/// `--graph`, from `group` down; `vars` adds the variables.
pub fn graph(inventory: &Inventory, group: &str, vars: bool, view: &View<'_>) -> Result<String> {
    if inventory.group(group).is_none() {
        return Err(Diagnostic::new(format!("no group `{group}` in the inventory"))
            .hint("--graph starts from a group; `--host NAME` shows a host"));
    }
    let mut text = String::new();
    Shower { inventory, view }.draw(&mut text, group, 0, vars)?;
    Ok(text)
}

/// `--host`: one host's variables, as JSON or YAML.
pub fn host(inventory: &Inventory, name: &str, yaml: bool, view: &View<'_>) -> Result<String> {
    let vars = Value::from(Shower { inventory, view }.host_vars(name)?);
    Ok(if yaml { dump(&vars, &DumpOptions::default()) } else { json(&vars, None) })
}

struct Shower<'a> {
    inventory: &'a Inventory,
    view: &'a View<'a>,
}

impl Shower<'_> {
    fn is_shown(&self, host: &str) -> bool {
        self.view.limit.is_none_or(|limit| limit.hosts.iter().any(|shown| **shown == *host))
    }

    fn host_vars(&self, host: &str) -> Result<Dict> {
        let layers = self.inventory.host_layers(host, self.view.playbook_dir)?;
        if self.view.export {
            let own = layers.iter().filter(|layer| layer.level >= Level::InventoryHost);
            return Ok(merged(own, self.view.merges));
        }
        let mut vars = merged(layers.iter(), self.view.merges);
        crate::vars::merge(&mut vars, self.view.extra_vars, self.view.merges);
        Ok(vars)
    }

    fn group_vars(&self, group: &str) -> Result<Dict> {
        Ok(merged(self.inventory.group_layers(group, self.view.playbook_dir)?.iter(), self.view.merges))
    }

    /// Adds a group and all below it to the answer, those without any content left out.
    fn list_group(&self, name: &str, result: &mut Dict, seen: &mut HashSet<Arc<str>>) -> Result<()> {
        let Some(group) = self.inventory.group(name) else { return Ok(()) };
        let mut entry = Dict::new();
        let children: Vec<Value> = group.children().map(|child| Value::Str(Arc::clone(child))).collect();
        for child in group.children() {
            if seen.insert(Arc::clone(child)) {
                self.list_group(child, result, seen)?;
            }
        }
        if name != "all" {
            let hosts: Vec<Value> = group
                .own_hosts()
                .filter(|host| self.is_shown(host))
                .map(|host| Value::Str(Arc::clone(host)))
                .collect();
            if !hosts.is_empty() {
                entry.insert("hosts", hosts);
            }
        }
        if !children.is_empty() {
            entry.insert("children", children);
        }
        if self.view.export {
            let vars = self.group_vars(name)?;
            if !vars.is_empty() {
                entry.insert("vars", vars);
            }
        }
        if !entry.is_empty() {
            result.insert(name, entry);
        }
        Ok(())
    }

    /// A group with all below it. A group or host that was shown before is only named.
    fn yaml_group(
        &self,
        name: &str,
        groups: &mut HashSet<Arc<str>>,
        hosts: &mut HashSet<Arc<str>>,
    ) -> Result<Dict> {
        let Some(group) = self.inventory.group(name) else { return Ok(Dict::new()) };
        let mut children = Dict::new();
        for child in group.children() {
            if groups.insert(Arc::clone(child)) {
                let shown = self.yaml_group(child, groups, hosts)?;
                if !shown.is_empty() {
                    children.insert(Value::Str(Arc::clone(child)), shown);
                }
            } else {
                children.insert(Value::Str(Arc::clone(child)), Dict::new());
            }
        }
        let mut own = Dict::new();
        if name != "all" {
            for host in group.own_hosts().filter(|host| self.is_shown(host)) {
                let vars = if hosts.insert(Arc::clone(host)) { self.host_vars(host)? } else { Dict::new() };
                own.insert(Value::Str(Arc::clone(host)), vars);
            }
        }
        let vars = if self.view.export { self.group_vars(name)? } else { Dict::new() };
        let parts = [("children", children), ("hosts", own), ("vars", vars)];
        Ok(parts.into_iter().filter(|(_, part)| !part.is_empty()).collect())
    }

    fn draw(&self, text: &mut String, name: &str, depth: usize, vars: bool) -> Result<()> {
        line(text, depth, &format!("@{name}:"));
        let Some(group) = self.inventory.group(name) else { return Ok(()) };
        for child in group.children() {
            self.draw(text, child, depth + 1, vars)?;
        }
        if name != "all" {
            for host in group.own_hosts() {
                line(text, depth + 1, host);
                if vars {
                    draw_vars(text, depth + 2, &self.host_vars(host)?)?;
                }
            }
        }
        if vars {
            draw_vars(text, depth + 1, &self.group_vars(name)?)?;
        }
        Ok(())
    }
}

fn draw_vars(text: &mut String, depth: usize, vars: &Dict) -> Result<()> {
    for (name, value) in sorted(vars) {
        let shown = match value {
            Value::Vault(vaulted) => vaulted.open()?.to_string(),
            other => other.to_string(),
        };
        line(text, depth, &format!("{{{name} = {shown}}}"));
    }
    Ok(())
}

fn line(text: &mut String, depth: usize, content: &str) {
    if depth > 0 {
        text.push_str(&"  |".repeat(depth));
        text.push_str("--");
    }
    text.push_str(content);
    text.push('\n');
}

fn merged<'l>(layers: impl Iterator<Item = &'l Layer>, merges: bool) -> Dict {
    let mut vars = Dict::new();
    for layer in layers {
        crate::vars::merge(&mut vars, &layer.vars, merges);
    }
    vars
}

fn sorted(entries: &Dict) -> Vec<(&Value, &Value)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_cached_key(|(name, _)| name.to_string());
    sorted
}

/// JSON as Python writes it. With `computed`, strings that are not to be rendered say so (`__ansible_unsafe`): those
/// that look like templates, and those that came out of one.
fn json(value: &Value, computed: Option<&Computed>) -> String {
    let is_unsafe = |text: &Arc<str>| {
        computed.is_some_and(|computed| Template::is_template(text) || computed.contains(text))
    };
    let marked = |mark: &str, text: &Arc<str>| {
        Some(Value::from(Dict::from_iter([(mark, Value::Str(Arc::clone(text)))])))
    };
    let form = |part: Part<'_>| match part {
        Part::Value(Value::Str(text)) if is_unsafe(text) => Ok(marked("__ansible_unsafe", text)),
        Part::Value(Value::Vault(vaulted)) => Ok(marked("__ansible_vault", &vaulted.ciphertext)),
        _ => Ok(None),
    };
    let Ok(text) = dumps_with::<Infallible>(value, &Style::of(Some(4)), &form);
    text + "\n"
}
