//! The format on paper: a header line, then hex of hex, 80 columns wide.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use crate::diagnostic::{Diagnostic, Result};

const MARK: &str = "$ANSIBLE_VAULT;";
const CIPHER: &str = "AES256";
const WIDTH: usize = 80;

/// The parts of encrypted text.
#[derive(Debug)]
pub(super) struct Envelope {
    /// The vault id it was encrypted with, where it says so (format 1.2).
    pub label: Option<String>,
    pub salt: Vec<u8>,
    pub mac: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

/// Whether text is encrypted.
pub fn is_encrypted(text: &[u8]) -> bool {
    text.starts_with(MARK.as_bytes())
}

impl Envelope {
    pub fn parse(text: &[u8]) -> Result<Self> {
        let not_ours = || Diagnostic::new("Input is not vault encrypted data.");
        let text = std::str::from_utf8(text).map_err(|_| not_ours())?;
        let header = text.strip_prefix(MARK).ok_or_else(not_ours)?;
        let (header, body) = header.split_once('\n').unwrap_or((header, ""));
        let mut fields = header.trim().split(';').map(str::trim);
        let version = fields.next().unwrap_or_default();
        let cipher = fields.next().unwrap_or_default();
        let label = fields.next().filter(|label| version == "1.2" && !label.is_empty()).map(str::to_owned);
        if cipher != CIPHER {
            let error = Diagnostic::new(format!("Cipher '{cipher}' could not be found."));
            return Err(error.hint(format!("vaults are encrypted with {CIPHER}")));
        }
        let inner = unhex(body)?;
        let mut parts = inner.split(|byte| *byte == b'\n');
        let mut part = || {
            let part = parts.next().ok_or_else(|| damaged("it ends too early"))?;
            unhex(&String::from_utf8_lossy(part))
        };
        Ok(Self { label, salt: part()?, mac: part()?, ciphertext: part()? })
    }

    /// As it is written into files, with a line end.
    pub fn write(&self) -> String {
        let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
        let inner = [hex(&self.salt), hex(&self.mac), hex(&self.ciphertext)].join("\n");
        let mut text = match &self.label {
            Some(label) => format!("{MARK}1.2;{CIPHER};{label}\n"),
            None => format!("{MARK}1.1;{CIPHER}\n"),
        };
        let body = hex(inner.as_bytes());
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, next) = rest.split_at(WIDTH.min(rest.len()));
            text.push_str(line);
            text.push('\n');
            rest = next;
        }
        text
    }
}

fn unhex(text: &str) -> Result<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    HEXLOWER_PERMISSIVE.decode(&digits).map_err(|error| damaged(&error.to_string()))
}

fn damaged(why: &str) -> Diagnostic {
    Diagnostic::new(format!("Vault format unhexlify error: {why}"))
        .hint("the encrypted text is damaged: was it cut off, or its indentation lost?")
}
