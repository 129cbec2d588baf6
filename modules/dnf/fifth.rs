//! What dnf5 takes and says otherwise than dnf.

use std::path::Path;

use crate::kit::{Command, Failure, Result, System, glob};

/// Options that only some of its commands take; the others end with an error.
const ONLY: [(&str, &[&str]); 5] = [
    ("--skip-broken", &["install"]),
    ("--allowerasing", &["install", "upgrade"]),
    ("--downloadonly", &["install", "upgrade"]),
    ("--security", &["install", "upgrade", "check-update"]),
    ("--bugfix", &["install", "upgrade", "check-update"]),
];

/// Whether that is its name, or `dnf` leads to it.
pub(super) fn is_it(name: &str, sys: &System<'_>) -> bool {
    let leads = |path: &Path| sys.read_link(path).is_ok_and(|target| target.ends_with("dnf5"));
    name == "dnf5" || (name == "dnf" && sys.which(name).is_some_and(|path| leads(&path)))
}

pub(super) fn takes(verb: &str, option: &str) -> bool {
    ONLY.iter().find(|(only, _)| option.starts_with(only)).is_none_or(|(_, verbs)| verbs.contains(&verb))
}

/// Those of the repositories that this host has: others are passed over, as by Ansible, where dnf5 would fail.
pub(super) fn known(command: Command, wanted: &[String], sys: &mut System<'_>) -> Result<Vec<String>> {
    let told = rows(command.args(["-q", "repolist", "--all"]), sys)?;
    let is_known =
        |pattern: &&String| told.iter().any(|row| row.first().is_some_and(|id| glob::matches(pattern, id)));
    Ok(wanted.iter().filter(is_known).cloned().collect())
}

/// Another root is there before anything comes to it: dnf5 would make one that was misspelt.
pub(super) fn check_root(root: &Path, sys: &System<'_>) -> Result<()> {
    if sys.is_dir(root)? {
        return Ok(());
    }
    Err(Failure::new(format!("Installroot {} must be a directory", root.display())))
}

/// Plugins that are not there, of which dnf5 only warns.
pub(super) fn check_plugins(command: Command, options: &[String], sys: &mut System<'_>) -> Result<()> {
    let output = sys.query(command.args(["-q", "repolist"]).args(options))?;
    let said = output.stderr();
    match said.lines().find(|line| line.starts_with("No matches were found for the following plugin")) {
        Some(line) => Err(Failure::new(line).with("rc", 1).with("results", [(); 0])),
        None => Ok(()),
    }
}

/// Groups by their ids: `@Name` is `@id` where a group has that name. `ask` lists them.
pub(super) fn groups(ask: Command, names: &mut [String], sys: &mut System<'_>) -> Result<()> {
    if !names.iter().any(|name| name.starts_with('@')) {
        return Ok(());
    }
    let told = rows(ask, sys)?;
    for name in names.iter_mut() {
        let Some(wanted) = name.strip_prefix('@').map(str::to_owned) else { continue };
        let called = |row: &&Vec<String>| {
            row.split_first()
                .and_then(|(_, rest)| rest.split_last())
                .is_some_and(|(_, words)| words.join(" ") == wanted)
        };
        if let Some(id) = told.iter().find(called).and_then(|row| row.first()) {
            *name = format!("@{id}");
        }
    }
    Ok(())
}

/// The words of a table's lines, without its head.
fn rows(command: Command, sys: &mut System<'_>) -> Result<Vec<Vec<String>>> {
    let output = sys.query(command)?;
    output.or_fail("dnf5 does not tell")?;
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    Ok(output.stdout().lines().skip(1).map(words).collect())
}

/// What a transaction comes to, in Ansible's words, from the table that dnf5 shows before it.
pub(super) fn results(said: &str) -> Vec<String> {
    let mut results = Vec::new();
    let mut verb = None;
    for line in
        said.lines().skip_while(|line| !line.starts_with("Package ")).take_while(|line| !line.is_empty())
    {
        if let Some(section) = line.strip_suffix(':').filter(|_| !line.starts_with(' ')) {
            verb = match section.split(' ').next() {
                Some("Installing" | "Upgrading") => Some("Installed"),
                Some("Downgrading") => Some("Downgrade"),
                Some("Reinstalling") => Some("Reinstall"),
                Some("Removing") => Some("Removed"),
                _ => None,
            };
            continue;
        }
        let mut words = line.split_whitespace().peekable();
        let replaced = words.next_if_eq(&"replacing").map(|_| "Removed");
        if let (Some(verb), Some(name), Some(arch), Some(version)) =
            (replaced.or(verb), words.next(), words.next(), words.next())
        {
            let version = version.strip_prefix("0:").unwrap_or(version);
            results.push(format!("{verb}: {name}-{version}.{arch}"));
        }
    }
    results
}

/// The results of a transaction of which only the packages were fetched.
pub(super) fn fetched(results: &[String]) -> Vec<String> {
    let comes =
        results.iter().filter_map(|result| result.split_once(": ").filter(|(verb, _)| *verb != "Removed"));
    comes.map(|(_, package)| format!("Downloaded: {package}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{fetched, results, takes};
    use crate::kit::Output;
    use crate::kit::trial::Trial;

    const TABLE: &str = "Repositories loaded.
Package           Arch   Version Repository      Size
Upgrading:
 hole             noarch 0:1.1-1 toys        0.0   B
   replacing hole noarch 0:1.0-1 toys        0.0   B
Installing dependencies:
 lib              noarch 2:1.0-1 toys        0.0   B

Transaction Summary:
 Upgrading:          1 package
";

    #[test]
    fn a_transaction_is_told() {
        let expected =
            ["Installed: hole-1.1-1.noarch", "Removed: hole-1.0-1.noarch", "Installed: lib-2:1.0-1.noarch"];
        assert_eq!(results(TABLE), expected);
        assert_eq!(
            fetched(&results(TABLE)),
            ["Downloaded: hole-1.1-1.noarch", "Downloaded: lib-2:1.0-1.noarch"]
        );
    }

    #[test]
    fn options_go_to_the_commands_that_take_them() {
        assert!(takes("install", "--skip-broken") && !takes("upgrade", "--skip-broken"));
        assert!(!takes("remove", "--downloadonly") && takes("remove", "--setopt=x=y"));
    }

    fn trial() -> Trial {
        let trial = Trial::of("dnf5");
        trial.host.program("/usr/bin/dnf5").script("rpm", |command, _| {
            let names = command
                .argv
                .iter()
                .skip(2)
                .map(|name| format!("package {} is not installed\n", name.to_string_lossy()));
            Output { code: 1, stdout: names.collect::<String>().into_bytes(), ..Output::default() }
        });
        trial.host.script("dnf5", |_, _| Output { stdout: TABLE.into(), ..Output::default() });
        trial.host.answer(
            "dnf5 -q repolist --all",
            0,
            "repo id name status\nmore More disabled\ntoys Toys enabled\n",
        );
        trial.host.answer("dnf5 -q group list --hidden", 0, "ID Name Installed\ntoys All Toys no\n");
        trial
    }

    #[test]
    fn repositories_and_groups_that_are_there_are_used() {
        let trial = trial();
        let got =
            trial.run(&json!({"name": "@All Toys", "enablerepo": "mo*,nosuch", "disable_excludes": "all"}));
        assert_eq!(got["results"], json!(results(TABLE)), "{got}");
        let last = trial.host.ran().pop().unwrap();
        assert_eq!(last, "dnf5 -y install --setopt=mo*.enabled=1 --setopt=disable_excludes=* @toys");
    }

    #[test]
    fn a_plugin_that_is_not_there_is_an_error() {
        let trial = trial();
        trial.host.script("dnf5 -q repolist --enableplugin=none", |_, _| Output {
            stderr: "No matches were found for the following plugin name patterns while enabling libdnf plugins: none\n".into(),
            ..Output::default()
        });
        let got = trial.run(&json!({"name": "x", "enable_plugin": "none"}));
        assert_eq!((&got["failed"], &got["changed"]), (&json!(true), &json!(false)), "{got}");
    }

    #[test]
    fn what_goes_is_not_only_fetched() {
        let got = trial().run(&json!({"name": "x", "state": "absent", "download_only": true}));
        assert_eq!(
            got["msg"],
            "download_only goes with packages that come, not with those that are to be absent"
        );
    }
}
