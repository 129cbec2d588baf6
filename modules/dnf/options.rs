use schemars::JsonSchema;
use serde::Deserialize;

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

    /// Which packages there are to choose from, as the program's own options.
    pub(super) fn sources(&self) -> Vec<String> {
        let lists = [
            ("enablerepo", &self.enablerepo),
            ("disablerepo", &self.disablerepo),
            ("exclude", &self.exclude),
        ];
        let mut options: Vec<String> =
            lists.into_iter().filter_map(|(name, list)| listed(name, list.as_deref()?)).collect();
        options.extend(self.releasever.iter().map(|release| format!("--releasever={release}")));
        options
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
pub(super) fn listed(name: &str, list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| format!("--{name}={}", list.join(",")))
}
