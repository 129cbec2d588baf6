use super::script::shell_path;
use super::*;

fn rows() -> Vec<(String, &'static Worker)> {
    WORKERS.iter().map(|worker| (format!("Linux {}", worker.arch), worker)).collect()
}

fn text(mark: &Mark, run: Run, keep: bool) -> String {
    if run.in_memory {
        return memory::script(mark, &rows(), run.terminal);
    }
    Script { mark, remote_tmp: Some("~/.ansible/tmp"), run, rows: &rows(), keep }.text().unwrap()
}

/// Every way in which scripts differ.
fn runs() -> Vec<(Run, bool)> {
    let one = Run::default();
    let all = [
        one,
        Run { anew: true, ..one },
        Run { terminal: true, ..one },
        Run { in_memory: true, ..one },
        Run { in_memory: true, terminal: true, ..one },
    ];
    all.into_iter().flat_map(|run| [(run, true), (run, false)]).collect()
}

#[test]
fn the_script_survives_every_login_shell() {
    for (run, keep) in runs() {
        let script = text(&Mark::new(), run, keep);
        // csh expands `!` even in quotes, fish takes backslashes there, and a newline ends a csh command.
        assert!(!script.contains(['\'', '\n', '\\', '!']), "{script}");
        // Some hosts take no more than this in one argument of a forced or logged command.
        assert!(script.len() < 3000, "{}", script.len());
    }
}

#[test]
fn the_mark_never_stands_whole_in_the_script() {
    for (run, keep) in runs() {
        let mark = Mark::new();
        let script = text(&mark, run, keep);
        assert!(script.contains(&mark.head) && script.contains(&mark.tail));
        assert!(!script.contains(&format!("{}-{}", mark.head, mark.tail)));
    }
}

#[test]
fn paths_in_the_script() {
    fn check(path: &str, expect: &str) {
        assert_eq!(shell_path(path).unwrap(), expect);
    }
    check("~", "$HOME");
    check("~/.ansible/tmp", "$HOME/.ansible/tmp");
    check("$HOME/x", "$HOME/x");
    check("/srv/with space/ü", "/srv/with space/ü");
    for bad in ["/a'b", "/a`b`", "/a\"b", "/a\nb", "/a;b", "/a\\b", "$(b)", "/a!b"] {
        assert!(shell_path(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_helpers_run_is_one_line() {
    for helper in ["perl", "python3"] {
        let content = memory::content(helper, b"ELF").unwrap();
        let mut lines = content.split(|&byte| byte == b'\n');
        assert!(lines.next().unwrap().len() > 100, "{helper}");
        assert_eq!((lines.next(), lines.next()), (Some(b"ELF".as_slice()), None), "{helper}");
    }
    assert!(memory::content("ruby", b"").is_none());
}

/// A link that dies leaves nobody waiting: what receives the worker ends by itself, and its file with it.
#[test]
fn nobody_waits_for_ever_for_the_worker() {
    use std::process::{Command, Stdio};
    let home = tempfile::tempdir().unwrap();
    let mark = Mark::new();
    let [perl, python] = ["perl", "python3"].map(|helper| {
        let content = memory::content(helper, b"").unwrap();
        String::from_utf8(content.to_vec()).unwrap()
    });
    let worker = ["mark", "1000000", "319"];
    let ways: [(&str, &str, String, &[&str]); 4] = [
        ("sh", "-c", text(&mark, Run::default(), true), &[]),
        ("sh", "-c", text(&mark, Run::default(), false), &[]),
        ("perl", "-e", perl, &worker),
        ("python3", "-c", python, &worker),
    ];
    for (program, option, text, arguments) in ways {
        assert!(text.contains("1800"), "{text}");
        let child = Command::new(program)
            .args([option, &text.replace("1800", "1")])
            .args(arguments)
            .env("HOME", home.path())
            .env_remove("XDG_CACHE_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("SKIPPED: needs {program}");
            continue;
        };
        // Nothing comes, and nothing says that nothing will.
        let open = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(open);
        assert!(!output.status.success(), "{program}");
        if program == "sh" {
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(said.contains(" MISS ") && said.contains(" ERR "), "{said}");
        }
    }
    let left = std::process::Command::new("find").arg(home.path()).args(["-type", "f"]).output().unwrap();
    assert_eq!(String::from_utf8(left.stdout).unwrap(), "");
}
