use super::Exit;
use crate::cli::AdhocCommand;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};

pub(super) fn adhoc(_command: AdhocCommand, _config: Config) -> Result<Exit> {
    Err(Diagnostic::new("not supported yet: adhoc"))
}
