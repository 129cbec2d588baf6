//! The engine's client, the program `docker`, and how it is told where the engine is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, FilePath, Result, System};

/// How to reach the engine, for its client. `DOCKER_HOST` and the client's other variables stand in for what is not
/// given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ClientOptions {
    /// The program `docker`, by default that of the `PATH`.
    docker_cli: Option<FilePath>,
    /// The context of the client to use.
    cli_context: Option<String>,
    /// Where the engine listens, seen from the target: `unix:///path`, `tcp://host:port`, `ssh://user@host`.
    #[schemars(extend("aliases" = ["docker_url"]))]
    docker_host: Option<String>,
    /// The version of the engine's interface; `auto`, the default, is the newest that both know.
    #[schemars(extend("aliases" = ["docker_api_version"]))]
    api_version: Option<String>,
    /// Certificates of authorities that the engine's is checked against.
    #[schemars(extend("aliases" = ["ca_cert", "tls_ca_cert", "cacert_path"]))]
    ca_path: Option<FilePath>,
    /// The certificate shown to the engine.
    #[schemars(extend("aliases" = ["tls_client_cert", "cert_path"]))]
    client_cert: Option<FilePath>,
    /// The key of that certificate.
    #[schemars(extend("aliases" = ["tls_client_key", "key_path"]))]
    client_key: Option<FilePath>,
    /// Whether the connection is encrypted.
    #[serde(default)]
    tls: bool,
    /// Not supported: the client checks the name it connects to.
    tls_hostname: Option<String>,
    /// Whether the connection is encrypted, and the engine's certificate checked.
    #[serde(default)]
    #[schemars(extend("aliases" = ["tls_verify"]))]
    validate_certs: bool,
}

/// The client, told where the engine is.
pub struct Client {
    program: String,
    global: Vec<String>,
    api_version: Option<String>,
}

impl ClientOptions {
    pub fn client(&self, sys: &System<'_>) -> Result<Client> {
        if self.tls_hostname.is_some() {
            let msg = "tls_hostname is not supported: the program docker checks the name it connects to";
            return Err(Failure::new(msg));
        }
        let host =
            self.docker_host.clone().or_else(|| sys.env("DOCKER_HOST")).filter(|host| !host.is_empty());
        if host.is_some() && self.cli_context.is_some() {
            return Err(Failure::new("parameters are mutually exclusive: docker_host|cli_context"));
        }
        let program = match &self.docker_cli {
            Some(path) => path.text().into_owned(),
            None => sys.need("docker")?.to_string_lossy().into_owned(),
        };
        let secured = self.tls || self.validate_certs;
        let mut global = Vec::new();
        let mut opt = |flag: &str, value: Option<String>| {
            global.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
        };
        opt("--host", host);
        opt("--context", self.cli_context.clone());
        if secured {
            global.push(if self.validate_certs { "--tlsverify" } else { "--tls" }.to_owned());
        }
        for (flag, path) in
            [("--tlscacert", &self.ca_path), ("--tlscert", &self.client_cert), ("--tlskey", &self.client_key)]
        {
            global.extend(path.iter().flat_map(|path| [flag.to_owned(), path.text().into_owned()]));
        }
        let api_version = self.api_version.clone().filter(|version| version != "auto");
        Ok(Client { program, global, api_version })
    }
}

impl Client {
    pub fn command(&self, words: &[String]) -> Command {
        let command = Command::new(&self.program).args(&self.global).args(words);
        match &self.api_version {
            Some(version) => command.env("DOCKER_API_VERSION", version),
            None => command,
        }
    }

    /// As results tell it: without where the engine is.
    pub fn line(&self, words: &[String]) -> String {
        Command::new(&self.program).args(words).line()
    }

    pub fn program(&self) -> &str {
        &self.program
    }
}
