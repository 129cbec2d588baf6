//! The worker: the program that runs modules on the target. It speaks on its standard input and output and ends
//! with its input.

use std::io;
use std::process::ExitCode;

use fanfare_modules::kit::real::Real;
use fanfare_modules::kit::serve::serve;

fn main() -> ExitCode {
    match serve(&Real::watching_input(), io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // There is nobody left to tell.
        Err(_) => ExitCode::FAILURE,
    }
}
