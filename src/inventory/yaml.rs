//! Inventories in YAML (and so in JSON).

use std::path::Path;
use std::sync::Arc;

use super::data::{Inventory, located};
use super::range;
use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;
use crate::value::Value;
use crate::yaml::Node;

/// Adds what a YAML file says. The document must be a mapping of group names to groups.
pub(super) fn load(
    inventory: &mut Inventory,
    document: Option<Node>,
    source: &Arc<Path>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<()> {
    let Some(document) = document else {
        return Err(Diagnostic::new(format!("the inventory {} is empty", source.display())));
    };
    let Some(groups) = document.as_map() else {
        return Err(Diagnostic::new(format!(
            "an inventory is a mapping of groups, this is {}",
            document.describe()
        ))
        .at(&document.place));
    };
    let mut reader = Reader { inventory, source, warnings };
    for (name, group) in groups {
        reader.group(name, group)?;
    }
    Ok(())
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    source: &'a Arc<Path>,
    warnings: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Reads a group and answers its name.
    fn group<'n>(&mut self, name_node: &'n Node, group: &Node) -> Result<&'n str> {
        let Some(name) = name_node.as_str() else {
            return Err(Diagnostic::new(format!(
                "a group's name is a string, this is {}",
                name_node.describe()
            ))
            .at(&name_node.place)
            .hint("quote the name"));
        };
        self.inventory.add_group(name);
        if group.is_null() {
            return Ok(name);
        }
        let Some(sections) = group.as_map() else {
            return Err(Diagnostic::new(format!(
                "the group `{name}` must be a mapping, this is {}",
                group.describe()
            ))
            .at(&group.place)
            .hint("a group has `hosts:`, `children:` and `vars:`"));
        };
        for (key, section) in sections {
            match key.as_str() {
                Some("vars") => {
                    for (key, value) in entries(section, "vars")? {
                        let warning = self.inventory.set_group_var(name, &key.to_value(), value.to_value());
                        self.warnings.extend(warning.map(|warning| warning.at(&value.place)));
                    }
                }
                Some("children") => {
                    for (child, group) in names(section, "children")? {
                        let child_name = match group {
                            Some(group) => self.group(child, group)?,
                            None => self.group(child, &empty(child))?,
                        };
                        located(self.inventory.add_child(name, child_name), &child.place)?;
                    }
                }
                Some("hosts") => {
                    for (host, vars) in names(section, "hosts")? {
                        self.host(name, host, vars)?;
                    }
                }
                _ => {
                    let found = key.to_value().to_string();
                    let warning = Diagnostic::new(format!(
                        "Skipping unexpected key ({found}) in group ({name}), only \"vars\", \"children\" and \"hosts\" are valid",
                    ))
                    .at(&key.place);
                    self.warnings.push(match nearest(&found, ["children", "hosts", "vars"]) {
                        Some(near) => warning.hint(format!("did you mean '{near}'?")),
                        None => warning,
                    });
                }
            }
        }
        Ok(name)
    }

    fn host(&mut self, group: &str, pattern: &Node, vars: Option<&Node>) -> Result<()> {
        let text = match pattern.as_scalar() {
            Some(value @ (Value::Int(_) | Value::Float(_) | Value::Bool(_))) => {
                return Err(Diagnostic::new(format!(
                    "Host pattern {value} must be a string. Enclose integers/floats in quotation marks."
                ))
                .at(&pattern.place));
            }
            _ => pattern.as_str(),
        };
        let Some(text) = text else {
            return Err(Diagnostic::new(format!(
                "a host's name is a string, this is {}",
                pattern.describe()
            ))
            .at(&pattern.place));
        };
        let expanded =
            range::expand(text).map_err(|mistake| Diagnostic::new(mistake.to_string()).at(&pattern.place))?;
        let vars = vars.map_or(Ok(&[][..]), |vars| entries(vars, "a host's variables"))?;
        for name in &expanded.names {
            self.inventory.name_host(name, Some(self.source));
            self.inventory.put(name, group);
            if let Some(port) = expanded.port {
                self.inventory.set_host_var(name, &Value::from("ansible_port"), Value::Int(port.into()));
            }
            for (key, value) in vars {
                self.inventory.set_host_var(name, &key.to_value(), value.to_value());
            }
        }
        Ok(())
    }
}

/// The entries of a section, which may be left empty.
fn entries<'n>(section: &'n Node, what: &str) -> Result<&'n [(Node, Node)]> {
    match section.as_map() {
        Some(entries) => Ok(entries),
        None if section.is_null() => Ok(&[]),
        None => Err(Diagnostic::new(format!("{what} must be a mapping, this is {}", section.describe()))
            .at(&section.place)),
    }
}

/// The same, where a single name may stand for a mapping with that one key.
fn names<'n>(section: &'n Node, what: &str) -> Result<Vec<(&'n Node, Option<&'n Node>)>> {
    if section.as_str().is_some() {
        return Ok(vec![(section, None)]);
    }
    if section.as_list().is_some() {
        return Err(Diagnostic::new(format!("`{what}` must be a mapping, this is a list"))
            .at(&section.place)
            .hint("write `name:` instead of `- name`"));
    }
    Ok(entries(section, what)?.iter().map(|(name, value)| (name, Some(value))).collect())
}

fn empty(like: &Node) -> Node {
    Node { kind: crate::yaml::Kind::Scalar(Value::None), place: like.place.clone() }
}
