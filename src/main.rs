use std::process::ExitCode;

use clap::Parser;
use fanfare::cli::Cli;
use fanfare::commands::{Exit, execute};

fn main() -> ExitCode {
    match execute(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => {
            fanfare::output::report_error(&error);
            Exit::of_error(&error).into()
        }
    }
}
