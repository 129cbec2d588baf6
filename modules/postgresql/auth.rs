//! How a password is shown to the server without being told.

use md5::Md5;
use sha1::Digest;
use sha2::Sha256;

use crate::kit::digest::hex;
use crate::kit::encode::{base64, from_base64};

/// What the method `md5` asks for. It is also what servers keep, without the salt.
pub fn md5(user: &str, password: &str, salt: &[u8]) -> String {
    let kept = hex(&Md5::digest(format!("{password}{user}")));
    format!("md5{}", hex(&Md5::digest([kept.as_bytes(), salt].concat())))
}

/// The password as servers keep it by the method `md5`.
pub fn kept_md5(user: &str, password: &str) -> String {
    format!("md5{}", hex(&Md5::digest(format!("{password}{user}"))))
}

/// Whether a server keeps that password, in the form of SCRAM: `SCRAM-SHA-256$rounds:salt$stored:server`.
pub fn is_kept_scram(kept: &str, password: &str) -> Option<bool> {
    let (head, keys) = kept.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
    let (rounds, salt) = head.split_once(':')?;
    let (_, server) = keys.split_once(':')?;
    let rounds = rounds.parse().ok().filter(|rounds| *rounds <= MOST_ROUNDS)?;
    let salted = salted(password, &from_base64(salt).ok()?, rounds);
    Some(hmac(&salted, b"Server Key").to_vec() == from_base64(server).ok()?)
}

/// No server wants more rounds; one that does wants a client that never ends.
const MOST_ROUNDS: u32 = 10_000_000;

/// One exchange of SCRAM-SHA-256.
pub struct Scram {
    password: String,
    first: String,
    /// What the server must answer in the end.
    proof: Vec<u8>,
}

impl Scram {
    pub fn new(password: &str, nonce: &str) -> Self {
        Self { password: password.to_owned(), first: format!("n=,r={nonce}"), proof: Vec::new() }
    }

    pub fn first(&self) -> String {
        format!("n,,{}", self.first)
    }

    /// The answer to the server's first message.
    pub fn second(&mut self, server: &str) -> Option<String> {
        let field = |name: &str| server.split(',').find_map(|part| part.strip_prefix(name));
        let (nonce, salt, rounds) = (field("r=")?, field("s=")?, field("i=")?);
        let mine = self.first.split_once("r=").map(|(_, nonce)| nonce)?;
        if !nonce.starts_with(mine) {
            return None;
        }
        let rounds = rounds.parse().ok().filter(|rounds| *rounds <= MOST_ROUNDS)?;
        let salted = salted(&self.password, &from_base64(salt).ok()?, rounds);
        let client = hmac(&salted, b"Client Key");
        let last = format!("c=biws,r={nonce}");
        let all = format!("{},{server},{last}", self.first);
        let signature = hmac(&Sha256::digest(client), all.as_bytes());
        let proof: Vec<u8> = client.iter().zip(signature).map(|(key, signed)| key ^ signed).collect();
        self.proof = hmac(&hmac(&salted, b"Server Key"), all.as_bytes()).to_vec();
        Some(format!("{last},p={}", base64(&proof)))
    }

    /// Whether the server knows the password, too.
    pub fn is_proven(&self, server: &str) -> bool {
        let told = server.strip_prefix("v=").and_then(|proof| from_base64(proof).ok());
        told.is_some_and(|told| told == self.proof)
    }
}

/// PBKDF2 for one block.
fn salted(password: &str, salt: &[u8], rounds: u32) -> [u8; 32] {
    let mut last = hmac(password.as_bytes(), &[salt, &[0, 0, 0, 1]].concat());
    let mut all = last;
    for _ in 1..rounds {
        last = hmac(password.as_bytes(), &last);
        for (byte, more) in all.iter_mut().zip(last) {
            *byte ^= more;
        }
    }
    all
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    let short = Sha256::digest(key);
    let key = if key.len() > block.len() { &short[..] } else { key };
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36), message].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5c), &inner[..]].concat()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, whose user the server of PostgreSQL knows from elsewhere.
    #[test]
    fn scram_is_that_of_the_standard() {
        let mut scram = Scram {
            password: "pencil".into(),
            first: "n=user,r=rOprNGfwEbeRWgbNEkqO".into(),
            proof: Vec::new(),
        };
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let second = scram.second(server).unwrap();
        assert_eq!(
            second,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(scram.is_proven("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!scram.is_proven("v=AAAA"));
        assert_eq!(scram.second(&server.replace("i=4096", "i=4294967295")), None);
    }

    #[test]
    fn passwords_are_known_again() {
        assert_eq!(kept_md5("ann", "secret"), "md59d792a3a8853c2411afb9163d088c036");
        let salt = b"salt";
        let salted = salted("pw", salt, 2);
        let kept = format!("SCRAM-SHA-256$2:{}$AAAA:{}", base64(salt), base64(&hmac(&salted, b"Server Key")));
        assert_eq!(is_kept_scram(&kept, "pw"), Some(true));
        assert_eq!(is_kept_scram(&kept, "other"), Some(false));
        assert_eq!(is_kept_scram("md5abc", "pw"), None);
    }
}
