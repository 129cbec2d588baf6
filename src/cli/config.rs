use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Verbosity;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};

/// Shows the settings, their values and where those come from
///
///     fanfare config dump --only-changed
///     fanfare config init --disabled > ansible.cfg
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Lists the settings with their types, variables, keys and defaults
    List {
        #[command(flatten)]
        common: Common,
        /// How the list is written
        #[arg(short, long, value_enum, default_value = "yaml")]
        format: ListFormat,
    },
    /// Shows the value of each setting and where it comes from
    Dump {
        #[command(flatten)]
        common: Common,
        /// How the values are written
        #[arg(short, long, value_enum, default_value = "display")]
        format: DumpFormat,
        /// Leaves out what has its default
        #[arg(long, visible_alias = "changed-only")]
        only_changed: bool,
    },
    /// Shows the file of settings
    View {
        #[command(flatten)]
        common: Common,
    },
    /// Writes a file of settings to start from
    Init {
        #[command(flatten)]
        common: Common,
        /// What is written
        #[arg(short, long, value_enum, default_value = "ini")]
        format: InitFormat,
        /// Writes each setting as a comment
        #[arg(long)]
        disabled: bool,
    },
}

#[derive(Args, Debug)]
pub struct Common {
    /// The file of settings, instead of the one that is found
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Whose settings: `base`
    #[arg(short, long, value_name = "TYPE", default_value = "base")]
    pub r#type: String,
    #[command(flatten)]
    pub verbosity: Verbosity,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ListFormat {
    Json,
    Yaml,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DumpFormat {
    Json,
    Yaml,
    Display,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum InitFormat {
    Ini,
    Env,
    Vars,
}

/// What `fanfare config` is to do.
#[derive(Debug)]
pub struct ConfigCommand {
    pub file: Option<PathBuf>,
    pub view: ConfigView,
}

#[derive(Clone, Copy, Debug)]
pub enum ConfigView {
    List(ListFormat),
    Dump { format: DumpFormat, only_changed: bool },
    File,
    Init { format: InitFormat, disabled: bool },
}

impl ConfigArgs {
    pub(super) fn settle(self, config: &mut Config) -> Result<ConfigCommand> {
        let (common, view) = match self.action {
            Action::List { common, format } => (common, ConfigView::List(format)),
            Action::Dump { common, format, only_changed } => {
                (common, ConfigView::Dump { format, only_changed })
            }
            Action::View { common } => (common, ConfigView::File),
            Action::Init { common, format, disabled } => (common, ConfigView::Init { format, disabled }),
        };
        common.verbosity.settle(config);
        if common.r#type != "base" {
            return Err(Diagnostic::new(format!("not supported: settings of type {}", common.r#type))
                .hint("-t base is all there is; the guide lists the settings of plugins with the others (docs/guide/settings.md)"));
        }
        Ok(ConfigCommand { file: common.file, view })
    }
}
