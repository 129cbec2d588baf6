use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::{Command, Failure, FilePath, Result, System, words};

/// Manages Ruby's gems.
///
/// # Examples
///
/// ```yaml
/// - name: A gem in this version
///   gem: {name: vagrant, version: "1.0", state: present}
///
/// - name: The newest, for all users
///   gem: {name: rake, state: latest, user_install: false}
///
/// - name: From a file
///   gem: {name: rake, gem_source: /path/to/gems/rake-1.0.gem, state: present}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["gem_source", "repository"], ["gem_source", "version"]]))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// The gem.
    pub name: String,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// Its version.
    pub version: Option<String>,
    /// A gem's file, to install it from.
    pub gem_source: Option<FilePath>,
    /// Where gems come from.
    #[schemars(extend("aliases" = ["source"]))]
    pub repository: Option<String>,
    /// Installs what the gem needs, too.
    #[serde(default = "yes")]
    pub include_dependencies: bool,
    /// Installs it for the user alone.
    #[serde(default = "yes")]
    pub user_install: bool,
    /// Names the user's directory to gem, where the distribution has it use another.
    #[serde(default)]
    pub override_platform_install_dir: bool,
    /// The program.
    pub executable: Option<FilePath>,
    /// Where to install it.
    pub install_dir: Option<FilePath>,
    /// Where to install its programs.
    pub bindir: Option<FilePath>,
    /// Reads no `.gemrc`.
    #[serde(default = "yes")]
    pub norc: bool,
    /// Has its programs start Ruby by `env`.
    #[serde(default)]
    pub env_shebang: bool,
    /// Takes versions that are not yet released, too.
    #[serde(default)]
    pub pre_release: bool,
    /// Installs its documentation.
    #[serde(default)]
    pub include_doc: bool,
    /// Options for building what is not in Ruby.
    pub build_flags: Option<String>,
    /// Does it though others need it, or it needs others.
    #[serde(default)]
    pub force: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Latest,
    #[default]
    Present,
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.gem_source.is_some() && args.state == State::Latest {
        return Err(Failure::new("Cannot maintain state=latest when installing from local source"));
    }
    if args.user_install && args.install_dir.is_some() {
        return Err(Failure::new("install_dir requires user_install=false"));
    }
    if args.override_platform_install_dir && !args.user_install {
        return Err(Failure::new("override_platform_install_dir requires user_install=true"));
    }
    let program = match &args.executable {
        Some(path) => sys.need(&path.0.to_string_lossy())?,
        None => sys.need("gem")?,
    };
    let mut gem = Gem { program: Command::new(program), norc: false, dir: None, args: &args };
    gem.norc = args.norc && gem.knows_norc(sys)?;
    gem.dir = match (&args.install_dir, args.override_platform_install_dir) {
        (Some(dir), _) => Some(dir.0.to_string_lossy().into_owned()),
        (None, true) => Some(gem.users_dir(sys)?),
        (None, false) => None,
    };
    let version = match args.state {
        State::Latest if args.version.is_none() => Some(gem.newest(sys)?),
        _ => args.version.clone(),
    };
    let there = gem.versions(&[], sys)?;
    let is_there = match &version {
        Some(version) => there.contains(version),
        None => !there.is_empty(),
    };
    match (args.state, is_there) {
        (State::Absent, true) => gem.uninstall(sys)?,
        (State::Present | State::Latest, false) => gem.install(version.as_deref(), sys)?,
        _ => {}
    }
    Ok(Returns { name: args.name.clone(), state: args.state, version })
}

struct Gem<'a> {
    program: Command,
    norc: bool,
    /// Where gems are installed, if not where gem would.
    dir: Option<String>,
    args: &'a Args,
}

impl Gem<'_> {
    fn command(&self, verb: &str) -> Command {
        self.program.clone().arg(verb).flag("--norc", self.norc)
    }

    /// Since 2.5.2.
    fn knows_norc(&self, sys: &mut System<'_>) -> Result<bool> {
        let said = sys.ask(self.program.clone().arg("--version")).map_err(Failure::as_said)?;
        let text = said.stdout();
        let mut parts = text.trim().split('.').map_while(|part| part.parse::<u32>().ok());
        let mut part = || parts.next().unwrap_or_default();
        Ok((part(), part(), part()) >= (2, 5, 2))
    }

    fn users_dir(&self, sys: &mut System<'_>) -> Result<String> {
        let said = sys.ask(self.program.clone().arg("environment")).map_err(Failure::as_said)?;
        let text = said.stdout();
        let dir = text.lines().find_map(|line| line.trim().strip_prefix("- USER INSTALLATION DIRECTORY:"));
        dir.map(|dir| dir.trim().to_owned()).ok_or_else(|| {
            Failure::new("gem environment does not tell the user's directory of gems").with_output(&said)
        })
    }

    /// The versions of the gem, here or where `words` say: `foo (2.0, default: 1.0 ruby java)`.
    fn versions(&self, words: &[&str], sys: &mut System<'_>) -> Result<Vec<String>> {
        let name = &self.args.name;
        let mut command = self.command("list").args(words.iter().copied()).arg(format!("^{name}$"));
        if let Some(dir) = &self.dir {
            command = command.env("GEM_HOME", dir.as_str()).env("GEM_PATH", dir.as_str());
        }
        let said = sys.ask(command).map_err(Failure::as_said)?;
        let text = said.stdout();
        let list = text
            .lines()
            .find_map(|line| line.strip_prefix(name.as_str())?.trim().strip_prefix('(')?.strip_suffix(')'));
        let version = |one: &str| {
            let one = one.trim();
            let one = one.strip_prefix("default: ").unwrap_or(one);
            one.split_whitespace().next().map(str::to_owned)
        };
        Ok(list.unwrap_or_default().split(',').filter_map(version).collect())
    }

    fn newest(&self, sys: &mut System<'_>) -> Result<String> {
        let mut words = vec!["--remote"];
        if let Some(repository) = &self.args.repository {
            words.extend(["--source", repository.as_str()]);
        }
        let found = self.versions(&words, sys)?.into_iter().next();
        found.ok_or_else(|| Failure::new(format!("no repository has a gem called {}", self.args.name)))
    }

    fn install(&self, version: Option<&str>, sys: &mut System<'_>) -> Result<()> {
        let args = self.args;
        let command = self.command("install").opt("--version", version);
        let command = command
            .opt("--source", args.repository.as_ref())
            .flag("--ignore-dependencies", !args.include_dependencies);
        // A directory that is named is nobody's own; the programs of the user's go with its gems.
        let own = args.user_install && self.dir.is_none();
        let beside = self.dir.as_ref().filter(|_| args.override_platform_install_dir);
        let bindir = args.bindir.as_ref().map(|dir| dir.0.display().to_string());
        let command = command
            .arg(if own { "--user-install" } else { "--no-user-install" })
            .opt("--install-dir", self.dir.as_ref())
            .opt("--bindir", bindir.or_else(|| beside.map(|dir| format!("{dir}/bin"))))
            .flag("--pre", args.pre_release)
            .flag("--no-document", !args.include_doc)
            .flag("--env-shebang", args.env_shebang);
        let command = match &args.gem_source {
            Some(file) => command.arg(file.0.as_os_str()),
            None => command.arg(&args.name),
        };
        let mut command = command.flag("--force", args.force);
        if let Some(flags) = &args.build_flags {
            let flags =
                words::split(flags).map_err(|e| Failure::new(format!("build_flags: {e}: {flags}")))?;
            command = command.arg("--").args(flags);
        }
        sys.foretell_packages();
        sys.exec(command).map_err(Failure::as_said)?;
        Ok(())
    }

    fn uninstall(&self, sys: &mut System<'_>) -> Result<()> {
        let args = self.args;
        let command = self
            .command("uninstall")
            .opt("--install-dir", self.dir.as_ref())
            .opt("--bindir", args.bindir.as_ref().map(|dir| dir.0.display()));
        let command = match &args.version {
            Some(version) => command.args(["--version", version]),
            None => command.arg("--all"),
        };
        // Its programs go, too: nobody is there to be asked.
        let command = command.arg("--executable").flag("--force", args.force).arg(&args.name);
        sys.exec(command).map_err(Failure::as_said)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("gem");
        trial.host.program("/usr/bin/gem").answer("/usr/bin/gem", 0, "");
        trial.host.answer("/usr/bin/gem --version", 0, "3.3.15\n");
        trial.host.answer(
            "/usr/bin/gem list --norc ^foo$",
            0,
            "\n*** LOCAL GEMS ***\n\nfoo (2.0, default: 1.0 ruby)\n",
        );
        trial.host.answer("/usr/bin/gem list --norc --remote ^foo$", 0, "foo (2.1 ruby java, 2.0)\n");
        let environment = "RubyGems Environment:\n  - USER INSTALLATION DIRECTORY: /home/me/gems\n";
        trial.host.answer("/usr/bin/gem environment", 0, environment);
        trial
    }

    /// The command that was run besides questions.
    fn check(args: &Json, ran: Option<&str>) {
        let trial = trial();
        trial.foretold(args, ran.is_some());
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix("/usr/bin/gem "));
        let mut acts = acts.filter(|line| line.contains("install"));
        assert_eq!(acts.next(), ran, "{args}");
    }

    #[test]
    fn gems_come_and_go() {
        check(&json!({"name": "foo"}), None);
        check(&json!({"name": "foo", "version": "1.0"}), None);
        check(&json!({"name": "bar"}), Some("install --norc --user-install --no-document bar"));
        check(
            &json!({"name": "foo", "version": "3", "user_install": false, "include_doc": true}),
            Some("install --norc --version 3 --no-user-install foo"),
        );
        check(
            &json!({"name": "foo", "state": "latest"}),
            Some("install --norc --version 2.1 --user-install --no-document foo"),
        );
        check(
            &json!({"name": "foo", "state": "absent", "version": "1.0"}),
            Some("uninstall --norc --version 1.0 --executable foo"),
        );
        check(
            &json!({"name": "foo", "state": "absent", "force": true}),
            Some("uninstall --norc --all --executable --force foo"),
        );
        check(&json!({"name": "bar", "state": "absent"}), None);
        check(
            &json!({"name": "bar", "gem_source": "/srv/bar-1.gem", "build_flags": "--with-x=1 --y"}),
            Some("install --norc --user-install --no-document /srv/bar-1.gem -- --with-x=1 --y"),
        );
        check(
            &json!({"name": "bar", "override_platform_install_dir": true}),
            Some(
                "install --norc --no-user-install --install-dir /home/me/gems --bindir /home/me/gems/bin --no-document bar",
            ),
        );
        check(
            &json!({"name": "bar", "force": true}),
            Some("install --norc --user-install --no-document bar --force"),
        );
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({"name": "foo", "install_dir": "/x"}), "install_dir requires user_install=false"),
            (
                json!({"name": "foo", "gem_source": "/x.gem", "state": "latest"}),
                "Cannot maintain state=latest when installing from local source",
            ),
            (json!({"name": "none", "state": "latest"}), "no repository has a gem called none"),
        ] {
            assert_eq!(trial().run(&args)["msg"], msg);
        }
        let trial = trial();
        trial.host.answer("/usr/bin/gem --version", 0, "2.0.14\n").answer("/usr/bin/gem list ^foo$", 0, "");
        trial.foretold(&json!({"name": "foo"}), true);
        assert_eq!(trial.host.ran().last().unwrap(), "/usr/bin/gem install --user-install --no-document foo");
    }
}
