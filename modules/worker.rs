//! The worker: the program that runs modules on the target. It speaks on its standard input and output and ends
//! with its input, or when it waits and hears nothing for too long. Started with an argument it does one job in the background, becomes a command on a terminal, or first
//! removes its own file, for which there is no further use.

use std::ffi::OsStr;
use std::io;
use std::process::ExitCode;

use fanfare_modules::kit::real::patient::Patient;
use fanfare_modules::kit::real::{Real, detached, keep_secrets, outlive_terminal, terminal, vanish};
use fanfare_modules::kit::serve::serve;
use fanfare_modules::kit::wire;

fn main() -> ExitCode {
    keep_secrets();
    let argument = std::env::args_os().nth(1);
    let done = match argument.as_deref().and_then(OsStr::to_str) {
        Some(detached::ARGUMENT) => detached::run(),
        Some(terminal::ARGUMENT) => terminal::become_command(),
        Some(vanish::ARGUMENT) => vanish::run().and_then(|()| serve_input()),
        _ => serve_input(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // There is nobody left to tell.
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve_input() -> io::Result<()> {
    outlive_terminal()?;
    let input = Patient { input: io::stdin().lock(), patience: wire::PATIENCE };
    serve(&Real::watching_input(), input, io::stdout().lock())
}
