mod issue;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use self::issue::Order;
use crate::command::yes;
use crate::crypto::certificate::Certificate;
use crate::crypto::facts;
use crate::crypto::file::{Backend, Options};
use crate::crypto::openssl::Openssl;
use crate::crypto::time;
use crate::kit::{Failure, FilePath, Result, Secret, System};
use crate::lineinfile::State;

/// Makes certificates: signed by their own key, or by an authority of one's own, by the target's `openssl`.
///
/// A certificate that is there stays as long as it says what the request says, for the same key and by the same
/// issuer. The provider `acme` is not supported.
///
/// # Examples
///
/// ```yaml
/// - name: Signed by itself
///   x509_certificate:
///     path: /etc/ssl/example.com.crt
///     privatekey_path: /etc/ssl/private/example.com.pem
///     csr_path: /etc/ssl/example.com.csr
///     provider: selfsigned
///
/// - name: Signed by an authority of our own, for a year
///   x509_certificate:
///     path: /etc/ssl/example.com.crt
///     csr_path: /etc/ssl/example.com.csr
///     ownca_path: /etc/ssl/ca.crt
///     ownca_privatekey_path: /etc/ssl/private/ca.pem
///     ownca_not_after: +365d
///     provider: ownca
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [
        ["privatekey_path", "privatekey_content"],
        ["csr_path", "csr_content"],
        ["ownca_path", "ownca_content"],
        ["ownca_privatekey_path", "ownca_privatekey_content"],
    ],
    "required_if" = [["state", "present", ["provider"]]],
))]
pub struct Args {
    #[serde(flatten)]
    pub file: Options,
    /// Who signs. `acme` is not supported.
    pub provider: Option<Provider>,
    /// The file of the request.
    pub csr_path: Option<FilePath>,
    /// The request itself.
    pub csr_content: Option<String>,
    /// The file of the private key the certificate is for.
    pub privatekey_path: Option<FilePath>,
    /// That private key itself.
    pub privatekey_content: Option<Secret>,
    /// What opens that private key.
    pub privatekey_passphrase: Option<Secret>,
    /// Whether a certificate stays whose times are others.
    #[serde(default = "yes")]
    pub ignore_timestamps: bool,
    #[serde(flatten)]
    pub selfsigned: SelfSigned,
    #[serde(flatten)]
    pub ownca: OwnCa,
    #[serde(flatten)]
    pub acme: Acme,
    /// Means nothing here: the target's `openssl` does the work.
    #[serde(default)]
    #[expect(dead_code, reason = "there is one way")]
    pub select_crypto_backend: Backend,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    Acme,
    Ownca,
    Selfsigned,
}

/// Of `selfsigned`.
#[derive(Deserialize, JsonSchema)]
pub struct SelfSigned {
    /// For `selfsigned`: the version of certificates.
    #[serde(default = "three")]
    #[serde(rename = "selfsigned_version")]
    pub version: u64,
    /// For `selfsigned`: the hash that is signed.
    #[serde(default = "sha256")]
    #[serde(rename = "selfsigned_digest")]
    pub digest: String,
    /// For `selfsigned`: since when it counts: `+0s`, `-1d`, `20240131235959Z`.
    #[serde(default = "now")]
    #[schemars(extend("aliases" = ["selfsigned_notBefore"]))]
    #[serde(rename = "selfsigned_not_before")]
    pub not_before: String,
    /// For `selfsigned`: how long it counts.
    #[serde(default = "ten_years")]
    #[schemars(extend("aliases" = ["selfsigned_notAfter"]))]
    #[serde(rename = "selfsigned_not_after")]
    pub not_after: String,
    /// For `selfsigned`: whether the key's identifier is made from the key.
    #[serde(default)]
    #[serde(rename = "selfsigned_create_subject_key_identifier")]
    pub create_subject_key_identifier: Identifier,
}

/// Of `ownca`.
#[derive(Deserialize, JsonSchema)]
pub struct OwnCa {
    /// For `ownca`: the file of the authority's certificate.
    #[serde(rename = "ownca_path")]
    pub path: Option<FilePath>,
    /// For `ownca`: the authority's certificate itself.
    #[serde(rename = "ownca_content")]
    pub content: Option<String>,
    /// For `ownca`: the file of the authority's private key.
    #[serde(rename = "ownca_privatekey_path")]
    pub privatekey_path: Option<FilePath>,
    /// For `ownca`: the authority's private key itself.
    #[serde(rename = "ownca_privatekey_content")]
    pub privatekey_content: Option<Secret>,
    /// For `ownca`: what opens the authority's private key.
    #[serde(rename = "ownca_privatekey_passphrase")]
    pub privatekey_passphrase: Option<Secret>,
    /// For `ownca`: the hash that is signed.
    #[serde(default = "sha256")]
    #[serde(rename = "ownca_digest")]
    pub digest: String,
    /// For `ownca`: the version of certificates.
    #[serde(default = "three")]
    #[serde(rename = "ownca_version")]
    pub version: u64,
    /// For `ownca`: since when it counts.
    #[serde(default = "now")]
    #[serde(rename = "ownca_not_before")]
    pub not_before: String,
    /// For `ownca`: how long it counts.
    #[serde(default = "ten_years")]
    #[serde(rename = "ownca_not_after")]
    pub not_after: String,
    /// For `ownca`: whether the key's identifier is made from the key.
    #[serde(default)]
    #[serde(rename = "ownca_create_subject_key_identifier")]
    pub create_subject_key_identifier: Identifier,
    /// For `ownca`: whether the certificate tells which key signed it.
    #[serde(default = "yes")]
    #[serde(rename = "ownca_create_authority_key_identifier")]
    pub create_authority_key_identifier: bool,
}

/// Of `acme`, which is not supported.
#[derive(Deserialize, JsonSchema)]
pub struct Acme {
    /// For `acme`, which is not supported: the account's key.
    #[serde(rename = "acme_accountkey_path")]
    pub accountkey_path: Option<FilePath>,
    /// For `acme`, which is not supported: where answers to challenges go.
    #[serde(rename = "acme_challenge_path")]
    pub challenge_path: Option<FilePath>,
    /// For `acme`, which is not supported: whether the chain comes, too.
    #[serde(default)]
    #[serde(rename = "acme_chain")]
    pub chain: bool,
    /// For `acme`, which is not supported: the server.
    #[serde(rename = "acme_directory")]
    pub directory: Option<String>,
}

impl Acme {
    /// The first of them that is given.
    fn given(&self) -> Option<&'static str> {
        let given = [
            ("acme_accountkey_path", self.accountkey_path.is_some()),
            ("acme_challenge_path", self.challenge_path.is_some()),
            ("acme_chain", self.chain),
            ("acme_directory", self.directory.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Identifier {
    #[default]
    CreateIfNotProvided,
    AlwaysCreate,
    NeverCreate,
}

fn three() -> u64 {
    3
}

fn sha256() -> String {
    "sha256".to_owned()
}

fn now() -> String {
    "+0s".to_owned()
}

fn ten_years() -> String {
    "+3650d".to_owned()
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let mut returns = Map::new();
    let mut tell = |key: &str, value: Json| {
        returns.insert(key.to_owned(), value);
    };
    tell("filename", args.file.name().into());
    let name = |path: &Option<FilePath>| path.as_ref().map(|path| path.text().into_owned());
    tell("privatekey", name(&args.privatekey_path).into());
    tell("csr", name(&args.csr_path).into());
    if args.provider == Some(Provider::Ownca) {
        tell("ca_cert", name(&args.ownca.path).into());
        tell("ca_privatekey", name(&args.ownca.privatekey_path).into());
    }
    if args.file.state == State::Absent {
        if let Some(backup_file) = args.file.remove(sys)? {
            tell("backup_file", backup_file.into());
        }
        if args.file.return_content {
            tell("certificate", Json::Null);
        }
        return Ok(returns);
    }
    for (option, version) in
        [("selfsigned_version", args.selfsigned.version), ("ownca_version", args.ownca.version)]
    {
        if version != 3 {
            return Err(Failure::new(format!("value of {option} must be one of: 3, got: {version}")));
        }
    }
    if let Some(option) = args.acme.given() {
        return Err(Failure::new(format!("{option} is not supported: it is about the provider acme")));
    }
    let openssl = Openssl::find(sys)?;
    let order = match args.provider {
        Some(Provider::Selfsigned) => Order::selfsigned(&args, &openssl, sys)?,
        Some(Provider::Ownca) => Order::ownca(&args, &openssl, sys)?,
        Some(Provider::Acme) => {
            return Err(Failure::new("provider: acme is not supported; known are ownca, selfsigned"));
        }
        None => return Err(Failure::new("provider must be given")),
    };
    let content = args.file.content(sys)?;
    let old = content.as_deref().and_then(Certificate::parse);
    let mut content = content.unwrap_or_default();
    let is_good = match &old {
        Some(old) => order.is_met_by(old, &openssl, sys)?,
        None => false,
    };
    if is_good && !args.file.force {
        args.file.settle(sys)?;
    } else {
        content = order.issue(&openssl, sys)?.into_bytes();
        let backup_file = args.file.write(&content, sys)?;
        if let Some(backup_file) = backup_file {
            tell("backup_file", backup_file.into());
        }
        let now = sys.now().secs;
        sys.tell_states("", told(old.as_ref(), now), told(Certificate::parse(&content).as_ref(), now));
    }
    if let Some(certificate) = Certificate::parse(&content) {
        tell("notBefore", time::asn1(certificate.not_before).into());
        tell("notAfter", time::asn1(certificate.not_after).into());
        tell("serial_number", facts::number(&certificate.serial));
    }
    if args.file.return_content {
        tell("certificate", String::from_utf8_lossy(&content).into());
    }
    Ok(returns)
}

fn told(certificate: Option<&Certificate>, now: i64) -> Json {
    certificate
        .map_or_else(Map::new, |certificate| {
            let mut told = facts::of_certificate(certificate, now);
            told.insert("can_parse_certificate".to_owned(), true.into());
            told
        })
        .into()
}
