//! `fanfare compare`: the same playbook through ansible-playbook and through fanfare.

mod differences;
mod transcript;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::Exit;
use crate::cli::CompareArgs;
use crate::diagnostic::{Diagnostic, Result};
use crate::output;
use differences::{Difference, What, differences};
use transcript::Transcript;

/// What makes both tools tell the same things in the same form.
const PLAIN: &[(&str, &str)] = &[
    ("ANSIBLE_STDOUT_CALLBACK", "default"),
    ("ANSIBLE_CALLBACK_RESULT_FORMAT", "json"),
    ("ANSIBLE_CALLBACK_FORMAT_PRETTY", "false"),
    ("ANSIBLE_CHECK_MODE_MARKERS", "false"),
    ("ANSIBLE_DISPLAY_FAILED_STDERR", "false"),
    ("ANSIBLE_DISPLAY_OK_HOSTS", "true"),
    ("ANSIBLE_DISPLAY_SKIPPED_HOSTS", "true"),
    ("ANSIBLE_FORCE_COLOR", "false"),
    ("ANSIBLE_NOCOLOR", "true"),
    ("ANSIBLE_SHOW_PER_HOST_START", "false"),
];

/// Runs both, and tells what differs: exit code 1 when something does.
pub(super) fn compare(command: &CompareArgs) -> Result<Exit> {
    let version = version(&command.ansible)?;
    let here = std::env::current_dir()
        .map_err(|error| Diagnostic::new(format!("cannot tell the current directory: {error}")))?;
    let own = std::env::current_exe()
        .map_err(|error| Diagnostic::new(format!("cannot find out where fanfare is: {error}")))?;
    let mode: &[&str] = if command.apply { &["-vv"] } else { &["-vv", "--check"] };
    if command.apply {
        eprint(&format!("applying with {version}\n"));
        let applied = Run::of(command.ansible.as_os_str(), &[], mode, &command.args, &here)?;
        if !applied.output.status.success() {
            return Err(Diagnostic::new(format!("{version} could not apply it: {}", applied.ended()))
                .note(applied.last_words(), None)
                .hint("mend the playbook first: there is nothing to compare before it runs"));
        }
    }
    let ansible = Run::of(command.ansible.as_os_str(), &[], mode, &command.args, &here)?;
    let fanfare = Run::of(own.as_os_str(), &["run"], mode, &command.args, &here)?;
    let what = if command.apply { What::Runs } else { What::Checks };
    let (mut found, compared) = differences(what, &ansible.told, &fanfare.told);
    let same_end = ansible.output.status.code() == fanfare.output.status.code();
    if same_end && !ansible.output.status.success() && compared == 0 {
        // Neither came to a task: that is no proof that they are alike.
        return Err(Diagnostic::new(format!(
            "nothing could be compared: neither tool came to a task ({})",
            fanfare.ended()
        ))
        .note(format!("{version}: {}", ansible.last_words()), None)
        .note(format!("fanfare: {}", fanfare.last_words()), None)
        .hint("mend what they complain of, then compare again"));
    }
    if !same_end {
        let (theirs, ours) = (ansible.ended_with_words(), fanfare.ended_with_words());
        found.insert(0, Difference::new("the exit code", None, theirs, ours));
    }
    let mut text = format!(
        "{version}: {}, {:.1} s\nfanfare {}: {}, {:.1} s\n\n",
        ansible.ended(),
        ansible.took.as_secs_f64(),
        env!("CARGO_PKG_VERSION"),
        fanfare.ended(),
        fanfare.took.as_secs_f64()
    );
    for difference in &found {
        writeln!(
            text,
            "{}{}\n    ansible  {}\n    fanfare  {}\n",
            difference.at,
            some(&difference.hosts),
            difference.ansible.replace('\n', "\n             "),
            difference.fanfare.replace('\n', "\n             ")
        )
        .unwrap_or_default();
    }
    let of = if command.apply { "a further run" } else { "a check" };
    writeln!(text, "{compared} results of {of} compared: {} differences", found.len()).unwrap_or_default();
    output::print(&text)?;
    Ok(if found.is_empty() { Exit::Done } else { Exit::Error })
}

/// ` [web1 web2 and 48 more]`
fn some(hosts: &[String]) -> String {
    const FEW: usize = 5;
    let few: Vec<_> = hosts.iter().take(FEW).map(String::as_str).collect();
    match hosts.len().saturating_sub(FEW) {
        _ if hosts.is_empty() => String::new(),
        0 => format!("  [{}]", few.join(" ")),
        more => format!("  [{} and {more} more]", few.join(" ")),
    }
}

fn eprint(text: &str) {
    use std::io::Write;
    // Without a stderr there is nobody to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// `ansible-playbook [core 2.21.5]`; an error where it is not there, or is fanfare under Ansible's name.
fn version(ansible: &Path) -> Result<String> {
    let hint =
        "install ansible-core (`pipx install ansible-core`), or name its ansible-playbook with --ansible";
    let asked = Command::new(ansible).arg("--version").output().map_err(|error| {
        Diagnostic::new(format!("cannot start {}: {error}", ansible.display())).hint(hint)
    })?;
    let text = String::from_utf8_lossy(&asked.stdout);
    if text.contains("\n  fanfare ") {
        return Err(Diagnostic::new(format!(
            "{} is fanfare itself, under Ansible's name",
            ansible.display()
        ))
        .hint("name the real one with --ansible"));
    }
    match text.lines().next() {
        Some(first) if asked.status.success() && first.contains("[core ") => Ok(first.to_owned()),
        _ => Err(Diagnostic::new(format!("{} is no ansible-playbook", ansible.display())).hint(hint)),
    }
}

struct Run {
    output: Output,
    told: Transcript,
    took: Duration,
}

impl Run {
    /// Runs a tool to its end. Questions (passwords) are asked on the terminal.
    fn of(program: &OsStr, first: &[&str], mode: &[&str], args: &[OsString], here: &Path) -> Result<Self> {
        let begun = Instant::now();
        let output = Command::new(program)
            .args(first)
            .args(args)
            .args(mode)
            .envs(PLAIN.iter().copied())
            .stdin(Stdio::inherit())
            .output()
            .map_err(|error| Diagnostic::new(format!("cannot start {}: {error}", program.display())))?;
        let told = Transcript::parse(&String::from_utf8_lossy(&output.stdout), here);
        Ok(Self { output, told, took: begun.elapsed() })
    }

    fn ended(&self) -> String {
        self.output.status.code().map_or_else(|| "killed".to_owned(), |code| format!("exit code {code}"))
    }

    fn ended_with_words(&self) -> String {
        if self.output.status.success() {
            self.ended()
        } else {
            format!("{}\n{}", self.ended(), self.last_words()).trim_end().to_owned()
        }
    }

    /// What it complained of.
    fn last_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.output.stderr);
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines.iter().take(12).copied().collect::<Vec<_>>().join("\n")
    }
}
