//! The settings as `ansible-config` names, types and orders them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value as Json;

use super::value::Given;
use super::{Surroundings, ini, locate};
use crate::diagnostic::{Diagnostic, Result};

/// One line a setting: name, type, variables, keys (`section.key`), default as JSON; `~` is the home directory.
const TABLE: &str = include_str!("constants.txt");

/// A setting of Ansible's.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    pub name: &'static str,
    kind: &'static str,
    env: &'static str,
    ini: &'static str,
    default: &'static str,
}

/// A setting with its value, and where that comes from: a variable, a file or `default`.
#[derive(Debug)]
pub struct Setting {
    pub constant: Constant,
    pub origin: String,
    pub value: Json,
}

impl Constant {
    /// All of them, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.lines().filter_map(Self::of_line)
    }

    /// The one that a line of a table describes.
    pub(super) fn of_line(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        Some(Self {
            name: fields.next()?,
            kind: fields.next()?,
            env: fields.next()?,
            ini: fields.next()?,
            default: fields.next()?,
        })
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        static BY_NAME: LazyLock<HashMap<&str, Constant>> =
            LazyLock::new(|| Constant::all().map(|constant| (constant.name, constant)).collect());
        BY_NAME.get(name).copied()
    }

    /// The default as JSON.
    pub fn default_text(&self) -> &'static str {
        self.default
    }

    /// The type, where the value must have one.
    pub fn kind(&self) -> Option<&'static str> {
        Some(self.kind).filter(|kind| *kind != "none")
    }

    pub fn variables(self) -> impl Iterator<Item = &'static str> {
        self.env.split(',').filter(|name| !name.is_empty())
    }

    /// Sections and keys of `ansible.cfg`.
    pub fn keys(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.ini.split(',').filter_map(|key| key.split_once('.'))
    }

    fn default(&self, surroundings: &Surroundings) -> Json {
        let home = surroundings.variables.get("HOME").map_or("~", String::as_str);
        let own = surroundings.variables.get("ANSIBLE_HOME");
        let mut default = serde_json::from_str(self.default).unwrap_or_default();
        // An option of a plugin that has no type is for the targets, whose homes are others.
        if self.kind == "none" {
            return default;
        }
        let expand = |text: &mut String| {
            if let (Some(rest), Some(own)) = (text.strip_prefix("~/.ansible"), own) {
                *text = format!("{own}{rest}");
            } else if let Some(rest) = text.strip_prefix("~/") {
                *text = format!("{home}/{rest}");
            }
        };
        match &mut default {
            Json::String(text) => expand(text),
            Json::Array(items) => items.iter_mut().for_each(|item| {
                if let Json::String(text) = item {
                    expand(text);
                }
            }),
            _ => {}
        }
        default
    }

    fn read(&self, given: &Given<'_>) -> Result<Json, String> {
        let strings = |items: Vec<String>| items.into_iter().map(Json::from).collect();
        let path = |text: &str| clean(&given.resolve(text.trim())).to_string_lossy().into_owned();
        Ok(match self.kind {
            "boolean" | "bool" => given.boolean()?.into(),
            "integer" | "int" => given.number::<i64>()?.into(),
            "float" => given.number::<f64>()?.into(),
            "list" => strings(given.list()),
            "path" | "tmppath" => given.optional().map_or(Json::Null, |text| path(&text).into()),
            "pathspec" => strings(given.string().split(':').map(path).collect()),
            "pathlist" => strings(given.string().split(',').map(path).collect()),
            _ => given.string().into(),
        })
    }
}

/// The file that was named, else the one that is found.
pub fn file(named: Option<&Path>, surroundings: &Surroundings) -> Option<PathBuf> {
    match named {
        Some(named) => Some(surroundings.directory.join(named)),
        // What is wrong with it was told when the settings were read.
        None => locate::config_file(surroundings, &mut Vec::new()),
    }
}

/// All settings as the file and the environment have them.
pub fn settings(file: Option<&Path>, surroundings: &Surroundings) -> Result<Vec<Setting>> {
    let entries = file.map_or_else(|| Ok(Vec::new()), ini::read)?;
    Constant::all().map(|constant| setting(constant, file, &entries, surroundings)).collect()
}

/// One setting as the entries of the file and the environment have it.
pub(super) fn setting(
    constant: Constant,
    file: Option<&Path>,
    entries: &[ini::Entry],
    surroundings: &Surroundings,
) -> Result<Setting> {
    if constant.name == "CONFIG_FILE" {
        let value = file.map_or(Json::Null, |file| clean(file).to_string_lossy().into());
        return Ok(Setting { constant, origin: String::new(), value });
    }
    let base = file.and_then(Path::parent).unwrap_or(Path::new(""));
    let variable = constant.variables().find_map(|name| surroundings.variables.get_key_value(name));
    let entry = entries
        .iter()
        .rev()
        .find(|entry| constant.keys().any(|(section, key)| entry.section == section && entry.key == key));
    let (origin, text, base) = match (variable, entry, file) {
        (Some((name, text)), _, _) => (format!("env: {name}"), text, &*surroundings.directory),
        (None, Some(entry), Some(file)) => (clean(file).display().to_string(), &entry.value, base),
        _ => {
            let value = constant.default(surroundings);
            return Ok(Setting { constant, origin: "default".to_owned(), value });
        }
    };
    let value = constant.read(&Given { text, base, surroundings }).map_err(|wrong| {
        let name = constant.name;
        Diagnostic::new(format!("Config '{name}' from '{origin}' has an invalid value: {wrong}"))
    })?;
    Ok(Setting { constant, origin, value })
}

/// Without `.` and `..`.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, cfg: &str, variables: &[(&str, &str)], expect: &str) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.cfg");
        std::fs::write(&path, cfg).unwrap();
        let variables = variables.iter().copied().chain([("HOME", "/home/me")]);
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let surroundings = Surroundings { variables, directory: PathBuf::from("/work") };
        let shown = match settings(Some(&path), &surroundings) {
            Ok(all) => {
                let found = all.iter().find(|setting| setting.constant.name == name).unwrap();
                format!("{} {}", found.origin, found.value)
            }
            Err(error) => error.message().to_owned(),
        };
        assert_eq!(shown.replace(&dir.path().display().to_string(), "DIR"), expect);
    }

    /// Each as ansible-config 2.21 shows it.
    #[test]
    fn settings_have_ansible_s_types_and_origins() {
        let cfg =
            "[defaults]\nforks = 7\nroles_path = r:~/q:/a/../b\ninventory = h,../x\nremote_user = \"me\"\n";
        check("DEFAULT_FORKS", cfg, &[], "DIR/a.cfg 7");
        check("DEFAULT_FORKS", cfg, &[("ANSIBLE_FORKS", "9")], "env: ANSIBLE_FORKS 9");
        check("DEFAULT_ROLES_PATH", cfg, &[], r#"DIR/a.cfg ["DIR/r","/home/me/q","/b"]"#);
        check("DEFAULT_REMOTE_USER", cfg, &[], r#"DIR/a.cfg "me""#);
        check("ANSIBLE_HOME", cfg, &[], r#"default "/home/me/.ansible""#);
        check("ANSIBLE_NOCOLOR", cfg, &[("NO_COLOR", "1")], "env: NO_COLOR true");
        check("CONFIG_FILE", cfg, &[], r#" "DIR/a.cfg""#);
        check(
            "DEFAULT_FORKS",
            "[defaults]\nforks = x\n",
            &[],
            "Config 'DEFAULT_FORKS' from 'DIR/a.cfg' has an invalid value: expected a whole number, got \"x\"",
        );
    }

    #[test]
    fn the_table_is_well_formed() {
        let names: Vec<_> = Constant::all().map(|constant| constant.name).collect();
        assert_eq!(names.len(), TABLE.lines().count());
        assert!(names.is_sorted());
        for constant in Constant::all() {
            serde_json::from_str::<Json>(constant.default_text()).unwrap();
        }
    }
}
