use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};

/// Switches booleans of SELinux, with `setsebool`.
///
/// # Examples
///
/// ```yaml
/// - name: The web server may connect to others, also after a boot
///   seboolean: {name: httpd_can_network_connect, state: true, persistent: true}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The boolean.
    pub name: String,
    /// Whether it is on.
    pub state: bool,
    /// Whether it is so after a boot, too.
    #[serde(default)]
    pub persistent: bool,
    /// Goes on where SELinux is off: in a chroot, for a system that is yet to boot. There is only what `persistent` is about.
    #[serde(default)]
    pub ignore_selinux_state: bool,
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    persistent: bool,
    state: bool,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let is_on = is_enabled(sys)?;
    if !args.ignore_selinux_state && !is_on {
        return Err(Failure::new("SELinux is disabled on this host."));
    }
    let mut same = true;
    if is_on {
        same &= running(&args, sys)?;
    }
    if args.persistent {
        same &= stored(&args, sys)?;
    }
    if !same {
        let Some(program) = sys.which("setsebool") else {
            return Err(missing("setsebool", "policycoreutils"));
        };
        let value = if args.state { "1" } else { "0" };
        let command = Command::new(program).flag("-P", args.persistent).flag("-N", !is_on);
        sys.exec(command.args([&args.name, value])).map_err(Failure::as_said)?;
    }
    Ok(Returns { name: args.name, persistent: args.persistent, state: args.state })
}

/// Whether the kernel enforces or watches a policy.
pub(crate) fn is_enabled(sys: &System<'_>) -> Result<bool> {
    sys.exists("/sys/fs/selinux/enforce".as_ref())
}

pub(crate) fn missing(program: &str, package: &str) -> Failure {
    Failure::new(format!("Failed to find required executable \"{program}\": install {package} first"))
}

/// Whether the boolean is so now.
fn running(args: &Args, sys: &mut System<'_>) -> Result<bool> {
    let path = format!("/sys/fs/selinux/booleans/{}", args.name);
    let Some(text) = sys.read_text_if_there(path.as_ref())? else {
        return Err(Failure::new(format!("SELinux boolean {} does not exist.", args.name)));
    };
    // What is, and what is pending.
    Ok(text.split_whitespace().next() == Some(if args.state { "1" } else { "0" }))
}

/// Whether the boolean will be so after a boot: `httpd_can_network_connect (off , on)` has the stored one behind.
fn stored(args: &Args, sys: &mut System<'_>) -> Result<bool> {
    let Some(semanage) = sys.which("semanage") else {
        return Err(missing("semanage", "policycoreutils-python-utils"));
    };
    let output = sys.query(Command::new(semanage).args(["boolean", "-l", "-n"]))?;
    if !output.ok() {
        return Err(Failure::new(format!("semanage: {}", output.stderr().trim())).with("rc", output.code));
    }
    let text = output.stdout();
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(&args.name));
    let Some((_, values)) = line.and_then(|line| line.split_once('(')) else {
        return Err(Failure::new(format!(
            "SELinux boolean {} is not defined in persistent policy",
            args.name
        )));
    };
    let stored = values.split(')').next().and_then(|pair| pair.split(',').nth(1)).map(str::trim);
    Ok(stored == Some(if args.state { "on" } else { "off" }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial(running: Option<&str>) -> Trial {
        let trial = Trial::of("seboolean");
        if let Some(value) = running {
            trial
                .host
                .file("/sys/fs/selinux/enforce", "1")
                .file("/sys/fs/selinux/booleans/b", format!("{value} {value}"));
        }
        trial.host.program("/usr/sbin/semanage").program("/usr/sbin/setsebool");
        trial.host.answer("/usr/sbin/semanage", 0, "a    (on   ,   on)  A\nb    (off  ,  off)  B\n");
        trial.host.answer("/usr/sbin/setsebool", 0, "");
        trial
    }

    fn check(running: Option<&str>, args: &Json, expected: Option<&str>) {
        let trial = trial(running);
        trial.foretold(args, expected.is_some());
        let ran = trial.host.ran();
        assert_eq!(
            ran.iter().find(|line| line.contains("setsebool")).map(String::as_str),
            expected,
            "{args}"
        );
    }

    #[test]
    fn booleans_are_switched() {
        let on = json!({"name": "b", "state": true});
        check(Some("0"), &on, Some("/usr/sbin/setsebool b 1"));
        check(Some("1"), &on, None);
        let always = json!({"name": "b", "state": true, "persistent": true});
        check(Some("1"), &always, Some("/usr/sbin/setsebool -P b 1"));
        check(Some("0"), &json!({"name": "b", "state": false, "persistent": true}), None);
        let chroot = json!({"name": "b", "state": true, "persistent": true, "ignore_selinux_state": true});
        check(None, &chroot, Some("/usr/sbin/setsebool -P -N b 1"));
        check(None, &json!({"name": "b", "state": true, "ignore_selinux_state": true}), None);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (running, args, msg) in [
            (None, json!({"name": "b", "state": true}), "SELinux is disabled on this host."),
            (Some("1"), json!({"name": "c", "state": true}), "SELinux boolean c does not exist."),
            (
                None,
                json!({"name": "c", "state": true, "persistent": true, "ignore_selinux_state": true}),
                "SELinux boolean c is not defined in persistent policy",
            ),
        ] {
            assert_eq!(trial(running).run(&args)["msg"], msg);
        }
    }
}
