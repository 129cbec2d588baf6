//! From a configuration to a run that can start: what `run` and ad-hoc commands have in common.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{AnyOutput, Exit, Stage, interrupt};
use crate::config::{Config, FactCacheOptions, ask};
use crate::diagnostic::{Diagnostic, Result};
use crate::inventory::Inventory;
use crate::output;
use crate::playbook::{LoadOptions, Loader, Playbook, Purpose};
use crate::run::actions::Library;
use crate::run::event::Event;
use crate::run::{self, Backlog, Outbox, RunOptions, Shared};
use crate::target::{self, Asker, Links, NoteTaker, Secret, Surroundings};
use crate::vars::{FactCache, Hosts, RunFacts};

/// A run about to start.
pub(super) struct Engine {
    pub inventory: Inventory,
    pub loader: Loader,
    config: Config,
}

impl Engine {
    /// Loads the inventory; playbooks are loaded with the loader.
    pub fn new(config: Config) -> Result<Self> {
        Self::load(config.for_run()?, Purpose::Run)
    }

    /// For listings, which show what Ansible's show: a source that cannot be read, and what a run could not do, are
    /// warnings.
    pub fn for_listing(mut config: Config) -> Result<Self> {
        config.inventory.any_unparsed_is_failed.get_or_insert(false);
        config.warnings.append(&mut config.refused);
        Self::load(config, Purpose::Listing)
    }

    fn load(mut config: Config, purpose: Purpose) -> Result<Self> {
        let (inventory, warnings) = Inventory::load(&config.inventory)?;
        config.warnings.extend(warnings);
        let loader = Loader::new(LoadOptions {
            private_role_vars: config.run.private_role_vars,
            actions: Arc::new(Library),
            roles_path: config.run.roles_path.clone(),
            collections_path: config.run.collections_path.clone(),
            module_path: config.run.module_path.clone(),
            module_utils_path: config.run.module_utils_path.clone(),
            action_path: config.run.action_path.clone(),
            extra_vars: Arc::new(config.run.extra_vars.clone()),
            groups: match purpose {
                Purpose::Run => Arc::default(),
                Purpose::Listing => inventory.groups_dict(),
            },
            purpose,
        });
        Ok(Self { inventory, loader, config })
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Warns once the output is up.
    pub fn warn(&mut self, warning: Diagnostic) {
        self.config.warnings.push(warning);
    }

    /// That `--limit` leaves hosts to target. Where the inventory has none, there is still the implicit localhost.
    pub fn check_limit(&mut self) -> Result<()> {
        let (limit, has_hosts) = (&self.config.inventory.limit, self.inventory.hosts().next().is_some());
        if limit.is_empty() {
            return Ok(());
        }
        let narrowed = self.inventory.select("all", limit)?;
        if !narrowed.hosts.is_empty() || !has_hosts {
            return Ok(());
        }
        self.config.warnings.extend(narrowed.judge(self.config.inventory.on_mismatch)?);
        output::announce(&self.config);
        Err(Diagnostic::new(
            "Specified inventory, host pattern and/or --limit leaves us with no hosts to target.",
        ))
    }

    /// Runs playbooks to the end and tells the callbacks.
    pub fn run(
        mut self,
        stage: Stage,
        playbooks: Vec<Playbook>,
        files: Vec<String>,
        start_at: Option<String>,
        step: bool,
    ) -> Result<Exit> {
        self.check_limit()?;
        let Self { inventory, loader, mut config } = self;
        let chosen = config.run.forks;
        let forks = *config.run.forks.get_or_insert_with(target::limits::forks);
        let (events, received) = channel();
        let mut output = (stage.output)(&config)?;
        output.announce(&config);
        let backlog = Arc::new(Backlog::default());
        let consumer = consume(received, output, Arc::clone(&backlog))?;
        for warning in loader.take_warnings() {
            // The consumer lives until the run ends.
            let _ = events.send(Event::Warning(warning));
        }
        let plays = playbooks.iter().map(|playbook| playbook.plays.len()).collect();
        let _ = events.send(Event::RunStarted { files, plays });
        let facts = RunFacts {
            forks: i64::try_from(forks.get()).unwrap_or(i64::MAX),
            verbosity: i64::from(config.display.verbosity),
            limit: Some(config.inventory.limit.join(",")).filter(|limit| !limit.is_empty()),
            run_tags: if config.run.tags.is_empty() {
                vec!["all".to_owned()]
            } else {
                config.run.tags.clone()
            },
            skip_tags: config.run.skip_tags.clone(),
            inventory_sources: config.inventory.sources.clone(),
            config_file: config.file.as_ref().map(|path| path.to_string_lossy().into_owned()),
        };
        let extra_vars = Arc::new(config.run.extra_vars.clone());
        let options = RunOptions {
            run: config.run,
            connection: config.connection,
            escalation: config.escalation,
            inventory: config.inventory,
            verbosity: config.display.verbosity,
            start_at,
            step,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Diagnostic::new(format!("cannot start: {error}")))?;
        let notes = (options.verbosity > 0).then(|| note_taker(events.clone()));
        let surroundings = Surroundings {
            workers: options.connection.worker_dir.clone(),
            ask: Some(asker(events.clone())),
            ..Surroundings::real()
        };
        let links = Links::with(surroundings, stage.lab, notes);
        if let Some(chosen) = chosen {
            links.allow_here(chosen.get());
        }
        let hosts = Hosts::with(fact_cache(&options.run.fact_cache, &inventory, &events)?);
        let mut shared =
            Shared::new(options, inventory, loader, links, extra_vars, facts, Outbox::new(events, &backlog));
        shared.hosts = hosts;
        let shared = Arc::new(shared);
        let run = || runtime.block_on(async { Ok(run::run(shared, playbooks, interrupt::first()?).await) });
        let end: io::Result<_> = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("run".to_owned()).stack_size(STACK);
            let running = thread.spawn_scoped(scope, run)?;
            running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        // The senders are gone with the run: the consumer shows what is left and ends.
        let shown = consumer.join();
        // Until here, a second Ctrl-C finds somebody who listens.
        runtime.shutdown_background();
        let end = end.map_err(|error| Diagnostic::new(format!("cannot start: {error}")))?;
        if let Some(error) = end.error {
            return Err(error);
        }
        match shown {
            Ok(written) => written?,
            Err(_) => return Ok(Exit::Unexpected),
        }
        Ok(Exit::of_run(&end.lost, end.interrupted))
    }
}

/// Includes within includes are calls within calls. Only what is used of it becomes memory.
const STACK: usize = 256 << 20;

/// Shows events on their way: one loop, one order.
fn consume(
    events: Receiver<Event>,
    output: AnyOutput,
    backlog: Arc<Backlog>,
) -> Result<JoinHandle<Result<()>>> {
    let mut output = output;
    let show = move || {
        for event in events {
            output.on(&event);
            backlog.shown();
            match event {
                // Whoever asked is gone when this fails.
                Event::Flush(done) => drop(mpsc::Sender::send(&done, ())),
                Event::RunEnded { .. } => break,
                _ => {}
            }
        }
        output.finish().map(drop)
    };
    std::thread::Builder::new()
        .name("output".to_owned())
        .spawn(show)
        .map_err(|error| Diagnostic::new(format!("cannot start: {error}")))
}

/// Where facts are kept between runs, if they are.
fn fact_cache(
    options: &FactCacheOptions,
    inventory: &Inventory,
    events: &Sender<Event>,
) -> Result<Option<FactCache>> {
    if !options.in_files {
        return Ok(None);
    }
    let Some(directory) = &options.directory else {
        return Err(Diagnostic::new("defaults.fact_caching: jsonfile needs fact_caching_connection")
            .hint("it is the directory in which the facts are kept"));
    };
    let events = events.clone();
    // The consumer lives until the run ends.
    let complain = move |error| drop(events.send(Event::Warning(error)));
    let lifetime = Some(options.timeout).filter(|seconds| *seconds > 0).map(Duration::from_secs);
    let cache = FactCache::open(directory, &options.prefix, lifetime, Box::new(complain))?;
    if options.flush {
        inventory.hosts().for_each(|(host, _)| cache.forget(host));
        cache.forget("localhost");
    }
    Ok(Some(cache))
}

/// Shows what is remarkable about connections.
/// Asks on the terminal once all earlier output is out.
fn asker(events: Sender<Event>) -> Asker {
    Arc::new(move |prompt| {
        let (done, seen) = mpsc::channel();
        // The consumer lives until the run ends.
        let _ = events.send(Event::Flush(done));
        let _ = seen.recv();
        ask(prompt).ok().map(Secret::new)
    })
}

fn note_taker(events: Sender<Event>) -> NoteTaker {
    Arc::new(move |host, text| {
        // The consumer lives until the run ends.
        let _ = events.send(Event::Warning(Diagnostic::new(format!("{host}: {text}"))));
    })
}
