//! Commands without the worker (`raw`).

use super::bootstrap::Starts;
use super::hops;
use super::opening::{Mark, Opening, Trouble};
use super::pipe::{Exit, Output};
use super::quote::quote;
use super::{CallError, Hop, RawOutput};

/// How much a command may say.
const MOST: usize = 256 << 20;

#[derive(Clone, Copy, Debug)]
pub(super) struct Command<'a> {
    pub text: &'a str,
    /// The shell to run it by; the login shell where absent.
    pub executable: Option<&'a str>,
    pub hop: Option<&'a Hop>,
}

/// Runs it to its end. Its input is empty.
pub(super) async fn run(place: &impl Starts, task: Command<'_>) -> Result<RawOutput, CallError> {
    let mut terminal = false;
    loop {
        match attempt(place, task, terminal).await {
            Err(Trouble::NeedsTerminal) if !terminal => terminal = true,
            Err(Trouble::NeedsTerminal) => {
                return Err(CallError::Failed("the host gives no terminal".to_owned()));
            }
            Err(Trouble::Call(error)) => return Err(error),
            Err(Trouble::Ended { exit, said }) => {
                if let Some(reason) = place.unreached(&exit, &said, task.hop.is_some()) {
                    return Err(CallError::Unreachable(reason));
                }
                return Err(CallError::Failed(match task.hop {
                    Some(hop) => hops::explain(hop, &said),
                    None => format!("the shell ended ({exit}): {said}"),
                }));
            }
            Ok(output) => return Ok(output),
        }
    }
}

async fn attempt(place: &impl Starts, task: Command<'_>, terminal: bool) -> Result<RawOutput, Trouble> {
    // Until it is told otherwise: what ended without a word did not end well.
    let mut output = RawOutput { rc: 255, ..RawOutput::default() };
    let mut pipe = match task.hop {
        None => {
            let command = match task.executable {
                Some(shell) => format!("{shell} -c {}", quote(task.text)),
                None => task.text.to_owned(),
            };
            place.start(&command, terminal).await.map_err(Trouble::Call)?
        }
        Some(hop) => {
            let mark = Mark::new();
            let shell = task.executable.unwrap_or("/bin/sh");
            let Mark { head, tail } = &mark;
            let marked = format!("m={head}; echo $m-{tail}; {}", task.text);
            let inner = format!("{shell} -c {}", quote(&marked));
            let command = hops::command(hop, &inner, head).map_err(Trouble::Call)?;
            let pipe =
                place.start(&command.text, command.terminal || terminal).await.map_err(Trouble::Call)?;
            let mut opening = Opening::new(pipe, &mark, Some(hop), command.prompt);
            opening.answer().await?;
            output.stdout.extend_from_slice(&opening.out);
            opening.pipe
        }
    };
    pipe.writer.finish().await;
    while let Some(piece) = pipe.reader.next().await {
        if output.stdout.len() + output.stderr.len() > MOST {
            pipe.writer.close().await;
            let message = format!("the command says more than {} MiB: write it to a file", MOST >> 20);
            return Err(Trouble::Call(CallError::Failed(message)));
        }
        match piece {
            Output::Out(bytes) => output.stdout.extend_from_slice(&bytes),
            Output::Err(bytes) => output.stderr.extend_from_slice(&bytes),
            Output::Exit(Exit::Status(status)) => output.rc = i32::try_from(status).unwrap_or(255),
            Output::Exit(Exit::Signal(_)) => output.rc = 255,
            Output::Exit(Exit::Silent) => {}
            Output::Lost(reason) => return Err(Trouble::Call(CallError::Unreachable(reason))),
        }
    }
    Ok(output)
}
