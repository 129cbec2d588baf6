use serde_json::{Value as Json, json};

use crate::kit::trial::Trial;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A host with a checkout at `A`, of a server whose `main` is at that commit.
fn stage(head: &str) -> Trial {
    let trial = Trial::of("git");
    trial.host.program("/usr/bin/git").dir("/srv/co/.git").file("/srv/co/f", "f");
    trial.host.answer(
        "/usr/bin/git ls-remote",
        0,
        &format!("ref: refs/heads/main\tHEAD\n{head}\tHEAD\n{head}\trefs/heads/main\n{A}\trefs/tags/v1\n"),
    );
    trial.host.answer("/usr/bin/git rev-parse", 0, &format!("{A}\n"));
    trial.host.answer("/usr/bin/git config --get", 0, "https://u@h/r\n");
    trial.host.answer("/usr/bin/git status", 0, "?? new\n");
    trial.host.answer("/usr/bin/git diff", 0, "the diff\n");
    trial
}

fn check(trial: &Trial, more: Json, expected: &Json) {
    let mut args = json!({"repo": "https://u:secret@h/r", "dest": "/srv/co"});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let result = trial.check(&args);
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&result[key], value, "{key} of {args}: {result:#}");
    }
    let seen = format!("{result} {:?}", trial.host.ran());
    assert!(!seen.contains("secret"), "{seen}");
}

#[test]
fn what_is_up_to_date_stays() {
    check(
        &stage(A),
        json!({}),
        &json!({"changed": false, "before": A, "after": A, "remote_url_changed": false}),
    );
    check(&stage(B), json!({"version": "v1"}), &json!({"changed": false, "after": A}));
    check(
        &stage(B),
        json!({"update": false}),
        &json!({"changed": false, "after": A, "remote_url_changed": null}),
    );
}

#[test]
fn check_mode_foretells_the_commit() {
    check(
        &stage(B),
        json!({}),
        &json!({"changed": true, "before": A, "after": B, "diff": {"prepared": "the diff\n"}}),
    );
    let told = format!(">> Newly checked out {B}");
    check(
        &stage(B),
        json!({"dest": "/srv/new"}),
        &json!({"changed": true, "before": null, "after": B, "diff": {"prepared": told}}),
    );
    check(
        &stage(A),
        json!({"repo": "https://h/other"}),
        &json!({"changed": true, "remote_url_changed": true}),
    );
}

#[test]
fn modifications_are_kept_unless_forced() {
    let trial = stage(B);
    trial.host.answer("/usr/bin/git status", 0, " M f\n");
    let msg = "Local modifications exist in the destination: /srv/co";
    check(&trial, json!({}), &json!({"failed": true, "msg": format!("{msg} (force=no)."), "before": A}));
    check(&trial, json!({"force": true}), &json!({"changed": true, "msg": msg}));
}

#[test]
fn failures_say_what_is_wrong() {
    let trial = stage(A);
    trial.host.dir("/srv/full").file("/srv/full/x", "");
    check(
        &trial,
        json!({"dest": "/srv/full"}),
        &json!({"failed": true, "msg": "fatal: destination path '/srv/full' already exists and is not an empty directory."}),
    );
    check(
        &trial,
        json!({"archive": "/srv/a.rar"}),
        &json!({"msg": "Unable to get file extension from archive file name : /srv/a.rar"}),
    );
    trial.host.script("/usr/bin/git ls-remote", |_, _| crate::kit::Output {
        code: 128,
        stderr: b"fatal: cannot reach https://u:secret@h/r\n".to_vec(),
        ..crate::kit::Output::default()
    });
    let msg = "fatal: cannot reach https://u:********@h/r";
    check(&trial, json!({"dest": "/srv/new"}), &json!({"failed": true, "msg": msg, "rc": 128}));
}

#[test]
fn the_password_travels_in_the_environment_alone() {
    let trial = stage(B);
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = seen.clone();
    trial.host.script("/usr/bin/git fetch", move |command, _| {
        *kept.lock().unwrap() = command.env.clone();
        crate::kit::Output::default()
    });
    trial.run(&json!({"repo": "https://u:s%40cret@h/r", "dest": "/srv/co"}));
    let env = seen.lock().unwrap().clone();
    let value = |name: &str| env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    assert_eq!(value("FANFARE_GIT_PASSWORD_0").unwrap(), "s@cret");
    assert_eq!(value("GIT_CONFIG_KEY_1").unwrap(), "credential.https://h.helper");
    let config = env.iter().filter(|(name, _)| name.starts_with("GIT_CONFIG"));
    assert!(config.clone().count() == 5 && config.into_iter().all(|(_, value)| !value.contains("cret")));
    assert!(!format!("{:?}", trial.host.ran()).contains("cret"));
}

#[test]
fn what_nobody_signed_is_not_checked_out() {
    let trial = stage(B);
    trial.host.answer("/usr/bin/git fetch", 0, "").answer("/usr/bin/git verify-commit", 1, "");
    let args = json!({"repo": "https://u:secret@h/r", "dest": "/srv/co", "verify_commit": true});
    let result = trial.run(&args);
    let told = (&result["failed"], &result["changed"]);
    assert_eq!(told, (&json!(true), &json!(false)), "{result:#}");
    let ran = trial.host.ran();
    assert!(ran.iter().all(|line| !line.contains("checkout") && !line.contains("reset")), "{ran:#?}");
    let verified = "/usr/bin/git verify-commit --raw refs/remotes/origin/main";
    assert!(ran.iter().any(|line| line == verified), "{ran:#?}");
}

/// What runs for a checkout at `A` whose server is at `B`, with these options.
fn ran(more: &Json) -> String {
    let trial = stage(B);
    trial.host.answer("/usr/bin/git fetch", 0, "").answer("/usr/bin/git clone", 0, "");
    for (verb, said) in [("symbolic-ref", "main\n"), ("reset", ""), ("archive", "")] {
        trial.host.answer(&format!("/usr/bin/git {verb}"), 0, said);
    }
    trial.host.answer("/usr/bin/git submodule", 0, "").file("/srv/co/.gitmodules", "");
    trial.host.script("/usr/bin/git verify-commit", |_, _| crate::kit::Output {
        stderr: b"[GNUPG:] VALIDSIG ABCD 2026-01-01 1 0 4 0 1 8 00 EF01\n".to_vec(),
        ..crate::kit::Output::default()
    });
    let mut args = json!({"repo": "https://u:secret@h/r", "dest": "/srv/co"});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let result = trial.run(&args);
    format!("{}\n{}", trial.host.ran().join("\n"), result["msg"])
}

#[test]
fn options_are_gits_own() {
    for (more, expected) in [
        (
            json!({"dest": "/srv/new", "reference": "/srv/ref", "separate_git_dir": "/srv/git"}),
            "git clone --origin origin --reference /srv/ref --separate-git-dir=/srv/git https://u@h/r /srv/new",
        ),
        (json!({"refspec": "+refs/pull/*:refs/pull/*"}), "/*:refs/remotes/origin/* +refs/pull/*:refs/pull/*"),
        (json!({"track_submodules": true}), "git submodule update --init --recursive --remote"),
        (
            json!({"archive": "/srv/a.tgz", "archive_prefix": "p/"}),
            "git archive --format=tar.gz --prefix=p/ ",
        ),
        (json!({"verify_commit": true, "gpg_allowlist": "ef01"}), "git symbolic-ref"),
        (json!({"verify_commit": true, "gpg_allowlist": "1234"}), "does not include the public key of"),
    ] {
        let ran = ran(&more);
        assert!(ran.contains(expected), "{more}\n{ran}");
    }
    let trial = stage(A);
    trial.host.program("/opt/git").answer("/opt/git", 0, "");
    trial.run(&json!({"repo": "https://h/r", "dest": "/srv/new", "executable": "/opt/git"}));
    let got = trial.run(&json!({"repo": "https://h/r", "dest": "/srv/new", "executable": "/opt/none"}));
    let told = (&got["cmd"], &got["rc"], &got["stderr"]);
    assert_eq!(told, (&json!("/opt/none --version"), &json!(2), &json!("")), "{got}");
    let ran = trial.host.ran();
    assert!(!ran.is_empty() && ran.iter().all(|line| line.starts_with("/opt/")), "{ran:?}");
}

#[test]
fn what_is_fetched_beside_the_branches_is_told_when_it_cannot_be() {
    let trial = stage(B);
    trial.host.answer("/usr/bin/git fetch", 1, "");
    let got = trial.run(&json!({"repo": "https://u@h/r", "dest": "/srv/co", "refspec": "+refs/x:refs/x"}));
    let branches = "+refs/heads/*:refs/remotes/origin/*";
    let cmd = json!(["/usr/bin/git", "fetch", "--tags", "origin", branches, "+refs/x:refs/x"]);
    assert_eq!((&got["cmd"], &got["changed"], &got["rc"]), (&cmd, &json!(false), &Json::Null), "{got}");
}

#[test]
fn a_repository_is_moved_where_it_should_be() {
    let moved = |stage: &dyn Fn(&Trial)| {
        let trial = self::stage(A);
        stage(&trial);
        trial.host.script("mv", |command, host| {
            let [_, from, to] = command.argv.as_slice() else { panic!("{command:?}") };
            host.rename(std::path::Path::new(from), std::path::Path::new(to)).unwrap();
            crate::kit::Output::default()
        });
        let args = json!({"repo": "https://u@h/r", "dest": "/srv/co", "separate_git_dir": "/srv/new/git"});
        let foretold = trial.check(&args);
        let got = trial.run(&args);
        assert_eq!(foretold["changed"], got["changed"], "{foretold} {got}");
        (trial, got)
    };
    let (trial, got) = moved(&|_| {});
    let told = json!({"changed": true, "git_dir_before": "/srv/co/.git", "git_dir_now": "/srv/new/git"});
    for (key, value) in told.as_object().unwrap() {
        assert_eq!(&got[key], value, "{got}");
    }
    assert_eq!(trial.host.read("/srv/co/.git").unwrap(), "gitdir: /srv/new/git");
    let args = json!({"repo": "https://u@h/r", "dest": "/srv/co", "separate_git_dir": "/srv/new/git"});
    assert_eq!(trial.run(&args)["changed"], json!(false));

    let (_, got) = moved(&|trial| {
        trial.host.dir("/srv/new/git");
    });
    let msg = "Separate-git-dir path /srv/new/git already exists.";
    assert_eq!((&got["msg"], &got["changed"]), (&json!(msg), &json!(false)), "{got}");
}

#[test]
fn a_repository_is_no_option() {
    let got = stage(A).run(&json!({"repo": "--upload-pack=x", "dest": "/srv/new"}));
    assert_eq!(got["msg"], "repo: git would take --upload-pack=x for an option");
}

#[test]
fn a_clone_that_fails_has_changed_nothing() {
    let trial = stage(A);
    trial.host.answer("/usr/bin/git clone", 128, "");
    let got = trial.run(&json!({"repo": "https://h/r", "dest": "/srv/new"}));
    assert_eq!((&got["failed"], &got["changed"]), (&json!(true), &json!(false)), "{got}");
}

#[test]
fn ssh_is_told_what_to_do_by_the_environment() {
    let ssh = |more: Json, env: Option<(&str, &str)>| {
        let trial = stage(A);
        if let Some((name, value)) = env {
            trial.host.set_env(name, value);
        }
        let seen = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let kept = seen.clone();
        trial.host.answer("/usr/bin/git remote", 0, "");
        trial.host.script("/usr/bin/git ls-remote", move |command, _| {
            let found = command.env.iter().find(|(name, _)| name == "GIT_SSH_COMMAND");
            *kept.lock().unwrap() = found.map(|(_, value)| value.clone()).unwrap_or_default();
            crate::kit::Output::default()
        });
        let mut args = json!({"repo": "git@h:r", "dest": "/srv/co"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        trial.run(&args);
        std::mem::take(&mut *seen.lock().unwrap())
    };
    let quiet = "-o BatchMode=yes";
    for (more, env, expected) in [
        (json!({}), None, format!("ssh {quiet}")),
        (json!({"accept_hostkey": true}), None, format!("ssh -o StrictHostKeyChecking=no {quiet}")),
        (
            json!({"accept_newhostkey": true, "ssh_opts": "-p 2222"}),
            None,
            format!("ssh -p 2222 -o StrictHostKeyChecking=accept-new {quiet}"),
        ),
        (json!({"key_file": "/k e"}), None, format!("ssh {quiet} -i '/k e' -o IdentitiesOnly=yes")),
        (json!({"ssh_opts": "-4"}), Some(("GIT_SSH_COMMAND", "my ssh")), format!("my ssh -4 {quiet}")),
        (json!({}), Some(("GIT_SSH", "/my ssh")), format!("'/my ssh' {quiet}")),
        (json!({"ssh_opts": "-4"}), Some(("GIT_SSH_OPTS", "-v")), format!("ssh -v -4 {quiet}")),
    ] {
        assert_eq!(ssh(more, env), expected);
    }
}
