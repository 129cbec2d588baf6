//! How an engine is reached.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::docker::engine::{Address, Engine};
use crate::kit::{Failure, FilePath, Result, System};

const SOCKET: &str = "unix:///var/run/docker.sock";

/// How to reach the engine. Variables of the environment stand in for what is not given: `DOCKER_HOST`,
/// `DOCKER_API_VERSION`, `DOCKER_TIMEOUT`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct EngineOptions {
    /// Where the engine listens, seen from the target: `unix:///path`, or `tcp://host:port`, which is not encrypted.
    /// By default `unix:///var/run/docker.sock`.
    #[schemars(extend("aliases" = ["docker_url"]))]
    docker_host: Option<String>,
    /// The version of the engine's interface; `auto`, the default, is the newest that the engine has.
    #[schemars(extend("aliases" = ["docker_api_version"]))]
    api_version: Option<String>,
    /// How many seconds to wait for an answer: by default 60.
    timeout: Option<u64>,
    /// Not supported: connections are not encrypted.
    #[schemars(extend("aliases" = ["ca_cert", "tls_ca_cert", "cacert_path"]))]
    ca_path: Option<FilePath>,
    /// Not supported: connections are not encrypted.
    #[schemars(extend("aliases" = ["tls_client_cert", "cert_path"]))]
    client_cert: Option<FilePath>,
    /// Not supported: connections are not encrypted.
    #[schemars(extend("aliases" = ["tls_client_key", "key_path"]))]
    client_key: Option<FilePath>,
    /// Not supported: connections are not encrypted.
    #[serde(default)]
    tls: bool,
    /// Not supported: connections are not encrypted.
    tls_hostname: Option<String>,
    /// Not supported: connections are not encrypted.
    #[serde(default)]
    #[schemars(extend("aliases" = ["tls_verify"]))]
    validate_certs: bool,
    /// Not supported: engines are reached by `unix://` and `tcp://`.
    #[serde(default)]
    use_ssh_client: bool,
    /// Whether what was done is part of the result.
    #[serde(default)]
    pub debug: bool,
}

impl EngineOptions {
    /// The engine, once it has said its version.
    pub fn open(&self, sys: &mut System<'_>) -> Result<Engine> {
        self.check_supported(sys)?;
        let host = self.host(sys);
        let timeout = match (self.timeout, sys.env("DOCKER_TIMEOUT")) {
            (Some(seconds), _) => seconds,
            (None, None) => 60,
            (None, Some(text)) => text
                .parse()
                .map_err(|_| Failure::new(format!("DOCKER_TIMEOUT: {text} is no number of seconds")))?,
        };
        let version = self.api_version.clone().or_else(|| sys.env("DOCKER_API_VERSION"));
        let version = version.filter(|version| version != "auto");
        Engine::open(address(&host)?, host, Duration::from_secs(timeout.max(1)), version.as_deref(), sys)
    }

    /// Where the engine listens, as its client `docker` takes it.
    pub fn host(&self, sys: &System<'_>) -> String {
        let host = self.docker_host.clone().or_else(|| sys.env("DOCKER_HOST"));
        host.filter(|host| !host.is_empty()).unwrap_or_else(|| SOCKET.to_owned())
    }

    pub fn check_supported(&self, sys: &System<'_>) -> Result<()> {
        let is_set = |name: &str| {
            let off = ["", "0", "no", "false", "n", "off", "f"];
            sys.env(name).is_some_and(|value| !off.contains(&value.to_lowercase().as_str()))
        };
        let given = [
            ("ca_path", self.ca_path.is_some()),
            ("client_cert", self.client_cert.is_some()),
            ("client_key", self.client_key.is_some()),
            ("tls", self.tls || is_set("DOCKER_TLS")),
            ("tls_hostname", self.tls_hostname.is_some()),
            ("validate_certs", self.validate_certs || is_set("DOCKER_TLS_VERIFY")),
        ];
        if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
            let msg =
                format!("{option} is not supported: connections to the Docker engine are not encrypted");
            return Err(Failure::new(msg));
        }
        if self.use_ssh_client {
            let msg = "use_ssh_client is not supported: the Docker engine is reached by unix:// and tcp://";
            return Err(Failure::new(msg));
        }
        Ok(())
    }
}

fn address(host: &str) -> Result<Address> {
    let unsupported = || {
        let msg = format!("docker_host {host} is not supported: the engine is reached by unix:// and tcp://");
        Failure::new(msg)
    };
    if let Some(path) = host.strip_prefix("unix://") {
        return Ok(Address::Unix(PathBuf::from(format!("/{}", path.trim_start_matches('/')))));
    }
    let rest = host.strip_prefix("tcp://").or_else(|| host.strip_prefix("http://"));
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
    use super::{Address, address};

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
        ] {
            assert_eq!(address(text).unwrap(), expected, "{text}");
        }
        for bad in ["ssh://me@h", "https://h:2376", "npipe:////./pipe/docker_engine", "tcp://", "h:2375"] {
            let msg = address(bad).unwrap_err().msg;
            assert!(msg.contains(bad) && msg.contains("not supported"), "{msg}");
        }
        assert_eq!(address("tcp://h:x").unwrap_err().msg, "docker_host tcp://h:x: x is no port");
    }
}
