use serde_json::{Value as Json, json};

use crate::kit::Output;
use crate::kit::encode::base64;
use crate::kit::trial::Trial;

/// What the test's server says. `/echo` gives back what it was asked.
fn says(asked: &str) -> Vec<u8> {
    let path = asked.split(' ').nth(1).unwrap_or_default();
    let has = |header: &str| asked.to_ascii_lowercase().contains(&header.to_ascii_lowercase());
    let (head, body) = match path {
        "/echo" => ("200 OK\r\nContent-Type: text/plain\r\n", asked),
        "/json" => ("200 OK\r\nContent-Type: application/json; charset=utf-8\r\n", "{\"a\": [1]}"),
        "/bad" => ("200 OK\r\nContent-Type: application/json\r\n", "{a"),
        "/made" => ("201 Created\r\nX-Some-Thing: 1\r\nX-Some-Thing: 2\r\n", ""),
        "/none" => ("204 No Content\r\n", ""),
        "/moved" => ("302 Found\r\nLocation: /echo\r\nSet-Cookie: s=1\r\n", "moved"),
        "/again" => ("307 Temporary Redirect\r\nLocation: /echo\r\n", ""),
        "/sly" => ("200 OK\r\nFailed: 1\r\nChanged: yes\r\nAnsible-Facts: x\r\nPath: /p\r\nX: y\r\n", ""),
        "/cookies" => ("200 OK\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=\"d e\"; Path=/x\r\n", ""),
        "/auth" if has(&format!("Authorization: Basic {}", base64(b"u:p"))) => ("200 OK\r\n", "in"),
        "/auth" => ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n", ""),
        "/f.txt" if has("If-Modified-Since: ") => ("304 Not Modified\r\n", ""),
        "/f.txt" => ("200 OK\r\n", "hello\n"),
        _ => ("404 Not Found\r\n", "no"),
    };
    let mut answer = format!("HTTP/1.1 {head}Content-Length: {}\r\n\r\n", body.len());
    if !asked.starts_with("HEAD") {
        answer.push_str(body);
    }
    answer.into_bytes()
}

fn stage() -> Trial {
    let trial = Trial::of("uri");
    trial.host.dir("/d").serve(80, says);
    trial
}

fn with(path: &str, more: &Json) -> Json {
    let mut args = json!({"url": format!("http://h{path}")});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    args
}

#[track_caller]
fn ask(path: &str, more: &Json) -> Json {
    let trial = stage();
    let result = trial.run(&with(path, more));
    assert_eq!(trial.host.list_of("/tmp"), "", "something was left behind");
    result
}

/// What the server heard.
#[track_caller]
fn heard(path: &str, more: &Json) -> String {
    let mut more = more.clone();
    more["return_content"] = json!(true);
    let result = ask(path, &more);
    result["content"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned()
}

#[test]
fn answers_are_told() {
    let result = ask("/json", &json!({}));
    for (key, value) in [
        ("changed", json!(false)),
        ("status", json!(200)),
        ("msg", json!("OK (10 bytes)")),
        ("url", json!("http://h/json")),
        ("redirected", json!(false)),
        ("json", json!({"a": [1]})),
        ("content", Json::Null),
        ("content_type", json!("application/json; charset=utf-8")),
        ("cookies", json!({})),
        ("cookies_string", json!("")),
    ] {
        assert_eq!(result[key], value, "{key}");
    }
    let bad = ask("/bad", &json!({"return_content": true}));
    assert_eq!((&bad["content"], &bad["json"]), (&json!("{a"), &Json::Null));
    assert_eq!(ask("/made", &json!({"status_code": "200, 201"}))["x_some_thing"], "1, 2");
    assert_eq!(ask("/json", &json!({"method": "head", "return_content": true}))["content"], "");
    assert_eq!(ask("/none", &json!({"status_code": 204, "return_content": true}))["content"], "");
    let cookies = ask("/cookies", &json!({}));
    assert_eq!(cookies["cookies"], json!({"a": "b", "c": "\"d e\""}));
    assert_eq!(cookies["cookies_string"], "a=b; c=\"d e\"");
    let sly = ask("/sly", &json!({}));
    for key in ["failed", "ansible_facts", "path"] {
        assert_eq!(sly.get(key), None, "{key}");
    }
    assert_eq!((&sly["changed"], &sly["x"]), (&json!(false), &json!("y")));
}

#[test]
fn bodies_are_sent() {
    let check = |more: Json, kind: &str, body: &str| {
        let mut more = more;
        more["method"] = json!("POST");
        let heard = heard("/echo", &more);
        let lower = heard.to_ascii_lowercase();
        assert!(lower.contains(&format!("\r\ncontent-type: {kind}\r\n")), "{heard}");
        assert!(heard.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{heard}");
        assert!(heard.starts_with("POST /echo") && heard.ends_with(&format!("\r\n\r\n{body}")), "{heard}");
    };
    let form = "application/x-www-form-urlencoded";
    check(json!({"body": "raw"}), form, "raw");
    check(json!({"body": ""}), form, "");
    check(json!({"body_format": "json", "body": {"a": [1, true]}}), "application/json", "{\"a\": [1, true]}");
    check(json!({"body_format": "json", "body": "{\"x\":   1}"}), "application/json", "{\"x\":   1}");
    check(json!({"body_format": "json"}), "application/json", "null");
    check(json!({"body_format": "json", "body": {}, "headers": {"content-type": "a/b"}}), "a/b", "{}");
}

#[test]
fn forms_hold_text_and_files() {
    let body = json!({
        "t": "v", "g": {"content": "a\nb", "filename": "x/g.json"}, "f": {"filename": "/d/f.txt"},
        "e": {"filename": "/d/f.txt", "multipart_encoding": "7or8bit", "mime_type": "a/b"},
    });
    let trial = stage();
    trial.host.file("/d/f.txt", "hello\n");
    let args = json!({"method": "PUT", "body_format": "form-multipart", "body": body, "remote_src": true,
                      "return_content": true, "headers": {"Content-Type": "mine"}});
    let result = trial.run(&with("/echo", &args));
    let heard = result["content"].as_str().unwrap();
    let (_, rest) = heard.split_once("Content-Type: multipart/form-data; boundary=\"").unwrap();
    let (boundary, _) = rest.split_once('"').unwrap();
    let (_, sent) = heard.split_once("\r\n\r\n").unwrap();
    assert_eq!(
        sent.replace(boundary, "BOUND").replace("\r\n", "\n"),
        "--BOUND\nContent-Transfer-Encoding: 7bit\nContent-Type: a/b\n\
         Content-Disposition: form-data; name=\"e\"; filename=\"f.txt\"\n\nhello\n\n\
         --BOUND\nContent-Transfer-Encoding: base64\nContent-Type: text/plain\n\
         Content-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\n\naGVsbG8K\n\n\
         --BOUND\nContent-Type: application/json\n\
         Content-Disposition: form-data; name=\"g\"; filename=\"g.json\"\n\na\nb\n\
         --BOUND\nContent-Type: text/plain\nContent-Disposition: form-data; name=\"t\"\n\nv\n--BOUND--\n"
    );
}

#[test]
fn redirections_are_followed_as_asked_for() {
    for (follow, method, path, expected) in [
        ("safe", "GET", "/moved", "GET "),
        ("safe", "POST", "/moved", "302"),
        ("all", "POST", "/moved", "GET "),
        ("all", "PUT", "/again", "PUT "),
        ("yes", "GET", "/moved", "GET "),
        ("none", "GET", "/moved", "302"),
        ("no", "GET", "/moved", "302"),
        ("urllib2", "POST", "/moved", "GET "),
        ("urllib2", "POST", "/again", "307"),
        ("urllib2", "PUT", "/moved", "302"),
        ("urllib2", "GET", "/again", "GET "),
    ] {
        let more = json!({"follow_redirects": follow, "method": method, "body": "x", "return_content": true,
                          "status_code": [200, 302, 307]});
        let result = ask(path, &more);
        let content = result["content"].as_str().unwrap();
        if result["status"] == 200 {
            assert!(content.starts_with(expected), "{follow} {method} {path}: {content}");
            assert_eq!(content.ends_with("\r\n\r\nx"), path == "/again" && follow == "all", "{content}");
            assert_eq!(content.contains("Cookie: s=1"), path == "/moved", "{content}");
            assert_eq!((&result["redirected"], &result["url"]), (&json!(true), &json!("http://h/echo")));
        } else {
            assert_eq!(result["status"].to_string(), expected, "{follow} {method} {path}");
            assert_eq!(
                (&result["redirected"], &result["location"]),
                (&json!(false), &json!("http://h/echo"))
            );
        }
    }
}

#[test]
fn files_are_kept() {
    let trial = stage();
    let args = with("/f.txt", &json!({"dest": "/d", "mode": "0600"}));
    let result = trial.run(&args);
    assert_eq!(
        (&result["changed"], &result["path"], &result["mode"]),
        (&json!(true), &json!("/d/f.txt"), &json!("0600"))
    );
    assert_eq!(trial.host.read("/d/f.txt").as_deref(), Some("hello\n"));
    assert_eq!(trial.run(&args)["changed"], false);
    let args = with("/f.txt", &json!({"dest": "/d/f.txt", "status_code": [200, 304]}));
    let result = trial.run(&args);
    assert_eq!((&result["changed"], &result["status"]), (&json!(false), &json!(304)), "{result}");
    let result = trial.run(&with("/nope", &json!({"dest": "/d/g"})));
    assert_eq!((&result["failed"], &result["path"]), (&json!(true), &json!("/d/g")));
    assert_eq!(trial.host.read("/d/g"), None);
}

#[test]
fn nothing_is_asked_where_it_need_not_be() {
    let trial = Trial::of("uri");
    trial.host.file("/there", "");
    for (more, expected) in [
        (json!({"creates": "/there"}), "skipped, since '/there' exists"),
        (json!({"removes": "/not"}), "skipped, since '/not' does not exist"),
    ] {
        let result = trial.run(&with("/", &more));
        assert_eq!((&result["stdout"], &result["changed"]), (&json!(expected), &json!(false)));
    }
    let result = trial.check(&with("/", &json!({})));
    assert_eq!(result["skipped"], true);
    assert_eq!(result["msg"], "This action (uri) does not support check mode.");
}

#[test]
fn passwords_are_sent_when_asked_for() {
    assert_eq!(ask("/auth", &json!({"user": "u", "password": "p"}))["status"], 200);
    let url = stage().run(&json!({"url": "http://u:p@h/auth"}));
    assert_eq!((&url["status"], &url["url"]), (&json!(200), &json!("http://h/auth")));
    assert!(
        heard("/echo", &json!({"user": "u", "password": "p", "force_basic_auth": true}))
            .contains("Basic dTpw")
    );
}

#[test]
fn failures_say_what() {
    for (args, status, message) in [
        (
            with("/nope", &json!({})),
            json!(404),
            "Status code was 404 and not [200]: HTTP Error 404: Not Found",
        ),
        (with("/made", &json!({})), json!(201), "Status code was 201 and not [200]: OK (0 bytes)"),
        (
            with("/auth", &json!({})),
            json!(401),
            "Status code was 401 and not [200]: HTTP Error 401: Unauthorized",
        ),
        (
            json!({"url": "http://h:81/"}),
            json!(-1),
            "Status code was -1 and not [200]: Request failed: cannot connect to h:81: connection refused",
        ),
        (
            json!({"url": "https://h/"}),
            json!(-1),
            "Status code was -1 and not [200]: https needs curl (or wget) on the target, and there is neither",
        ),
        (json!({"url": "nope"}), json!(-1), "unknown url type: 'nope'"),
        (
            with("/", &json!({"method": "A B"})),
            Json::Null,
            "Parameter 'method' needs to be a single word in uppercase, like GET or POST.",
        ),
        (
            with("/", &json!({"body": {"a": 1}})),
            Json::Null,
            "body must be text where body_format is raw; json takes everything",
        ),
        (
            with("/", &json!({"body_format": "form-multipart", "body": {"t": {}}})),
            Json::Null,
            "failed to parse body as form-multipart: at least one of filename or content must be provided",
        ),
        (
            with("/", &json!({"src": "/not", "remote_src": true})),
            Json::Null,
            "Unable to open source file /not",
        ),
    ] {
        let trial = stage();
        let before = trial.host.snapshot();
        let result = trial.run(&args);
        assert_eq!((&result["failed"], &result["msg"]), (&json!(true), &json!(message)), "{args}");
        assert_eq!(result["status"], status, "{args}");
        assert_eq!(trial.host.snapshot(), before, "{args}");
    }
    let none = stage().run(&json!({"url": "http://h:81/", "status_code": [200, -1]}));
    assert_eq!((&none["status"], none.get("failed")), (&json!(-1), None), "{none}");
}

#[test]
fn curl_hears_secrets_and_bodies_on_its_input_alone() {
    let trial = stage();
    trial.host.program("/usr/bin/curl").script("/usr/bin/curl -q -K -", |command, host| {
        let config = String::from_utf8(command.stdin.clone().unwrap()).unwrap();
        for line in [
            "request = \"POST\"",
            "header = \"Authorization: Basic dTpw\"",
            "header = \"Content-Type: application/json\"",
            "cacert = \"/ca.pem\"",
            "unix-socket = \"/run/s\"",
        ] {
            assert!(config.lines().any(|known| known == line), "{line} is not in {config}");
        }
        let (_, rest) = config.split_once("data-binary = \"@").unwrap();
        let path = std::path::Path::new(rest.split('"').next().unwrap());
        assert_eq!(host.stat(path, true).unwrap().unwrap().mode & 0o777, 0o600);
        Output { stdout: b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), ..Output::default() }
    });
    trial.host.file("/ca.pem", "");
    let args = json!({
        "url": "https://h/", "method": "POST", "user": "u", "password": "p", "force_basic_auth": true,
        "body_format": "json", "body": {"token": "t"}, "ca_path": "/ca.pem", "unix_socket": "/run/s",
    });
    assert_eq!(trial.run(&args)["status"], 200);
    assert_eq!(trial.host.ran(), ["/usr/bin/curl -q -K -"]);
    assert_eq!(trial.host.list_of("/tmp"), "");
}

#[test]
fn wget_is_not_asked_for_what_it_cannot_do() {
    let trial = stage();
    trial.host.program("/usr/bin/wget").file("/c", "");
    for (option, value) in [
        ("method", json!("POST")),
        ("follow_redirects", json!("none")),
        ("ca_path", json!("/c")),
        ("unix_socket", json!("/s")),
        ("ciphers", json!("x")),
    ] {
        let result = trial.run(&json!({"url": "https://h/", option: value}));
        let expected = format!("Status code was -1 and not [200]: {option} over https needs curl");
        assert!(result["msg"].as_str().unwrap().starts_with(&expected), "{result}");
    }
    assert!(trial.host.ran().is_empty());
    let absent = trial.run(&json!({"url": "http://h/", "ca_path": "/none.pem"}));
    assert!(absent["msg"].as_str().unwrap().contains("Connection failure: "), "{absent}");
}
