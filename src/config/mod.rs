//! ansible.cfg, environment, command line: one table, one precedence.
//!
//! [`Config::load`] starts from the defaults, lays `ansible.cfg` over them and the environment over that; the
//! command line ([`crate::cli`]) lays its flags on top. What the rest of the program reads is one [`Config`].

mod asked;
mod connection;
mod constants;
mod ini;
mod locate;
mod meaningless;
mod options;
mod passwords;
mod reference;
mod settings;
mod value;
mod vault;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use asked::{constant as asked_constant, knows_plugin, plugin_option as asked_plugin_option};
pub use connection::{ConnectionKind, become_method};
pub use constants::{
    Constant, Setting as ConstantSetting, file as config_file, settings as constant_settings,
};
pub use meaningless::variables as meaningless_variables;
pub use options::{
    Colour, ConnectionOptions, DisplayOptions, EscalationOptions, FactCacheOptions, Gathering, GroupNames,
    InventoryOptions, LOG_PLAYS, OnMismatch, ProfileOptions, ProfileOrder, ResultFormat, RunOptions,
    Strategy, short_name,
};
pub use passwords::{ask, ask_passwords, password_file};
pub use reference::guide;
pub use vault::VaultOptions;

use crate::diagnostic::{Diagnostic, Place, Result};
use settings::{Setting, Use, settings};
use value::Given;

/// All settings of a run.
#[derive(Debug, Default)]
pub struct Config {
    /// The `ansible.cfg` that was read.
    pub file: Option<PathBuf>,
    pub inventory: InventoryOptions,
    pub connection: ConnectionOptions,
    pub escalation: EscalationOptions,
    pub run: RunOptions,
    pub display: DisplayOptions,
    pub vault: VaultOptions,
    /// Settings that were given and have no meaning here, told with -v.
    pub notes: Vec<String>,
    /// What no run can heed, and listings need not.
    pub refused: Vec<Diagnostic>,
    /// What to warn about once the output is up.
    pub warnings: Vec<Diagnostic>,
}

/// What a process inherits, as far as settings are concerned.
#[derive(Debug, Default)]
pub struct Surroundings {
    pub variables: BTreeMap<String, String>,
    pub directory: PathBuf,
}

impl Surroundings {
    /// Those of this process. Variables that are no UTF-8 are left out.
    pub fn of_this_process() -> Result<Self> {
        let directory = std::env::current_dir()
            .map_err(|error| Diagnostic::new(format!("cannot find out the current directory: {error}")))?;
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Ok(Self { variables, directory })
    }
}

impl Surroundings {
    /// The same without what sets anything.
    #[must_use]
    pub fn without_settings(&self) -> Self {
        let home = self.variables.iter().filter(|(name, _)| *name == "HOME");
        let variables = home.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { variables, directory: self.directory.clone() }
    }
}

impl Config {
    /// Reads `ansible.cfg` and the environment.
    pub fn load(surroundings: &Surroundings) -> Result<Self> {
        let mut config = Self::default();
        let home = surroundings.variables.get("HOME").map(PathBuf::from);
        config.run.roles_path = settings::default_roles_path(home.as_deref());
        config.run.collections_path = settings::default_collections_path(home.as_deref());
        config.run.module_path = settings::default_plugins_path(home.as_deref(), "modules");
        config.run.module_utils_path = settings::default_plugins_path(home.as_deref(), "module_utils");
        config.run.action_path = settings::default_plugins_path(home.as_deref(), "action");
        if let Some(path) = locate::config_file(surroundings, &mut config.warnings) {
            let base = path.parent().map(PathBuf::from).unwrap_or_default();
            for entry in ini::read(&path)? {
                config.take_entry(&entry, &base, surroundings)?;
            }
            config.file = Some(path);
        }
        config.take_environment(surroundings)?;
        Ok(config)
    }

    /// The same, unless a run would do something else than the settings ask for.
    pub fn for_run(mut self) -> Result<Self> {
        if self.refused.is_empty() { Ok(self) } else { Err(self.refused.swap_remove(0)) }
    }

    fn take_entry(
        &mut self,
        entry: &ini::Entry,
        base: &std::path::Path,
        surroundings: &Surroundings,
    ) -> Result<()> {
        let given = Given { text: &entry.value, base, surroundings };
        let name = format!("{}.{}", entry.section, entry.key);
        if let Some(setting) = settings::by_ini(&entry.section, &entry.key) {
            return self.take(setting, &name, &given, Some(&entry.place));
        }
        if let Some(reason) = meaningless::by_ini(&entry.section, &entry.key) {
            self.notes.push(format!("{name} has no meaning here: {reason}"));
            return Ok(());
        }
        if settings::is_foreign_section(&entry.section) {
            self.notes.push(format!("{name} has no meaning here: it is for a plugin of Ansible's"));
            return Ok(());
        }
        let unknown = Diagnostic::new(format!("unknown setting: {name}")).at(&entry.place);
        self.warnings.push(match settings::nearest_ini(&entry.section, &entry.key) {
            Some(near) => unknown.hint(format!("did you mean {near}?")),
            None => unknown,
        });
        Ok(())
    }

    fn take_environment(&mut self, surroundings: &Surroundings) -> Result<()> {
        // In the table's order, so that a second name of a setting loses to the first whatever its spelling.
        for setting in settings() {
            let mut names = setting.names.variables();
            let found = names.find_map(|name| surroundings.variables.get_key_value(name));
            if let Some((name, text)) = found {
                let given = Given { text, base: &surroundings.directory, surroundings };
                self.take(setting, name, &given, None)?;
            }
        }
        for name in surroundings.variables.keys().filter(|name| name.starts_with("ANSIBLE_")) {
            if settings().any(|setting| setting.names.variables().any(|known| known == name)) {
                continue;
            }
            if let Some(reason) = meaningless::by_env(name) {
                self.notes.push(format!("{name} has no meaning here: {reason}"));
            } else if let Some(near) = settings::nearest_env(name) {
                let unknown = Diagnostic::new(format!("unknown setting: {name}"));
                self.warnings.push(unknown.hint(format!("did you mean {near}?")));
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        setting: &Setting,
        name: &str,
        given: &Given<'_>,
        place: Option<&Place>,
    ) -> Result<()> {
        let wrong = |message: String| {
            let wrong = Diagnostic::new(format!("{name}: {message}"));
            place.map_or(wrong.clone(), |place| wrong.at(place))
        };
        match setting.r#use {
            Use::Sets(set) => set(self, given).map_err(wrong),
            Use::Plugin(set) => {
                if let Err(message) = set(self, given) {
                    self.refused.push(wrong(message));
                }
                Ok(())
            }
            Use::OnlyAs(harmless, reason) => {
                let text = given.text.trim().to_lowercase();
                if !harmless.contains(&text.as_str()) {
                    self.warnings.push(wrong(format!("not supported yet: {reason}")));
                }
                Ok(())
            }
            Use::MustBe(harmless, reason) => {
                let text = given.text.trim().to_lowercase();
                if !harmless.contains(&text.as_str()) {
                    self.refused.push(wrong(reason.to_owned()));
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
