use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, FilePath, Result, System};

/// Manages packages with opkg, as on OpenWrt.
///
/// # Examples
///
/// ```yaml
/// - name: A package, from fresh lists
///   opkg: {name: foo, state: present, update_cache: true}
///
/// - name: In a version, where opkg can
///   opkg: {name: foo=1.2, force: downgrade}
///
/// - name: Gone
///   opkg: {name: [foo, bar], state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The packages, which may have a version: `foo=1.2`.
    #[schemars(extend("aliases" = ["pkg"]))]
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// What opkg should pass over.
    pub force: Option<Force>,
    /// Fetches the lists of packages first.
    #[serde(default)]
    pub update_cache: bool,
    /// The program.
    pub executable: Option<FilePath>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Installed,
    #[default]
    Present,
    Removed,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Force {
    Checksum,
    Depends,
    Downgrade,
    Maintainer,
    Overwrite,
    Postinstall,
    Reinstall,
    RemovalOfDependentPackages,
    Remove,
    Space,
}

impl Force {
    fn flag(self) -> &'static str {
        match self {
            Self::Checksum => "--force-checksum",
            Self::Depends => "--force-depends",
            Self::Downgrade => "--force-downgrade",
            Self::Maintainer => "--force-maintainer",
            Self::Overwrite => "--force-overwrite",
            Self::Postinstall => "--force-postinstall",
            Self::Reinstall => "--force-reinstall",
            Self::RemovalOfDependentPackages => "--force-removal-of-dependent-packages",
            Self::Remove => "--force-remove",
            Self::Space => "--force-space",
        }
    }
}

#[derive(Serialize)]
pub struct Returns {
    msg: String,
    /// opkg's own.
    version: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = match &args.executable {
        Some(path) => sys.need(&path.0.to_string_lossy())?,
        None => sys.need("opkg")?,
    };
    let opkg = Command::new(program);
    let said = sys.query(opkg.clone().arg("--version"))?;
    let version = said.stdout().split_whitespace().last().unwrap_or_default().to_owned();
    if args.update_cache
        && let Some(output) = sys.housekeep(opkg.clone().arg("update"))?
    {
        output.or_fail("could not update package db")?;
    }
    let goes = matches!(args.state, State::Absent | State::Removed);
    let (verb, participle, settled) =
        if goes { ("remove", "removed", "absent") } else { ("install", "installed", "present") };
    let there = installed(&opkg, sys)?;
    let again = !goes && args.force == Some(Force::Reinstall);
    let work: Vec<&String> = args.name.iter().filter(|name| again || is_in(&there, name) == goes).collect();
    for name in &work {
        let (bare, _) = apart(name);
        let command = opkg.clone().arg(verb).args(args.force.map(Force::flag));
        let command = command.arg(if goes { bare } else { name.as_str() });
        let line = command.line();
        // How it ends says little: a script of the package may have failed, or it was held back.
        if let Some(output) = sys.attempt_judging(command, |_| false)? {
            if is_in(&installed(&opkg, sys)?, name) == goes {
                let msg = format!("failed to {verb} {name}");
                return Err(Failure::new(msg).with_output(&output));
            }
            sys.count_as_change(line);
        }
    }
    if !goes && !work.is_empty() {
        sys.foretell_packages();
    }
    let msg = match work.len() {
        0 => format!("package(s) already {settled}"),
        count => format!("{participle} {count} package(s)"),
    };
    Ok(Returns { msg, version })
}

/// The packages that are there, and their versions: `foo - 1.2 - what it is`.
fn installed(opkg: &Command, sys: &mut System<'_>) -> Result<BTreeMap<String, String>> {
    let said = sys.ask(opkg.clone().arg("list-installed"))?;
    let pair = |line: &str| {
        let mut parts = line.split(" - ");
        Some((parts.next()?.trim().to_owned(), parts.next()?.trim().to_owned()))
    };
    Ok(said.stdout().lines().filter_map(pair).collect())
}

fn apart(name: &str) -> (&str, Option<&str>) {
    name.split_once('=').map_or((name, None), |(name, version)| (name, Some(version)))
}

fn is_in(there: &BTreeMap<String, String>, name: &str) -> bool {
    let (name, version) = apart(name);
    there.get(name).is_some_and(|known| version.is_none_or(|version| version == known))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;
    use crate::kit::{Command, Output};

    /// A host where `foo` and `lib` are there, and whatever was told of by the last command is as asked.
    fn check(args: &Json, msg: &str, ran: &[&str]) {
        for checks in [true, false] {
            let trial = Trial::of("opkg");
            trial.host.program("/bin/opkg").answer("/bin/opkg", 0, "").answer(
                "/bin/opkg --version",
                0,
                "opkg version 1\n",
            );
            let done = std::sync::Arc::new(AtomicBool::new(false));
            for verb in ["install", "remove"] {
                let done = done.clone();
                trial.host.script(&format!("/bin/opkg {verb}"), move |_: &Command, _| {
                    done.store(true, Ordering::Relaxed);
                    Output::default()
                });
            }
            let gone = args["state"] == "absent";
            trial.host.script("/bin/opkg list-installed", move |_: &Command, _| {
                let text = match (done.load(Ordering::Relaxed), gone) {
                    (false, _) => "foo - 1.0\nlib - 2 - a library\n",
                    (true, true) => "",
                    (true, false) => "foo - 1.0\nlib - 2\nbar - 1\nbaz - 3\n",
                };
                Output { stdout: text.into(), ..Output::default() }
            });
            let result = if checks { trial.check(args) } else { trial.run(args) };
            assert_eq!(
                (&result["msg"], &result["changed"]),
                (&json!(msg), &json!(!ran.is_empty())),
                "{args}"
            );
            let lines = trial.host.ran();
            let acts = lines.iter().filter_map(|line| line.strip_prefix("/bin/opkg "));
            let acts: Vec<&str> =
                acts.filter(|line| line.starts_with("install") || line.starts_with("remove")).collect();
            assert_eq!(acts, if checks { &[] } else { ran }, "{args}");
        }
    }

    #[test]
    fn packages_come_and_go() {
        check(&json!({"name": "foo,lib=2"}), "package(s) already present", &[]);
        check(
            &json!({"name": ["foo", "bar", "baz=3"]}),
            "installed 2 package(s)",
            &["install bar", "install baz=3"],
        );
        check(
            &json!({"name": "foo", "force": "reinstall"}),
            "installed 1 package(s)",
            &["install --force-reinstall foo"],
        );
        check(
            &json!({"name": ["foo", "no"], "state": "absent", "force": "removal-of-dependent-packages"}),
            "removed 1 package(s)",
            &["remove --force-removal-of-dependent-packages foo"],
        );
        check(&json!({"name": "foo=2", "state": "absent"}), "package(s) already absent", &[]);
    }

    #[test]
    fn what_opkg_does_not_do_is_an_error() {
        let trial = Trial::of("opkg");
        trial.host.program("/bin/opkg").answer("/bin/opkg", 0, "");
        let liar = trial.run(&json!({"name": "liar"}));
        assert_eq!(
            (&liar["msg"], &liar["changed"]),
            (&json!("failed to install liar"), &json!(false)),
            "{liar}"
        );
        trial.host.answer("/bin/opkg install", 255, "Unknown package 'nope'.");
        let result = trial.run(&json!({"name": "nope"}));
        assert_eq!(
            (&result["msg"], &result["stdout"]),
            (&json!("failed to install nope"), &json!("Unknown package 'nope'."))
        );
        assert_eq!(result["changed"], false);
        trial.host.answer("/bin/opkg update", 1, "no network");
        let result = trial.run(&json!({"name": "x", "update_cache": true}));
        assert_eq!(result["msg"], "could not update package db: no network");
    }
}
