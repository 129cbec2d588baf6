//! Running a child process to its end, whatever it does with its pipes.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::kit::command::{Command, Output};
use crate::kit::host::{Hear, News, Stream};
use crate::kit::real::kernel;

/// How long output may stay silent after the command's end while something it left behind still holds the pipe.
const SILENCE: Duration = Duration::from_millis(200);

/// From when on a command is told to last.
const MOMENT: Duration = Duration::from_millis(5);

/// How long a command has to end after SIGTERM.
const GRACE: Duration = Duration::from_millis(500);

/// Runs the command in a process group of its own. It is killed, with all it started, at its deadline, and when
/// the other end of `watch` goes away.
pub fn run(
    command: &Command,
    watch: Option<BorrowedFd<'_>>,
    hear: Option<&mut Hear<'_>>,
) -> io::Result<Output> {
    let (program, args) =
        command.argv.split_first().ok_or_else(|| io::Error::other("the command is empty"))?;
    let mut std = match command.umask {
        None => std::process::Command::new(program),
        Some(umask) => {
            let mut shell = std::process::Command::new("/bin/sh");
            shell.args(["-c", &format!("umask {umask:04o}; exec \"$0\" \"$@\"")]).arg(program);
            shell
        }
    };
    std.args(args).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    std.stdin(if command.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    std.envs(command.env.iter().map(|(name, value)| (name, value)));
    if let Some(dir) = &command.dir {
        std.current_dir(dir);
    }
    let mut child = std.spawn()?;
    let mut streams = Streams::of(&mut child, command.stdin.as_deref().unwrap_or_default())?;
    let ended = streams.pump(&mut child, watch, command.deadline, hear);
    if !matches!(ended, Ok(Ended::Itself)) {
        stop(&mut child, Signal::TERM);
    }
    let status = child.wait()?;
    let timed_out = matches!(ended?, Ended::AtDeadline);
    let code = status.code().unwrap_or_else(|| -status.signal().unwrap_or(0));
    Ok(Output { code, stdout: streams.out.bytes, stderr: streams.err.bytes, timed_out })
}

enum Ended {
    Itself,
    AtDeadline,
}

struct Streams<'a> {
    input: Option<ChildStdin>,
    to_write: &'a [u8],
    out: Sink<ChildStdout>,
    err: Sink<ChildStderr>,
    /// Readable when the child has ended. Absent on kernels before 5.3.
    pidfd: Option<OwnedFd>,
}

struct Sink<R> {
    pipe: Option<R>,
    bytes: Vec<u8>,
    /// How much of it was told already.
    told: usize,
}

impl<'a> Streams<'a> {
    fn of(child: &mut Child, to_write: &'a [u8]) -> io::Result<Self> {
        let streams = Self {
            input: child.stdin.take(),
            to_write,
            out: Sink { pipe: child.stdout.take(), bytes: Vec::new(), told: 0 },
            err: Sink { pipe: child.stderr.take(), bytes: Vec::new(), told: 0 },
            pidfd: kernel::end_of(child),
        };
        if let Some(pipe) = &streams.out.pipe {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        if let Some(pipe) = &streams.err.pipe {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        if let Some(pipe) = &streams.input {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(streams)
    }

    fn pump(
        &mut self,
        child: &mut Child,
        watch: Option<BorrowedFd<'_>>,
        deadline: Option<Instant>,
        mut hear: Option<&mut Hear<'_>>,
    ) -> io::Result<Ended> {
        // Set once the child itself has ended: from then on only silence is waited for.
        let mut quiet_until: Option<Instant> = None;
        let mut lasts = hear.is_some().then(|| Instant::now() + MOMENT);
        loop {
            let progress = self.out.drain()? | self.err.drain()?;
            if let Some(hear) = &mut hear {
                self.out.tell(Stream::Out, hear);
                self.err.tell(Stream::Err, hear);
            }
            self.feed();
            if self.out.pipe.is_none() && self.err.pipe.is_none() && quiet_until.is_some() {
                return Ok(Ended::Itself);
            }
            let now = Instant::now();
            if quiet_until.is_none() && child.try_wait()?.is_some() {
                quiet_until = Some(now + SILENCE);
                continue;
            }
            if progress && quiet_until.is_some() {
                quiet_until = Some(now + SILENCE);
            }
            if quiet_until.is_some_and(|until| now >= until) {
                return Ok(Ended::Itself);
            }
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(Ended::AtDeadline);
            }
            if lasts.is_some_and(|from| now >= from)
                && let Some(hear) = &mut hear
            {
                hear(News::Lasts);
                lasts = None;
            }
            // Without a pidfd, and with the pipes closed, only looking again tells the end.
            let blind = self.pidfd.is_none().then(|| now + Duration::from_millis(20));
            let wake = [quiet_until, deadline, blind, lasts].into_iter().flatten().min();
            if self.wait(watch, quiet_until.is_some(), wake.map(|at| at - now))? {
                let gone = "the control node is gone: the command was killed";
                return Err(io::Error::new(io::ErrorKind::ConnectionAborted, gone));
            }
        }
    }

    /// Waits until something happens; says whether `watch` hung up.
    fn wait(
        &self,
        watch: Option<BorrowedFd<'_>>,
        ended: bool,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        let mut fds = Vec::with_capacity(5);
        if let Some(watch) = watch {
            fds.push(PollFd::from_borrowed_fd(watch, PollFlags::RDHUP));
        }
        if let Some(pipe) = &self.out.pipe {
            fds.push(PollFd::new(pipe, PollFlags::IN));
        }
        if let Some(pipe) = &self.err.pipe {
            fds.push(PollFd::new(pipe, PollFlags::IN));
        }
        if let Some(pipe) = &self.input {
            fds.push(PollFd::new(pipe, PollFlags::OUT));
        }
        if let Some(pidfd) = self.pidfd.as_ref().filter(|_| !ended) {
            fds.push(PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN));
        }
        wait_for(&mut fds, timeout)?;
        let hung_up = PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR | PollFlags::NVAL;
        Ok(watch.is_some() && fds.first().is_some_and(|fd| fd.revents().intersects(hung_up)))
    }

    /// Gives the child what input it takes now. A child that does not read its input is not at fault.
    fn feed(&mut self) {
        while let Some(pipe) = &mut self.input {
            if self.to_write.is_empty() {
                self.input = None;
                return;
            }
            match pipe.write(self.to_write) {
                Ok(n) => self.to_write = self.to_write.get(n..).unwrap_or_default(),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.input = None,
            }
        }
    }
}

impl<R: Read> Sink<R> {
    /// Takes what is there, but not for ever from one that never stops: others want to be looked at, too. Says whether
    /// there was something.
    fn drain(&mut self) -> io::Result<bool> {
        let mut progress = false;
        for _ in 0..64 {
            let Some(pipe) = &mut self.pipe else { break };
            let mut chunk = [0u8; 16 * 1024];
            match pipe.read(&mut chunk) {
                Ok(0) => self.pipe = None,
                Ok(n) => {
                    self.bytes.extend_from_slice(chunk.get(..n).unwrap_or_default());
                    progress = true;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(progress)
    }
}

impl<R> Sink<R> {
    /// Tells the whole lines that are new; after the end also what has no end of line.
    fn tell(&mut self, stream: Stream, hear: &mut Hear<'_>) {
        let new = self.bytes.get(self.told..).unwrap_or_default();
        let whole = match &self.pipe {
            Some(_) => new.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1),
            None => new.len(),
        };
        if whole > 0 {
            hear(News::Says(stream, new.get(..whole).unwrap_or_default()));
            self.told += whole;
        }
    }
}

/// Ends the whole process group: first politely, by the given signal.
pub(super) fn stop(child: &mut Child, signal: Signal) {
    let group = Pid::from_child(child);
    let until = Instant::now() + GRACE;
    // The group may be gone already.
    let _ = kill_process_group(group, signal);
    while Instant::now() < until {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = kill_process_group(group, Signal::KILL);
}

/// Waits that long; an error where `watch` hangs up meanwhile.
pub(super) fn pause(duration: Duration, watch: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let Some(watch) = watch else {
        std::thread::sleep(duration);
        return Ok(());
    };
    let until = Instant::now() + duration;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::from_borrowed_fd(watch, PollFlags::RDHUP)];
        wait_for(&mut fds, Some(left))?;
        if fds.iter().any(|fd| !fd.revents().is_empty()) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the control node is gone"));
        }
        if left.is_zero() {
            return Ok(());
        }
    }
}

/// Whether the other end is gone, with or without something left to read.
pub(super) fn hung_up(stream: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(stream, PollFlags::RDHUP)];
    wait_for(&mut fds, Some(Duration::ZERO)).is_ok() && fds.iter().any(|fd| !fd.revents().is_empty())
}

/// Waits until one of them has something, or the time is over.
pub(super) fn wait_for(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.map(|wait| Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        // Rounded up, so that a wake-up is never a moment too early.
        tv_nsec: i64::from((wait.subsec_nanos() + 1_000).min(999_999_999)),
    });
    match poll(fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(e) => Err(e.into()),
    }
}
