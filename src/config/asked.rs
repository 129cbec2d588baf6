//! Settings that a playbook asks for by name: `lookup('config', …)`.

use std::path::PathBuf;
use std::sync::LazyLock;

use super::constants::{Constant, Setting, file, setting};
use super::{Surroundings, ini};
use crate::diagnostic::{Diagnostic, Result};

/// Options of plugins: `kind.plugin.option`, then as in the table of constants, then the variables of hosts that set
/// them, the last of which wins.
const PLUGIN_OPTIONS: &str = include_str!("plugin_options.txt");

/// Where this process has its settings from.
struct Sources {
    surroundings: Surroundings,
    file: Option<PathBuf>,
    entries: Vec<ini::Entry>,
}

static SOURCES: LazyLock<Result<Sources>> = LazyLock::new(|| {
    let surroundings = Surroundings::of_this_process()?;
    let file = file(None, &surroundings);
    let entries = file.as_deref().map_or_else(|| Ok(Vec::new()), ini::read)?;
    Ok(Sources { surroundings, file, entries })
});

/// A setting by its name; `None` where there is no such.
pub fn constant(name: &str) -> Result<Option<Setting>> {
    Constant::named(name).map(read).transpose()
}

/// An option of a plugin, and the variables of hosts that go before it, the strongest first.
pub fn plugin_option(kind: &str, plugin: &str, option: &str) -> Result<Option<(Setting, Vec<&'static str>)>> {
    let name = format!("{kind}.{plugin}.{option}");
    let Some(line) = PLUGIN_OPTIONS.lines().find(|line| line.split('\t').next() == Some(&name)) else {
        return Ok(None);
    };
    let variables = line.rsplit('\t').next().unwrap_or_default();
    let variables = variables.split(',').filter(|name| !name.is_empty()).rev().collect();
    Constant::of_line(line).map(|option| Ok((read(option)?, variables))).transpose()
}

/// Whether the plugin's options are known.
pub fn knows_plugin(kind: &str, plugin: &str) -> bool {
    let prefix = format!("{kind}.{plugin}.");
    PLUGIN_OPTIONS.lines().any(|line| line.starts_with(&prefix))
}

fn read(constant: Constant) -> Result<Setting> {
    let sources = SOURCES.as_ref().map_err(Diagnostic::clone)?;
    setting(constant, sources.file.as_deref(), &sources.entries, &sources.surroundings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_plugins() {
        let (flags, variables) = plugin_option("become", "sudo", "become_flags").unwrap().unwrap();
        assert_eq!(flags.value, "-H -S -n");
        assert_eq!(variables, ["ansible_sudo_flags", "ansible_become_flags"]);
        assert!(plugin_option("become", "sudo", "nope").unwrap().is_none());
        assert!(knows_plugin("shell", "sh") && !knows_plugin("shell", "fish"));
        assert!(PLUGIN_OPTIONS.lines().is_sorted());
    }
}
