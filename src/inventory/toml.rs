//! Inventories in TOML.

use std::path::Path;
use std::sync::Arc;

use toml::{Table, Value as Toml};

use super::data::Inventory;
use super::range;
use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::template::Template;
use crate::value::{Dict, Value};

/// Adds what a TOML file says: a table for each group, with `hosts`, `children` and `vars`.
pub(super) fn load(
    inventory: &mut Inventory,
    text: &Arc<Source>,
    source: &Arc<Path>,
) -> Result<Vec<Diagnostic>> {
    let groups: Table = text.text.parse().map_err(|error| invalid(&error, text))?;
    let place = Place { source: Arc::clone(text), line: 1, column: 1, length: 0 };
    if groups.contains_key("plugin") {
        return Err(
            Diagnostic::new("this TOML file configures a plugin, which only YAML files can").at(&place)
        );
    }
    let mut reader = Reader { inventory, source, place, warnings: Vec::new() };
    for (name, group) in &groups {
        reader.group(name, group)?;
    }
    Ok(reader.warnings)
}

fn invalid(error: &toml::de::Error, text: &Arc<Source>) -> Diagnostic {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.text.get(..start).unwrap_or_default();
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let line = narrow(before.matches('\n').count() + 1);
    let column = narrow(before.rsplit('\n').next().unwrap_or_default().chars().count() + 1);
    let place = Place { source: Arc::clone(text), line, column, length: 1 };
    Diagnostic::new(format!("TOML: {}", error.message())).at(&place)
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    source: &'a Arc<Path>,
    /// The file: its parts have no places of their own.
    place: Place,
    warnings: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn group(&mut self, name: &str, group: &Toml) -> Result<()> {
        let Toml::Table(group) = group else {
            self.warn(format!("Skipping '{name}' as this is not a valid group definition"));
            return Ok(());
        };
        self.inventory.add_group(name);
        for (key, section) in group {
            match (key.as_str(), section) {
                ("vars", Toml::Table(vars)) => {
                    for (key, value) in vars {
                        let warning = self.inventory.set_group_var(name, &key.as_str().into(), trusted(value));
                        self.warnings.extend(warning.map(|warning| warning.at(&self.place)));
                    }
                }
                ("children", Toml::Array(children)) => {
                    for child in children {
                        let Toml::String(child) = child else { return self.wrong("children", name, child) };
                        self.inventory.add_group(child);
                        let added = self.inventory.add_child(name, child);
                        added.map_err(|error| error.at(&self.place))?;
                    }
                }
                ("hosts", Toml::Table(hosts)) => {
                    for (pattern, vars) in hosts {
                        self.host(name, pattern, vars)?;
                    }
                }
                ("vars" | "children" | "hosts", other) => return self.wrong(key, name, other),
                _ => self.warn(format!(
                    "Skipping unexpected key \"{key}\" in group \"{name}\", only \"vars\", \"children\" and \"hosts\" are valid"
                )),
            }
        }
        Ok(())
    }

    fn host(&mut self, group: &str, pattern: &str, vars: &Toml) -> Result<()> {
        let Toml::Table(vars) = vars else { return self.wrong(pattern, group, vars) };
        let expanded =
            range::expand(pattern).map_err(|mistake| Diagnostic::new(mistake.to_string()).at(&self.place))?;
        for name in &expanded.names {
            self.inventory.name_host(name, Some(self.source));
            self.inventory.put(name, group);
            if let Some(port) = expanded.port {
                self.inventory.set_host_var(name, &"ansible_port".into(), Value::Int(port.into()));
            }
            for (key, value) in vars {
                self.inventory.set_host_var(name, &key.as_str().into(), trusted(value));
            }
        }
        Ok(())
    }

    fn warn(&mut self, message: String) {
        self.warnings.push(Diagnostic::new(message).at(&self.place));
    }

    fn wrong<T>(&self, what: &str, group: &str, found: &Toml) -> Result<T> {
        let expected = if what == "children" { "an array of names" } else { "a table" };
        let found = found.type_str();
        Err(Diagnostic::new(format!(
            "`{what}` of the group `{group}` must be {expected}, this is of type {found}"
        ))
        .at(&self.place))
    }
}

/// The user's own data: its strings may be templates, dates are written as Python writes them.
fn trusted(value: &Toml) -> Value {
    match value {
        Toml::String(text) if Template::is_template(text) => {
            Value::Template(Arc::new(Template::new(text.as_str(), None)))
        }
        Toml::String(text) => text.as_str().into(),
        Toml::Integer(number) => Value::Int(*number),
        Toml::Float(number) => Value::Float(*number),
        Toml::Boolean(flag) => Value::Bool(*flag),
        Toml::Datetime(moment) => {
            let text = moment.to_string();
            text.strip_suffix('Z').map_or_else(|| text.clone(), |text| format!("{text}+00:00")).into()
        }
        Toml::Array(items) => Value::list(items.iter().map(trusted).collect()),
        Toml::Table(entries) => Value::dict(
            entries.iter().map(|(key, value)| (Value::from(key.as_str()), trusted(value))).collect::<Dict>(),
        ),
    }
}
