//! A worker that does one job in a session of its own.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::{Real, kernel};
use crate::kit::background::Job;

/// The worker's argument that makes it do a job.
pub const ARGUMENT: &str = "--job";

/// Starts the worker anew and returns when nothing that ends this one ends that one too.
pub(super) fn start(input: &[u8]) -> io::Result<()> {
    // Not by its path: the file may have been replaced, or be gone.
    let mut child = Command::new(kernel::myself()?)
        .arg(ARGUMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let (to, from) = (child.stdin.take(), child.stdout.take());
    // Nobody waits for the job, but while this worker lives the dead are its own to bury.
    std::thread::spawn(move || child.wait());
    if let Some(mut to) = to {
        to.write_all(input)?;
    }
    let mut answer = [0];
    match from.map(|mut from| from.read(&mut answer)) {
        Some(Ok(1)) => Ok(()),
        Some(Err(error)) => Err(error),
        _ => Err(io::Error::other("it ended before it had begun")),
    }
}

/// Does the job that comes by standard input.
pub fn run() -> io::Result<()> {
    rustix::process::setsid()?;
    let mut input = Vec::new();
    io::stdin().lock().read_to_end(&mut input)?;
    let job: Job = serde_json::from_slice(&input)?;
    let mut output = io::stdout();
    output.write_all(b".")?;
    output.flush()?;
    job.work(Arc::new(Real::new())).map_err(|failure| io::Error::other(failure.msg))
}
