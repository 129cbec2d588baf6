//! Signing with RSA keys from files for certificates: with the hash that the server knows, where russh's own way takes
//! SHA-1.

use std::sync::Arc;

use russh::SendError;
use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{HashAlg, PrivateKey};
use signature::Signer as _;

pub(super) struct RsaSigner(pub Arc<PrivateKey>);

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsigned {
    #[error("the connection is gone")]
    Gone(#[from] SendError),
    #[error("the key does not sign: {0}")]
    Key(#[from] signature::Error),
}

impl russh::Signer for RsaSigner {
    type Error = Unsigned;

    /// Gives what was to be signed, with the signature behind it: `string(string(algorithm) string(signature))`.
    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, Unsigned> {
        let KeypairData::Rsa(keypair) = self.0.key_data() else { return Err(signature::Error::new().into()) };
        let signed: russh::keys::ssh_key::Signature = (keypair, hash).try_sign(&data)?;
        let mut blob = Vec::new();
        for part in [signed.algorithm().as_str().as_bytes(), signed.as_bytes()] {
            put(&mut blob, part);
        }
        put(&mut data, &blob);
        Ok(data)
    }
}

fn put(out: &mut Vec<u8>, part: &[u8]) {
    out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(part);
}
