//! `fail`: fails with a message.

use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::outcome::Raw;

#[expect(clippy::unnecessary_wraps, reason = "the signature of all actions")]
pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let mut raw = Raw::failed(call.text("msg").unwrap_or_else(|| "Failed as requested from task".to_owned()));
    raw.set("changed", false);
    Ok(raw)
}
