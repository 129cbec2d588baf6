//! What a certificate is to be, and who signs it.

use std::io::Read;
use std::path::Path;

use super::{Args, Identifier};
use crate::crypto::certificate::Certificate;
use crate::crypto::der::Element;
use crate::crypto::extension::{self, Extension};
use crate::crypto::key::PublicKey;
use crate::crypto::openssl::{Openssl, PrivateKey};
use crate::crypto::request::Request;
use crate::crypto::subject::Name;
use crate::crypto::time;
use crate::kit::{Failure, FilePath, Result, Secret, System};
use crate::openssl_csr::same_extensions;

/// A certificate to be, and the key that signs it.
pub(super) struct Order {
    subject: Name,
    issuer: Name,
    key: PublicKey,
    extensions: Vec<Extension>,
    /// In seconds since 1970.
    times: (i64, i64),
    /// Whether a certificate that is there must have these times.
    times_count: bool,
    digest: String,
    signer: PrivateKey,
    signers_key: PublicKey,
    /// The authority's certificate; `None` where the certificate's own key signs.
    authority: Option<Vec<u8>>,
}

impl Order {
    pub(super) fn selfsigned(args: &Args, openssl: &Openssl, sys: &mut System<'_>) -> Result<Self> {
        let own = &args.selfsigned;
        let signer = private_key(args, sys)?.ok_or_else(|| {
            Failure::new(
                "One of privatekey_path and privatekey_content must be specified for the selfsigned provider.",
            )
        })?;
        let key = openssl.must_open(&signer, &name(args.privatekey_path.as_ref()), sys)?;
        let request = match request(args, openssl, sys)? {
            Some(request) if request.key != key => {
                return Err(Failure::new("The CSR's public key is not the private key's"));
            }
            Some(request) => request,
            None => Request { subject: Name::default(), key: key.clone(), extensions: Vec::new() },
        };
        let mut extensions = request.extensions;
        identify(own.create_subject_key_identifier, &key, &mut extensions);
        let times = (own.not_before.as_str(), own.not_after.as_str());
        Ok(Self {
            issuer: request.subject.clone(),
            subject: request.subject,
            extensions,
            times: period(times, ("selfsigned_not_before", "selfsigned_not_after"), sys)?,
            times_count: !args.ignore_timestamps,
            digest: own.digest.clone(),
            signer,
            signers_key: key.clone(),
            key,
            authority: None,
        })
    }

    pub(super) fn ownca(args: &Args, openssl: &Openssl, sys: &mut System<'_>) -> Result<Self> {
        let own = &args.ownca;
        let missing = |what: &str| Failure::new(format!("{what} must be specified for the ownca provider."));
        let request =
            request(args, openssl, sys)?.ok_or_else(|| missing("One of csr_path and csr_content"))?;
        let text = text(own.path.as_ref(), own.content.as_deref(), "The CA certificate", sys)?
            .ok_or_else(|| missing("One of ownca_path and ownca_content"))?;
        let authority = Certificate::parse(&text)
            .ok_or_else(|| Failure::new(format!("The CA certificate {} is none", name(own.path.as_ref()))))?;
        let passphrase = own.privatekey_passphrase.as_ref().map(Secret::expose);
        let content = own.privatekey_content.as_ref().map(Secret::expose);
        let signer = PrivateKey::read(own.privatekey_path.as_deref(), content, passphrase, sys)?
            .ok_or_else(|| missing("One of ownca_privatekey_path and ownca_privatekey_content"))?;
        let signers_key = openssl.must_open(&signer, &name(own.privatekey_path.as_ref()), sys)?;
        if signers_key != authority.key {
            return Err(Failure::new("The CA private key does not belong to the CA certificate"));
        }
        if let Some(key) = private_key(args, sys)?
            && openssl.must_open(&key, &name(args.privatekey_path.as_ref()), sys)? != request.key
        {
            return Err(Failure::new("The CSR's public key is not the private key's"));
        }
        let mut extensions = request.extensions;
        identify(own.create_subject_key_identifier, &request.key, &mut extensions);
        if own.create_authority_key_identifier {
            extensions.retain(|known| known.number != extension::AUTHORITY_KEY_IDENTIFIER);
            let known = authority.extension(extension::SUBJECT_KEY_IDENTIFIER);
            let known = known.and_then(|known| Some(Element::of(&known.value)?.content.to_vec()));
            let identifier = known.or_else(|| authority.key.identifier());
            extensions.push(Extension::authority_key_identifier(identifier.as_deref(), &[], None)?);
        }
        let times = (own.not_before.as_str(), own.not_after.as_str());
        Ok(Self {
            subject: request.subject,
            issuer: authority.subject.clone(),
            key: request.key,
            extensions,
            times: period(times, ("ownca_not_before", "ownca_not_after"), sys)?,
            times_count: !args.ignore_timestamps,
            digest: own.digest.clone(),
            signer,
            signers_key,
            authority: Some(text),
        })
    }

    /// Whether a certificate that is there will do.
    pub(super) fn is_met_by(
        &self,
        old: &Certificate,
        openssl: &Openssl,
        sys: &mut System<'_>,
    ) -> Result<bool> {
        let says_the_same = old.key == self.key
            && old.version == 3
            && old.subject.has_same_parts(&self.subject)
            && old.issuer.has_same_parts(&self.issuer)
            && same_extensions(&old.extensions, &self.extensions)
            && (!self.times_count || (old.not_before, old.not_after) == self.times);
        // What a check made up bears no signature.
        Ok(says_the_same && (sys.is_check() || self.signed(old, openssl, sys)?))
    }

    /// Whether the signer's key signed it.
    fn signed(&self, old: &Certificate, openssl: &Openssl, sys: &mut System<'_>) -> Result<bool> {
        let pem = |der: &[u8]| crate::crypto::pem::encode("CERTIFICATE", der).into_bytes();
        let trusted = sys.scratch(None);
        let anchor = self.authority.clone().unwrap_or_else(|| pem(&old.der));
        sys.spool(&trusted, 0o600, &mut anchor.as_slice())?;
        let wishes = ["-partial_chain", "-no_check_time", "-check_ss_sig", "-auth_level", "0", "-trusted"];
        let command = openssl.command("verify").args(wishes);
        let output = sys.query(command.arg(&trusted).stdin(pem(&old.der)));
        sys.discard(&trusted)?;
        let output = output?;
        if output.ok() {
            return Ok(true);
        }
        let said = format!("{}{}", output.stdout(), output.stderr());
        let errors = errors(&said);
        if errors.is_empty() {
            return Err(
                Failure::new(format!("openssl verify failed: {}", said.trim())).with("rc", output.code)
            );
        }
        Ok(errors.iter().all(|error| is_harmless(error)))
    }

    pub(super) fn issue(&self, openssl: &Openssl, sys: &mut System<'_>) -> Result<String> {
        let mut serial = [0; 20];
        let source = sys.open(Path::new("/dev/urandom"))?;
        let mut digits = Vec::new();
        source
            .take(19)
            .read_to_end(&mut digits)
            .map_err(|e| Failure::new(format!("cannot read /dev/urandom: {e}")))?;
        for (place, digit) in serial.iter_mut().skip(1).zip(digits) {
            *place = digit;
        }
        let certificate = Certificate {
            version: 3,
            serial: serial.to_vec(),
            issuer: self.issuer.clone(),
            not_before: self.times.0,
            not_after: self.times.1,
            subject: self.subject.clone(),
            key: self.key.clone(),
            extensions: self.extensions.clone(),
            signed_with: String::new(),
            der: Vec::new(),
        };
        certificate.sign(&self.signer, &self.signers_key, &self.digest, openssl, sys)
    }
}

/// What `openssl verify` finds wrong with certificates and goes on to their signatures, which alone are asked about. By
/// their words: a number means other things to other versions.
const HARMLESS: [&str; 13] = [
    "invalid CA certificate",
    "invalid non-CA certificate (has CA markings)",
    "path length constraint exceeded",
    "unhandled critical extension",
    "key usage does not include certificate signing",
    "key usage does not include digital signature",
    "unsupported certificate purpose",
    "unsuitable certificate purpose",
    "CA cert does not include key usage extension",
    "Subject Key Identifier missing",
    "certificate has expired",
    "self signed certificate",
    "self-signed certificate",
];

fn is_harmless(error: &str) -> bool {
    HARMLESS.contains(&error.trim())
}

/// What `openssl verify` finds: `error 79 at 1 depth lookup: invalid CA certificate`.
fn errors(said: &str) -> Vec<&str> {
    let error =
        |line| str::strip_prefix(line, "error ")?.split_once(" depth lookup: ").map(|(_, error)| error);
    said.lines().filter_map(error).collect()
}

/// With the key's identifier, as the option has it.
fn identify(wish: Identifier, key: &PublicKey, extensions: &mut Vec<Extension>) {
    let has = Extension::find(extensions, extension::SUBJECT_KEY_IDENTIFIER).is_some();
    if wish == Identifier::NeverCreate || (wish == Identifier::CreateIfNotProvided && has) {
        return;
    }
    extensions.retain(|known| known.number != extension::SUBJECT_KEY_IDENTIFIER);
    extensions.extend(key.identifier().map(|identifier| Extension::subject_key_identifier(&identifier)));
}

fn period((from, to): (&str, &str), names: (&str, &str), sys: &System<'_>) -> Result<(i64, i64)> {
    let now = sys.now().secs;
    Ok((time::parse(from, now, names.0)?, time::parse(to, now, names.1)?))
}

fn private_key(args: &Args, sys: &System<'_>) -> Result<Option<PrivateKey>> {
    let content = args.privatekey_content.as_ref().map(Secret::expose);
    let passphrase = args.privatekey_passphrase.as_ref().map(Secret::expose);
    PrivateKey::read(args.privatekey_path.as_deref(), content, passphrase, sys)
}

fn request(args: &Args, openssl: &Openssl, sys: &mut System<'_>) -> Result<Option<Request>> {
    let what = "The certificate signing request file";
    let Some(text) = text(args.csr_path.as_ref(), args.csr_content.as_deref(), what, sys)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let named = name(args.csr_path.as_ref());
    let request =
        Request::parse(&text).ok_or_else(|| Failure::new(format!("{what} {named} is no request in PEM")))?;
    // What a check made up bears no signature.
    if !sys.is_check() && !sys.query(openssl.command("req").args(["-verify", "-noout"]).stdin(text))?.ok() {
        return Err(Failure::new("Invalid CSR signature"));
    }
    Ok(Some(request))
}

/// What a file holds, or an option.
fn text(
    path: Option<&FilePath>,
    content: Option<&str>,
    what: &str,
    sys: &System<'_>,
) -> Result<Option<Vec<u8>>> {
    match (path, content) {
        (_, Some(content)) => Ok(Some(content.as_bytes().to_vec())),
        (Some(path), None) if !sys.exists(path)? => {
            Err(Failure::new(format!("{what} {} does not exist", path.display())))
        }
        (Some(path), None) => sys.read(path).map(Some),
        (None, None) => Ok(None),
    }
}

fn name(path: Option<&FilePath>) -> String {
    path.map_or_else(|| "that is given".to_owned(), |path| path.text().into_owned())
}

#[cfg(test)]
mod tests {
    use super::{errors, is_harmless};

    #[test]
    fn what_is_wrong_is_told() {
        let said = "CN = a\nerror 79 at 1 depth lookup: invalid CA certificate\nCN = b\n\
                    error 7 at 0 depth lookup: certificate signature failure\nerror stdin: verification failed\n";
        let found = errors(said);
        assert_eq!(found, ["invalid CA certificate", "certificate signature failure"]);
        assert_eq!(found.iter().map(|error| is_harmless(error)).collect::<Vec<_>>(), [true, false]);
        // These end the search before the signature.
        for error in [
            "self-signed certificate in certificate chain",
            "no issuer public key",
            "EE certificate key too weak",
        ] {
            assert!(!is_harmless(error), "{error}");
        }
    }
}
