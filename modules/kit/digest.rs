//! Checksums.

use std::fmt::Write as _;
use std::io::{self, Read};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::Digest;

/// The algorithms of `checksum_algorithm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    Md5,
    #[default]
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// The checksum of all that `content` gives, in lower-case hex.
pub fn digest(algorithm: Algorithm, content: &mut dyn Read) -> io::Result<String> {
    match algorithm {
        Algorithm::Md5 => run::<md5::Md5>(content),
        Algorithm::Sha1 => run::<sha1::Sha1>(content),
        Algorithm::Sha224 => run::<sha2::Sha224>(content),
        Algorithm::Sha256 => run::<sha2::Sha256>(content),
        Algorithm::Sha384 => run::<sha2::Sha384>(content),
        Algorithm::Sha512 => run::<sha2::Sha512>(content),
    }
}

/// SHA-1 in lower-case hex: how files are told apart everywhere in the kit.
pub fn sha1_hex(bytes: &[u8]) -> String {
    hex(&sha1::Sha1::digest(bytes))
}

/// In lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn run<D: Digest>(content: &mut dyn Read) -> io::Result<String> {
    let mut hasher = D::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(n) => hasher.update(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, digest};

    #[test]
    fn checksums_are_the_usual_ones() {
        for (algorithm, start) in [
            (Algorithm::Md5, "900150983cd24fb0"),
            (Algorithm::Sha1, "a9993e364706816a"),
            (Algorithm::Sha224, "23097d223405d822"),
            (Algorithm::Sha256, "ba7816bf8f01cfea"),
            (Algorithm::Sha384, "cb00753f45a35e8b"),
            (Algorithm::Sha512, "ddaf35a193617aba"),
        ] {
            assert!(digest(algorithm, &mut &b"abc"[..]).unwrap().starts_with(start), "{algorithm:?}");
        }
    }
}
