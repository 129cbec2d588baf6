use std::fmt::Write as _;
use std::process::Command;

use tempfile::TempDir;

use super::*;

fn surroundings(dir: &TempDir) -> Surroundings {
    Surroundings {
        home: dir.path().to_owned(),
        user_config: None,
        system_config: None,
        ..Surroundings::real()
    }
}

/// Reads `config` for `host`.
fn resolve(dir: &TempDir, config: &str, host: &str) -> Result<Values, String> {
    let path = dir.path().join("config");
    std::fs::write(&path, config).unwrap();
    let mut values = Values::default();
    read(&mut values, &Source::File(path), host, &surroundings(dir), &ConfigFiles::default())?;
    Ok(values)
}

/// The options under test as `ssh -G` prints them.
const COMPARED: &[&str] = &[
    "hostname",
    "user",
    "port",
    "identityfile",
    "certificatefile",
    "identitiesonly",
    "identityagent",
    "proxyjump",
    "proxycommand",
    "connecttimeout",
    "hostkeyalias",
    "stricthostkeychecking",
    "serveraliveinterval",
    "serveralivecountmax",
    "forwardagent",
    "compression",
    "userknownhostsfile",
];

/// What `ssh -G` says; `None`, said loudly, where there is no ssh.
fn oracle(dir: &TempDir, host: &str) -> Option<Vec<(String, String)>> {
    let output = match Command::new("ssh").args(["-G", "-F", "config", host]).current_dir(dir).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("SKIPPED: needs ssh (openssh-client): {error}");
            return None;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().filter_map(|l| l.split_once(' ')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
}

/// Every option the config sets must be what `ssh -G` says, for every host; and one that it does not set must
/// be at OpenSSH's default (what `ssh -G` says for an empty file).
fn check(config: &str, hosts: &[&str]) {
    let dir = TempDir::new().unwrap();
    // OpenSSH takes the home from the password database: paths are given in full.
    let config = config.replace("DIR", &dir.path().to_string_lossy());
    for host in hosts {
        std::fs::write(dir.path().join("config"), "").unwrap();
        let Some(default) = oracle(&dir, host) else { return };
        let ours = resolve(&dir, &config, host).unwrap();
        let theirs = oracle(&dir, host).unwrap();
        for key in COMPARED {
            let of = |all: &[(String, String)]| {
                all.iter().filter(|(k, _)| k == key).map(|(_, v)| v.clone()).collect::<Vec<_>>()
            };
            let mut expect = of(&theirs);
            let mut got = ours.all(key).to_vec();
            if *key == "userknownhostsfile" && !got.is_empty() {
                got = vec![got.join(" ")];
            }
            if *key == "hostname" {
                got = vec![
                    got.first()
                        .map_or_else(|| (*host).to_owned(), |name| hostname(name, host).unwrap())
                        .to_lowercase(),
                ];
            }
            if *key == "stricthostkeychecking" {
                expect = expect.iter().map(|v| if v == "true" { "yes" } else { v }.to_owned()).collect();
            }
            if got.is_empty() || got == ["none"] {
                got = of(&default);
                if *key == "stricthostkeychecking" {
                    expect.clone_from(&got.clone());
                }
            }
            assert_eq!(got, expect, "{key} of {host} in\n{config}");
        }
    }
}

#[test]
fn same_as_ssh_g() {
    check("", &["web1"]);
    check("Port 2222\nUser bob\n", &["web1", "bob"]);
    check(
        "Host web* !web9\n  User web\n  Port 2201\nHost db1 \"db 2\"\n User=dba\nHost *\n User rest\n Port=2299\n",
        &["web1", "web9", "db1", "other", "WEB1"],
    );
    check("Host *.example.com\n HostName %h.internal\n", &["a.example.com", "b"]);
    check("Host short\n HostName %h.example.com\nMatch host short.example.com\n User matched\n", &["short"]);
    check(
        "Host a\n User deploy\nMatch user deploy\n Port 2201\nMatch user nobody\n Port 2202\nMatch !user deploy\n Port 2203\n",
        &["a", "b"],
    );
    check(
        "Match originalhost a,b exec \"test %n = a\"\n Port 2201\nMatch exec \"false\"\n User no\nMatch all\n User yes\n",
        &["a", "b", "c"],
    );
    check("Match exec \"exit 0\" host a\n Port 2201\n", &["a", "b"]);
    check("Match final host real\n Port 2203\nHost alias\n HostName real\n", &["alias", "real", "other"]);
    check("Host real\n User byreal\nHost alias\n HostName real\nMatch final all\n Port 99\n", &["alias"]);
    check(
        "IdentityFile /k/one\nHost a\n IdentityFile /k/two\n IdentityFile /k/one\nCertificateFile /k/c\n",
        &["a", "b"],
    );
    check("ProxyJump j1,bob@j2:2200\nProxyCommand nc %h %p\n", &["a"]);
    check("ProxyCommand nc -x \"a b\" %h %p # not a comment\nProxyJump j1\n", &["a"]);
    check("Host a\n ProxyJump none\nHost *\n ProxyJump gate\n", &["a", "b"]);
    check(
        "ConnectTimeout 7\nHostKeyAlias key\nStrictHostKeyChecking accept-new\nServerAliveInterval 5\n\
         ServerAliveCountMax 9\nForwardAgent yes\nCompression yes\nUserKnownHostsFile /a /b\nIdentitiesOnly yes\n",
        &["a"],
    );
    check("StrictHostKeyChecking yes\nIdentityAgent /run/agent\n", &["a"]);
    check("# comment\n\n   \n\tHost\ta\n\t\tPort   2201   # trailing\n", &["a", "b"]);
}

#[test]
fn includes() {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("conf.d")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("conf.d/10-a", "Host a\n Port 2201\n");
    write("conf.d/20-all", "User all\n");
    write("conf.d/.hidden", "User hidden\n");
    write("inner", "Port 2202\nHost *\nUser inner\n");
    let base = dir.path().display();
    let config =
        format!("Include {base}/conf.d/* {base}/missing\nHost b\n Include {base}/inner\n ConnectTimeout 3\n");
    for host in ["a", "b", "c"] {
        let ours = resolve(&dir, &config, host).unwrap();
        let Some(theirs) = oracle(&dir, host) else { return };
        for (key, default) in [("port", "22"), ("user", ""), ("connecttimeout", "none")] {
            let expect = theirs.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
            assert_eq!(Some(ours.get(key).unwrap_or(default)), expect, "{key} of {host}");
        }
    }
    write("loop", &format!("Include {base}/loop\n"));
    let error = resolve(&dir, &format!("Include {base}/loop\n"), "a").unwrap_err();
    assert!(error.contains("loop: line 1: Too many recursive"), "{error}");
    // Relative to ~/.ssh.
    std::fs::create_dir(dir.path().join(".ssh")).unwrap();
    write(".ssh/more", "User relative\n");
    assert_eq!(resolve(&dir, "Include more\n", "a").unwrap().get("user"), Some("relative"));
    assert_eq!(resolve(&dir, "Include ~/.ssh/mor?\n", "a").unwrap().get("user"), Some("relative"));
}

#[test]
fn errors_say_where() {
    fn check(config: &str, expect: &str) {
        let dir = TempDir::new().unwrap();
        let error = resolve(&dir, config, "a").unwrap_err();
        assert!(error.ends_with(expect), "{error} does not end with {expect}");
        assert!(error.starts_with(&*dir.path().to_string_lossy()), "{error}");
    }
    check("Prot 22\n", "config: line 1: Bad configuration option: prot (did you mean port?)");
    check("\nPort\n", "config: line 2: missing argument to port");
    check("Port 22 23\n", "config: line 1: extra arguments to port");
    check("User \"bob\n", "config: line 1: no matching quote");
    check("Match\n", "config: line 1: Match needs a criterion");
    check("Match host\n", "config: line 1: missing argument for Match host");
    check("Match weather fine\n", "config: line 1: unsupported Match attribute weather");
    check("Match exec \"%q\"\n", "config: line 1: unknown token %q in `%q`");
    // In a block that does not apply, too.
    check("Host other\n Prot 22\n", "config: line 2: Bad configuration option: prot (did you mean port?)");
}

#[test]
fn what_we_do_not_do_is_noted_or_ignored_by_wish() {
    let dir = TempDir::new().unwrap();
    let values = resolve(&dir, "Host b\n SetEnv A=1\nHost a\n PKCS11Provider /x\n", "a").unwrap();
    let mut notes = String::new();
    for note in &values.unsupported {
        writeln!(notes, "{}", note.rsplit('/').next().unwrap()).unwrap();
    }
    assert_eq!(notes, "config: line 4: pkcs11provider is not supported and has no effect\n");
    let values = resolve(&dir, "IgnoreUnknown Use*\nUseKeychain yes\nPort 5\n", "a").unwrap();
    assert_eq!(values.get("port"), Some("5"));
}

#[test]
fn tokens() {
    let dir = TempDir::new().unwrap();
    let surroundings = Surroundings {
        user: "me".into(),
        uid: 7,
        hostname: "node.example.com".into(),
        home: "/home/me".into(),
        ..surroundings(&dir)
    };
    let tokens = Tokens {
        surroundings: &surroundings,
        host: "10.0.0.1",
        original: "web",
        port: 2222,
        user: "bob",
        alias: None,
        jump: "",
    };
    let check = |text: &str, expect: &str| assert_eq!(tokens.expand(text).unwrap(), expect, "{text}");
    check("%h:%p %r@%n", "10.0.0.1:2222 bob@web");
    check("%d/.ssh/%u-%i-%L-%l", "/home/me/.ssh/me-7-node-node.example.com");
    check("100%%", "100%");
    check("%k", "web");
    // printf '%s' node.example.com10.0.0.12222bob | sha1sum
    check("%C", "cd4079d62d396a27149e5b9437767febbdd6fcac");
    assert!(tokens.expand("%z").is_err());
    assert!(tokens.expand("%").is_err());
    assert!(expand_env("${FANFARE_NO_SUCH_VARIABLE}").is_err());
    assert_eq!(expand_env("a${HOME}b").unwrap(), format!("a{}b", std::env::var("HOME").unwrap()));
}
