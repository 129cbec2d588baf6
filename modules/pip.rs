#[cfg(test)]
mod tests;
mod told;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::told::Told;
use crate::git::login::censored;
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
    name: Option<Vec<String>>,
    version: Option<String>,
    state: State,
    requirements: Option<String>,
    virtualenv: Option<String>,
    stdout: String,
    stderr: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let umask = match &args.umask {
        None => None,
        Some(Mode::Bits(umask)) => Some(*umask),
        Some(_) => return Err(Failure::new("umask must be an octal integer")),
    };
    let names = names(&args)?;
    let made = make_environment(&args, umask, sys)?;
    if names.is_empty() && args.requirements.is_none() {
        if made.is_none() {
            sys.warn("No valid name or requirements file found.");
        }
        return Ok(returns(args, &made.unwrap_or_default(), &Output::default()));
    }
    let Some(pip) = find_pip(&args, sys)? else {
        if made.is_some() && sys.is_check() {
            // The environment it would come with is not there yet.
            return Ok(returns(args, &[], &Output::default()));
        }
        return Err(Failure::new("Unable to find any of pip3, pip to use.  pip needs to be installed."));
    };
    let told = Told::of(&args, &names, sys)?;
    let command = told.command(located(&args, Command::new(pip.clone()))).umask(umask);
    let shown: Vec<String> = command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    // What pip lists foretells what pip would do, as far as a list can.
    let listed = args.requirements.is_none() && matches!(args.state, State::Present | State::Absent);
    if sys.is_check() && listed && made.is_none() && settled(&args, &names, &pip, sys)? {
        return Ok(returns(args, &shown, &Output::default()));
    }
    let did = match args.state {
        State::Absent => "Successfully uninstalled",
        _ => "Successfully installed",
    };
    let judge = |output: &Output| output.ok() && output.stdout().contains(did);
    let output = told.with_file(command, sys, |command, sys| sys.attempt_judging(command, judge))?;
    let output = output.unwrap_or_default();
    if !output.ok() {
        let (out, err) = (output.stdout(), output.stderr());
        let out = if out.is_empty() { String::new() } else { format!("stdout: {out}\n") };
        let err = if err.is_empty() { String::new() } else { format!(":stderr: {err}") };
        // As Ansible puts it, with the blank line in front where pip wrote nothing but errors.
        let blank = if out.is_empty() && !err.is_empty() { "\n" } else { "" };
        let cmd: Vec<String> = shown.iter().map(|word| censored(word)).collect();
        return Err(Failure::new(format!("{blank}{}{}", censored(&out), censored(&err))).with("cmd", cmd));
    }
    Ok(returns(args, &shown, &output))
}

fn returns(args: Args, cmd: &[String], output: &Output) -> Returns {
    // Neither names nor null, as Ansible has it.
    let name = (args.requirements.is_none()).then(|| args.name.iter().map(|name| censored(name)).collect());
    Returns {
        cmd: cmd.iter().map(|word| censored(word)).collect(),
        name,
        version: args.version,
        state: args.state,
        requirements: args.requirements.map(|file| censored(&file)),
        virtualenv: args.virtualenv.map(|path| path.text().into_owned()),
        stdout: censored(&output.stdout()),
        stderr: censored(&output.stderr()),
    }
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

/// Makes the virtual environment when it is missing. Says by what command.
fn make_environment(args: &Args, umask: Option<u32>, sys: &mut System<'_>) -> Result<Option<Vec<String>>> {
    let Some(env) = &args.virtualenv else { return Ok(None) };
    if sys.exists(&env.join("bin/activate"))? {
        return Ok(None);
    }
    let line = &args.virtualenv_command;
    let words =
        words::split(line).map_err(|why| Failure::new(format!("virtualenv_command: {why}: {line}")))?;
    let Some((program, rest)) = words.split_first() else {
        return Err(Failure::new("virtualenv_command names no program"));
    };
    let program = sys.expand(program)?;
    let program = sys.need(&program)?;
    let is_venv = words.iter().any(|word| word == "venv" || word.ends_with("pyvenv"));
    if is_venv && args.virtualenv_python.is_some() {
        let msg =
            "virtualenv_python should not be used when using the venv module or pyvenv as virtualenv_command";
        return Err(Failure::new(msg));
    }
    let command = Command::new(program)
        .umask(umask)
        .args(rest)
        .flag("--system-site-packages", args.virtualenv_site_packages)
        .args(args.virtualenv_python.as_ref().map(|python| format!("-p{python}")))
        .arg(env.0.clone());
    let shown = command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    sys.exec(located(args, command))?;
    Ok(Some(shown))
}

fn find_pip(args: &Args, sys: &System<'_>) -> Result<Option<PathBuf>> {
    if let Some(executable) = &args.executable {
        return sys.need(&executable.text()).map(Some);
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

fn located(args: &Args, mut command: Command) -> Command {
    command.dir = args.chdir.as_ref().map(|dir| dir.0.clone());
    command = command.env("LC_ALL", "C.UTF-8").env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    // A pip that does not know the option need not be told, and knows no such thing.
    if args.break_system_packages { command.env("PIP_BREAK_SYSTEM_PACKAGES", "1") } else { command }
}

/// Whether the list of packages shows that nothing is to be done.
fn settled(args: &Args, names: &[String], pip: &Path, sys: &mut System<'_>) -> Result<bool> {
    let command = located(args, Command::new(pip).args(["list", "--format=freeze"]));
    let output = sys.query(command)?;
    if !output.ok() {
        return Err(Failure::new(format!("pip cannot list what is installed: {}", output.stderr().trim()))
            .with("rc", output.code));
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
