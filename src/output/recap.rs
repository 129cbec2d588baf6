//! The counts at the end.

use super::banner::banner;
use super::page::{Page, Stream};
use super::style::Meaning;
use crate::run::event::{Counts, Stats};

/// Columns for the names of hosts.
const NAME_WIDTH: usize = 26;

pub fn show(stats: &Stats, page: &mut Page) {
    let title = banner("PLAY RECAP", page.width);
    page.out(Meaning::Heading, &format!("\n{title}"));
    let mut hosts: Vec<_> = stats.iter().collect();
    hosts.sort_by_key(|(host, _)| *host);
    for (host, counts) in hosts {
        let line = line(host, *counts, page);
        page.raw(Stream::Out, &line);
    }
    page.raw(Stream::Out, "\n");
}

fn line(host: &str, counts: Counts, page: &Page) -> String {
    let columns = [
        ("ok", counts.ok, Meaning::Ok),
        ("changed", counts.changed, Meaning::Changed),
        ("unreachable", counts.unreachable, Meaning::Unreachable),
        ("failed", counts.failed, Meaning::Failed),
        ("skipped", counts.skipped, Meaning::Skipped),
        ("rescued", counts.rescued, Meaning::Ok),
        ("ignored", counts.ignored, Meaning::Warning),
    ];
    let counts = columns.map(|(name, count, meaning)| {
        let meaning = if count > 0 { meaning } else { Meaning::Plain };
        page.painter.paint(meaning, &format!("{name}={count:<4}"))
    });
    let name = page.painter.paint(of_host(columns), &format!("{host:<NAME_WIDTH$}"));
    format!("{name} : {}\n", counts.join(" "))
}

/// A host is as its worst count.
fn of_host(columns: [(&str, u32, Meaning); 7]) -> Meaning {
    let worst = [Meaning::Unreachable, Meaning::Failed, Meaning::Changed];
    let has = |meaning: &Meaning| columns.iter().any(|column| column.2 == *meaning && column.1 > 0);
    match worst.into_iter().find(has) {
        Some(Meaning::Unreachable) => Meaning::Failed,
        Some(meaning) => meaning,
        None => Meaning::Ok,
    }
}
