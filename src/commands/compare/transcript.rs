//! What the default callback of either tool told, taken apart.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// One run, as it was told.
#[derive(Default)]
pub(super) struct Transcript {
    pub tasks: Vec<Told>,
    /// The counts of the recap, by host.
    pub recap: BTreeMap<String, String>,
}

/// One heading and what stands below it.
pub(super) struct Told {
    /// `TASK [install nginx]`
    pub heading: String,
    /// The place of the task: `site.yml:12`.
    pub place: String,
    pub entries: Vec<Entry>,
}

/// What came of the task on a host, or of one item.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub host: String,
    /// `ok`, `changed`, `fatal`…, `unreachable`, `ignored`.
    pub status: String,
    /// As the loop labels it.
    pub item: String,
    pub result: Value,
}

const STATUSES: [&str; 6] = ["ok", "changed", "skipping", "failed", "fatal", "included"];

impl Transcript {
    /// `base` is taken off the places.
    pub fn parse(text: &str, base: &Path) -> Self {
        let mut told = Self::default();
        let mut at_recap = false;
        for line in text.lines() {
            if line.starts_with("PLAY RECAP") {
                at_recap = true;
            } else if at_recap {
                if let Some((host, counts)) = line.split_once(" : ") {
                    let counts = counts.split_whitespace().collect::<Vec<_>>().join(" ");
                    told.recap.insert(host.trim().to_owned(), counts);
                }
            } else if let Some(heading) = heading(line) {
                told.tasks.push(Told { heading, place: String::new(), entries: Vec::new() });
            } else if let Some(task) = told.tasks.last_mut() {
                task.line(line, base);
            }
        }
        told
    }
}

fn heading(line: &str) -> Option<String> {
    let is_heading = ["PLAY", "TASK [", "RUNNING HANDLER ["].iter().any(|start| line.starts_with(start));
    (is_heading && line.ends_with('*')).then(|| line.trim_end_matches('*').trim_end().to_owned())
}

impl Told {
    fn line(&mut self, line: &str, base: &Path) {
        if let Some(place) = line.strip_prefix("task path: ") {
            let base = format!("{}/", base.display());
            place.strip_prefix(&base).unwrap_or(place).clone_into(&mut self.place);
        } else if line == "...ignoring" {
            if let Some(last) = self.entries.last_mut() {
                "ignored".clone_into(&mut last.status);
            }
        } else if let Some((status, rest)) = line.split_once(": ")
            && STATUSES.contains(&status)
        {
            self.entries.push(entry(status, rest));
        }
    }
}

/// `[web1]: FAILED! => {…}`, `[web1] => (item=a)  => {…}`, `tasks.yml for web1`.
fn entry(status: &str, rest: &str) -> Entry {
    let (host, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest),
        None => ("", rest),
    };
    let (item, rest) = match rest.split_once("(item=") {
        Some((_, labelled)) => match labelled.split_once(") => ").or(labelled.split_once(")  => ")) {
            Some((label, rest)) => (label, rest),
            None => (labelled.trim_end().trim_end_matches(')'), ""),
        },
        None if host.is_empty() => (rest, ""),
        None => ("", rest.split_once(" => ").map_or("", |(_, result)| result)),
    };
    let is_unreachable = rest.contains("\"unreachable\": true");
    let status = if status == "fatal" && is_unreachable { "unreachable" } else { status };
    Entry {
        // Where a task was delegated to does not matter for what came of it.
        host: host.split(" -> ").next().unwrap_or(host).to_owned(),
        status: status.to_owned(),
        item: item.to_owned(),
        result: serde_json::from_str(rest.trim()).unwrap_or(Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: &str) {
        let (status, rest) = line.split_once(": ").unwrap();
        let Entry { host, status, item, result } = entry(status, rest);
        assert_eq!(format!("{status}|{host}|{item}|{result}"), expect);
    }

    #[test]
    fn lines() {
        check(r#"ok: [web1] => {"a": 1}"#, r#"ok|web1||{"a":1}"#);
        check("changed: [web1]", "changed|web1||null");
        check("skipping: [web1] => (item=a) ", "skipping|web1|a|null");
        check(r#"changed: [web1] => (item={'k': 1})  => {"k": 1}"#, r#"changed|web1|{'k': 1}|{"k":1}"#);
        check(r#"failed: [web1] (item=a) => {"msg": "x"}"#, r#"failed|web1|a|{"msg":"x"}"#);
        check(r#"fatal: [web1]: FAILED! => {"msg": "x"}"#, r#"fatal|web1||{"msg":"x"}"#);
        check(
            r#"fatal: [web1]: UNREACHABLE! => {"unreachable": true}"#,
            r#"unreachable|web1||{"unreachable":true}"#,
        );
        check(r#"ok: [web1 -> db1(10.0.0.1)] => {"a": 1}"#, r#"ok|web1||{"a":1}"#);
        check("included: tasks.yml for web1, web2", "included||tasks.yml for web1, web2|null");
    }

    #[test]
    fn a_run() {
        let text = "PLAY [all] ****\n\nTASK [one] ****\ntask path: /p/site.yml:3\nfatal: [h]: FAILED! => {}\n...ignoring\n\n\
                    PLAY RECAP ****\nh   : ok=1    changed=0\n";
        let told = Transcript::parse(text, Path::new("/p"));
        let task = &told.tasks[1];
        assert_eq!((task.heading.as_str(), task.place.as_str()), ("TASK [one]", "site.yml:3"));
        assert_eq!(task.entries[0].status, "ignored");
        assert_eq!(told.recap["h"], "ok=1 changed=0");
    }
}
