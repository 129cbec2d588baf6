use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::Real;
use crate::cmd;
use crate::kit::command::Command;
use crate::kit::host::{Host, News, Placement, Stream};

fn run(command: Command) -> (i32, String, String) {
    let output = Real::new().run(&command).unwrap();
    (output.code, output.stdout().into_owned(), output.stderr().into_owned())
}

fn sh(line: &str) -> Command {
    cmd!["sh", "-c", line]
}

#[test]
fn commands_give_code_and_output() {
    assert_eq!(run(sh("echo out; echo err >&2; exit 3")), (3, "out\n".into(), "err\n".into()));
    assert_eq!(run(sh("kill -9 $$")).0, -9);
    assert_eq!(run(cmd!["cat"].stdin("hello")).1, "hello");
    assert_eq!(run(cmd!["true"].stdin(vec![b'x'; 1 << 20])).0, 0);
    assert_eq!(run(sh("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2")).1.len(), 300_000);
    assert_eq!(run(sh("echo $A-$PWD").env("A", "b").dir("/")).1, "b-/\n");
    let error = Real::new().run(&cmd!["/no/such/program"]).unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
}

#[test]
fn lines_are_heard_while_the_command_runs() {
    let (mut heard, mut lasts) = (Vec::new(), Vec::new());
    let start = std::time::Instant::now();
    let command = sh("echo one; echo bad >&2; sleep 0.3; printf 'two\\nthree'");
    let output = Real::new().run_heard(&command, &mut |news| {
        let News::Says(stream, text) = news else { return lasts.push((heard.len(), start.elapsed())) };
        heard.push((stream, String::from_utf8_lossy(text).into_owned(), start.elapsed()));
    });
    assert_eq!(lasts.len(), 1, "{lasts:?}");
    assert!(lasts.iter().all(|(_, at)| *at < Duration::from_millis(250)), "{lasts:?}");
    let early: Vec<_> = heard.iter().filter(|(.., at)| *at < Duration::from_millis(250)).collect();
    assert!(early.iter().any(|(stream, text, _)| *stream == Stream::Out && text == "one\n"), "{heard:?}");
    assert!(early.iter().any(|(stream, text, _)| *stream == Stream::Err && text == "bad\n"), "{heard:?}");
    let out: String = heard
        .iter()
        .filter(|(stream, ..)| *stream == Stream::Out)
        .map(|(_, text, _)| text.as_str())
        .collect();
    assert_eq!((out.as_str(), output.unwrap().stdout()), ("one\ntwo\nthree", "one\ntwo\nthree".into()));
}

#[test]
fn a_command_ends_at_its_deadline_with_all_it_started() {
    let marker = format!("31{}", std::process::id());
    let command = sh(&format!("sleep {marker} & sleep {marker}")).timeout(Duration::from_millis(100));
    let output = Real::new().run(&command).unwrap();
    assert!(output.timed_out);
    std::thread::sleep(Duration::from_millis(50));
    assert_ne!(run(cmd!["pgrep", "-f", format!("^sleep {marker}")]).0, 0, "something is left running");
}

#[test]
fn what_a_command_leaves_running_is_not_waited_for() {
    let start = std::time::Instant::now();
    let (_, pid, _) = run(sh("sleep 30 & echo $!"));
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(run(cmd!["kill", pid.trim()]).0, 0, "it lives on");
}

#[test]
fn files_are_placed_atomically_and_keep_their_mode() {
    let dir = std::env::temp_dir().join(format!("fanfare-real-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    let path = dir.join("file");
    let real = Real::new();
    let how = Placement { mode: Some(0o640), ..Placement::default() };
    real.place(&path, &mut &b"one"[..], &how).unwrap();
    real.place(&path, &mut &b"two"[..], &Placement::default()).unwrap();
    let meta = real.stat(&path, false).unwrap().unwrap();
    assert_eq!((meta.mode, meta.size), (0o640, 3));
    let broken: &mut dyn Read = &mut Broken;
    assert!(real.place(&path, broken, &Placement::default()).is_err());
    assert_eq!(real.list(&dir).unwrap(), ["file"], "nothing is left behind");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
    let link = dir.join("link");
    real.symlink(Path::new("a"), &link).unwrap();
    real.symlink(Path::new("b"), &link).unwrap();
    assert_eq!(real.read_link(&link).unwrap(), Path::new("b"));
    real.hard_link(&path, &link).unwrap();
    assert_eq!(real.stat(&link, false).unwrap().unwrap().links, 2);
    real.remove_tree(&dir).unwrap();
    assert_eq!(real.stat(&path, false).unwrap(), None);
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("broken"))
    }
}

/// A program that the tunnel can start, in Python: it changes every byte that goes to the other end.
const CHANGING: &str = "
import os, select, socket, sys
far = socket.socket(socket.AF_UNIX); far.connect(sys.argv[-1])
while True:
    ready = select.select([0, far], [], [])[0]
    if far in ready:
        said = far.recv(4096)
        if not said: break
        os.write(1, said)
    if 0 in ready: far.sendall(os.read(0, 4096).upper())
";

#[test]
fn a_connection_goes_through_a_program() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let python = Command::new("python3").args(["-c", CHANGING]);
    let mut inside = Real::new().encrypt(Box::new(ours), &python).unwrap();
    inside.write_all(b"hello").unwrap();
    let mut heard = [0; 5];
    theirs.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"HELLO");
    theirs.write_all(b"you").unwrap();
    let mut heard = [0; 3];
    inside.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"you");
    drop(inside);
    assert_eq!(theirs.read(&mut heard).unwrap(), 0);
}

#[test]
fn what_the_program_complains_of_is_told() {
    for (script, why) in [
        ("echo 'verify error:num=19:it is self-signed' >&2", "it is self-signed"),
        ("echo '40:error:0A00:SSL routines:f:alert unknown ca:f.c:1:' >&2", "alert unknown ca"),
        ("echo no such option >&2", "no such option"),
    ] {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let failing = Command::new("sh").args(["-c", &format!("{script}; exit 1"), "sh"]);
        let error = Real::new().encrypt(Box::new(ours), &failing).map(drop).unwrap_err();
        assert!(error.to_string().ends_with(&format!("it cannot be encrypted: {why}")), "{error}");
    }
}

#[test]
fn a_file_that_is_replaced_keeps_its_extended_attributes() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    let path = std::env::temp_dir().join(format!("fanfare-attributes-{}", std::process::id()));
    std::fs::write(&path, "old").unwrap();
    if setxattr(&path, "user.note", b"mine", XattrFlags::empty()).is_err() {
        return eprintln!("not tested: {} can have no extended attributes", path.display());
    }
    // The owner rwx, user 1 rwx, the group nothing, the mask rwx, others nothing.
    let entries = [(1u16, 7u16, u32::MAX), (2, 7, 1), (4, 0, u32::MAX), (16, 7, u32::MAX), (32, 0, u32::MAX)];
    let mut acl = 2u32.to_le_bytes().to_vec();
    for (tag, bits, id) in entries {
        acl.extend([tag.to_le_bytes(), bits.to_le_bytes()].concat());
        acl.extend(id.to_le_bytes());
    }
    let has_acl = setxattr(&path, "system.posix_acl_access", &acl, XattrFlags::empty()).is_ok();
    Real::new().place(&path, &mut &b"new"[..], &Placement::default()).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    let value = |name: &str| {
        let mut buffer = [0u8; 256];
        let size = getxattr(&path, name, &mut buffer).unwrap();
        buffer[..size].to_vec()
    };
    assert_eq!(value("user.note"), b"mine");
    if has_acl {
        assert_eq!(value("system.posix_acl_access"), acl);
    }
    std::fs::remove_file(&path).unwrap();
}
