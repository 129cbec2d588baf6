use std::path::PathBuf;

use super::engine::Engine;
use super::{Exit, Stage};
use crate::cli::AdhocCommand;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};
use crate::output;
use crate::playbook::Playbook;
use crate::template::Template;

pub(super) fn adhoc(command: AdhocCommand, config: Config, stage: Stage) -> Result<Exit> {
    let mut engine = Engine::new(config)?;
    if command.list_hosts {
        return list_hosts(&command.pattern, &engine);
    }
    let dir = match &engine.config().run.playbook_dir {
        Some(dir) => dir.clone(),
        None => std::env::current_dir()
            .map_err(|error| Diagnostic::new(format!("cannot find out the current directory: {error}")))?,
    };
    let args = command.args.unwrap_or_default();
    if args.trim().is_empty() && matches!(command.module.as_str(), "command" | "shell" | "raw" | "script") {
        return Err(Diagnostic::new(format!("No argument passed to {} module", command.module))
            .hint("give the command line with -a"));
    }
    // What a template stands for, the play finds out.
    if !Template::is_template(&command.pattern) {
        judge(&command.pattern, &mut engine)?;
    }
    let play = engine.loader.adhoc(&command.pattern, &command.module, &args, command.background, &dir)?;
    let playbook = Playbook { path: PathBuf::new(), plays: vec![play] };
    engine.run(stage, vec![playbook], Vec::new(), None, false)
}

/// Warns of a pattern that matches nothing.
fn judge(pattern: &str, engine: &mut Engine) -> Result<()> {
    let config = engine.config();
    let selection = engine.inventory.select(pattern, &config.inventory.limit)?;
    if selection.hosts.is_empty() {
        for warning in selection.judge(config.inventory.on_mismatch)? {
            engine.warn(warning);
        }
        engine.warn(Diagnostic::new("No hosts matched, nothing to do"));
    }
    Ok(())
}

fn list_hosts(pattern: &str, engine: &Engine) -> Result<Exit> {
    output::announce(engine.config());
    let selection = engine.inventory.select(pattern, &engine.config().inventory.limit)?;
    let mut lines = vec![format!("  hosts ({}):", selection.hosts.len())];
    lines.extend(selection.hosts.iter().map(|host| format!("    {host}")));
    output::print(&(lines.join("\n") + "\n"))?;
    Ok(Exit::Done)
}
