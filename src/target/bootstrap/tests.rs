use super::*;

fn text(remote_tmp: Option<&str>, run: Run) -> Result<String, CallError> {
    script(&Mark::new(), remote_tmp, run, WORKERS)
}

#[test]
fn the_script_survives_every_login_shell() {
    for run in
        [Run::default(), Run { anew: true, ..Run::default() }, Run { terminal: true, ..Run::default() }]
    {
        let script = text(Some("~/.ansible/tmp"), run).unwrap();
        // csh expands `!` even in quotes, fish takes backslashes there, and a newline ends a csh command.
        assert!(!script.contains(['\'', '\n', '\\', '!']), "{script}");
        // Some hosts take no more than this in one argument of a forced or logged command.
        assert!(script.len() < 3000, "{}", script.len());
    }
}

#[test]
fn the_mark_never_stands_whole_in_the_script() {
    let mark = Mark::new();
    let script = script(&mark, None, Run::default(), WORKERS).unwrap();
    assert!(script.contains(&mark.head) && script.contains(&mark.tail));
    assert!(!script.contains(&format!("{}-{}", mark.head, mark.tail)));
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
