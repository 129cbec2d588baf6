//! Bringing the worker to life behind a shell: found in its cache by hash, else sent there, then started.
//!
//! One command does it all, so that a warm start costs one round trip: a POSIX `sh` script without single
//! quotes, newlines, backslashes and exclamation marks, which therefore survives csh and fish as login shells.

mod memory;
mod script;

use std::path::Path;

use bytes::{Bytes, BytesMut};
use fanfare_modules::kit::wire::GREETING;

use self::script::Script;
use super::embedded::{WORKERS, Worker};
use super::hops::{self, Prompt};
use super::opening::{Mark, Opening, Trouble};
use super::pipe::{Exit, Pipe};
use super::{CallError, Hop, prebuilt};

/// How the worker is to be started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start<'a> {
    pub hop: Option<&'a Hop>,
    /// A directory to try before the usual ones.
    pub remote_tmp: Option<&'a str>,
    /// Whether nothing of it is to be left there.
    pub traceless: bool,
    /// Where workers for other systems are than those this program carries.
    pub prebuilt: Option<&'a Path>,
}

/// How the script is to be run.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    /// Past the cache: what is there does not work.
    anew: bool,
    terminal: bool,
    /// How many of the directories that would do are left out: those could not be written to their end.
    skip: usize,
    /// Without a file.
    in_memory: bool,
}

/// A place that starts commands.
pub(super) trait Starts {
    /// Gives `command` to the login shell there.
    async fn start(&self, command: &str, terminal: bool) -> Result<Pipe, CallError>;

    /// Why there is no reaching it, where a command's early end means that; `hopped` when it went through a hop.
    fn unreached(&self, _exit: &Exit, _said: &str, _hopped: bool) -> Option<String> {
        None
    }
}

/// A worker that has greeted, with what it said since.
#[derive(Debug)]
pub(super) struct Started {
    pub pipe: Pipe,
    pub rest: BytesMut,
    /// Whether the worker had to be sent.
    pub uploaded: bool,
}

/// Starts the worker at `place`.
pub(super) async fn start(place: &impl Starts, start: Start<'_>) -> Result<Started, CallError> {
    let mut run = Run::default();
    let mut rows: Vec<_> = WORKERS.iter().map(|worker| (format!("Linux {}", worker.arch), worker)).collect();
    let mut foreign = false;
    let mut unwritten = None;
    loop {
        match attempt(place, start, run, &rows).await {
            Ok(started) => return Ok(started),
            // Another directory may have room.
            Err(Failure::Unwritten(error)) if !run.in_memory => {
                unwritten.get_or_insert(error);
                run.skip += 1;
            }
            Err(Failure::NoDirectory(reason)) => {
                unwritten.get_or_insert(no_directory(&reason));
                run.in_memory = true;
            }
            Err(Failure::Unwritten(error) | Failure::Call(error @ CallError::Failed(_))) if run.in_memory => {
                let before = unwritten.map(|error: CallError| error.to_string()).unwrap_or_default();
                return Err(CallError::Failed(format!("{before}; nor from memory: {error}")));
            }
            Err(Failure::NoHelper) => {
                let before = unwritten.map(|error| error.to_string()).unwrap_or_default();
                let helpers = memory::helpers();
                return Err(CallError::Failed(format!("{before}; nor from memory: there is no {helpers}")));
            }
            Err(Failure::Foreign(system)) if !foreign => {
                foreign = true;
                let (asked, dir) = (system.clone(), start.prebuilt.map(Path::to_owned));
                let found = tokio::task::spawn_blocking(move || prebuilt::find(&asked, dir.as_deref())).await;
                let worker = found.map_err(|error| CallError::Failed(error.to_string()))?;
                rows = vec![(system, worker.map_err(CallError::Failed)?)];
            }
            Err(Failure::Foreign(system)) => {
                return Err(CallError::Failed(format!("the host changed into {system} meanwhile")));
            }
            Err(Failure::Stale) if !run.anew => run.anew = true,
            Err(Failure::Stale) => return Err(CallError::Failed("the worker vanished".to_owned())),
            Err(Failure::NeedsTerminal(said)) if run.terminal => return Err(CallError::Failed(said)),
            Err(Failure::NeedsTerminal(_)) => run.terminal = true,
            // Only what is in memory is left when the directories are.
            Err(Failure::Call(error) | Failure::Unwritten(error)) => return Err(error),
        }
    }
}

fn no_directory(tried: &str) -> CallError {
    let tried = tried.trim_end_matches([',', ' ']);
    let tried = if tried.is_empty() { "those that would do are full" } else { tried };
    CallError::Failed(format!(
        "no directory takes the worker: {tried}; set ansible_remote_tmp to one that is ours, writable and not mounted noexec"
    ))
}

/// A worker that is reached without a shell need only greet.
pub(super) async fn greet(pipe: Pipe) -> Result<Started, CallError> {
    let mut opening = Opening::new(pipe, &Mark::new(), None, Prompt::Never);
    match opening.skip_past(GREETING).await {
        Ok(()) => Ok(Started { rest: opening.out, pipe: opening.pipe, uploaded: false }),
        Err(Trouble::Call(error)) => Err(error),
        Err(_) => Err(CallError::Failed("the worker ended before it greeted".to_owned())),
    }
}

enum Failure {
    /// The cached worker does not start.
    Stale,
    NeedsTerminal(String),
    /// The directory did not take the worker: it is full, say.
    Unwritten(CallError),
    /// None will do; why each of them does not.
    NoDirectory(String),
    /// Nothing there can run it from memory.
    NoHelper,
    /// There is no worker for such a system among those the script was told of.
    Foreign(String),
    Call(CallError),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

async fn attempt(
    place: &impl Starts,
    start: Start<'_>,
    run: Run,
    rows: &[(String, &'static Worker)],
) -> Result<Started, Failure> {
    let Start { hop, remote_tmp, traceless, .. } = start;
    let mark = Mark::new();
    let inner = |terminal| -> Result<_, CallError> {
        let script = if run.in_memory {
            memory::script(&mark, rows, terminal)
        } else {
            let run = Run { terminal, ..run };
            Script { mark: &mark, remote_tmp, run, rows, keep: !traceless }.text()?
        };
        Ok(format!("/bin/sh -c '{script}'"))
    };
    let (text, prompt, terminal) = match hop {
        Some(hop) => {
            let wanted = hops::command(hop, "", &mark.head)?.terminal || run.terminal;
            let command = hops::command(hop, &inner(wanted)?, &mark.head)?;
            (command.text, command.prompt, wanted)
        }
        None => (inner(run.terminal)?, Prompt::Never, run.terminal),
    };
    let pipe = place.start(&text, terminal).await?;
    let mut opening = Opening::new(pipe, &mark, hop, prompt);
    let found = match opening.answer().await {
        Ok(answer) if answer == "HIT" => true,
        Ok(answer) => {
            upload(&mut opening, &answer, rows).await?;
            false
        }
        Err(Trouble::Call(error)) => return Err(error.into()),
        Err(Trouble::NeedsTerminal) => return Err(Failure::NeedsTerminal(opening.said())),
        Err(Trouble::Ended { exit, said }) => {
            let unreached = place.unreached(&exit, &said, hop.is_some()).map(CallError::Unreachable);
            return Err(unreached.unwrap_or_else(|| no_shell(hop, &exit, &said)).into());
        }
    };
    match opening.skip_past(GREETING).await {
        Ok(()) => Ok(Started { rest: opening.out, pipe: opening.pipe, uploaded: !found }),
        Err(Trouble::Call(error @ CallError::Unreachable(_))) => Err(error.into()),
        Err(_) if found => Err(Failure::Stale),
        Err(Trouble::Ended { exit, said }) => {
            Err(CallError::Failed(format!("the worker does not start there ({exit}): {said}")).into())
        }
        Err(_) => Err(CallError::Failed("the worker does not greet".to_owned()).into()),
    }
}

/// Sends the worker the script asks for.
async fn upload(
    opening: &mut Opening<'_>,
    answer: &str,
    rows: &[(String, &'static Worker)],
) -> Result<(), Failure> {
    let words: Vec<&str> = answer.split_whitespace().collect();
    let ["MISS", form, system, machine, ..] = words.as_slice() else { return Err(refusal(answer)) };
    let system = format!("{system} {machine}");
    let Some((_, worker)) = rows.iter().find(|(name, _)| *name == system) else {
        return Err(Failure::Foreign(system));
    };
    let unpacked =
        || worker.plain().map_err(|error| CallError::Failed(format!("unpacking the worker: {error}")));
    let bytes = match *form {
        "gzip" => Bytes::from_static(worker.packed),
        "plain" => unpacked()?,
        helper => memory::content(helper, &unpacked()?).ok_or_else(|| refusal(answer))?,
    };
    // Sent while the answers are watched: a full disk ends the script before it has read everything.
    match opening.answer_to(bytes).await {
        Ok(answer) if answer == "SENT" => Ok(()),
        Ok(answer) => Err(refusal(&answer)),
        Err(Trouble::Call(error)) => Err(error.into()),
        Err(Trouble::Ended { exit, said }) => {
            Err(CallError::Failed(format!("sending the worker failed ({exit}): {said}")).into())
        }
        Err(Trouble::NeedsTerminal) => Err(CallError::Failed("sending the worker failed".to_owned()).into()),
    }
}

/// What the script's other answers mean.
fn refusal(answer: &str) -> Failure {
    let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    match word {
        "ARCH" => Failure::Foreign(rest.to_owned()),
        "NODIR" => Failure::NoDirectory(rest.to_owned()),
        "NOHELP" => Failure::NoHelper,
        "ERR" => Failure::Unwritten(CallError::Failed(format!("writing the worker failed: {rest}"))),
        _ => Failure::Call(CallError::Failed(format!("unexpected answer from the shell: {answer}"))),
    }
}

/// The command ended before it said anything of ours.
fn no_shell(hop: Option<&Hop>, exit: &Exit, said: &str) -> CallError {
    if let (Some(hop), Exit::Status(code)) = (hop, exit) {
        return hops::refused(hop, said, *code);
    }
    match hop {
        Some(hop) => CallError::Failed(hops::explain(hop, said)),
        None if said.is_empty() => {
            CallError::Unreachable(format!("no shell there: it ended at once ({exit})"))
        }
        None => CallError::Unreachable(format!("no shell there ({exit}): {said}")),
    }
}

#[cfg(test)]
mod tests;
