use std::process::ExitCode;

use fanfare::cli::Cli;
use fanfare::commands::{Exit, Stage, execute};
use fanfare_modules::kit::real::keep_secrets;

fn main() -> ExitCode {
    keep_secrets();
    if let Some(exit) = fanfare::target::asked_by_ssh() {
        return exit;
    }
    let cli = Cli::of_process();
    match std::panic::catch_unwind(|| execute(cli, Stage::of_this_process()?)) {
        Err(_) => Exit::Unexpected.into(),
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) => {
            fanfare::output::report_error(&error);
            Exit::of_error(&error).into()
        }
    }
}
