//! `nmcli` on a host whose connections are files.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::kit::host::{Host, Placement};
use crate::kit::trial::Trial;
use crate::kit::{Command, Output};

const STORE: &str = "/etc/connections";

/// NetworkManager as far as the module asks it.
fn trial() -> Trial {
    let trial = Trial::of("nmcli");
    trial.host.program("/usr/bin/nmcli").dir(STORE);
    trial.host.script("/usr/bin/nmcli", |command, host| answer(command, host));
    trial
}

fn answer(command: &Command, host: &dyn Host) -> Output {
    let words: Vec<String> =
        command.argv.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = |text: String| Output { stdout: text.into_bytes(), ..Output::default() };
    match words.as_slice() {
        ["--fields", "name", .., "con", "show"] => {
            let names = host.list(Path::new(STORE)).unwrap();
            let names: Vec<String> = names.iter().map(|name| name.display().to_string()).collect();
            said(names.join("\n"))
        }
        ["--show-secrets", "con", "show", name] => said(read(host, name)),
        ["--terse", .., "con", "show", name] => said(format!("GENERAL.STATE:{}\n", state(&read(host, name)))),
        ["con", "add", "type", kind, "con-name", name, rest @ ..] => {
            write(host, name, &format!("connection.type: {kind}\n"), rest);
            said(format!("Connection '{name}' (1) successfully added.\n"))
        }
        ["con", "modify", name, rest @ ..] => {
            write(host, name, &read(host, name), rest);
            Output::default()
        }
        ["con", "edit", "type", "wifi"] => said("\n802-11-wireless.hidden: no\n".to_owned()),
        ["con", "edit", name] => {
            let input = String::from_utf8(command.stdin.clone().unwrap()).unwrap();
            let pairs: Vec<&str> = input
                .lines()
                .filter_map(|line| line.strip_prefix("set "))
                .flat_map(|line| line.splitn(2, ' '))
                .collect();
            write(host, name, &read(host, name), &pairs);
            Output::default()
        }
        ["con", "del", name] => {
            host.remove(&path(name)).unwrap();
            said(format!("Connection '{name}' successfully deleted.\n"))
        }
        ["con", verb @ ("up" | "down"), name] => {
            let state = if *verb == "up" { "activated" } else { "" };
            write(host, name, &read(host, name), &["STATE", state]);
            Output::default()
        }
        ["con", "reload"] => Output::default(),
        other => panic!("nmcli {other:?}"),
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(STORE).join(name)
}

fn read(host: &dyn Host, name: &str) -> String {
    std::io::read_to_string(host.open(&path(name)).unwrap()).unwrap()
}

fn state(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("STATE: ")).unwrap_or_default()
}

fn write(host: &dyn Host, name: &str, old: &str, pairs: &[&str]) {
    let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
    for pair in pairs.chunks(2) {
        lines.retain(|line| !line.starts_with(&format!("{}: ", pair[0])));
        let value = if pair[1].is_empty() { "--" } else { pair[1] };
        lines.push(format!("{}: {value}", pair[0]));
    }
    let text = lines.join("\n") + "\n";
    host.place(&path(name), &mut text.as_bytes(), &Placement::default()).unwrap();
}

/// Adds (or changes) a connection lawfully; the words of the command that did it, without the usual ones.
fn check(trial: &Trial, args: Json, expected: &str) {
    let before = trial.host.ran().len();
    trial.lawful(&args);
    let ran = trial.host.ran();
    let made =
        ran[before..].iter().find(|line| line.contains("con add") || line.contains("con modify")).unwrap();
    let mut made = made.trim_start_matches("/usr/bin/nmcli con ").to_owned();
    for usual in [
        " connection.autoconnect yes",
        " ipv4.ignore-auto-dns no",
        " ipv4.ignore-auto-routes no",
        " ipv4.never-default no",
        " ipv4.may-fail yes",
        " ipv6.ignore-auto-dns no",
        " ipv6.ignore-auto-routes no",
    ] {
        made = made.replacen(usual, "", 1);
    }
    assert_eq!(made, expected, "{args}");
}

#[test]
fn each_kind_has_its_settings() {
    let trial = trial();
    let named = |name: &str, more: Json| {
        let mut args = json!({"conn_name": name, "type": name, "state": "present"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    };
    for (kind, more, expected) in [
        (
            "ethernet",
            json!({"ip4": "10.0.0.1", "gw4": "10.0.0.254", "ifname": "e0"}),
            "ipv4.addresses 10.0.0.1/32 ipv4.gateway 10.0.0.254 ipv4.method manual",
        ),
        ("dummy", json!({}), "ipv4.method disabled ipv6.method disabled"),
        (
            "bridge",
            json!({"stp": false}),
            "bridge.ageing-time 300 bridge.forward-delay 15 bridge.hello-time 2 bridge.max-age 20 bridge.priority 128 \
          bridge.stp no",
        ),
        (
            "bridge-slave",
            json!({"master": "br"}),
            "connection.master br connection.slave-type bridge bridge-port.path-cost 100 bridge-port.hairpin-mode no \
          bridge-port.priority 32",
        ),
        (
            "gre",
            json!({"ip_tunnel_dev": "e0", "ip_tunnel_input_key": "1"}),
            "ip-tunnel.mode gre ip-tunnel.parent e0 ip-tunnel.input-key 1",
        ),
        ("vlan", json!({"vlanid": 5, "vlandev": "e0"}), "vlan.id 5 vlan.parent e0"),
        ("vxlan", json!({"vxlan_id": 5, "ip4": "10.0.0.1/8"}), "vxlan.id 5"),
        (
            "team",
            json!({"runner": "lacp", "runner_fast_rate": true}),
            "team.runner lacp team.runner-fast-rate yes",
        ),
        (
            "macvlan",
            json!({"macvlan": {"mode": 2, "parent": "e0"}, "method6": "auto"}),
            "ipv4.method disabled ipv6.method auto macvlan.mode 2 macvlan.parent e0 macvlan.tap no",
        ),
        ("vrf", json!({"table": 10}), "table 10"),
    ] {
        let ifname = more["ifname"].as_str().unwrap_or(kind).to_owned();
        let told = if kind == "gre" { "ip-tunnel" } else { kind };
        let expected =
            format!("add type {told} con-name {kind} connection.interface-name {ifname} {expected}");
        check(&trial, named(kind, more), &expected);
    }
}

#[test]
fn what_differs_is_changed() {
    let trial = trial();
    let lan = |more: Json| {
        let mut args = json!({"conn_name": "lan", "type": "ethernet", "state": "present"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    };
    check(
        &trial,
        lan(json!({"mtu": 1400})),
        "add type ethernet con-name lan connection.interface-name lan 802-3-ethernet.mtu 1400",
    );
    assert_eq!(
        trial.run(&lan(json!({"mtu": 1400})))["Exists"],
        "Connections already exist and no changes made"
    );
    check(&trial, lan(json!({})), "modify lan 802-3-ethernet.mtu 0");
    let routes = json!([{"ip": "10.2.0.0/16", "next_hop": "10.0.0.9", "metric": 5, "onlink": true}]);
    let args = lan(json!({"ip4": ["10.0.0.1/24"], "routes4_extended": routes, "conn_reload": true}));
    check(
        &trial,
        args,
        "modify lan ipv4.addresses 10.0.0.1/24 ipv4.routes 10.2.0.0/16 10.0.0.9 5 onlink=true ipv4.method manual \
         802-3-ethernet.mtu 0",
    );
    let got = trial.check(&lan(json!({"zone": "work"})));
    assert_eq!(got["diff"]["before"]["connection.zone"], Json::Null, "{got}");
    assert_eq!(got["diff"]["after"]["connection.zone"], "work", "{got}");
}

#[test]
fn up_down_and_gone() {
    let trial = trial();
    let state = |state: &str| json!({"conn_name": "lan", "state": state});
    assert_eq!(trial.run(&state("up"))["msg"], "Connection does not exist");
    assert_eq!(trial.run(&state("down"))["msg"], "Connection lan does not exist");
    trial.run(&json!({"conn_name": "lan", "type": "ethernet", "state": "present"}));
    trial.lawful(&state("up"));
    assert_eq!(trial.run(&state("up"))["msg"], "Connection lan is already active");
    trial.lawful(&state("down"));
    trial.lawful(&state("absent"));
    assert_eq!(trial.host.list_of(STORE), "");
}

#[test]
fn secrets_are_in_no_command() {
    let trial = trial();
    let wireguard = json!({"listen-port": 5, "private-key": "hush"});
    let args = json!({"conn_name": "wg", "type": "wireguard", "state": "present", "wireguard": wireguard});
    let got = trial.lawful(&args);
    assert!(!got.to_string().contains("hush"), "{got}");
    let args = json!({"conn_name": "vp", "type": "vpn", "state": "present",
        "vpn": {"gateway": "g", "user": "me", "service-type": "s", "permissions": "me", "ipsec-psk": "hush"}});
    trial.lawful(&args);
    assert!(trial.host.ran().iter().all(|line| !line.contains("hush")), "{:?}", trial.host.ran());
    assert!(trial.host.read("/etc/connections/wg").unwrap().contains("wireguard.private-key: hush"));
}

#[test]
fn what_cannot_be_is_an_error() {
    for (more, expected) in [
        (
            json!({"type": "ethernet", "slave_type": "bond"}),
            "'master' option is required when 'slave_type' is specified.",
        ),
        (
            json!({"type": "bond-slave", "slave_type": "team"}),
            "Connection type 'bond-slave' cannot be combined with 'team'",
        ),
        (
            json!({"type": "team", "runner_fast_rate": true}),
            "runner-fast-rate is only allowed for runner lacp",
        ),
        (json!({}), "type is missing: there is no connection x yet"),
        (
            json!({"type": "wifi", "ssid": "S", "wifi": {"hiden": true}}),
            "Invalid or unsupported option(s): \"wifi.hiden\"",
        ),
        (json!({"type": "macvlan", "macvlan": {"mode": 1, "parent": "e0", "foo": 1}}), "macvlan has no foo"),
        (
            json!({"type": "ethernet", "routes6_extended": [{"ip": "fd::/8", "tos": 1}]}),
            "routes6_extended has no tos",
        ),
    ] {
        let mut args = json!({"conn_name": "x", "state": "present"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let got = trial().run(&args);
        assert!(got["failed"] == true && got["msg"].as_str().unwrap().contains(expected), "{got}");
    }
}

#[test]
fn what_is_shown_otherwise_is_the_same() {
    use super::settings::{Setting, Value, Way};
    use super::shown::Shown;
    let shown = Shown::of(
        "vlan.flags:     1 (REORDER_HEADERS)\nwireguard.fwmark:  0x5\n802-3-ethernet.mtu: auto\n\
         bridge.mac-address: 52:54:00:AA:BB:CC\nwireguard.peer-routes: no\nvrf.table: 10\n\
         wireguard.ip4-auto-default-route: 1 (true)\nconnection.permissions: user:me\nconnection.zone: --\n\
         bond.options: mode=active-backup,arp_ip_target=1.2.3.4 2.3.4.5\nipv4.method: auto\n\
         ipv4.routes: { ip = 1.9.0.0/16, nh = 1.2.3.9, mt = 4 mtu=1300 }; { ip = 2.2.2.2/32 }\n\
         vpn.data: gateway = g, user = me\n",
    );
    let text = |name: &str, value: &str| Setting {
        name: name.into(),
        value: Value::Text(value.into()),
        way: Way::Words,
    };
    for (name, value, expected) in [
        ("vlan.flags", "1", true),
        ("vlan.flags", "2", false),
        ("wireguard.fwmark", "5", true),
        ("802-3-ethernet.mtu", "0", true),
        ("802-3-ethernet.mtu", "1400", false),
        ("bridge.mac-address", "52:54:00:aa:bb:cc", true),
        ("wireguard.peer-routes", "no", true),
        ("wireguard.ip4-auto-default-route", "yes", true),
        ("connection.permissions", "me", true),
        ("connection.zone", "", true),
        ("connection.zone", "work", false),
        ("table", "10", true),
        ("mode", "active-backup", true),
        ("arp_ip_target", "1.2.3.4 2.3.4.5", true),
        ("ipv4.method", "manual", false),
        ("gsm.apn", "", true),
        ("gsm.apn", "a", false),
    ] {
        assert_eq!(shown.is(&text(name, value)), expected, "{name} {value}");
    }
    let list = |name: &str, items: &[&str]| Setting {
        name: name.into(),
        value: Value::List(items.iter().map(|item| (*item).to_owned()).collect()),
        way: Way::Words,
    };
    assert!(shown.is(&list("ipv4.routes", &["1.9.0.0/16 1.2.3.9 4 mtu=1300", "2.2.2.2"])));
    assert!(!shown.is(&list("ipv4.routes", &["1.9.0.0/16 1.2.3.9"])));
    assert!(shown.is(&list("vpn.data", &["user=me", "gateway=g"])));
}
