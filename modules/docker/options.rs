//! How an engine is reached.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::docker::engine::{Address, Engine};
use crate::kit::tls::{Tls, Trust};
use crate::kit::{Failure, FilePath, Result, System};

const SOCKET: &str = "unix:///var/run/docker.sock";

/// How to reach the engine. Variables of the environment stand in for what is not given: `DOCKER_HOST`,
/// `DOCKER_API_VERSION`, `DOCKER_TIMEOUT`, `DOCKER_TLS`, `DOCKER_TLS_VERIFY`, `DOCKER_TLS_HOSTNAME`, `DOCKER_CERT_PATH`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct EngineOptions {
    /// Where the engine listens, seen from the target: `unix:///path`, `tcp://host:port`, `https://host:port`.
    /// By default `unix:///var/run/docker.sock`.
    #[schemars(extend("aliases" = ["docker_url"]))]
    docker_host: Option<String>,
    /// The version of the engine's interface; `auto`, the default, is the newest that the engine has.
    #[schemars(extend("aliases" = ["docker_api_version"]))]
    api_version: Option<String>,
    /// How many seconds to wait for an answer: by default 60.
    timeout: Option<u64>,
    /// The file of who may vouch for the engine, on the target; without one whom the system trusts.
    #[schemars(extend("aliases" = ["ca_cert", "tls_ca_cert", "cacert_path"]))]
    ca_path: Option<FilePath>,
    /// The file of a certificate that shows the engine who asks.
    #[schemars(extend("aliases" = ["tls_client_cert", "cert_path"]))]
    client_cert: Option<FilePath>,
    /// The file of its key.
    #[schemars(extend("aliases" = ["tls_client_key", "key_path"]))]
    client_key: Option<FilePath>,
    /// Whether the connection is encrypted, by the target's `openssl`. It may be anybody's.
    tls: Option<bool>,
    /// The name that is to be vouched for, where it is not that of the engine's host.
    tls_hostname: Option<String>,
    /// Whether the connection is encrypted, and the engine has to be vouched for.
    #[schemars(extend("aliases" = ["tls_verify"]))]
    validate_certs: Option<bool>,
    /// Not supported: engines are reached by `unix://`, `tcp://` and `https://`.
    #[serde(default)]
    use_ssh_client: bool,
    /// Whether what was done is part of the result.
    #[serde(default)]
    pub debug: bool,
}

impl EngineOptions {
    /// The engine, once it has said its version.
    pub fn open(&self, sys: &mut System<'_>) -> Result<Engine> {
        if self.use_ssh_client {
            let msg =
                "use_ssh_client is not supported: the engine is reached by unix://, tcp:// and https://";
            return Err(Failure::new(msg));
        }
        let host = self.host(sys);
        let mut address = address(&host)?;
        if let Address::Tcp { host: name, port } = &address
            && let Some(tls) = self.tls(name, host.starts_with("https://"), sys)
        {
            address = Address::Tls { tls, port: *port };
        }
        let timeout = match (self.timeout, sys.env("DOCKER_TIMEOUT")) {
            (Some(seconds), _) => seconds,
            (None, None) => 60,
            (None, Some(text)) => text
                .parse()
                .map_err(|_| Failure::new(format!("DOCKER_TIMEOUT: {text} is no number of seconds")))?,
        };
        let version = self.api_version.clone().or_else(|| sys.env("DOCKER_API_VERSION"));
        let version = version.filter(|version| version != "auto");
        Engine::open(address, host, Duration::from_secs(timeout.max(1)), version.as_deref(), sys)
    }

    /// Where the engine listens, as its client `docker` takes it.
    pub fn host(&self, sys: &System<'_>) -> String {
        let host = self.docker_host.clone().or_else(|| sys.env("DOCKER_HOST"));
        host.filter(|host| !host.is_empty()).unwrap_or_else(|| SOCKET.to_owned())
    }

    /// How connections by TCP are encrypted, if they are.
    fn tls(&self, host: &str, is_https: bool, sys: &System<'_>) -> Option<Tls> {
        let is_set = |name: &str| {
            let off = ["", "0", "no", "false", "n", "off", "f"];
            sys.env(name).is_some_and(|value| !off.contains(&value.to_lowercase().as_str()))
        };
        let is_checked = self.validate_certs.unwrap_or_else(|| is_set("DOCKER_TLS_VERIFY"));
        if !is_checked && !self.tls.unwrap_or_else(|| is_set("DOCKER_TLS")) {
            let name = Some(host.to_owned());
            let plain = Tls { host: host.to_owned(), trust: Trust::System, name, ..Tls::default() };
            return is_https.then_some(plain);
        }
        let certs = sys.env("DOCKER_CERT_PATH").filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let file = |given: &Option<FilePath>, name: &str| match given {
            Some(file) => Some(file.0.clone()),
            None => certs.as_ref().map(|dir| dir.join(name)),
        };
        let name = self.tls_hostname.clone().or_else(|| sys.env("DOCKER_TLS_HOSTNAME"));
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| host.to_owned());
        let trust = match file(&self.ca_path, "ca.pem") {
            _ if !is_checked => Trust::Unchecked,
            Some(file) => Trust::File(file),
            None => Trust::System,
        };
        Some(Tls {
            host: host.to_owned(),
            trust,
            name: is_checked.then_some(name),
            certificate: file(&self.client_cert, "cert.pem"),
            key: file(&self.client_key, "key.pem"),
        })
    }
}

fn address(host: &str) -> Result<Address> {
    let unsupported = || {
        let msg = format!(
            "docker_host {host} is not supported: the engine is reached by unix://, tcp:// and https://"
        );
        Failure::new(msg)
    };
    if let Some(path) = host.strip_prefix("unix://") {
        return Ok(Address::Unix(PathBuf::from(format!("/{}", path.trim_start_matches('/')))));
    }
    let rest = ["tcp://", "http://", "https://"].iter().find_map(|scheme| host.strip_prefix(scheme));
    let rest = rest.ok_or_else(unsupported)?.trim_end_matches('/');
    let (name, port) = match rest.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => {
            (name, port.parse().map_err(|_| Failure::new(format!("docker_host {host}: {port} is no port")))?)
        }
        _ => (rest, 2375),
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    if name.is_empty() || name.contains('/') {
        return Err(unsupported());
    }
    Ok(Address::Tcp { host: name.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::{Address, EngineOptions, address};
    use crate::kit::System;
    use crate::kit::memory::Memory;
    use crate::kit::system::Wishes;
    use crate::kit::tls::Trust;
    use crate::kit::trial::Deaf;

    #[test]
    fn tls_is_as_options_and_environment_say() {
        let tls = |options: &str, environment: &[(&str, &str)], is_https| {
            let host = Memory::new();
            for (name, value) in environment {
                host.set_env(name, value);
            }
            let mut deaf = Deaf;
            let sys = System::new(&*host, &mut deaf, Wishes::default());
            let options: EngineOptions = serde_json::from_str(options).unwrap();
            options.tls("h", is_https, &sys)
        };
        assert_eq!(tls("{}", &[("DOCKER_TLS", "0")], false), None);
        let open = tls(r#"{"tls": true, "ca_path": "/ca"}"#, &[], false).unwrap();
        assert_eq!((open.trust, open.name), (Trust::Unchecked, None));
        let system = tls("{}", &[], true).unwrap();
        assert_eq!((system.trust, system.name.as_deref()), (Trust::System, Some("h")));
        let environment =
            [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/c"), ("DOCKER_TLS_HOSTNAME", "other")];
        let given = tls(r#"{"client_key": "/k"}"#, &environment, false).unwrap();
        assert_eq!((given.trust, given.name.as_deref()), (Trust::File("/c/ca.pem".into()), Some("other")));
        assert_eq!((given.certificate, given.key), (Some("/c/cert.pem".into()), Some("/k".into())));
    }

    #[test]
    fn hosts_are_sockets_and_ports() {
        let tcp = |host: &str, port| Address::Tcp { host: host.to_owned(), port };
        for (text, expected) in [
            ("unix:///run/d.sock", Address::Unix("/run/d.sock".into())),
            ("unix://run/d.sock", Address::Unix("/run/d.sock".into())),
            ("tcp://10.0.0.1:2375", tcp("10.0.0.1", 2375)),
            ("tcp://[::1]:99/", tcp("::1", 99)),
            ("tcp://[::1]", tcp("::1", 2375)),
            ("http://h", tcp("h", 2375)),
            ("https://h:2376", tcp("h", 2376)),
        ] {
            assert_eq!(address(text).unwrap(), expected, "{text}");
        }
        for bad in ["ssh://me@h", "npipe:////./pipe/docker_engine", "tcp://", "h:2375"] {
            let msg = address(bad).unwrap_err().msg;
            assert!(msg.contains(bad) && msg.contains("not supported"), "{msg}");
        }
        assert_eq!(address("tcp://h:x").unwrap_err().msg, "docker_host tcp://h:x: x is no port");
    }
}
