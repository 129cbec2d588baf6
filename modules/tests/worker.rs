//! The worker as a process, on this machine.

// Marked as a test so that clippy lets it panic.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "it looks at the machine from outside the worker")]
mod worker {
    use std::io::{Read, Write};
    use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
    use std::time::{Duration, Instant};

    use fanfare_modules::kit::wire::{GREETING, Kind, decode, decode_blob, encode, encode_blob};
    use serde_json::{Value as Json, json};

    struct Worker {
        child: Child,
        input: Option<ChildStdin>,
        output: ChildStdout,
        read: Vec<u8>,
    }

    impl Worker {
        fn start() -> Self {
            let mut child = Command::new(env!("CARGO_BIN_EXE_fanfare-worker"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut output = child.stdout.take().unwrap();
            let mut greeting = [0; GREETING.len()];
            output.read_exact(&mut greeting).unwrap();
            assert_eq!(greeting, GREETING);
            Self { input: child.stdin.take(), child, output, read: Vec::new() }
        }

        fn send(&mut self, frames: &[u8]) {
            self.input.as_mut().unwrap().write_all(frames).unwrap();
        }

        fn next(&mut self) -> (Kind, Vec<u8>) {
            loop {
                if let Some((frame, length)) = decode(&self.read).unwrap() {
                    self.read.drain(..length);
                    return (frame.kind, frame.payload);
                }
                let mut chunk = [0; 8192];
                let n = self.output.read(&mut chunk).unwrap();
                assert!(n > 0, "the worker ended");
                self.read.extend_from_slice(&chunk[..n]);
            }
        }

        fn call(&mut self, module: &str, args: Json) -> Json {
            self.send(&request(1, module, args, json!({})));
            self.reply()
        }

        fn reply(&mut self) -> Json {
            let (kind, payload) = self.next();
            assert_eq!(kind, Kind::Reply);
            serde_json::from_slice::<Json>(&payload).unwrap()["result"].clone()
        }
    }

    impl Drop for Worker {
        fn drop(&mut self) {
            self.input = None;
            self.child.wait().unwrap();
        }
    }

    fn request(id: u32, module: &str, args: Json, more: Json) -> Vec<u8> {
        let mut request = json!({"module": module, "args": args});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut frame = Vec::new();
        encode(&mut frame, Kind::Request, id, request.to_string().as_bytes());
        frame
    }

    fn scratch(name: &str) -> String {
        let dir = std::env::temp_dir().join(format!("fanfare-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        dir.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_hundred_requests_in_one_write() {
        let mut worker = Worker::start();
        let frames: Vec<u8> =
            (0..100).flat_map(|id| request(id, "ping", json!({"data": id.to_string()}), json!({}))).collect();
        worker.send(&frames);
        for id in 0..100 {
            assert_eq!(worker.reply()["ping"], id.to_string());
        }
    }

    #[test]
    fn content_is_asked_for_only_where_it_differs() {
        let dir = scratch("need");
        let path = format!("{dir}/file");
        let text = "x".repeat(200_000);
        let sha1 = fanfare_modules::kit::digest::sha1_hex(text.as_bytes());
        let file = json!({"name": "f", "size": text.len(), "sha1": sha1});
        let args = json!({"src": file, "dest": path});
        let mut worker = Worker::start();
        worker.send(&request(7, "copy", args.clone(), json!({})));
        let (kind, key) = worker.next();
        assert_eq!((kind, String::from_utf8(key).unwrap()), (Kind::Need, sha1.clone()));
        let mut frames = Vec::new();
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(65536).collect();
        for (i, piece) in pieces.iter().enumerate() {
            encode_blob(&mut frames, 7, &sha1, piece, i + 1 == pieces.len());
        }
        worker.send(&frames);
        assert_eq!(worker.reply()["changed"], true);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        assert_eq!(worker.call("copy", args)["changed"], false);
        // The other way.
        worker.send(&request(8, "fetch", json!({"src": path, "dest": "-"}), json!({})));
        let mut got = Vec::new();
        loop {
            let (kind, payload) = worker.next();
            assert_eq!(kind, Kind::Blob);
            let blob = decode_blob(&payload).unwrap();
            got.extend_from_slice(blob.piece);
            if blob.last {
                break;
            }
        }
        assert_eq!(got, text.as_bytes());
        assert_eq!(worker.reply()["sent"], true);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn content_that_is_refused_or_wrong_leaves_the_old_file() {
        let dir = scratch("refused");
        let path = format!("{dir}/file");
        std::fs::write(&path, "old").unwrap();
        let mut worker = Worker::start();
        for wrong in [false, true] {
            worker.send(&request(
                7,
                "copy",
                json!({"src": {"name": "f", "size": 3, "sha1": "abc"}, "dest": path}),
                json!({}),
            ));
            assert_eq!(worker.next().0, Kind::Need);
            let mut frame = Vec::new();
            if wrong {
                encode_blob(&mut frame, 7, "abc", b"new", true);
            } else {
                encode(&mut frame, Kind::Refused, 7, b"it is gone");
            }
            worker.send(&frame);
            let result = worker.reply();
            assert_eq!(result["failed"], true);
            let expected = if wrong { "changed on its way" } else { "it is gone" };
            assert!(result["msg"].as_str().unwrap().contains(expected), "{result}");
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn environment_and_timeout_are_the_requests() {
        let mut worker = Worker::start();
        let more = json!({"environment": {"GREETING": "hello"}});
        worker.send(&request(1, "shell", json!({"cmd": "echo $GREETING"}), more));
        assert_eq!(worker.reply()["stdout"], "hello");
        let start = Instant::now();
        worker.send(&request(2, "command", json!({"cmd": "sleep 30"}), json!({"timeout": 1})));
        let result = worker.reply();
        assert_eq!(
            (&result["failed"], &result["timedout"]),
            (&json!(true), &json!({"period": 1})),
            "{result}"
        );
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(worker.call("shell", json!({"cmd": "echo $GREETING"}))["stdout"], "");
    }

    #[test]
    fn what_runs_ends_with_the_connection() {
        let dir = scratch("eof");
        let mut worker = Worker::start();
        worker.send(&request(
            1,
            "shell",
            json!({"cmd": format!("echo $$ > {dir}/pid; sleep 60; echo late > {dir}/late")}),
            json!({}),
        ));
        let pid = loop {
            match std::fs::read_to_string(format!("{dir}/pid")) {
                Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let start = Instant::now();
        drop(worker);
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "the command lives on");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn waiting_ends_in_time_and_with_the_connection() {
        let never = json!({"path": "/nosuch/file", "timeout": 60, "sleep": 30});
        let start = Instant::now();
        let mut worker = Worker::start();
        worker.send(&request(1, "wait_for", never.clone(), json!({"timeout": 1})));
        let result = worker.reply();
        assert_eq!(result["timedout"], json!({"period": 1}), "{result}");
        worker.send(&request(2, "wait_for", never, json!({})));
        std::thread::sleep(Duration::from_millis(300));
        // It waits for its end.
        drop(worker);
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    /// Starts a shell command as a job and lets the worker go; the file that tells of it.
    fn background(dir: &str, command: &str, seconds: u64) -> String {
        let mut worker = Worker::start();
        let how = json!({"background": {"seconds": seconds, "dir": format!("{dir}/jobs")}});
        worker.send(&request(1, "shell", json!({"cmd": command}), how));
        let started = worker.reply();
        assert_eq!((&started["started"], &started["finished"]), (&json!(true), &json!(false)), "{started}");
        started["results_file"].as_str().unwrap().to_owned()
    }

    fn finished(file: &str) -> Json {
        let start = Instant::now();
        loop {
            let text = std::fs::read_to_string(file).unwrap();
            let state: Json = serde_json::from_str(&text).expect("written whole or not at all");
            if state.get("started").is_none() {
                return state;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{state}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn a_job_outlives_the_connection() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = scratch("job");
        let file = background(&dir, "sleep 0.5; echo done", 30);
        let result = finished(&file);
        assert_eq!((&result["stdout"], &result["changed"]), (&json!("done"), &json!(true)), "{result}");
        for (path, mode) in [(file.as_str(), 0o600), (format!("{dir}/jobs").as_str(), 0o700)] {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{path}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_job_is_killed_when_its_time_is_over() {
        let dir = scratch("late");
        let file = background(&dir, &format!("echo $$ > {dir}/pid; sleep 60; echo late"), 1);
        let result = finished(&file);
        assert_eq!(
            (&result["msg"], &result["failed"]),
            (&json!("Timeout exceeded"), &json!(true)),
            "{result}"
        );
        let pid = std::fs::read_to_string(format!("{dir}/pid")).unwrap();
        assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists(), "the command lives on");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn check_mode_foretells_across_tasks() {
        let dir = scratch("check");
        let mut worker = Worker::start();
        let check = json!({"check": true, "diff": true});
        worker.send(&request(
            1,
            "file",
            json!({"path": format!("{dir}/new"), "state": "directory"}),
            check.clone(),
        ));
        assert_eq!(worker.reply()["changed"], true);
        let copy = json!({"content": "x\n", "dest": format!("{dir}/new/file")});
        worker.send(&request(2, "copy", copy.clone(), check.clone()));
        let result = worker.reply();
        assert_eq!(
            (&result["changed"], &result["diff"][0]["after"]),
            (&json!(true), &json!("x\n")),
            "{result}"
        );
        worker.send(&request(3, "copy", copy.clone(), check.clone()));
        assert_eq!(worker.reply()["changed"], false);
        let mut alone = check;
        alone["alone"] = json!(true);
        worker.send(&request(4, "copy", copy, alone));
        assert_eq!(worker.reply()["failed"], true, "the directory is not there");
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
