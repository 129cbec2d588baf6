//! `password_hash`: what `/etc/shadow` holds.
//!
//! The salt is used as ansible-core 2.21 does where passlib is not installed: as the random bytes from which
//! the system's `crypt_gensalt` makes the salt.

use fanfare_modules::kit::crypt::{ALPHABET, bcrypt, letter, letters, md5_crypt, sha_crypt};

use crate::diagnostic::{Diagnostic, Result};
use crate::template::context::note_mood;
use crate::template::python_random::fill;
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[FilterEntry::new(
    "password_hash",
    &["hashtype", "salt", "salt_size", "rounds", "ident"],
    password_hash,
)];

#[derive(Clone, Copy, PartialEq)]
enum Scheme {
    Md5,
    Sha(sha_crypt::Variant),
    Bcrypt,
}

impl Scheme {
    fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "md5" | "md5_crypt" => Self::Md5,
            "sha256" | "sha256_crypt" => Self::Sha(sha_crypt::Variant::Sha256),
            "sha512" | "sha512_crypt" => Self::Sha(sha_crypt::Variant::Sha512),
            "bcrypt" | "blowfish" => Self::Bcrypt,
            _ => {
                return Err(Diagnostic::new(format!("crypt does not support '{name}' algorithm"))
                    .hint("Supported are sha512, sha256, bcrypt (blowfish) and md5."));
            }
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5_crypt",
            Self::Sha(sha_crypt::Variant::Sha256) => "sha256_crypt",
            Self::Sha(sha_crypt::Variant::Sha512) => "sha512_crypt",
            Self::Bcrypt => "bcrypt",
        }
    }

    fn salt_size(self) -> usize {
        match self {
            Self::Md5 => 8,
            Self::Sha(_) => 16,
            Self::Bcrypt => 22,
        }
    }
}

fn password_hash(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let scheme = Scheme::parse(&args.string("hashtype").unwrap_or("sha512".into()))?;
    let rounds = args.int("rounds")?;
    let password = subject.to_string();
    let salt = salt(scheme, args)?;
    hash(scheme, &password, &salt, rounds, args.string("ident").as_deref()).map(Value::from)
}

/// The hash of a password with a fresh salt, for `lookup('password', … encrypt=…)`.
pub(in crate::template) fn encrypt(
    password: &str,
    scheme: &str,
    salt: &str,
    ident: Option<&str>,
) -> Result<String> {
    hash(Scheme::parse(scheme)?, password, salt, None, ident)
}

/// The hash of a password, with a salt of that size where none is given.
pub fn hash_password(
    password: &str,
    scheme: &str,
    salt: Option<&str>,
    salt_size: Option<usize>,
) -> Result<String> {
    let scheme = Scheme::parse(scheme)?;
    let salt = match salt {
        Some(salt) => checked_salt(scheme, salt)?.to_owned(),
        None => random_salt(salt_size.unwrap_or(scheme.salt_size()))?,
    };
    hash(scheme, password, &salt, None, None)
}

/// A random salt of the length that the scheme wants.
pub(in crate::template) fn fresh_salt(scheme: &str) -> Result<String> {
    random_salt(Scheme::parse(scheme)?.salt_size())
}

fn salt(scheme: Scheme, args: &Args<'_>) -> Result<String> {
    let size = scheme.salt_size();
    if let Some(wanted) =
        args.int("salt_size")?.filter(|wanted| usize::try_from(*wanted).is_ok_and(|wanted| wanted > size))
    {
        return Err(Diagnostic::new(format!(
            "invalid salt size supplied ({wanted}), expected at most {size}"
        )));
    }
    let Some(salt) = args.string("salt").filter(|salt| !salt.is_empty()) else {
        let wanted = args.int("salt_size")?.and_then(|size| usize::try_from(size).ok());
        return random_salt(wanted.unwrap_or(size));
    };
    Ok(checked_salt(scheme, &salt)?.to_owned())
}

/// The salt, if it is one for that scheme.
fn checked_salt(scheme: Scheme, salt: &str) -> Result<&str> {
    let size = scheme.salt_size();
    if !salt.bytes().all(|c| ALPHABET.contains(&c)) {
        return Err(Diagnostic::new("invalid characters in salt"));
    }
    let length = salt.len();
    if scheme == Scheme::Bcrypt && length != size {
        return Err(Diagnostic::new(format!("invalid salt size supplied ({length}), expected {size}")));
    }
    if length > size {
        return Err(Diagnostic::new(format!(
            "invalid salt size supplied ({length}), expected at most {size}"
        )));
    }
    Ok(salt)
}

fn random_salt(size: usize) -> Result<String> {
    note_mood();
    let mut bytes = vec![0_u8; size];
    fill(&mut bytes)
        .map_err(|error| Diagnostic::new(format!("the system gives no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| letter(u32::from(*byte))).collect())
}

fn hash(
    scheme: Scheme,
    password: &str,
    salt: &str,
    rounds: Option<i64>,
    ident: Option<&str>,
) -> Result<String> {
    let no_salt = || {
        Diagnostic::new(format!(
            "Failed to generate salt for '{}' algorithm: crypt_gensalt failed: unable to generate salt",
            scheme.name()
        ))
    };
    let made = || generated_salt(salt.as_bytes(), scheme.salt_size()).ok_or_else(no_salt);
    match scheme {
        Scheme::Bcrypt => bcrypt(password, salt, rounds, ident).ok_or_else(no_salt),
        _ if ident.is_some_and(|ident| !ident.is_empty()) => {
            Err(no_salt().hint("Only bcrypt has an 'ident'."))
        }
        Scheme::Md5 => Ok(md5_crypt::Variant::Unix.hash(password, &made()?)),
        Scheme::Sha(variant) => {
            let rounds = rounds.and_then(|rounds| u32::try_from(rounds.clamp(1000, 999_999_999)).ok());
            let rounds = rounds.unwrap_or(variant.usual_rounds());
            // crypt's default is not written.
            let said = Some(rounds).filter(|rounds| *rounds != sha_crypt::UNSAID_ROUNDS);
            Ok(variant.hash(password, &made()?, said))
        }
    }
}

/// `crypt_gensalt` for all but bcrypt: each three bytes make four characters; fewer than three are too few.
fn generated_salt(bytes: &[u8], longest: usize) -> Option<String> {
    let groups = bytes.len().checked_sub(3).map(|_| (bytes.len() - 1) / 3)?.min(longest / 4);
    let triples = bytes.as_chunks::<3>().0.iter().take(groups);
    Some(triples.flat_map(|[a, b, c]| letters(&[*c, *b, *a])).collect())
}

fn bcrypt(password: &str, salt: &str, rounds: Option<i64>, ident: Option<&str>) -> Option<String> {
    let ident = bcrypt::Ident::parse(ident.filter(|ident| !ident.is_empty()).unwrap_or("2b"))?;
    let cost = match rounds {
        Some(rounds) => bcrypt::Cost::new(u32::try_from(rounds).ok()?)?,
        None => bcrypt::Cost::USUAL,
    };
    Some(bcrypt::hash(password, *salt.as_bytes().first_chunk()?, cost, ident))
}
