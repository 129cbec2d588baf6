//! What every module that asks servers takes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::kit::FilePath;

/// Used with `#[serde(flatten)]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct HttpOptions {
    /// Headers of the request.
    pub headers: Option<BTreeMap<String, Json>>,
    /// Headers that are not sent again where the server redirects to.
    #[serde(default)]
    pub unredirected_headers: Vec<String>,
    /// How to name oneself to the server.
    #[serde(default = "agent")]
    pub http_agent: String,
    /// Sends user and password with the first request, not only when asked for.
    #[serde(default)]
    pub force_basic_auth: bool,
    /// Authenticates by Kerberos. Needs a `curl` that can.
    #[serde(default)]
    pub use_gssapi: bool,
    /// Takes user and password from `~/.netrc` when none are given.
    #[serde(default = "yes")]
    pub use_netrc: bool,
    /// Uses the proxy that the environment names (`http_proxy`, `https_proxy`, `no_proxy`).
    #[serde(default = "yes")]
    pub use_proxy: bool,
    /// Checks the server's certificate.
    #[serde(default = "yes")]
    pub validate_certs: bool,
    /// The certificate to show to the server, as a PEM file on the target.
    pub client_cert: Option<FilePath>,
    /// The key of that certificate, when it is in a file of its own.
    pub client_key: Option<FilePath>,
    /// The TLS ciphers, as OpenSSL names them.
    pub ciphers: Option<Vec<String>>,
    /// Unpacks what the server packed with gzip for the transfer.
    #[serde(default = "yes")]
    pub decompress: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            headers: None,
            unredirected_headers: Vec::new(),
            http_agent: agent(),
            force_basic_auth: false,
            use_gssapi: false,
            use_netrc: true,
            use_proxy: true,
            validate_certs: true,
            client_cert: None,
            client_key: None,
            ciphers: None,
            decompress: true,
        }
    }
}

fn yes() -> bool {
    true
}

fn agent() -> String {
    "ansible-httpget".to_owned()
}
