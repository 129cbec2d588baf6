//! Against what `ansible-vault` wrote (tests/data/vault).

use std::fs;
use std::path::Path;

use super::{Key, Keyring, Password, Purpose, Source, VaultId, is_encrypted};
use crate::diagnostic::Result;

fn key(id: &str, password: &str) -> Key {
    Key { id: id.to_owned(), password: Password::new(password.as_bytes()) }
}

fn recorded(name: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vault");
    fs::read(dir.join(name)).expect(name)
}

/// Opens with keys written `id:password`; gives the text and the key that opened it.
fn open(text: &[u8], keys: &[&str]) -> Result<(Vec<u8>, String)> {
    let keys = keys.iter().map(|text| text.split_once(':').map(|(id, password)| key(id, password)).unwrap());
    let opened = Keyring::new(keys.collect(), false).open(text)?;
    Ok((opened.text, opened.key.id))
}

fn why(text: &[u8], keys: &[&str]) -> String {
    let Err(error) = open(text, keys) else { panic!("it opened") };
    [error.message()]
        .into_iter()
        .chain(error.hints().iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" | ")
}

#[test]
fn what_ansible_wrote_can_be_read() {
    let plain = b"a: 1\nb: hello\n".to_vec();
    for (name, keys, expect, id) in [
        ("default.vault", &["default:secret"][..], plain.clone(), "default"),
        ("dev.vault", &["x:wrong", "dev:secret"], plain.clone(), "dev"),
        ("dev.vault", &["dev:wrong", "other:secret"], plain, "other"),
        ("binary.vault", &["prod:other"], b"\0\xffbin\n".to_vec(), "prod"),
        ("empty.vault", &["default:secret"], Vec::new(), "default"),
        ("long.vault", &["default:secret"], vec![b'x'; 5000], "default"),
    ] {
        assert_eq!(open(&recorded(name), keys).unwrap(), (expect, id.to_owned()), "{name}");
    }
}

#[test]
fn what_is_written_is_what_ansible_writes() {
    let sealed = key("default", "secret").seal(b"a: 1\nb: hello\n", Some(b"pepper")).unwrap();
    assert_eq!(sealed.as_bytes(), recorded("salted.vault"));
    let labelled = key("dev", "secret").seal(b"a: 1\nb: hello\n", Some(b"pepper")).unwrap();
    assert_eq!(labelled.replace(";dev", "").replace("1.2", "1.1"), sealed);
    assert!(labelled.starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
}

#[test]
fn every_length_comes_back_with_a_salt_of_its_own() {
    let key = key("k", "pässwörd");
    let salts: Vec<String> = [0, 1, 15, 16, 17, 31, 32, 1000]
        .into_iter()
        .map(|length| {
            let plain = vec![7; length];
            let sealed = key.seal(&plain, None).unwrap();
            assert!(is_encrypted(sealed.as_bytes()) && sealed.lines().all(|line| line.len() <= 80));
            assert_eq!(open(sealed.as_bytes(), &["k:pässwörd"]).unwrap().0, plain);
            sealed.lines().nth(1).unwrap().to_owned()
        })
        .collect();
    assert!(salts.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn what_cannot_be_opened_says_why() {
    let dev = recorded("dev.vault");
    assert_eq!(
        why(&dev, &["dev:no", "prod:never", "dev:neither"]),
        "Decryption failed (no vault secrets were found that could decrypt). | it was encrypted with the vault id \
         dev; tried: dev, prod"
    );
    assert!(why(&dev, &[]).starts_with("Attempting to decrypt but no vault secrets found."));
    assert_eq!(why(b"plain", &["dev:secret"]), "Input is not vault encrypted data.");
    assert_eq!(
        why(b"$ANSIBLE_VAULT;1.1;AES\n61", &["dev:x"]),
        "Cipher 'AES' could not be found. | vaults are encrypted with AES256"
    );
    for end in [26, 40, 120, dev.len() / 2] {
        assert!(why(&dev[..end], &["dev:secret"]).contains("is damaged"), "{end}");
    }
    // One digit changed: the checksum no longer holds.
    let mut tampered = dev;
    let last = tampered.len() - 2;
    tampered[last] = if tampered[last] == b'0' { b'1' } else { b'0' };
    assert!(why(&tampered, &["dev:secret"]).starts_with("Decryption failed"));
}

/// To derive them is slow on purpose: a host's worth of values must not cost it each time.
#[test]
fn keys_are_derived_once() {
    let (key, text) = (key("default", "timing"), vec![1; 100]);
    let open = |sealed: &str| {
        let started = std::time::Instant::now();
        Keyring::new(vec![key.clone()], false).open(sealed.as_bytes()).unwrap();
        started.elapsed()
    };
    let derived = std::time::Instant::now();
    let sealed = key.seal(&text, Some(b"once")).unwrap();
    let derived = derived.elapsed();
    let again: std::time::Duration = (0..20).map(|_| open(&sealed)).sum();
    assert!(again < derived, "deriving took {derived:?}, using 20 times {again:?}");
}

#[test]
fn only_the_texts_own_id_counts_when_that_is_asked_for() {
    let open =
        |keys: Vec<Key>| Keyring::new(keys, true).open(&recorded("dev.vault")).map(|opened| opened.key.id);
    assert!(open(vec![key("other", "secret")]).is_err());
    assert_eq!(open(vec![key("other", "secret"), key("dev", "secret")]).unwrap(), "dev");
}

#[test]
fn ids_as_users_write_them() {
    fn check(text: &str, id: &str, source: Source) {
        assert_eq!(VaultId::parse(text, "default"), VaultId { id: id.to_owned(), source }, "{text}");
    }
    check("dev@prompt", "dev", Source::Prompt);
    check("prompt", "default", Source::Prompt);
    check("dev@/etc/pw", "dev", Source::File("/etc/pw".into()));
    check("pw.txt", "default", Source::File("pw.txt".into()));
    check("a@b@c", "a", Source::File("b@c".into()));
}

#[test]
fn passwords_are_asked_for_by_their_id() {
    fn check(text: &str, purpose: Purpose, answers: &[&str], expect: &str) {
        let asked = std::cell::RefCell::new(Vec::new());
        let ask = |question: &str| {
            asked.borrow_mut().push(question.to_owned());
            Ok(answers[asked.borrow().len() - 1].to_owned())
        };
        let got = VaultId::parse(text, "default").key(purpose, &ask);
        let got = got.map_or_else(|error| error.to_string(), |got| (got == key(&got.id, "pw")).to_string());
        assert_eq!(format!("{}{got}", asked.borrow().join("")), expect);
    }
    check("dev@prompt", Purpose::Open, &["pw"], "Vault password (dev): true");
    check("prompt_ask_vault_pass", Purpose::Open, &["pw"], "Vault password: true");
    check(
        "dev@prompt",
        Purpose::New,
        &["pw", "pw"],
        "New vault password (dev): Confirm new vault password (dev): true",
    );
    check(
        "prompt_ask_vault_pass",
        Purpose::New,
        &["pw", "px"],
        "New Vault password: Confirm New Vault password: Passwords do not match",
    );
    check("dev@prompt", Purpose::Open, &[""], "Vault password (dev): the vault password (dev) is empty");
}

#[test]
fn passwords_never_show() {
    assert!(!format!("{:?}", Keyring::new(vec![key("dev", "secret")], false)).contains("secret"));
}
