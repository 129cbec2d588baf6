//! `url`: pages of the web, which this version cannot fetch.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "url", params: &["**"], run: url };

fn url(_: &[Value], _: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    Err(Diagnostic::new("the lookup 'url' is not supported yet")
        .hint("Fetch the page with curl: lookup('pipe', 'curl -fsS …').")
        .hint("Or fetch it into a file with get_url, delegated to localhost."))
}
