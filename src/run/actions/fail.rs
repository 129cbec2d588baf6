//! `fail`: fails with a message.

use super::manual::{Manual, Opt, What};
use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::outcome::Raw;

pub(super) const MANUAL: Manual = Manual {
    text: "Fails with a message.\n\nMeant to stand behind a `when`.",
    options: &[Opt::new("msg", What::Text, "Why.").or("Failed as requested from task")],
    open: false,
    examples: "- name: Only in the right place\n  fail: {msg: 'The system may not be provisioned: {{ cmdb_status }}'}\n  when: cmdb_status != 'to-be-staged'\n",
};

#[expect(clippy::unnecessary_wraps, reason = "the signature of all actions")]
pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let mut raw = Raw::failed(call.text("msg").unwrap_or_else(|| "Failed as requested from task".to_owned()));
    raw.set("changed", false);
    Ok(raw)
}
