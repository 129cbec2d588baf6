mod stored;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use self::stored::{Form, Stored};
use crate::crypto::facts;
use crate::crypto::file::{Backend, Options};
use crate::crypto::key::{CURVES, PublicKey};
use crate::crypto::openssl::{Openssl, PrivateKey};
use crate::kit::encode::base64;
use crate::kit::{Failure, Mode, Result, Secret, System};
use crate::lineinfile::State;

/// Makes private keys for TLS, by the target's `openssl`.
///
/// A key that is there stays as long as it is what is asked for.
///
/// # Examples
///
/// ```yaml
/// - name: An RSA key of 4096 bits
///   openssl_privatekey:
///     path: /etc/ssl/private/example.com.pem
///
/// - name: A small and fast one
///   openssl_privatekey: {path: /etc/ssl/private/example.com.pem, type: ECC, curve: secp256r1}
///
/// - name: Locked by a passphrase
///   openssl_privatekey:
///     path: /etc/ssl/private/ca.pem
///     passphrase: "{{ ca_passphrase }}"
///     regenerate: partial_idempotence
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["type", "ECC", ["curve"]]]))]
pub struct Args {
    #[serde(flatten)]
    pub file: Options,
    /// The size in bits, of RSA and DSA.
    #[serde(default = "size")]
    pub size: u64,
    /// Which kind of key.
    #[serde(default)]
    pub r#type: Type,
    /// The curve, of ECC.
    pub curve: Option<Curve>,
    /// What locks the key.
    pub passphrase: Option<Secret>,
    /// How a passphrase locks it: `auto` alone is known.
    #[serde(default = "auto")]
    pub cipher: String,
    /// The form of the file: `auto` is PKCS#1 where a kind of key has it, else PKCS#8; `auto_ignore` leaves a file
    /// that is there as it is.
    #[serde(default)]
    pub format: Format,
    /// What becomes of a good key in another form.
    #[serde(default)]
    pub format_mismatch: Mismatch,
    /// When a key that is there is replaced: `fail` ends the task where it does not fit, `partial_idempotence` leaves
    /// one that cannot be read.
    #[serde(default)]
    pub regenerate: Regenerate,
    /// Means nothing here: the target's `openssl` does the work.
    #[serde(default)]
    #[expect(dead_code, reason = "there is one way")]
    pub select_crypto_backend: Backend,
}

fn size() -> u64 {
    4096
}

fn auto() -> String {
    "auto".to_owned()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Type {
    #[serde(rename = "DSA")]
    Dsa,
    #[serde(rename = "ECC")]
    Ecc,
    Ed25519,
    Ed448,
    #[default]
    #[serde(rename = "RSA")]
    Rsa,
    X25519,
    X448,
    #[serde(rename = "ML-DSA-44")]
    MlDsa44,
    #[serde(rename = "ML-DSA-65")]
    MlDsa65,
    #[serde(rename = "ML-DSA-87")]
    MlDsa87,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Dsa => "DSA",
            Self::Ecc => "ECC",
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::Rsa => "RSA",
            Self::X25519 => "X25519",
            Self::X448 => "X448",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    fn has_size(self) -> bool {
        matches!(self, Self::Rsa | Self::Dsa)
    }

    /// The form of a new key where none is asked for.
    fn usual_form(self) -> Form {
        if matches!(self, Self::Rsa | Self::Dsa | Self::Ecc) { Form::Pkcs1 } else { Form::Pkcs8 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Curve {
    Secp224r1,
    Secp256k1,
    Secp256r1,
    Secp384r1,
    Secp521r1,
    Secp192r1,
    #[serde(rename = "brainpoolP256r1")]
    BrainpoolP256r1,
    #[serde(rename = "brainpoolP384r1")]
    BrainpoolP384r1,
    #[serde(rename = "brainpoolP512r1")]
    BrainpoolP512r1,
    Sect163k1,
    Sect163r2,
    Sect233k1,
    Sect233r1,
    Sect283k1,
    Sect283r1,
    Sect409k1,
    Sect409r1,
    Sect571k1,
    Sect571r1,
}

impl Curve {
    /// In Ansible's words and in openssl's. The table has the order of the choices.
    fn names(self) -> (&'static str, &'static str) {
        CURVES.get(self as usize).map_or(("", ""), |(name, theirs, ..)| (*name, *theirs))
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Pkcs1,
    Pkcs8,
    Raw,
    Auto,
    #[default]
    AutoIgnore,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    #[default]
    Regenerate,
    Convert,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Regenerate {
    Never,
    Fail,
    PartialIdempotence,
    #[default]
    FullIdempotence,
    Always,
}

#[derive(Serialize)]
pub struct Returns {
    filename: String,
    size: u64,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    curve: Option<&'static str>,
    fingerprint: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    privatekey: Option<Json>,
}

pub(crate) fn run(mut args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.cipher != "auto" {
        return Err(Failure::new("Cipher must be \"auto\"."));
    }
    let mut returns = Returns {
        filename: args.file.name(),
        size: args.size,
        r#type: args.r#type.name(),
        curve: args.curve.filter(|_| args.r#type == Type::Ecc).map(|curve| curve.names().0),
        fingerprint: None,
        backup_file: None,
        privatekey: args.file.return_content.then_some(Json::Null),
    };
    if args.file.state == State::Absent {
        returns.backup_file = args.file.remove(sys)?;
        return Ok(returns);
    }
    // A key is its owner's alone where nothing else is asked for, also one that is there.
    args.file.attributes.mode.get_or_insert(Mode::Bits(0o600));
    let openssl = Openssl::find(sys)?;
    let old = Stored::read(&args, &openssl, sys)?;
    let key = match wish(&args, old.as_ref())? {
        Wish::Keep => {
            args.file.settle(sys)?;
            old.clone()
        }
        Wish::Convert => {
            let key = old.as_ref().map(|old| old.private.clone());
            let key = key.ok_or_else(|| Failure::new("there is no key to convert"))?;
            Some(write(&key, &args, &openssl, &mut returns, sys)?)
        }
        Wish::Make => {
            let key = make(&args, &openssl, sys)?;
            Some(write(&key, &args, &openssl, &mut returns, sys)?)
        }
    };
    let content = |key: &Option<Stored>| key.as_ref().map(|key| key.private.content.clone());
    if content(&key) != content(&old) {
        sys.tell_states("", told(old.as_ref()), told(key.as_ref()));
    }
    returns.fingerprint = key.as_ref().and_then(|key| key.public.as_ref()).map(PublicKey::fingerprints);
    if args.file.return_content {
        returns.privatekey = key.map(|key| match (key.form, String::from_utf8(key.private.content)) {
            (Form::Raw, Err(bytes)) => base64(bytes.as_bytes()).into(),
            (Form::Raw, Ok(bytes)) => base64(bytes.as_bytes()).into(),
            (_, Ok(text)) => text.into(),
            (_, Err(_)) => Json::Null,
        });
    }
    Ok(returns)
}

enum Wish {
    Keep,
    Convert,
    Make,
}

/// What is to become of the key that is there.
fn wish(args: &Args, old: Option<&Stored>) -> Result<Wish> {
    let Some(old) = old else { return Ok(Wish::Make) };
    let regenerate = args.regenerate;
    if args.file.force || regenerate == Regenerate::Always {
        return Ok(Wish::Make);
    }
    let Some(public) = &old.public else {
        if regenerate == Regenerate::FullIdempotence {
            return Ok(Wish::Make);
        }
        return Err(unreadable());
    };
    if args.passphrase.is_some() && !old.is_locked && regenerate != Regenerate::Never {
        return if regenerate == Regenerate::FullIdempotence { Ok(Wish::Make) } else { Err(unreadable()) };
    }
    if !fits(args, public) && regenerate != Regenerate::Never {
        if regenerate == Regenerate::Fail {
            return Err(Failure::new(
                "Key has wrong type and/or size. Will not proceed. To force regeneration, call the module with \
                 `generate` set to `partial_idempotence`, `full_idempotence` or `always`, or with `force=true`.",
            ));
        }
        return Ok(Wish::Make);
    }
    if args.format == Format::AutoIgnore || old.form == form(args) {
        return Ok(Wish::Keep);
    }
    match (args.format_mismatch, regenerate) {
        (Mismatch::Convert, _) => Ok(Wish::Convert),
        (_, Regenerate::Never) => Ok(Wish::Keep),
        (_, Regenerate::Fail) => Err(Failure::new(
            "Key has wrong format. Will not proceed. To force regeneration, call the module with `generate` set to \
             `partial_idempotence`, `full_idempotence` or `always`, or with `force=true`. To convert the key, set \
             `format_mismatch` to `convert`.",
        )),
        _ => Ok(Wish::Make),
    }
}

fn unreadable() -> Failure {
    Failure::new(
        "Unable to read the key. The key is protected with a another passphrase / no passphrase or broken. \
         Will not proceed. To force regeneration, call the module with `generate` set to `full_idempotence` or \
         `always`, or with `force=true`.",
    )
}

fn fits(args: &Args, public: &PublicKey) -> bool {
    let curve = match &public.kind {
        crate::crypto::key::Kind::Ec { curve, .. } => Some(curve.as_str()),
        _ => None,
    };
    public.kind.name() == args.r#type.name()
        && (!args.r#type.has_size() || public.kind.bits() == Some(args.size))
        && (args.r#type != Type::Ecc || curve == args.curve.map(|curve| curve.names().0))
}

/// The form the file is to have.
fn form(args: &Args) -> Form {
    match args.format {
        Format::Pkcs1 => Form::Pkcs1,
        Format::Pkcs8 => Form::Pkcs8,
        Format::Raw => Form::Raw,
        Format::Auto | Format::AutoIgnore => args.r#type.usual_form(),
    }
}

/// A new key, in no particular form and not locked.
fn make(args: &Args, openssl: &Openssl, sys: &mut System<'_>) -> Result<PrivateKey> {
    let command = match args.r#type {
        Type::Rsa => openssl
            .command("genpkey")
            .args(["-algorithm", "RSA", "-pkeyopt"])
            .arg(format!("rsa_keygen_bits:{}", args.size)),
        Type::Dsa => openssl.command("dsaparam").args(["-genkey", "-noout"]).arg(args.size.to_string()),
        Type::Ecc => {
            let (_, curve) = args.curve.map(Curve::names).unwrap_or_default();
            let command = openssl.command("genpkey").args(["-algorithm", "EC", "-pkeyopt"]);
            let command = command.arg(format!("ec_paramgen_curve:{curve}"));
            command.args(["-pkeyopt", "ec_param_enc:named_curve"])
        }
        other => openssl.command("genpkey").args(["-algorithm", other.name()]),
    };
    Ok(PrivateKey { content: Openssl::must(command, sys)?.stdout, passphrase: None })
}

/// Writes a key in the form that is asked for.
fn write(
    key: &PrivateKey,
    args: &Args,
    openssl: &Openssl,
    returns: &mut Returns,
    sys: &mut System<'_>,
) -> Result<Stored> {
    let form = form(args);
    let passphrase = args.passphrase.as_ref().map(Secret::expose);
    let content = match form {
        Form::Raw if passphrase.is_some() => {
            return Err(Failure::new("Raw format cannot be combined with a passphrase"));
        }
        Form::Raw => stored::raw(&openssl.convert(key, false, None, sys)?)
            .ok_or_else(|| Failure::new(format!("A key of type {} has no raw format", args.r#type.name())))?,
        _ => openssl.convert(key, form == Form::Pkcs1, passphrase, sys)?.into_bytes(),
    };
    returns.backup_file = args.file.write(&content, sys)?;
    let private = PrivateKey { content, passphrase: passphrase.map(str::to_owned) };
    let public = openssl.must_open(key, "that was made", sys)?;
    Ok(Stored { private, public: Some(public), form, is_locked: passphrase.is_some() })
}

/// What a diff shows of a key.
fn told(key: Option<&Stored>) -> Json {
    let Some(key) = key else { return json!({}) };
    match &key.public {
        None => json!({"can_parse_key": false, "key_is_consistent": null}),
        // Of the bare bytes of a key Ansible's cannot tell anything, either.
        Some(_) if key.form == Form::Raw => json!({"can_parse_key": false, "key_is_consistent": null}),
        Some(public) => facts::of_key(public),
    }
}
