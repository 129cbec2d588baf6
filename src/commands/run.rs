use std::path::Path;

use super::engine::Engine;
use super::{Exit, Stage};
use crate::cli::{self, RunCommand};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};
use crate::output;
use crate::playbook::{self, Listing, Play, Playbook};
use crate::value::Value;

pub(super) fn run(command: RunCommand, config: Config, stage: Stage) -> Result<Exit> {
    let is_listing = command.listing.any() || command.syntax_check;
    let mut engine = if is_listing { Engine::for_listing(config)? } else { Engine::new(config)? };
    let playbooks =
        command.playbooks.iter().map(|path| load(&engine, path)).collect::<Result<Vec<Playbook>>>()?;
    if is_listing {
        engine.check_limit()?;
        engine.loader.take_warnings().into_iter().for_each(|warning| engine.warn(warning));
        return list(&command, &engine, &playbooks);
    }
    if let Some(wanted) = &command.start_at_task {
        playbook::find_start(&playbooks, wanted)?;
    }
    for warning in playbook::unknown_tags(&playbooks, &engine.config().run.tags) {
        engine.warn(warning);
    }
    let files = command.playbooks.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    engine.run(stage, playbooks, files, command.start_at_task, command.step)
}

fn load(engine: &Engine, path: &Path) -> Result<Playbook> {
    if !path.exists() && engine.loader.collected(path).is_none() {
        return Err(Diagnostic::new(format!("the playbook: {} could not be found", path.display())));
    }
    engine.loader.playbook(path)
}

fn list(command: &RunCommand, engine: &Engine, playbooks: &[Playbook]) -> Result<Exit> {
    output::announce(engine.config());
    let options = &engine.config().run;
    let wanted = if command.syntax_check { cli::Listing::default() } else { command.listing };
    let listing = Listing {
        hosts: wanted.hosts,
        tasks: wanted.tasks,
        tags: wanted.tags,
        only: &options.tags,
        skip: &options.skip_tags,
    };
    for (path, loaded) in command.playbooks.iter().zip(playbooks) {
        let hosts_of = |play: &Play| hosts_of(engine, play);
        let shown = path.to_string_lossy();
        output::print(&playbook::list(&engine.loader, loaded, &shown, &listing, &hosts_of)?)?;
    }
    Ok(Exit::Done)
}

/// The hosts of a play, for listings: one whose pattern cannot be understood has none.
fn hosts_of(engine: &Engine, play: &Play) -> Vec<String> {
    let pattern = match engine.loader.play_value(play, &play.hosts) {
        Ok(Value::List(items)) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        Ok(omitted) if omitted.is_omit() => return Vec::new(),
        Ok(single) => single.to_string(),
        Err(_) => return Vec::new(),
    };
    let selection = engine.inventory.select(&pattern, &engine.config().inventory.limit);
    selection
        .map_or_else(|_| Vec::new(), |selection| selection.hosts.iter().map(ToString::to_string).collect())
}
