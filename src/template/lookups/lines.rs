//! `lines`: the lines that a command on the control node prints.

use super::pipe::run;
use super::search::base;
use crate::diagnostic::Result;
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "lines", params: &[], run: lines };

fn lines(terms: &[Value], _: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let directory = base(context);
    let mut lines = Vec::new();
    for term in super::items::flattened(terms) {
        let output = run(super::search::text(&term)?, "lines", &directory)?;
        lines.extend(output.lines().map(|line| Value::from(line.trim_end())));
    }
    Ok(lines)
}
