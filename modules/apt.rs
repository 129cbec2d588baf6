mod cache;
mod installed;
mod options;
mod plan;
mod policy;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::installed::Installed;
pub use self::options::Options;
use self::options::Upgrade;
use self::plan::Wish;
use crate::kit::http;
use crate::kit::{Command, Failure, Output, Result, System};

/// Manages packages with apt.
///
/// What is installed is read from dpkg's database; apt is started only where something is to be done.
///
/// # Examples
///
/// ```yaml
/// - name: A web server is there, from a fresh list of packages
///   apt:
///     name: nginx
///     update_cache: yes
///     cache_valid_time: 3600
///
/// - name: Several packages, one of them in a version
///   apt:
///     name: [curl, nginx=1.22.1-9]
///     state: present
///
/// - name: A package is gone, with its configuration
///   apt: {name: apache2, state: absent, purge: yes}
///
/// - name: Everything is up to date
///   apt: {upgrade: dist}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["deb", "name", "upgrade"]]))]
pub struct Args {
    /// Packages: `name`, `name=version` (with wildcards), `name:arch`, `name*`.
    #[serde(default)]
    #[schemars(extend("aliases" = ["package", "pkg"]))]
    pub name: Vec<String>,
    /// Whether they are there; `latest`: in the newest version; `build-dep`: what building them needs is there;
    /// `fixed`: broken dependencies are repaired.
    #[serde(default)]
    pub state: State,
    #[serde(flatten)]
    pub options: Options,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Absent,
    BuildDep,
    Fixed,
    Latest,
    #[default]
    Present,
}

#[derive(Default, Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_updated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_update_time: Option<i64>,
    /// Of an upgrade, or of a cache that was cleaned: what apt-get said.
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
}

impl Returns {
    fn take(&mut self, output: &Output) {
        self.stdout = Some(output.stdout().into_owned());
        self.stderr = Some(output.stderr().into_owned());
    }
}

pub(crate) fn run(mut args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if sys.which("apt-get").is_none() {
        return Err(Failure::new("apt-get is not here: this is no Debian, nor one of its descendants"));
    }
    if args.state == State::Latest && args.name == ["*"] {
        args.name.clear();
        args.options.upgrade = Upgrade::Yes;
    }
    let mut returns = Returns::default();
    let apt = Apt { args: &args };
    let alone = args.name.is_empty()
        && args.options.deb.is_none()
        && args.options.upgrade == Upgrade::No
        && !args.options.autoremove
        && !args.options.clean
        && !args.options.autoclean
        && args.state != State::Fixed;
    if args.options.update_cache.unwrap_or(args.options.cache_valid_time > 0) {
        let updated = cache::refresh(&apt, alone, sys)?;
        returns.cache_updated = Some(updated);
    }
    let packages =
        args.options.deb.is_none() && args.options.upgrade == Upgrade::No && args.state != State::Absent;
    let chores =
        args.name.is_empty() && (args.options.autoremove || args.options.autoclean || args.options.clean);
    let removals = args.state == State::Absent && !args.name.is_empty();
    if removals || args.options.upgrade != Upgrade::No {
        returns.cache_updated = None;
    } else if (packages && !chores) || returns.cache_updated.is_some() {
        returns.cache_updated.get_or_insert(false);
        returns.cache_update_time = cache::time(sys)?;
    }
    if args.options.clean {
        let only = args.name.is_empty() && args.options.upgrade == Upgrade::No && args.options.deb.is_none();
        let clean = apt.plain().arg("clean");
        // Beside other work it is a chore.
        let output = if only { sys.exec(clean)? } else { sys.housekeep(clean)? }.unwrap_or_default();
        if only {
            returns.take(&output);
            returns.msg.clone_from(&returns.stdout);
            return Ok(returns);
        }
    }
    if alone {
        return Ok(returns);
    }
    match work(&apt, sys) {
        Ok(Some(output)) => returns.take(&output),
        Ok(None) if args.options.deb.is_some() => returns.take(&Output::default()),
        Ok(None) => {}
        // As in Ansible, what apt does not know at all tells nothing of the cache.
        Err(failure) if !UNKNOWN_KINDS.iter().any(|kind| failure.msg.starts_with(kind)) => {
            let fields = Failure::new("").with_all(&returns).fields;
            let fields = fields.into_iter().chain(failure.fields).collect();
            return Err(Failure { fields, ..failure });
        }
        Err(failure) => return Err(failure),
    }
    if args.options.upgrade != Upgrade::No {
        returns.msg.clone_from(&returns.stdout);
    }
    Ok(returns)
}

/// What is asked for besides the lists of packages.
fn work(apt: &Apt<'_>, sys: &mut System<'_>) -> Result<Option<Output>> {
    let args = apt.args;
    match args.options.upgrade {
        Upgrade::No => {}
        Upgrade::Yes | Upgrade::Safe => return apt.run(sys, &["upgrade", "--with-new-pkgs"], &[]),
        Upgrade::Dist | Upgrade::Full => return apt.run(sys, &["dist-upgrade"], &[]),
    }
    if let Some(deb) = &args.options.deb {
        if !deb.text().contains("://") {
            return installed::deb(apt, deb, sys);
        }
        let path = sys.scratch(None).with_extension("deb");
        let fetched = http::fetch(&deb.text(), &path, true, sys)
            .map_err(|failure| failure.context(format!("Failure downloading {}", deb.text())));
        let done = fetched.and_then(|()| {
            if sys.is_check() {
                installed::foretell(apt, &path, sys)
            } else {
                installed::deb(apt, &path, sys)
            }
        });
        sys.discard(&path)?;
        return done;
    }
    let mut last = None;
    match args.state {
        State::Fixed => {
            let output = apt.run(sys, &["install", "--fix-broken"], &[])?;
            last = output.filter(|output| changes(&output.stdout()));
        }
        State::BuildDep => last = apt.run(sys, &["build-dep"], &args.name)?,
        State::Present | State::Latest | State::Absent if !args.name.is_empty() => {
            let installed = Installed::read(sys)?;
            let wishes = args.name.iter().map(|name| Wish::parse(name)).collect::<Result<Vec<_>>>()?;
            last = plan::ensure(apt, &wishes, &installed, sys)?;
        }
        State::Present | State::Latest | State::Absent => {}
    }
    // Beside packages, a chore that finds nothing to do is not worth telling.
    let worth = |output: &Output| args.name.is_empty() || changes(&output.stdout());
    if args.options.autoremove && args.state != State::Absent {
        last = apt.run(sys, &["autoremove"], &[])?.filter(worth).or(last);
    }
    if args.options.autoclean {
        last = apt.run(sys, &["autoclean"], &[])?.filter(worth).or(last);
    }
    Ok(last)
}

/// Fetches the lists of packages. No change by itself.
pub(crate) fn refresh(args: &Args, sys: &mut System<'_>) -> Result<()> {
    cache::refresh(&Apt { args }, false, sys).map(drop)
}

/// How apt-get is called.
pub(crate) struct Apt<'a> {
    args: &'a Args,
}

impl Apt<'_> {
    fn downgrades(&self) -> bool {
        self.args.options.allow_downgrade || self.args.options.force
    }

    /// As for anything that installs or removes nothing.
    fn plain(&self) -> Command {
        let args = self.args;
        Command::new("apt-get")
            .arg("-y")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("DEBIAN_PRIORITY", "critical")
            .env("LC_ALL", "C")
            .arg("-o")
            .arg(format!("DPkg::Lock::Timeout={}", args.options.lock_timeout))
    }

    fn command(&self) -> Command {
        let args = self.args;
        let mut command = self.plain();
        for option in args.options.dpkg_options.split(',').filter(|option| !option.is_empty()) {
            command = command.arg("-o").arg(format!("Dpkg::Options::=--{}", option.trim_start_matches("--")));
        }
        command
            .flag("--allow-unauthenticated", args.options.allow_unauthenticated || args.options.force)
            .flag("--allow-downgrades", args.options.allow_downgrade || args.options.force)
            .flag(
                "--allow-change-held-packages",
                args.options.allow_change_held_packages || args.options.force,
            )
            .flag("--no-install-recommends", args.options.install_recommends == Some(false))
            .args(
                (args.options.install_recommends == Some(true))
                    .then_some(["-o", "APT::Install-Recommends=yes"])
                    .into_iter()
                    .flatten(),
            )
            .flag("--only-upgrade", args.options.only_upgrade)
            .flag("--auto-remove", args.options.autoremove)
            .flag("--purge", args.options.purge)
            .flag("--no-remove", args.options.fail_on_autoremove && args.state != State::Absent)
            .opt("-t", args.options.default_release.as_ref())
    }

    /// Runs apt-get; in check mode it simulates, so that only what would really change counts.
    pub fn run(&self, sys: &mut System<'_>, verb: &[&str], packages: &[String]) -> Result<Option<Output>> {
        let build = || {
            let command = if verb == ["autoclean"] { self.plain() } else { self.command() };
            command.args(verb.iter().copied()).args(packages.iter().cloned())
        };
        if sys.is_check() {
            let simulated = sys.query(build().arg("--simulate"))?;
            judged(&simulated, verb, packages)?;
            if changes(&simulated.stdout()) {
                if simulated.stdout().lines().any(|line| line.starts_with("Inst ")) {
                    if self.args.options.policy_rc_d == Some(policy::FORBIDS) {
                        sys.foretell_packages_stopped();
                    } else {
                        sys.foretell_packages();
                    }
                }
                sys.attempt(build())?;
                sys.tell_change(summary(&simulated.stdout()));
            }
            return Ok(Some(simulated));
        }
        let judge = |output: &Output| output.ok() && changes(&output.stdout());
        let output = match self.args.options.policy_rc_d {
            Some(code) => {
                policy::raise(code, sys)?;
                let output = sys.attempt_judging(policy::around(build()), judge);
                policy::lower(sys)?;
                output?
            }
            None => sys.attempt_judging(build(), judge)?,
        };
        if let Some(output) = &output {
            judged(output, verb, packages)?;
            if changes(&output.stdout()) {
                sys.tell_change(summary(&output.stdout()));
            }
        }
        Ok(output)
    }
}

/// What apt-get says it will do: after it has read its lists, up to the count.
fn summary(stdout: &str) -> String {
    let lines = stdout.lines().skip_while(|line| !line.starts_with("Reading state information")).skip(1);
    let mut summary = Vec::new();
    for line in lines {
        summary.push(line);
        if line.contains(" upgraded, ") {
            break;
        }
    }
    summary.join("\n")
}

/// How the failure begins when there is no such package.
const UNKNOWN: &str = "No package matching";
const UNKNOWN_KINDS: [&str; 3] = [UNKNOWN, "No package(s) matching", "The value '"];

fn judged(output: &Output, verb: &[&str], packages: &[String]) -> Result<()> {
    if output.ok() {
        return Ok(());
    }
    let stderr = output.stderr();
    for line in stderr.lines() {
        if let Some(what) = line.strip_prefix("E: ").filter(|_| line.contains("APT::Default-Release")) {
            return Err(Failure::new(what));
        }
        if let Some(name) = line.strip_prefix("E: Unable to locate package ") {
            return Err(Failure::new(format!("{UNKNOWN} '{name}' is available")));
        }
        // Named by others alone; what several provide has apt-get's own words.
        let named = line
            .strip_prefix("E: Package '")
            .and_then(|rest| rest.strip_suffix("' has no installation candidate"));
        if let Some(name) =
            named.filter(|name| output.stdout().contains(&format!("Package {name} is not available")))
        {
            return Err(Failure::new(format!("{UNKNOWN} '{name}' is available")));
        }
        if let Some((version, name)) = line
            .strip_prefix("E: Version '")
            .and_then(|rest| rest.strip_suffix("' was not found")?.split_once("' for '"))
        {
            let name = name.trim_end_matches('\'');
            return Err(Failure::new(format!("no available installation candidate for {name}={version}")));
        }
    }
    let reason = stderr.lines().filter(|line| line.starts_with("E:")).collect::<Vec<_>>().join(" ");
    let reason = if reason.is_empty() { stderr.trim().to_owned() } else { reason };
    let words: Vec<String> = packages.iter().map(|package| format!(" '{package}'")).collect();
    Err(Failure::new(format!("'apt-get {}{}' failed: {reason}", verb.join(" "), words.concat()))
        .with("rc", output.code)
        .with("stdout", output.stdout())
        .with("stderr", stderr))
}

/// Whether apt's summary tells of anything done.
fn changes(stdout: &str) -> bool {
    let summary =
        stdout.lines().rev().find(|line| line.contains(" upgraded, ") && line.contains(" newly installed"));
    match summary {
        // `0 upgraded, 0 newly installed, 0 to remove and 3 not upgraded.`
        Some(line) => {
            let upto = line.split(" not upgraded").next().unwrap_or(line);
            let numbers =
                upto.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse::<u32>().ok());
            // The last number is of what is not upgraded.
            let numbers: Vec<u32> = numbers.collect();
            numbers.iter().rev().skip(1).any(|number| *number > 0)
        }
        None => stdout.lines().any(|line| line.starts_with("Del ") || line.starts_with("Inst ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::changes;
    use crate::kit::Output;
    use crate::kit::host::Host;
    use crate::kit::trial::Trial;

    const STATUS: &str = "Package: curl\nStatus: install ok installed\nVersion: 7.88\nArchitecture: amd64\n\n\
        Package: old\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: amd64\n\n\
        Package: exim4\nStatus: install ok installed\nVersion: 4\nArchitecture: all\nProvides: mail-transport-agent, x (= 1)\n";

    fn check(args: &Json, expected: &[&str]) {
        let trial = Trial::of("apt");
        trial
            .host
            .file("/var/lib/dpkg/status", STATUS)
            .program("/usr/bin/apt-get")
            .program("/usr/bin/apt-cache");
        let done = "1 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.\n";
        trial.host.answer("apt-get", 0, done);
        trial.host.answer(
            "apt-cache policy",
            0,
            "curl:\n  Installed: 7.88\n  Candidate: 7.99\n  Version table:\n     7.99 500\n \
        \x20      500 http://x y Packages\n *** 7.88 100\n        100 /var/lib/dpkg/status\n",
        );
        let result = trial.run(args);
        assert_eq!(result["failed"], Json::Null, "{args} {result}");
        let ran: Vec<String> = trial
            .host
            .ran()
            .into_iter()
            .map(|line| {
                line.replace("-y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold ", "")
            })
            .collect();
        assert_eq!(ran, expected, "{args}");
    }

    #[test]
    fn only_what_is_missing_is_asked_for() {
        check(&json!({"name": "curl"}), &[]);
        check(&json!({"name": "curl=7.8*"}), &["apt-cache policy curl"]);
        check(&json!({"name": "curl=7.*"}), &["apt-cache policy curl", "apt-get install curl=7.99"]);
        // What apt has a package of is installed though another provides it.
        let asked = ["apt-cache policy mail-transport-agent", "apt-get install mail-transport-agent"];
        check(&json!({"name": "mail-transport-agent"}), &asked);
        check(&json!({"name": ["curl", "vim"]}), &["apt-get install vim"]);
        check(&json!({"name": "old"}), &["apt-get install old"]);
        check(&json!({"name": "curl=8.0"}), &["apt-get install curl=8.0"]);
        check(&json!({"name": "curl", "state": "absent"}), &["apt-get remove curl"]);
        check(&json!({"name": "none", "state": "absent"}), &[]);
        check(&json!({"name": "old", "state": "absent", "purge": true}), &["apt-get --purge remove old"]);
        check(
            &json!({"name": "curl", "state": "latest"}),
            &["apt-cache policy curl", "apt-get install curl"],
        );
        check(&json!({"upgrade": "dist"}), &["apt-get dist-upgrade"]);
        check(&json!({"name": "*", "state": "latest"}), &["apt-get upgrade --with-new-pkgs"]);
        check(
            &json!({"name": "curl", "state": "latest", "default_release": "next"}),
            &["apt-cache policy -o APT::Default-Release=next curl", "apt-get -t next install curl"],
        );
    }

    #[test]
    fn what_is_but_provided_is_there() {
        let stage = || {
            let trial = Trial::of("apt");
            let host = trial.host.file("/var/lib/dpkg/status", STATUS);
            host.program("/usr/bin/apt-get").program("/usr/bin/apt-cache");
            trial
        };
        let trial = stage();
        trial.host.answer(
            "apt-cache policy",
            0,
            "x:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n",
        );
        assert_eq!(trial.run(&json!({"name": "x"}))["changed"], false);
        let trial = stage();
        trial.host.script("apt-get", |_, _| Output {
            code: 100,
            stdout: b"Package y is not available, but is referred to by another package.\n".to_vec(),
            stderr: b"E: Package 'y' has no installation candidate\n".to_vec(),
            ..Output::default()
        });
        assert_eq!(trial.run(&json!({"name": "y"}))["msg"], "No package matching 'y' is available");
    }

    #[test]
    fn what_installs_nothing_has_no_options_of_what_does() {
        let trial = Trial::of("apt");
        trial.host.file("/var/lib/dpkg/status", STATUS).program("/usr/bin/apt-get").answer("apt-get", 0, "");
        let args = json!({"update_cache": true, "autoremove": true, "autoclean": true, "purge": true});
        assert_eq!(trial.run(&args)["failed"], Json::Null);
        let lock = "apt-get -y -o DPkg::Lock::Timeout=60";
        let ran = trial.host.ran();
        assert_eq!(ran.first(), Some(&format!("{lock} update")));
        assert_eq!(ran.last(), Some(&format!("{lock} autoclean")));
    }

    #[test]
    fn lists_that_cannot_be_had_are_asked_for_again() {
        let trial = Trial::of("apt");
        trial.host.file("/var/lib/dpkg/status", STATUS).program("/usr/bin/apt-get");
        trial.host.script("apt-get", |_, _| Output {
            code: 100,
            stderr: b"E: no network\n".to_vec(),
            ..Output::default()
        });
        // Nothing is installed for the module itself, and apt-get is the program in any case.
        let args = json!({"update_cache": true, "update_cache_retries": 4, "update_cache_retry_max_delay": 3,
                          "force_apt_get": true, "auto_install_module_deps": false});
        let now = || Host::now(&*trial.host).secs;
        let before = now();
        let result = trial.run(&args);
        assert_eq!(result["msg"], "Failed to update apt cache after 4 retries: E: no network");
        assert_eq!((trial.host.ran().len(), now() - before), (4, 1 + 2 + 3));
        assert_eq!(result["warnings"].as_array().map(Vec::len), Some(6), "{result}");
    }

    #[test]
    fn lists_that_may_not_be_written_are_not_asked_for_again() {
        let trial = Trial::of("apt");
        trial.host.file("/var/lib/dpkg/status", STATUS).program("/usr/bin/apt-get");
        let no = "E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission denied)\n";
        trial.host.script("apt-get", |_, _| Output { code: 100, stderr: no.into(), ..Output::default() });
        let result = trial.run(&json!({"update_cache": true}));
        assert_eq!(result["msg"], format!("Failed to update apt cache: {}", no.trim()));
        assert_eq!(trial.host.ran().len(), 1);
    }

    #[test]
    fn a_pattern_stands_for_all_that_apt_knows() {
        let trial = Trial::of("apt");
        trial.host.file("/var/lib/dpkg/status", STATUS).program("/usr/bin/apt-get");
        trial.host.answer("apt-cache pkgnames", 0, "curl\ncurlie\nvim\n");
        trial.host.answer("apt-get", 0, "0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.\n");
        assert_eq!(trial.run(&json!({"name": "curl*"}))["changed"], true);
        assert!(trial.host.ran().last().is_some_and(|line| line.ends_with(" install curlie")));
        let result = trial.run(&json!({"name": "curl/next"}));
        assert_eq!(result["msg"], "No package matching 'curl/next' is available");
    }

    #[test]
    fn a_package_nobody_knows_is_no_upgrade() {
        let run = |name: &str, policy: &str| {
            let trial = Trial::of("apt");
            let host = trial.host.file("/var/lib/dpkg/status", STATUS);
            host.program("/usr/bin/apt-get").program("/usr/bin/apt-cache");
            host.answer("apt-cache policy", 0, policy).answer("apt-cache pkgnames", 0, "vim\n");
            trial.run(&json!({"name": name, "only_upgrade": true}))
        };
        for (name, message) in [
            ("nope", "No package matching 'nope' is available"),
            ("nope*", "No package(s) matching 'nope*' available"),
        ] {
            let result = run(name, "");
            assert_eq!((&result["failed"], &result["msg"]), (&json!(true), &json!(message)), "{name}");
        }
        let known = run("vim", "vim:\n  Installed: (none)\n  Candidate: 9\n");
        assert_eq!((&known["failed"], &known["changed"]), (&Json::Null, &json!(false)), "{known}");
    }

    #[test]
    fn summaries() {
        for (text, expected) in [
            ("0 upgraded, 0 newly installed, 0 to remove and 3 not upgraded.", false),
            ("0 upgraded, 1 newly installed, 0 to remove and 3 not upgraded.", true),
            ("0 upgraded, 0 newly installed, 1 downgraded, 0 to remove and 0 not upgraded.", true),
            ("nothing", false),
        ] {
            assert_eq!(changes(text), expected, "{text}");
        }
    }
}
