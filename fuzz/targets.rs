//! What is fed with anything at all: nothing may panic, hang, or take memory by a length that somebody wrote.
//!
//! `fuzz/run` lets libFuzzer search; `cargo test` replays what it found (`tests/fuzz`).

use std::fs::{self, Permissions};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanfare::config::InventoryOptions;
use fanfare::inventory::{Inventory, Plugin};
use fanfare::target::{Blobs, CallError, Destination, Links, Transport};
use fanfare::value::{Dict, Value};
use fanfare::vault::Keyring;
use fanfare::yaml::{self, Trust};
use fanfare_modules::kit::host::Stream;
use fanfare_modules::kit::memory::Memory;
use fanfare_modules::kit::serve::serve;
use fanfare_modules::kit::wire::{GREETING, Request};

/// What is done with an input.
pub type Target = fn(&[u8]);

/// By name, which is also that of the directory of its cases.
pub const TARGETS: &[(&str, Target)] = &[
    ("inventory_ini", inventory_ini),
    ("inventory_script", inventory_script),
    ("inventory_yaml", inventory_yaml),
    ("patterns", patterns),
    ("requests", requests),
    ("vault", vault),
    ("worker", worker),
    ("yaml", yaml),
];

/// What a host that was taken over sends instead of a worker's answers. None of it becomes a template.
fn worker(bytes: &[u8]) {
    let said = [GREETING, bytes].concat();
    let lab: fanfare::target::Lab =
        Arc::new(move |_| Some(Box::new(tokio::io::join(Cursor::new(said.clone()), tokio::io::sink()))));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let links = Links::with_lab(lab);
        let to = Destination {
            name: "host".into(),
            transport: Transport::Local,
            hop: None,
            remote_tmp: None,
            traceless: false,
        };
        let request = Request { module: "ping".to_owned(), ..Request::default() };
        let requests = vec![request; 2];
        match links.call(&to, requests, Arc::new(Content)).await {
            Ok(replies) => {
                for reply in replies {
                    let result = Value::dict(Dict::from(reply.result));
                    assert!(!result.holds_template(), "the output of a host is a template: {result:?}");
                }
            }
            Err(CallError::Unreachable(why)) => assert!(!why.contains("error in fanfare"), "{why}"),
            Err(_) => {}
        }
        links.close().await;
    });
}

/// Some content under each key; all that is sent is taken.
struct Content;

impl Blobs for Content {
    fn open(&self, _: &str) -> Option<io::Result<Box<dyn Read + Send>>> {
        Some(Ok(Box::new(Cursor::new(b"content"))))
    }

    fn receive(&self, _: &str, _: &[u8], _: bool) -> io::Result<()> {
        Ok(())
    }

    fn hear(&self, _: Stream, _: &[u8]) {}
}

/// What the worker reads, on a machine in memory. Jobs in the background, and those that wait, are left out.
fn requests(bytes: &[u8]) {
    if [&b"background"[..], b"wait_for", b"pause"]
        .iter()
        .any(|word| bytes.windows(word.len()).any(|window| window == *word))
    {
        return;
    }
    let memory = Memory::new();
    let _ = serve(&*memory, bytes, io::sink());
}

fn inventory_ini(bytes: &[u8]) {
    inventory(Plugin::Ini, "hosts", bytes);
}

fn inventory_yaml(bytes: &[u8]) {
    inventory(Plugin::Yaml, "hosts.yml", bytes);
}

/// What an inventory script prints.
fn inventory_script(bytes: &[u8]) {
    let script = Place::new("script", b"#!/bin/sh\ncase $1 in --list) cat \"$0.json\";; esac\n");
    let mut answer = script.0.clone().into_os_string();
    answer.push(".json");
    let _answer = Place::at(answer.into(), bytes);
    let _ = fs::set_permissions(&script.0, Permissions::from_mode(0o755));
    load(Plugin::Script, &script.0);
}

fn inventory(plugin: Plugin, name: &str, bytes: &[u8]) {
    if has_many_hosts(bytes) {
        return;
    }
    let file = Place::new(name, bytes);
    load(plugin, &file.0);
}

/// Whether ranges in it may stand for thousands of hosts: those are the user's own wish, and take their time.
fn has_many_hosts(bytes: &[u8]) -> bool {
    let is_long = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    bytes.windows(4).any(is_long)
        || bytes.split(|byte| *byte == b'\n').any(|line| line.split(|byte| *byte == b'[').count() > 2)
}

/// Reads an inventory and asks for everything that is in it.
fn load(plugin: Plugin, file: &Path) {
    let sources = vec![file.to_string_lossy().into_owned()];
    let options = InventoryOptions { sources, plugins: vec![plugin], ..InventoryOptions::default() };
    let Ok((inventory, _)) = Inventory::load(&options) else { return };
    inventory.groups_dict();
    for (host, _) in inventory.hosts().take(100) {
        let _ = inventory.host_layers(host, None);
        inventory.group_names(host);
    }
}

/// The pattern of a play and, in further lines, limits.
fn patterns(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut inventory = Inventory::default();
    for group in ["web", "db", "east"] {
        inventory.add_group(group);
    }
    for number in 0..20 {
        let group = Arc::from(if number % 2 == 0 { "web" } else { "db" });
        inventory.add_host(&format!("h{number:02}.example"), &[group], &Dict::new()).expect("a host");
    }
    let mut lines = text.lines();
    let pattern = lines.next().unwrap_or_default();
    let limits: Vec<_> = lines.map(str::to_owned).collect();
    let _ = inventory.select(pattern, &limits);
    // The same as a list of hosts with ranges.
    let options = InventoryOptions {
        sources: vec![format!("{pattern},")],
        plugins: vec![Plugin::AdvancedHostList],
        ..InventoryOptions::default()
    };
    if !pattern.contains('/') && !has_many_hosts(pattern.as_bytes()) {
        let _ = Inventory::load(&options);
    }
}

/// A text is read the same as the user's own and as somebody else's, but for what is a template in it.
fn yaml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let ours = yaml::parse_str(text, "<fuzz>", Trust::Trusted);
    let theirs = yaml::parse_str(text, "<fuzz>", Trust::Untrusted);
    assert!(theirs.is_ok() || ours.is_err(), "only the user's own is read");
    for document in theirs.into_iter().flat_map(|loaded| loaded.documents) {
        let value = document.to_value();
        let is_template = |value: &Value| matches!(value, Value::Template(_));
        assert!(!any(&value, &is_template), "a template of somebody else's: {value:?}");
        let _ = value.to_string();
    }
}

fn any(value: &Value, wanted: &dyn Fn(&Value) -> bool) -> bool {
    wanted(value)
        || match value {
            Value::List(items) | Value::Tuple(items) => items.iter().any(|item| any(item, wanted)),
            Value::Dict(entries) => entries.iter().any(|(key, value)| any(key, wanted) || any(value, wanted)),
            _ => false,
        }
}

fn vault(bytes: &[u8]) {
    let _ = Keyring::new(Vec::new(), false).open(bytes);
}

/// A file that is there for as long as this is.
struct Place(PathBuf);

impl Place {
    fn new(name: &str, content: &[u8]) -> Self {
        let dir = [Path::new("/dev/shm"), &std::env::temp_dir()]
            .into_iter()
            .find(|dir| dir.is_dir())
            .expect("a directory")
            .to_owned();
        Self::at(
            dir.join(format!("fanfare-fuzz.{}.{:?}.{name}", std::process::id(), std::thread::current().id())),
            content,
        )
    }

    fn at(path: PathBuf, content: &[u8]) -> Self {
        fs::write(&path, content).expect("written");
        Self(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
