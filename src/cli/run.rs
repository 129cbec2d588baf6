use std::path::PathBuf;

use clap::Args;

use super::tuning::Tuning;
use crate::config::Config;
use crate::diagnostic::Result;

/// Runs playbooks: brings hosts into the state they describe
///
/// A second run that finds everything as described changes nothing and says so. `--check --diff` tells
/// beforehand what a run would do.
///
///     fanfare run -i inventories/lab playbooks/site.yml --check --diff
///     fanfare run playbooks/site.yml --limit 'web:!web3' --tags config
#[derive(Args, Debug)]
#[command(verbatim_doc_comment, after_help = super::EXIT_CODES)]
pub struct RunArgs {
    /// Playbooks, run one after the other
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub playbooks: Vec<PathBuf>,
    /// Runs only what carries one of these tags (comma separated). May be given several times
    #[arg(short, long, value_name = "TAGS")]
    pub tags: Vec<String>,
    /// Leaves out what carries one of these tags (comma separated). May be given several times
    #[arg(long, value_name = "TAGS")]
    pub skip_tags: Vec<String>,
    /// Starts at the task with this name (`*` and `?` match as in file names)
    #[arg(long, value_name = "NAME")]
    pub start_at_task: Option<String>,
    /// Asks before every task
    #[arg(long)]
    pub step: bool,
    /// Runs notified handlers even on hosts where a task failed
    #[arg(long)]
    pub force_handlers: bool,
    /// Only reads and checks the playbooks
    #[arg(long)]
    pub syntax_check: bool,
    /// Only lists the hosts that match
    #[arg(long)]
    pub list_hosts: bool,
    /// Only lists the tasks that would run
    #[arg(long)]
    pub list_tasks: bool,
    /// Only lists the tags there are
    #[arg(long)]
    pub list_tags: bool,
    #[command(flatten)]
    pub tuning: Tuning,
}

/// What `fanfare run` is to do; how is in the [`Config`].
#[derive(Debug)]
pub struct RunCommand {
    pub playbooks: Vec<PathBuf>,
    /// List instead of running, when anything here is set.
    pub listing: Listing,
    pub syntax_check: bool,
    pub start_at_task: Option<String>,
    pub step: bool,
}

/// What to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub hosts: bool,
    pub tasks: bool,
    pub tags: bool,
}

impl Listing {
    pub fn any(self) -> bool {
        self.hosts || self.tasks || self.tags
    }
}

impl RunArgs {
    pub(super) fn settle(self, config: &mut Config) -> Result<RunCommand> {
        self.tuning.settle(config)?;
        config.run.force_handlers |= self.force_handlers;
        // As in Ansible, they add to those of the configuration.
        config.run.tags.extend(split_tags(&self.tags));
        config.run.skip_tags.extend(split_tags(&self.skip_tags));
        Ok(RunCommand {
            playbooks: self.playbooks,
            listing: Listing { hosts: self.list_hosts, tasks: self.list_tasks, tags: self.list_tags },
            syntax_check: self.syntax_check,
            start_at_task: self.start_at_task,
            step: self.step,
        })
    }
}

fn split_tags(given: &[String]) -> Vec<String> {
    let words = given.iter().flat_map(|tags| tags.split(','));
    words.map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}
