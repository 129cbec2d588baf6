use super::Exit;
use crate::cli::RunCommand;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};

pub(super) fn run(_command: RunCommand, _config: Config) -> Result<Exit> {
    Err(Diagnostic::new("not supported yet: run"))
}
