use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::command::yes;
use crate::kit::{Command, Failure, FilePath, Output, Result, System};
use crate::lineinfile::State;

/// Manages settings of the kernel, in a file and at once.
///
/// # Examples
///
/// ```yaml
/// - name: Little is swapped
///   sysctl: {name: vm.swappiness, value: '5', reload: false}
///
/// - name: In a file of its own
///   sysctl:
///     name: net.ipv4.ip_forward
///     value: '1'
///     sysctl_file: /etc/sysctl.d/90-forward.conf
///     reload: false
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["value"]]]))]
pub struct Args {
    /// The setting, with dots or slashes.
    #[schemars(extend("aliases" = ["key"]))]
    pub name: String,
    /// Its value.
    #[schemars(extend("aliases" = ["val"]))]
    pub value: Option<Json>,
    /// Whether the file has the setting.
    #[serde(default)]
    pub state: State,
    /// Goes on where the kernel does not know a setting. Other errors stay errors.
    #[serde(default)]
    pub ignoreerrors: bool,
    /// Has the file read anew when it changed.
    #[serde(default = "yes")]
    pub reload: bool,
    /// The file.
    #[serde(default = "usual")]
    pub sysctl_file: FilePath,
    /// Also compares with what the kernel has now, and sets that.
    #[serde(default)]
    pub sysctl_set: bool,
}

fn usual() -> FilePath {
    "/etc/sysctl.conf".into()
}

#[derive(Serialize)]
pub struct Returns {}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let value = match &args.value {
        Some(Json::String(text)) if matches!(text.to_lowercase().as_str(), "yes" | "true" | "on") => {
            "1".to_owned()
        }
        Some(Json::String(text)) if matches!(text.to_lowercase().as_str(), "no" | "false" | "off") => {
            "0".to_owned()
        }
        Some(Json::String(text)) => text.trim().to_owned(),
        Some(Json::Bool(on)) => u8::from(*on).to_string(),
        Some(other) if !other.is_null() => other.to_string(),
        _ => String::new(),
    };
    if args.state == State::Present && value.is_empty() {
        return Err(Failure::new("value cannot be blank"));
    }
    if args.name.trim().is_empty() {
        return Err(Failure::new("name cannot be blank"));
    }
    let mut path = args.sysctl_file.0.clone();
    if sys.exists(&path)? {
        path = sys.resolve(&path)?;
    }
    let old = sys.read_text_if_there(&path)?.unwrap_or_default();
    let wanted = (args.state == State::Present).then_some(value.as_str());
    let new = edited(&old, &args.name, wanted);
    let differs = old != new;
    let off = args.state == State::Present && live(&args, sys)?.as_deref() != Some(&*words(&value));
    if args.sysctl_set && off {
        set(&args, &value, sys)?;
    }
    if differs {
        sys.write(&path, new)?;
    }
    // Also where the file is right and the kernel has another value.
    if args.reload && (differs || off) {
        reload(&args, path, sys)?;
    }
    Ok(Returns {})
}

/// The file with that value; `None` takes the setting away. Nothing else changes, where it is right.
fn edited(old: &str, name: &str, wanted: Option<&str>) -> String {
    let name = name.trim();
    let setting = |line: &str| -> Option<(String, String)> {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            return None;
        }
        let (key, value) = line.split_once('=')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    let last = old.lines().filter_map(setting).rfind(|(key, _)| key == name);
    if last.as_ref().map(|(_, value)| value.as_str()) == wanted {
        return old.to_owned();
    }
    let mut seen = Map::new();
    let mut text = String::new();
    for line in old.lines() {
        match setting(line) {
            None => text.extend([line, "\n"]),
            Some((key, _)) if seen.contains_key(&key) => {}
            Some((key, value)) => {
                let value = if key == name { wanted } else { Some(value.as_str()) };
                if let Some(value) = value {
                    text.extend([key.as_str(), "=", value, "\n"]);
                }
                seen.insert(key, Json::Null);
            }
        }
    }
    if let Some(wanted) = wanted
        && !seen.contains_key(name)
    {
        text.extend([name, "=", wanted, "\n"]);
    }
    text
}

fn words(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the kernel has.
fn live(args: &Args, sys: &System<'_>) -> Result<Option<String>> {
    let path = if args.name.contains('/') { args.name.clone() } else { args.name.replace('.', "/") };
    let path = PathBuf::from("/proc/sys").join(path.trim_matches(['/', ' ']));
    Ok(sys.read_text_if_there(&path)?.as_deref().map(words))
}

fn set(args: &Args, value: &str, sys: &mut System<'_>) -> Result<()> {
    let command = Command::new(sys.need("sysctl")?).flag("-e", args.ignoreerrors);
    let command = command.arg("-w").arg(format!("{}={value}", args.name)).env("LC_ALL", "C");
    let done = sys.attempt(command)?;
    judge(&format!("setting {} failed", args.name), done, sys)
}

fn reload(args: &Args, path: PathBuf, sys: &mut System<'_>) -> Result<()> {
    let command = Command::new(sys.need("sysctl")?)
        .flag("-e", args.ignoreerrors)
        .arg("-p")
        .arg(path)
        .env("LC_ALL", "C");
    let done = sys.attempt(command)?;
    judge("Failed to reload sysctl", done, sys)
}

/// Older programs say that they could not set a value and end well all the same. Of what is no error by this, people hear.
fn judge(failed: &str, done: Option<Output>, sys: &mut System<'_>) -> Result<()> {
    let Some(output) = done else { return Ok(()) };
    let complaints = output.stderr();
    let unset = |line: &str| {
        let reason = line.strip_prefix("sysctl: setting key \"").and_then(|line| line.split_once("\": "));
        reason.is_some_and(|(_, reason)| ["Invalid argument", "Read-only file system"].contains(&reason))
    };
    if !output.ok() || complaints.lines().any(unset) {
        let said = format!("{}{complaints}", output.stdout());
        return Err(Failure::new(format!("{failed}: {said}")));
    }
    for complaint in complaints.lines() {
        sys.warn(complaint);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    fn check(before: &str, mut args: Json, after: &str, ran: &[&str]) {
        let trial = Trial::of("sysctl");
        trial.host.file("/etc/sysctl.conf", before).file("/proc/sys/a/b", "1\t2\n");
        trial.host.program("/usr/sbin/sysctl").answer("/usr/sbin/sysctl", 0, "");
        args["name"] = json!("a.b");
        let result = trial.run(&args);
        assert_eq!(result["failed"], Json::Null, "{result}");
        assert_eq!(trial.host.read("/etc/sysctl.conf").unwrap(), after, "{args}");
        assert_eq!(result["changed"], before != after || !ran.is_empty());
        assert_eq!(trial.host.ran(), ran);
    }

    #[test]
    fn settings_of_the_file() {
        let reload = ["/usr/sbin/sysctl -p /etc/sysctl.conf"];
        let set = ["/usr/sbin/sysctl -w a.b=3", "/usr/sbin/sysctl -p /etc/sysctl.conf"];
        check("", json!({"value": 1}), "a.b=1\n", &reload);
        check("# x\na.b = 1 2\n", json!({"value": "1 2"}), "# x\na.b = 1 2\n", &[]);
        check("a.b=1\n", json!({"value": "1"}), "a.b=1\n", &reload);
        check("a.b=1\n", json!({"value": "1", "reload": false}), "a.b=1\n", &[]);
        check("a.b = 1\nc = 2\na.b=3\n", json!({"value": "yes", "reload": false}), "a.b=1\nc=2\n", &[]);
        check("a.b=1\nc=2\n", json!({"state": "absent"}), "c=2\n", &reload);
        check("a.b=1 2\n", json!({"value": "1 2", "sysctl_set": true}), "a.b=1 2\n", &[]);
        check("a.b=3\n", json!({"value": "3", "sysctl_set": true}), "a.b=3\n", &set);
    }

    #[test]
    fn errors_are_those_that_the_program_tells() {
        let check = |code: i32, complaint: &'static str, failed: Option<&str>| {
            for ignoring in [false, true] {
                let trial = Trial::of("sysctl");
                trial.host.file("/proc/sys/a/b", "1\n").program("/usr/sbin/sysctl");
                trial.host.script("/usr/sbin/sysctl", move |_, _| Output {
                    code,
                    stderr: complaint.as_bytes().to_vec(),
                    ..Output::default()
                });
                let result = trial
                    .run(&json!({"name": "a.b", "value": "2", "sysctl_set": true, "ignoreerrors": ignoring}));
                assert_eq!(result.get("msg").and_then(Json::as_str), failed, "{result}");
                assert_eq!(result.get("warnings").is_some(), failed.is_none(), "{result}");
            }
        };
        let unset = "sysctl: setting key \"a.b\": Invalid argument";
        check(0, unset, Some(&format!("setting a.b failed: {unset}")));
        check(255, "no", Some("setting a.b failed: no"));
        check(0, "sysctl: setting key \"a.b\", ignoring: Invalid argument", None);
        check(0, "sysctl: permission denied on key \"a.b\"", None);
    }

    #[test]
    fn a_value_is_needed() {
        let msg = "state is present but all of the following are missing: value";
        assert_eq!(Trial::of("sysctl").run(&json!({"name": "a"}))["msg"], msg);
        assert_eq!(
            Trial::of("sysctl").run(&json!({"name": "a", "value": ""}))["msg"],
            "value cannot be blank"
        );
    }
}
