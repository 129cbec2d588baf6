//! How a run behaves: what `run` and ad-hoc commands have in common.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::connection::ConnectionArgs;
use super::escalation::Escalation;
use super::selection::Selection;
use super::vault::VaultPasswords;
use super::{Verbosity, extra_vars};
use crate::config::{Config, LOG_PLAYS};
use crate::diagnostic::Result;

#[derive(Args, Debug)]
pub struct Tuning {
    /// Changes nothing and tells what would change
    #[arg(short = 'C', long)]
    pub check: bool,
    /// Shows the differences in files that change
    #[arg(short = 'D', long)]
    pub diff: bool,
    /// Shows what `command`, `shell` and `script` say while they run, line by line with the host's name
    #[arg(long)]
    pub follow: bool,
    /// Shows hosts that say the same as one, `web[01-40]`, and odd ones by what differs
    #[arg(long)]
    pub fold: bool,
    /// Keeps a file a host in this directory: results, and what commands say while they run
    #[arg(long, value_name = "DIR")]
    pub host_logs: Option<PathBuf>,
    /// Leaves nothing on the hosts: the worker is sent anew each time, and is gone once it has started
    #[arg(long)]
    pub no_cache: bool,
    /// Variables that beat all others: `key=value` words, YAML or JSON in braces, or `@FILE`.
    /// May be given several times
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,
    /// How many hosts work at the same time; by default as many as open files and memory allow, at most 500
    #[arg(short, long, value_name = "N", value_parser = at_least_one)]
    pub forks: Option<NonZeroUsize>,
    #[command(flatten)]
    pub verbosity: Verbosity,
    /// Where custom modules are looked for first: directories with `:` between them. May be given several times
    #[arg(short = 'M', long, value_name = "DIR")]
    pub module_path: Vec<PathBuf>,
    // From here on each has a heading of its own, under which all that follows would stand.
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub escalation: Escalation,
    #[command(flatten)]
    pub vault: VaultPasswords,
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a whole number of at least 1")
}

impl Tuning {
    pub(super) fn settle(self, config: &mut Config) -> Result<()> {
        // Files of variables may be encrypted.
        self.vault.settle(config)?;
        let given = self.module_path.iter().flat_map(std::env::split_paths).collect::<Vec<_>>();
        config.run.module_path.splice(0..0, given);
        self.verbosity.settle(config);
        self.selection.settle(config);
        self.connection.settle(config)?;
        self.escalation.settle(config)?;
        let display = &mut config.display;
        display.follow |= self.follow;
        display.fold |= self.fold;
        let log_plays = display.enables(LOG_PLAYS);
        display.host_logs = self.host_logs.or_else(|| log_plays.then(|| display.log_folder.clone()));
        let run = &mut config.run;
        run.hear = display.follow || display.host_logs.is_some();
        run.check |= self.check;
        run.diff |= self.diff;
        config.connection.worker_cache &= !self.no_cache;
        run.extra_vars = extra_vars::load(&self.extra_vars, run.merges)?;
        config.inventory.extra_vars = Arc::new(run.extra_vars.clone());
        run.forks = self.forks.or(run.forks);
        Ok(())
    }
}
