//! `config`: settings of Ansible, which templates cannot see yet.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry {
    name: "config",
    params: &["on_missing", "plugin_type", "plugin_name", "show_origin"],
    run: config,
};

fn config(_: &[Value], _: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    Err(Diagnostic::new("the lookup 'config' is not supported yet")
        .hint("Say what the playbook needs in a variable."))
}
