//! Whether a container has what is wanted of it.

use serde_json::{Map, Value as Json};

use super::Args;
use super::wish::{Kind, Wish};
use crate::kit::{Failure, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Strict,
    Ignore,
    AllowMorePresent,
}

/// How each option is compared.
pub struct Comparisons {
    given: Vec<(String, Method)>,
    others: Option<Method>,
}

/// Other names of options that can be compared.
const ALIASES: [(&str, &str); 5] = [
    ("ports", "published_ports"),
    ("exposed", "exposed_ports"),
    ("expose", "exposed_ports"),
    ("log_opt", "log_options"),
    ("env_file", "env"),
];

/// Options that say how to work, and nothing of a container's configuration.
const OTHER_OPTIONS: [&str; 31] = [
    "name",
    "state",
    "pull",
    "pull_check_mode_behavior",
    "image_name_mismatch",
    "image_label_mismatch",
    "image_comparison",
    "comparisons",
    "container_default_behavior",
    "recreate",
    "restart",
    "paused",
    "force_kill",
    "kill_signal",
    "keep_volumes",
    "removal_wait_timeout",
    "healthy_wait_timeout",
    "cleanup",
    "output_logs",
    "networks_cli_compatible",
    "command_handling",
    "docker_host",
    "api_version",
    "timeout",
    "ca_path",
    "client_cert",
    "client_key",
    "tls",
    "tls_hostname",
    "validate_certs",
    "debug",
];

/// Options whose values hold several things.
fn kind_of(option: &str) -> Kind {
    match option {
        "command" | "entrypoint" | "device_cgroup_rules" | "dns_servers" | "dns_search_domains" => Kind::List,
        "labels" | "log_options" | "storage_opts" | "sysctls" | "tmpfs" | "healthcheck"
        | "published_ports" | "etc_hosts" => Kind::Dict,
        "env" | "volumes" | "exposed_ports" | "capabilities" | "cap_drop" | "dns_opts" | "groups"
        | "links" | "security_opts" | "volumes_from" => Kind::Set,
        "mounts" | "networks" | "devices" | "device_read_bps" | "device_write_bps" | "device_read_iops"
        | "device_write_iops" | "device_requests" | "ulimits" => Kind::Records,
        _ => Kind::Value,
    }
}

impl Comparisons {
    pub fn of(args: &Args) -> Result<Self> {
        let mut own = Self { given: Vec::new(), others: None };
        let known = serde_json::to_value(args).unwrap_or_default();
        for (name, method) in args.comparisons.iter().flatten() {
            let text = method.as_str().unwrap_or_default();
            let method = match text {
                "strict" => Method::Strict,
                "ignore" => Method::Ignore,
                "allow_more_present" => Method::AllowMorePresent,
                _ => return Err(Failure::new(format!("Unknown comparison mode '{text}'!"))),
            };
            if name == "*" {
                if method == Method::AllowMorePresent {
                    let msg = "The wildcard can only be used with comparison modes 'strict' and 'ignore'!";
                    return Err(Failure::new(msg));
                }
                own.others = Some(method);
                continue;
            }
            let option =
                ALIASES.iter().find(|(alias, _)| alias == name).map_or(name.as_str(), |(_, own)| own);
            if known.get(option).is_none() || OTHER_OPTIONS.contains(&option) {
                return Err(Failure::new(format!("Unknown module option '{name}' in comparisons dict!")));
            }
            if method == Method::AllowMorePresent && kind_of(option) == Kind::Value {
                return Err(Failure::new(format!(
                    "Option '{name}' is a value and not a set/list/dict, so its comparison cannot be {text}"
                )));
            }
            own.given.push((option.to_owned(), method));
        }
        Ok(own)
    }

    fn method(&self, wish: &Wish) -> Method {
        let usual = match wish.kind {
            _ if wish.is_ignored => Method::Ignore,
            Kind::Value | Kind::List => Method::Strict,
            Kind::Set | Kind::Dict | Kind::Records => Method::AllowMorePresent,
        };
        self.of_option(wish.option).unwrap_or(usual)
    }

    /// Whether a container has what is wanted, being what it has.
    pub fn is_met(&self, wish: &Wish, current: &Json) -> bool {
        is_met(self.method(wish), wish.kind, &(wish.alike)(&wish.expected), &(wish.alike)(current))
    }

    /// How that option is compared, where that is said.
    pub fn of_option(&self, option: &str) -> Option<Method> {
        let given = self.given.iter().rev().find(|(known, _)| known == option);
        given.map(|(_, method)| *method).or(self.others)
    }
}

/// Whether what is there is as it is wanted.
fn is_met(method: Method, kind: Kind, wanted: &Json, current: &Json) -> bool {
    if method == Method::Ignore {
        return true;
    }
    let strict = method == Method::Strict;
    match (wanted, current) {
        (Json::Null, Json::Null) => return true,
        (Json::Null, other) | (other, Json::Null) if kind != Kind::Value => {
            return (!strict && wanted.is_null()) || is_empty(other);
        }
        _ => {}
    }
    let list = |value: &Json| value.as_array().cloned().unwrap_or_default();
    match kind {
        Kind::Value => wanted == current,
        Kind::List if strict => wanted == current,
        Kind::List => {
            let there = list(current);
            let mut rest = there.iter();
            list(wanted).iter().all(|item| rest.any(|other| other == item))
        }
        Kind::Dict => match (wanted.as_object(), current.as_object()) {
            (Some(wanted), Some(current)) => {
                is_within(wanted, current) && (!strict || wanted.len() == current.len())
            }
            _ => wanted == current,
        },
        Kind::Set => {
            let (wanted, current) = (list(wanted), list(current));
            wanted.iter().all(|item| current.contains(item))
                && (!strict || current.iter().all(|item| wanted.contains(item)))
        }
        Kind::Records => {
            let (wanted, current) = (list(wanted), list(current));
            let covers = |record: &Json, other: &Json| match (record.as_object(), other.as_object()) {
                (Some(record), Some(other)) => is_within(record, other),
                _ => record == other,
            };
            wanted.iter().all(|record| current.iter().any(|other| covers(record, other)))
                && (!strict || current.iter().all(|other| wanted.iter().any(|record| covers(record, other))))
        }
    }
}

fn is_within(wanted: &Map<String, Json>, current: &Map<String, Json>) -> bool {
    wanted.iter().all(|(key, value)| current.get(key) == Some(value))
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::String(text) => text.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn more_may_be_there_or_not() {
        let (a, b) = (json!(["a"]), json!(["b", "a"]));
        let (x, xy) = (json!({"x": 1}), json!({"x": 1, "y": 2}));
        for (kind, wanted, current, strict, more) in [
            (Kind::Value, &json!(1), &json!(1), true, true),
            (Kind::Value, &json!(1), &json!(2), false, false),
            (Kind::Value, &json!(false), &Json::Null, false, false),
            (Kind::List, &json!(["a", "b"]), &b, false, false),
            (Kind::List, &a, &b, false, true),
            (Kind::List, &json!([]), &Json::Null, true, true),
            (Kind::Set, &a, &b, false, true),
            (Kind::Set, &json!(["a", "b"]), &b, true, true),
            (Kind::Set, &b, &a, false, false),
            (Kind::Set, &a, &Json::Null, false, false),
            (Kind::Dict, &x, &xy, false, true),
            (Kind::Dict, &xy, &x, false, false),
            (Kind::Dict, &json!({"x": 2}), &xy, false, false),
            (Kind::Records, &json!([{"x": 1}]), &json!([{"x": 1, "y": 2}]), true, true),
            (Kind::Records, &json!([{"x": 1}]), &json!([{"x": 1}, {"x": 2}]), false, true),
        ] {
            assert_eq!(is_met(Method::Strict, kind, wanted, current), strict, "{kind:?} {wanted} {current}");
            let loose = is_met(Method::AllowMorePresent, kind, wanted, current);
            assert_eq!(loose, more, "{kind:?} {wanted} {current}");
            assert!(is_met(Method::Ignore, kind, wanted, current));
        }
    }
}
