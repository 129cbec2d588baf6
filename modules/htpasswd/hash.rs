//! Schemes of hashes, by passlib's names: what they make of a password, and whose hash it is that stands there.

use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

use crate::kit::crypt::{bcrypt, des_crypt, letter, md5_crypt, sha_crypt};
use crate::kit::digest::hex;
use crate::kit::encode::{base64, from_base64};
use crate::kit::{Failure, Result};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Md5(md5_crypt::Variant),
    Sha(sha_crypt::Variant),
    Bcrypt,
    Des,
    /// In base64, behind its name: `{SHA}…`.
    Ldap(Sum),
    /// With a salt, which stands behind the sum: `{SSHA}…`.
    Salted(Sum),
    Hex(Sum),
    Plain,
    /// What does not begin with a name in braces.
    LdapPlain,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Sum {
    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(bytes).to_vec(),
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// How many bytes of salt new hashes have.
    fn salt_length(self) -> usize {
        if matches!(self, Self::Md5 | Self::Sha1) { 4 } else { 8 }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "{MD5}",
            Self::Sha1 => "{SHA}",
            Self::Sha256 => "{SHA256}",
            Self::Sha512 => "{SHA512}",
        }
    }

    fn salted_name(self) -> &'static str {
        match self {
            Self::Md5 => "{SMD5}",
            Self::Sha1 => "{SSHA}",
            Self::Sha256 => "{SSHA256}",
            Self::Sha512 => "{SSHA512}",
        }
    }
}

impl Scheme {
    const APACHE: Self = Self::Md5(md5_crypt::Variant::Apache);
    const SHA_256: Self = Self::Sha(sha_crypt::Variant::Sha256);
    const SHA_512: Self = Self::Sha(sha_crypt::Variant::Sha512);

    pub fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "apr_md5_crypt" | "portable_apache_22" => Self::APACHE,
            "md5_crypt" => Self::Md5(md5_crypt::Variant::Unix),
            "sha256_crypt" | "linux_apache_22" => Self::SHA_256,
            "sha512_crypt" => Self::SHA_512,
            "bcrypt" | "portable" | "portable_apache_24" | "host" | "host_apache_22" | "host_apache_24"
            | "linux_apache_24" => Self::Bcrypt,
            "des_crypt" => Self::Des,
            "ldap_md5" => Self::Ldap(Sum::Md5),
            "ldap_sha1" => Self::Ldap(Sum::Sha1),
            "ldap_salted_md5" => Self::Salted(Sum::Md5),
            "ldap_salted_sha1" => Self::Salted(Sum::Sha1),
            "ldap_salted_sha256" => Self::Salted(Sum::Sha256),
            "ldap_salted_sha512" => Self::Salted(Sum::Sha512),
            "hex_md5" => Self::Hex(Sum::Md5),
            "hex_sha1" => Self::Hex(Sum::Sha1),
            "hex_sha256" => Self::Hex(Sum::Sha256),
            "hex_sha512" => Self::Hex(Sum::Sha512),
            "plaintext" => Self::Plain,
            "ldap_plaintext" => Self::LdapPlain,
            other => {
                return Err(Failure::new(format!(
                    "hash_scheme: '{other}' is not supported: no web server reads it"
                )));
            }
        })
    }

    /// The password's hash; `random` becomes its salt.
    pub fn hash(self, password: &str, random: &str) -> String {
        let random = Sha512::digest(random.as_bytes());
        let bytes = |length: usize| random.iter().copied().take(length).collect::<Vec<u8>>();
        let salt = |length| bytes(length).iter().map(|byte| letter(u32::from(*byte))).collect::<String>();
        match self {
            Self::Md5(variant) => variant.hash(password, &salt(8)),
            Self::Sha(variant) => variant.hash(password, &salt(16), Some(variant.usual_rounds())),
            Self::Bcrypt => bcrypt::hash(password, first(&random), bcrypt::Cost::USUAL, bcrypt::Ident::TwoY),
            Self::Des => des_crypt::hash(password, des_crypt::Salt::of(first(&random))),
            Self::Ldap(sum) => format!("{}{}", sum.name(), base64(&sum.of(password.as_bytes()))),
            Self::Salted(sum) => salted(password, &bytes(sum.salt_length()), sum),
            Self::Hex(sum) => hex(&sum.of(password.as_bytes())),
            Self::Plain | Self::LdapPlain => password.to_owned(),
        }
    }

    /// Whether what stands there is that password's hash of this scheme. `None` where it is of another.
    fn is_of(self, password: &str, stands: &str) -> Option<bool> {
        match self {
            Self::Md5(variant) => variant.is_of(password, stands),
            Self::Sha(variant) => variant.is_of(password, stands),
            Self::Bcrypt => bcrypt::is_of(password, stands),
            Self::Des => des_crypt::is_of(password, stands),
            Self::Ldap(sum) => stands.starts_with(sum.name()).then(|| self.hash(password, "") == stands),
            Self::Salted(sum) => {
                let kept = from_base64(stands.strip_prefix(sum.salted_name())?).ok()?;
                Some(salted(password, kept.get(sum.length()..)?, sum) == stands)
            }
            Self::Hex(sum) => {
                let is_one =
                    stands.len() == 2 * sum.length() && stands.chars().all(|c| c.is_ascii_hexdigit());
                is_one.then(|| self.hash(password, "").eq_ignore_ascii_case(stands))
            }
            Self::Plain => Some(stands == password),
            Self::LdapPlain => {
                let name = stands.strip_prefix('{').and_then(|rest| rest.split_once('}'));
                name.is_none_or(|(name, _)| name.is_empty()).then(|| stands == password)
            }
        }
    }

    /// The schemes that passlib tells from each other where this one is asked for, in the order it tries them: those of
    /// web servers, or this one and the few that Apache's own tool makes.
    fn known(self) -> Vec<Self> {
        let apache = [Self::APACHE, Self::Des, Self::Ldap(Sum::Sha1), Self::Plain];
        match self {
            Self::Ldap(Sum::Md5) | Self::Salted(_) | Self::Hex(_) | Self::LdapPlain => {
                [&[self][..], &apache].concat()
            }
            _ => [&[self][..], &[Self::Bcrypt, Self::SHA_256, Self::SHA_512], &apache].concat(),
        }
    }
}

/// Whether what stands there is the password's, as the real module sees it: what is of none of the schemes it knows is
/// plain text, which a hash never equals, so that it is written anew.
pub(super) fn is_of(password: &str, stands: &str, scheme: Scheme) -> bool {
    // As plain text all would be known: that is the last one.
    let first = (scheme != Scheme::Plain).then_some(scheme);
    let known = scheme.known();
    let known = first.iter().chain(known.iter().skip(1));
    known.copied().find_map(|scheme| scheme.is_of(password, stands)).unwrap_or(false)
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|at| bytes.get(at).copied().unwrap_or_default())
}

fn salted(password: &str, salt: &[u8], sum: Sum) -> String {
    let kept = [&sum.of(&[password.as_bytes(), salt].concat())[..], salt].concat();
    format!("{}{}", sum.salted_name(), base64(&kept))
}

#[cfg(test)]
mod tests {
    use super::{Scheme, Sum, is_of};
    use crate::kit::crypt::md5_crypt::Variant;

    /// What other programs made.
    #[test]
    fn hashes_are_those_of_others() {
        for (scheme, password, hash) in [
            (Scheme::Plain, "y", "$apr1$E8LiOTYx$TkB2cUww24XytW.HrVqNj0"),
            (Scheme::Md5(Variant::Unix), "y", "$1$zOxEwUVm$5JyQ8c.fULgOKdLLnXoPX0"),
            (Scheme::SHA_256, "y", "$5$saltsalt$fCF0nZeB5mj309XyxoQLP0npcw5eS5nV.lXCct55Hl."),
            (
                Scheme::SHA_512,
                "y",
                "$6$saltsalt$dXw54c7FbjOTNROS8PXMARWjH6A.CoTmR9oM2pU2CDlRs9VvHh9JZlDMhy8pVHspfw6lRpWxXOBa0bz9xL/Jo1",
            ),
            (
                Scheme::SHA_512,
                "long password, longer than a digest of sixty-four letters, so that it is hashed twice",
                "$6$saltsalt$7ju.v6E19GxJM7mRxwJU6i8hIp.Lcm8/5AH5sX7wv8PEvbtBgCqrr0gyPU7L0OwnktcOh.gAA588EFpZkU7kn.",
            ),
            (Scheme::Plain, "y", "{SHA}lcsL/Sl3x2EpjZYk5LTUxyo5l0o="),
            (Scheme::APACHE, "y", "y"),
            (Scheme::APACHE, "y", "$2y$04$iRcLCLMj5dSrkeIsIxh4V.RJ7cuIN42CY/AEXGaCocfSeUcvBYfv6"),
            (Scheme::Bcrypt, "longer than eight", "YWv5e1A0916N6"),
            (Scheme::Ldap(Sum::Md5), "y", "{MD5}QVKQdpWURg4uSFkikE80XQ=="),
            (Scheme::Salted(Sum::Md5), "y", "{SMD5}W6GvsHChJfFGwxcvMsumjPK+1xo="),
            (Scheme::Salted(Sum::Sha1), "y", "{SSHA}rOVvWBRRIx3PYurNcYcKl7G/OIlWqtV6"),
            (
                Scheme::Salted(Sum::Sha256),
                "y",
                "{SSHA256}LfwOxI7UAl91g3ZmjwWDE3FIJv5u2rCVBepRBh9dSBlqTak1Ruj9vw==",
            ),
            (
                Scheme::Salted(Sum::Sha512),
                "y",
                "{SSHA512}yf6BrM+w34uF9qN/OExl0T0cwmtQo0ovy8NtDiCwZzlu/L5+8/Eo3eS0qpfyvHd+K4XmzGSlLOU5LGyBQWdjMoYQgtAaIyTk",
            ),
            (Scheme::Hex(Sum::Md5), "y", "415290769594460e2e485922904f345d"),
            (
                Scheme::Hex(Sum::Sha256),
                "y",
                "a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa",
            ),
            (Scheme::LdapPlain, "y", "y"),
        ] {
            assert!(is_of(password, hash, scheme), "{hash}");
            assert!(!is_of("z", hash, scheme), "{hash}");
        }
        assert!(!is_of("y", "$1$zOxEwUVm$5JyQ8c.fULgOKdLLnXoPX0", Scheme::APACHE));
        // Each as the real module has it: who asks for LDAP's does not know bcrypt, who asks for its plain text no DES.
        let bcrypt = "$2y$04$iRcLCLMj5dSrkeIsIxh4V.RJ7cuIN42CY/AEXGaCocfSeUcvBYfv6";
        assert!(!is_of("y", bcrypt, Scheme::Ldap(Sum::Md5)));
        assert!(!is_of("longer than eight", "YWv5e1A0916N6", Scheme::LdapPlain));
    }

    #[test]
    fn what_is_made_is_known_again() {
        let names = "apr_md5_crypt md5_crypt bcrypt des_crypt ldap_md5 ldap_sha1 ldap_salted_md5 ldap_salted_sha1 \
                     ldap_salted_sha256 ldap_salted_sha512 hex_md5 hex_sha1 hex_sha256 hex_sha512 plaintext ldap_plaintext";
        for name in names.split_whitespace() {
            let scheme = Scheme::parse(name).unwrap();
            let hash = scheme.hash("geheim", "random");
            assert!(is_of("geheim", &hash, scheme), "{name}: {hash}");
            assert!(!is_of("Geheim", &hash, scheme), "{name}: {hash}");
        }
    }
}
