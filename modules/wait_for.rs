mod connections;

use std::path::Path;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::edit::{bad_pattern, pattern};
use crate::kit::host::Peer;
use crate::kit::regex::Flags;
use crate::kit::{Failure, FileFacts, FilePath, Result, System};

/// Waits for a port to open or close, a file to appear or vanish, or a text to show up.
///
/// Without `port` and `path` it just waits `timeout` seconds.
///
/// # Examples
///
/// ```yaml
/// - name: Port 8000 opens, but not before ten seconds have gone
///   wait_for:
///     port: 8000
///     delay: 10
///
/// - name: A text shows up in a file
///   wait_for:
///     path: /tmp/foo
///     search_regex: completed
///
/// - name: A lock is gone
///   wait_for:
///     path: /var/lock/file.lock
///     state: absent
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["port", "path"]],
    "words" = {
        "parameters are mutually exclusive: port|path": "port and path parameter can not both be passed to wait_for",
    },
))]
pub struct Args {
    /// The host to connect to.
    #[serde(default = "localhost")]
    pub host: String,
    /// The port to look at.
    pub port: Option<u16>,
    /// The file to look at.
    pub path: Option<FilePath>,
    /// `started` and `present`: open, or there. `stopped` and `absent`: closed, or gone. `drained`: nobody is
    /// connected any more.
    #[serde(default)]
    pub state: State,
    /// A pattern that the file, or what the port sends, must match.
    pub search_regex: Option<String>,
    /// Seconds to wait before looking for the first time.
    #[serde(default)]
    pub delay: u64,
    /// Seconds between looks.
    #[serde(default = "one")]
    pub sleep: u64,
    /// Seconds to wait in all.
    #[serde(default = "patience")]
    pub timeout: u64,
    /// Seconds to wait for a connection.
    #[serde(default = "five")]
    pub connect_timeout: u64,
    /// What to say when it takes too long.
    pub msg: Option<String>,
    /// For `drained`: the states that count as connected.
    #[serde(default = "active")]
    pub active_connection_states: Vec<String>,
    /// For `drained`: addresses whose connections do not count.
    #[serde(default)]
    pub exclude_hosts: Vec<String>,
}

fn localhost() -> String {
    "127.0.0.1".to_owned()
}

fn one() -> u64 {
    1
}

fn five() -> u64 {
    5
}

fn patience() -> u64 {
    300
}

fn active() -> Vec<String> {
    ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT", "TIME_WAIT"].map(str::to_owned).into()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Drained,
    Present,
    #[default]
    Started,
    Stopped,
}

#[derive(Serialize)]
pub struct Returns {
    /// Unless the file's facts say what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(flatten)]
    facts: Option<FileFacts>,
    port: Option<u16>,
    path: Option<String>,
    search_regex: Option<String>,
    match_groups: Vec<Option<String>>,
    match_groupdict: Map<String, Json>,
    elapsed: u64,
}

/// A check waits for nothing: what would come about is not there yet.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Outcome {
    Waited(Box<Returns>),
    Skipped { skipped: bool, msg: &'static str },
}

/// What a match found.
#[derive(Default)]
struct Found {
    groups: Vec<Option<String>>,
    named: Map<String, Json>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Outcome> {
    if sys.is_check() {
        let msg = "remote module (wait_for) does not support check mode";
        return Ok(Outcome::Skipped { skipped: true, msg });
    }
    connections::check(&args).map_err(at_once)?;
    wait(args, sys).map(Box::new).map(Outcome::Waited)
}

/// What is wrong before anything was waited for.
fn at_once(failure: Failure) -> Failure {
    failure.with("elapsed", 0)
}

fn wait(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.state == State::Drained && args.port.is_none() {
        return Err(at_once(Failure::new(
            "state=drained should only be used for checking a port in the wait_for module",
        )));
    }
    if args.state == State::Stopped && args.path.is_some() {
        return Err(at_once(Failure::new(
            "state=stopped should only be used for checking a port in the wait_for module",
        )));
    }
    let begun = Instant::now();
    let elapsed = || begun.elapsed().as_secs();
    sys.sleep(Duration::from_secs(args.delay))?;
    let mut found = Found::default();
    if args.port.is_none() && args.path.is_none() && args.state != State::Drained {
        // The delay does not count.
        sys.sleep(Duration::from_secs(args.timeout))?;
    } else {
        loop {
            // The delay counts: one as long as the timeout leaves no time to look.
            if elapsed() >= args.timeout {
                let message = args.msg.clone().unwrap_or_else(|| late(&args));
                return Err(Failure::new(message).with("elapsed", elapsed()));
            }
            if let Some(got) = look(&args, sys)? {
                found = got;
                break;
            }
            sys.sleep(Duration::from_secs(args.sleep.max(1)))?;
        }
    }
    let facts = match &args.path {
        Some(path) if sys.exists(path)? => Some(sys.file_facts(path, false)?),
        _ => None,
    };
    Ok(Returns {
        state: facts.is_none().then_some(args.state),
        facts,
        port: args.port,
        path: args.path.as_ref().map(|path| path.text().into_owned()),
        search_regex: args.search_regex,
        match_groups: found.groups,
        match_groupdict: found.named,
        elapsed: elapsed(),
    })
}

/// Whether it is so.
fn look(args: &Args, sys: &mut System<'_>) -> Result<Option<Found>> {
    let yes = |is: bool| is.then(Found::default);
    match (args.state, &args.path, args.port) {
        (State::Absent | State::Stopped, Some(path), _) => Ok(yes(!sys.exists(path)?)),
        (_, Some(path), _) => in_file(args, path, sys),
        (State::Absent | State::Stopped, None, Some(port)) => Ok(yes(!connects(args, port, sys))),
        (State::Drained, None, Some(port)) => Ok(yes(connections::count(sys, args, port)? == 0)),
        (_, None, Some(port)) => in_answer(args, port, sys),
        (_, None, None) => Ok(yes(true)),
    }
}

fn in_file(args: &Args, path: &Path, sys: &System<'_>) -> Result<Option<Found>> {
    if !sys.exists(path)? {
        return Ok(None);
    }
    let Some(wanted) = &args.search_regex else { return Ok(Some(Found::default())) };
    let text = sys.read_text_if_there(path)?.unwrap_or_default();
    search(wanted, &text)
}

fn in_answer(args: &Args, port: u16, sys: &mut System<'_>) -> Result<Option<Found>> {
    let timeout = Duration::from_secs(args.connect_timeout);
    let Ok(mut connection) = sys.connect(&Peer::Tcp { host: &args.host, port }, timeout) else {
        return Ok(None);
    };
    let Some(wanted) = &args.search_regex else { return Ok(Some(Found::default())) };
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    let end = Instant::now() + timeout;
    while Instant::now() < end && heard.len() < 1 << 20 {
        let _ = connection.set_read_timeout(timeout);
        match connection.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => heard.extend_from_slice(buffer.get(..count).unwrap_or_default()),
        }
        // As in Ansible, the groups of a match are told of files only.
        if search(wanted, &String::from_utf8_lossy(&heard))?.is_some() {
            return Ok(Some(Found::default()));
        }
    }
    Ok(None)
}

fn connects(args: &Args, port: u16, sys: &mut System<'_>) -> bool {
    let peer = Peer::Tcp { host: &args.host, port };
    sys.connect(&peer, Duration::from_secs(args.connect_timeout)).is_ok()
}

fn search(wanted: &str, text: &str) -> Result<Option<Found>> {
    let regex = pattern("search_regex", wanted, Flags { multiline: true, ..Flags::default() })?;
    let found = regex.search(text).map_err(|error| bad_pattern("search_regex", &error))?;
    Ok(found.map(|found| Found {
        groups: (1..=regex.groups()).map(|index| found.group(index).map(str::to_owned)).collect(),
        named: wanted
            .split("(?P<")
            .skip(1)
            .filter_map(|rest| {
                let (name, _) = rest.split_once('>')?;
                let text = found.group(regex.group_number(name)?);
                Some((name.to_owned(), text.map_or(Json::Null, Json::from)))
            })
            .collect(),
    }))
}

fn late(args: &Args) -> String {
    let what = match (&args.path, args.port) {
        (Some(path), _) => path.text().into_owned(),
        (None, Some(port)) => format!("{}:{port}", args.host),
        (None, None) => String::new(),
    };
    match (args.state, &args.search_regex, &args.path) {
        (State::Absent, _, Some(_)) => format!("Timeout when waiting for {what} to be absent."),
        (State::Absent | State::Stopped, ..) => format!("Timeout when waiting for {what} to stop."),
        (State::Drained, ..) => format!("Timeout when waiting for {what} to drain"),
        (_, Some(regex), _) => format!("Timeout when waiting for search string {regex} in {what}"),
        (_, None, Some(_)) => format!("Timeout when waiting for file {what}"),
        (_, None, None) => format!("Timeout when waiting for {what}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn files_and_ports() {
        let trial = Trial::of("wait_for");
        trial.host.file("/there", "one\nstate: completed\n").open_port(80);
        let now = |args: serde_json::Value| trial.run(&args);
        assert_eq!(now(json!({"path": "/there"}))["changed"], false);
        assert_eq!(
            now(json!({"path": "/there", "search_regex": "state: (\\w+)"}))["match_groups"],
            json!(["completed"])
        );
        let named = now(json!({"path": "/there", "search_regex": "state: (?P<is>\\w+)"}));
        assert_eq!(
            (&named["match_groupdict"], &named["state"]),
            (&json!({"is": "completed"}), &json!("file"))
        );
        assert_eq!(now(json!({"path": "/gone", "state": "absent"}))["state"], "absent");
        assert_eq!(now(json!({"port": 80}))["port"], 80);
        let late = now(json!({"path": "/gone", "timeout": 0}));
        assert_eq!(late["msg"], "Timeout when waiting for file /gone");
        assert_eq!(now(json!({"path": "/x", "state": "drained"}))["elapsed"], 0);
        let late = now(json!({"port": 81, "timeout": 0, "msg": "too late"}));
        assert_eq!(late["msg"], "too late");
    }
}
