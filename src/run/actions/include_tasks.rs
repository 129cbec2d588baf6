//! `include_tasks`: brings a file's tasks in.

use super::manual::{Manual, Opt, What};
use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::include;
use crate::run::outcome::{Included, Raw};

pub(super) const MANUAL: Manual = Manual {
    text: "Brings in the tasks of a file while the play runs.\n\nWhich file, and whether, may depend on facts and loops. See \
           `import_tasks` for what is known beforehand.",
    options: &[
        Opt::new("file", What::Text, "The file. Usually given without a name: `include_tasks: stuff.yml`."),
        Opt::new("apply", What::Mapping, "Keywords for each of its tasks: `tags`, `become` and so on."),
    ],
    open: false,
    examples: "- name: What this distribution needs\n  include_tasks: '{{ ansible_facts.os_family }}.yml'\n",
};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let file = call
        .text("_raw_params")
        .or_else(|| call.text("file"))
        .ok_or_else(|| call.misuse("No file specified for include_tasks"))?;
    let file = file.trim().to_owned();
    let tags = include::applied_tags(call)?;
    Ok(Raw { inclusion: Some(Included::Tasks { file, tags }), ..Raw::default() })
}
