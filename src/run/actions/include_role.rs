//! `include_role`: brings a role's tasks in.

use super::manual::{Manual, ROLE_OPTIONS};
use crate::diagnostic::Result;
use crate::playbook::RoleRequest;
use crate::run::call::Call;
use crate::run::include;
use crate::run::outcome::{Included, Raw};

pub(super) const MANUAL: Manual = Manual {
    text: "Brings in a role's tasks while the play runs.\n\nWhich role, and whether, may depend on facts and loops. See \
           `import_role` for what is known beforehand.",
    options: ROLE_OPTIONS,
    open: false,
    examples: "- name: A role for each item\n  include_role: {name: '{{ item }}'}\n  loop: [common, web]\n",
};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let name = call
        .text("name")
        .or_else(|| call.text("role"))
        .ok_or_else(|| call.misuse("'name' is a required field for include_role."))?;
    let request = RoleRequest {
        name,
        tasks_from: call.text("tasks_from"),
        vars_from: call.text("vars_from"),
        defaults_from: call.text("defaults_from"),
        handlers_from: call.text("handlers_from"),
        allow_duplicates: call.flag("allow_duplicates", true)?,
        rolespec_validate: call.flag("rolespec_validate", true)?,
        tags: include::applied_tags(call)?,
    };
    let public = call.flag("public", call.job.batch.run.options.run.private_role_vars == Some(false))?;
    let rescuable = call.flag("rescuable", true)?;
    Ok(Raw { inclusion: Some(Included::Role { request, public, rescuable }), ..Raw::default() })
}
