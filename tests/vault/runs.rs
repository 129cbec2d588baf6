//! Playbooks, variables and files that are encrypted, in whole runs.

use fanfare::vault::{Key, Password};

use super::{PASSWORD, recorded};
use crate::lab::Lab;

/// Text encrypted for the lab: every encryption has a salt of its own.
fn sealed(plain: &str) -> String {
    let key = Key { id: "default".to_owned(), password: Password::new(PASSWORD.as_bytes()) };
    key.seal(plain.as_bytes(), None).unwrap()
}

/// As a value in YAML, so many spaces deep.
fn value(plain: &str, depth: usize) -> String {
    let indent = " ".repeat(depth);
    let lines: Vec<String> = sealed(plain).lines().map(|line| format!("{indent}{line}\n")).collect();
    format!("!vault |\n{}", lines.concat())
}

fn lab(playbook: &str) -> Lab {
    Lab::new("a").here("pw", PASSWORD).setting("ANSIBLE_VAULT_PASSWORD_FILE", "pw").playbook(playbook)
}

fn password(lab: &Lab) -> String {
    format!("--vault-password-file={}", lab.path("pw").display())
}

#[test]
fn values_files_and_playbooks_are_read() {
    let playbook = "
- hosts: a
  vars: {plain: x}
  vars_files: [more.yml]
  tasks:
    - {name: value, debug: {msg: '{{ mine }} {{ b }} {{ theirs }} {{ mine is vault_encrypted }}'}}
    - {include_vars: included.yml}
    - {name: included, debug: {msg: '{{ word }}'}}
    - {name: literal, debug: {msg: '{{ looks }}'}}
    - {include_tasks: part.yml}
";
    let lab = Lab::new("a").here("pw", PASSWORD);
    let lab = lab
        .here("site.yml", sealed(playbook))
        .here("more.yml", recorded("default.vault"))
        .here("group_vars/all.yml", format!("mine: {}looks: {}", value("hers", 2), value("{{ plain }}", 2)))
        .here("host_vars/a.yml", sealed("theirs: his\n"))
        .here("included.yml", sealed("word: from afar\n"))
        .here("part.yml", sealed("- {name: part, debug: {msg: '{{ plain }}'}}\n"));
    let run = lab.run(&[&password(&lab)]);
    assert_eq!(run.exit, 0, "{run}");
    assert_eq!(run.message("a", "value"), "hers hello his True");
    assert_eq!(run.message("a", "included"), "from afar");
    // What was encrypted is never a template.
    assert_eq!(run.message("a", "literal"), "{{ plain }}");
    assert_eq!(run.message("a", "part"), "x");
}

#[test]
fn files_for_hosts_are_decrypted_on_their_way() {
    let large = "y".repeat(200_000);
    let lab = lab("
- hosts: a
  tasks:
    - {copy: {src: f, dest: /srv/f}}
    - {copy: {src: f, dest: /srv/raw, decrypt: no}}
    - {copy: {src: large, dest: /srv/large}}
    - {copy: {src: tree, dest: /srv}}
    - {template: {src: t.j2, dest: /srv/t}}
    - {copy: {dest: /srv/looked, content: \"{{ lookup('file', 'files/f') }}|{{ lookup('unvault', 'files/f') }}\"}}
")
    .here("files/f", sealed("content\n"))
    .here("files/large", sealed(&large))
    .here("files/tree/inner", sealed("inner\n"))
    .here("templates/t.j2", sealed("{% include 'part.j2' %}{{ inventory_hostname }}\n"))
    .here("templates/part.j2", sealed("!"));
    let run = lab.run(&[&password(&lab)]);
    assert_eq!(run.exit, 0, "{run}");
    assert_eq!(lab.read("a", "/srv/f"), "content\n");
    assert!(lab.read("a", "/srv/raw").starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
    assert_eq!(lab.read("a", "/srv/large"), large);
    assert_eq!(lab.read("a", "/srv/tree/inner"), "inner\n");
    assert_eq!(lab.read("a", "/srv/t"), "!a\n");
    assert_eq!(lab.read("a", "/srv/looked"), "content|content\n");
    let again = lab.run(&[&password(&lab), "--check"]);
    assert!(!again.recap().contains("changed="), "{again}");
}

#[test]
fn inventories_may_be_encrypted() {
    let lab = Lab::new("x").here("pw", PASSWORD).here("hosts.ini", sealed("[web]\na word=there\n"));
    let lab = lab.playbook("- hosts: web\n  tasks: [{name: t, debug: {msg: '{{ word }}'}}]\n");
    assert_eq!(lab.run(&[&password(&lab)]).message("a", "t"), "there");
}

#[test]
fn errors_show_nothing_of_what_was_encrypted() {
    let secret = "hunter2";
    for (file, text) in [
        ("site.yml", format!("- hosts: a\n  vars: {{x: {secret}}}\n  tasks: [{{frobnicate: }}]\n")),
        ("group_vars/all.yml", format!("pw: {secret}\nbad: [\n")),
        ("group_vars/all.yml", format!("pw: {secret}\nbad: '{{{{ nothing.{secret} | }}}}'\n")),
    ] {
        let lab = Lab::new("a")
            .here("pw", PASSWORD)
            .playbook("- hosts: a\n  tasks: [{name: t, debug: {msg: '{{ bad }}'}}]\n");
        let lab = lab.here(file, sealed(&text));
        let run = lab.run(&[&password(&lab)]);
        assert_ne!(run.exit, 0, "{run}");
        let shown = run.to_string();
        assert!(shown.contains(file), "{shown}");
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn values_that_stay_locked_fail_where_they_are_used() {
    let other = Key { id: "elsewhere".to_owned(), password: Password::new(b"unknown".as_slice()) };
    let text = other.seal(b"x", None).unwrap().replace('\n', "\n        ");
    let lab = lab(&format!(
        "- hosts: a\n  vars:\n    locked: !vault |\n        {text}\n  tasks:\n    - {{name: one, ping: }}\n    \
         - {{name: two, debug: {{msg: '{{{{ locked }}}}'}}}}\n"
    ));
    let run = lab.run(&[&password(&lab)]);
    assert_eq!(run.order(), "a:one:ok a:two:failed", "{run}");
    assert!(
        run.message("a", "two").contains("Attempt to use undecryptable variable: Decryption failed"),
        "{run}"
    );
    assert!(run.to_string().contains("vault id elsewhere; tried: default"), "{run}");
}
