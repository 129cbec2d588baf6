//! The engine, through the Lab: plays on hosts in memory, by topic.

mod ahead;
mod background;
mod blocks;
mod check;
mod exchange;
mod handlers;
mod hosts;
mod loops;
mod mistakes;
mod plays;
mod prompts;
mod reconnecting;
mod secrets;
mod strategies;
mod telling;
mod trouble;
mod trust;
mod unsupported;

use crate::lab::{Lab, Outcome};

/// Runs tasks on hosts.
fn tasks(hosts: &str, tasks: &str) -> (Lab, Outcome) {
    let lab = Lab::new(hosts).playbook(&play("", tasks));
    let run = lab.run(&[]);
    (lab, run)
}

/// A play on all hosts with these keywords and tasks, each flush with the margin.
fn play(keywords: &str, tasks: &str) -> String {
    let lines = |text: &str, by: &str| {
        let lines: Vec<String> = text.trim_matches('\n').lines().map(|line| format!("{by}{line}")).collect();
        lines.join("\n")
    };
    format!("- hosts: all\n{}\n  tasks:\n{}\n", lines(keywords, "  "), lines(tasks, "    "))
}
