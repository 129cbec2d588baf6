//! `fanfare vault`, and the options for passwords, as processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::{PASSWORD, recorded};

/// A directory with files, passwords among them.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: TempDir::new().expect("a directory") };
        desk.file("pw", PASSWORD)
            .file("other", "other\n")
            .file("plain", "a: 1\n")
            .file("dev", &recorded("dev.vault"));
        desk
    }

    fn file(&self, name: &str, content: &str) -> &Self {
        fs::write(self.dir.path().join(name), content).expect("written");
        self
    }

    /// A program that is this shell script.
    fn program(&self, name: &str, script: &str) -> &Self {
        self.file(name, &format!("#!/bin/sh\n{script}\n"));
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.dir.path().join(name), mode).expect("executable");
        self
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).expect("read")
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.dir.path().join(name)).expect("there").permissions().mode() & 0o777
    }

    fn output(&self, words: &str, env: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_fanfare"))
            .args(shlex::split(words).expect("words"))
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("ANSIBLE_CONFIG", "/dev/null")
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("fanfare starts")
    }

    /// Its exit code and what it says: stdout, or stderr's first line when there is nothing.
    fn run(&self, words: &str, env: &[(&str, &str)]) -> String {
        let output = self.output(words, env);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let said = if out.is_empty() { err.lines().next().unwrap_or_default().to_owned() } else { out };
        format!("{} {said}", output.status.code().unwrap_or(-1)).trim_end().to_owned()
    }

    fn check(&self, words: &str, expect: &str) -> &Self {
        assert_eq!(self.run(words, &[]), expect, "{words}");
        self
    }
}

#[test]
fn files_are_encrypted_and_decrypted_in_place() {
    let desk = Desk::new();
    desk.check("vault encrypt --vault-id dev@pw plain", "0");
    assert!(desk.read("plain").starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
    assert_eq!(desk.mode("plain"), 0o600);
    desk.check("vault encrypt --vault-id dev@pw plain", "1 error: plain: input is already encrypted")
        .check("vault view --vault-password-file pw plain", "0 a: 1")
        .check("vault decrypt --vault-password-file pw --output out plain", "0")
        .check("vault decrypt --vault-password-file pw --output - plain", "0 a: 1")
        .check("vault decrypt --vault-password-file pw plain", "0");
    assert_eq!((desk.read("plain"), desk.read("out")), ("a: 1\n".to_owned(), "a: 1\n".to_owned()));
    assert_eq!((desk.mode("plain"), desk.mode("out")), (0o600, 0o600));
    desk.check(
        "vault decrypt --vault-password-file pw plain",
        "1 error: Failed to decrypt 'plain': Input is not vault encrypted data.",
    );
}

#[test]
fn which_password_encrypts() {
    let desk = Desk::new();
    let encrypt = "vault encrypt --vault-id dev@pw --vault-id prod@other plain --output -";
    let several = "5 error: The vault-ids dev,prod are available to encrypt. Specify the vault-id to encrypt with \
                   --encrypt-vault-id";
    desk.check(encrypt, several).check(
        "vault encrypt --vault-id dev@pw --encrypt-vault-id no plain",
        r#"1 error: Did not find a match for --encrypt-vault-id=no in the known vault-ids ["dev"]"#,
    );
    let chosen = desk.run(&format!("{encrypt} --encrypt-vault-id prod"), &[]);
    assert!(chosen.starts_with("0 $ANSIBLE_VAULT;1.2;AES256;prod\n"), "{chosen}");
    let set = desk.run(encrypt, &[("ANSIBLE_VAULT_ENCRYPT_IDENTITY", "dev")]);
    assert!(set.starts_with("0 $ANSIBLE_VAULT;1.2;AES256;dev\n"), "{set}");
    let salted = [("ANSIBLE_VAULT_ENCRYPT_SALT", "pepper"), ("ANSIBLE_VAULT_PASSWORD_FILE", "pw")];
    desk.file("plain", "a: 1\nb: hello\n");
    assert_eq!(
        desk.run("vault encrypt plain --output -", &salted),
        format!("0 {}", recorded("salted.vault").trim())
    );
}

#[test]
fn rekeying_changes_the_password_and_keeps_the_mode() {
    let desk = Desk::new();
    fs::set_permissions(desk.dir.path().join("dev"), fs::Permissions::from_mode(0o640)).expect("set");
    desk.check(
        "vault rekey --vault-id dev@pw --new-vault-id new@other dev plain",
        "1 error: Failed to rekey 'plain': Input is not vault encrypted data.",
    );
    assert_eq!(desk.read("dev"), recorded("dev.vault"), "all or nothing");
    desk.check("vault rekey --vault-id dev@pw --new-vault-id new@other dev", "0 Rekey successful");
    assert!(desk.read("dev").starts_with("$ANSIBLE_VAULT;1.2;AES256;new\n"));
    assert_eq!(desk.mode("dev"), 0o640);
    desk.check("vault view --vault-password-file other dev", "0 a: 1\nb: hello");
}

#[test]
fn editing_leaves_no_plain_text_behind() {
    let desk = Desk::new();
    desk.program(
        "editor",
        "cat $1 > seen; ls -ld $1 >> seen; ls -ld $(dirname $1) >> seen; echo $1 > where; echo c: 3 >> $1; cp $1 $1~",
    );
    desk.program("looker", "exit 0").program("quitter", "exit 1");
    let edit = |editor: &str| desk.run("vault edit --vault-id dev@pw dev", &[("EDITOR", editor)]);
    assert_eq!(edit("./looker"), "0");
    assert_eq!(desk.read("dev"), recorded("dev.vault"), "nothing was changed");
    assert!(edit("./quitter").starts_with("1 error: the editor ./quitter ended with"));
    assert_eq!(desk.read("dev"), recorded("dev.vault"));
    assert_eq!(edit("./editor"), "0");
    let seen = desk.read("seen");
    assert!(seen.starts_with("a: 1\nb: hello\n-rw-------") && seen.contains("\ndrwx------"), "{seen}");
    let place = desk.read("where");
    let place = std::path::Path::new(place.trim());
    assert!(!place.exists() && !place.parent().expect("a directory").exists());
    desk.check("vault view --vault-id dev@pw dev", "0 a: 1\nb: hello\nc: 3");
    assert!(desk.read("dev").starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
}

#[test]
fn an_interrupt_is_the_editors() {
    let desk = Desk::new();
    desk.program("editor", "echo $1 > where; kill -INT $PPID; kill -TERM $PPID; sleep 0.2; echo c: 3 >> $1");
    assert_eq!(desk.run("vault edit --vault-id dev@pw dev", &[("EDITOR", "./editor")]), "0");
    assert!(!std::path::Path::new(desk.read("where").trim()).exists());
    desk.check("vault view --vault-id dev@pw dev", "0 a: 1\nb: hello\nc: 3");
}

#[test]
fn new_files_are_made_in_the_editor() {
    let desk = Desk::new();
    desk.program("editor", "echo new: yes > $1");
    let env = [("EDITOR", "./editor")];
    let create = "vault create --vault-password-file pw made.yml";
    assert_eq!(desk.run(create, &env), "5 error: not a tty, editor cannot be opened");
    assert_eq!(desk.run(&format!("{create} --skip-tty-check"), &env), "0");
    assert_eq!(desk.mode("made.yml"), 0o600);
    desk.check("vault view --vault-password-file pw made.yml", "0 new: yes");
    let again = desk.run(&format!("{create} --skip-tty-check"), &env);
    assert_eq!(again, "1 error: made.yml exists, please use 'edit' instead");
}

#[test]
fn values_are_encrypted_to_be_pasted() {
    let desk = Desk::new();
    let said = desk.run("vault encrypt_string --vault-password-file pw hello -n word", &[]);
    let yaml = said.strip_prefix("0 word: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          ");
    assert!(yaml.is_some(), "{said}");
    desk.file("vars.yml", &format!("{}\n", said.trim_start_matches("0 ")));
    desk.check(
        "-i a, -c local all --vault-password-file pw -e @vars.yml -m debug -a var=word",
        "0 a | SUCCESS => {\n    \"word\": \"hello\"\n}",
    );
    let two = desk.run("vault encrypt_string --vault-password-file pw a b -n one -n two", &[]);
    assert!(two.contains("\none: !vault |") || two.starts_with("0 one: !vault |"), "{two}");
    assert!(two.contains("\ntwo: !vault |\n"), "{two}");
    desk.check("vault encrypt_string --vault-password-file pw", "5 error: stdin was empty, not encrypting")
        .check(
            "vault encrypt_string --vault-password-file pw ''",
            "5 error: The plaintext provided from the command line args was empty, not encrypting",
        );
}

#[test]
fn passwords_come_from_programs_too() {
    let desk = Desk::new();
    desk.program("print", &format!("echo; echo ' {PASSWORD} '"))
        .program("my-client", &format!("[ \"$*\" = '--vault-id dev' ] && echo {PASSWORD} || exit 2"))
        .program("broken", "echo why >&2; exit 3");
    desk.check("vault view --vault-password-file print dev", "0 a: 1\nb: hello")
        .check("vault view --vault-id dev@my-client dev", "0 a: 1\nb: hello")
        .check(
            "vault view --vault-id prod@my-client dev",
            "1 error: vault id prod: Vault password client script my-client did not find a secret for vault-id=prod",
        )
        .check(
            "vault view --vault-password-file broken dev",
            "1 error: vault id default: Vault password script broken returned non-zero (3): why",
        )
        .check(
            "vault view --vault-password-file none dev",
            "1 error: vault id default: The vault password file none was not found",
        );
    // Another one is enough: settings that are shared name what not everybody has.
    desk.check("vault view --vault-id x@none --vault-id dev@pw dev", "0 a: 1\nb: hello");
}

#[test]
fn a_wrong_password_names_the_file_and_what_was_tried() {
    let desk = Desk::new();
    desk.file("site.yml", &recorded("dev.vault"));
    for words in [
        "vault view --vault-id x@other --vault-id y@other dev",
        "run -i a, --vault-id x@other --vault-id y@other site.yml",
    ] {
        let output = desk.output(words, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let file = if words.starts_with("run") { "site.yml" } else { "'dev'" };
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains(file) && said.contains("encrypted with the vault id dev; tried: x, y"),
            "{said}"
        );
    }
    desk.check("run -i a, site.yml", "1 error: site.yml: Attempting to decrypt but no vault secrets found.");
}

#[test]
fn settings_name_passwords_as_well() {
    let desk = Desk::new();
    desk.file("ansible.cfg", "[defaults]\nvault_identity_list = x@other, dev@pw\n");
    let config = [("ANSIBLE_CONFIG", "ansible.cfg")];
    assert_eq!(desk.run("vault view dev", &config), "0 a: 1\nb: hello");
    let only = [("ANSIBLE_CONFIG", "ansible.cfg"), ("ANSIBLE_VAULT_ID_MATCH", "1")];
    assert_eq!(desk.run("vault view dev", &only), "0 a: 1\nb: hello");
    desk.file("ansible.cfg", "[defaults]\nvault_password_file = pw\nvault_id_match = yes\n");
    let said = desk.run("vault view dev", &config);
    assert!(said.starts_with("1 error: Failed to view 'dev': Decryption failed"), "{said}");
}
