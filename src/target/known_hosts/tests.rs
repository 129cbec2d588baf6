use std::process::Command;

use tempfile::TempDir;

use super::*;

/// `ssh-keygen` with these arguments; `None`, said loudly, where there is none.
fn keygen(dir: &TempDir, args: &[&str]) -> Option<String> {
    match Command::new("ssh-keygen").args(args).current_dir(dir).output() {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(error) => {
            eprintln!("SKIPPED: needs ssh-keygen (openssh-client): {error}");
            None
        }
    }
}

/// A new key pair `name` in the directory; its public line without comment.
fn new_key(dir: &TempDir, name: &str, kind: &str) -> Option<String> {
    keygen(dir, &["-q", "-t", kind, "-N", "", "-f", name])?;
    let text = std::fs::read_to_string(dir.path().join(format!("{name}.pub"))).unwrap();
    Some(text.split(' ').take(2).collect::<Vec<_>>().join(" "))
}

fn public(line: &str) -> PublicKeyOrCertificate {
    PublicKeyOrCertificate::PublicKey { key: PublicKey::from_openssh(line).unwrap(), hash_alg: None }
}

/// What files with these contents say about `key` on a host, in words that the tests compare.
fn check(dir: &TempDir, files: &[&str], target: (&str, u16), key: &str, expect: &str) {
    let mut paths = Vec::new();
    for (index, text) in files.iter().enumerate() {
        let path = dir.path().join(format!("known_hosts{index}"));
        std::fs::write(&path, text).unwrap();
        paths.push(path);
    }
    let verdict = HostKeys::gather(&KnownHosts::default(), &paths, target.0, target.1, None)
        .unwrap()
        .judge(&public(key));
    let place = |place: Place| format!("{}:{}", place.file.file_name().unwrap().display(), place.line);
    let said = match verdict {
        Verdict::Known => "known".to_owned(),
        Verdict::Unknown => "unknown".to_owned(),
        Verdict::Revoked(at) => format!("revoked {}", place(at)),
        Verdict::Changed(at) => format!("changed {}", place(at)),
        Verdict::OtherType(at) => format!("other type {}", place(at)),
    };
    assert_eq!(said, expect, "{files:?} for {target:?}");
}

#[test]
fn verdicts() {
    let dir = TempDir::new().unwrap();
    let Some(key) = new_key(&dir, "a", "ed25519") else { return };
    let (other, ecdsa) = (new_key(&dir, "b", "ed25519").unwrap(), new_key(&dir, "c", "ecdsa").unwrap());
    let tabs = key.replace(' ', "\t");
    let web = ("web.example.com", 22);
    check(&dir, &[&format!("web.example.com {key}\n")], web, &key, "known");
    check(&dir, &[&format!("WEB.example.com {key} me@here\n")], ("Web.Example.Com", 22), &key, "known");
    check(&dir, &[&format!("  web.example.com\t{tabs}\n")], web, &key, "known");
    check(&dir, &[&format!("db,web.example.com,10.0.0.1 {key}")], web, &key, "known");
    check(&dir, &[&format!("*.example.com {key}\n")], web, &key, "known");
    check(&dir, &[&format!("*.example.com,!web.example.com {key}\n")], web, &key, "unknown");
    check(&dir, &[&format!("# web.example.com {key}\n\n")], web, &key, "unknown");
    check(&dir, &[&format!("@other web.example.com {key}\n")], web, &key, "unknown");
    check(&dir, &[""], web, &key, "unknown");
    check(&dir, &[&format!("\nweb.example.com {other}\n")], web, &key, "changed known_hosts0:2");
    check(&dir, &[&format!("web.example.com {ecdsa}\n")], web, &key, "other type known_hosts0:1");
    // A bad line about the host spoils nothing.
    check(
        &dir,
        &[&format!("web.example.com ssh-ed25519 AAAA!!\nweb.example.com {key}\n")],
        web,
        &key,
        "known",
    );
    check(&dir, &[&format!("web.example.com ssh-rsa {}\n", &key[12..])], web, &key, "unknown");
    // Any equal key is enough, in any file.
    check(
        &dir,
        &[&format!("web.example.com {other}\n"), &format!("web.example.com {key}\n")],
        web,
        &key,
        "known",
    );
    // Revoked wins, whatever else is there, but only for the hosts it names.
    check(
        &dir,
        &[&format!("web.example.com {key}\n@revoked * {key}\n")],
        web,
        &key,
        "revoked known_hosts0:2",
    );
    check(&dir, &[&format!("@revoked db* {key}\nweb.example.com {key}\n")], web, &key, "known");
    // An authority is no plain key.
    check(&dir, &[&format!("@cert-authority * {key}\n")], web, &key, "unknown");
    // Ports.
    let high = ("web.example.com", 2222);
    check(&dir, &[&format!("[web.example.com]:2222 {key}\n")], high, &key, "known");
    check(&dir, &[&format!("[web.example.com]:2222 {key}\n")], web, &key, "unknown");
    check(&dir, &[&format!("web.example.com {key}\n")], high, &key, "known");
    check(&dir, &[&format!("web.example.com {other}\n")], high, &key, "unknown");
    check(
        &dir,
        &[&format!("[web.example.com]:2222 {other}\nweb.example.com {key}\n")],
        high,
        &key,
        "changed known_hosts0:1",
    );
}

#[test]
fn hashed_names_and_ssh_keygen_agree() {
    let dir = TempDir::new().unwrap();
    let Some(key) = new_key(&dir, "a", "ed25519") else { return };
    let path = dir.path().join("known");
    let key_of = PublicKey::from_openssh(&key).unwrap();
    let cases = [("web1", 22), ("10.1.2.3", 2222), ("UPPER.example.com", 22), ("fe80::1", 22)];
    for (host, port) in cases {
        record(&path, &record_name(host, port, None), &key_of, true).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap().matches("|1|").count(), cases.len());
    for (host, port) in cases {
        // Ours are found by ssh-keygen …
        let found = keygen(&dir, &["-F", &record_name(host, port, None), "-f", "known"]).unwrap();
        assert!(found.contains("found"), "ssh-keygen -F {host} {port}: {found}");
        // … and by us.
        let keys =
            HostKeys::gather(&KnownHosts::default(), std::slice::from_ref(&path), host, port, None).unwrap();
        assert_eq!(keys.judge(&public(&key)), Verdict::Known, "{host} {port}");
    }
    // What ssh-keygen hashes we find, and what it does not find we do not.
    std::fs::write(&path, format!("web1,web2 {key}\n[web3]:2200 {key}\n")).unwrap();
    keygen(&dir, &["-H", "-f", "known"]).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().matches("|1|").count(), 3);
    for (host, port) in [("web1", 22), ("web2", 22), ("web3", 2200), ("web3", 22), ("web4", 22)] {
        let theirs = keygen(&dir, &["-F", &record_name(host, port, None), "-f", "known"]).unwrap();
        let ours = HostKeys::gather(&KnownHosts::default(), std::slice::from_ref(&path), host, port, None)
            .unwrap()
            .judge(&public(&key));
        assert_eq!(ours == Verdict::Known, theirs.contains("found"), "{host} {port}");
    }
}

#[test]
fn keys_are_recorded_once_and_privately() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new().unwrap();
    let Some(line) = new_key(&dir, "a", "ed25519") else { return };
    let key = PublicKey::from_openssh(&line).unwrap();
    let path = dir.path().join("new/.ssh/known_hosts");
    record(&path, "web1", &key, false).unwrap();
    record(&path, "web1", &key, false).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("web1 {line}\n"));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    // A last line without its newline is not glued to ours.
    std::fs::write(&path, "# no newline").unwrap();
    record(&path, "[web1]:22022", &key, false).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("# no newline\n[web1]:22022 {line}\n"));
}

#[test]
fn host_certificates() {
    let dir = TempDir::new().unwrap();
    let Some(authority) = new_key(&dir, "ca", "ed25519") else { return };
    let host_key = new_key(&dir, "host", "ed25519").unwrap();
    let other = new_key(&dir, "other", "ed25519").unwrap();
    let certify = |options: &[&str]| {
        let args = [&["-q", "-s", "ca", "-I", "id"], options, &["host.pub"]].concat();
        keygen(&dir, &args).unwrap();
        let text = std::fs::read_to_string(dir.path().join("host-cert.pub")).unwrap();
        PublicKeyOrCertificate::Certificate(Certificate::from_openssh(&text).unwrap())
    };
    let judge = |known: &str, certificate: &PublicKeyOrCertificate| {
        let path = dir.path().join("known_hosts");
        std::fs::write(&path, known).unwrap();
        let keys = HostKeys::gather(&KnownHosts::default(), &[path], "web1.example.com", 2222, None).unwrap();
        (keys.has_authority(), keys.judge(certificate))
    };
    let trusted = format!("@cert-authority *.example.com {authority}\n");
    let good = certify(&["-h", "-n", "web1.example.com"]);
    assert_eq!(judge(&trusted, &good), (true, Verdict::Known));
    assert_eq!(judge(&trusted, &certify(&["-h", "-n", "*.example.com"])), (true, Verdict::Known));
    assert_eq!(judge(&trusted, &certify(&["-h"])), (true, Verdict::Known));
    // For another host, for users, out of date, by another authority: only the plain key counts.
    assert_eq!(judge(&trusted, &certify(&["-h", "-n", "web2.example.com"])).1, Verdict::Unknown);
    assert_eq!(judge(&trusted, &certify(&["-n", "web1.example.com"])).1, Verdict::Unknown);
    let old = certify(&["-h", "-V", "20200101:20200201"]);
    assert_eq!(judge(&trusted, &old).1, Verdict::Unknown);
    assert_eq!(judge(&format!("@cert-authority * {other}\n"), &good).1, Verdict::Unknown);
    assert_eq!(judge(&format!("{trusted}[web1.example.com]:2222 {host_key}\n"), &old).1, Verdict::Known);
    // A revoked authority or key is refused.
    assert!(matches!(judge(&format!("{trusted}@revoked * {authority}\n"), &good).1, Verdict::Revoked(_)));
    assert!(matches!(judge(&format!("{trusted}@revoked * {host_key}\n"), &good).1, Verdict::Revoked(_)));
    // An authority for other hosts is none.
    assert_eq!(judge(&format!("@cert-authority db* {authority}\n"), &good), (false, Verdict::Unknown));
}

#[test]
fn types_recorded_are_asked_for() {
    let dir = TempDir::new().unwrap();
    let Some(ecdsa) = new_key(&dir, "a", "ecdsa") else { return };
    let ed25519 = new_key(&dir, "b", "ed25519").unwrap();
    let path = dir.path().join("known_hosts");
    std::fs::write(&path, format!("[web1]:2222 {ecdsa}\nweb1 {ed25519}\n")).unwrap();
    let types = |port| {
        let keys = HostKeys::gather(&KnownHosts::default(), std::slice::from_ref(&path), "web1", port, None)
            .unwrap();
        keys.types().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(types(2222), ["ecdsa-sha2-nistp256"]);
    assert_eq!(types(22), ["ssh-ed25519"]);
    assert_eq!(types(23), ["ssh-ed25519"]);
}

#[test]
fn a_file_is_read_again_when_it_changed() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("known_hosts");
    let read = KnownHosts::default();
    assert!(read.file(&path).unwrap().is_none());
    std::fs::write(&path, "a,B ssh-ed25519 x\n*.example.com ssh-ed25519 x\n# c\nc ssh-ed25519 x\n").unwrap();
    let first = read.file(&path).unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &read.file(&path).unwrap().unwrap()));
    let numbers = |names: &[&str]| first.lines(names).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
    assert_eq!(
        (numbers(&["b"]), numbers(&["c", "a"]), numbers(&["d"])),
        (vec![1, 2], vec![1, 2, 4], vec![2])
    );
    std::fs::write(&path, "d ssh-ed25519 x\n").unwrap();
    let second = read.file(&path).unwrap().unwrap();
    assert_eq!(second.lines(&["d"]).len(), 1);
}
