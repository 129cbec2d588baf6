//! How a run behaves: what `run` and ad-hoc commands have in common.

use std::sync::Arc;

use clap::Args;

use super::extra_vars;
use crate::config::Config;
use crate::diagnostic::Result;

#[derive(Args, Debug, Default)]
pub struct Tuning {
    /// Changes nothing and tells what would change
    #[arg(short = 'C', long)]
    pub check: bool,
    /// Shows the differences in files that change
    #[arg(short = 'D', long)]
    pub diff: bool,
    /// Variables that beat all others: `key=value` words, YAML or JSON in braces, or `@FILE`.
    /// May be given several times
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,
    /// How many hosts work at the same time
    #[arg(short, long, value_name = "N")]
    pub forks: Option<std::num::NonZeroUsize>,
}

impl Tuning {
    pub(super) fn settle(self, config: &mut Config) -> Result<()> {
        let run = &mut config.run;
        run.check |= self.check;
        run.diff |= self.diff;
        run.extra_vars = extra_vars::load(&self.extra_vars, run.merges)?;
        config.inventory.extra_vars = Arc::new(run.extra_vars.clone());
        if let Some(forks) = self.forks {
            run.forks = forks;
        }
        Ok(())
    }
}
