mod cache;
mod installed;
mod plan;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::installed::Installed;
use self::plan::Wish;
use crate::command::yes;
use crate::kit::http;
use crate::kit::{Command, Failure, FilePath, Output, Result, System};

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
///     name: [curl, nginx=1.22.1-9, vim/bookworm]
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
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// Packages: `name`, `name=version` (with wildcards), `name/release`, `name:arch`, `name*`.
    #[serde(default)]
    #[schemars(extend("aliases" = ["package", "pkg"]))]
    pub name: Vec<String>,
    /// Whether they are there; `latest`: in the newest version; `build-dep`: what building them needs is there;
    /// `fixed`: broken dependencies are repaired.
    #[serde(default)]
    pub state: State,
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

impl Args {
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
// `installed` and `removed` are what other package managers say.
#[schemars(extend("enum" = ["absent", "build-dep", "fixed", "installed", "latest", "present", "removed"]))]
pub enum State {
    #[serde(alias = "removed")]
    Absent,
    BuildDep,
    Fixed,
    Latest,
    #[default]
    #[serde(alias = "installed")]
    Present,
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

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if sys.which("apt-get").is_none() {
        return Err(Failure::new("apt-get is not here: this is no Debian, nor one of its descendants"));
    }
    let mut returns = Returns::default();
    let apt = Apt { args: &args };
    let alone = args.name.is_empty()
        && args.deb.is_none()
        && args.upgrade == Upgrade::No
        && !args.autoremove
        && !args.clean
        && !args.autoclean
        && args.state != State::Fixed;
    if args.update_cache.unwrap_or(args.cache_valid_time > 0) {
        let updated = cache::refresh(&apt, alone, sys)?;
        returns.cache_updated = Some(updated);
    }
    let packages = args.deb.is_none() && args.upgrade == Upgrade::No && args.state != State::Absent;
    let chores = args.name.is_empty() && (args.autoremove || args.autoclean || args.clean);
    if (packages && !chores) || returns.cache_updated.is_some() {
        returns.cache_updated.get_or_insert(false);
        returns.cache_update_time = cache::time(sys)?;
    }
    if args.clean {
        let output = sys.exec(apt.command().arg("clean"))?.unwrap_or_default();
        if args.name.is_empty() && args.upgrade == Upgrade::No && args.deb.is_none() {
            returns.take(&output);
            returns.msg.clone_from(&returns.stdout);
            return Ok(returns);
        }
    }
    if alone {
        return Ok(returns);
    }
    let guard = Guard::raise(&args, sys)?;
    let done = work(&apt, sys);
    if let Some(guard) = guard {
        guard.lower(sys)?;
    }
    match done {
        Ok(Some(output)) => returns.take(&output),
        Ok(None) if args.deb.is_some() => returns.take(&Output::default()),
        Ok(None) => {}
        // As in Ansible, a name nobody knows tells nothing of the cache.
        Err(failure) if !failure.msg.starts_with(UNKNOWN) => {
            let fields = Failure::new("").with_all(&returns).fields;
            let fields = fields.into_iter().chain(failure.fields).collect();
            return Err(Failure { msg: failure.msg, fields });
        }
        Err(failure) => return Err(failure),
    }
    if args.upgrade != Upgrade::No {
        returns.msg.clone_from(&returns.stdout);
    }
    Ok(returns)
}

/// What is asked for besides the lists of packages.
fn work(apt: &Apt<'_>, sys: &mut System<'_>) -> Result<Option<Output>> {
    let args = apt.args;
    match args.upgrade {
        Upgrade::No => {}
        Upgrade::Yes | Upgrade::Safe => return apt.run(sys, &["upgrade", "--with-new-pkgs"], &[]),
        Upgrade::Dist | Upgrade::Full => return apt.run(sys, &["dist-upgrade"], &[]),
    }
    if let Some(deb) = &args.deb {
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
        State::Fixed => last = apt.run(sys, &["install", "--fix-broken"], &[])?,
        State::BuildDep => last = apt.run(sys, &["build-dep"], &args.name)?,
        State::Present | State::Latest | State::Absent if !args.name.is_empty() => {
            let installed = Installed::read(sys)?;
            let wishes = args.name.iter().map(|name| Wish::parse(name)).collect::<Result<Vec<_>>>()?;
            last = plan::ensure(apt, &wishes, &installed, sys)?;
        }
        State::Present | State::Latest | State::Absent => {}
    }
    if args.autoremove && args.state != State::Absent {
        last = apt.run(sys, &["autoremove"], &[])?.or(last);
    }
    if args.autoclean {
        last = apt.run(sys, &["autoclean"], &[])?.or(last);
    }
    Ok(last)
}

/// A `policy-rc.d` that is in place for as long as packages are worked on.
struct Guard {
    /// The one that was there, and its mode.
    old: Option<(Vec<u8>, u32)>,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl Guard {
    fn raise(args: &Args, sys: &mut System<'_>) -> Result<Option<Self>> {
        let Some(code) = args.policy_rc_d else { return Ok(None) };
        if sys.is_check() {
            return Ok(None);
        }
        let path = Path::new(POLICY);
        let old = match sys.stat_followed(path)? {
            Some(meta) => Some((sys.read(path)?, meta.mode)),
            None => None,
        };
        sys.spool(path, 0o755, &mut format!("#!/bin/sh\nexit {code}\n").as_bytes())?;
        Ok(Some(Self { old }))
    }

    fn lower(self, sys: &mut System<'_>) -> Result<()> {
        let path = Path::new(POLICY);
        match self.old {
            Some((content, mode)) => sys.spool(path, mode, &mut content.as_slice()),
            None => sys.discard(path),
        }
    }
}

/// How apt-get is called.
/// Fetches the lists of packages. No change by itself.
pub(crate) fn refresh(args: &Args, sys: &mut System<'_>) -> Result<()> {
    cache::refresh(&Apt { args }, false, sys).map(drop)
}

pub(crate) struct Apt<'a> {
    args: &'a Args,
}

impl Apt<'_> {
    fn downgrades(&self) -> bool {
        self.args.allow_downgrade || self.args.force
    }

    fn command(&self) -> Command {
        let args = self.args;
        let mut command = Command::new("apt-get")
            .arg("-y")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("DEBIAN_PRIORITY", "critical")
            .env("LC_ALL", "C")
            .arg("-o")
            .arg(format!("DPkg::Lock::Timeout={}", args.lock_timeout));
        for option in args.dpkg_options.split(',').filter(|option| !option.is_empty()) {
            command = command.arg("-o").arg(format!("Dpkg::Options::=--{}", option.trim_start_matches("--")));
        }
        command
            .flag("--allow-unauthenticated", args.allow_unauthenticated || args.force)
            .flag("--allow-downgrades", args.allow_downgrade || args.force)
            .flag("--allow-change-held-packages", args.allow_change_held_packages || args.force)
            .flag("--no-install-recommends", args.install_recommends == Some(false))
            .args(
                (args.install_recommends == Some(true))
                    .then_some(["-o", "APT::Install-Recommends=yes"])
                    .into_iter()
                    .flatten(),
            )
            .flag("--only-upgrade", args.only_upgrade)
            .flag("--auto-remove", args.autoremove)
            .flag("--purge", args.purge)
            .opt("-t", args.default_release.as_ref())
    }

    /// Runs apt-get; in check mode it simulates, so that only what would really change counts.
    pub fn run(&self, sys: &mut System<'_>, verb: &[&str], packages: &[String]) -> Result<Option<Output>> {
        let build = || self.command().args(verb.iter().copied()).args(packages.iter().cloned());
        if sys.is_check() || self.args.fail_on_autoremove {
            let simulated = sys.query(build().arg("--simulate"))?;
            judged(&simulated, verb, packages)?;
            if self.args.fail_on_autoremove && removes(&simulated.stdout(), packages) {
                return Err(Failure::new("Packages would be autoremoved").with("stdout", simulated.stdout()));
            }
            if sys.is_check() {
                if changes(&simulated.stdout()) {
                    if simulated.stdout().lines().any(|line| line.starts_with("Inst ")) {
                        sys.foretell_packages();
                    }
                    sys.attempt(build())?;
                    sys.tell_change(summary(&simulated.stdout()));
                }
                return Ok(Some(simulated));
            }
        }
        let output = sys.attempt_judging(build(), |output| output.ok() && changes(&output.stdout()))?;
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
    let mut summary = String::new();
    for line in lines {
        summary.push_str(line);
        summary.push('\n');
        if line.contains(" upgraded, ") {
            break;
        }
    }
    summary
}

/// How the failure begins when there is no such package.
const UNKNOWN: &str = "No package matching";

fn judged(output: &Output, verb: &[&str], packages: &[String]) -> Result<()> {
    if output.ok() {
        return Ok(());
    }
    let stderr = output.stderr();
    for line in stderr.lines() {
        if let Some(name) = line.strip_prefix("E: Unable to locate package ") {
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

/// Whether packages go besides those.
fn removes(stdout: &str, named: &[String]) -> bool {
    let gone = stdout.lines().filter_map(|line| line.strip_prefix("Remv ")?.split_whitespace().next());
    gone.into_iter().any(|name| !named.iter().any(|known| known == name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::changes;
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
        check(&json!({"name": "mail-transport-agent"}), &[]);
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
