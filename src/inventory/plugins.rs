//! Ansible's inventory plugins: which there are, and which one reads a source.

/// Something that reads a source. What is not a file is for the host lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugin {
    /// `a,b,` as it stands.
    HostList,
    /// The same with ranges: `web[1:9],`.
    AdvancedHostList,
    /// Executables.
    Script,
    /// YAML files that name the plugin they are for under `plugin:`.
    Auto,
    Yaml,
    Ini,
    Toml,
    /// Variables and groups from expressions over the hosts there are.
    Constructed,
    /// Hosts and groups from lists of words and templates of names.
    Generator,
}

impl Plugin {
    pub const ALL: [(&str, Self); 9] = [
        ("host_list", Self::HostList),
        ("advanced_host_list", Self::AdvancedHostList),
        ("script", Self::Script),
        ("auto", Self::Auto),
        ("yaml", Self::Yaml),
        ("ini", Self::Ini),
        ("toml", Self::Toml),
        ("constructed", Self::Constructed),
        ("generator", Self::Generator),
    ];

    /// What is tried where `enable_plugins` says nothing, in order.
    pub const USUAL: [Self; 6] =
        [Self::HostList, Self::Script, Self::Auto, Self::Yaml, Self::Ini, Self::Toml];

    /// By its name, with or without `ansible.builtin`.
    pub fn named(name: &str) -> Option<Self> {
        let plain = name.strip_prefix("ansible.builtin.").unwrap_or(name);
        Self::ALL.iter().find(|(known, _)| *known == plain).map(|(_, plugin)| *plugin)
    }

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, plugin)| *plugin == self).map_or("", |(name, _)| name)
    }

    /// Whether a file that names the plugin configures it.
    pub(super) fn is_configured(self) -> bool {
        matches!(self, Self::Constructed | Self::Generator)
    }
}
