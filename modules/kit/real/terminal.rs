//! Commands that want a terminal, and someone to talk with.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use crate::kit::command::{Command, Output};
use crate::kit::host::{Answer, Manner, Partner};
use crate::kit::process::{stop, wait_for};
use crate::kit::real::kernel;

/// The worker's argument that makes it a command on the terminal of its input.
pub const ARGUMENT: &str = "--on-terminal";

/// Takes its standard input as its terminal and becomes the command of the other arguments.
pub fn become_command() -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::process::ioctl_tiocsctty(io::stdin())?;
    let mut words = std::env::args_os().skip(2);
    let program = words.next().ok_or_else(|| io::Error::other("the command is empty"))?;
    Err(Process::new(program).args(words).exec())
}

/// Runs the command on a new terminal. It is ended when its partner hangs up, when nothing comes that has an answer
/// for too long, at its deadline, and when the other end of `watch` goes away.
pub(super) fn converse(
    command: &Command,
    manner: Manner,
    partner: &mut Partner<'_>,
    watch: Option<BorrowedFd<'_>>,
) -> io::Result<Output> {
    let (ours, theirs) = open(manner.echo)?;
    let mut child = start(command, theirs)?;
    let mut talk = Talk { terminal: File::from(ours), text: String::new(), raw: Vec::new(), answered: 0 };
    let ended = talk.hold(manner.patience, command.deadline, partner, watch);
    // A command that closed its terminal ends by itself; who is hung up on gets the signal for that.
    drop(talk.terminal);
    if !matches!(ended, Ok(Ended::Itself)) {
        stop(&mut child, Signal::HUP);
    }
    let status = child.wait()?;
    let timed_out = matches!(ended?, Ended::Impatient);
    let code = status.code().unwrap_or_else(|| -status.signal().unwrap_or(0));
    Ok(Output { code, stdout: talk.text.into_bytes(), stderr: Vec::new(), timed_out })
}

fn open(echo: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let theirs = kernel::peer(&ours, flags)?;
    tcsetwinsize(&theirs, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 })?;
    if !echo {
        let mut modes = tcgetattr(&theirs)?;
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&theirs, OptionalActions::Now, &modes)?;
    }
    Ok((ours, theirs))
}

fn start(command: &Command, terminal: OwnedFd) -> io::Result<Child> {
    // Only a process of its own may take the terminal as its own: the worker itself, started anew.
    let mut process = Process::new(kernel::myself()?);
    process.arg(ARGUMENT).args(&command.argv);
    process.envs(command.env.iter().map(|(name, value)| (name, value)));
    if let Some(dir) = &command.dir {
        process.current_dir(dir);
    }
    process.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(Stdio::from(terminal));
    process.spawn()
}

enum Ended {
    Itself,
    HungUp,
    Impatient,
}

struct Talk {
    terminal: File,
    text: String,
    /// What came and is no whole character yet.
    raw: Vec<u8>,
    /// Up to where the text was answered.
    answered: usize,
}

impl Talk {
    fn hold(
        &mut self,
        patience: Option<Duration>,
        deadline: Option<Instant>,
        partner: &mut Partner<'_>,
        watch: Option<BorrowedFd<'_>>,
    ) -> io::Result<Ended> {
        let soon = |now: Instant| patience.and_then(|patience| now.checked_add(patience));
        let mut until = soon(Instant::now());
        loop {
            match partner(self.text.get(self.answered..).unwrap_or_default()) {
                Answer::HangUp => return Ok(Ended::HungUp),
                Answer::Say { heard, text } => {
                    self.answered += heard;
                    self.terminal.write_all(text.as_bytes())?;
                    until = soon(Instant::now());
                    continue;
                }
                Answer::Wait => {}
            }
            let wake = [until, deadline].into_iter().flatten().min();
            let now = Instant::now();
            if wake.is_some_and(|wake| now >= wake) {
                return Ok(Ended::Impatient);
            }
            self.wait(watch, wake.map(|wake| wake - now))?;
            if self.listen()? {
                return Ok(Ended::Itself);
            }
        }
    }

    /// Waits until something comes, or it is time to look at the clock.
    fn wait(&self, watch: Option<BorrowedFd<'_>>, timeout: Option<Duration>) -> io::Result<()> {
        let mut fds = vec![PollFd::from_borrowed_fd(self.terminal.as_fd(), PollFlags::IN)];
        fds.extend(watch.map(|watch| PollFd::from_borrowed_fd(watch, PollFlags::RDHUP)));
        wait_for(&mut fds, timeout)?;
        let hung_up = PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR | PollFlags::NVAL;
        if fds.get(1).is_some_and(|fd| fd.revents().intersects(hung_up)) {
            let gone = "the control node is gone: the command was killed";
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, gone));
        }
        Ok(())
    }

    /// Takes what is there; says whether nobody holds the other end any more.
    fn listen(&mut self) -> io::Result<bool> {
        let mut fds = [PollFd::from_borrowed_fd(self.terminal.as_fd(), PollFlags::IN)];
        let ready = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        if matches!(ready, Ok(0) | Err(rustix::io::Errno::INTR)) {
            return Ok(false);
        }
        let mut piece = [0; 4096];
        match self.terminal.read(&mut piece) {
            Ok(0) => return Ok(true),
            Ok(n) => self.raw.extend_from_slice(piece.get(..n).unwrap_or_default()),
            Err(e) if e.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => return Ok(true),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        let whole = match std::str::from_utf8(&self.raw) {
            // The rest of a character is still to come.
            Err(e) if e.error_len().is_none() => e.valid_up_to(),
            _ => self.raw.len(),
        };
        let rest = self.raw.split_off(whole);
        self.text.push_str(&String::from_utf8_lossy(&self.raw));
        self.raw = rest;
        Ok(false)
    }
}
