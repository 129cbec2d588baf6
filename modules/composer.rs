use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::command::yes;
use crate::kit::{Command, Failure, FilePath, Output, Result, System, words};

/// Manages the libraries that a PHP project needs, with Composer.
///
/// # Examples
///
/// ```yaml
/// - name: What composer.lock says
///   composer: {command: install, working_dir: /path/to/project}
///
/// - name: One more
///   composer: {command: require, arguments: my/package, working_dir: /path/to/project}
///
/// - name: A new project
///   composer: {command: create-project, arguments: package/package /path/to/project, working_dir: /path/to/project}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["global_command", false, ["working_dir"]]]))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// What Composer does: `install`, `update`, `require` …
    #[serde(default = "install")]
    pub command: String,
    /// Words after it: a package, a version.
    #[serde(default)]
    pub arguments: String,
    /// PHP's program.
    #[schemars(extend("aliases" = ["php_path"]))]
    pub executable: Option<FilePath>,
    /// Composer's.
    pub composer_executable: Option<FilePath>,
    /// The project's directory.
    pub working_dir: Option<FilePath>,
    /// Works on what is there for all projects, without a directory.
    #[serde(default)]
    pub global_command: bool,
    /// Takes sources where it can.
    #[serde(default)]
    pub prefer_source: bool,
    /// Takes packed releases, for versions under development, too.
    #[serde(default)]
    pub prefer_dist: bool,
    /// Leaves out what only developers need.
    #[serde(default = "yes")]
    pub no_dev: bool,
    /// Runs no scripts of the project.
    #[serde(default)]
    pub no_scripts: bool,
    /// Uses no plugins.
    #[serde(default)]
    pub no_plugins: bool,
    /// Writes a faster loader of classes.
    #[serde(default = "yes")]
    pub optimize_autoloader: bool,
    /// Has it load classes from its map only.
    #[serde(default)]
    pub classmap_authoritative: bool,
    /// Has it use APCu.
    #[serde(default)]
    pub apcu_autoloader: bool,
    /// Goes on though PHP or an extension is not as asked for.
    #[serde(default)]
    pub ignore_platform_reqs: bool,
    /// Makes a project anew though there is one.
    #[serde(default)]
    pub force: bool,
}

fn install() -> String {
    "install".to_owned()
}

#[derive(Default, Serialize)]
pub struct Returns {
    msg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
}

impl Returns {
    fn of(msg: impl Into<String>) -> Self {
        Self { msg: msg.into(), ..Self::default() }
    }
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.command.contains(char::is_whitespace) {
        return Err(Failure::new("Use the 'arguments' param for passing arguments with the 'command'"));
    }
    let composer = Composer { program: program(&args, sys)?, args: &args };
    let known = composer.options(sys)?;
    if let Some(dir) = &args.working_dir
        && args.command == "create-project"
        && !args.force
        && sys.exists(&dir.0.join("composer.json"))?
    {
        return Ok(Returns::of("composer.json already exists in working_dir, skipping create-project"));
    }
    if sys.is_check() && !known.contains_key("dry-run") {
        let msg = format!("command '{}' does not support check mode, skipping", args.command);
        return Ok(Returns { skipped: true, ..Returns::of(msg) });
    }
    let mut command = composer.command(&[&args.command]);
    for (option, wanted) in options(&args) {
        command = command.flag(&format!("--{option}"), wanted && known.contains_key(option));
    }
    let more = words::split(&args.arguments)
        .map_err(|e| Failure::new(format!("arguments: {e}: {}", args.arguments)))?;
    let output = if sys.is_check() {
        let command = command.arg("--dry-run").args(more);
        let line = command.line();
        let output = sys.query(command)?;
        if output.ok() && changes(&output) {
            sys.count_as_change(line);
        }
        output
    } else {
        sys.attempt_judging(command.args(more), |output| output.ok() && changes(output))?.unwrap_or_default()
    };
    tell(&output, sys)
}

fn tell(output: &Output, sys: &mut System<'_>) -> Result<Returns> {
    let (stdout, stderr) = (output.stdout(), output.stderr());
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !output.ok() {
        let said = if stderr.trim().is_empty() { &stdout } else { &stderr };
        return Err(Failure::new(line(said)).with("stdout", said).with("rc", output.code));
    }
    for warning in stderr.lines().filter(|line| line.contains("root/super user")) {
        sys.warn(warning.trim());
    }
    let both = format!("{stdout}{stderr}");
    Ok(Returns { stdout: Some(both.clone()), ..Returns::of(line(&both)) })
}

/// That there was nothing to do it says among other things.
fn changes(output: &Output) -> bool {
    ![output.stdout(), output.stderr()].iter().any(|text| text.contains("Nothing to install"))
}

/// Options of Composer's commands, of which each knows some, and whether they are wished for.
fn options(args: &Args) -> [(&'static str, bool); 12] {
    [
        ("no-ansi", true),
        ("no-interaction", true),
        ("no-progress", true),
        ("prefer-source", args.prefer_source),
        ("prefer-dist", args.prefer_dist),
        ("no-dev", args.no_dev),
        ("no-scripts", args.no_scripts),
        ("no-plugins", args.no_plugins),
        ("optimize-autoloader", args.optimize_autoloader),
        ("classmap-authoritative", args.classmap_authoritative),
        ("apcu-autoloader", args.apcu_autoloader),
        ("ignore-platform-reqs", args.ignore_platform_reqs),
    ]
}

/// PHP, and what it is to run.
fn program(args: &Args, sys: &System<'_>) -> Result<Command> {
    let find = |given: &Option<FilePath>, name: &str| -> Result<PathBuf> {
        given.as_ref().map_or_else(|| sys.need(name), |path| Ok(path.0.clone()))
    };
    let php = find(&args.executable, "php")?;
    Ok(Command::new(php).arg(find(&args.composer_executable, "composer")?))
}

struct Composer<'a> {
    program: Command,
    args: &'a Args,
}

impl Composer<'_> {
    fn command(&self, words: &[&str]) -> Command {
        let command = self.program.clone();
        let command = match &self.args.working_dir {
            _ if self.args.global_command => command.arg("global"),
            Some(dir) => command.arg(format!("--working-dir={}", dir.0.display())),
            None => command,
        };
        command.args(words.iter().copied())
    }

    /// The options that the command knows.
    fn options(&self, sys: &mut System<'_>) -> Result<Map<String, Json>> {
        let ask = self.command(&["help", &self.args.command, "--no-interaction", "--format=json"]);
        let output = sys.ask(ask).map_err(Failure::as_said)?;
        let told: Json = serde_json::from_slice(&output.stdout)
            .map_err(|e| Failure::new(format!("composer help is no JSON: {e}")).with_output(&output))?;
        let options = told.pointer("/definition/options").and_then(Json::as_object);
        Ok(options.cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("composer");
        trial
            .host
            .program("/usr/bin/php")
            .program("/usr/local/bin/composer")
            .file("/old/composer.json", "{}");
        trial.host.answer("/usr/bin/php", 0, "Package operations: 1 install\n");
        let help = json!({"definition": {"options": {"no-ansi": {}, "no-dev": {}, "dry-run": {}, "apcu-autoloader": {}}}});
        trial.host.answer("/usr/bin/php /usr/local/bin/composer --working-dir=/p help", 0, &help.to_string());
        for start in ["global", "--working-dir=/old"] {
            let help = json!({"definition": {"options": {"no-ansi": {}}}});
            trial.host.answer(
                &format!("/usr/bin/php /usr/local/bin/composer {start} help"),
                0,
                &help.to_string(),
            );
        }
        trial
    }

    fn last(trial: &Trial) -> String {
        trial.host.ran().last().unwrap().replace("/usr/bin/php /usr/local/bin/composer ", "")
    }

    #[test]
    fn what_a_command_knows_is_given() {
        let trial = trial();
        let args = json!({"working_dir": "/p", "apcu_autoloader": true, "no_scripts": true});
        assert_eq!(trial.check(&args)["changed"], true);
        assert_eq!(last(&trial), "--working-dir=/p install --no-ansi --no-dev --apcu-autoloader --dry-run");
        assert_eq!(trial.run(&args)["msg"], "Package operations: 1 install");
        assert_eq!(last(&trial), "--working-dir=/p install --no-ansi --no-dev --apcu-autoloader");
        let args = json!({"command": "require", "global_command": true, "arguments": "a/b 'c d'"});
        assert_eq!(trial.check(&args)["skipped"], true);
        trial.run(&args);
        assert_eq!(last(&trial), "global require --no-ansi a/b c d");
    }

    #[test]
    fn what_is_there_is_no_change() {
        let trial = trial();
        let args = json!({"working_dir": "/old", "command": "create-project"});
        assert_eq!(
            trial.foretold(&args, false)["msg"],
            "composer.json already exists in working_dir, skipping create-project"
        );
        trial.host.answer(
            "/usr/bin/php /usr/local/bin/composer --working-dir=/p install",
            0,
            "Nothing to install, update or remove\n",
        );
        trial.foretold(&json!({"working_dir": "/p"}), false);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = trial();
        let check = |args: Json, msg: &str| assert_eq!(trial.run(&args)["msg"], msg);
        check(
            json!({"working_dir": "/p", "command": "show x"}),
            "Use the 'arguments' param for passing arguments with the 'command'",
        );
        trial.host.answer("/usr/bin/php /usr/local/bin/composer --working-dir=/p bad", 2, "it\n  failed\n");
        check(json!({"working_dir": "/p", "command": "bad"}), "it failed");
    }
}
