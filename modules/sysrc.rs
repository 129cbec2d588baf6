use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, FilePath, Result, System};

/// Manages variables of `/etc/rc.conf`, as FreeBSD's `sysrc` does.
///
/// # Examples
///
/// ```yaml
/// - name: A variable
///   sysrc: {name: mysql_pidfile, value: /var/run/mysqld/mysqld.pid}
///
/// - name: Of the boot loader
///   sysrc: {name: accf_http_load, value: "YES", path: /boot/loader.conf}
///
/// - name: One more of a list
///   sysrc: {name: cloned_interfaces, state: value_present, value: gif0}
///
/// - name: In a jail
///   sysrc: {name: nginx_enable, value: "YES", jail: testjail}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The variable.
    pub name: String,
    /// Its value, or the word that is to be among its words.
    pub value: Option<String>,
    /// Whether it is there, or `value` among its words.
    #[serde(default)]
    pub state: State,
    /// The file.
    #[serde(default = "rc_conf")]
    pub path: FilePath,
    /// What stands between the words of a value.
    #[serde(default = "space")]
    pub delim: String,
    /// The jail whose file it is, by name or number.
    pub jail: Option<String>,
}

fn rc_conf() -> FilePath {
    FilePath::from("/etc/rc.conf")
}

fn space() -> String {
    " ".to_owned()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    #[default]
    Present,
    ValuePresent,
    ValueAbsent,
}

#[derive(Serialize)]
pub struct Returns {
    value: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if !args.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Failure::new("Name may only contain alpha-numeric and underscore characters"));
    }
    let Args { name, delim, .. } = &args;
    let before = read(&args, sys)?;
    let value =
        || args.value.as_deref().ok_or_else(|| Failure::new(format!("{name}: this state needs a value")));
    let has =
        |value: &str| before.as_deref().is_some_and(|text| text.split(delim.as_str()).any(|w| w == value));
    let words: Option<Vec<String>> = match args.state {
        State::Absent => before.is_some().then(|| vec!["-x".to_owned(), name.clone()]),
        State::Present => {
            let value = value()?;
            (before.as_deref() != Some(value)).then(|| vec![format!("{name}={value}")])
        }
        State::ValuePresent => {
            let value = value()?;
            (!has(value)).then(|| vec![format!("{name}+={delim}{value}")])
        }
        State::ValueAbsent => {
            let value = value()?;
            has(value).then(|| vec![format!("{name}-={delim}{value}")])
        }
    };
    if let Some(words) = words {
        let wanted = (args.state != State::Absent).then(value).transpose()?.map(str::to_owned);
        sys.exec(command(&args, sys)?.args(words)).map_err(Failure::as_said)?;
        // sysrc ends well where it may not write.
        if !sys.is_check() {
            confirm(&args, wanted.as_deref(), sys)?;
        }
    }
    Ok(Returns { value: args.value })
}

/// An error where the file does not have what was asked for.
fn confirm(args: &Args, wanted: Option<&str>, sys: &mut System<'_>) -> Result<()> {
    let after = read(args, sys)?;
    let has =
        |value: &str| after.as_deref().is_some_and(|text| text.split(&args.delim).any(|word| word == value));
    let done = match (args.state, wanted) {
        (State::Present, wanted) => after.as_deref() == wanted,
        (State::ValuePresent, Some(value)) => has(value),
        (State::ValueAbsent, Some(value)) => !has(value),
        _ => after.is_none(),
    };
    if done {
        return Ok(());
    }
    Err(Failure::new(format!("sysrc did not change {} in {}", args.name, args.path.0.display())))
}

fn command(args: &Args, sys: &System<'_>) -> Result<Command> {
    Ok(Command::new(sys.need("sysrc")?).arg("-f").arg(&args.path.0).opt("-j", args.jail.as_ref()))
}

/// The variable in that file; what only the system's defaults have is none.
fn read(args: &Args, sys: &mut System<'_>) -> Result<Option<String>> {
    let said = sys.query(command(args, sys)?.args(["-v", "-n", &args.name]))?;
    if said.ok() {
        let file = format!("{}: ", args.path.0.display());
        let text = said.stdout();
        return Ok(text
            .strip_prefix(&file)
            .map(|value| value.strip_suffix('\n').unwrap_or(value).to_owned()));
    }
    // A file that is not there has no variables.
    if said.stderr().contains("unknown variable") || args.jail.is_none() && !sys.exists(&args.path.0)? {
        return Ok(None);
    }
    said.or_fail(&format!("sysrc cannot read {}", args.path.0.display())).map(|()| None)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;
    use crate::kit::{Command, Output};

    type Lines = Vec<(String, String)>;

    /// A host whose sysrc knows one file.
    fn trial() -> (Trial, Arc<Mutex<Lines>>) {
        let trial = Trial::of("sysrc");
        let pairs =
            [("list", "a b"), ("port", "80")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let lines = Arc::new(Mutex::new(Vec::from(pairs)));
        let known = lines.clone();
        trial.host.program("/usr/sbin/sysrc").file("/etc/rc.conf", "");
        trial.host.script("/usr/sbin/sysrc", move |command: &Command, _| {
            let words: Vec<String> = command.argv.iter().map(|w| w.to_string_lossy().into_owned()).collect();
            let last = words.last().unwrap();
            answer(&mut known.lock().unwrap(), last, &words)
        });
        (trial, lines)
    }

    fn answer(lines: &mut Lines, last: &str, words: &[String]) -> Output {
        if words.contains(&"-n".to_owned()) {
            let known = lines.iter().find(|(name, _)| name == last);
            if let Some((_, value)) = known {
                return Output { stdout: format!("/etc/rc.conf: {value}\n").into(), ..Output::default() };
            }
            let stderr = format!("sysrc: unknown variable '{last}'\n").into();
            return Output { code: 1, stderr, ..Output::default() };
        }
        let (name, value) = last.split_once('=').unwrap_or((last, ""));
        let bare = name.trim_end_matches(['+', '-']);
        let before = lines.iter().find(|(known, _)| known == bare).map(|(_, value)| value.clone());
        lines.retain(|(known, _)| known != bare);
        let before = before.unwrap_or_default();
        let after = match name.chars().last() {
            _ if words.contains(&"-x".to_owned()) => return Output::default(),
            Some('+') => format!("{before}{value}"),
            Some('-') => before.split(' ').filter(|w| *w != value.trim()).collect::<Vec<_>>().join(" "),
            _ => value.to_owned(),
        };
        lines.push((bare.to_owned(), after));
        Output::default()
    }

    fn check(args: &Json, ran: Option<&str>, after: &[(&str, &str)]) {
        let (trial, lines) = trial();
        let result = trial.foretold(args, ran.is_some());
        assert_eq!(result.get("value").and_then(Json::as_str), args["value"].as_str());
        let said = trial.host.ran();
        let mut acts = said.iter().filter_map(|line| line.strip_prefix("/usr/sbin/sysrc -f /etc/rc.conf "));
        assert_eq!(acts.find(|line| !line.starts_with("-v")), ran);
        let got = lines.lock().unwrap().clone();
        assert_eq!(
            got.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(),
            after
        );
        assert_eq!(trial.run(args)["changed"], false, "{args}");
    }

    #[test]
    fn variables_and_words_come_and_go() {
        let list = ("list", "a b");
        let port = ("port", "80");
        let as_is = [list, port];
        check(&json!({"name": "port", "value": "80"}), None, &as_is);
        check(&json!({"name": "port", "value": "81"}), Some("port=81"), &[list, ("port", "81")]);
        check(&json!({"name": "new", "value": "x"}), Some("new=x"), &[list, port, ("new", "x")]);
        check(&json!({"name": "port", "state": "absent"}), Some("-x port"), &[list]);
        check(&json!({"name": "none", "state": "absent"}), None, &as_is);
        let word = |state: &str, value: &str| json!({"name": "list", "state": state, "value": value});
        check(&word("value_present", "b"), None, &as_is);
        check(&word("value_present", "c"), Some("list+= c"), &[port, ("list", "a b c")]);
        check(&word("value_absent", "a"), Some("list-= a"), &[port, ("list", "b")]);
        check(&word("value_absent", "z"), None, &as_is);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let result = trial().0.run(&json!({"name": "a.b", "value": "c"}));
        assert_eq!(result["msg"], "Name may only contain alpha-numeric and underscore characters");
        assert_eq!(trial().0.run(&json!({"name": "a"}))["msg"], "a: this state needs a value");
        let trial = Trial::of("sysrc");
        trial.host.program("/usr/sbin/sysrc").file("/etc/rc.conf", "").answer("/usr/sbin/sysrc", 0, "");
        let result = trial.run(&json!({"name": "a", "value": "b"}));
        assert_eq!(result["msg"], "sysrc did not change a in /etc/rc.conf");
        trial.host.answer("/usr/sbin/sysrc -f /etc/rc.conf -j 3", 1, "jail 3 not found\n");
        let result = trial.run(&json!({"name": "a", "value": "b", "jail": 3}));
        assert_eq!(result["msg"], "sysrc cannot read /etc/rc.conf: jail 3 not found");
    }
}
