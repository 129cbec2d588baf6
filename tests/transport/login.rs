//! Who we are to the host, and whether it is the host we mean.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use fanfare::target::{Asker, Secret, SshOptions, Surroundings};

use super::{Control, keygen, options, ping, raw, to, unreachable};
use crate::support::hosts::Hosts;

#[tokio::test(flavor = "multi_thread")]
async fn by_key_file() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let links = control.links();
    assert_eq!(ping(&links, &to(host, options(&hosts, host))).await.unwrap(), "pong?");
    links.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_usual_key_files_and_configuration() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    control.ssh_file("id_ed25519", &std::fs::read_to_string(hosts.dir.join("id")).unwrap());
    control.ssh_file("known_hosts", &std::fs::read_to_string(hosts.dir.join("known_hosts")).unwrap());
    control.ssh_file(
        "config",
        &format!("Host web\n HostName {}\n Port {}\n User {}\n", host.address, host.port, hosts.user),
    );
    let web = to(host, SshOptions { host: "web".into(), ..SshOptions::default() });
    assert_eq!(ping(&control.links(), &web).await.unwrap(), "pong?");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_every_kind_of_key() {
    let Some(hosts) = Hosts::start(1) else { return };
    let host = &hosts.all[0];
    for (kind, args) in [
        ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""][..]),
        ("ecdsa", &["-t", "ecdsa", "-N", ""]),
        ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]),
        ("pkcs8", &["-t", "ecdsa", "-b", "384", "-m", "PKCS8", "-N", ""]),
    ] {
        let control = Control::new();
        let key = control.home.path().join(kind);
        keygen(&key, args);
        authorize(&hosts, &key.with_extension("pub"));
        let with_key = SshOptions { private_key: Some(key), ..options(&hosts, host) };
        assert_eq!(ping(&control.links(), &to(host, with_key)).await.unwrap(), "pong?", "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_certificates() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let authority = control.home.path().join("authority");
    keygen(&authority, &["-t", "ed25519", "-N", ""]);
    let public = std::fs::read_to_string(authority.with_extension("pub")).unwrap();
    let trusted = control.home.path().join("trusted");
    std::fs::write(&trusted, format!("cert-authority {public}")).unwrap();
    authorize(&hosts, &trusted);
    for (kind, args) in [
        ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""][..]),
        ("ecdsa", &["-t", "ecdsa", "-N", ""]),
        ("ed25519", &["-t", "ed25519", "-N", ""]),
    ] {
        let key = control.home.path().join(kind);
        keygen(&key, args);
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-I", "test", "-n", &hosts.user, "-s"])
            .args([&authority, &key.with_extension("pub")])
            .status();
        assert!(signed.unwrap().success());
        let with_key = SshOptions { private_key: Some(key), ..options(&hosts, host) };
        assert_eq!(ping(&control.links(), &to(host, with_key)).await.unwrap(), "pong?", "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_key_given_as_text() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let key = control.home.path().join("locked");
    keygen(&key, &["-t", "ed25519", "-N", "secret"]);
    authorize(&hosts, &key.with_extension("pub"));
    let text = Secret::new(std::fs::read_to_string(&key).unwrap().trim());
    let passphrase = |text: &str| Some(Secret::new(text));
    let given = SshOptions {
        private_key: Some("/no/such/key".into()),
        key: Some(text),
        passphrase: passphrase("secret"),
        ..options(&hosts, host)
    };
    assert_eq!(ping(&control.links(), &to(host, given.clone())).await.unwrap(), "pong?");
    for (passphrase, expect) in [
        (None, "ansible_private_key is protected by a passphrase: set ansible_private_key_passphrase"),
        (passphrase("wrong"), "ansible_private_key: "),
    ] {
        let locked = SshOptions { passphrase, ..given.clone() };
        let reason = unreachable(&control.links(), &to(host, locked)).await;
        assert!(reason.contains(expect), "{reason}");
        assert!(!reason.contains("wrong"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_a_passphrase_is_named() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let key = control.home.path().join("locked");
    keygen(&key, &["-t", "ed25519", "-N", "secret"]);
    authorize(&hosts, &key.with_extension("pub"));
    let locked = SshOptions { private_key: Some(key.clone()), ..options(&hosts, host) };
    let reason = unreachable(&control.links(), &to(host, locked)).await;
    let shown = key.display();
    assert_eq!(
        reason,
        format!(
            "Failed to connect to the host via ssh: {}@{}: Permission denied (publickey).\n\
             the key {shown} is protected by a passphrase: add it to ssh-agent (ssh-add {shown})",
            hosts.user, host.address
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_asked_for_once_a_run() {
    let Some(hosts) = Hosts::start(3) else { return };
    let mut control = Control::new();
    let key = control.home.path().join("locked");
    keygen(&key, &["-t", "ed25519", "-N", "secret"]);
    authorize(&hosts, &key.with_extension("pub"));
    let questions = Arc::new(Mutex::new(Vec::new()));
    let answers = |answer: &'static str| -> Asker {
        let questions = Arc::clone(&questions);
        Arc::new(move |question| {
            let mut questions = questions.lock().unwrap();
            questions.push(question.to_owned());
            // The first answer is always wrong.
            Some(Secret::new(if questions.len() == 1 { "wrong" } else { answer }))
        })
    };
    control.surroundings.ask = Some(answers("secret"));
    let links = control.links();
    let locked = |host| SshOptions { private_key: Some(key.clone()), ..options(&hosts, host) };
    let all: Vec<_> = hosts.all.iter().map(|host| to(host, locked(host))).collect();
    for done in futures::future::join_all(all.iter().map(|there| ping(&links, there))).await {
        done.unwrap();
    }
    let question = format!("Enter passphrase for key '{}': ", key.display());
    assert_eq!(*questions.lock().unwrap(), [question.clone(), question]);
    // Wrong for good, it is asked for three times, for all hosts together.
    questions.lock().unwrap().clear();
    control.surroundings.ask = Some(answers("wrong"));
    let links = control.links();
    for done in futures::future::join_all(all.iter().map(|there| ping(&links, there))).await {
        assert!(done.unwrap_err().to_string().contains("is protected by a passphrase"));
    }
    assert_eq!(questions.lock().unwrap().len(), 3);
    // Nobody is asked where nobody is to be.
    let mut batch = locked(&hosts.all[0]);
    batch.args.push("-o BatchMode=yes".to_owned());
    unreachable(&control.links(), &to(&hosts.all[0], batch)).await;
    assert_eq!(questions.lock().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_denied_and_a_missing_one_is_named() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let key = control.home.path().join("wrong");
    keygen(&key, &["-t", "ed25519", "-N", ""]);
    let links = control.links();
    let wrong = SshOptions { private_key: Some(key), ..options(&hosts, host) };
    let denied = format!(
        "Failed to connect to the host via ssh: {}@{}: Permission denied (publickey).",
        hosts.user, host.address
    );
    assert_eq!(unreachable(&links, &to(host, wrong)).await, denied);
    let missing = SshOptions { private_key: Some("/no/such/key".into()), ..options(&hosts, host) };
    assert_eq!(
        unreachable(&links, &to(host, missing)).await,
        format!("{denied}\nIdentity file /no/such/key not accessible: No such file or directory")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let key = control.home.path().join("open");
    keygen(&key, &["-t", "ed25519", "-N", ""]);
    authorize(&hosts, &key.with_extension("pub"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = SshOptions { private_key: Some(key), ..options(&hosts, host) };
    let reason = unreachable(&control.links(), &to(host, open)).await;
    assert!(reason.contains("Permissions 0644 for"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_agent() {
    let Some(hosts) = Hosts::start(1) else { return };
    let host = &hosts.all[0];
    let mut control = Control::new();
    let Some(agent) = Agent::start(&control) else { return };
    // More keys than a server lets us try: the right one must be among the first by name.
    for n in 0..7 {
        let key = control.home.path().join(format!("k{n}"));
        keygen(&key, &["-t", "ed25519", "-N", ""]);
        agent.add(&key);
    }
    let key = control.home.path().join("rsa");
    keygen(&key, &["-t", "rsa", "-b", "2048", "-N", ""]);
    agent.add(&key);
    authorize(&hosts, &key.with_extension("pub"));
    std::fs::remove_file(&key).unwrap();
    control.surroundings = Surroundings { agent: Some(agent.socket.clone()), ..control.surroundings };
    // The private key is only in the agent; the public one beside its place chooses it.
    let chosen = SshOptions { private_key: Some(key.clone()), ..options(&hosts, host) };
    assert_eq!(ping(&control.links(), &to(host, chosen.clone())).await.unwrap(), "pong?");
    let mut only = chosen.clone();
    only.args.push("-o IdentitiesOnly=yes".into());
    assert_eq!(ping(&control.links(), &to(host, only)).await.unwrap(), "pong?");
    // Without a hint, the server loses patience, and we say so.
    let blind = SshOptions { private_key: None, ..chosen };
    let reason = unreachable(&control.links(), &to(host, blind)).await;
    assert!(reason.contains("Too many authentication failures"), "{reason}");
    assert!(reason.contains("IdentitiesOnly"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_forwarded_agent() {
    let Some(hosts) = Hosts::start(1) else { return };
    let host = &hosts.all[0];
    let mut control = Control::new();
    let Some(agent) = Agent::start(&control) else { return };
    let key = control.home.path().join("far");
    keygen(&key, &["-t", "ed25519", "-N", "", "-C", "from-afar"]);
    agent.add(&key);
    control.surroundings = Surroundings { agent: Some(agent.socket.clone()), ..control.surroundings };
    let mut forwarded = options(&hosts, host);
    let plain = raw(&control.links(), &to(host, forwarded.clone()), "ssh-add -l 2>&1 || true").await;
    assert!(!plain.contains("from-afar"), "{plain}");
    forwarded.args.push("-A".into());
    let keys = raw(&control.links(), &to(host, forwarded), "ssh-add -l").await;
    assert!(keys.contains("from-afar"), "{keys}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_hosts() {
    let Some(hosts) = Hosts::start(1) else { return };
    let host = &hosts.all[0];
    let name = format!("[{}]:{}", host.address, host.port);
    for (strict, expect) in [
        (
            "ask",
            format!(
                "the authenticity of host '{name}' can't be established. ED25519 key fingerprint is SHA256:"
            ),
        ),
        ("yes", format!("No ED25519 host key is known for {name} (SHA256:")),
    ] {
        let control = Control::new();
        let args = vec![format!("-o StrictHostKeyChecking={strict}")];
        let reason =
            unreachable(&control.links(), &to(host, SshOptions { args, ..options(&hosts, host) })).await;
        assert!(
            reason.starts_with("Failed to connect to the host via ssh: Host key verification failed"),
            "{reason}"
        );
        assert!(reason.contains(&expect), "{reason}");
        assert!(
            reason.contains(&format!("ssh -p {} {}@{}", host.port, hosts.user, host.address)),
            "{reason}"
        );
    }
    for (arg, checking) in [("-o StrictHostKeyChecking=accept-new", None), ("-C", Some(false))] {
        let control = Control::new();
        let new =
            SshOptions { args: vec![arg.to_owned()], host_key_checking: checking, ..options(&hosts, host) };
        assert_eq!(ping(&control.links(), &to(host, new)).await.unwrap(), "pong?");
        let recorded = std::fs::read_to_string(control.home.path().join(".ssh/known_hosts")).unwrap();
        assert!(recorded.starts_with(&format!("{name} ssh-ed25519 AAAA")), "{recorded}");
        assert!(control.noted().contains("Permanently added"), "{}", control.noted());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_host_keys() {
    let Some(hosts) = Hosts::start(2) else { return };
    let (first, second) = (&hosts.all[0], &hosts.all[1]);
    let control = Control::new();
    let key = std::fs::read_to_string(second.root.join("hostkey.pub")).unwrap();
    let name = format!("[{}]:{}", first.address, first.port);
    control.ssh_file("known_hosts", &format!("# a comment\n{name} {key}"));
    let file = control.home.path().join(".ssh/known_hosts");
    let changed = SshOptions { args: Vec::new(), ..options(&hosts, first) };
    for checking in ["-o StrictHostKeyChecking=yes", "-o StrictHostKeyChecking=accept-new"] {
        let args = vec![checking.to_owned()];
        let reason = unreachable(&control.links(), &to(first, SshOptions { args, ..changed.clone() })).await;
        assert!(reason.contains("REMOTE HOST IDENTIFICATION HAS CHANGED!"), "{reason}");
        assert!(reason.contains(&format!("not the one in {}:2", file.display())), "{reason}");
        assert!(reason.contains(&format!("ssh-keygen -f {} -R '{name}'", file.display())), "{reason}");
    }
    let unchecked = SshOptions { host_key_checking: Some(false), ..changed };
    assert_eq!(ping(&control.links(), &to(first, unchecked)).await.unwrap(), "pong?");
    assert!(control.noted().contains("accepted, because host keys are not checked"), "{}", control.noted());
    // A revoked key is never accepted.
    let key = std::fs::read_to_string(first.root.join("hostkey.pub")).unwrap();
    control.ssh_file("known_hosts", &format!("@revoked * {key}"));
    let unchecked = SshOptions { host_key_checking: Some(false), args: Vec::new(), ..options(&hosts, first) };
    let reason = unreachable(&control.links(), &to(first, unchecked)).await;
    assert!(reason.contains(&format!("is revoked by {}:1", file.display())), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn through_jump_hosts() {
    let Some(hosts) = Hosts::start(3) else { return };
    let control = Control::new();
    let mut config = std::fs::read_to_string(hosts.dir.join("ssh_config")).unwrap();
    config.insert_str(0, "Host t2\n ProxyJump t3\n");
    control.ssh_file("config", &config);
    let last = &hosts.all[0];
    let links = control.links();
    for jump in ["-J t3", "-o ProxyJump=t2", &format!("-J t3,{}@t2", hosts.user)] {
        let through = SshOptions { host: "t1".into(), args: vec![jump.to_owned()], ..SshOptions::default() };
        assert_eq!(ping(&links, &to(last, through)).await.unwrap(), "pong?", "{jump}");
    }
    // t3, t2 through t3 (in two ways of saying it), and t1 three times.
    assert_eq!(links.counts().connections, 6);
    let loops = SshOptions { host: "t1".into(), args: vec!["-J t1,t1".into()], ..SshOptions::default() };
    control.ssh_file("config", &format!("Host *\n ProxyJump t1\n{config}"));
    let reason = unreachable(&control.links(), &to(last, SshOptions { args: Vec::new(), ..loops })).await;
    assert!(reason.contains("jumphost loop via t1"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_proxy_command() {
    let Some(hosts) = Hosts::start(2) else { return };
    let (control, last) = (Control::new(), &hosts.all[0]);
    let config = hosts.dir.join("ssh_config");
    let mut through = options(&hosts, last);
    through.args.push(format!("-o ProxyCommand='ssh -F {} -W %h:%p t2'", config.display()));
    assert_eq!(ping(&control.links(), &to(last, through.clone())).await.unwrap(), "pong?");
    through.args[1] = "-o ProxyCommand='echo no way to %h >&2; exit 3'".to_owned();
    let reason = unreachable(&control.links(), &to(last, through)).await;
    assert!(reason.ends_with(&format!("\nno way to {}", last.address)), "{reason}");
}

/// Lets the key in on all hosts.
pub(super) fn authorize(hosts: &Hosts, public: &std::path::Path) {
    let file = hosts.dir.join("id.pub");
    let both = std::fs::read_to_string(&file).unwrap() + &std::fs::read_to_string(public).unwrap();
    std::fs::write(file, both).unwrap();
}

/// An ssh-agent of our own.
struct Agent {
    process: Child,
    socket: std::path::PathBuf,
}

impl Agent {
    fn start(control: &Control) -> Option<Self> {
        let socket = control.home.path().join("agent");
        let process =
            Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn();
        let Ok(process) = process else {
            eprintln!("SKIPPED: needs ssh-agent (openssh-client)");
            return None;
        };
        while !socket.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Some(Self { process, socket })
    }

    fn add(&self, key: &std::path::Path) {
        let status = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
