//! What is asked of apt besides packages and their state: `package` takes it, too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::FilePath;

#[derive(Deserialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "each is an option of Ansible's"
)]
pub struct Options {
    /// Fetches the lists of packages first.
    #[schemars(extend("aliases" = ["update-cache"]))]
    pub update_cache: Option<bool>,
    /// Seconds for which fetched lists are good enough.
    #[serde(default)]
    pub cache_valid_time: u64,
    /// How often fetching the lists is tried again.
    #[serde(default = "five")]
    pub update_cache_retries: u32,
    /// The longest wait between two tries, in seconds.
    #[serde(default = "twelve")]
    pub update_cache_retry_max_delay: u64,
    /// Upgrades all packages: `yes` and `safe` remove none, `dist` and `full` may.
    #[serde(default)]
    pub upgrade: Upgrade,
    /// A package file on the target, or the URL of one.
    pub deb: Option<FilePath>,
    /// The release to install from.
    #[schemars(extend("aliases" = ["default-release"]))]
    pub default_release: Option<String>,
    /// Whether recommended packages come along; the system's setting when not given.
    #[schemars(extend("aliases" = ["install-recommends"]))]
    pub install_recommends: Option<bool>,
    /// Only upgrades what is installed already.
    #[serde(default)]
    pub only_upgrade: bool,
    /// Removes configuration files too.
    #[serde(default)]
    pub purge: bool,
    /// Removes packages that nothing needs any more.
    #[serde(default)]
    pub autoremove: bool,
    /// Fails when packages would be removed that nothing needs any more.
    #[serde(default)]
    pub fail_on_autoremove: bool,
    /// Removes old package files from apt's cache.
    #[serde(default)]
    pub autoclean: bool,
    /// Removes all package files from apt's cache.
    #[serde(default)]
    pub clean: bool,
    /// Options for dpkg, without the dashes.
    #[serde(default = "dpkg_options")]
    pub dpkg_options: String,
    /// Seconds to wait for another apt to finish.
    #[serde(default = "sixty")]
    pub lock_timeout: u32,
    /// Accepts unauthenticated packages, downgrades and changes of held packages.
    #[serde(default)]
    pub force: bool,
    /// Accepts packages whose origin cannot be proved.
    #[serde(default)]
    #[schemars(extend("aliases" = ["allow-unauthenticated"]))]
    pub allow_unauthenticated: bool,
    /// Accepts older versions.
    #[serde(default)]
    #[schemars(extend("aliases" = ["allow-downgrade", "allow_downgrades", "allow-downgrades"]))]
    pub allow_downgrade: bool,
    /// Accepts changes of held packages.
    #[serde(default)]
    pub allow_change_held_packages: bool,
    /// The exit code of a temporary `policy-rc.d`: 101 keeps services from being started.
    pub policy_rc_d: Option<i32>,
    /// Uses apt-get rather than aptitude. fanfare always does.
    #[serde(default)]
    #[expect(dead_code, reason = "it asks for what is so in any case")]
    pub force_apt_get: bool,
    /// Installs what Ansible's module needs on the target. fanfare needs nothing.
    #[serde(default = "yes")]
    #[expect(dead_code, reason = "there is nothing to install")]
    pub auto_install_module_deps: bool,
}

impl Options {
    /// An option that was given and that no other package manager has.
    pub(crate) fn only_apt(&self) -> Option<&'static str> {
        let given = [
            ("upgrade", self.upgrade != Upgrade::No),
            ("deb", self.deb.is_some()),
            ("default_release", self.default_release.is_some()),
            ("install_recommends", self.install_recommends.is_some()),
            ("only_upgrade", self.only_upgrade),
            ("purge", self.purge),
            ("autoremove", self.autoremove),
            ("fail_on_autoremove", self.fail_on_autoremove),
            ("autoclean", self.autoclean),
            ("clean", self.clean),
            ("force", self.force),
            ("allow_unauthenticated", self.allow_unauthenticated),
            ("allow_downgrade", self.allow_downgrade),
            ("allow_change_held_packages", self.allow_change_held_packages),
            ("policy_rc_d", self.policy_rc_d.is_some()),
        ];
        given.into_iter().find_map(|(name, given)| given.then_some(name))
    }
}

fn five() -> u32 {
    5
}

fn twelve() -> u64 {
    12
}

fn sixty() -> u32 {
    60
}

fn dpkg_options() -> String {
    "force-confdef,force-confold".to_owned()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Upgrade {
    Dist,
    Full,
    #[default]
    No,
    Safe,
    Yes,
}
