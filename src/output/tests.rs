//! What the real ansible-core showed (`recorded/`, made by `record.py`) against what we show for the same events.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::*;
use crate::config::Surroundings;
use crate::diagnostic::{Place, Source};
use crate::run::event::{
    Counts, Delegate, Diff, Event, NoHosts, Stats, Status, TaskInfo, TaskKind, TaskResult,
};
use crate::value::{Dict, Value};

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/output/recorded")
}

fn read(name: &str) -> String {
    fs::read_to_string(recorded().join(name)).expect("a recorded file")
}

/// The settings the recording was made with.
fn settings(playbook: &str) -> Config {
    let mut surroundings = Surroundings { directory: "/nosuch".into(), ..Default::default() };
    let lines = playbook.lines().filter_map(|line| line.strip_prefix("# env: ")?.split_once('='));
    surroundings.variables.extend(lines.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let mut config = Config::load(&surroundings).expect("settings");
    let args = playbook.lines().find_map(|line| line.strip_prefix("# args: -v"));
    config.display.verbosity = args.map_or(0, |more| u8::try_from(more.len()).expect("few") + 1);
    config
}

fn show(callback: &str, config: &Config, events: &[Event]) -> (String, String) {
    let callback = super::callback(callback, Look::of(config)).expect("a callback");
    let mut output = Output::plain(callback, &config.display, Vec::new(), Vec::new());
    for event in events {
        output.on(event);
    }
    let (out, err) = output.finish().expect("written");
    (String::from_utf8(out).expect("UTF-8"), String::from_utf8(err).expect("UTF-8"))
}

#[test]
fn more_callbacks_and_a_log_can_be_enabled() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("log");
    let mut surroundings = Surroundings { directory: dir.path().to_owned(), ..Default::default() };
    surroundings.variables.extend([
        ("ANSIBLE_CALLBACKS_ENABLED".to_owned(), "timer, ansible.posix.profile_tasks, nope".to_owned()),
        ("ANSIBLE_LOG_PATH".to_owned(), log.display().to_string()),
    ]);
    let config = Config::load(&surroundings).expect("settings");
    let callback = super::callback("default", Look::of(&config)).expect("a callback");
    let mut output = Output::plain(callback, &config.display, Vec::new(), Vec::new());
    output.enable(&config);
    output.on(&Event::TaskStarted(task(
        &serde_json::json!({"id": 1, "name": "first one", "action": "ping", "path": ""}),
    )));
    let elapsed = Duration::from_secs(61);
    output.on(&Event::RunEnded { stats: Stats::default(), interrupted: false, broken: false, elapsed });
    let (out, err) = output.finish().expect("written");
    let (out, err) = (String::from_utf8(out).expect("UTF-8"), String::from_utf8(err).expect("UTF-8"));
    assert!(out.contains("TASK [first one] ***"), "{out}");
    assert!(out.contains(")       0:00:00."), "{out}");
    assert!(out.contains("TASKS RECAP ***") && out.contains("\nfirst one -----"), "{out}");
    assert!(out.contains("Playbook run took 0 days, 0 hours, 1 minutes, 1 seconds\n\n"), "{out}");
    assert!(err.contains("not supported yet: the callback \"nope\""), "{err}");
    let logged = fs::read_to_string(&log).expect("a log");
    assert!(logged.contains(" n=fanfare INFO| TASK [first one] ***"), "{logged}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&log).expect("a log").permissions());
    assert_eq!(mode & 0o777, 0o600);
}

/// Leaves out what is not ours to say the same: the excerpts of errors, which we draw in our own way, and what
/// Ansible's internals tell with -vv.
fn comparable(text: &str) -> String {
    const INTERNALS: &[&str] = &[
        "<a> ",
        "<b> ",
        "<c> ",
        "Using module file",
        "Notification for handler",
        "META: ",
        "Skipping callback",
        "ansible-playbook [core",
        "  config",
        "  ansible",
        "  executable",
        "  python version",
        "  jinja",
        "  pyyaml",
        "No config file found",
        "creating host via",
        "host_list declined",
        "script declined",
        "auto declined",
        "Parsed ",
        "Pausing for",
        "(ctrl+C",
        "[WARNING]",
    ];
    let mut lines = Vec::new();
    let text = text.replace(r#""exception": "(traceback unavailable)", "#, "");
    let mut skipping_ours = false;
    let mut skipping_theirs = false;
    for line in text.lines() {
        skipping_ours = (skipping_ours && !line.is_empty()) || line.starts_with("error: ");
        let goes_on = skipping_theirs
            && !["fatal: ", "failed: ", "task path: "].iter().any(|end| line.starts_with(end));
        skipping_theirs = goes_on || line.starts_with("[ERROR]");
        let internal = INTERNALS.iter().any(|start| line.starts_with(start)) || line.contains(" plays in ");
        let blank_after_ours = line.is_empty() && lines.last() == Some(&"<error>");
        if line.starts_with("error: ") || line.starts_with("[ERROR]") {
            lines.push("<error>");
        } else if !(skipping_ours || skipping_theirs || internal || blank_after_ours) {
            lines.push(line);
        }
    }
    while lines.first().is_some_and(|line| line.is_empty()) {
        lines.remove(0);
    }
    lines.join("\n")
}

#[test]
fn the_default_callback_reads_as_ansible_does() {
    let mut names: Vec<String> = fs::read_dir(recorded())
        .expect("recordings")
        .filter_map(|entry| {
            Some(entry.ok()?.path().file_name()?.to_str()?.strip_suffix(".jsonl")?.to_owned())
        })
        .collect();
    names.sort();
    assert!(names.len() > 15, "{names:?}");
    let mut differing = Vec::new();
    for name in &names {
        let config = settings(&read(&format!("{name}.yml")));
        let events: Vec<Event> = read(&format!("{name}.jsonl")).lines().map(event).collect();
        let (out, err) = show(&config.display.callback, &config, &events);
        let (expected_out, expected_err) = (read(&format!("{name}.out")), read(&format!("{name}.err")));
        let mut pairs = vec![(comparable(&expected_out), comparable(&out))];
        if config.display.failed_to_stderr {
            pairs.push((comparable(&expected_err), comparable(&err)));
        }
        for (expected, got) in pairs {
            if expected != got {
                let diff = similar::TextDiff::from_lines(&expected, &got);
                differing.push(format!("{name}:\n{}", diff.unified_diff().header("ansible", "fanfare")));
            }
        }
    }
    assert!(differing.is_empty(), "{} of {}:\n{}", differing.len(), names.len(), differing.join("\n"));
}

/// One line of a recording.
fn event(line: &str) -> Event {
    let json: Json = serde_json::from_str(line).expect("JSON");
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let texts = |key: &str| -> Vec<String> {
        let items = json[key].as_array().expect("a list");
        items.iter().map(|item| item.as_str().expect("a string").to_owned()).collect()
    };
    let names = |key: &str| texts(key).into_iter().map(Arc::from).collect::<Vec<Arc<str>>>();
    let host = || Arc::from(text("host"));
    let optional = |key: &str| (!json[key].is_null()).then(|| Value::from(json[key].clone()).to_string());
    match json["event"].as_str().expect("a kind") {
        "run_started" => {
            let files = texts("files");
            Event::RunStarted { plays: vec![1; files.len()], files }
        }
        "play_started" => Event::PlayStarted {
            name: text("name"),
            hosts: names("hosts"),
            check: json["check"] == true,
            free: json["free"] == true,
        },
        "no_hosts" if json["reason"] == "none_matched" => Event::NoHosts { reason: NoHosts::NoneMatched },
        "no_hosts" => Event::NoHosts { reason: NoHosts::NoneLeft },
        "task_started" => Event::TaskStarted(task(&json["task"])),
        "host_started" => Event::HostStarted { host: host(), task: task(&json["task"]) },
        "item_done" => Event::ItemDone { host: host(), task: task(&json["task"]), result: result(&json) },
        "host_done" => Event::HostDone { host: host(), task: task(&json["task"]), result: result(&json) },
        "retrying" => Event::Retrying {
            host: host(),
            task: task(&json["task"]),
            left: u32::try_from(json["left"].as_u64().expect("a number")).expect("small") + 1,
            result: result(&json),
        },
        "included" => Event::Included { what: text("what"), hosts: names("hosts"), item: optional("item") },
        "notified" => Event::Notified { handler: text("handler"), host: host() },
        "custom_stats" => {
            Event::CustomStats { host: optional("host").map(Arc::from), data: dict(&json["data"]) }
        }
        "run_ended" => Event::RunEnded {
            stats: json["stats"]
                .as_object()
                .expect("hosts")
                .iter()
                .map(|(h, c)| (h.as_str().into(), counts(c)))
                .collect(),
            interrupted: false,
            broken: false,
            elapsed: Duration::ZERO,
        },
        other => panic!("unknown event {other}"),
    }
}

/// A result as our engine makes them: without what speaks to Ansible's own display.
fn dict(json: &Json) -> Dict {
    fn clean(json: &Json) -> Json {
        match json {
            Json::Object(entries) => {
                let kept =
                    entries.iter().filter(|(key, _)| !key.starts_with("_ansible_") && *key != "exception");
                kept.map(|(key, value)| (key.clone(), clean(value))).collect()
            }
            Json::Array(items) => items.iter().map(clean).collect(),
            other => other.clone(),
        }
    }
    Dict::from(clean(json).as_object().cloned().unwrap_or_default())
}

fn task(json: &Json) -> Arc<TaskInfo> {
    let text = |key: &str| json[key].as_str().expect("text").to_owned();
    let path = text("path");
    let place = path.rsplit_once(':').map(|(path, line)| {
        let file = Path::new(path).file_name().and_then(|name| name.to_str()).expect("a name");
        Place {
            source: Arc::new(Source { path: path.into(), text: read(file).into(), secret: false }),
            line: line.parse().expect("a line"),
            column: 1,
            length: 0,
        }
    });
    Arc::new(TaskInfo {
        id: json["id"].as_u64().expect("an id"),
        name: text("name"),
        action: text("action"),
        place,
        kind: if json["kind"] == "handler" { TaskKind::Handler } else { TaskKind::Task },
        check: json["check"] == true,
        no_log: json["no_log"] == true,
    })
}

fn result(json: &Json) -> TaskResult {
    let mut fields = dict(&json["fields"]);
    // As recorded: what the action said, and silence where it said nothing.
    if json["task"]["action"] == "assert" || json["task"]["action"] == "debug" {
        fields.insert("_ansible_verbose_always", json["flags"]["_ansible_verbose_always"] == true);
    }
    let diffs = json["diffs"].as_array().map(Vec::as_slice).unwrap_or_default();
    TaskResult {
        status: match json["status"].as_str().unwrap_or("failed") {
            "ok" => Status::Ok,
            "changed" => Status::Changed,
            "skipped" => Status::Skipped,
            "unreachable" => Status::Unreachable,
            _ => Status::Failed,
        },
        fields,
        label: (!json["label"].is_null()).then(|| Value::from(json["label"].clone()).to_string()),
        delegated_to: json["delegated_to"]
            .as_str()
            .map(|name| Delegate { name: Arc::from(name), address: None }),
        diffs: diffs.iter().map(diff).collect(),
        ignored: json["ignored"] == true,
        error: None,
        elapsed: Duration::ZERO,
    }
}

fn diff(json: &Json) -> Diff {
    let side = |key: &str| (!json[key].is_null()).then(|| Value::from(json[key].clone()));
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    Diff {
        before_header: text("before_header"),
        after_header: text("after_header"),
        before: side("before"),
        after: side("after"),
        prepared: text("prepared"),
        skipped: Vec::new(),
    }
}

fn counts(json: &Json) -> Counts {
    let count = |key: &str| u32::try_from(json[key].as_u64().unwrap_or_default()).expect("small");
    Counts {
        ok: count("ok"),
        changed: count("changed"),
        unreachable: count("unreachable"),
        failed: count("failed"),
        skipped: count("skipped"),
        rescued: count("rescued"),
        ignored: count("ignored"),
    }
}
