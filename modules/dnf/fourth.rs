//! What dnf 4 says of a transaction.

use super::rpm;
use crate::kit::{Result, System};

/// A package in the table that dnf shows before a transaction.
struct Row<'a> {
    name: &'a str,
    arch: &'a str,
    version: &'a str,
    verb: Verb,
}

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    Installing,
    /// Another version takes the installed one's place.
    Replacing,
    Removing,
}

/// What a transaction comes to, in Ansible's words. The table has new versions only: the old ones are told as they go,
/// or, where nothing went yet, by rpm.
pub(super) fn results(
    said: &str,
    is_fetched: bool,
    rpm: &rpm::Database,
    sys: &mut System<'_>,
) -> Result<Vec<String>> {
    let table = said.lines().skip_while(|line| !line.starts_with(" Package ")).skip(2);
    let (mut results, mut replaced, mut verb) = (Vec::new(), Vec::new(), None);
    for line in table.take_while(|line| !line.is_empty()) {
        if let Some(section) = line.strip_suffix(':') {
            verb = match section.split(' ').next() {
                Some("Installing") => Some(Verb::Installing),
                Some("Upgrading" | "Downgrading") => Some(Verb::Replacing),
                Some("Removing") => Some(Verb::Removing),
                _ => None,
            };
        } else if let Some(old) = line.trim_start().strip_prefix("replacing ") {
            results.extend(obsolete(old).map(|package| format!("Removed: {package}")));
        } else if let Some(row) = verb.and_then(|verb| Row::parse(line, verb)) {
            let word = match row.verb {
                Verb::Removing => "Removed",
                _ if is_fetched => "Downloaded",
                _ => "Installed",
            };
            results.push(format!("{word}: {}-{}.{}", row.name, row.version, row.arch));
            replaced.extend((row.verb == Verb::Replacing).then(|| format!("{}.{}", row.name, row.arch)));
        }
    }
    let old = match said.split_once("\nRunning transaction\n") {
        _ if replaced.is_empty() => Vec::new(),
        Some((_, progress)) => replaced.iter().map(|name| cleaned_up(name, progress)).collect(),
        None => rpm.packages(&replaced, sys)?,
    };
    results.extend(old.iter().map(|package| format!("Removed: {package}")));
    Ok(results)
}

impl<'a> Row<'a> {
    /// Name, architecture, version, repository and size; groups and streams have less.
    fn parse(line: &'a str, verb: Verb) -> Option<Self> {
        let mut words = line.split_whitespace();
        let row = Self { name: words.next()?, arch: words.next()?, version: words.next()?, verb };
        words.nth(1).map(|_| row)
    }
}

/// `old.noarch 1-1` as a package's full name.
fn obsolete(said: &str) -> Option<String> {
    let (name, version) = said.trim().split_once(' ')?;
    let (name, arch) = name.rsplit_once('.')?;
    Some(format!("{name}-{}.{arch}", version.trim()))
}

/// The old package of that name and architecture, as it was told when it went; the name alone where dnf cut it short.
fn cleaned_up(name_arch: &str, progress: &str) -> String {
    let (name, arch) = name_arch.rsplit_once('.').unwrap_or((name_arch, ""));
    let gone = progress.lines().filter_map(|line| {
        line.trim_start().strip_prefix("Cleanup ")?.split(' ').find(|word| word.len() > 1)
    });
    let is_it = |package: &&str| {
        let version = package.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        let version =
            version.and_then(|rest| rest.strip_suffix(arch)).and_then(|rest| rest.strip_suffix('.'));
        version.is_some_and(|version| version.matches('-').count() == 1)
    };
    gone.into_iter().find(is_it).map_or_else(|| name.to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    const TABLE: &str = "Dependencies resolved.
================================================================================
 Package         Architecture       Version              Repository        Size
================================================================================
Upgrading:
 toy             noarch             2:10.0-1             toys             5.4 k
Installing:
 new             noarch             1-1                  toys             5.4 k
     replacing  old.noarch 1-1
Removing dependent packages:
 dep-toy         noarch             1-1                  @toys               0
Installing Groups:
 Toys

Transaction Summary
";
    const DONE: &str = "Running transaction
  Preparing        :                                                        1/1
  Upgrading        : toy-2:10.0-1.noarch                                    1/2
  Cleanup          : toy-more-1.0-1.noarch                                  2/3
  Cleanup          : toy-2:1.0-1.noarch                                     2/3
";

    /// dnf says that; rpm has toy 0.9, and nothing of the name that is asked for.
    fn trial(said: String) -> Trial {
        let trial = Trial::of("dnf");
        trial
            .host
            .program("/usr/bin/dnf")
            .script("dnf", move |_, _| Output { stdout: said.clone().into(), ..Output::default() });
        trial.host.script("rpm", |command, _| {
            let line = command.line();
            let said = match () {
                () if line.contains("NAME}-") => "toy-2:0.9-1.noarch\n",
                () if line.contains("--qf") => "",
                () if line.contains("--whatprovides") => "no package provides toy-10\n",
                () => "package toy-10 is not installed\n",
            };
            let code = i32::from(!line.contains("NAME}-"));
            Output { code, stdout: said.into(), ..Output::default() }
        });
        trial
    }

    const EXPECTED: [&str; 5] = [
        "Installed: toy-2:10.0-1.noarch",
        "Installed: new-1-1.noarch",
        "Removed: old-1-1.noarch",
        "Removed: dep-toy-1-1.noarch",
        "Removed: toy-2:1.0-1.noarch",
    ];

    #[test]
    fn a_transaction_is_told() {
        let got = trial([TABLE, DONE].concat()).run(&json!({"name": "toy-10"}));
        assert_eq!(got["results"], json!(EXPECTED), "{got}");
    }

    #[test]
    fn what_is_foretold_is_told_by_rpm() {
        let mut expected = EXPECTED.map(|line| line.replace("toy-2:1.0", "toy-2:0.9"));
        let got = trial(TABLE.to_owned()).check(&json!({"name": "toy-10"}));
        assert_eq!(got["results"], json!(expected), "{got}");
        for line in &mut expected[..2] {
            *line = line.replace("Installed", "Downloaded");
        }
        let got = trial(TABLE.to_owned()).run(&json!({"name": "toy-10", "download_only": true}));
        assert_eq!(got["results"], json!(expected), "{got}");
    }

    #[test]
    fn a_name_that_dnf_cuts_short_has_no_version() {
        let progress =
            DONE.replace("Cleanup          : toy-2:1.0-1.noarch", "Cleanup          : toy-2:1.0-1.noa");
        let got = trial([TABLE, &progress].concat()).run(&json!({"name": "toy-10"}));
        assert_eq!(got["results"][4], "Removed: toy", "{got}");
    }
}
