//! `reboot`: restarts a host and waits until it is back.

use std::time::{Duration, Instant};

use super::manual::{Manual, Opt, What};
use super::wait_for_connection::{Tries, elapsed, said};
use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::destination;
use crate::run::outcome::Raw;
use crate::target::Transport;
use crate::value::{Dict, Value};

const BOOT_ID: &str = "cat /proc/sys/kernel/random/boot_id";
const MESSAGE: &str = "Reboot initiated by Ansible";
const PATHS: [&str; 5] = ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"];

pub(super) const MANUAL: Manual = Manual {
    text: "Restarts a host, and waits until it is back.\n\nThat it was restarted shows in its boot id, which must be another.",
    options: &[
        Opt::new(
            "boot_time_command",
            What::Text,
            "A command that says when or as what the host was started.",
        )
        .or(BOOT_ID),
        Opt::new("connect_timeout", What::Number, "Seconds that one try to connect may take.")
            .also(&["connect_timeout_sec"]),
        Opt::new("msg", What::Text, "What to tell the users who are logged in.").or(MESSAGE),
        Opt::new("post_reboot_delay", What::Number, "Seconds to wait before the first try to connect.")
            .or("0")
            .also(&["post_reboot_delay_sec"]),
        Opt::new("pre_reboot_delay", What::Number, "Seconds to wait before the restart, in whole minutes.")
            .or("0")
            .also(&["pre_reboot_delay_sec"]),
        Opt::new(
            "reboot_command",
            What::Text,
            "The command to restart with. The delays and `msg` mean nothing to it.",
        ),
        Opt::new(
            "reboot_timeout",
            What::Number,
            "Seconds to wait for the host: until it was restarted, and then until it is of use.",
        )
        .or("600")
        .also(&["reboot_timeout_sec"]),
        Opt::new("search_paths", What::Texts, "The directories to look for `shutdown` in.")
            .or("[\"/sbin\", \"/bin\", \"/usr/sbin\", \"/usr/bin\", \"/usr/local/sbin\"]"),
        Opt::new("test_command", What::Text, "A command that must work when the host is back.").or("whoami"),
    ],
    open: false,
    examples: "- name: The new kernel runs\n  reboot: {reboot_timeout: 900}\n",
};

pub(super) async fn run(call: &Call<'_>) -> Result<Raw> {
    let begun = Instant::now();
    let to = destination::of(call.job, call.scope, call.delegated)?;
    let is_control_node = match &to.transport {
        Transport::Local => true,
        Transport::Program(program) => program.kind == "chroot",
        Transport::Ssh(_) => false,
    };
    if is_control_node {
        let why = "Running reboot with local connection would reboot the control node.";
        return Ok(ended(Err(why.to_owned()), false, begun));
    }
    if call.check {
        return Ok(ended(Ok(()), true, begun));
    }
    let boot_command = call.text("boot_time_command").unwrap_or_else(|| BOOT_ID.to_owned());
    let before = match shell(call, &boot_command).await {
        Ok(before) => before,
        Err(lost) if lost.unreachable => return Ok(Raw::unreachable(lost.why)),
        Err(lost) => {
            let why = format!("{boot_command}: failed to get host boot time info, {}", lost.why);
            let mut raw = ended(Err(why), false, begun);
            // Ansible calls it so here.
            raw.fields.remove("rebooted");
            raw.fields.insert("reboot", false);
            return Ok(raw);
        }
    };
    let own = call.text("reboot_command");
    let command = match &own {
        Some(command) => {
            let dirs = shlex::try_quote(&paths(call).join(":")).map(std::borrow::Cow::into_owned);
            let dirs = dirs.map_err(|_| call.misuse("search_paths holds a NUL byte".to_owned()))?;
            format!("PATH=\"$PATH\":{dirs} {command}")
        }
        None => usual(call)?,
    };
    // The connection may go with the host before the command has answered.
    match shell(call, &command).await {
        // There is no such command.
        Err(lost) if lost.rc == Some(127) => return Err(call.misuse(lost.why)),
        Err(lost) if !lost.unreachable => {
            let why = format!("Reboot command failed. Error was: {}", lost.why);
            return Ok(ended(Err(why), false, begun));
        }
        _ => {}
    }
    if own.is_none() {
        tokio::time::sleep(call.seconds("post_reboot_delay", 0)?).await;
    }
    let timeout = call.seconds("reboot_timeout", 600)?;
    let each = call.seconds("connect_timeout", 10)?;
    let tries = || Tries { each, pause: Duration::from_secs(1), until: Instant::now() + timeout };
    let (seconds, boot_command, before) = (timeout.as_secs(), &boot_command, &before);
    let restarted = tries()
        .until_ok(call, &to, || async move {
            match shell(call, boot_command).await {
                Ok(now) if now == *before => Err("boot time has not changed".to_owned()),
                Ok(_) => Ok(()),
                Err(lost) => Err(lost.why),
            }
        })
        .await;
    if let Err(why) = restarted {
        let why = format!("Timed out waiting for last boot time check (timeout={seconds}): {why}");
        return Ok(ended(Err(why), true, begun));
    }
    let test = call.text("test_command").unwrap_or_else(|| "whoami".to_owned());
    let test = &test;
    let useful = tries()
        .until_ok(call, &to, || async move { shell(call, test).await.map(drop).map_err(|lost| lost.why) })
        .await
        .map_err(|why| format!("Timed out waiting for post-reboot test command (timeout={seconds}): {why}"));
    Ok(ended(useful, true, begun))
}

fn ended(how: Result<(), String>, rebooted: bool, begun: Instant) -> Raw {
    let mut fields = Dict::new();
    fields.insert("changed", rebooted && how.is_ok());
    fields.insert("elapsed", elapsed(begun));
    fields.insert("rebooted", rebooted);
    if let Err(why) = how {
        fields.insert("failed", true);
        fields.insert("msg", why);
    }
    Raw::ok(fields)
}

/// `shutdown`, where it is found; else `reboot`, of hosts that have only that.
fn usual(call: &Call<'_>) -> Result<String> {
    let quoted = |name: &str, text: &str| {
        let quoted = shlex::try_quote(text).map(std::borrow::Cow::into_owned);
        quoted.map_err(|_| call.misuse(format!("{name} holds a NUL byte")))
    };
    let message = quoted("msg", call.text("msg").as_deref().unwrap_or(MESSAGE))?;
    let minutes = call.seconds("pre_reboot_delay", 0)?.as_secs() / 60;
    let dirs: Vec<String> =
        paths(call).iter().map(|dir| quoted("search_paths", dir)).collect::<Result<_>>()?;
    let dirs = dirs.join(" ");
    let wait = minutes * 60;
    Ok(format!(
        "for dir in {dirs}; do if [ -x \"$dir/shutdown\" ]; then exec \"$dir/shutdown\" -r {minutes} {message}; fi; \
         done; for dir in {dirs}; do if [ -x \"$dir/reboot\" ]; then sleep {wait}; exec \"$dir/reboot\"; fi; done; \
         echo 'Unable to find command shutdown in search paths' >&2; exit 127",
    ))
}

fn paths(call: &Call<'_>) -> Vec<String> {
    match call.args.get("search_paths") {
        Some(Value::List(paths)) => paths.iter().map(ToString::to_string).collect(),
        Some(Value::None) | None => PATHS.map(str::to_owned).to_vec(),
        Some(paths) => paths.to_string().split(',').map(|path| path.trim().to_owned()).collect(),
    }
}

/// Why a command gave nothing.
struct Lost {
    why: String,
    unreachable: bool,
    /// The command's exit code, where it ran.
    rc: Option<i64>,
}

/// Runs a line on the host; what it says.
async fn shell(call: &Call<'_>, line: &str) -> Result<String, Lost> {
    let mut args = Dict::new();
    args.insert("_raw_params", line);
    let raw = call.module("shell", &args).await;
    let text = |key: &str| raw.fields.get(key).map(ToString::to_string).unwrap_or_default();
    if raw.unreachable || raw.is("failed") {
        let stderr = text("stderr");
        let why = if stderr.trim().is_empty() { said(&raw) } else { stderr.trim().to_owned() };
        let rc = raw.fields.get("rc").and_then(Value::as_int);
        return Err(Lost { why, unreachable: raw.unreachable, rc });
    }
    Ok(text("stdout").trim().to_owned())
}
