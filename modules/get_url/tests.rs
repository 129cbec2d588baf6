use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value as Json, json};

use crate::kit::Output;
use crate::kit::encode::base64;
use crate::kit::host::Placement;
use crate::kit::outcome::result_map;
use crate::kit::real::Real;
use crate::kit::system::{System, Wishes};
use crate::kit::trial::{Deaf, Trial};

const SUM: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

/// What the test's server says. `/echo` gives back what it was asked.
fn says(asked: &str) -> Vec<u8> {
    let path = asked.split(' ').nth(1).unwrap_or_default();
    let has = |header: &str| asked.to_ascii_lowercase().contains(&header.to_ascii_lowercase());
    let (head, body) = match path {
        "/f.txt" if has("If-Modified-Since: ") => ("304 Not Modified\r\n", b"".to_vec()),
        "/f.txt" | "/new" => ("200 OK\r\n", b"hello\n".to_vec()),
        "/redir" => ("302 Found\r\nLocation: f.txt\r\n", Vec::new()),
        "/away" => ("302 Found\r\nLocation: http://other/echo\r\n", Vec::new()),
        "/loop" => ("302 Found\r\nLocation: /loop\r\n", Vec::new()),
        "/cd" => ("200 OK\r\nContent-Disposition: attachment; filename=\"../n.bin\"\r\n", b"named".to_vec()),
        "/gz" => ("200 OK\r\nContent-Encoding: gzip\r\n", gzip(b"zipped\n")),
        "/auth" if has(&format!("Authorization: Basic {}", base64(b"u:p"))) => ("200 OK\r\n", b"in".to_vec()),
        "/auth" => ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n", Vec::new()),
        "/digest" => ("401 Unauthorized\r\nWWW-Authenticate: Digest realm=x\r\n", Vec::new()),
        "/sums" => ("200 OK\r\n", format!("00  other\n{SUM}  f.txt\n").into_bytes()),
        "/chunks" => {
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            let body = if asked.starts_with("HEAD") { "" } else { "3\r\nabc\r\n4;x\r\ndefg\r\n0\r\n\r\n" };
            return [head, body.into()].concat();
        }
        "/short" => return b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec(),
        "/echo" => ("200 OK\r\n", asked.as_bytes().to_vec()),
        "http://far/" => ("200 OK\r\n", b"by proxy".to_vec()),
        _ => ("404 Not Found\r\n", b"no".to_vec()),
    };
    let mut answer = format!("HTTP/1.1 {head}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    if !asked.starts_with("HEAD") {
        answer.extend(body);
    }
    answer
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn stage() -> Trial {
    let trial = Trial::of("get_url");
    trial.host.dir("/d").serve(80, says);
    trial
}

fn with(url: &str, more: &Json) -> Json {
    let mut args = json!({"url": url, "dest": "/d/f"});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    args
}

/// Downloads from the test's server to `/d/f`, in check mode first, then twice more: what the file then holds.
#[track_caller]
fn check(path: &str, more: &Json, expected: &str) -> Json {
    let trial = stage();
    let result = trial.lawful(&with(&format!("http://h{path}"), more));
    assert_eq!(trial.host.read(result["dest"].as_str().unwrap()).as_deref(), Some(expected), "{result}");
    assert_eq!(trial.host.list_of("/tmp"), "", "something was left behind");
    result
}

#[test]
fn files_are_downloaded() {
    let result = check("/f.txt", &json!({"mode": "0600"}), "hello\n");
    for (key, value) in [
        ("status_code", json!(200)),
        ("msg", json!("OK (6 bytes)")),
        ("checksum_src", json!("f572d396fae9206628714fb2ce00f72e94f2258f")),
        ("checksum_dest", Json::Null),
        ("md5sum", json!("b1946ac92492d2347c6235b4d2611184")),
        ("mode", json!("0600")),
        ("size", json!(6)),
        ("url", json!("http://h/f.txt")),
    ] {
        assert_eq!(result[key], value, "{key}");
    }
    assert_eq!(check("/chunks", &json!({}), "abcdefg")["msg"], "OK (unknown bytes)");
    check("/gz", &json!({}), "zipped\n");
    check("/redir", &json!({}), "hello\n");
    check("/redir", &json!({"force": true}), "hello\n");
    check("/f.txt", &json!({"checksum": format!("sha256:{}", SUM.to_uppercase())}), "hello\n");
    check("/f.txt", &json!({"checksum": "sha256:http://h/sums"}), "hello\n");
}

#[test]
fn a_directory_gets_the_file_under_its_name() {
    assert_eq!(check("/f.txt", &json!({"dest": "/d"}), "hello\n")["dest"], "/d/f.txt");
    assert_eq!(check("/redir", &json!({"dest": "/d/"}), "hello\n")["dest"], "/d/f.txt");
    assert_eq!(check("/cd", &json!({"dest": "/d"}), "named")["dest"], "/d/n.bin");
}

#[test]
fn what_is_there_is_kept_unless_it_differs() {
    let run = |path: &str, more: Json| {
        let trial = stage();
        trial.host.file("/d/f", "old\n");
        let args = with(&format!("http://h{path}"), &more);
        let foretold = trial.check(&args)["changed"].clone();
        let result = trial.run(&args);
        assert_eq!(foretold, result["changed"], "{args}");
        (result["changed"].clone(), result["status_code"].clone(), trial.host.read("/d/f").unwrap())
    };
    let kept = |code| (json!(false), json!(code), "old\n".to_owned());
    let new = (json!(true), json!(200), "hello\n".to_owned());
    assert_eq!(run("/f.txt", json!({})), kept(304));
    assert_eq!(run("/f.txt", json!({"force": true})), new);
    assert_eq!(run("/f.txt", json!({"checksum": format!("sha256:{SUM}")})), new);
    assert_eq!(run("/new", json!({})), new);
    let trial = stage();
    trial.host.file("/d/f", "old\n");
    let result = trial.run(&with("http://h/new", &json!({"backup": true})));
    assert_eq!(trial.host.read(result["backup_file"].as_str().unwrap()).as_deref(), Some("old\n"));
}

#[test]
fn servers_ask_for_passwords() {
    let user = json!({"url_username": "u", "url_password": "p"});
    check("/auth", &user, "in");
    check("/auth", &json!({"username": "u", "password": "p", "force_basic_auth": true}), "in");
    let trial = stage();
    let result = trial.run(&with("http://u:p@h/auth", &json!({})));
    assert_eq!((&result["changed"], &result["url"]), (&json!(true), &json!("http://****:****@h/auth")));
    trial.host.file("/root/.netrc", "machine h login u password p");
    let result = trial.run(&with("http://h/auth", &json!({"force": true})));
    assert_eq!(result["status_code"], 200);
}

#[test]
fn requests_carry_what_they_should_and_no_more() {
    let echo = |url: &str, more: Json| {
        let trial = stage();
        trial.host.set_env("http_proxy", "").set_env("no_proxy", "h");
        let result = trial.run(&with(url, &more));
        trial.host.read("/d/f").unwrap_or_else(|| panic!("{result}"))
    };
    let asked = echo("http://h/echo", json!({"headers": {"X-A": "b", "accept-encoding": "br"}}));
    assert_eq!(
        asked,
        "GET /echo HTTP/1.1\r\nHost: h\r\nUser-Agent: ansible-httpget\r\nX-A: b\r\naccept-encoding: br\r\n\
         Connection: close\r\n\r\n"
    );
    let user = json!({"url_username": "u", "force_basic_auth": true, "headers": {"Cookie": "c", "X-A": "b"}});
    assert!(echo("http://h/echo", user.clone()).contains("Authorization: Basic dTo="));
    let away = echo("http://h/away", user);
    assert!(away.contains("X-A: b") && !away.contains("Authorization") && !away.contains("Cookie"), "{away}");
    let away = echo("http://h/away", json!({"headers": {"X-A": "b"}, "unredirected_headers": ["x-a"]}));
    assert!(!away.contains("X-A"), "{away}");
}

#[test]
fn the_proxy_of_the_environment_counts() {
    let trial = stage();
    trial.host.set_env("http_proxy", "http://me:secret@proxy:80/");
    trial.run(&with("http://far/", &json!({})));
    assert_eq!(trial.host.read("/d/f").as_deref(), Some("by proxy"));
    let direct = trial.run(&with("http://far/", &json!({"use_proxy": false})));
    assert_eq!(direct["status_code"], 404, "{direct}");
}

#[test]
fn failures_say_what_and_leave_nothing() {
    for (args, message) in [
        (with("http://h/nope", &json!({})), "Request failed"),
        (with("http://h/loop", &json!({})), "Request failed"),
        (with("http://h/auth", &json!({})), "Request failed"),
        (with("http://h/short", &json!({})), "Connection failure: the server hung up before the end"),
        (with("http://h:81/", &json!({})), "Request failed: cannot connect to h:81: connection refused"),
        (with("https://h/", &json!({})), "https needs curl (or wget) on the target, and there is neither"),
        (with("ftp://h/", &json!({})), "ftp needs curl on the target, and there is none"),
        (
            with("http://h/digest", &json!({"url_username": "u"})),
            "this kind of authentication needs curl on the target, and there is none",
        ),
        (
            with("http://h/f.txt", &json!({"use_gssapi": true})),
            "use_gssapi needs curl on the target, and there is none",
        ),
        (
            with("http://h/f.txt", &json!({"checksum": "sha256:00"})),
            &format!("The checksum for /tmp/fanfare-m0 did not match 00; it was {SUM}."),
        ),
        (
            with("http://h/f.txt", &json!({"checksum": "00"})),
            "The checksum parameter has to be in format <algorithm>:<checksum>",
        ),
        (
            with("http://h/echo", &json!({"checksum": "sha256:http://h/sums"})),
            "Unable to find a checksum for file 'echo' in 'http://h/sums'",
        ),
        (
            with("http://h/f.txt", &json!({"checksum": "zz:00"})),
            "checksum: unknown algorithm zz. Known are: md5, sha1, sha224, sha256, sha384, sha512",
        ),
        (with("http://h/f.txt", &json!({"client_cert": "/nope"})), "client_cert: there is no /nope"),
        (
            with("http://h/f.txt", &json!({"client_cert": "/d", "client_key": "/nope"})),
            "client_key: there is no /nope",
        ),
        (with("http://h/f.txt", &json!({"tmp_dest": "/nope"})), "/nope directory does not exist."),
        (with("http://h/f.txt", &json!({"dest": "/nope/f"})), "Destination /nope does not exist"),
        (
            with("http://h/f.txt", &json!({"headers": {"X": "a\r\nY: b"}})),
            "headers: \"X\" is no header, or holds a line break",
        ),
    ] {
        let trial = stage();
        let before = trial.host.snapshot();
        let result = trial.run(&args);
        assert_eq!((&result["failed"], &result["msg"]), (&json!(true), &json!(message)), "{args}");
        assert_eq!(trial.host.snapshot(), before, "{args}");
    }
    let missing = stage().run(&with("http://h/nope", &json!({})));
    assert_eq!(missing["response"], "HTTP Error 404: Not Found");
    assert_eq!((&missing["status_code"], &missing["dest"]), (&json!(404), &json!("/d/f")));
}

#[test]
fn files_of_the_target_are_urls_too() {
    let trial = stage();
    trial.host.file("/srv/a b", "here");
    let result = trial.lawful(&with("file:///srv/a%20b", &json!({})));
    assert_eq!((trial.host.read("/d/f").as_deref(), &result["msg"]), (Some("here"), &json!("OK (4 bytes)")));
}

#[test]
fn curl_hears_secrets_on_its_input_alone() {
    let trial = stage();
    trial.host.file("/c.pem", "");
    trial.host.program("/usr/bin/curl").script("/usr/bin/curl -q -K -", |command, host| {
        let config = String::from_utf8(command.stdin.clone().unwrap()).unwrap();
        let line = |name: &str| config.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        if let Some(path) = line("output = ").strip_prefix('"') {
            let path = std::path::Path::new(path.trim_end_matches('"'));
            host.place(path, &mut config.as_bytes(), &Placement::default()).unwrap();
        }
        let stdout = b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n\r\n".to_vec();
        Output { stdout, ..Output::default() }
    });
    let args = with(
        "https://h/x",
        &json!({"url_username": "u", "url_password": "p\"q", "force_basic_auth": true, "validate_certs": false,
                "ciphers": ["a", "b"], "client_cert": "/c.pem", "timeout": 3}),
    );
    let result = trial.run(&args);
    assert_eq!(result["msg"], "OK (unknown bytes)", "{result}");
    assert_eq!(trial.host.ran(), ["/usr/bin/curl -q -K -"]);
    let config = trial.host.read("/d/f").unwrap();
    for line in [
        "url = \"https://h/x\"",
        "header = \"Authorization: Basic dTpwInE=\"",
        "insecure",
        "ciphers = \"a:b\"",
        "cert = \"/c.pem\"",
        "connect-timeout = \"3\"",
        "noproxy = \"*\"",
        "output = \"/tmp/fanfare-m0\"",
    ] {
        assert!(config.lines().any(|known| known == line), "{line} is not in {config}");
    }
}

#[test]
fn wget_is_told_nothing_secret() {
    let trial = stage();
    trial.host.program("/usr/bin/wget").script("/usr/bin/wget", |command, host| {
        let to = command.argv.iter().skip_while(|word| *word != "-O").nth(1).unwrap();
        host.place(std::path::Path::new(to), &mut &b"got"[..], &Placement::default()).unwrap();
        let stderr =
            b"  HTTP/1.1 302 Found\n  Location: /y\n  HTTP/1.1 200 OK\n  Content-Length: 3\n".to_vec();
        Output { stderr, ..Output::default() }
    });
    let result = trial.run(&with("https://h/x", &json!({"dest": "/d"})));
    assert_eq!((&result["dest"], &result["msg"]), (&json!("/d/y"), &json!("OK (3 bytes)")), "{result}");
    trial.host.file("/c", "");
    for (option, value) in [("headers", json!({"X": "y"})), ("client_cert", json!("/c"))] {
        let refused = trial.run(&with("https://h/x", &json!({option: value})));
        assert!(refused["msg"].as_str().unwrap().starts_with(&format!("{option} over https needs curl")));
    }
    let refused = trial.run(&with("https://u:p@h/x", &json!({"force_basic_auth": true})));
    assert!(refused["msg"].as_str().unwrap().starts_with("url_username over https needs curl"), "{refused}");
}

/// The real machine, with its curl where there is one.
#[test]
#[expect(clippy::disallowed_methods, reason = "it looks at the machine from outside the module")]
fn a_real_server_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = Vec::new();
            let mut byte = [0];
            while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
                asked.extend(byte);
            }
            let _ = stream.write_all(&says(&String::from_utf8_lossy(&asked)));
        }
    });
    let dest = std::env::temp_dir().join(format!("fanfare-get-url-{port}"));
    let call = |path: &str, more: Json, check: bool| {
        let mut args = with(&format!("http://127.0.0.1:{port}{path}"), &more);
        args["dest"] = json!(dest);
        let spec = crate::find("get_url").unwrap().spec();
        let args = spec.normalise(args.as_object().unwrap()).unwrap();
        let args = serde_json::from_value(Json::Object(args)).unwrap();
        let real = Real::new();
        let overlay = crate::kit::overlay::Overlay::over(&real);
        let host: &dyn crate::kit::host::Host = if check { &overlay } else { &real };
        let mut channel = Deaf;
        let mut sys = System::new(host, &mut channel, Wishes { check, ..Wishes::default() });
        let done = super::run(args, &mut sys).map(|returns| serde_json::to_value(returns).unwrap());
        let changed = !sys.changes().is_empty();
        (Json::Object(result_map(done)), changed, std::fs::read_to_string(&dest).ok())
    };
    let hello = Some("hello\n".to_owned());
    let (result, changed, content) = call("/redir", json!({}), true);
    assert!(changed && content.is_none(), "{result}");
    let (result, changed, content) = call("/redir", json!({}), false);
    assert_eq!((changed, &content), (true, &hello), "{result}");
    assert_eq!(result["status_code"], 200);
    let (result, changed, _) = call("/f.txt", json!({}), false);
    assert_eq!((changed, &result["status_code"]), (false, &json!(304)));
    for check in [true, false] {
        let (result, changed, _) = call("/new", json!({"force": true}), check);
        assert_eq!((changed, &result["status_code"]), (false, &json!(200)), "{result}");
    }
    for (path, more, expected) in [
        ("/gz", json!({}), "zipped\n"),
        ("/chunks", json!({}), "abcdefg"),
        ("/auth", json!({"url_username": "u", "url_password": "p"}), "in"),
    ] {
        let more = with("", &more);
        let mut more = more.as_object().unwrap().clone();
        more.retain(|key, _| key != "url" && key != "dest");
        more.insert("force".to_owned(), json!(true));
        let (result, _, content) = call(path, Json::Object(more), false);
        assert_eq!(content.as_deref(), Some(expected), "{result}");
    }
    let (result, _, _) = call("/short", json!({"force": true}), false);
    let said = result["msg"].as_str().unwrap();
    assert!(said.starts_with("Request failed: ") || said.starts_with("Connection failure: "), "{said}");
    let (result, _, _) = call("/nope", json!({"force": true}), false);
    assert_eq!(result["response"], "HTTP Error 404: Not Found");
    std::fs::remove_file(dest).unwrap();
}
