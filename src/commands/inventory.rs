use std::path::Path;

use super::Exit;
use crate::cli::{InventoryCommand, InventoryFormat, InventoryView};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};
use crate::inventory::show::{self, View};
use crate::inventory::why::why;
use crate::inventory::{Inventory, Selection};
use crate::output;

/// Shows what the inventory says.
pub(super) fn inventory(command: &InventoryCommand, mut config: Config) -> Result<Exit> {
    let (inventory, warnings) = Inventory::load(&config.inventory)?;
    config.warnings.extend(warnings);
    let limit = limit(&inventory, &mut config)?;
    let export = match &command.view {
        InventoryView::List { export } | InventoryView::Host { export, .. } => *export,
        InventoryView::Graph { .. } | InventoryView::Why { .. } => false,
    };
    let view = View {
        // The current directory stands in for a playbook's, as with an ad-hoc command.
        playbook_dir: config.run.playbook_dir.as_deref().or(Some(Path::new("."))),
        limit: limit.as_ref(),
        export,
        extra_vars: &config.run.extra_vars,
        merges: config.run.merges,
    };
    let is_yaml = command.format == InventoryFormat::Yaml;
    let text = match &command.view {
        InventoryView::List { .. } if is_yaml => show::list_yaml(&inventory, &view)?,
        InventoryView::List { .. } => show::list(&inventory, &view)?,
        InventoryView::Host { name, .. } => {
            if !inventory.is_known(name) {
                return Ok(refuse(&unknown("host", name), &config));
            }
            show::host(&inventory, name, is_yaml, &view)?
        }
        InventoryView::Why { variable, host } => {
            if !inventory.is_known(host) {
                return Ok(refuse(&unknown("host", host), &config));
            }
            why(&inventory, variable, host, &view)?
        }
        InventoryView::Graph { group, vars } => {
            let group = group.as_deref().unwrap_or("all");
            if inventory.group(group).is_none() {
                let error = unknown("group", group);
                return Ok(refuse(
                    &error.hint("--graph starts from a group; `--host NAME` shows a host"),
                    &config,
                ));
            }
            show::graph(&inventory, group, *vars, &view)?
        }
    };
    let found = inventory.take_warnings();
    config.warnings.extend(found);
    output::announce(&config);
    match &command.output {
        // As Ansible's, whose last line has no end in a file; YAML's has.
        Some(path) => std::fs::write(path, if is_yaml { &text } else { text.trim_end_matches('\n') })
            .map_err(|error| Diagnostic::new(format!("could not write {}: {error}", path.display())))?,
        None => output::print(&text)?,
    }
    Ok(Exit::Done)
}

/// The hosts that `--limit` leaves, when it is given.
fn limit(inventory: &Inventory, config: &mut Config) -> Result<Option<Selection>> {
    if config.inventory.limit.is_empty() {
        return Ok(None);
    }
    let selection = inventory.select("all", &config.inventory.limit)?;
    config.warnings.extend(selection.judge(config.inventory.on_mismatch)?);
    Ok(Some(selection))
}

fn unknown(what: &str, name: &str) -> Diagnostic {
    Diagnostic::new(format!("no {what} `{name}` in the inventory"))
}

/// A name that nobody knows is a mistake on the command line.
fn refuse(error: &Diagnostic, config: &Config) -> Exit {
    output::announce(config);
    output::report_error(error);
    Exit::Usage
}
