use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Runs a playbook through ansible-playbook and fanfare, and tells what differs
///
/// Both only check, so that no host is changed, and what they foretell is compared: the exit code, the counts, and
/// each task's status and result on each host. With --apply, ansible-playbook runs the playbook first, and what
/// either tool would still do after that is compared, in runs that are real, too:
///
///     fanfare compare -i hosts site.yml
///     fanfare compare --apply -i test-hosts site.yml -e version=3
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct CompareArgs {
    /// Lets ansible-playbook change the hosts first, then compares real runs of both
    #[arg(long)]
    pub apply: bool,
    /// The ansible-playbook to compare with; that on PATH when not given
    #[arg(long, value_name = "PATH", default_value = "ansible-playbook")]
    pub ansible: PathBuf,
    /// The playbook, and options that both tools take, as for `fanfare run`
    #[arg(
        value_name = "PLAYBOOK AND OPTIONS",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true
    )]
    pub args: Vec<OsString>,
}
