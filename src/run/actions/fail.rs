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
    let mut raw = Raw::failed("Failed as requested from task");
    if let Some(message) = call.args.get("msg").filter(|message| !message.is_none()) {
        raw.set("msg", message.clone());
    }
    raw.set("changed", false);
    Ok(raw)
}
