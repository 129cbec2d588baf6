//! The settings in groups, typed, with Ansible's defaults.

#![expect(clippy::struct_excessive_bools, reason = "each is a setting of the user's")]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::ConnectionKind;
use crate::inventory::Plugin;
use crate::target::Secret;
use crate::value::Dict;
use crate::yaml::Duplicates;

/// Where hosts come from and which are meant.
#[derive(Clone, Debug)]
pub struct InventoryOptions {
    /// Files, directories, scripts, or host lists (with a comma), as `-i` takes them.
    pub sources: Vec<String>,
    /// `--limit`, each as given; a host must match all of them.
    pub limit: Vec<String>,
    /// File name endings that a directory of sources leaves out.
    pub ignore_extensions: Vec<String>,
    /// Regular expressions for file names that a directory of sources leaves out.
    pub ignore_patterns: Vec<String>,
    /// What may read them, in the order in which it is tried.
    pub plugins: Vec<Plugin>,
    /// `-e`, for plugins that work with variables.
    pub extra_vars: Arc<Dict>,
    /// Whether it is an error when no source could be read.
    pub unparsed_is_failed: bool,
    /// Whether it is an error when any source could not be read. Ansible's default is no: it warns and goes on
    /// with the hosts it has, or with none at all and a success. Ours is yes, unless called by Ansible's name.
    pub any_unparsed_is_failed: Option<bool>,
    /// What a pattern that matches nothing is.
    pub on_mismatch: OnMismatch,
    /// Whether `fanfare inventory --list` shows variables where they are set.
    pub export: bool,
    pub unparsed_warning: bool,
    /// Whether dictionaries of one name from several sources are laid over each other.
    pub merges: bool,
    pub group_names: GroupNames,
}

/// What becomes of names of groups that no variable could have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupNames {
    /// They stay, with a warning.
    #[default]
    Keep,
    KeepSilently,
    /// Each wrong character becomes `_`.
    Replace,
    ReplaceSilently,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMismatch {
    Error,
    Ignore,
    #[default]
    Warning,
}

impl Default for InventoryOptions {
    fn default() -> Self {
        let endings =
            [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];
        Self {
            sources: vec!["/etc/ansible/hosts".to_owned()],
            limit: Vec::new(),
            ignore_extensions: endings.map(str::to_owned).to_vec(),
            ignore_patterns: Vec::new(),
            plugins: Plugin::USUAL.to_vec(),
            extra_vars: Arc::default(),
            unparsed_is_failed: false,
            any_unparsed_is_failed: None,
            on_mismatch: OnMismatch::default(),
            export: false,
            unparsed_warning: true,
            merges: false,
            group_names: GroupNames::default(),
        }
    }
}

/// How to connect, where neither inventory nor play say otherwise.
#[derive(Debug)]
pub struct ConnectionOptions {
    pub kind: ConnectionKind,
    pub user: Option<String>,
    pub port: Option<u16>,
    pub private_key: Option<PathBuf>,
    /// The text of a key, and its passphrase.
    pub key: Option<Secret>,
    pub passphrase: Option<Secret>,
    pub timeout: Duration,
    pub host_key_checking: bool,
    /// Unparsed options of ssh: `-o ProxyJump=bastion`.
    pub ssh_args: String,
    pub ssh_common_args: String,
    pub ssh_extra_args: String,
    /// The program of `connection: openssh`.
    pub ssh_executable: String,
    /// How often a failed connection is tried again.
    pub retries: u32,
    /// Where on the target the worker is kept, before the usual places.
    pub remote_tmp: Option<String>,
    /// Whether the worker stays on the target for the next run.
    pub worker_cache: bool,
    /// Where workers for other systems are than those this program carries.
    pub worker_dir: Option<PathBuf>,
    pub ask_password: bool,
    pub password: Option<Secret>,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            kind: ConnectionKind::Ssh,
            user: None,
            port: None,
            private_key: None,
            key: None,
            passphrase: None,
            timeout: Duration::from_secs(10),
            host_key_checking: true,
            ssh_args: String::new(),
            ssh_common_args: String::new(),
            ssh_extra_args: String::new(),
            ssh_executable: "ssh".to_owned(),
            retries: 0,
            remote_tmp: None,
            worker_cache: true,
            worker_dir: None,
            ask_password: false,
            password: None,
        }
    }
}

/// `become`, where neither inventory nor play say otherwise.
#[derive(Debug)]
pub struct EscalationOptions {
    pub r#become: bool,
    pub method: String,
    pub user: String,
    pub exe: Option<String>,
    pub flags: Option<String>,
    pub ask_password: bool,
    pub password: Option<Secret>,
    /// What holds for one method alone; it wins over the above.
    pub sudo: MethodOptions,
    pub su: MethodOptions,
}

/// How one method of becoming another user is called.
#[derive(Debug, Default)]
pub struct MethodOptions {
    pub user: Option<String>,
    pub exe: Option<String>,
    pub flags: Option<String>,
    pub password: Option<Secret>,
    pub chdir: Option<String>,
    /// How it asks for the password, where not by a colon.
    pub prompts: Vec<String>,
}

impl EscalationOptions {
    /// What holds for that method alone.
    pub fn of(&self, method: &str) -> &MethodOptions {
        const NOTHING: &MethodOptions = &MethodOptions {
            user: None,
            exe: None,
            flags: None,
            password: None,
            chdir: None,
            prompts: Vec::new(),
        };
        match method {
            "sudo" => &self.sudo,
            "su" => &self.su,
            _ => NOTHING,
        }
    }
}

impl Default for EscalationOptions {
    fn default() -> Self {
        Self {
            r#become: false,
            method: "sudo".to_owned(),
            user: "root".to_owned(),
            exe: None,
            flags: None,
            ask_password: false,
            password: None,
            sudo: MethodOptions::default(),
            su: MethodOptions::default(),
        }
    }
}

/// How a run goes about its work.
#[derive(Debug)]
pub struct RunOptions {
    /// How many hosts work at the same time; where nobody says, what this machine allows.
    pub forks: Option<NonZeroUsize>,
    pub check: bool,
    pub diff: bool,
    /// Hears what commands say while they run: to show it, or to log it.
    pub hear: bool,
    /// Lines around a change in a diff.
    pub diff_context: usize,
    pub extra_vars: Dict,
    /// Empty means all.
    pub tags: Vec<String>,
    pub skip_tags: Vec<String>,
    pub force_handlers: bool,
    /// Otherwise a handler that is notified and is not there is a warning.
    pub error_on_missing_handler: bool,
    pub any_errors_fatal: bool,
    /// Whether the variables of roles are seen by their roles alone; where nothing is said, those of `include_role` are.
    pub private_role_vars: Option<bool>,
    /// Whether a condition may have any result, of which Python's truth counts.
    pub broken_conditionals: bool,
    pub duplicate_keys: Duplicates,
    pub strategy: Strategy,
    /// The task debugger, wherever a task fails or its host cannot be reached.
    pub debugger: bool,
    /// Not where the failure is ignored.
    pub debugger_ignores_errors: bool,
    pub gathering: Gathering,
    pub fact_cache: FactCacheOptions,
    /// Seconds after which a task fails.
    pub task_timeout: Option<u64>,
    /// Seconds between looks at a task in the background.
    pub poll_interval: u64,
    /// Where the targets keep what they know of tasks in the background.
    pub async_dir: String,
    /// The shell of `shell` and `raw`, where it is another than `/bin/sh`.
    pub executable: Option<String>,
    pub no_log: bool,
    /// Python on the targets, for custom modules; what begins with `auto` is looked for there.
    pub python: Option<String>,
    /// Whether dictionaries of one name are laid over each other, instead of the strongest hiding the others.
    pub merges: bool,
    pub roles_path: Vec<PathBuf>,
    /// Directories that hold `ansible_collections/`.
    pub collections_path: Vec<PathBuf>,
    /// Directories of custom modules, and of what they import.
    pub module_path: Vec<PathBuf>,
    pub module_utils_path: Vec<PathBuf>,
    /// Directories of action plugins: they cannot run, but are no misspellings.
    pub action_path: Vec<PathBuf>,
    /// Where group_vars and host_vars are looked for when there is no playbook.
    pub playbook_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    #[default]
    Linear,
    Free,
    /// Linear, with the task debugger where a task fails.
    Debug,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gathering {
    /// Unless the play says no.
    #[default]
    Implicit,
    /// Only when the play says yes.
    Explicit,
    /// As implicit, once per host.
    Smart,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            forks: None,
            check: false,
            diff: false,
            hear: false,
            diff_context: 3,
            extra_vars: Dict::new(),
            tags: Vec::new(),
            skip_tags: Vec::new(),
            force_handlers: false,
            error_on_missing_handler: true,
            any_errors_fatal: false,
            private_role_vars: None,
            broken_conditionals: false,
            duplicate_keys: Duplicates::default(),
            strategy: Strategy::default(),
            debugger: false,
            debugger_ignores_errors: true,
            gathering: Gathering::default(),
            fact_cache: FactCacheOptions::default(),
            task_timeout: None,
            poll_interval: 15,
            async_dir: "~/.ansible_async".to_owned(),
            executable: None,
            no_log: false,
            python: None,
            merges: false,
            roles_path: Vec::new(),
            collections_path: Vec::new(),
            module_path: Vec::new(),
            module_utils_path: Vec::new(),
            action_path: Vec::new(),
            playbook_dir: None,
        }
    }
}

/// Whether facts are kept between runs, and where.
#[derive(Debug)]
pub struct FactCacheOptions {
    pub in_files: bool,
    pub directory: Option<PathBuf>,
    /// What the names of the files begin with.
    pub prefix: String,
    /// For how many seconds facts count; 0 for ever.
    pub timeout: u64,
    /// `--flush-cache`: what is known is forgotten before the run.
    pub flush: bool,
}

impl Default for FactCacheOptions {
    fn default() -> Self {
        Self { in_files: false, directory: None, prefix: String::new(), timeout: 86400, flush: false }
    }
}

/// What is told and how it looks.
#[derive(Clone, Debug)]
pub struct DisplayOptions {
    /// How many `-v`.
    pub verbosity: u8,
    pub colour: Colour,
    /// The name of the callback that writes to stdout: a row of the table in `output`. Ad-hoc commands have their
    /// own, as in Ansible, unless `adhoc_callbacks` says that they have this one, too.
    pub callback: String,
    pub adhoc_callbacks: bool,
    /// Callbacks beside that one, by name.
    pub callbacks_enabled: Vec<String>,
    pub profile: ProfileOptions,
    /// Shows what commands say while they run.
    pub follow: bool,
    /// Shows hosts that say the same as one.
    pub fold: bool,
    /// A file that gets what the run shows, too.
    pub log_path: Option<PathBuf>,
    /// Where the callback `log_plays` keeps them.
    pub log_folder: PathBuf,
    /// A directory that gets a file a host with what became of its tasks.
    pub host_logs: Option<PathBuf>,
    pub result_format: ResultFormat,
    /// Whether results are spread over lines; `None` leaves it to the verbosity.
    pub pretty_results: Option<bool>,
    pub result_indentation: usize,
    /// Whether a result's messages and outputs stand below it as they are.
    pub texts_apart: bool,
    pub ok_hosts: bool,
    pub skipped_hosts: bool,
    pub included_hosts: bool,
    pub failed_to_stderr: bool,
    pub custom_stats: bool,
    pub check_mode_markers: bool,
    pub task_path_on_failure: bool,
    pub per_host_start: bool,
    pub deprecation_warnings: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` say otherwise.
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResultFormat {
    #[default]
    Json,
    Yaml,
}

/// What the callback `profile_tasks` shows.
#[derive(Clone, Debug)]
pub struct ProfileOptions {
    /// How many tasks its summary names.
    pub limit: usize,
    pub order: ProfileOrder,
    pub summary_only: bool,
    /// For `strftime`.
    pub datetime_format: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileOrder {
    Descending,
    Ascending,
    AsRun,
}

/// The callback that keeps a log for each host.
pub const LOG_PLAYS: &str = "log_plays";

impl DisplayOptions {
    /// Whether a callback is enabled, by its short name.
    pub fn enables(&self, callback: &str) -> bool {
        self.callbacks_enabled.iter().any(|name| short_name(name) == callback)
    }
}

/// The last part of a name like `community.general.log_plays`.
pub fn short_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

impl Default for ProfileOptions {
    fn default() -> Self {
        Self {
            limit: 20,
            order: ProfileOrder::Descending,
            summary_only: false,
            datetime_format: "%A %d %B %Y  %H:%M:%S %z".to_owned(),
        }
    }
}

impl Default for DisplayOptions {
    fn default() -> Self {
        Self {
            verbosity: 0,
            colour: Colour::default(),
            callback: "default".to_owned(),
            adhoc_callbacks: false,
            callbacks_enabled: Vec::new(),
            profile: ProfileOptions::default(),
            follow: false,
            fold: false,
            log_path: None,
            log_folder: "/var/log/ansible/hosts".into(),
            host_logs: None,
            result_format: ResultFormat::default(),
            pretty_results: None,
            result_indentation: 4,
            texts_apart: false,
            ok_hosts: true,
            skipped_hosts: true,
            included_hosts: true,
            failed_to_stderr: false,
            custom_stats: false,
            check_mode_markers: false,
            task_path_on_failure: false,
            per_host_start: false,
            deprecation_warnings: true,
        }
    }
}
