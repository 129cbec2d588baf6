//! `vault`, `unvault`: encrypting and decrypting with a password of the template's own.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::template::{Args, Context, FilterEntry};
use crate::value::{Value, Vaulted};
use crate::vault::{Key, Keyring, Password, is_encrypted};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("unvault", &["secret", "vault_id", "vaultid"], unvault).lazy().sees_vaults(),
    FilterEntry::new("vault", &["secret", "salt", "vault_id", "wrap_object", "vaultid"], vault),
];

/// The vault id where a template names none.
const OWN_ID: &str = "filter_default";

fn vault(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let key = key(args)?;
    let Some(plain) = subject.as_str() else {
        return Err(wrong("Can only vault strings", subject));
    };
    let salt = args.string("salt");
    let ciphertext = key.seal(plain.as_bytes(), salt.as_deref().map(str::as_bytes))?;
    if !args.flag("wrap_object", false) {
        return Ok(Value::from(ciphertext));
    }
    let source = Arc::new(Source { path: "<vault filter>".into(), text: "".into(), secret: true });
    let place = Place { source, line: 1, column: 1, length: 0 };
    Ok(Value::Vault(Arc::new(Vaulted::new(ciphertext, place))))
}

/// Text that is not encrypted is given back.
fn unvault(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let key = key(args)?;
    let text = match subject {
        Value::Vault(vaulted) => vaulted.ciphertext.clone(),
        Value::Str(text) => text.clone(),
        other => return Err(wrong("Vault should be in the form of a string", other)),
    };
    if !is_encrypted(text.as_bytes()) {
        return Ok(Value::Str(text));
    }
    let opened = Keyring::new(vec![key], false)
        .open(text.as_bytes())
        .map_err(|error| error.context("Unable to decrypt"))?;
    let plain = String::from_utf8(opened.text)
        .map_err(|_| Diagnostic::new("Unable to decrypt: what was encrypted is not UTF-8 text"))?;
    Ok(Value::from(plain))
}

fn key(args: &Args<'_>) -> Result<Key> {
    let secret = args.required("secret")?;
    let Some(password) = secret.as_str() else {
        return Err(wrong("Secret passed is required to be a string", secret));
    };
    let id = args.string("vault_id").or_else(|| args.string("vaultid"));
    let id = id.map_or_else(|| OWN_ID.to_owned(), std::borrow::Cow::into_owned);
    Ok(Key { id, password: Password::new(password.as_bytes()) })
}

fn wrong(rule: &str, value: &Value) -> Diagnostic {
    Diagnostic::new(format!("{rule}, instead we got <class '{}'>", value.type_name()))
}
