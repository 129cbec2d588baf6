//! What two runs differ in.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::transcript::{Entry, Told, Transcript};

/// One difference: where, and what either tool told.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    /// `site.yml:12 TASK [install nginx], item a, mode`
    pub at: String,
    /// The hosts that are told the same of.
    pub hosts: Vec<String>,
    pub ansible: String,
    pub fanfare: String,
}

impl Difference {
    pub fn new(at: impl Into<String>, host: Option<&str>, ansible: String, fanfare: String) -> Self {
        Self { at: at.into(), hosts: host.into_iter().map(str::to_owned).collect(), ansible, fanfare }
    }
}

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Checks: fanfare foretells keys that Ansible leaves out there, which is no difference.
    Checks,
    Runs,
}

/// All differences of two runs, and how many results were compared.
pub(super) fn differences(
    what: What,
    ansible: &Transcript,
    fanfare: &Transcript,
) -> (Vec<Difference>, usize) {
    let mut found = Vec::new();
    let mut compared = 0;
    let (theirs, ours) = (by_task(ansible), by_task(fanfare));
    let mut tasks: Vec<_> = theirs.iter().map(|(key, (order, _))| (*order, key)).collect();
    tasks.sort_unstable();
    let only_ours = ours.iter().filter(|(key, _)| !theirs.contains_key(*key));
    let mut only_ours: Vec<_> = only_ours.map(|(key, (order, _))| (*order, key)).collect();
    only_ours.sort_unstable();
    for (_, key) in tasks.into_iter().chain(only_ours) {
        let theirs = theirs.get(key).map_or(&[][..], |(_, entries)| entries);
        let ours = ours.get(key).map_or(&[][..], |(_, entries)| entries);
        compared += theirs.len().max(ours.len());
        task_on(what, key, theirs, ours, &mut found);
    }
    for host in
        ansible.recap.keys().chain(fanfare.recap.keys().filter(|host| !ansible.recap.contains_key(*host)))
    {
        let counts = |run: &Transcript| run.recap.get(host).map_or("-", String::as_str).to_owned();
        let (theirs, ours) = (counts(ansible), counts(fanfare));
        if theirs != ours {
            found.push(Difference::new("the counts", Some(host), theirs, ours));
        }
    }
    (together(found), compared)
}

/// Differences that many hosts share are told once.
fn together(found: Vec<Difference>) -> Vec<Difference> {
    let mut told: Vec<Difference> = Vec::new();
    let mut index: HashMap<(String, String, String), usize> = HashMap::new();
    for difference in found {
        let key = (difference.at.clone(), difference.ansible.clone(), difference.fanfare.clone());
        if let Some(same) = index.get(&key).and_then(|at| told.get_mut(*at)) {
            same.hosts.extend(difference.hosts);
        } else {
            index.insert(key, told.len());
            told.push(difference);
        }
    }
    told
}

/// Entries by task and host, with the order in which tasks came. A task that comes again (in a loop of includes) has
/// all its entries in one list.
type ByTask<'a> = BTreeMap<(String, String), (usize, Vec<&'a Entry>)>;

fn by_task(run: &Transcript) -> ByTask<'_> {
    let mut lists = ByTask::new();
    for task in &run.tasks {
        for entry in &task.entries {
            let order = lists.len();
            let list = lists.entry((name(task), entry.host.clone())).or_insert_with(|| (order, Vec::new()));
            list.1.push(entry);
        }
    }
    lists
}

fn name(task: &Told) -> String {
    format!("{} {}", task.place, task.heading).trim().to_owned()
}

fn task_on(
    what: What,
    (task, host): &(String, String),
    ansible: &[&Entry],
    fanfare: &[&Entry],
    found: &mut Vec<Difference>,
) {
    // An included file is told in one line for many hosts, in any order.
    if host.is_empty() {
        return;
    }
    for index in 0..ansible.len().max(fanfare.len()) {
        let (theirs, ours) = (ansible.get(index), fanfare.get(index));
        let item = theirs.or(ours).map(|entry| entry.item.as_str()).filter(|item| !item.is_empty());
        let at = item.map_or_else(|| task.clone(), |item| format!("{task}, item {item}"));
        let status = |entry: Option<&&Entry>| entry.map_or("-", |entry| &entry.status).to_owned();
        if status(theirs) != status(ours) {
            let (theirs, ours) = (with_message(status(theirs), theirs), with_message(status(ours), ours));
            found.push(Difference::new(at, Some(host), theirs, ours));
        } else if let (Some(theirs), Some(ours)) = (theirs, ours) {
            for (key, theirs, ours) in keys(what, theirs, ours) {
                found.push(Difference::new(format!("{at}, {key}"), Some(host), theirs, ours));
            }
        }
    }
}

fn is_bad(status: &str) -> bool {
    matches!(status, "failed" | "fatal" | "ignored" | "unreachable")
}

/// A status with what its result says of itself.
fn with_message(status: String, entry: Option<&&Entry>) -> String {
    match entry.and_then(|entry| entry.result.get("msg")) {
        Some(Value::String(message)) if !message.is_empty() => format!("{status}: {message}"),
        _ => status,
    }
}

/// Keys that no two runs share, or that speak of the tool and not of the work.
const VOLATILE: &[&str] = &[
    "ansible_facts",
    "ansible_job_id",
    "atime",
    "cache_update_time",
    "child_pid",
    "ctime",
    "delta",
    "deprecations",
    "dev",
    "diff",
    "elapsed",
    "end",
    "exception",
    "inode",
    "invocation",
    "mtime",
    "pid",
    "results_file",
    "start",
    "version",
    "warnings",
];

/// The keys in which two results differ. The words of a failure are each tool's own.
fn keys(what: What, ansible: &Entry, fanfare: &Entry) -> Vec<(String, String, String)> {
    let (Value::Object(theirs), Value::Object(ours)) = (&ansible.result, &fanfare.result) else {
        return Vec::new();
    };
    let only_ours = ours.keys().filter(|name| what == What::Runs && !theirs.contains_key(*name));
    let is_bad = is_bad(&ansible.status);
    theirs
        .keys()
        .chain(only_ours)
        .filter(|name| {
            let told_by_failure = is_bad && matches!(name.as_str(), "msg" | "changed");
            let is_temporary = |of: &serde_json::Map<String, Value>| {
                of.get(*name).is_some_and(|value| is_temporary(name, value))
            };
            !told_by_failure
                && !VOLATILE.contains(&name.as_str())
                && !is_temporary(theirs)
                && !is_temporary(ours)
        })
        .filter_map(|name| {
            let part = |of: &serde_json::Map<String, Value>| of.get(name).map(steady);
            let (theirs, ours) = (part(theirs), part(ours));
            (theirs != ours).then(|| (name.clone(), shown(theirs), shown(ours)))
        })
        .collect()
}

/// Whether a value is where a file stood on its way to its place: no two runs share it.
fn is_temporary(name: &str, value: &Value) -> bool {
    const ON_THE_WAY: [&str; 4] = ["/.ansible/tmp/", "/ansible-local-", "/ansible-tmp-", "/.fanfare-"];
    let Value::String(path) = value else { return false };
    matches!(name, "src" | "source" | "tempfile") && ON_THE_WAY.iter().any(|part| path.contains(part))
}

/// A value without its volatile parts.
fn steady(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let kept = entries
                .iter()
                .filter(|(name, value)| !VOLATILE.contains(&name.as_str()) && !is_temporary(name, value));
            Value::Object(kept.map(|(name, value)| (name.clone(), steady(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(steady).collect()),
        other => other.clone(),
    }
}

fn shown(value: Option<Value>) -> String {
    value.map_or_else(|| "(no such key)".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(ansible: &str, fanfare: &str, expect: &[&str]) {
        let run = |body: &str| {
            let text = format!("TASK [t] ***\ntask path: a.yml:1\n{body}");
            Transcript::parse(&text, Path::new("/"))
        };
        let (found, _) = differences(What::Runs, &run(ansible), &run(fanfare));
        let line = |one: &Difference| {
            format!("{} [{}]: {} / {}", one.at, one.hosts.join(" "), one.ansible, one.fanfare)
        };
        let told: Vec<_> = found.iter().map(line).collect();
        assert_eq!(told, expect);
    }

    #[test]
    fn statuses_keys_and_counts() {
        check("ok: [h]", "ok: [h]", &[]);
        check("ok: [h]", "changed: [h]", &["a.yml:1 TASK [t] [h]: ok / changed"]);
        check("ok: [h]", "", &["a.yml:1 TASK [t] [h]: ok / -"]);
        check("", "ok: [h]", &["a.yml:1 TASK [t] [h]: - / ok"]);
        check("ok: [a]\nok: [b]", "ok: [b]\nok: [a]", &[]);
        check("ok: [a]\nok: [b]", "changed: [b]\nchanged: [a]", &["a.yml:1 TASK [t] [a b]: ok / changed"]);
        check(r#"ok: [h] => {"rc": 1, "delta": 2}"#, r#"ok: [h] => {"rc": 1, "delta": 3}"#, &[]);
        check(
            r#"ok: [h] => {"rc": 1, "only": 2}"#,
            r#"ok: [h] => {"rc": 2}"#,
            &["a.yml:1 TASK [t], rc [h]: 1 / 2", "a.yml:1 TASK [t], only [h]: 2 / (no such key)"],
        );
        check(
            r#"ok: [h] => {"src": "/root/.ansible/tmp/x/source"}"#,
            r#"ok: [h] => {"src": "/etc/motd"}"#,
            &[],
        );
        check(
            r#"ok: [h] => {"src": "/etc/issue"}"#,
            r#"ok: [h] => {"src": "/etc/motd"}"#,
            &[r#"a.yml:1 TASK [t], src [h]: "/etc/issue" / "/etc/motd""#],
        );
        check(r#"fatal: [h]: FAILED! => {"msg": "a"}"#, r#"fatal: [h]: FAILED! => {"msg": "b"}"#, &[]);
        check("PLAY RECAP ***\nh : ok=1", "PLAY RECAP ***\nh : ok=2", &["the counts [h]: ok=1 / ok=2"]);
        check(
            "changed: [h] => (item=a)  => {\"k\": 1}",
            "ok: [h] => (item=a)  => {\"k\": 1}",
            &["a.yml:1 TASK [t], item a [h]: changed / ok"],
        );
    }
}
