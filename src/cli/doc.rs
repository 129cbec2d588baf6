use std::path::PathBuf;

use clap::Args;

use super::Verbosity;
use super::refused::refuse;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};

/// Shows the modules and their options
///
///     fanfare doc            all modules, one line each
///     fanfare doc copy       the options of one
///     fanfare doc -s copy    a task to start from
///     fanfare doc -t keyword when
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct DocArgs {
    /// Modules to show; with -l, a part of their names
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Lists what there is, one line each
    #[arg(short, long, conflicts_with = "snippet")]
    pub list: bool,
    /// Writes a task to copy into a playbook
    #[arg(short, long, conflicts_with = "json")]
    pub snippet: bool,
    /// Writes JSON
    #[arg(short, long)]
    pub json: bool,
    /// What the names are: module or keyword
    #[arg(short, long, value_name = "TYPE", default_value = "module")]
    pub r#type: String,
    #[command(flatten)]
    pub verbosity: Verbosity,
    /// Not supported yet: documentation of custom modules
    #[arg(short = 'M', long, value_name = "DIR", hide_short_help = true)]
    pub module_path: Vec<PathBuf>,
    /// Not supported yet: where plugins come from
    #[arg(short = 'F', long = "list_files", hide_short_help = true)]
    pub list_files: bool,
    /// Not supported yet: documentation of roles
    #[arg(short, long, value_name = "NAME", hide_short_help = true)]
    pub entry_point: Option<String>,
    /// Not supported yet: documentation of roles
    #[arg(short, long, value_name = "DIR", hide_short_help = true)]
    pub roles_path: Vec<PathBuf>,
    /// Not supported yet: plugins beside a playbook
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    pub playbook_dir: Option<PathBuf>,
    /// Not supported yet: everything as JSON
    #[arg(long, hide_short_help = true)]
    pub metadata_dump: bool,
}

/// What `fanfare doc` is to show.
#[derive(Debug)]
pub struct DocCommand {
    pub topic: DocTopic,
    pub names: Vec<String>,
    pub format: DocFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocTopic {
    Module,
    Keyword,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocFormat {
    /// One line each; the names narrow the list down.
    List,
    ListJson,
    Page,
    PageJson,
    Snippet,
}

impl DocArgs {
    pub(super) fn settle(self, config: &mut Config) -> Result<DocCommand> {
        refuse("-M (--module-path)", !self.module_path.is_empty())?;
        refuse("-F (--list_files)", self.list_files)?;
        refuse("-e (--entry-point)", self.entry_point.is_some())?;
        refuse("-r (--roles-path)", !self.roles_path.is_empty())?;
        refuse("--playbook-dir", self.playbook_dir.is_some())?;
        refuse("--metadata-dump", self.metadata_dump)?;
        self.verbosity.settle(config);
        let topic = match self.r#type.as_str() {
            "module" => DocTopic::Module,
            "keyword" => DocTopic::Keyword,
            other => {
                return Err(Diagnostic::new(format!("not supported yet: -t {other}"))
                    .hint("documentation is there for `module` and `keyword`"));
            }
        };
        let format = match (self.list || self.names.is_empty(), self.json, self.snippet) {
            (true, true, _) => DocFormat::ListJson,
            (true, false, _) => DocFormat::List,
            (false, true, _) => DocFormat::PageJson,
            (false, false, true) => DocFormat::Snippet,
            (false, false, false) => DocFormat::Page,
        };
        Ok(DocCommand { topic, names: self.names, format })
    }
}
