//! `--list-hosts`, `--list-tasks`, `--list-tags`, `--syntax-check`: the very text of ansible-playbook.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use super::{Loader, Node, Play, Playbook, Setting, Task, effective, is_selected};
use crate::diagnostic::Result;
use crate::value::Value;

/// What to list; nothing gives the text of `--syntax-check`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listing<'a> {
    pub hosts: bool,
    pub tasks: bool,
    pub tags: bool,
    /// `--tags` and `--skip-tags`.
    pub only: &'a [String],
    pub skip: &'a [String],
}

/// Lists a playbook, whose plays' keywords must come to something. `shown` is its path as the user typed it; `hosts_of`
/// gives the hosts of a play.
pub fn list(
    loader: &Loader,
    playbook: &Playbook,
    shown: &str,
    listing: &Listing<'_>,
    hosts_of: &dyn Fn(&Play) -> Vec<String>,
) -> Result<String> {
    playbook.plays.iter().try_for_each(|play| check(loader, play))?;
    let mut text = format!("\nplaybook: {shown}\n");
    if listing.hosts || listing.tasks || listing.tags {
        for (index, play) in playbook.plays.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write_play(&mut text, loader, index + 1, play, listing, hosts_of);
        }
    }
    Ok(text)
}

/// Whether the keywords of a play that must be known before its hosts are can be rendered.
fn check(loader: &Loader, play: &Play) -> Result<()> {
    let mut keywords = vec![("hosts", &play.hosts)];
    keywords.extend(play.serial.iter().map(|setting| ("serial", setting)));
    let others = [
        ("name", &play.name),
        ("gather_facts", &play.gather_facts),
        ("gather_subset", &play.gather_subset),
        ("gather_timeout", &play.gather_timeout),
        ("order", &play.order),
        ("max_fail_percentage", &play.max_fail_percentage),
        ("force_handlers", &play.force_handlers),
    ];
    keywords.extend(others.into_iter().filter_map(|(name, setting)| Some((name, setting.as_ref()?))));
    keywords.into_iter().try_for_each(|(name, setting)| {
        let value = loader.play_value(play, setting);
        value.map(drop).map_err(|error| error.context(format!("Error processing keyword '{name}'")))
    })
}

fn write_play(
    text: &mut String,
    loader: &Loader,
    number: usize,
    play: &Play,
    listing: &Listing<'_>,
    hosts_of: &dyn Fn(&Play) -> Vec<String>,
) -> fmt::Result {
    let render =
        |setting: &Setting| loader.play_value(play, setting).unwrap_or_else(|_| setting.value.clone());
    let wanted = render(&play.hosts);
    let (hosts, is_omitted): (Vec<_>, bool) = match &wanted {
        Value::List(items) => (items.iter().map(ToString::to_string).collect(), false),
        omitted if omitted.is_omit() => (Vec::new(), true),
        single => (vec![single.to_string()], false),
    };
    let pattern = hosts.join(",");
    let unnamed = match &play.hosts.value {
        // The parts of a list are named as they are written.
        Value::List(written) => written.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        _ if is_omitted => pattern.clone(),
        // What a template comes to is named as Python shows it.
        _ => wanted.to_string(),
    };
    let name = play.name.as_ref().map_or(unnamed, |name| render(name).to_string());
    writeln!(
        text,
        "\n  play #{number} ({pattern}): {name}\tTAGS: [{}]",
        effective(&play.keywords).join(",")
    )?;
    if listing.hosts {
        let pattern =
            if is_omitted { Value::None } else { Value::list(hosts.into_iter().map(Value::from).collect()) };
        let mut names = hosts_of(play);
        names.sort_unstable();
        writeln!(text, "    pattern: {pattern}\n    hosts ({}):", names.len())?;
        names.iter().try_for_each(|name| writeln!(text, "      {name}"))?;
    }
    // Tags are listed of every task, unless some are asked for.
    let everything = ["all".to_owned(), "never".to_owned()];
    let only = if listing.tags && listing.only.is_empty() { &everything } else { listing.only };
    let mut tasks = Vec::new();
    play.sections.iter().for_each(|section| collect(section, &mut tasks));
    tasks.retain(|task| is_selected(task, only, listing.skip));
    if listing.tasks {
        writeln!(text, "    tasks:")?;
        for task in &tasks {
            writeln!(text, "      {}\tTAGS: [{}]", shown_name(task), sorted_tags(task).join(", "))?;
        }
    }
    if listing.tags {
        // Those of the play are there even if no task is.
        let mut all: BTreeSet<String> = tasks.iter().flat_map(|task| sorted_tags(task)).collect();
        all.extend(effective(&play.keywords));
        writeln!(text, "      TASK TAGS: [{}]", Vec::from_iter(all).join(", "))?;
    }
    Ok(())
}

/// The tasks that are listed: those of `rescue` and `always` are not.
fn collect<'a>(nodes: &'a [Node], tasks: &mut Vec<&'a Task>) {
    for node in nodes {
        match node {
            Node::Task(task) => tasks.push(task),
            Node::Block(block) => collect(&block.block, tasks),
            Node::RoleEnd(_) => {}
        }
    }
}

fn shown_name(task: &Task) -> String {
    let name = task.name.as_ref().map(|name| name.value.to_string()).filter(|name| !name.is_empty());
    match (name, &task.role) {
        (Some(name), Some(role)) if task.action.name != "include_role" => format!("{} : {name}", role.name),
        (Some(name), _) => name,
        (None, _) => task.action.written.clone(),
    }
}

fn sorted_tags(task: &Task) -> Vec<String> {
    let mut tags = effective(&task.keywords);
    tags.sort_unstable();
    tags
}
