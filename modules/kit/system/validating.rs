//! Commands that check a file before it is put in place.

use std::path::Path;

use crate::kit::command::Command;
use crate::kit::outcome::{Failure, Result};
use crate::kit::system::System;

impl System<'_> {
    pub(super) fn validate(&mut self, command: &str, draft: &Path) -> Result<()> {
        if !command.contains("%s") {
            return Err(Failure::new(format!("validate must contain %s: {command}")));
        }
        let line = command.replace("%s", &draft.to_string_lossy());
        let words = crate::kit::words::split(&line)
            .map_err(|why| Failure::new(format!("validate is no command ({why}): {command}")))?;
        let output = self.query(Command::default().args(words)).map_err(|failure| {
            let failure = Failure { msg: format!("Error executing command: {}", failure.msg), ..failure };
            let rc = failure.errno.unwrap_or(1);
            failure.with("cmd", &line).with("rc", rc).with("stdout", "").with("stderr", "")
        })?;
        if output.ok() {
            return Ok(());
        }
        let said = [output.stderr(), output.stdout()].map(|text| text.trim().to_owned());
        let said = said.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        Err(Failure::new(format!("failed to validate: rc:{} error:{said}", output.code))
            .with("exit_status", output.code)
            .with("stdout", output.stdout())
            .with("stderr", output.stderr()))
    }
}
