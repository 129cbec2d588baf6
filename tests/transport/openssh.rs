//! OpenSSH and we on the same host, with the same arguments, keys and `known_hosts`, case by case: who gets in, and what stands in
//! `known_hosts` afterwards.

use std::path::Path;
use std::process::Command;

use fanfare::target::SshOptions;

use super::{Control, keygen, ping, to};
use crate::support::hosts::{Host, Hosts};

/// What the file of known hosts has before. `NAME` is the host, `KEY` its key, `OTHER` another one of this kind.
struct Trust {
    what: &'static str,
    known: &'static str,
    args: &'static str,
    enters: bool,
}

const fn trust(what: &'static str, known: &'static str, args: &'static str, enters: bool) -> Trust {
    Trust { what, known, args, enters }
}

const TRUST: &[Trust] = &[
    trust("known", "NAME KEY\n", "-o StrictHostKeyChecking=yes", true),
    trust("unknown", "", "-o StrictHostKeyChecking=yes", false),
    trust("unknown, nobody to ask", "", "-o StrictHostKeyChecking=ask", false),
    trust("unknown, new ones are fine", "", "-o StrictHostKeyChecking=accept-new", true),
    trust("unknown, all are fine", "", "-o StrictHostKeyChecking=no", true),
    trust("unknown beside others", "web KEY\n", "-o StrictHostKeyChecking=accept-new", true),
    trust("changed", "NAME OTHER\n", "-o StrictHostKeyChecking=yes", false),
    trust("changed, new ones are fine", "NAME OTHER\n", "-o StrictHostKeyChecking=accept-new", false),
    trust("changed, all are fine", "NAME OTHER\n", "-o StrictHostKeyChecking=no", true),
    trust("one of two keys", "NAME OTHER\nNAME KEY\n", "-o StrictHostKeyChecking=yes", true),
    trust("revoked", "@revoked * KEY\nNAME KEY\n", "-o StrictHostKeyChecking=yes", false),
    trust("another is revoked", "@revoked * OTHER\nNAME KEY\n", "-o StrictHostKeyChecking=yes", true),
    trust("a pattern", "[127.0.*]:* KEY\n", "-o StrictHostKeyChecking=yes", true),
    trust("a list", "web,NAME,db KEY\n", "-o StrictHostKeyChecking=yes", true),
    trust("a negated pattern", "*,!NAME,!ADDRESS KEY\n", "-o StrictHostKeyChecking=yes", false),
    trust("a negated pattern for the port", "*,!NAME KEY\n", "-o StrictHostKeyChecking=yes", true),
    trust("without its port", "ADDRESS KEY\n", "-o StrictHostKeyChecking=yes", true),
    trust("another one without its port", "ADDRESS OTHER\n", "-o StrictHostKeyChecking=yes", false),
    trust("under an alias", "web KEY\n", "-o StrictHostKeyChecking=yes -o HostKeyAlias=web", true),
    trust("under another alias", "NAME KEY\n", "-o StrictHostKeyChecking=yes -o HostKeyAlias=web", false),
    trust("new under an alias", "", "-o StrictHostKeyChecking=accept-new -o HostKeyAlias=web", true),
    trust("noise", "# note\n\nnonsense\nweb ssh-ed25519\nNAME KEY\n", "-o StrictHostKeyChecking=yes", true),
    trust("for certificates only", "@cert-authority * KEY\n", "-o StrictHostKeyChecking=yes", false),
];

/// Arguments of a login to a known host, and whether it succeeds. `DIR` has the keys.
const LOGIN: &[(&str, bool)] = &[
    ("-i DIR/good", true),
    ("-i DIR/wrong", false),
    ("-i DIR/wrong -i DIR/good", true),
    ("-o IdentityFile=DIR/good", true),
    ("-i DIR/missing", false),
    ("-i DIR/missing -i DIR/good", true),
    ("-i DIR/open", false),
    ("-i DIR/locked", false),
    ("-i DIR/rsa", true),
    ("-i DIR/good -o PubkeyAuthentication=no", false),
    ("-i DIR/good -o PreferredAuthentications=password", false),
    ("-i DIR/good -o PreferredAuthentications=password,publickey", true),
    ("-i DIR/good -l nobody-of-that-name", false),
    ("-i DIR/good -o KexAlgorithms=curve25519-sha256 -o Ciphers=aes128-ctr -o MACs=hmac-sha2-256", true),
    ("-i DIR/good -o Ciphers=3des-cbc", false),
    ("-i DIR/good -o HostKeyAlgorithms=rsa-sha2-512", false),
    ("-i DIR/good -o Compression=yes", true),
    ("-i DIR/good -o AddressFamily=inet", true),
    ("-i DIR/good -o AddressFamily=inet6", false),
    ("-i DIR/good -o BindAddress=127.0.0.1", true),
    ("-i DIR/good -o ProxyCommand=false", false),
    ("-i DIR/good -o NoSuchOption=1", false),
];

/// The public key without its comment.
fn public(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// What is wrong where OpenSSH and we, with these arguments, are not both let in or both not.
async fn both(
    control: &Control,
    hosts: &Hosts,
    host: &Host,
    args: [String; 2],
    enters: bool,
) -> Option<String> {
    let [theirs, ours] = args.map(|args| {
        format!(
            "-F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none -o GlobalKnownHostsFile=/dev/null {args}"
        )
    });
    let named = theirs.contains(" -l ");
    let mut ssh = Command::new("ssh");
    ssh.args(theirs.split_whitespace()).args(["-p", &host.port.to_string()]);
    if !named {
        ssh.args(["-l", &hosts.user]);
    }
    let output = ssh.arg(&host.address).arg("true").output().unwrap();
    let options = SshOptions {
        host: host.address.clone(),
        port: Some(host.port),
        user: (!named).then(|| hosts.user.clone()),
        args: vec![ours.clone()],
        ..SshOptions::default()
    };
    let here = ping(&control.links(), &to(host, options)).await;
    let there = (output.status.success(), String::from_utf8_lossy(&output.stderr));
    ((here.is_ok(), there.0) != (enters, enters))
        .then(|| format!("{ours}\n  we: {here:?}\n  OpenSSH: {there:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn host_keys() {
    let Some(hosts) = Hosts::start(2) else { return };
    let (host, other) = (&hosts.all[0], &hosts.all[1]);
    let (key, another) = (public(&host.root.join("hostkey.pub")), public(&other.root.join("hostkey.pub")));
    let name = format!("[{}]:{}", host.address, host.port);
    let mut wrong = Vec::new();
    for case in TRUST {
        let control = Control::new();
        let known = case.known.replace("NAME", &name).replace("ADDRESS", &host.address);
        let known = known.replace("KEY", &key).replace("OTHER", &another);
        let files = ["theirs", "ours"].map(|whose| control.home.path().join(whose));
        let args = [0, 1].map(|n| {
            std::fs::write(&files[n], &known).unwrap();
            let login = hosts.dir.join("id");
            format!("-o UserKnownHostsFile={} -i {} {}", files[n].display(), login.display(), case.args)
        });
        wrong.extend(both(&control, &hosts, host, args, case.enters).await.map(|said| (case.what, said)));
        let [theirs, ours] = files.map(|file| std::fs::read_to_string(file).unwrap());
        if ours != theirs {
            wrong.push((case.what, format!("we leave\n{ours}OpenSSH\n{theirs}")));
        }
    }
    let wrong: Vec<_> = wrong.iter().map(|(what, said)| format!("{what}: {said}")).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn logins() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let dir = control.home.path();
    let copy = |name: &str, mode: u32| {
        std::fs::copy(hosts.dir.join("id"), dir.join(name)).unwrap();
        std::fs::set_permissions(dir.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    copy("good", 0o600);
    copy("open", 0o644);
    keygen(&dir.join("wrong"), &["-t", "ed25519", "-N", ""]);
    for (name, args) in [
        ("locked", &["-t", "ed25519", "-N", "a passphrase"][..]),
        ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""]),
    ] {
        keygen(&dir.join(name), args);
        super::login::authorize(&hosts, &dir.join(name).with_extension("pub"));
    }
    let known = hosts.dir.join("known_hosts");
    let mut wrong = Vec::new();
    for (args, enters) in LOGIN {
        let args = args.replace("DIR", &dir.to_string_lossy());
        let args = format!("-o UserKnownHostsFile={} {args}", known.display());
        wrong.extend(both(&control, &hosts, host, [args.clone(), args], *enters).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
