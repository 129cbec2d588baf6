//! The page `docs/guide/settings.md`.

use std::fmt::Write;

use super::meaningless;
use super::settings::{Setting, Use, settings};

const LEAD: &str = "\
# Settings

<!-- Written by `config::guide` from the tables in src/config/settings.rs and meaningless.rs. -->

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
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| {} | {} | {} |", keys(setting.ini), names(setting.env), remark(setting));
    }
    page.push_str("\n## Without meaning here\n\nAccepted, and named with -v.\n\n");
    for (reason, ini, env) in meaningless::TABLE {
        let sections = ini.iter().map(|(section, keys)| {
            keys.iter().map(|key| format!("`{section}.{key}`")).collect::<Vec<_>>().join(", ")
        });
        let all: Vec<String> = sections.chain((!env.is_empty()).then(|| names(env))).collect();
        let _ = writeln!(page, "- {}: {}", reason, all.join(", "));
    }
    page
}

fn keys(ini: &[(&str, &str)]) -> String {
    ini.iter().map(|(section, key)| format!("`{section}.{key}`")).collect::<Vec<_>>().join(", ")
}

fn names(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn remark(setting: &Setting) -> String {
    match setting.r#use {
        Use::Sets(_) => String::new(),
        Use::OnlyAs(_, what) => format!("not supported yet: {what}"),
        Use::MustBe(_, what) => format!("an error otherwise: {what}"),
    }
}
