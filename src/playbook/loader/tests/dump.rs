use std::fmt::Write;

use crate::playbook::{Keywords, Node, Playbook, Setting, Task};

/// A playbook in full: what each task calls, with the keywords in force.
pub fn dump(playbook: &Playbook) -> String {
    let mut text = String::new();
    for play in &playbook.plays {
        writeln!(text, "play {:?}{}", play.hosts.value, in_force(&play.keywords)).unwrap();
        writeln!(text, "  vars {:?}", play.vars).unwrap();
        for role in &play.roles {
            writeln!(text, "  role {} {:?} {:?} {:?}", role.name, role.params, role.vars, role.defaults)
                .unwrap();
        }
        for (section, nodes) in ["pre_tasks", "roles", "tasks", "post_tasks"].iter().zip(&play.sections) {
            if !nodes.is_empty() {
                writeln!(text, "  {section}").unwrap();
            }
            dump_nodes(&mut text, nodes, 4);
        }
        if !play.handlers.is_empty() {
            writeln!(text, "  handlers").unwrap();
        }
        for handler in &play.handlers {
            dump_task(&mut text, handler, 4);
        }
    }
    text
}

pub fn dump_nodes(text: &mut String, nodes: &[Node], indent: usize) {
    for node in nodes {
        match node {
            Node::Task(task) => dump_task(text, task, indent),
            Node::RoleEnd(role) => writeln!(text, "{:indent$}end of {}", "", role.name).unwrap(),
            Node::Block(block) => {
                for (name, section) in
                    [("block", &block.block), ("rescue", &block.rescue), ("always", &block.always)]
                {
                    if !section.is_empty() {
                        writeln!(text, "{:indent$}{name}", "").unwrap();
                        dump_nodes(text, section, indent + 2);
                    }
                }
            }
        }
    }
}

fn dump_task(text: &mut String, task: &Task, indent: usize) {
    let role = task.role.as_ref().map(|role| format!("{} : ", role.name)).unwrap_or_default();
    let name = task.name.as_ref().map(|name| format!("{}: ", name.value)).unwrap_or_default();
    let loops =
        task.repeat.as_ref().map(|repeat| format!(" loop={:?}", repeat.items.value)).unwrap_or_default();
    let listen = values("listen", &task.listen);
    let keywords = in_force(&task.keywords);
    writeln!(
        text,
        "{:indent$}{role}{name}{} {:?}{loops}{listen}{keywords}",
        "", task.action.name, task.action.args
    )
    .unwrap();
    if let Some(include) = &task.include {
        writeln!(text, "{:indent$}  included:{}", "", in_force(&include.around.keywords)).unwrap();
    }
}

fn values(name: &str, settings: &[Setting]) -> String {
    match settings {
        [] => String::new(),
        some => format!(" {name}={:?}", some.iter().map(|setting| &setting.value).collect::<Vec<_>>()),
    }
}

fn in_force(keywords: &Keywords) -> String {
    let k = keywords;
    let mut text = String::new();
    for (name, setting) in [
        ("connection", &k.connection),
        ("port", &k.port),
        ("remote_user", &k.remote_user),
        ("become", &k.r#become),
        ("become_user", &k.become_user),
        ("check_mode", &k.check_mode),
        ("diff", &k.diff),
        ("no_log", &k.no_log),
        ("ignore_errors", &k.ignore_errors),
        ("ignore_unreachable", &k.ignore_unreachable),
        ("any_errors_fatal", &k.any_errors_fatal),
        ("run_once", &k.run_once),
        ("throttle", &k.throttle),
        ("timeout", &k.timeout),
        ("delegate_to", &k.delegate_to),
        ("delegate_facts", &k.delegate_facts),
    ] {
        if let Some(setting) = setting {
            write!(text, " {name}={:?}", setting.value).unwrap();
        }
    }
    for (name, settings) in [
        ("environment", &k.environment),
        ("module_defaults", &k.module_defaults),
        ("when", &k.when),
        ("tags", &k.tags),
        ("notify", &k.notify),
    ] {
        text += &values(name, settings);
    }
    for (name, layers) in [("vars", &k.vars), ("params", &k.params)] {
        if !layers.is_empty() {
            write!(text, " {name}={layers:?}").unwrap();
        }
    }
    text
}
