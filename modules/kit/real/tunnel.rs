//! A connection that another program encrypts: it talks with us by its standard streams, and with the other end by a
//! socket that it finds at a path. What goes through that socket goes on to the other end, and back.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::kit::command::Command;
use crate::kit::host::Connection;
use crate::kit::process::wait_for;

/// How long the program may take to come to its socket.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts the program on that connection. `dir` is used by nobody.
pub(super) fn through(
    command: &Command,
    mut far: Box<dyn Connection>,
    dir: &Path,
) -> io::Result<Box<dyn Connection>> {
    fs::DirBuilder::new().mode(0o700).create(dir)?;
    let begun = begin(command, &dir.join("s"));
    let cleaned = fs::remove_dir_all(dir);
    let (inside, mut near) = begun?;
    cleaned?;
    far.set_read_timeout(Duration::MAX)?;
    let (mut far_too, mut near_too) = (far.twin()?, near.try_clone()?);
    // Each ends when its end does, and ends the other.
    thread::spawn(move || {
        let _ = io::copy(&mut near, &mut far);
        let _ = far.end_of_writing();
    });
    thread::spawn(move || {
        let _ = io::copy(&mut far_too, &mut near_too);
        let _ = near_too.shutdown(std::net::Shutdown::Both);
    });
    Ok(Box::new(inside))
}

/// The program's streams, and the socket that it came to.
fn begin(command: &Command, path: &Path) -> io::Result<(Inside, UnixStream)> {
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    let (ours, its) = UnixStream::pair()?;
    let (program, args) = command.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut child = std::process::Command::new(program)
        .args(args)
        .arg("-unix")
        .arg(path)
        .stdin(Stdio::from(OwnedFd::from(its.try_clone()?)))
        .stdout(Stdio::from(OwnedFd::from(its)))
        .stderr(Stdio::piped())
        .spawn()?;
    let complaints = child.stderr.take();
    let mut inside = Inside { stream: ours, child, complaints, is_answered: false };
    let until = Instant::now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((near, _)) => {
                near.set_nonblocking(false)?;
                return Ok((inside, near));
            }
            Err(e) if e.kind() != io::ErrorKind::WouldBlock => return Err(e),
            Err(_) if inside.child.try_wait()?.is_some() => return Err(inside.complaint()),
            Err(_) if Instant::now() > until => return Err(io::ErrorKind::TimedOut.into()),
            Err(_) => {}
        }
        let mut fds = [PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN)];
        wait_for(&mut fds, Some(Duration::from_millis(20)))?;
    }
}

/// Our end: what is written is encrypted, what is read was.
struct Inside {
    stream: UnixStream,
    child: Child,
    complaints: Option<ChildStderr>,
    is_answered: bool,
}

impl Inside {
    /// Why there is nothing to read, as the program says it.
    fn complaint(&mut self) -> io::Error {
        let mut said = String::new();
        if let Some(mut complaints) = self.complaints.take() {
            // It has ended, or is about to.
            let _ = complaints.read_to_string(&mut said);
        }
        let verdict = said.lines().find_map(|line| line.strip_prefix("verify error:num=")?.split_once(':'));
        // PROCESS:error:CODE:library:function:reason:file:line:
        let reason = || said.lines().find_map(|line| line.split_once(":error:")?.1.split(':').nth(3));
        let why = verdict.map(|(_, why)| why).or_else(reason).or_else(|| said.lines().next_back());
        let why = why.unwrap_or("no reason is told");
        io::Error::other(format!("it cannot be encrypted: {}", why.trim()))
    }
}

impl Read for Inside {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(buffer) {
            Ok(0) if !buffer.is_empty() && !self.is_answered => Err(self.complaint()),
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset && !self.is_answered => {
                Err(self.complaint())
            }
            Err(e) => Err(e),
            Ok(count) => {
                self.is_answered = true;
                Ok(count)
            }
        }
    }
}

impl Write for Inside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.write(bytes) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe && !self.is_answered => Err(self.complaint()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Connection for Inside {
    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        Connection::set_read_timeout(&self.stream, timeout)
    }

    fn end_of_writing(&self) -> io::Result<()> {
        // The program would end with it, or not tell the other end.
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "what is encrypted by a program cannot end on one side alone",
        ))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
