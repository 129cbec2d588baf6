//! The subcommands, one file each.

mod adhoc;
mod doc;
mod engine;
mod exit;
mod inventory;
mod run;

pub use exit::Exit;

use crate::cli::{Cli, Invocation};
use crate::config::{Config, Surroundings, ask_passwords};
use crate::diagnostic::Result;

/// Carries out a command line.
pub fn execute(cli: Cli) -> Result<Exit> {
    let mut config = Config::load(&Surroundings::of_this_process()?)?;
    let invocation = cli.settle(&mut config)?;
    match invocation {
        Invocation::Run(command) => {
            ask_passwords(&mut config)?;
            run::run(command, config)
        }
        Invocation::Adhoc(command) => {
            ask_passwords(&mut config)?;
            adhoc::adhoc(command, config)
        }
        Invocation::Inventory(command) => inventory::inventory(&command, config),
        Invocation::Doc(command) => doc::doc(&command, &config),
    }
}
