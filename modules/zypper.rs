pub(crate) mod told;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::told::Solvable;
use crate::command::yes;
use crate::kit::words;
use crate::kit::{Command, Failure, Output, Result, System};

/// Manages packages with zypper.
///
/// What is installed is asked of rpm; zypper is started only where something may be to do.
///
/// # Examples
///
/// ```yaml
/// - name: A package, from fresh lists
///   zypper: {name: nmap, update_cache: yes}
///
/// - name: In a version, beside one that goes
///   zypper:
///     name: ['docker>=1.10', '-podman']
///
/// - name: Everything up to date
///   zypper: {name: '*', state: latest}
///
/// - name: A patch
///   zypper: {name: openSUSE-2016-128, type: patch}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["disable_recommends", "install_recommends"]]))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// The packages: names, with a version (`a=1`, `b>=2`), with a sign before (`-c` goes, `+d` comes), files and
    /// URLs; `*` with `latest` stands for all that are installed.
    #[schemars(extend("aliases" = ["pkg"]))]
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// What they are.
    #[serde(default)]
    pub r#type: Kind,
    /// More options for zypper itself.
    #[serde(default, rename = "extra_args_precommand")]
    pub before: String,
    /// More options for installing and removing.
    #[serde(default, rename = "extra_args")]
    pub more: String,
    /// Installs without checking signatures.
    #[serde(default)]
    pub disable_gpg_check: bool,
    /// Trusts keys of repositories that are new.
    #[serde(default)]
    pub auto_import_keys: bool,
    /// Leaves out what packages recommend; so it is when neither this nor the other is given.
    pub disable_recommends: Option<bool>,
    /// Whether what packages recommend comes with them.
    pub install_recommends: Option<bool>,
    /// Does it though a package is there, or an older version, or another vendor's comes.
    #[serde(default)]
    pub force: bool,
    /// Lets zypper find a way where packages conflict.
    #[serde(default)]
    pub force_resolution: bool,
    /// Fetches the lists of packages first.
    #[serde(default)]
    #[schemars(extend("aliases" = ["refresh"]))]
    pub update_cache: bool,
    /// Lets an older version come; a version in a name does, too.
    #[serde(default)]
    pub oldpackage: bool,
    /// With `dist-upgrade`: lets the vendor change.
    #[serde(default)]
    pub allow_vendor_change: bool,
    /// Installs though files of other packages are replaced.
    #[serde(default)]
    pub replacefiles: bool,
    /// Removes what nothing else needs with what needed it.
    #[serde(default)]
    pub clean_deps: bool,
    /// Shows of an error only what zypper says about it.
    #[serde(default)]
    pub simple_errors: bool,
    /// Has zypper say less.
    #[serde(default = "yes")]
    pub quiet: bool,
    /// Goes on where a package's own scripts failed.
    #[serde(default)]
    pub skip_post_errors: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Absent,
    DistUpgrade,
    Installed,
    Latest,
    #[default]
    Present,
    Removed,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Application,
    #[default]
    Package,
    Patch,
    Pattern,
    Product,
    Srcpackage,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Package => "package",
            Self::Patch => "patch",
            Self::Pattern => "pattern",
            Self::Product => "product",
            Self::Srcpackage => "srcpackage",
        }
    }
}

#[derive(Serialize)]
pub struct Returns {
    name: Vec<String>,
    state: State,
    update_cache: bool,
    rc: i32,
    /// What was run, if anything was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cmd: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = sys
        .which("zypper")
        .ok_or_else(|| Failure::new("zypper is not here: this is no SUSE, nor one of its descendants"))?;
    let zypper = Zypper {
        program: program.to_string_lossy().into_owned(),
        args: &args,
        transactional: sys.exists(Path::new(TRANSACTIONS))?,
        dry: sys.is_check(),
    };
    let names: Vec<String> =
        args.name.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if args.update_cache {
        zypper.refresh(sys)?;
    }
    let everything = matches!(names.as_slice(), [all] if all == "*");
    let command = match args.state {
        _ if names.is_empty() => None,
        State::Latest if everything => {
            let verb = if args.r#type == Kind::Patch { "patch" } else { "update" };
            Some(zypper.bring(verb, &[], false)?)
        }
        State::DistUpgrade if everything => Some(zypper.bring("dist-upgrade", &[], false)?),
        State::DistUpgrade => {
            return Err(Failure::new("state: dist-upgrade is for all packages: name must be '*'"));
        }
        state => {
            let wishes: Vec<Wish> = names.iter().map(|name| Wish::parse(name, state)).collect();
            zypper.ensure(&wishes, sys)?
        }
    };
    let mut returns = Returns {
        name: names,
        state: args.state,
        update_cache: args.update_cache,
        // Of zypper's other codes some are no failure, but in a result they would make the task one.
        rc: 0,
        cmd: Vec::new(),
        stdout: None,
        stderr: None,
    };
    if let Some(command) = command {
        zypper.act(command, &mut returns, sys)?;
    }
    Ok(returns)
}

/// There where the system is changed by snapshots that come with the next boot.
const TRANSACTIONS: &str = "/var/lib/misc/transactional-update.state";

/// One name of the option, taken apart.
struct Wish {
    name: String,
    /// As zypper takes it.
    spec: String,
    comes: bool,
    /// A version is given.
    versioned: bool,
    /// A file or URL.
    foreign: bool,
}

impl Wish {
    fn parse(text: &str, state: State) -> Self {
        let foreign = text.contains("://") || Path::new(text).extension().is_some_and(|end| end == "rpm");
        let goes = matches!(state, State::Absent | State::Removed);
        let (comes, spec) = match text.split_at_checked(1) {
            _ if foreign => (!goes, text),
            Some(("+", rest)) => (true, rest),
            Some(("-" | "~" | "!", rest)) => (false, rest),
            _ => (!goes, text),
        };
        let end = spec.find(['<', '>', '=']).filter(|_| !foreign);
        let name = spec.split_at_checked(end.unwrap_or(spec.len())).map_or(spec, |(name, _)| name);
        Self { name: name.trim().to_owned(), spec: spec.to_owned(), comes, versioned: end.is_some(), foreign }
    }
}

/// How zypper is called.
struct Zypper<'a> {
    program: String,
    args: &'a Args,
    transactional: bool,
    /// Only tells what it would do.
    dry: bool,
}

impl Zypper<'_> {
    fn command(&self, verb: &str) -> Result<Command> {
        let args = self.args;
        let mut command = if self.transactional {
            let transaction = ["--continue", "--drop-if-no-change", "--quiet", "run"];
            Command::new("/sbin/transactional-update").args(transaction).arg(self.program.as_str())
        } else {
            Command::new(self.program.as_str())
        };
        command = command.args(["--non-interactive", "--xmlout"]).flag("--quiet", args.quiet);
        command = command.args(split(&args.before, "extra_args_precommand")?);
        command = command
            .flag("--gpg-auto-import-keys", args.auto_import_keys)
            .flag("--no-gpg-checks", args.disable_gpg_check && !self.removes());
        Ok(command.arg(verb).env("LC_ALL", "C"))
    }

    fn removes(&self) -> bool {
        matches!(self.args.state, State::Absent | State::Removed)
    }

    /// Fetches the lists of packages. No change by itself.
    fn refresh(&self, sys: &mut System<'_>) -> Result<()> {
        let command = self.command("refresh")?.args(split(&self.args.more, "extra_args")?);
        match sys.housekeep(command)? {
            Some(output) if !output.ok() => Err(self.failure(&output)),
            _ => Ok(()),
        }
    }

    /// What installs or upgrades these, or all.
    fn bring(&self, verb: &str, specs: &[String], older: bool) -> Result<Command> {
        let args = self.args;
        let recommends = args.install_recommends.or(args.disable_recommends.map(|without| !without));
        let mut command = self.command(verb)?;
        if matches!(verb, "install" | "update") {
            command = command.args(["--type", args.r#type.name()]);
        }
        command = command
            .flag("--dry-run", self.dry)
            .arg("--auto-agree-with-licenses")
            .flag("--no-recommends", recommends != Some(true))
            .flag("--recommends", args.install_recommends == Some(true))
            .flag("--force", args.force)
            .flag("--force-resolution", args.force_resolution)
            .flag("--oldpackage", args.oldpackage || older)
            .flag("--replacefiles", args.replacefiles)
            .flag("--allow-vendor-change", args.allow_vendor_change && verb == "dist-upgrade");
        command = command.args(split(&args.more, "extra_args")?);
        Ok(if specs.is_empty() { command } else { command.arg("--").args(specs.iter().cloned()) })
    }

    /// What brings packages into the state that is asked for; `None` where they are.
    fn ensure(&self, wishes: &[Wish], sys: &mut System<'_>) -> Result<Option<Command>> {
        let latest = self.args.state == State::Latest;
        // Of the others only zypper can tell.
        let tells = |wish: &&Wish| !(wish.foreign || wish.versioned || latest && wish.comes);
        let asked: Vec<String> = wishes.iter().filter(tells).map(|wish| wish.name.clone()).collect();
        let there = self.installed(&asked, sys)?;
        let differs = |wish: &&Wish| !tells(wish) || wish.comes != there.contains(&wish.name);
        let work: Vec<&Wish> = wishes.iter().filter(differs).collect();
        if work.is_empty() {
            return Ok(None);
        }
        if work.iter().all(|wish| !wish.comes) {
            let command = self.command("remove")?.args(["--type", self.args.r#type.name()]);
            let command = command.flag("--dry-run", self.dry).flag("--clean-deps", self.args.clean_deps);
            let command = command.args(split(&self.args.more, "extra_args")?);
            return Ok(Some(command.args(work.iter().map(|wish| wish.spec.clone()))));
        }
        let sign = |wish: &Wish| match (wish.foreign, wish.comes) {
            (true, _) => "",
            (false, true) => "+",
            (false, false) => "-",
        };
        let specs: Vec<String> = work.iter().map(|wish| format!("{}{}", sign(wish), wish.spec)).collect();
        let older = work.iter().any(|wish| wish.versioned);
        self.bring("install", &specs, older).map(Some)
    }

    /// Which of them are there. Of packages rpm knows, at once; of others zypper.
    fn installed(&self, names: &[String], sys: &mut System<'_>) -> Result<Vec<String>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        if self.args.r#type == Kind::Package {
            let ask = Command::new("rpm").args(["-q", "--queryformat", "%{NAME}\\n", "--"]).args(names);
            let said = sys.query(ask.env("LC_ALL", "C"))?;
            return Ok(said.stdout().lines().map(str::to_owned).collect());
        }
        let search =
            ["search", "--type", self.args.r#type.name(), "--match-exact", "--details", "--installed-only"];
        let command = Command::new(self.program.as_str()).args(["--non-interactive", "--xmlout", "--quiet"]);
        let command = command.arg("--disable-repositories").args(search).args(names).env("LC_ALL", "C");
        let said = sys.query(command)?;
        let text = said.stdout();
        let found = told::tags(&text).filter(|tag| tag.name == "solvable");
        Ok(found.filter_map(|tag| tag.attribute("name")).collect())
    }

    fn act(&self, command: Command, returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        returns.cmd = command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let changes = |output: &Output| self.went_well(output) && !told::solvables(output).is_empty();
        let mut output = Output::default();
        if self.dry {
            let line = command.line();
            output = sys.query(command)?;
            if changes(&output) {
                sys.count_as_change(line);
            }
        } else {
            // One that brought itself up to date wants to be asked again.
            for _ in 0..2 {
                output = sys.attempt_judging(command.clone(), changes)?.unwrap_or_default();
                if output.code != RESTART {
                    break;
                }
            }
        }
        if !self.went_well(&output) {
            return Err(self.failure(&output).with("cmd", &returns.cmd));
        }
        let solvables = told::solvables(&output);
        if solvables.iter().any(|solvable| solvable.verb == "to-install") {
            sys.foretell_packages();
        }
        if !solvables.is_empty() {
            sys.tell_change(solvables.iter().map(line).collect::<Vec<_>>().join("\n"));
            returns.stdout = Some(output.stdout().into_owned());
            returns.stderr = Some(output.stderr().into_owned());
        }
        Ok(())
    }

    /// Some codes tell of what is to be done next.
    fn went_well(&self, output: &Output) -> bool {
        let fine = matches!(output.code, 0 | 102 | RESTART | 106);
        !output.timed_out && (fine || output.code == 107 && self.args.skip_post_errors)
    }

    fn failure(&self, output: &Output) -> Failure {
        let errors = told::messages(output);
        let said = match errors.as_slice() {
            [] => output.stderr().trim().to_owned(),
            errors => errors.join("\n"),
        };
        let msg = match output.code {
            // There is no such package, or zypper's own lock is held: what it says is all there is to say.
            104 | LOCKED => said,
            _ if self.args.simple_errors => said,
            code => format!("Zypper run command failed with return code {code}. {said}"),
        };
        Failure::new(msg.trim()).with_output(output)
    }
}

/// Another zypper, or YaST, works.
const LOCKED: i32 = 7;
const RESTART: i32 = 103;

fn split(text: &str, option: &str) -> Result<Vec<String>> {
    words::split(text).map_err(|why| Failure::new(format!("{option}: {why}: {text}")))
}

/// `to-upgrade toy 1.0-1 -> 1.1-1`
fn line(solvable: &Solvable) -> String {
    let Solvable { verb, name, edition, old_edition } = solvable;
    match old_edition {
        Some(old) => format!("{verb} {name} {old} -> {edition}"),
        None => format!("{verb} {name} {edition}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const SUMMARY: &str = "<stream>\n<install-summary packages-to-change=\"1\">\n<to-upgrade>\n<solvable type=\"package\" \
        name=\"git\" edition=\"2.1-1\" edition-old=\"2.0-1\" summary=\"a &quot;b&quot;\">\n<description>x</description></solvable>\n\
        </to-upgrade>\n</install-summary>\n</stream>\n";

    fn trial() -> Trial {
        let trial = Trial::of("zypper");
        trial.host.program("/usr/bin/zypper").answer("/usr/bin/zypper", 0, SUMMARY);
        trial.host.answer("rpm -q", 1, "vim\npackage git is not installed\n");
        trial
    }

    /// What zypper was called with, the program and the options that are always there left out.
    fn check(args: &Json, expected: Option<&str>) {
        let trial = trial();
        let result = trial.run(args);
        assert_eq!(result["changed"], json!(expected.is_some()), "{result:#}");
        let ran = trial.host.ran();
        let ran = ran
            .iter()
            .find_map(|line| line.strip_prefix("/usr/bin/zypper --non-interactive --xmlout --quiet "));
        assert_eq!(ran, expected);
    }

    #[test]
    fn zypper_does_what_is_missing() {
        let install = "install --type package --auto-agree-with-licenses --no-recommends";
        let with = |rest: &str| format!("{install} {rest}");
        check(&json!({"name": ["git", "vim"]}), Some(&with("-- +git")));
        check(&json!({"name": "vim"}), None);
        check(&json!({"name": "vim", "state": "latest"}), Some(&with("-- +vim")));
        check(&json!({"name": "vim=9"}), Some(&with("--oldpackage -- +vim=9")));
        check(&json!({"name": ["git", "-vim", "-git"]}), Some(&with("-- +git -vim")));
        check(&json!({"name": "/tmp/a.rpm"}), Some(&with("-- /tmp/a.rpm")));
        check(&json!({"name": ["vim", "git"], "state": "absent"}), Some("remove --type package vim"));
        check(&json!({"name": "git", "state": "removed"}), None);
        check(
            &json!({"name": "*", "state": "latest"}),
            Some("update --type package --auto-agree-with-licenses --no-recommends"),
        );
        check(
            &json!({"name": "*", "state": "dist-upgrade", "allow_vendor_change": true, "install_recommends": true}),
            Some("dist-upgrade --auto-agree-with-licenses --recommends --allow-vendor-change"),
        );
    }

    #[test]
    fn check_mode_asks_zypper() {
        let trial = trial();
        let result = trial.check(&json!({"name": "git"}));
        assert_eq!(result["changed"], true, "{result:#}");
        assert_eq!(result["diff"]["prepared"], "to-upgrade git 2.0-1 -> 2.1-1");
        assert!(trial.host.ran().last().unwrap().contains(" --dry-run "), "{:?}", trial.host.ran());
    }

    #[test]
    fn a_reboot_that_is_needed_is_no_failure_and_a_script_by_wish() {
        for (code, skip, failed) in [(102, false, false), (107, false, true), (107, true, false)] {
            let trial = trial();
            trial.host.answer("/usr/bin/zypper", code, SUMMARY);
            let result = trial.run(&json!({"name": "git", "skip_post_errors": skip}));
            assert_eq!(result["failed"] == true, failed, "{code}: {result:#}");
            assert_eq!(result["rc"], if failed { code } else { 0 }, "{code}: {result:#}");
        }
    }

    #[test]
    fn what_zypper_says_is_the_error() {
        let trial = trial();
        let locked = "<stream><message type=\"error\">System management is locked by the application with pid 9 (zypper).</message></stream>";
        trial.host.answer("/usr/bin/zypper", 7, locked);
        let result = trial.run(&json!({"name": "git"}));
        assert_eq!(result["msg"], "System management is locked by the application with pid 9 (zypper).");
        trial.host.answer(
            "/usr/bin/zypper",
            104,
            "<message type=\"error\">No provider of &apos;+git&apos; found.</message>",
        );
        let result = trial.run(&json!({"name": "git"}));
        assert_eq!((&result["msg"], &result["rc"]), (&json!("No provider of '+git' found."), &json!(104)));
        trial.host.answer("/usr/bin/zypper", 4, "<message type=\"error\">a &lt; b</message>");
        let result = trial.run(&json!({"name": "git", "update_cache": true}));
        assert_eq!(result["msg"], "Zypper run command failed with return code 4. a < b");
        assert_eq!(
            trial.host.ran().last().unwrap(),
            "/usr/bin/zypper --non-interactive --xmlout --quiet refresh"
        );
    }
}
