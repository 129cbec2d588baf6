//! Public keys: which they are, and how they are told apart.

use serde_json::{Map, Value as Json};
use sha1::Digest;
use shake::digest::{ExtendableOutput, Update, XofReader};

use super::der::{self, Element};
use crate::kit::digest::hex;

/// What there is to know of a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// SubjectPublicKeyInfo, the form in which certificates hold it.
    pub der: Vec<u8>,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    Dsa {
        prime: Vec<u8>,
    },
    /// The curve, as openssl names it.
    Ec {
        curve: String,
        point: Vec<u8>,
    },
    Ed25519,
    Ed448,
    X25519,
    X448,
    /// Its algorithm's number.
    Other(String),
}

/// Curves: Ansible's name, openssl's where it is another, the number, and the size in bits.
pub const CURVES: [(&str, &str, &str, u64); 19] = [
    ("secp224r1", "secp224r1", "1.3.132.0.33", 224),
    ("secp256k1", "secp256k1", "1.3.132.0.10", 256),
    ("secp256r1", "prime256v1", "1.2.840.10045.3.1.7", 256),
    ("secp384r1", "secp384r1", "1.3.132.0.34", 384),
    ("secp521r1", "secp521r1", "1.3.132.0.35", 521),
    ("secp192r1", "prime192v1", "1.2.840.10045.3.1.1", 192),
    ("brainpoolP256r1", "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.7", 256),
    ("brainpoolP384r1", "brainpoolP384r1", "1.3.36.3.3.2.8.1.1.11", 384),
    ("brainpoolP512r1", "brainpoolP512r1", "1.3.36.3.3.2.8.1.1.13", 512),
    ("sect163k1", "sect163k1", "1.3.132.0.1", 163),
    ("sect163r2", "sect163r2", "1.3.132.0.15", 163),
    ("sect233k1", "sect233k1", "1.3.132.0.26", 233),
    ("sect233r1", "sect233r1", "1.3.132.0.27", 233),
    ("sect283k1", "sect283k1", "1.3.132.0.16", 283),
    ("sect283r1", "sect283r1", "1.3.132.0.17", 283),
    ("sect409k1", "sect409k1", "1.3.132.0.36", 409),
    ("sect409r1", "sect409r1", "1.3.132.0.37", 409),
    ("sect571k1", "sect571k1", "1.3.132.0.38", 570),
    ("sect571r1", "sect571r1", "1.3.132.0.39", 570),
];

impl PublicKey {
    pub fn parse(der: &[u8]) -> Option<Self> {
        let info = Element::of(der)?;
        let mut parts = info.content_of(der::SEQUENCE).map(|_| info.elements())?;
        let mut algorithm = parts.next()?.elements();
        let key = parts.next()?;
        let kind = match algorithm.next()?.oid()?.as_str() {
            "1.2.840.113549.1.1.1" => {
                let mut numbers = Element::of(key.bits()?)?.elements();
                let mut number = || Some(numbers.next()?.content_of(der::INTEGER)?.to_vec());
                Kind::Rsa { modulus: number()?, exponent: number()? }
            }
            "1.2.840.10040.4.1" => {
                let prime = algorithm.next()?.elements().next()?.content_of(der::INTEGER)?;
                Kind::Dsa { prime: prime.to_vec() }
            }
            "1.2.840.10045.2.1" => {
                let number = algorithm.next()?.oid()?;
                let known = CURVES.iter().find(|(_, _, oid, _)| *oid == number);
                let curve = known.map_or(number.clone(), |(name, ..)| (*name).to_owned());
                Kind::Ec { curve, point: key.bits()?.to_vec() }
            }
            "1.3.101.110" => Kind::X25519,
            "1.3.101.111" => Kind::X448,
            "1.3.101.112" => Kind::Ed25519,
            "1.3.101.113" => Kind::Ed448,
            other => Kind::Other(other.to_owned()),
        };
        Some(Self { der: der.to_vec(), kind })
    }

    /// What a subject key identifier says of it: the SHA-1 of the key alone.
    pub fn identifier(&self) -> Option<Vec<u8>> {
        let key = Element::of(&self.der)?.elements().nth(1)?;
        Some(sha1::Sha1::digest(key.bits()?).to_vec())
    }

    pub fn fingerprints(&self) -> Json {
        fingerprints(&self.der)
    }
}

impl Kind {
    /// Ansible's name of it, as results have it.
    pub fn name(&self) -> &str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::Dsa { .. } => "DSA",
            Self::Ec { .. } => "ECC",
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::X25519 => "X25519",
            Self::X448 => "X448",
            Self::Other(number) => match number.as_str() {
                "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
                "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
                "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
                other => other,
            },
        }
    }

    /// Whether it signs without a hash of the user's choice.
    pub fn signs_by_itself(&self) -> bool {
        matches!(self, Self::Ed25519 | Self::Ed448 | Self::Other(_))
    }

    /// Its size in bits, where that is a matter of choice.
    pub fn bits(&self) -> Option<u64> {
        match self {
            Self::Rsa { modulus: number, .. } | Self::Dsa { prime: number } => Some(bits(number)),
            Self::Ec { curve, .. } => CURVES.iter().find(|(name, ..)| name == curve).map(|(.., bits)| *bits),
            Self::Ed25519 | Self::Ed448 | Self::X25519 | Self::X448 | Self::Other(_) => None,
        }
    }
}

fn bits(number: &[u8]) -> u64 {
    let mut digits = number.iter().skip_while(|byte| **byte == 0);
    let Some(first) = digits.next() else { return 0 };
    let rest = u64::try_from(digits.count()).unwrap_or_default();
    u64::from(8 - first.leading_zeros()) + rest * 8
}

/// The hashes of some bytes by every algorithm, with colons.
pub fn fingerprints(bytes: &[u8]) -> Json {
    let mut shake_128 = [0; 32];
    let mut shake_256 = [0; 32];
    xof::<shake::Shake128>(bytes, &mut shake_128);
    xof::<shake::Shake256>(bytes, &mut shake_256);
    let hashes = [
        ("blake2b", blake2::Blake2b512::digest(bytes).to_vec()),
        ("blake2s", blake2::Blake2s256::digest(bytes).to_vec()),
        ("md5", md5::Md5::digest(bytes).to_vec()),
        ("sha1", sha1::Sha1::digest(bytes).to_vec()),
        ("sha224", sha2::Sha224::digest(bytes).to_vec()),
        ("sha256", sha2::Sha256::digest(bytes).to_vec()),
        ("sha384", sha2::Sha384::digest(bytes).to_vec()),
        ("sha3_224", sha3::Sha3_224::digest(bytes).to_vec()),
        ("sha3_256", sha3::Sha3_256::digest(bytes).to_vec()),
        ("sha3_384", sha3::Sha3_384::digest(bytes).to_vec()),
        ("sha3_512", sha3::Sha3_512::digest(bytes).to_vec()),
        ("sha512", sha2::Sha512::digest(bytes).to_vec()),
        ("shake_128", shake_128.to_vec()),
        ("shake_256", shake_256.to_vec()),
    ];
    hashes
        .into_iter()
        .map(|(name, hash)| (name.to_owned(), colons(&hash).into()))
        .collect::<Map<_, _>>()
        .into()
}

fn xof<H: Default + Update + ExtendableOutput>(bytes: &[u8], out: &mut [u8]) {
    let mut hasher = H::default();
    hasher.update(bytes);
    hasher.finalize_xof().read(out);
}

/// In hex, with a colon between bytes.
pub fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| hex(&[*byte])).collect::<Vec<_>>().join(":")
}
