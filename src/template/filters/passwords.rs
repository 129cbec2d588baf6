//! `password_hash`: what `/etc/shadow` holds.
//!
//! The salt is used as ansible-core 2.21 does where passlib is not installed: as the random bytes from which
//! the system's `crypt_gensalt` makes the salt.

use md5::{Digest, Md5};
use sha_crypt::Params;

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

/// The digits of crypt's base 64, from the least to the most.
const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[derive(Clone, Copy, PartialEq)]
enum Scheme {
    Md5,
    Sha256,
    Sha512,
    Bcrypt,
}

impl Scheme {
    fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "md5" | "md5_crypt" => Self::Md5,
            "sha256" | "sha256_crypt" => Self::Sha256,
            "sha512" | "sha512_crypt" => Self::Sha512,
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
            Self::Sha256 => "sha256_crypt",
            Self::Sha512 => "sha512_crypt",
            Self::Bcrypt => "bcrypt",
        }
    }

    fn salt_size(self) -> usize {
        match self {
            Self::Md5 => 8,
            Self::Sha256 | Self::Sha512 => 16,
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
    if !salt.bytes().all(|c| DIGITS.contains(&c)) {
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
    Ok(bytes.iter().map(|byte| digit(u32::from(*byte))).collect())
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
    if scheme == Scheme::Bcrypt {
        return bcrypt(password, salt, rounds, ident).ok_or_else(no_salt);
    }
    if ident.is_some_and(|ident| !ident.is_empty()) {
        return Err(no_salt().hint("Only bcrypt has an 'ident'."));
    }
    let made = generated_salt(salt.as_bytes(), scheme.salt_size()).ok_or_else(no_salt)?;
    let rounds = |default: u32| match rounds {
        Some(rounds) => u32::try_from(rounds.clamp(1000, 999_999_999)).unwrap_or(default),
        None => default,
    };
    Ok(match scheme {
        Scheme::Md5 => format!("$1${made}${}", md5_crypt(password.as_bytes(), made.as_bytes())),
        Scheme::Sha256 => {
            let rounds = rounds(535_000);
            let raw = sha_crypt::sha256_crypt(password.as_bytes(), made.as_bytes(), params(rounds));
            let order = (0..10).map(|i| rotated([i, i + 10, i + 20], 3 - i % 3));
            let text = encode(&raw, order.map(|triple| triple.to_vec()).chain([vec![31, 30]]));
            format!("$5${}{made}${text}", rounds_note(rounds))
        }
        Scheme::Sha512 | Scheme::Bcrypt => {
            let rounds = rounds(656_000);
            let raw = sha_crypt::sha512_crypt(password.as_bytes(), made.as_bytes(), params(rounds));
            let order = (0..21).map(|i| rotated([i, i + 21, i + 42], i % 3));
            let text = encode(&raw, order.map(|triple| triple.to_vec()).chain([vec![63]]));
            format!("$6${}{made}${text}", rounds_note(rounds))
        }
    })
}

fn params(rounds: u32) -> Params {
    Params::new(rounds).unwrap_or_default()
}

/// 5000 rounds are crypt's default and so not written.
fn rounds_note(rounds: u32) -> String {
    if rounds == 5000 { String::new() } else { format!("rounds={rounds}$") }
}

fn rotated(mut triple: [usize; 3], by: usize) -> [usize; 3] {
    triple.rotate_left(by % 3);
    triple
}

/// `crypt_gensalt` for all but bcrypt: each three bytes make four characters; fewer than three are too few.
fn generated_salt(bytes: &[u8], longest: usize) -> Option<String> {
    let groups = bytes.len().checked_sub(3).map(|_| (bytes.len() - 1) / 3)?.min(longest / 4);
    let triples = bytes.as_chunks::<3>().0.iter().take(groups);
    Some(triples.flat_map(|[a, b, c]| encode_bytes(&[*c, *b, *a])).collect())
}

fn digit(number: u32) -> char {
    DIGITS.get((number & 63) as usize).copied().map_or('.', char::from)
}

/// Up to three bytes, the highest first, as characters from the lowest six bits up.
fn encode_bytes(bytes: &[u8]) -> Vec<char> {
    let number = bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    (0..=bytes.len()).map(|at| digit(number >> (6 * at))).collect()
}

/// The bytes in the order that crypt writes them.
fn encode(raw: &[u8], order: impl Iterator<Item = Vec<usize>>) -> String {
    let pick =
        |places: Vec<usize>| -> Vec<u8> { places.iter().filter_map(|at| raw.get(*at)).copied().collect() };
    order.flat_map(|places| encode_bytes(&pick(places))).collect()
}

/// `$1$`: Poul-Henning Kamp's thousand rounds.
fn md5_crypt(password: &[u8], salt: &[u8]) -> String {
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut outer = Md5::new().chain_update(password).chain_update(b"$1$").chain_update(salt);
    for piece in password.chunks(16) {
        outer.update(inner.get(..piece.len()).unwrap_or_default());
    }
    let mut length = password.len();
    while length > 0 {
        let first = password.get(..1).unwrap_or_default();
        outer.update(if length & 1 == 1 { &[0] } else { first });
        length >>= 1;
    }
    let mut digest = outer.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        let odd = round & 1 == 1;
        if odd {
            next.update(password);
        } else {
            next.update(digest);
        }
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        if odd {
            next.update(digest);
        } else {
            next.update(password);
        }
        digest = next.finalize();
    }
    let order = (0..4).map(|i| vec![i, i + 6, i + 12]).chain([vec![4, 10, 5], vec![11]]);
    encode(&digest, order)
}

fn bcrypt(password: &str, salt: &str, rounds: Option<i64>, ident: Option<&str>) -> Option<String> {
    let version = match ident {
        None | Some("" | "2b") => bcrypt::Version::TwoB,
        Some("2a") => bcrypt::Version::TwoA,
        Some("2y") => bcrypt::Version::TwoY,
        Some(_) => return None,
    };
    let cost = u32::try_from(rounds.unwrap_or(12)).ok().filter(|cost| (4..=31).contains(cost))?;
    let bytes = *salt.as_bytes().first_chunk::<16>()?;
    Some(bcrypt::hash_with_salt(password, cost, bytes).ok()?.format_for_version(version))
}
