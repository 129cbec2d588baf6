//! `include_tasks`: brings a file's tasks in.

use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::outcome::{Included, Raw};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let file = call
        .text("_raw_params")
        .or_else(|| call.text("file"))
        .ok_or_else(|| call.misuse("No file specified for include_tasks"))?;
    let file = file.trim().to_owned();
    Ok(Raw { inclusion: Some(Included::Tasks { file }), ..Raw::default() })
}
