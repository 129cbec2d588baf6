use super::Exit;
use crate::cli::DocCommand;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};

pub(super) fn doc(_command: DocCommand, _config: Config) -> Result<Exit> {
    Err(Diagnostic::new("not supported yet: doc"))
}
