//! The command line: its doc comments are the help.
//!
//! What the user typed becomes two things: settings, laid over those of `ansible.cfg` and the environment in a
//! [`Config`], and the plain struct of the subcommand.

#![expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]

mod adhoc;
mod compare;
mod config;
mod connection;
mod doc;
mod escalation;
mod extra_vars;
mod inventory;
mod refused;
mod run;
mod selection;
mod shims;
mod tuning;
mod vault;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

pub use adhoc::{AdhocArgs, AdhocCommand};
pub use compare::CompareArgs;
pub use config::{ConfigArgs, ConfigCommand, ConfigView, DumpFormat, InitFormat, ListFormat};
pub use doc::{DocArgs, DocCommand, DocFormat, DocTopic};
pub use inventory::{InventoryArgs, InventoryCommand, InventoryFormat, InventoryView};
pub use run::{Listing, RunArgs, RunCommand};
pub use shims::{InstallShimsArgs, SHIMS};
pub use vault::{NewKey, Text, VaultAction, VaultArgs, VaultCommand};

use crate::config::Config;
use crate::diagnostic::Result;

/// Columns that help fills at most.
const WIDTH: usize = 100;

const EXIT_CODES: &str = "\
Exit codes:
    0  everything is as it should be
    1  an error before or outside of the tasks: a missing file, a wrong pattern
    2  at least one host failed (also: a wrong command line)
    4  at least one host could not be reached, or a playbook or inventory could not be read
    5  options that do not go together
   99  interrupted
  250  an unexpected error: please report it";

/// Configuration management and remote execution in Ansible's own language.
///
/// Without a subcommand, fanfare runs one module on the hosts that match a pattern and shows what each
/// of them answers:
///
///     fanfare -i web1,web2 all -m ping
///     fanfare web -a uptime
///     fanfare web -b -m service -a 'name=nginx state=reloaded'
///
/// Targets need an SSH account and a shell; no Python, no agent.
#[derive(Debug, Parser)]
#[command(
    version,
    verbatim_doc_comment,
    after_help = EXIT_CODES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    infer_long_args = true,
    max_term_width = WIDTH
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub adhoc: AdhocArgs,
    /// Whether Ansible's name was called: what is only a warning there is one here, too.
    #[arg(skip)]
    pub as_ansible: bool,
}

// The help of a subcommand is the doc comment of its arguments: one here would hide it.
#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<RunArgs>),
    Compare(CompareArgs),
    Inventory(InventoryArgs),
    Doc(DocArgs),
    Vault(VaultArgs),
    Config(ConfigArgs),
    InstallShims(InstallShimsArgs),
}

/// What to do, with every option checked and typed.
#[derive(Debug)]
pub enum Invocation {
    Run(RunCommand),
    Compare(CompareArgs),
    Adhoc(AdhocCommand),
    Inventory(InventoryCommand),
    Doc(DocCommand),
    Vault(VaultCommand),
    Config(ConfigCommand),
    InstallShims(PathBuf),
}

impl Cli {
    /// Lays the options over `config` and gives the rest as the subcommand's own struct. No file is read here
    /// but those named by `-e @file` and the password options; nothing is asked but passwords of vaults, which that
    /// file may need.
    pub fn settle(self, config: &mut Config) -> Result<Invocation> {
        if self.as_ansible {
            config.inventory.any_unparsed_is_failed.get_or_insert(false);
        }
        Ok(match self.command {
            None => Invocation::Adhoc(self.adhoc.settle(config)?),
            Some(Command::Run(args)) => Invocation::Run(args.settle(config)?),
            Some(Command::Compare(args)) => Invocation::Compare(args),
            Some(Command::Inventory(args)) => Invocation::Inventory(args.settle(config)?),
            Some(Command::InstallShims(args)) => Invocation::InstallShims(args.dir),
            Some(Command::Doc(args)) => Invocation::Doc(args.settle(config)?),
            Some(Command::Config(args)) => Invocation::Config(args.settle(config)?),
            Some(Command::Vault(args)) => Invocation::Vault(args.settle(config)),
        })
    }
}

/// How much is told.
#[derive(Args, Debug)]
pub struct Verbosity {
    /// Tells more: with -v results, and remarks on settings and connections; with -vv places of tasks and what is
    /// notified; with -vvv results over several lines
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

impl Verbosity {
    fn settle(&self, config: &mut Config) {
        if self.verbose > 0 {
            config.display.verbosity = self.verbose;
        }
    }
}

#[cfg(test)]
mod tests;
