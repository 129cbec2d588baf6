mod wanted;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use self::wanted::Subject;
use crate::command::yes;
use crate::crypto::extension::{DistributionPoint, Extension};
use crate::crypto::facts;
use crate::crypto::file::{Backend, Options};
use crate::crypto::openssl::{Openssl, PrivateKey};
use crate::crypto::request::Request;
use crate::kit::{Failure, FilePath, Result, Secret, System};
use crate::lineinfile::State;

/// Makes requests for certificates, by the target's `openssl`.
///
/// A request that is there stays as long as it asks for the same, for the same key.
///
/// # Examples
///
/// ```yaml
/// - name: A request
///   openssl_csr:
///     path: /etc/ssl/example.com.csr
///     privatekey_path: /etc/ssl/private/example.com.pem
///     common_name: www.example.com
///
/// - name: Of a name with more parts, for two hosts
///   openssl_csr:
///     path: /etc/ssl/example.com.csr
///     privatekey_path: /etc/ssl/private/example.com.pem
///     subject: {C: DE, O: Example, CN: www.example.com}
///     subject_alt_name: ["DNS:www.example.com", "DNS:example.com"]
///     extended_key_usage: [serverAuth]
///
/// - name: Of an authority
///   openssl_csr:
///     path: /etc/ssl/ca.csr
///     privatekey_path: /etc/ssl/private/ca.pem
///     common_name: Our own authority
///     use_common_name_for_san: false
///     basic_constraints: ["CA:TRUE", "pathlen:0"]
///     basic_constraints_critical: true
///     key_usage: [keyCertSign]
///     key_usage_critical: true
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["privatekey_path", "privatekey_content"], ["subject", "subject_ordered"]],
    "required_if" = [["state", "present", ["privatekey_path", "privatekey_content"], true]],
    "required_together" = [["authority_cert_issuer", "authority_cert_serial_number"]],
))]
pub struct Args {
    #[serde(flatten)]
    pub file: Options,
    /// The hash that is signed.
    #[serde(default = "sha256")]
    pub digest: String,
    /// The file of the private key.
    pub privatekey_path: Option<FilePath>,
    /// The private key itself.
    pub privatekey_content: Option<Secret>,
    /// What opens the private key.
    pub privatekey_passphrase: Option<Secret>,
    /// The version of requests: there is one.
    #[serde(default = "one")]
    pub version: u64,
    #[serde(flatten)]
    pub name: Subject,
    /// Other names of the subject: `DNS:www.example.com`, `IP:1.2.3.4`, `email:…`, `URI:…`, `RID:…`, `dirName:…`,
    /// `otherName:OID;UTF8:text`.
    #[schemars(extend("aliases" = ["subjectAltName"]))]
    pub subject_alt_name: Option<Vec<String>>,
    /// Whether who does not understand the other names must not trust the certificate.
    #[serde(default)]
    #[schemars(extend("aliases" = ["subjectAltName_critical"]))]
    pub subject_alt_name_critical: bool,
    /// Takes the common name as the other name where none is given.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["useCommonNameForSAN"]))]
    pub use_common_name_for_san: bool,
    /// What the key is for: `digitalSignature`, `keyEncipherment`, `keyCertSign` …
    #[schemars(extend("aliases" = ["keyUsage"]))]
    pub key_usage: Option<Vec<String>>,
    /// Whether that is critical.
    #[serde(default)]
    #[schemars(extend("aliases" = ["keyUsage_critical"]))]
    pub key_usage_critical: bool,
    /// More of what the key is for: `serverAuth`, `clientAuth`, `codeSigning` … or numbers.
    #[schemars(extend("aliases" = ["extKeyUsage", "extendedKeyUsage"]))]
    pub extended_key_usage: Option<Vec<String>>,
    /// Whether that is critical.
    #[serde(default)]
    #[schemars(extend("aliases" = ["extKeyUsage_critical", "extendedKeyUsage_critical"]))]
    pub extended_key_usage_critical: bool,
    /// Whether the certificate is an authority's: `CA:TRUE`, `pathlen:0`.
    #[schemars(extend("aliases" = ["basicConstraints"]))]
    pub basic_constraints: Option<Vec<String>>,
    /// Whether that is critical.
    #[serde(default)]
    #[schemars(extend("aliases" = ["basicConstraints_critical"]))]
    pub basic_constraints_critical: bool,
    /// Whether servers must staple an answer of OCSP.
    #[serde(default)]
    #[schemars(extend("aliases" = ["ocspMustStaple"]))]
    pub ocsp_must_staple: bool,
    /// Whether that is critical.
    #[serde(default)]
    #[schemars(extend("aliases" = ["ocspMustStaple_critical"]))]
    pub ocsp_must_staple_critical: bool,
    /// For an authority: the names it may certify.
    pub name_constraints_permitted: Option<Vec<String>>,
    /// For an authority: the names it may not certify.
    pub name_constraints_excluded: Option<Vec<String>>,
    /// Whether these are critical.
    #[serde(default)]
    pub name_constraints_critical: bool,
    /// Makes the key's identifier from the key.
    #[serde(default)]
    pub create_subject_key_identifier: bool,
    /// The key's identifier, in hex with colons.
    pub subject_key_identifier: Option<String>,
    /// The identifier of the authority's key, in hex with colons.
    pub authority_key_identifier: Option<String>,
    /// The names of the authority.
    pub authority_cert_issuer: Option<Vec<String>>,
    /// The number of the authority's certificate.
    pub authority_cert_serial_number: Option<u64>,
    /// Where lists of revoked certificates are to be had.
    pub crl_distribution_points: Option<Vec<DistributionPoint>>,
    /// Means nothing here: the target's `openssl` does the work.
    #[serde(default)]
    #[expect(dead_code, reason = "there is one way")]
    pub select_crypto_backend: Backend,
}

fn sha256() -> String {
    "sha256".to_owned()
}

fn one() -> u64 {
    1
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    if args.version != 1 {
        return Err(Failure::new(format!("value of version must be one of: 1, got: {}", args.version)));
    }
    let wanted = wanted::Wanted::of(&args)?;
    let mut returns = wanted.told(&args);
    if args.file.state == State::Absent {
        if let Some(backup_file) = args.file.remove(sys)? {
            returns.insert("backup_file".to_owned(), backup_file.into());
        }
        return Ok(returns);
    }
    let openssl = Openssl::find(sys)?;
    let what = args.privatekey_path.as_ref().map_or("of privatekey_content".into(), FilePath::text);
    let content = args.privatekey_content.as_ref().map(Secret::expose);
    let passphrase = args.privatekey_passphrase.as_ref().map(Secret::expose);
    let key = PrivateKey::read(args.privatekey_path.as_deref(), content, passphrase, sys)?;
    let key = key.ok_or_else(|| Failure::new("a private key is needed"))?;
    let public = openssl.must_open(&key, &what, sys)?;
    let request = Request {
        subject: wanted.subject.clone(),
        extensions: wanted.extensions(&args, &public)?,
        key: public,
    };
    let text = args.file.content(sys)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let old = text.as_deref().and_then(Request::parse);
    let is_same = old.as_ref().is_some_and(|old| {
        old.key == request.key
            && same_subject(&args, old, &request)
            && same_extensions(&old.extensions, &request.extensions)
    });
    let mut text = text.unwrap_or_default();
    if is_same && !args.file.force {
        args.file.settle(sys)?;
    } else {
        text = request.sign(&key, &args.digest, &openssl, sys)?;
        let backup_file = args.file.write(text.as_bytes(), sys)?;
        returns.extend(backup_file.map(|file| ("backup_file".to_owned(), file.into())));
        sys.tell_states("", facts::of_request(old.as_ref()), facts::of_request(Some(&request)));
    }
    if args.file.return_content {
        returns.insert("csr".to_owned(), text.into());
    }
    Ok(returns)
}

/// The order of a subject's parts counts where it was given.
fn same_subject(args: &Args, old: &Request, new: &Request) -> bool {
    if args.name.ordered.is_some() {
        old.subject == new.subject
    } else {
        old.subject.has_same_parts(&new.subject)
    }
}

/// Whether they say the same, in whatever order; extensions that no option is about do not count.
pub(crate) fn same_extensions(old: &[Extension], new: &[Extension]) -> bool {
    wanted::comparable(old) == wanted::comparable(new)
}
