use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};
use crate::seboolean::{is_enabled, missing};

/// Sets the mode and policy of SELinux.
///
/// What needs a boot is told: `reboot_required`, and a warning.
///
/// # Examples
///
/// ```yaml
/// - name: SELinux watches
///   selinux: {policy: targeted, state: permissive}
///
/// - name: SELinux is off
///   selinux: {state: disabled}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The mode.
    pub state: State,
    /// The policy; needed unless SELinux is to be off.
    pub policy: Option<String>,
    /// The configuration.
    #[serde(default = "usual")]
    #[schemars(extend("aliases" = ["conf", "file"]))]
    pub configfile: String,
    /// Whether the kernel's arguments say so, too, by `grubby`.
    #[serde(default)]
    pub update_kernel_param: bool,
}

fn usual() -> String {
    "/etc/selinux/config".to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Disabled,
    Enforcing,
    Permissive,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enforcing => "enforcing",
            Self::Permissive => "permissive",
        }
    }
}

#[derive(Serialize)]
pub struct Returns {
    configfile: String,
    msg: String,
    policy: Option<String>,
    reboot_required: bool,
    state: State,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    // Where a link leads: it stays one.
    let path = &sys.resolve(Path::new(&args.configfile))?;
    let Some(config) = sys.read_to_rewrite(path)? else {
        let failure = Failure::new(format!("Unable to find file {}", args.configfile));
        return Err(failure.with(
            "details",
            "Please install SELinux-policy package, if this package is not installed previously.",
        ));
    };
    let running = mode(sys)?;
    let old_state = value(&config, "SELINUX").unwrap_or_default().to_lowercase();
    let old_policy = value(&config, "SELINUXTYPE").map(str::to_owned);
    let policy = match (&args.policy, args.state) {
        (Some(policy), _) => Some(policy.clone()),
        (None, State::Disabled) => old_policy.clone(),
        (None, _) => return Err(Failure::new("Policy is required if state is not 'disabled'")),
    };
    let mut messages: Vec<String> = Vec::new();
    let mut reboot_required = false;
    let mut text = config.clone();
    if let Some(wanted) = policy.as_ref().filter(|policy| Some(*policy) != old_policy.as_ref()) {
        if !sys.is_dir(&Path::new("/etc/selinux").join(wanted))? {
            return Err(Failure::new(format!("Policy {wanted} does not exist in /etc/selinux/")));
        }
        messages.push(format!(
            "SELinux policy configuration in '{}' changed from '{}' to '{wanted}'",
            args.configfile,
            old_policy.clone().unwrap_or_default()
        ));
        text = with(&text, "SELINUXTYPE", wanted);
        reboot_required |= running != State::Disabled;
    }
    if args.update_kernel_param {
        kernel(&args, &mut messages, sys)?;
    }
    // Between watching and enforcing the kernel changes at once; on and off are for the next boot.
    match (running, args.state) {
        (running, wanted) if running == wanted => {}
        (State::Disabled, wanted) => {
            sys.warn(format!("Reboot is required to set SELinux state to '{}'", wanted.name()));
            reboot_required = true;
        }
        (_, State::Disabled) => {
            reboot_required = true;
            if running == State::Enforcing {
                enforce(State::Permissive, sys)?;
                let msg = "SELinux state temporarily changed from 'enforcing' to 'permissive'. State change will take effect next reboot.";
                sys.warn(msg);
                messages.push("SELinux state changed to 'permissive'".to_owned());
            } else {
                sys.warn("SELinux state change will take effect next reboot");
            }
        }
        (running, wanted) => {
            enforce(wanted, sys)?;
            messages.push(format!("SELinux state changed from '{}' to '{}'", running.name(), wanted.name()));
        }
    }
    if old_state != args.state.name() {
        messages.push(format!("Config SELinux state changed from '{old_state}' to '{}'", args.state.name()));
        text = with(&text, "SELINUX", args.state.name());
    }
    if text != config {
        sys.write(path, text)?;
    }
    let msg = messages.join(", ");
    Ok(Returns { configfile: args.configfile, msg, policy, reboot_required, state: args.state })
}

fn mode(sys: &System<'_>) -> Result<State> {
    if !is_enabled(sys)? {
        return Ok(State::Disabled);
    }
    let enforce = sys.read_text_if_there("/sys/fs/selinux/enforce".as_ref())?;
    Ok(if enforce.is_some_and(|text| text.trim() == "1") { State::Enforcing } else { State::Permissive })
}

fn enforce(state: State, sys: &mut System<'_>) -> Result<()> {
    let Some(program) = sys.which("setenforce") else { return Err(missing("setenforce", "policycoreutils")) };
    let value = if state == State::Enforcing { "1" } else { "0" };
    sys.exec(Command::new(program).arg(value)).map(drop).map_err(Failure::as_said)
}

/// Ensures that the kernel is started with SELinux, or without.
fn kernel(args: &Args, messages: &mut Vec<String>, sys: &mut System<'_>) -> Result<()> {
    let Some(grubby) = sys.which("grubby") else {
        let failure = Failure::new("'grubby' command not found on host");
        return Err(failure.with("details", "In order to update the kernel command line enabled/disabled setting, the grubby package needs to be present on the system."));
    };
    let info = sys.query(Command::new(&grubby).arg("--info=ALL"))?;
    if !info.ok() {
        return Err(Failure::new(format!("grubby: {}", info.stderr().trim())).with("rc", info.code));
    }
    let text = info.stdout();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("args=")).collect();
    let off = lines.iter().filter(|line| line.contains("selinux=0")).count();
    let disable = args.state == State::Disabled;
    if off == if disable { lines.len() } else { 0 } {
        return Ok(());
    }
    let verb = if disable { "--args" } else { "--remove-args" };
    sys.exec(Command::new(grubby).args(["--update-kernel=ALL", verb, "selinux=0"]))
        .map_err(Failure::as_said)?;
    let (from, to) = if disable { ("enabled", "disabled") } else { ("disabled", "enabled") };
    messages.push(format!("Kernel SELinux state changed from '{from}' to '{to}'"));
    Ok(())
}

fn value<'t>(config: &'t str, name: &str) -> Option<&'t str> {
    config
        .lines()
        .filter_map(|line| line.trim().split_once('='))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

fn with(config: &str, name: &str, value: &str) -> String {
    let line = format!("{name}={value}");
    let is_it = |known: &str| known.trim().split_once('=').is_some_and(|(key, _)| key.trim() == name);
    if !config.lines().any(is_it) {
        let gap = if config.is_empty() || config.ends_with('\n') { "" } else { "\n" };
        return format!("{config}{gap}{line}\n");
    }
    config.lines().flat_map(|known| [if is_it(known) { &line } else { known }, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    #[test]
    fn lines_stay_lines() {
        assert_eq!(super::with("A=b", "SELINUX", "x"), "A=b\nSELINUX=x\n");
    }

    fn trial(enforce: Option<&str>) -> Trial {
        let trial = Trial::of("selinux");
        trial
            .host
            .file("/etc/selinux/config", "# c\nSELINUX=permissive\nSELINUXTYPE=targeted\n")
            .dir("/etc/selinux/mls");
        if let Some(enforce) = enforce {
            trial.host.file("/sys/fs/selinux/enforce", enforce);
        }
        trial.host.program("/usr/sbin/setenforce").answer("/usr/sbin/setenforce", 0, "");
        trial
    }

    fn check(enforce: Option<&str>, args: &Json, config: &str, ran: &[&str]) -> Json {
        let trial = trial(enforce);
        let told = trial.check(args);
        let got = trial.run(args);
        assert_eq!(got.get("failed"), None, "{got}");
        assert_eq!((&told["changed"], &told["msg"]), (&got["changed"], &got["msg"]), "{args}");
        assert_eq!(trial.host.read("/etc/selinux/config").unwrap(), format!("# c\n{config}"), "{args}");
        assert_eq!(trial.host.ran(), ran, "{args}");
        got
    }

    #[test]
    fn modes_change() {
        let to = |state: &str| json!({"state": state, "policy": "targeted"});
        let same = "SELINUX=permissive\nSELINUXTYPE=targeted\n";
        let got = check(Some("0"), &to("permissive"), same, &[]);
        assert_eq!((&got["changed"], &got["reboot_required"]), (&json!(false), &json!(false)));
        let enforcing = "SELINUX=enforcing\nSELINUXTYPE=targeted\n";
        let got = check(Some("0"), &to("enforcing"), enforcing, &["/usr/sbin/setenforce 1"]);
        let msg = "SELinux state changed from 'permissive' to 'enforcing', Config SELinux state changed from 'permissive' to 'enforcing'";
        assert_eq!(got["msg"], msg);
        let got = check(None, &to("enforcing"), enforcing, &[]);
        assert_eq!((&got["changed"], &got["reboot_required"]), (&json!(true), &json!(true)));
        assert_eq!(got["warnings"][0], "Reboot is required to set SELinux state to 'enforcing'");
        let off = "SELINUX=disabled\nSELINUXTYPE=targeted\n";
        check(Some("1"), &json!({"state": "disabled"}), off, &["/usr/sbin/setenforce 0"]);
        let mls = json!({"state": "permissive", "policy": "mls"});
        check(Some("0"), &mls, "SELINUX=permissive\nSELINUXTYPE=mls\n", &[]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({"state": "enforcing"}), "Policy is required if state is not 'disabled'"),
            (json!({"state": "enforcing", "policy": "x"}), "Policy x does not exist in /etc/selinux/"),
            (json!({"state": "disabled", "conf": "/no"}), "Unable to find file /no"),
            (json!({"state": "disabled", "update_kernel_param": true}), "'grubby' command not found on host"),
        ] {
            assert_eq!(trial(None).run(&args)["msg"], msg);
        }
    }
}
