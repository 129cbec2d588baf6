use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::crypto::der::{self, Element};
use crate::crypto::facts;
use crate::crypto::file::{Backend, Options};
use crate::crypto::key::{Kind, PublicKey};
use crate::crypto::openssl::{Openssl, PrivateKey};
use crate::crypto::pem;
use crate::kit::encode::{base64, from_base64};
use crate::kit::{Failure, FilePath, Result, Secret, System};
use crate::lineinfile::State;

/// Writes the public half of a private key, by the target's `openssl`.
///
/// # Examples
///
/// ```yaml
/// - name: The public key
///   openssl_publickey:
///     path: /etc/ssl/example.com.pub
///     privatekey_path: /etc/ssl/private/example.com.pem
///
/// - name: As ssh has it
///   openssl_publickey:
///     path: /etc/ssl/example.com.pub
///     privatekey_path: /etc/ssl/private/example.com.pem
///     format: OpenSSH
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["privatekey_path", "privatekey_content"]],
    "required_if" = [["state", "present", ["privatekey_path", "privatekey_content"], true]],
))]
pub struct Args {
    #[serde(flatten)]
    pub file: Options,
    /// The form of the file.
    #[serde(default)]
    pub format: Format,
    /// The file of the private key.
    pub privatekey_path: Option<FilePath>,
    /// The private key itself.
    pub privatekey_content: Option<Secret>,
    /// What opens the private key.
    pub privatekey_passphrase: Option<Secret>,
    /// Means nothing here: the target's `openssl` does the work.
    #[serde(default)]
    #[expect(dead_code, reason = "there is one way")]
    pub select_crypto_backend: Backend,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Format {
    #[serde(rename = "OpenSSH")]
    OpenSsh,
    #[default]
    #[serde(rename = "PEM")]
    Pem,
}

#[derive(Serialize)]
pub struct Returns {
    privatekey: Option<String>,
    filename: String,
    format: Format,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    fingerprint: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    publickey: Option<Json>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let mut returns = Returns {
        privatekey: args.privatekey_path.as_ref().map(|path| path.text().into_owned()),
        filename: args.file.name(),
        format: args.format,
        backup_file: None,
        fingerprint: json!({}),
        publickey: args.file.return_content.then_some(Json::Null),
    };
    if args.file.state == State::Absent {
        returns.backup_file = args.file.remove(sys)?;
        return Ok(returns);
    }
    let openssl = Openssl::find(sys)?;
    let content = args.privatekey_content.as_ref().map(Secret::expose);
    let passphrase = args.privatekey_passphrase.as_ref().map(Secret::expose);
    let what = args.privatekey_path.as_ref().map_or("of privatekey_content".into(), FilePath::text);
    let private = PrivateKey::read(args.privatekey_path.as_deref(), content, passphrase, sys)?
        .ok_or_else(|| Failure::new("a private key is needed"))?;
    let key = openssl.must_open(&private, &what, sys)?;
    let old = args.file.content(sys)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let is_same = old.as_deref().is_some_and(|old| match args.format {
        Format::Pem => pem::block(old, &["PUBLIC KEY"]).is_some_and(|block| block.content == key.der),
        Format::OpenSsh => {
            let blob = old.split_whitespace().nth(1).and_then(|blob| from_base64(blob).ok());
            blob.is_some() && blob == open_ssh(&key).map(|(_, blob)| blob)
        }
    });
    let text = match (old, args.format) {
        (Some(old), _) if is_same && !args.file.force => {
            args.file.settle(sys)?;
            old
        }
        (old, format) => {
            let text = match format {
                Format::Pem => pem::encode("PUBLIC KEY", &key.der),
                Format::OpenSsh => {
                    let (kind, blob) = open_ssh(&key).ok_or_else(|| {
                        Failure::new(format!("A key of type {} has no OpenSSH format", key.kind.name()))
                    })?;
                    format!("{kind} {}", base64(&blob))
                }
            };
            returns.backup_file = args.file.write(text.as_bytes(), sys)?;
            let after = if format == Format::Pem { told(&key) } else { json!({"can_parse_key": false}) };
            sys.tell_states("", old.map_or_else(|| json!({}), |old| told_of(&old)), after);
            text
        }
    };
    returns.fingerprint = key.fingerprints();
    returns.publickey = args.file.return_content.then(|| text.into());
    Ok(returns)
}

fn told(key: &PublicKey) -> Json {
    json!({
        "can_parse_key": true,
        "fingerprints": facts::fingerprint(&key.der),
        "public_data": facts::key_data(&key.kind),
        "type": key.kind.name(),
    })
}

/// What a diff shows of a file: of PEM alone there is something to tell.
fn told_of(text: &str) -> Json {
    let key = pem::block(text, &["PUBLIC KEY"]).and_then(|block| PublicKey::parse(&block.content));
    key.map_or_else(|| json!({"can_parse_key": false}), |key| told(&key))
}

/// The key as ssh has it: its kind, and its bytes.
fn open_ssh(key: &PublicKey) -> Option<(String, Vec<u8>)> {
    let field = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes();
        [&length, bytes].concat()
    };
    let (kind, rest) = match &key.kind {
        Kind::Rsa { modulus, exponent } => ("ssh-rsa".to_owned(), [field(exponent), field(modulus)].concat()),
        Kind::Ec { curve, point } => {
            let curve = match curve.as_str() {
                "secp256r1" => "nistp256",
                "secp384r1" => "nistp384",
                "secp521r1" => "nistp521",
                _ => return None,
            };
            (format!("ecdsa-sha2-{curve}"), [field(curve.as_bytes()), field(point)].concat())
        }
        Kind::Ed25519 => {
            let bytes = Element::of(&key.der)?.elements().nth(1)?;
            ("ssh-ed25519".to_owned(), field(bytes.content_of(der::BIT_STRING).and(bytes.bits())?))
        }
        _ => return None,
    };
    let blob = [field(kind.as_bytes()), rest].concat();
    Some((kind, blob))
}
