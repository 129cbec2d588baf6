//! `vault`, `unvault`: for the time there is a vault.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("unvault", &["*", "**"], unavailable),
    FilterEntry::new("vault", &["*", "**"], unavailable),
];

fn unavailable(_: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Err(Diagnostic::new("vaults are not available yet")
        .hint("This version of fanfare can neither encrypt nor decrypt."))
}
