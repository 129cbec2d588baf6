use super::{Layer, Setting};

/// The keywords that plays, roles, blocks and tasks share, as they are in force where they stand: what the
/// enclosing ones say is already merged in. Lists run from the outermost to the innermost.
#[derive(Clone, Debug, Default)]
pub struct Keywords {
    pub connection: Option<Setting>,
    pub port: Option<Setting>,
    pub remote_user: Option<Setting>,
    pub r#become: Option<Setting>,
    pub become_method: Option<Setting>,
    pub become_user: Option<Setting>,
    pub become_exe: Option<Setting>,
    pub become_flags: Option<Setting>,
    pub check_mode: Option<Setting>,
    pub diff: Option<Setting>,
    pub no_log: Option<Setting>,
    pub ignore_errors: Option<Setting>,
    pub ignore_unreachable: Option<Setting>,
    pub any_errors_fatal: Option<Setting>,
    pub run_once: Option<Setting>,
    pub throttle: Option<Setting>,
    pub debugger: Option<Setting>,
    pub timeout: Option<Setting>,
    pub delegate_to: Option<Setting>,
    pub delegate_facts: Option<Setting>,
    pub environment: Vec<Setting>,
    pub module_defaults: Vec<Setting>,
    pub when: Vec<Setting>,
    pub tags: Vec<Setting>,
    /// What tasks notify: the enclosing blocks' and their own.
    pub notify: Vec<Setting>,
    /// Vars of the enclosing blocks and includes, then the task's own. Not the play's, not the roles'.
    pub vars: Vec<Layer>,
    /// Vars given on enclosing dynamic includes (level 21, above `set_fact`); they stand in `vars` too.
    pub params: Vec<Layer>,
}
