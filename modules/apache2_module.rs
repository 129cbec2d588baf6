use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::{Command, Failure, Output, Result, System};
use crate::lineinfile::State;

/// Enables and disables modules of the web server Apache, on Debian and its kin.
///
/// # Examples
///
/// ```yaml
/// - name: URLs can be rewritten
///   apache2_module: {name: rewrite}
///
/// - name: No listings
///   apache2_module: {name: autoindex, state: absent, force: true}
///
/// - name: A module with another name within the server
///   apache2_module: {name: dump_io, identifier: dumpio_module}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The module, as `a2enmod` knows it.
    pub name: String,
    /// Its name within the server, where that is no `NAME_module`.
    pub identifier: Option<String>,
    /// Disables also what Debian holds for essential.
    #[serde(default)]
    pub force: bool,
    /// Whether it is enabled.
    #[serde(default)]
    pub state: State,
    /// Leaves it at that when the server finds its configuration wrong.
    #[serde(default)]
    pub ignore_configcheck: bool,
    /// Whether to warn where no module for multi-processing is left.
    #[serde(default = "yes")]
    pub warn_mpm_absent: bool,
}

#[derive(Serialize)]
pub struct Returns {
    result: String,
}

/// What the server calls modules whose names do not tell.
const IDENTIFIERS: &[(&str, &str)] = &[
    ("shib", "mod_shib"),
    ("shib2", "mod_shib"),
    ("evasive", "evasive20_module"),
    ("php", "php_module"),
    ("dumpio", "dumpio_module"),
];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let present = args.state == State::Present;
    if present && args.name == "cgi" && is_threaded(sys)? {
        return Err(Failure::new(
            "Your MPM seems to be threaded, therefore enabling cgi module is not allowed.",
        ));
    }
    let word = if present { "enabled" } else { "disabled" };
    let result = format!("Module {} {word}", args.name);
    if is_enabled(&args, sys)? == present {
        return Ok(Returns { result });
    }
    let tool = if present { "a2enmod" } else { "a2dismod" };
    let Some(program) = sys.which(tool) else {
        let msg = format!("{tool} not found. Perhaps this system does not use {tool} to manage apache");
        return Err(Failure::new(msg));
    };
    let command = Command::new(program).flag("-f", !present && args.force).arg(&args.name);
    let output = sys.exec(command).map_err(|failure| {
        let text =
            |key: &str| failure.fields.get(key).and_then(|text| text.as_str()).unwrap_or_default().to_owned();
        let (stdout, stderr) = (text("stdout"), text("stderr"));
        let msg = format!("Failed to run {tool} for module {}:\n{stdout}\n{stderr}", args.name);
        Failure { msg, ..failure }.without("cmd")
    })?;
    if let Some(output) = output
        && is_enabled(&args, sys)? != present
    {
        return Err(without_effect(&args, word, &output));
    }
    Ok(Returns { result })
}

/// The tool did its work, and the server still has the module, or has it not.
fn without_effect(args: &Args, word: &str, output: &Output) -> Failure {
    let stdout = output.stdout();
    let msg = format!(
        "Failed to set module {} to {word}:\n{stdout}\nMaybe the module identifier ({}) was guessed incorrectly.\
         Consider setting the \"identifier\" option.",
        args.name,
        identifier(args)
    );
    Failure::new(msg).with("rc", output.code).with("stdout", stdout).with("stderr", output.stderr())
}

fn identifier(args: &Args) -> String {
    if let Some(identifier) = &args.identifier {
        return identifier.clone();
    }
    if let Some((_, known)) = IDENTIFIERS.iter().find(|(name, _)| *name == args.name) {
        return (*known).to_owned();
    }
    let is_php = args
        .name
        .strip_prefix("php")
        .is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()));
    // `php7.4` is `php7_module`, and from 8 on `php_module`.
    let major = args.name.split('.').next().filter(|_| is_php);
    match major.and_then(|major| major.strip_prefix("php")?.parse::<u32>().ok()) {
        Some(8..) => "php_module".to_owned(),
        Some(major) => format!("php{major}_module"),
        None => format!("{}_module", args.name),
    }
}

/// What the server loads; `None` where its configuration is wrong and that is not to matter.
fn loaded(args: &Args, sys: &mut System<'_>) -> Result<Option<String>> {
    let Some(control) = ["apache2ctl", "apachectl"].into_iter().find_map(|name| sys.which(name)) else {
        return Err(Failure::new("None of the following programs is here: apache2ctl, apachectl"));
    };
    let shown = control.display().to_string();
    let output = sys.query(Command::new(control).arg("-M"))?;
    if output.ok() {
        return Ok(Some(output.stdout().into_owned()));
    }
    let error = format!("Error executing {shown}: {}", output.stderr());
    if !args.ignore_configcheck {
        return Err(Failure::new(error));
    }
    if output.stderr().contains("AH00534") && args.name.contains("mpm_") {
        if args.warn_mpm_absent {
            sys.warn(
                "No MPM module loaded! apache2 reload AND other module actions will fail if no MPM module is loaded immediately.",
            );
        }
    } else {
        sys.warn(error);
    }
    Ok(None)
}

fn is_enabled(args: &Args, sys: &mut System<'_>) -> Result<bool> {
    let wanted = format!(" {}", identifier(args));
    match loaded(args, sys)? {
        Some(loaded) => Ok(loaded.contains(&wanted)),
        // What the server would not tell its directory does.
        None => sys.exists(format!("/etc/apache2/mods-enabled/{}.load", args.name).as_ref()),
    }
}

fn is_threaded(sys: &mut System<'_>) -> Result<bool> {
    let Some(control) = ["apache2ctl", "apachectl"].into_iter().find_map(|name| sys.which(name)) else {
        return Ok(false);
    };
    let output = sys.query(Command::new(control).arg("-V"))?;
    let text = output.stdout();
    Ok(text.lines().any(|line| line.trim_start().starts_with("threaded:") && line.contains("yes")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{Args, identifier};
    use crate::kit::Output;
    use crate::kit::host::Placement;
    use crate::kit::trial::Trial;

    /// A server whose tools do what they say.
    fn trial(broken: bool) -> Trial {
        let trial = Trial::of("apache2_module");
        for program in ["/usr/sbin/apache2ctl", "/usr/sbin/a2enmod", "/usr/sbin/a2dismod"] {
            trial.host.program(program);
        }
        let enabled = "/etc/apache2/mods-enabled";
        trial.host.dir(enabled).file(format!("{enabled}/dir.load"), "");
        trial.host.answer("/usr/sbin/apache2ctl -V", 0, "Server MPM: event\n  threaded:     yes (fixed)\n");
        trial.host.script("/usr/sbin/apache2ctl -M", move |_, host| {
            let names = host.list(enabled.as_ref()).unwrap();
            let names = names.iter().map(|name| name.to_string_lossy().replace(".load", "_module"));
            let stdout = names.fold(String::new(), |all, name| all + " " + &name + " (shared)\n");
            if broken {
                return Output { code: 1, stderr: "AH00534: no MPM\n".into(), ..Output::default() };
            }
            Output { stdout: stdout.into(), ..Output::default() }
        });
        let name = move |command: &crate::kit::Command| {
            format!("{enabled}/{}.load", command.argv.last().unwrap().to_string_lossy())
        };
        trial.host.script("/usr/sbin/a2enmod", move |command, host| {
            host.place(name(command).as_ref(), &mut std::io::empty(), &Placement::default()).unwrap();
            Output::default()
        });
        trial.host.script("/usr/sbin/a2dismod", move |command, host| {
            host.remove(name(command).as_ref()).unwrap();
            Output::default()
        });
        trial
    }

    fn check(broken: bool, args: &Json, changed: bool) -> Json {
        let trial = trial(broken);
        let got = trial.foretold(args, changed);
        assert_eq!(trial.run(args)["changed"], false);
        got
    }

    #[test]
    fn modules_are_enabled_and_disabled() {
        assert_eq!(check(false, &json!({"name": "rewrite"}), true)["result"], "Module rewrite enabled");
        check(false, &json!({"name": "dir"}), false);
        check(false, &json!({"name": "rewrite", "state": "absent"}), false);
        let gone = json!({"name": "dir", "state": "absent", "force": true});
        assert_eq!(check(false, &gone, true)["result"], "Module dir disabled");
        let got = check(true, &json!({"name": "mpm_event", "ignore_configcheck": true}), true);
        assert!(got["warnings"][0].as_str().unwrap().starts_with("No MPM module loaded!"));
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let cgi = trial(false).run(&json!({"name": "cgi"}));
        assert_eq!(
            cgi["msg"],
            "Your MPM seems to be threaded, therefore enabling cgi module is not allowed."
        );
        let broken = trial(true).run(&json!({"name": "rewrite"}));
        assert_eq!(broken["msg"], "Error executing /usr/sbin/apache2ctl: AH00534: no MPM\n");
        let wrong = trial(false).run(&json!({"name": "rewrite", "identifier": "foo_module"}));
        assert!(
            wrong["msg"].as_str().unwrap().contains("Maybe the module identifier (foo_module)"),
            "{wrong}"
        );
    }

    #[test]
    fn names_within_the_server() {
        for (name, expected) in [
            ("rewrite", "rewrite_module"),
            ("php7.4", "php7_module"),
            ("php8.2", "php_module"),
            ("evasive", "evasive20_module"),
        ] {
            let args: Args = serde_json::from_value(json!({"name": name})).unwrap();
            assert_eq!(identifier(&args), expected);
        }
    }
}
