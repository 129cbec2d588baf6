//! The page `docs/guide/settings.md`.

use std::fmt::Write;

use super::meaningless;
use super::settings::{Names, Setting, Use, settings};

const LEAD: &str = "\
# Settings

<!-- Written by `config::guide` from the tables in src/config: constants.txt, settings.rs and meaningless.rs. -->

What fanfare takes from `ansible.cfg` and the environment. `ansible.cfg` is the first that exists of `$ANSIBLE_CONFIG`,
`./ansible.cfg` (not in a world-writable directory), `~/.ansible.cfg` and `/etc/ansible/ansible.cfg`. The environment
beats the file, the command line beats both. Relative paths in the file are relative to it.

An unknown setting is a warning with the nearest name, and so is one that is not supported yet, unless the run would
do something else than asked: then it is an error.

| in ansible.cfg | in the environment | |
|---|---|---|
";

/// The page as Markdown.
pub fn guide() -> String {
    let mut page = LEAD.to_owned();
    for setting in settings() {
        let (keys, variables) = (keys(&setting.names), variables(&setting.names));
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| {} | {} | {} |", keys.join(", "), variables.join(", "), remark(setting));
    }
    page.push_str("\n## Without meaning here\n\nAccepted, and named with -v.\n\n");
    for row in meaningless::TABLE {
        let all = [keys(&row.names), variables(&row.names)].concat();
        let _ = writeln!(page, "- {}: {}", row.why, all.join(", "));
    }
    page.push_str("\nVariables of hosts, accepted and named with -v:\n\n");
    for (reason, variables) in meaningless::VARIABLES {
        let _ = writeln!(page, "- {}: {}", reason, quoted(variables.iter().copied()).join(", "));
    }
    page
}

fn keys(names: &Names) -> Vec<String> {
    names.keys().map(|(section, key)| format!("`{section}.{key}`")).collect()
}

fn variables(names: &Names) -> Vec<String> {
    quoted(names.variables())
}

fn quoted(names: impl Iterator<Item = &'static str>) -> Vec<String> {
    names.map(|name| format!("`{name}`")).collect()
}

fn remark(setting: &Setting) -> String {
    match setting.r#use {
        Use::Sets(_) | Use::Plugin(_) => String::new(),
        Use::OnlyAs(_, what) => format!("not supported yet: {what}"),
        Use::MustBe(_, what) => format!("an error otherwise: {what}"),
    }
}
