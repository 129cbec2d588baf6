//! Commands.

use std::time::Instant;

use serde_json::Value as Json;

use crate::kit::change::Change;
use crate::kit::command::{Command, Output};
use crate::kit::host::{HostError, Manner, News, Partner};
use crate::kit::outcome::{Failure, Result};
use crate::kit::system::{Deadline, System};

impl System<'_> {
    /// Runs a command that changes something. `None` in check mode. A command that fails is an error.
    pub fn exec(&mut self, command: Command) -> Result<Option<Output>> {
        self.exec_judged(command, |_| true)
    }

    /// Runs a command that changes something, however it ends; one that failed counts as no change. `None` in check
    /// mode.
    pub fn attempt(&mut self, command: Command) -> Result<Option<Output>> {
        self.attempt_judging(command, Output::ok)
    }

    /// Runs the user's own command, which counts as a change however it ends: nobody knows what it did. `None` in
    /// check mode.
    pub fn attempt_users_own(&mut self, command: Command) -> Result<Option<Output>> {
        self.attempt_judging(command, |_| true)
    }

    /// The same, where check mode foretells nothing: the module should say that it skipped.
    pub fn attempt_unforetold(&mut self, command: Command) -> Result<Option<Output>> {
        if self.wishes.check { Ok(None) } else { self.attempt_users_own(command) }
    }

    /// As [`System::exec`], for a command whose output tells whether it changed anything. In check mode it
    /// counts as a change.
    pub fn exec_judged(
        &mut self,
        command: Command,
        changed: impl Fn(&Output) -> bool,
    ) -> Result<Option<Output>> {
        // A failed command's module has failed, and tells of no change, as in Ansible.
        match self.attempt_judged(command, |output| output.ok() && changed(output))? {
            Some((command, output)) if !output.ok() => Err(failed(&command, &output)),
            done => Ok(done.map(|(_, output)| output)),
        }
    }

    /// Runs a command on a terminal of its own and talks with it, however it ends. Check mode foretells nothing. That
    /// it changed something is for the module to say, with [`System::count_as_change`].
    pub fn converse_unforetold(
        &mut self,
        mut command: Command,
        manner: Manner,
        partner: &mut Partner<'_>,
    ) -> Result<Option<Output>> {
        if self.wishes.check {
            return Ok(None);
        }
        self.flush()?;
        command.env.splice(0..0, self.wishes.environment.iter().cloned());
        command.deadline = self.wishes.deadline.map(|granted| granted.at);
        let output = self.host.converse(&command, manner, partner)?;
        let granted = self.wishes.deadline.filter(|granted| Instant::now() >= granted.at);
        overdue(&command, &output, granted)?;
        Ok(Some(output))
    }

    /// As [`System::exec_judged`], but a command that fails is no error.
    pub fn attempt_judging(
        &mut self,
        command: Command,
        changed: impl Fn(&Output) -> bool,
    ) -> Result<Option<Output>> {
        Ok(self.attempt_judged(command, changed)?.map(|(_, output)| output))
    }

    /// What the last command that changed something said about it: shown as the diff. Nothing when there was none.
    pub fn tell_change(&mut self, text: impl Into<String>) {
        if let Some(Change::Ran { told, .. }) = self.changes.last_mut() {
            *told = Some(text.into());
        }
    }

    /// A command that was run as one that only looks turns out to have changed something; `line` is what was run.
    pub fn count_as_change(&mut self, line: String) {
        self.changes.push(Change::Ran { line, told: None });
    }

    /// Sends one datagram, to all of a network if that is what the address says. It counts as a change.
    pub fn broadcast(&mut self, to: &str, port: u16, datagram: &[u8]) -> Result<()> {
        if !self.is_check() {
            self.host.broadcast(to, port, datagram)?;
        }
        self.count_as_change(format!("broadcast {to}:{port}"));
        Ok(())
    }

    /// What a command of this call changes, as a diff of before and after; `what` names it, or is empty.
    pub fn tell_states(&mut self, what: &str, before: impl Into<Json>, after: impl Into<Json>) {
        let (before, after) = (before.into(), after.into());
        self.changes.push(Change::Other { what: what.to_owned(), before, after });
    }

    /// What a look for several names at once says of one of them: what `split` makes of its output, one text a name. Looks
    /// once for all items of a loop, until something changes; `None` where there is no loop, or it cannot be said so.
    pub fn look_for_all(
        &mut self,
        name: &str,
        look: impl FnOnce(&Self, &[String]) -> Command,
        split: impl FnOnce(&Output) -> Vec<String>,
    ) -> Result<Option<String>> {
        if self.wishes.siblings.len() < 2 {
            return Ok(None);
        }
        if let Some(found) = self.channel.memory().and_then(|memory| memory.remove(name)) {
            return Ok(Some(found));
        }
        let names = std::mem::take(&mut self.wishes.siblings);
        let command = look(self, &names);
        let output = self.query(command)?;
        let texts = split(&output);
        if !output.ok() || texts.len() != names.len() {
            return Ok(None);
        }
        let Some(memory) = self.channel.memory() else { return Ok(None) };
        memory.extend(names.into_iter().zip(texts));
        Ok(memory.remove(name))
    }

    /// Runs a command that only looks, also in check mode, however it ends.
    pub fn query(&mut self, command: Command) -> Result<Output> {
        Ok(self.start(command)?.1)
    }

    /// Runs a command that only looks, also in check mode. One that fails is an error.
    pub fn ask(&mut self, command: Command) -> Result<Output> {
        match self.start(command)? {
            (_, output) if output.ok() => Ok(output),
            (command, output) => Err(failed(&command, &output)),
        }
    }

    /// Runs a command whose effect is no change the user asked for (a cache is refreshed). `None` in check mode.
    pub fn housekeep(&mut self, command: Command) -> Result<Option<Output>> {
        if self.wishes.check {
            return Ok(None);
        }
        self.query(command).map(Some)
    }

    fn attempt_judged(
        &mut self,
        command: Command,
        changed: impl Fn(&Output) -> bool,
    ) -> Result<Option<(Command, Output)>> {
        if self.wishes.check {
            self.changes.push(Change::Ran { line: command.line(), told: None });
            return Ok(None);
        }
        let (command, output) = self.start(command)?;
        if changed(&output) {
            self.changes.push(Change::Ran { line: command.line(), told: None });
        }
        Ok(Some((command, output)))
    }

    /// Runs it in the environment the caller wishes. Gives the command back, for messages.
    fn start(&mut self, mut command: Command) -> Result<(Command, Output)> {
        // What the caller set for this command comes last, so that it counts.
        command.env.splice(0..0, self.wishes.environment.iter().cloned());
        let granted = self.wishes.deadline;
        command.deadline = command.deadline.into_iter().chain(granted.map(|granted| granted.at)).min();
        let (channel, is_told) = (&mut *self.channel, self.wishes.follow && command.aloud);
        let output = self.host.run_heard(&command, &mut |news| match news {
            News::Says(stream, text) if is_told => channel.tell(stream, text),
            News::Says(..) => {}
            // A control node that is gone is noticed by the command's own watch.
            News::Lasts => drop(channel.flush()),
        });
        let output = output.map_err(|error| not_started(&command, error))?;
        let granted = granted.filter(|granted| command.deadline == Some(granted.at));
        overdue(&command, &output, granted)?;
        Ok((command, output))
    }
}

/// A command that was killed at the end of the time granted is an error.
fn overdue(command: &Command, output: &Output, granted: Option<Deadline>) -> Result<()> {
    let Some(granted) = granted.filter(|_| output.timed_out) else { return Ok(()) };
    Err(granted.overdue().with("cmd", command.line()).with_output(output))
}

/// A command that could not be started has the keys of one that ended, as in Ansible.
fn not_started(command: &Command, error: HostError) -> Failure {
    let failure = Failure::from(error);
    let rc = failure.errno.unwrap_or(1);
    failure.with("cmd", command.line()).with("rc", rc).with("stdout", "").with("stderr", "")
}

/// A failed command as an error.
pub(super) fn failed(command: &Command, output: &Output) -> Failure {
    let stderr = output.stderr();
    let stdout = output.stdout();
    let said = [stderr.trim(), stdout.trim()].into_iter().find(|text| !text.is_empty());
    let ended = match output.code {
        code if code < 0 => format!("was killed by signal {}", -code),
        code => format!("ended with code {code}"),
    };
    let msg = match said {
        Some(said) => format!("{} {ended}: {said}", command.program()),
        None => format!("{} {ended}", command.program()),
    };
    Failure::new(msg).with("cmd", command.line()).with_output(output)
}
