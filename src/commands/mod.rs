//! The subcommands, one file each.

mod adhoc;
mod compare;
mod config;
mod doc;
mod engine;
mod exit;
mod install_shims;
mod interrupt;
mod inventory;
mod run;
mod stage;
mod vault;

pub use exit::Exit;
pub use stage::{AnyOutput, MakeOutput, Stage};

use crate::cli::{Cli, Invocation};
use crate::config::{Config, ask_passwords};
use crate::diagnostic::Result;

/// Carries out a command line.
pub fn execute(cli: Cli, stage: Stage) -> Result<Exit> {
    let mut config = Config::load(&stage.surroundings)?;
    let invocation = cli.settle(&mut config)?;
    config.run.duplicate_keys.choose();
    if config.run.broken_conditionals {
        crate::template::allow_broken_conditions();
    }
    if !matches!(invocation, Invocation::Run(_) | Invocation::Adhoc(_)) {
        config.warnings.append(&mut config.refused);
    }
    match invocation {
        Invocation::Run(command) => {
            ask_passwords(&mut config)?;
            run::run(command, config, stage)
        }
        Invocation::Adhoc(command) => {
            ask_passwords(&mut config)?;
            adhoc::adhoc(command, config, stage)
        }
        Invocation::Compare(command) => compare::compare(&command),
        Invocation::Inventory(command) => inventory::inventory(&command, config),
        Invocation::InstallShims(dir) => install_shims::install_shims(&dir),
        Invocation::Config(command) => config::config(&command, &config, &stage),
        Invocation::Doc(command) => doc::doc(&command, &config),
        Invocation::Vault(command) => vault::vault(command, config),
    }
}
