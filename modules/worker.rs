//! The worker: the program that runs modules on the target. It speaks on its standard input and output and ends
//! with its input. Started with an argument it does one job in the background instead.

use std::io;
use std::process::ExitCode;

use fanfare_modules::kit::real::{Real, detached};
use fanfare_modules::kit::serve::serve;

fn main() -> ExitCode {
    let done = if std::env::args_os().nth(1).is_some_and(|argument| argument == detached::ARGUMENT) {
        detached::run()
    } else {
        serve(&Real::watching_input(), io::stdin().lock(), io::stdout().lock())
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // There is nobody left to tell.
        Err(_) => ExitCode::FAILURE,
    }
}
