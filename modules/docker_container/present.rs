//! A container as it is wanted, step by step.

use serde_json::{Map, Value as Json, json};

use super::compare::{Comparisons, Method};
use super::container::Container;
use super::lifecycle::Work;
use super::networks::Network;
use super::wish::Wish;
use super::{
    Args, NameMismatch, State, command, devices, environment, health, image, mounts, networks, plain, ports,
    versions,
};
use crate::docker::engine::Engine;
use crate::docker::{Told, text};
use crate::kit::{Command, Failure, Result, System};

pub fn run(args: &Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let comparisons = Comparisons::of(args)?;
    let engine = args.engine.open(sys)?;
    let mut work = Work { args, engine: &engine, told: Told::default(), sys };
    let mut returns = if args.state == State::Absent {
        absent(&mut work)?;
        Map::new()
    } else {
        present(&mut work, &comparisons)?
    };
    let Work { told, sys, .. } = work;
    if sys.is_check() || args.engine.debug {
        returns.insert("actions".to_owned(), told.actions.clone().into());
    }
    told.whole(args.engine.debug, sys);
    Ok(returns)
}

fn absent(work: &mut Work<'_, '_>) -> Result<()> {
    let container = work.find(&work.args.name)?;
    if !container.exists() {
        return Ok(());
    }
    if container.is_running() {
        work.told.state("running", false, true);
        work.stop(container.id())?;
    }
    work.told.state("exists", false, true);
    work.remove(&container)
}

fn present(work: &mut Work<'_, '_>, comparisons: &Comparisons) -> Result<Map<String, Json>> {
    let args = work.args;
    let networks = networks::wanted(args, work.engine, work.sys)?;
    let mut container = work.find(&args.name)?;
    let was_running = container.is_running();
    let was_paused = container.is_paused();
    let wanted_image = image::wanted(args, work.engine, &mut work.told, work.sys)?;
    let compared = image::compared(args, &wanted_image, &container, work.engine, work.sys)?;
    let wishes = wishes(args, comparisons, &networks, &compared, work.engine, work.sys)?;
    let is_new = if container.exists() && !container.is_going() {
        let differs = differs(work, comparisons, &wishes, &wanted_image, &container);
        if differs || args.recreate {
            if container.is_running() {
                work.stop(container.id())?;
            }
            work.remove(&container)?;
            let named = args.image.clone().unwrap_or_else(|| container.image().to_owned());
            let made = work.create(&body(args, &wishes, &networks, &named))?;
            let is_new = made.is_some();
            container = made.unwrap_or(container);
            is_new
        } else {
            false
        }
    } else {
        let named = args.image.clone();
        let named =
            named.ok_or_else(|| Failure::new("Cannot create container when image is not specified!"))?;
        work.told.state("exists", true, false);
        if container.is_going() && !work.sys.is_check() {
            work.wait_until_gone(container.id())?;
        }
        container = work.create(&body(args, &wishes, &networks, &named))?.unwrap_or_default();
        true
    };
    if !container.exists() {
        return Ok(Map::new());
    }
    let id = container.id().to_owned();
    if !is_new && limit(work, comparisons, &wishes, &container)? {
        container = work.find(&id)?;
    }
    if networks::update(args, comparisons, &networks, &container, work.engine, &mut work.told, work.sys)? {
        container = work.find(&id)?;
    }
    run_or_stop(work, container, was_running, was_paused)
}

/// All that is wanted of its configuration.
fn wishes(
    args: &Args,
    comparisons: &Comparisons,
    networks: &[Network],
    image: &Json,
    engine: &Engine,
    sys: &mut System<'_>,
) -> Result<Vec<Wish>> {
    let given =
        serde_json::to_value(args).map_err(|error| Failure::new(format!("bad arguments: {error}")))?;
    let mut given = given.as_object().cloned().unwrap_or_default();
    for mode in ["ipc_mode", "pid_mode"] {
        if let Some(text) = given.get(mode).and_then(Json::as_str) {
            let shared = networks::shared(text, engine, sys)?;
            given.insert(mode.to_owned(), shared.into());
        }
    }
    versions::check(args, &given, engine)?;
    let mut wishes = plain::wishes(&given)?;
    wishes.extend(plain::links(args));
    wishes.extend(command::wishes(&args.process, image)?);
    wishes.extend(devices::wishes(&args.resources)?);
    wishes.extend(environment::wish(args, image, sys)?);
    wishes.extend(environment::labels(args, comparisons, image)?);
    wishes.extend(health::wish(args.process.healthcheck.as_ref())?);
    wishes.extend(mounts::wishes(&args.surroundings, image, sys)?);
    wishes.extend(networks::mac_address(args, engine));
    wishes.extend(networks::mode(args, networks, engine, sys)?);
    let default_ip = networks::default_ip(args, networks)?;
    wishes.extend(ports::wishes(&args.surroundings, &default_ip, image)?);
    Ok(wishes)
}

/// Whether the container must be made anew.
fn differs(
    work: &mut Work<'_, '_>,
    comparisons: &Comparisons,
    wishes: &[Wish],
    image: &Json,
    container: &Container,
) -> bool {
    let mut differs = !lacking(work, comparisons, wishes, false, container).is_empty();
    let compares_image = comparisons.of_option("image") != Some(Method::Ignore);
    differs |= compares_image && image_differs(work, image, container);
    if differs {
        // One that is made anew has all that is wanted: what could change in place is told with the rest.
        lacking(work, comparisons, wishes, true, container);
    }
    differs
}

/// What the container lacks, of what can change in place or of all else. It is told.
fn lacking<'w>(
    work: &mut Work<'_, '_>,
    comparisons: &Comparisons,
    wishes: &'w [Wish],
    live: bool,
    container: &Container,
) -> Vec<&'w Wish> {
    let mut lacking = Vec::new();
    for wish in wishes.iter().filter(|wish| wish.is_live == live) {
        let current = wish.current(&container.raw);
        if !comparisons.is_met(wish, &current) {
            work.told.state(wish.option, wish.shown(wish.expected.clone()), wish.shown(current));
            lacking.push(wish);
        }
    }
    lacking
}

fn image_differs(work: &mut Work<'_, '_>, image: &Json, container: &Container) -> bool {
    let mut differs = false;
    let id = text(image, "Id");
    if !image.is_null() && id != container.image() {
        work.told.state("image", id, container.image());
        work.told.note("image_different", true);
        differs = true;
    }
    let args = work.args;
    if let Some(name) = &args.image
        && args.image_name_mismatch == NameMismatch::Recreate
        && name != container.image_name()
    {
        work.told.state("image_name", name.as_str(), container.image_name());
        differs = true;
    }
    differs
}

/// What a container is made with.
fn body(args: &Args, wishes: &[Wish], networks: &[Network], image: &str) -> Json {
    let mut body = Map::from_iter([("Image".to_owned(), image.into())]);
    for wish in wishes {
        wish.put(&mut body);
    }
    if args.detach != Some(true) {
        let input = args.process.interactive.unwrap_or_default();
        for (key, value) in
            [("AttachStdout", true), ("AttachStderr", true), ("AttachStdin", input), ("StdinOnce", input)]
        {
            body.insert(key.to_owned(), value.into());
        }
    }
    if let Some(first) = networks.first().filter(|first| {
        let mode = args.surroundings.network_mode.as_ref();
        args.networks_cli_compatible && mode.is_none_or(|mode| *mode == first.name)
    }) {
        body.insert("NetworkingConfig".to_owned(), first.configuration());
    }
    body.into()
}

/// Changes what can change in place. Tells whether something did.
fn limit(
    work: &mut Work<'_, '_>,
    comparisons: &Comparisons,
    wishes: &[Wish],
    container: &Container,
) -> Result<bool> {
    let mut body = Map::new();
    for wish in lacking(work, comparisons, wishes, true, container) {
        wish.put_live(&mut body);
    }
    if body.contains_key("RestartPolicy") {
        // The engine takes both or none.
        wishes
            .iter()
            .filter(|wish| wish.option.starts_with("restart_"))
            .for_each(|wish| wish.put_live(&mut body));
    }
    if body.is_empty() {
        return Ok(false);
    }
    work.update(container.id(), body)?;
    Ok(true)
}

fn run_or_stop(
    work: &mut Work<'_, '_>,
    mut container: Container,
    was_running: bool,
    was_paused: bool,
) -> Result<Map<String, Json>> {
    let args = work.args;
    let id = container.id().to_owned();
    let is_to_run = matches!(args.state, State::Started | State::Healthy);
    if is_to_run && !container.is_running() {
        work.told.state("running", true, was_running);
        work.start(&id)?;
        if args.detach == Some(false) && !work.sys.is_check() {
            return end(work, &id);
        }
        container = work.find(&id)?;
    } else if is_to_run && args.restart {
        work.told.state("running", true, was_running);
        work.told.state("restarted", true, false);
        work.restart(&id)?;
        container = work.find(&id)?;
    } else if args.state == State::Stopped && container.is_running() {
        work.told.state("running", false, was_running);
        work.stop(&id)?;
        container = work.find(&id)?;
    }
    if let Some(paused) = args.paused.filter(|paused| is_to_run && container.is_paused() != *paused) {
        work.told.state("paused", paused, was_paused);
        work.pause(&id, paused)?;
        container = work.find(&id)?;
    }
    if args.state == State::Healthy && !work.sys.is_check() {
        container = work.wait_until_healthy(&id)?;
    }
    Ok(Map::from_iter([("container".to_owned(), container.raw)]))
}

/// Its command runs to its end.
fn end(work: &mut Work<'_, '_>, id: &str) -> Result<Map<String, Json>> {
    let args = work.args;
    let status = work.wait(id)?;
    let mut container = work.find(id)?;
    if args.process.auto_remove == Some(true) {
        // What is removed at its end tells of it only while somebody waits.
        return ended(work, container, status, "Cannot retrieve result as auto_remove is enabled");
    }
    let driver = text(&container.raw, "HostConfig/LogConfig/Type").to_owned();
    let output = if ["json-file", "journald", "local"].contains(&driver.as_str()) {
        let said = work.logs(&container)?;
        if args.output_logs {
            log(&said, work.sys)?;
        }
        said
    } else {
        format!("Result logged using `{driver}` driver")
    };
    if args.cleanup {
        work.remove(&container)?;
        container = work.find(id)?;
    }
    ended(work, container, status, &output)
}

/// Writes it to the target's log.
fn log(said: &str, sys: &mut System<'_>) -> Result<()> {
    let Some(logger) = sys.which("logger") else {
        sys.warn("output_logs: there is no program logger, so the output does not stand in the target's log");
        return Ok(());
    };
    let command = Command::new(logger).args(["-t", "ansible-docker_container"]).stdin(said);
    sys.query(command)?.or_fail("the target's log does not take the output")
}

/// What is told of a container that ran to its end, of one that is gone what it said.
fn ended(
    work: &mut Work<'_, '_>,
    container: Container,
    status: i64,
    output: &str,
) -> Result<Map<String, Json>> {
    let mut told = container.raw.as_object().cloned().unwrap_or_default();
    told.insert("Output".to_owned(), output.into());
    let returns = json!({"container": told, "status": status});
    if status != 0 {
        // It ran, and ended badly: what was done for that is told.
        std::mem::take(&mut work.told).whole(work.args.engine.debug, work.sys);
        return Err(Failure::new(output).with_all(returns));
    }
    Ok(returns.as_object().cloned().unwrap_or_default())
}
