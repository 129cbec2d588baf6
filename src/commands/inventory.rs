use super::Exit;
use crate::cli::InventoryCommand;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};

pub(super) fn inventory(_command: InventoryCommand, _config: Config) -> Result<Exit> {
    Err(Diagnostic::new("not supported yet: inventory"))
}
