//! Inventories in Ansible's INI format.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::data::{Inventory, located};
use super::{literal, range, words};
use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::value::Value;

/// Adds what an INI file says. Ansible's rules, where they surprise: `#` and `;` begin a comment at the
/// start of a line, after a section's header and among a host's variables, but not in `[group:vars]`; a
/// value is a Python literal or else text.
pub(super) fn load(
    inventory: &mut Inventory,
    text: &Arc<Source>,
    source: &Arc<Path>,
) -> Result<Vec<Diagnostic>> {
    let mut reader = Reader {
        inventory,
        source,
        section: Section { group: "ungrouped".into(), kind: SectionKind::Hosts },
        wanted: IndexMap::new(),
        warnings: Vec::new(),
    };
    for (index, raw) in text.text.lines().enumerate() {
        let raw = if index == 0 { raw.trim_start_matches('\u{feff}') } else { raw };
        let line = raw.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let indent = raw.chars().take_while(|c| c.is_whitespace()).count();
        let place = Place {
            source: Arc::clone(text),
            line: u32::try_from(index + 1).unwrap_or(u32::MAX),
            column: u32::try_from(indent + 1).unwrap_or(u32::MAX),
            length: u32::try_from(line.chars().count()).unwrap_or(0),
        };
        reader.line(line, &place)?;
    }
    reader.finish()
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    source: &'a Arc<Path>,
    section: Section,
    /// Groups that were spoken of before they were declared.
    wanted: IndexMap<Arc<str>, Vec<Wanted>>,
    warnings: Vec<Diagnostic>,
}

#[derive(Clone)]
struct Section {
    group: Arc<str>,
    kind: SectionKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SectionKind {
    Hosts,
    Children,
    Vars,
}

/// Why a group must be declared by the end of the file.
struct Wanted {
    place: Place,
    reason: Reason,
}

enum Reason {
    ChildOf(Arc<str>),
    Vars(Vec<(Value, Value, Place)>),
}

impl Reader<'_> {
    fn line(&mut self, line: &str, place: &Place) -> Result<()> {
        if let Some(section) = header(line, place)? {
            return self.open(section, place);
        }
        let Section { group, kind } = self.section.clone();
        match kind {
            SectionKind::Hosts => self.host(line, &group, place),
            SectionKind::Children => self.child(line, &group, place),
            SectionKind::Vars => self.variable(line, &group, place),
        }
    }

    fn open(&mut self, mut section: Section, place: &Place) -> Result<()> {
        section.group = self.safe_name(&section.group);
        let group = Arc::clone(&section.group);
        match section.kind {
            SectionKind::Vars if self.inventory.group(&group).is_none() => {
                let wanted = Wanted { place: place.clone(), reason: Reason::Vars(Vec::new()) };
                self.wanted.entry(group).or_default().push(wanted);
            }
            SectionKind::Vars => {}
            SectionKind::Hosts | SectionKind::Children => self.declare(&group)?,
        }
        self.section = section;
        Ok(())
    }

    /// Makes a group and does what waited for it.
    fn declare(&mut self, group: &Arc<str>) -> Result<()> {
        self.inventory.add_group(group);
        for wanted in self.wanted.shift_remove(group).unwrap_or_default() {
            match wanted.reason {
                Reason::ChildOf(parent) => {
                    located(self.inventory.add_child(&parent, group), &wanted.place)?;
                }
                Reason::Vars(vars) => {
                    for (name, value, place) in vars {
                        self.set_group_var(group, &name, value, &place);
                    }
                }
            }
        }
        Ok(())
    }

    fn host(&mut self, line: &str, group: &str, place: &Place) -> Result<()> {
        let mut words = words::split(line)
            .map_err(|message| {
                Diagnostic::new(message).at(place).hint("quote the whole: `name=\"it's here\"`")
            })?
            .into_iter();
        // Nothing but a comment after all.
        let Some(pattern) = words.next() else { return Ok(()) };
        if pattern == "---" {
            return Err(Diagnostic::new(
                "Invalid host pattern '---' supplied, '---' is normally a sign this is a YAML file.",
            )
            .at(place));
        }
        let expanded =
            range::expand(&pattern).map_err(|mistake| Diagnostic::new(mistake.to_string()).at(place))?;
        if expanded.names.is_empty() {
            self.warnings.push(Diagnostic::new(format!("the range in `{pattern}` is empty")).at(place));
        }
        let mut vars = Vec::new();
        if let Some(port) = expanded.port {
            vars.push((Value::from("ansible_port"), Value::Int(port.into())));
        }
        for word in words {
            let Some((name, value)) = word.split_once('=') else {
                return Err(Diagnostic::new(format!("expected `name=value` after the host, got `{word}`"))
                    .at(place)
                    .hint("no spaces around `=`; one host a line; quote a value that holds spaces"));
            };
            vars.push((Value::from(name), literal::value(value, place)));
        }
        for name in &expanded.names {
            self.inventory.name_host(name, Some(self.source));
            self.inventory.put(name, group);
            for (key, value) in &vars {
                self.inventory.set_host_var(name, key, value.clone());
            }
        }
        Ok(())
    }

    /// The name by which the inventory will know a group.
    fn safe_name(&mut self, name: &str) -> Arc<str> {
        let safe = self.inventory.group_name(name);
        let is_replaced = *safe != *name;
        let safe = safe.into();
        self.inventory.replaced += usize::from(is_replaced);
        safe
    }

    fn child(&mut self, line: &str, group: &Arc<str>, place: &Place) -> Result<()> {
        let name = line.split('#').next().unwrap_or_default().trim_end();
        if name.is_empty() || name.contains([':', ']']) || name.contains(char::is_whitespace) {
            return Err(Diagnostic::new(format!("expected the name of a group, got `{line}`")).at(place));
        }
        let name = self.safe_name(name);
        if self.inventory.group(&name).is_some() {
            located(self.inventory.add_child(group, &name), place)?;
        } else {
            let wanted = Wanted { place: place.clone(), reason: Reason::ChildOf(Arc::clone(group)) };
            self.wanted.entry(name).or_default().push(wanted);
        }
        Ok(())
    }

    fn variable(&mut self, line: &str, group: &Arc<str>, place: &Place) -> Result<()> {
        let Some((name, value)) = line.split_once('=') else {
            return Err(Diagnostic::new(format!("expected `name=value`, got `{line}`")).at(place));
        };
        let name = Value::from(name.trim());
        let value = literal::value(value.trim(), place);
        if self.inventory.group(group).is_some() {
            self.set_group_var(group, &name, value, place);
            return Ok(());
        }
        for wanted in self.wanted.get_mut(group).into_iter().flatten() {
            if let Reason::Vars(vars) = &mut wanted.reason {
                vars.push((name, value, place.clone()));
                break;
            }
        }
        Ok(())
    }

    fn set_group_var(&mut self, group: &str, name: &Value, value: Value, place: &Place) {
        let warning = self.inventory.set_group_var(group, name, value);
        self.warnings.extend(warning.map(|warning| warning.at(place)));
    }

    /// Complains about the groups that nothing declares.
    fn finish(self) -> Result<Vec<Diagnostic>> {
        let Some((group, wanted)) =
            self.wanted.iter().find_map(|(group, wanted)| Some((group, wanted.first()?)))
        else {
            return Ok(self.warnings);
        };
        let message = match &wanted.reason {
            Reason::ChildOf(parent) => {
                format!("[{parent}:children] names the group `{group}`, which is not defined")
            }
            Reason::Vars(_) => format!("[{group}:vars] belongs to the group `{group}`, which is not defined"),
        };
        let known = self.inventory.groups().map(|(name, _)| &**name);
        let error = Diagnostic::new(message).at(&wanted.place);
        Err(match nearest(group, known) {
            Some(known) => error.hint(format!("did you mean `{known}`?")),
            None => error.hint(format!("an empty section `[{group}]` defines it")),
        })
    }
}

/// The known name that looks most like the unknown one.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let rated = known.map(|known| (strsim::jaro_winkler(name, known), known));
    rated.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

/// `[group]`, `[group:children]`, `[group:vars]`, with a comment after it; `None` for any other line.
fn header(line: &str, place: &Place) -> Result<Option<Section>> {
    let Some(inner) = line.strip_prefix('[') else { return Ok(None) };
    let parsed = inner.split_once(']').and_then(|(inside, after)| {
        let after = after.trim_start();
        let (group, kind) = inside.split_once(':').unwrap_or((inside, "hosts"));
        let is_name = !group.is_empty() && !group.contains(char::is_whitespace);
        let is_kind = !kind.is_empty() && kind.chars().all(|c| c.is_alphanumeric() || c == '_');
        (is_name && is_kind && (after.is_empty() || after.starts_with('#'))).then_some((group, kind))
    });
    let Some((group, kind)) = parsed else {
        // `[::1]:22` is a host.
        if !line.ends_with(']') && line.contains(']') {
            return Ok(None);
        }
        return Err(Diagnostic::new(format!("`{line}` is not a section"))
            .at(place)
            .hint("a section is `[group]`, `[group:children]` or `[group:vars]`, without spaces"));
    };
    let kind = match kind {
        "hosts" => SectionKind::Hosts,
        "children" => SectionKind::Children,
        "vars" => SectionKind::Vars,
        other => {
            return Err(Diagnostic::new(format!("unknown kind of section: `{other}`"))
                .at(place)
                .hint("a section is `[group]`, `[group:children]` or `[group:vars]`"));
        }
    };
    Ok(Some(Section { group: group.into(), kind }))
}
