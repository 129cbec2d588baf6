//! Text under lock: Ansible's vault format, the passwords of a run, and reading files that may be encrypted.
//!
//! The passwords are the process's ([`hold`]), as its environment is: what reads files need not be handed them.

mod cipher;
mod envelope;
mod file;
mod identity;
mod keyring;

pub use envelope::is_encrypted;
pub use file::{Plain, open};
pub use identity::{Purpose, Source, VaultId};
pub use keyring::{DEFAULT_ID, Key, Keyring, Opened, Password, held, hold};

#[cfg(test)]
mod tests;
