use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, FilePath, Mode, Output, Result, System, words};

/// Manages Python packages with `pip`.
///
/// On the system itself, or in a virtual environment, which is made when it is missing. What `pip` lists tells whether
/// something is to be done where a name stands alone or with `==`; else `pip` itself tells.
///
/// # Examples
///
/// ```yaml
/// - name: A package
///   pip: {name: bottle}
///
/// - name: Versions, in an environment of their own
///   pip:
///     name: [bottle==0.12.25, 'django>=4,<5']
///     virtualenv: /opt/app/venv
///     virtualenv_command: python3 -m venv
///
/// - name: What a file lists
///   pip: {requirements: /opt/app/requirements.txt, virtualenv: /opt/app/venv}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["name", "requirements"]],
    "mutually_exclusive" = [["name", "requirements"], ["executable", "virtualenv"]]))]
pub struct Args {
    /// The packages, as `pip` takes them: names with or without a version, URLs.
    #[serde(default)]
    pub name: Vec<String>,
    /// A version for the one package named.
    pub version: Option<String>,
    /// A file of the target that lists packages.
    pub requirements: Option<String>,
    /// Whether the packages are there: `present`, `latest`, `forcereinstall` or `absent`.
    #[serde(default)]
    pub state: State,
    /// The virtual environment to use.
    pub virtualenv: Option<FilePath>,
    /// The command that makes it: `virtualenv`, `pyvenv`, `python3 -m venv`.
    #[serde(default = "virtualenv")]
    pub virtualenv_command: String,
    /// The Python of an environment that is made. Not with `venv`, which has its own.
    pub virtualenv_python: Option<String>,
    /// Whether an environment that is made sees the packages of the system.
    #[serde(default)]
    pub virtualenv_site_packages: bool,
    /// The `pip` to use, as a path or a name.
    pub executable: Option<FilePath>,
    /// More options for `pip`.
    #[expect(clippy::struct_field_names, reason = "the option's name")]
    pub extra_args: Option<String>,
    /// Installs in place, for development.
    #[serde(default)]
    pub editable: bool,
    /// The directory to run in.
    pub chdir: Option<FilePath>,
    /// The umask for what is installed, as octal text.
    pub umask: Option<Mode>,
    /// Lets `pip` change packages of the distribution.
    #[serde(default)]
    pub break_system_packages: bool,
}

fn virtualenv() -> String {
    "virtualenv".to_owned()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    #[default]
    Present,
    Absent,
    Latest,
    ForceReinstall,
}

#[derive(Debug, Serialize)]
pub struct Returns {
    cmd: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Vec<String>>,
    version: Option<String>,
    state: State,
    requirements: Option<String>,
    virtualenv: Option<String>,
    stdout: String,
    stderr: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let names = names(&args)?;
    let made = make_environment(&args, sys)?;
    let Some(pip) = find_pip(&args, sys)? else {
        if made && sys.is_check() {
            // The environment it would come with is not there yet.
            return Ok(returns(args, names, Vec::new(), &Output::default()));
        }
        return Err(Failure::new("Unable to find any of pip3, pip to use.  pip needs to be installed."));
    };
    let mut command = base(&args, &pip);
    command = match args.state {
        State::Absent => command.args(["uninstall", "-y"]),
        _ => command.arg("install"),
    };
    match args.state {
        State::Latest => command = command.arg("-U"),
        State::ForceReinstall => command = command.args(["-U", "--force-reinstall"]),
        State::Present | State::Absent => {}
    }
    command = command.flag("-e", args.editable && args.state != State::Absent && args.requirements.is_none());
    command = command.flag("--break-system-packages", args.break_system_packages);
    if let Some(extra) = &args.extra_args {
        let extra = words::split(extra).map_err(|why| Failure::new(format!("extra_args: {why}: {extra}")))?;
        command = command.args(extra);
    }
    command = match &args.requirements {
        Some(file) => command.args(["-r", file.as_str()]),
        None => command.args(&names),
    };
    let shown: Vec<String> = command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let known = args.requirements.is_none() && matches!(args.state, State::Present | State::Absent);
    if known && !made && settled(&args, &names, &pip, sys)? {
        return Ok(returns(args, names, shown, &Output::default()));
    }
    let did = match args.state {
        State::Absent => "Successfully uninstalled",
        _ => "Successfully installed",
    };
    let line = command.line();
    let output = sys
        .attempt_judging(command, |output| output.ok() && output.stdout().contains(did))?
        .unwrap_or_default();
    if !output.ok() {
        let said = [output.stdout(), output.stderr()].map(|text| text.trim().to_owned());
        let said: Vec<&str> = said.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        return Err(Failure::new(format!("stdout and stderr: {}", censored(&said.join("\n"))))
            .with("cmd", censored(&line))
            .with("rc", output.code)
            .with("name", names.iter().map(|name| censored(name)).collect::<Vec<_>>()));
    }
    Ok(returns(args, names, shown, &output))
}

fn returns(args: Args, names: Vec<String>, cmd: Vec<String>, output: &Output) -> Returns {
    let names: Vec<String> = names.iter().map(|name| censored(name)).collect();
    Returns {
        cmd: cmd.iter().map(|word| censored(word)).collect(),
        name: (!names.is_empty()).then_some(names),
        version: args.version,
        state: args.state,
        requirements: args.requirements,
        virtualenv: args.virtualenv.map(|path| path.text().into_owned()),
        stdout: censored(&output.stdout()),
        stderr: censored(&output.stderr()),
    }
}

/// Text without what stands between `://` and `@`.
fn censored(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(after.len());
        let (host, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        match host.rsplit_once('@') {
            Some((login, host)) if login.contains(':') => {
                out.push_str("********@");
                out.push_str(host);
            }
            _ => out.push_str(host),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// The packages, with the version where that stands apart.
fn names(args: &Args) -> Result<Vec<String>> {
    // A list that was one text is split at its commas: those within a version belong together.
    let mut names: Vec<String> = Vec::new();
    for name in &args.name {
        let name = name.trim();
        match names.last_mut() {
            Some(last) if name.starts_with(['<', '>', '=', '!', '~']) => {
                last.push(',');
                last.push_str(name);
            }
            _ => names.push(name.to_owned()),
        }
    }
    let Some(version) = args.version.as_deref().filter(|version| !version.is_empty()) else {
        return Ok(names);
    };
    let [name] = names.as_slice() else {
        let msg = "'version' argument is ambiguous when installing multiple package distributions. Please specify \
                   version restrictions next to each package in 'name' argument.";
        return Err(Failure::new(msg));
    };
    if args.state == State::Latest {
        return Err(Failure::new("version is incompatible with state=latest"));
    }
    if name.contains(['=', '<', '>', '!', '~']) {
        let msg = "The 'version' argument conflicts with any version specifier provided along with a package name. \
                   Please keep the version specifier, but remove the 'version' argument.";
        return Err(Failure::new(msg));
    }
    let joint = if version.starts_with(['=', '<', '>', '!', '~']) { "" } else { "==" };
    Ok(vec![format!("{name}{joint}{version}")])
}

/// Makes the virtual environment when it is missing. Says whether it was.
fn make_environment(args: &Args, sys: &mut System<'_>) -> Result<bool> {
    let Some(env) = &args.virtualenv else { return Ok(false) };
    if sys.exists(&env.join("bin/activate"))? {
        return Ok(false);
    }
    let line = &args.virtualenv_command;
    let words =
        words::split(line).map_err(|why| Failure::new(format!("virtualenv_command: {why}: {line}")))?;
    let Some((program, rest)) = words.split_first() else {
        return Err(Failure::new("virtualenv_command names no program"));
    };
    let program = sys.expand(program)?;
    let Some(program) = sys.which(&program) else {
        return Err(Failure::new(format!("Failed to find required executable \"{program}\"")));
    };
    let is_venv = words.iter().any(|word| word == "venv" || word.ends_with("pyvenv"));
    if is_venv && args.virtualenv_python.is_some() {
        let msg =
            "virtualenv_python should not be used when using the venv module or pyvenv as virtualenv_command";
        return Err(Failure::new(msg));
    }
    let command = umasked(args, program)?
        .args(rest)
        .flag("--system-site-packages", args.virtualenv_site_packages)
        .args(args.virtualenv_python.as_ref().map(|python| format!("-p{python}")))
        .arg(env.0.clone());
    sys.exec(located(args, command))?;
    Ok(true)
}

fn find_pip(args: &Args, sys: &System<'_>) -> Result<Option<PathBuf>> {
    if let Some(executable) = &args.executable {
        let name = executable.text();
        return match sys.which(&name) {
            Some(path) => Ok(Some(path)),
            None => Err(Failure::new(format!("Failed to find required executable \"{name}\""))),
        };
    }
    let Some(env) = &args.virtualenv else {
        return Ok(["pip3", "pip"].into_iter().find_map(|name| sys.which(name)));
    };
    for name in ["pip3", "pip"] {
        let path = env.join("bin").join(name);
        if sys.exists(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn umasked(args: &Args, program: impl Into<std::ffi::OsString>) -> Result<Command> {
    match &args.umask {
        None => Ok(Command::new(program)),
        Some(Mode::Bits(umask)) => {
            let script = format!("umask {umask:04o}; exec \"$0\" \"$@\"");
            Ok(Command::new("/bin/sh").args(["-c", script.as_str()]).arg(program))
        }
        Some(_) => Err(Failure::new("umask must be an octal integer")),
    }
}

fn base(args: &Args, pip: &Path) -> Command {
    let command = umasked(args, pip).unwrap_or_else(|_| Command::new(pip));
    located(args, command)
}

fn located(args: &Args, mut command: Command) -> Command {
    command.dir = args.chdir.as_ref().map(|dir| dir.0.clone());
    command.env("LC_ALL", "C.UTF-8").env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
}

/// Whether the list of packages shows that nothing is to be done.
fn settled(args: &Args, names: &[String], pip: &Path, sys: &mut System<'_>) -> Result<bool> {
    let command = located(args, Command::new(pip).args(["list", "--format=freeze"]));
    let output = sys.query(command)?;
    if !output.ok() {
        return Ok(false);
    }
    let text = output.stdout();
    let installed: Vec<(String, &str)> = text
        .lines()
        .filter_map(|line| line.split_once("=="))
        .map(|(name, version)| (canonical(name), version.trim()))
        .collect();
    Ok(names.iter().all(|name| {
        let (plain, version) = match name.split_once("==") {
            Some((plain, version)) => (plain, Some(version.trim())),
            None => (name.as_str(), None),
        };
        let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c));
        // Extras, URLs, ranges and wildcards are pip's to judge.
        if !is_plain(plain) || version.is_some_and(|version| !is_plain(version)) || args.editable {
            return false;
        }
        let found = installed.iter().find(|(known, _)| *known == canonical(plain));
        match args.state {
            State::Absent => found.is_none(),
            _ => found.is_some_and(|(_, known)| version.is_none_or(|version| version == *known)),
        }
    }))
}

/// A name as PEP 503 compares it.
fn canonical(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn stage() -> Trial {
        let trial = Trial::of("pip");
        trial.host.program("/usr/bin/pip3").answer("/usr/bin/pip3 list", 0, "Foo.Bar==1.2\nbaz==2\n");
        trial.host.answer("/usr/bin/pip3 install", 0, "Successfully installed new-1\n");
        trial.host.answer("/usr/bin/pip3 uninstall", 0, "  Successfully uninstalled baz-2\n");
        trial
    }

    /// Runs it; what ran besides lists, and whether that was foretold.
    fn check(args: Json, expected: &[&str]) {
        let trial = stage();
        let foretold = trial.check(&args)["changed"].clone();
        let result = trial.run(&args);
        let mut ran = trial.host.ran();
        ran.retain(|line| !line.contains(" list "));
        assert_eq!(ran, expected, "{args} {result:#}");
        assert_eq!(foretold, json!(!expected.is_empty()), "{args}");
        assert!(!result.to_string().contains("secret"), "{result}");
    }

    #[test]
    fn what_is_there_is_left_alone() {
        check(json!({"name": "foo_bar"}), &[]);
        check(json!({"name": ["baz==2", "foo-bar"]}), &[]);
        check(json!({"name": "new", "state": "absent"}), &[]);
        check(json!({"name": "baz==3"}), &["/usr/bin/pip3 install baz==3"]);
        check(json!({"name": "baz", "version": "3"}), &["/usr/bin/pip3 install baz==3"]);
        check(json!({"name": "new,baz>=2,<3"}), &["/usr/bin/pip3 install new baz>=2,<3"]);
        check(json!({"name": "baz", "state": "absent"}), &["/usr/bin/pip3 uninstall -y baz"]);
        check(json!({"name": "baz", "state": "latest"}), &["/usr/bin/pip3 install -U baz"]);
        check(
            json!({"requirements": "/r.txt", "extra_args": "-i https://u:secret@h/x"}),
            &["/usr/bin/pip3 install -i https://u:secret@h/x -r /r.txt"],
        );
    }

    #[test]
    fn an_environment_is_made_when_it_is_missing() {
        let trial = Trial::of("pip");
        trial.host.program("/usr/bin/python3").script("/usr/bin/python3 -m venv", |_, host| {
            host.make_dir(std::path::Path::new("/v"), 0o777).unwrap();
            host.make_dir(std::path::Path::new("/v/bin"), 0o777).unwrap();
            for name in ["activate", "pip"] {
                let path = std::path::Path::new("/v/bin").join(name);
                host.place(&path, &mut &b"#!"[..], &crate::kit::host::Placement::default()).unwrap();
            }
            crate::kit::Output::default()
        });
        trial.host.answer("/v/bin/pip install", 0, "Successfully installed a-1\n");
        let args = json!({"name": "a", "virtualenv": "/v", "virtualenv_command": "/usr/bin/python3 -m venv"});
        assert_eq!(trial.check(&args)["changed"], true);
        let result = trial.run(&args);
        assert_eq!((&result["changed"], &result["virtualenv"]), (&json!(true), &json!("/v")), "{result}");
    }

    #[test]
    fn bad_arguments_are_refused() {
        for (args, start) in [
            (json!({"name": "a,b", "version": "1"}), "'version' argument is ambiguous"),
            (json!({"name": "a", "version": "1", "state": "latest"}), "version is incompatible"),
            (json!({"name": "a>1", "version": "1"}), "The 'version' argument conflicts"),
            (json!({"state": "latest"}), "one of the following is required: name, requirements"),
        ] {
            let result = stage().run(&args);
            assert!(result["msg"].as_str().unwrap().starts_with(start), "{result}");
        }
    }
}
