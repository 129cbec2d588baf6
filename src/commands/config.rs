//! `fanfare config`: the settings, as `ansible-config` shows them.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::{Exit, Stage};
use crate::cli::{ConfigCommand, ConfigView, DumpFormat, InitFormat, ListFormat};
use crate::config::{Config, Constant, ConstantSetting, config_file, constant_settings};
use crate::diagnostic::{Diagnostic, Result};
use crate::output;
use crate::value::Value;
use crate::value::dumps::{Style, dumps};
use crate::yaml::{DumpOptions, dump};

pub(super) fn config(command: &ConfigCommand, config: &Config, stage: &Stage) -> Result<Exit> {
    let file = config_file(command.file.as_deref(), &stage.surroundings);
    output::announce(config);
    let text = match command.view {
        ConfigView::File => {
            let Some(file) = &file else {
                return Err(Diagnostic::new("Invalid or no config file was supplied"));
            };
            std::fs::read_to_string(file).map_err(|error| {
                let message = "The provided configuration file is missing or not accessible";
                Diagnostic::new(format!("{message}: {}: {error}", file.display()))
            })?
        }
        ConfigView::List(format) => list(format),
        ConfigView::Dump { format, only_changed } => {
            let mut settings = constant_settings(file.as_deref(), &stage.surroundings)?;
            settings.retain(|setting| !only_changed || setting.origin != "default");
            dumped(&settings, format)
        }
        ConfigView::Init { format, disabled } => {
            let defaults = constant_settings(None, &stage.surroundings.without_settings())?;
            init(&defaults, format, disabled)
        }
    };
    // Those who call Ansible look for this among the answers.
    let lead = match &file {
        _ if config.display.verbosity == 0 => String::new(),
        Some(file) => format!("Using {} as config file\n", file.display()),
        None => "No config file found; using defaults\n".to_owned(),
    };
    output::print(&(lead + &text))?;
    Ok(Exit::Done)
}

fn dumped(settings: &[ConstantSetting], format: DumpFormat) -> String {
    if matches!(format, DumpFormat::Display) {
        let line = |setting: &ConstantSetting| {
            let value = Value::from(setting.value.clone());
            format!("{}({}) = {value}\n", setting.constant.name, setting.origin)
        };
        return settings.iter().map(line).chain(["\nGALAXY_SERVERS:\n".to_owned()]).collect();
    }
    let entry = |setting: &ConstantSetting| json!({"name": setting.constant.name, "origin": setting.origin, "value": setting.value});
    let all = settings.iter().map(entry).chain([json!({"GALAXY_SERVERS": {}})]).collect();
    match format {
        DumpFormat::Yaml => yaml(all),
        _ => pretty(all),
    }
}

fn list(format: ListFormat) -> String {
    let describe = |constant: Constant| {
        let mut about = Map::new();
        let default = serde_json::from_str(constant.default_text()).unwrap_or_default();
        about.insert("default".to_owned(), default);
        let env: Vec<Json> = constant.variables().map(|name| json!({"name": name})).collect();
        if !env.is_empty() {
            about.insert("env".to_owned(), env.into());
        }
        let ini: Vec<Json> =
            constant.keys().map(|(section, key)| json!({"key": key, "section": section})).collect();
        if !ini.is_empty() {
            about.insert("ini".to_owned(), ini.into());
        }
        if let Some(kind) = constant.kind() {
            about.insert("type".to_owned(), kind.into());
        }
        (constant.name.to_owned(), Json::Object(about))
    };
    let all = Json::Object(Constant::all().map(describe).collect());
    match format {
        ListFormat::Json => pretty(all),
        ListFormat::Yaml => yaml(all),
    }
}

fn init(defaults: &[ConstantSetting], format: InitFormat, disabled: bool) -> String {
    match format {
        InitFormat::Ini => init_ini(defaults, if disabled { ";" } else { "" }),
        InitFormat::Env => {
            let mark = if disabled { "#" } else { "" };
            let line = |setting: &ConstantSetting| {
                let name = setting.constant.variables().next()?;
                Some(format!("{mark}{name}={}\n\n", written(&setting.value)))
            };
            defaults.iter().filter_map(line).collect()
        }
        // Variables are for plugins; no setting of the base has one.
        InitFormat::Vars => String::new(),
    }
}

fn init_ini(defaults: &[ConstantSetting], mark: &str) -> String {
    let mut sections: IndexMap<&str, String> = IndexMap::new();
    for setting in defaults {
        let Some((section, key)) = setting.constant.keys().last() else { continue };
        let text = sections.entry(section).or_default();
        let kind = setting.constant.kind().unwrap_or("string");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# ({kind}) {}", setting.constant.name);
        let _ = writeln!(text, "{mark}{key}={}\n", written(&setting.value));
    }
    let mut file = String::new();
    for (section, text) in sections {
        let _ = writeln!(file, "[{section}]\n{text}");
    }
    file
}

/// A value as a file of settings holds it.
fn written(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::Array(items) => items.iter().map(written).collect::<Vec<_>>().join(", "),
        Json::String(text) => text.clone(),
        other => Value::from(other.clone()).to_string(),
    }
}

fn yaml(json: Json) -> String {
    dump(&Value::from(json), &DumpOptions::default())
}

/// Four columns a level, in the order given.
fn pretty(json: Json) -> String {
    dumps(&Value::from(json), &Style { sort_keys: false, ..Style::of(Some(4)) }) + "\n"
}
