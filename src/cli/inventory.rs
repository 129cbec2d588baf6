use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgGroup, Args};

use super::refused::refuse;
use super::selection::Selection;
use super::vault::VaultPasswords;
use super::{Verbosity, extra_vars};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};

/// Shows what the inventory says about hosts and groups
///
/// All sources, group_vars and host_vars count.
///
///     fanfare inventory --graph
///     fanfare inventory -i inventories/lab --host web1
///     fanfare inventory --why http_port web1
#[derive(Args, Debug)]
#[command(verbatim_doc_comment, group(ArgGroup::new("view").required(true).args(["list", "host", "graph", "why"])))]
pub struct InventoryArgs {
    /// The group to start from, with --graph
    #[arg(value_name = "GROUP")]
    pub group: Option<String>,
    /// Shows all groups, hosts and variables, in the format of an inventory script
    #[arg(long)]
    pub list: bool,
    /// Shows the variables of one host
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Draws the tree of groups and hosts
    #[arg(long)]
    pub graph: bool,
    /// Shows which place sets a variable of a host, and which others it won against
    #[arg(long, num_args = 2, value_names = ["VARIABLE", "HOST"])]
    pub why: Vec<String>,
    /// With --graph: shows the variables too
    #[arg(long)]
    pub vars: bool,
    /// With --list and --host: shows the variables where they are set, not where they end up
    #[arg(long)]
    pub export: bool,
    /// Writes YAML instead of JSON
    #[arg(short, long)]
    pub yaml: bool,
    /// Not supported yet: writes TOML instead of JSON
    #[arg(long, hide_short_help = true)]
    pub toml: bool,
    /// With --list: writes to this file
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where to look for group_vars and host_vars besides the inventory's own
    #[arg(long, value_name = "DIR")]
    pub playbook_dir: Option<PathBuf>,
    /// Variables that beat all others
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,
    #[command(flatten)]
    pub verbosity: Verbosity,
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub vault: VaultPasswords,
}

/// What `fanfare inventory` is to show.
#[derive(Debug)]
pub struct InventoryCommand {
    pub view: InventoryView,
    pub format: InventoryFormat,
    pub output: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InventoryView {
    List {
        export: bool,
    },
    Host {
        name: String,
        export: bool,
    },
    Why {
        variable: String,
        host: String,
    },
    /// From this group, else from `all`.
    Graph {
        group: Option<String>,
        vars: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InventoryFormat {
    Json,
    Yaml,
}

impl InventoryArgs {
    pub(super) fn settle(self, config: &mut Config) -> Result<InventoryCommand> {
        self.vault.settle(config)?;
        refuse("--toml", self.toml)?;
        self.verbosity.settle(config);
        self.selection.settle(config);
        config.run.extra_vars = extra_vars::load(&self.extra_vars, config.run.merges)?;
        config.inventory.extra_vars = Arc::new(config.run.extra_vars.clone());
        if self.playbook_dir.is_some() {
            config.run.playbook_dir = self.playbook_dir;
        }
        if self.group.is_some() && !self.graph {
            return Err(Diagnostic::new("a group is for --graph only")
                .hint("`--host NAME` shows one host, `--limit PATTERN` narrows down --list"));
        }
        if self.vars && !self.graph {
            return Err(
                Diagnostic::new("--vars is for --graph only").hint("the other views always show variables")
            );
        }
        if self.graph && (self.yaml || self.export || self.output.is_some()) {
            return Err(Diagnostic::new("--yaml, --export and --output are not for --graph"));
        }
        if self.output.is_some() && !self.list {
            return Err(Diagnostic::new("--output is for --list only"));
        }
        let why = match self.why.as_slice() {
            [variable, host] => {
                if self.yaml || self.export {
                    return Err(Diagnostic::new("--yaml and --export are not for --why"));
                }
                Some(InventoryView::Why { variable: variable.clone(), host: host.clone() })
            }
            _ => None,
        };
        let view = match (why, self.host) {
            (Some(why), _) => why,
            (None, Some(name)) => {
                InventoryView::Host { name, export: self.export || config.inventory.export }
            }
            (None, None) if self.graph => InventoryView::Graph { group: self.group, vars: self.vars },
            (None, None) => InventoryView::List { export: self.export || config.inventory.export },
        };
        let format = if self.yaml { InventoryFormat::Yaml } else { InventoryFormat::Json };
        Ok(InventoryCommand { view, format, output: self.output })
    }
}
