use schemars::JsonSchema;
use serde::Deserialize;

use crate::kit::Result;

/// What `package` knows of dnf's options, too.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Options {
    /// For dnf: repositories to use though they are disabled.
    enablerepo: Option<Vec<String>>,
    /// For dnf: repositories not to use.
    disablerepo: Option<Vec<String>>,
    /// For dnf: packages to leave alone.
    exclude: Option<Vec<String>>,
    /// For dnf and zypper: accepts packages without a good signature.
    #[serde(default)]
    pub(crate) disable_gpg_check: bool,
    /// For dnf: removes what is in the way of an installation.
    #[serde(default)]
    allowerasing: bool,
    /// For dnf: leaves out packages that cannot be installed.
    #[serde(default)]
    skip_broken: bool,
    /// For dnf: the release of the distribution to install from.
    releasever: Option<String>,
}

impl Options {
    /// The names of those that were given.
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static str> {
        let some = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
        [
            ("enablerepo", some(&self.enablerepo)),
            ("disablerepo", some(&self.disablerepo)),
            ("exclude", some(&self.exclude)),
            ("disable_gpg_check", self.disable_gpg_check),
            ("allowerasing", self.allowerasing),
            ("skip_broken", self.skip_broken),
            ("releasever", self.releasever.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
    }

    /// Which packages there are to choose from, as the program's own options. `knows` tells which of some repositories
    /// are to be named.
    pub(super) fn sources(
        &self,
        program: &str,
        knows: &mut dyn FnMut(&[String]) -> Result<Vec<String>>,
    ) -> Result<Vec<String>> {
        let [on, off, exclude] =
            [&self.enablerepo, &self.disablerepo, &self.exclude].map(|list| list.as_deref());
        let mut options: Vec<String> = if program == "yum" {
            let lists = [listed("disablerepo", off), listed("enablerepo", on)];
            lists.into_iter().flatten().collect()
        } else {
            // A repository that this host has not is passed over so, as by Ansible; the last of them counts.
            let mut ids = Vec::new();
            for (list, to) in [(off, 0), (on, 1)] {
                let known = knows(list.unwrap_or_default())?;
                ids.extend(known.into_iter().map(|id| format!("--setopt={id}.enabled={to}")));
            }
            ids
        };
        options.extend(listed("exclude", exclude));
        options.extend(self.releasever.iter().map(|release| format!("--releasever={release}")));
        Ok(options)
    }

    /// How they are installed, as the program's own options.
    pub(super) fn manners(&self) -> Vec<String> {
        let flags = [
            ("--nogpgcheck", self.disable_gpg_check),
            ("--allowerasing", self.allowerasing),
            ("--skip-broken", self.skip_broken),
        ];
        flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.to_owned()).collect()
    }
}

/// `--NAME=A,B`, where there is something to list.
pub(super) fn listed(name: &str, list: Option<&[String]>) -> Option<String> {
    list.filter(|list| !list.is_empty()).map(|list| format!("--{name}={}", list.join(",")))
}
