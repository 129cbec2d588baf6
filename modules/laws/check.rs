//! Check mode over several tasks: what one foretells, the next believes.

use serde_json::{Value as Json, json};

use crate::kit::memory::Memory;
use crate::kit::trial::{Trial, control_file};

/// Foretells calls on a host; `changed` of each, or its error.
fn check(host: &Memory, calls: &[(&str, Json)], expected: &[Json]) {
    let before = host.snapshot();
    let told: Vec<Json> = Trial::foretell(host, calls)
        .into_iter()
        .map(
            |result| if result["failed"] == true { result["msg"].clone() } else { result["changed"].clone() },
        )
        .collect();
    assert_eq!(told, expected, "{calls:?}");
    assert_eq!(host.snapshot(), before, "check mode touched something");
}

fn host() -> Memory {
    let host = Memory::new();
    host.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n").file("/etc/group", "root:x:0:\n");
    host.dir("/home").dir("/etc/systemd/system").dir("/run/systemd/system");
    for tool in ["useradd", "usermod", "groupadd"] {
        host.program(&format!("/usr/sbin/{tool}"));
    }
    host.answer("systemctl show", 0, "LoadState=not-found\nActiveState=inactive\n");
    host.answer("systemctl is-enabled", 1, "");
    host
}

#[test]
fn an_account_that_would_be_made_can_own_files() {
    let key =
        |name: &str| json!({"path": "/home/ann/.ssh", "state": "directory", "owner": "ann", "group": name});
    check(
        &host(),
        &[
            ("group", json!({"name": "web"})),
            ("user", json!({"name": "ann", "group": "web"})),
            ("file", key("web")),
        ],
        &[json!(true), json!(true), json!(true)],
    );
    check(&host(), &[("user", json!({"name": "ann"})), ("file", key("ann"))], &[json!(true), json!(true)]);
    check(
        &host(),
        &[("user", json!({"name": "ann"})), ("user", json!({"name": "ann"}))],
        &[json!(true), json!(false)],
    );
}

#[test]
fn a_unit_that_would_be_written_can_be_started() {
    let unit = json!({"src": control_file("web", "[Service]\n"), "dest": "/etc/systemd/system/web.service"});
    let start = json!({"name": "web", "state": "started", "enabled": true, "daemon_reload": true});
    check(&host(), &[("copy", unit), ("systemd", start.clone())], &[json!(true), json!(true)]);
    check(&host(), &[("systemd", start)], &[json!("Could not find the requested service web: host")]);
}

#[test]
fn what_is_missing_may_come_with_a_package_that_would_be_installed() {
    let host = host();
    host.file("/var/lib/dpkg/status", "").program("/usr/bin/apt-get");
    host.answer(
        "apt-get",
        0,
        "Inst nginx (1 localhost [amd64])\n0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.\n",
    );
    let service = |state: &str| ("service", json!({"name": "nginx", "state": state}));
    let site = json!({"src": control_file("site", "server {}\n"), "dest": "/etc/nginx/conf.d/site.conf"});
    let file = "/etc/nginx/nginx.conf";
    let calls = [
        ("apt", json!({"name": "nginx"})),
        service("started"),
        service("reloaded"),
        service("stopped"),
        ("copy", site),
        ("lineinfile", json!({"path": file, "line": "user web;"})),
        ("file", json!({"path": file, "mode": "0600"})),
        ("file", json!({"path": "/etc/nginx/mime.types", "mode": "0644"})),
    ];
    let expected = [true, false, true, true, true, true, true, false].map(Json::Bool);
    check(&host, &calls, &expected);
    // Accounts, too.
    let dir = json!({"path": "/var/cache/web/run", "state": "directory", "owner": "root", "group": "web"});
    check(
        &host,
        &[calls[0].clone(), ("file", dir.clone()), ("file", dir)],
        &[json!(true), json!(true), json!(false)],
    );
    // A policy that forbids it keeps their services from being started.
    let apt = |code: u8| ("apt", json!({"name": "nginx", "policy_rc_d": code}));
    let enabled = ("service", json!({"name": "nginx", "enabled": true}));
    check(
        &host,
        &[apt(101), service("stopped"), service("started"), enabled],
        &[true, false, true, false].map(Json::Bool),
    );
    check(&host, &[apt(0), service("stopped")], &[true, true].map(Json::Bool));
    check(&host, &[apt(101), calls[0].clone(), service("stopped")], &[true, true, true].map(Json::Bool));
    // Without the package they are errors.
    let msg = "Destination directory /etc/nginx/conf.d does not exist";
    check(&host, &calls[4..5], &[json!(msg)]);
}
