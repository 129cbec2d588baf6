use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::crypto::certificate::Certificate;
use crate::crypto::facts;
use crate::crypto::file::Backend;
use crate::crypto::key::fingerprints;
use crate::crypto::time;
use crate::kit::{Failure, FilePath, Result, System};

/// Tells what a certificate says.
///
/// Numbers that are larger than 64 bits are text: `serial_number`, `public_key_data.modulus`.
///
/// # Examples
///
/// ```yaml
/// - name: What it says, and whether it counts in three weeks
///   x509_certificate_info:
///     path: /etc/ssl/example.com.crt
///     valid_at: {in_3_weeks: +3w}
///   register: certificate
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "required_one_of" = [["path", "content"]],
    "mutually_exclusive" = [["path", "content"]],
))]
pub struct Args {
    /// The file.
    pub path: Option<FilePath>,
    /// The certificate itself.
    pub content: Option<String>,
    /// How names of hosts are told that are not ASCII: as they stand there. The other two are not supported.
    #[serde(default)]
    pub name_encoding: NameEncoding,
    /// Names of times, and times (`+3w`, `20240131235959Z`): the result says of each whether the certificate counts
    /// then.
    #[serde(default)]
    pub valid_at: Map<String, Json>,
    /// Means nothing here.
    #[serde(default)]
    #[expect(dead_code, reason = "there is one way")]
    pub select_crypto_backend: Backend,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameEncoding {
    #[default]
    Ignore,
    Idna,
    Unicode,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    if args.name_encoding != NameEncoding::Ignore {
        return Err(Failure::new("name_encoding: only ignore is supported"));
    }
    let bytes = match (&args.path, args.content) {
        (_, Some(content)) => content.into_bytes(),
        (Some(path), None) => sys.read(path)?,
        (None, None) => return Err(Failure::new("one of the following is required: path, content")),
    };
    let certificate = Certificate::parse(&bytes)
        .ok_or_else(|| Failure::new("Unable to load certificate: there is none"))?;
    let now = sys.now().secs;
    let mut valid = Map::new();
    for (name, at) in &args.valid_at {
        let text = at.as_str().ok_or_else(|| {
            Failure::new(format!("The value for valid_at.{name} must be of type string (got {at})"))
        })?;
        let at = time::parse(text, now, &format!("valid_at.{name}"))?;
        valid.insert(name.clone(), (certificate.not_before <= at && at <= certificate.not_after).into());
    }
    let mut facts = facts::of_certificate(&certificate, now);
    facts.insert("fingerprints".to_owned(), fingerprints(&certificate.der));
    facts.insert("public_key_fingerprints".to_owned(), fingerprints(&certificate.key.der));
    facts.insert("valid_at".to_owned(), valid.into());
    Ok(facts)
}
