use std::path::PathBuf;

use clap::Args;

use super::refused::refuse;
use super::tuning::Tuning;
use crate::config::Config;
use crate::diagnostic::Result;

/// One module on the hosts that match a pattern.
#[derive(Args, Debug)]
pub struct AdhocArgs {
    /// Which hosts: `all`, a group, `web:&prod:!web3`, `~web\d+`, `web[0:2]`
    #[arg(required = true, value_name = "PATTERN")]
    pub pattern: Option<String>,
    /// The module to run
    #[arg(short, long, value_name = "MODULE", default_value = "command")]
    pub module_name: String,
    /// The module's options: `key=value` words, or JSON in braces; for command and shell the command line
    #[arg(short, long, allow_hyphen_values = true, value_name = "OPTIONS")]
    pub args: Option<String>,
    /// Shows each host's answer on one line
    #[arg(short, long)]
    pub one_line: bool,
    /// Only lists the hosts that match
    #[arg(long)]
    pub list_hosts: bool,
    /// Ends the task after so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub task_timeout: Option<u64>,
    /// Where to look for group_vars, host_vars and roles, since there is no playbook
    #[arg(long, value_name = "DIR")]
    pub playbook_dir: Option<PathBuf>,
    /// Runs the module in the background, for so many seconds at most
    #[arg(short = 'B', long, value_name = "SECONDS")]
    pub background: Option<u64>,
    /// How often to look at it, with -B; 0 does not wait for it [default: 15]
    #[arg(short = 'P', long, value_name = "SECONDS")]
    pub poll: Option<u64>,
    /// Not supported yet: one file of results per host
    #[arg(short, long, value_name = "DIR", hide_short_help = true)]
    pub tree: Option<PathBuf>,
    #[command(flatten)]
    pub tuning: Tuning,
}

/// What an ad-hoc command is to do; how is in the [`Config`].
#[derive(Debug)]
pub struct AdhocCommand {
    pub pattern: String,
    pub module: String,
    /// As typed: `key=value` words, or JSON.
    pub args: Option<String>,
    pub list_hosts: bool,
    /// Seconds the module may take in the background.
    pub background: Option<u64>,
}

impl AdhocArgs {
    pub(super) fn settle(self, config: &mut Config) -> Result<AdhocCommand> {
        refuse("-t (--tree)", self.tree.is_some())?;
        if !config.display.adhoc_callbacks {
            config.display.callbacks_enabled.clear();
        }
        self.tuning.settle(config)?;
        if self.task_timeout.is_some() {
            config.run.task_timeout = self.task_timeout;
        }
        if self.playbook_dir.is_some() {
            config.run.playbook_dir = self.playbook_dir;
        }
        config.run.poll_interval = self.poll.unwrap_or(config.run.poll_interval);
        if self.one_line || !config.display.adhoc_callbacks {
            let callback = if self.one_line { "oneline" } else { "minimal" };
            callback.clone_into(&mut config.display.callback);
        }
        Ok(AdhocCommand {
            pattern: self.pattern.unwrap_or_default(),
            module: self.module_name,
            args: self.args,
            list_hosts: self.list_hosts,
            background: self.background,
        })
    }
}
