//! By `curl`. What it is told goes to its standard input: nothing of it shows in the list of processes.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::kit::http::answer::{Answer, header_line, status_line};
use crate::kit::http::request::{Hop, Login};
use crate::kit::{Command, Failure, Output, Result, System};

pub(super) fn fetch(program: &Path, hop: &Hop<'_>, sys: &mut System<'_>) -> Result<Answer> {
    if hop.method == "HEAD" && hop.body.is_some() {
        return Err(Failure::new("body: curl sends none with the method HEAD"));
    }
    let place = hop.place();
    // In check mode nothing is written: the content comes through the pipe, and is kept in memory.
    let to_file = place.filter(|_| !sys.is_check());
    if let Some(path) = to_file {
        // Made before curl opens it, so that nobody else can read it.
        sys.spool(path, 0o600, &mut io::empty())?;
    }
    let command = Command::new(program).args(["-q", "-K", "-"]).stdin(config(hop, to_file));
    let output = sys.query(command)?;
    if !output.ok() {
        return Err(failed(&output));
    }
    let (mut answer, body) = if hop.url.is_http() {
        read(&output.stdout, hop).ok_or_else(|| Failure::new("Request failed: the server speaks no HTTP"))?
    } else {
        (Answer::new(None, String::new(), Vec::new(), hop.url.clone()), output.stdout.as_slice())
    };
    answer.fetched = place.is_some();
    if let (Some(path), None) = (place, to_file) {
        sys.spool(path, 0o600, &mut &*body)?;
    }
    Ok(answer)
}

/// The options, as a configuration file.
fn config(hop: &Hop<'_>, to_file: Option<&Path>) -> String {
    let options = hop.client.options;
    let mut text = "silent\nshow-error\ngloboff\n".to_owned();
    let mut set = |name: &str, value: &str| {
        let mut quoted = String::with_capacity(value.len());
        for c in value.chars() {
            match c {
                '\\' | '"' => quoted.extend(['\\', c]),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                other => quoted.push(other),
            }
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} = \"{quoted}\"");
    };
    set("url", &hop.url.plain());
    let timeout = hop.client.timeout.max(1).to_string();
    set("connect-timeout", &timeout);
    set("speed-time", &timeout);
    set("speed-limit", "1");
    for (name, value) in &hop.headers {
        // With nothing behind the colon curl would leave the header out.
        let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        set("header", &line);
    }
    // What curl would add by itself.
    for name in ["Accept", "Expect", "Content-Type"] {
        if !hop.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            set("header", &format!("{name}:"));
        }
    }
    if hop.lacks_body() {
        set("header", "Content-Length: 0");
    }
    if let Some(path) = hop.body {
        set("data-binary", &format!("@{}", path.to_string_lossy()));
    }
    if hop.url.is_http() && hop.method != "HEAD" {
        set("request", hop.method);
    }
    match &hop.proxy {
        Some(proxy) => {
            set("proxy", &proxy.plain());
            set("noproxy", "");
            if let Some((user, password)) = &proxy.credentials {
                set("proxy-user", &format!("{user}:{password}"));
            }
        }
        None => set("noproxy", "*"),
    }
    for (name, path) in [("cert", &options.client_cert), ("key", &options.client_key)] {
        if let Some(path) = path {
            set(name, &path.text());
        }
    }
    for (name, path) in [("cacert", hop.client.ca_path), ("unix-socket", hop.client.unix_socket)] {
        if let Some(path) = path {
            set(name, &path.to_string_lossy());
        }
    }
    if let Some(ciphers) = &options.ciphers {
        set("ciphers", &ciphers.join(":"));
    }
    match hop.login {
        Login::None => {}
        Login::Password(user, password) | Login::Digest(user, password) => {
            set("user", &format!("{user}:{password}"));
        }
        Login::Kerberos(known) => {
            let (user, password) = known.unwrap_or_default();
            set("user", &format!("{user}:{password}"));
        }
    }
    if let Some(path) = to_file {
        set("output", &path.to_string_lossy());
        set("dump-header", "-");
    }
    let flags = [
        ("insecure", !options.validate_certs),
        ("digest", matches!(hop.login, Login::Digest(..))),
        ("negotiate", matches!(hop.login, Login::Kerberos(_))),
        ("head", hop.method == "HEAD"),
        ("include", hop.place().is_some() && to_file.is_none() && hop.url.is_http()),
        ("http1.1", hop.url.is_http()),
    ];
    for (name, _) in flags.iter().filter(|(_, wanted)| *wanted) {
        text.push_str(name);
        text.push('\n');
    }
    text
}

/// The last head in what curl wrote, and what follows it.
fn read<'o>(output: &'o [u8], hop: &Hop<'_>) -> Option<(Answer, &'o [u8])> {
    let (mut answer, mut rest) = head(output, hop)?;
    // Heads before the last: of the proxy's tunnel, "continue", and questions for a password.
    while rest.starts_with(b"HTTP/")
        && let (Some(100..=199 | 401 | 407), _) | (_, true) =
            (answer.status, answer.reason.to_ascii_lowercase().contains("established"))
        && let Some(next) = head(rest, hop)
    {
        (answer, rest) = next;
    }
    Some((answer, rest))
}

fn head<'o>(output: &'o [u8], hop: &Hop<'_>) -> Option<(Answer, &'o [u8])> {
    let end = output.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (text, rest) = (output.get(..end)?, output.get(end + 4..)?);
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines();
    let (status, reason) = status_line(lines.next()?)?;
    let headers = lines.filter_map(header_line).collect();
    Some((Answer::new(Some(status), reason, headers, hop.url.clone()), rest))
}

fn failed(output: &Output) -> Failure {
    let stderr = output.stderr();
    let said = stderr.trim().trim_start_matches("curl:").trim();
    match output.code {
        6 => Failure::new("Request failed: <urlopen error [Errno -2] Name or service not known>"),
        7 if said.contains("refused") || said.contains("connect to server") => {
            Failure::new("Request failed: <urlopen error [Errno 111] Connection refused>")
        }
        28 => Failure::new("Connection failure: timed out"),
        _ if said.is_empty() => Failure::new(format!("Request failed: curl ended with code {}", output.code)),
        _ => Failure::new(format!("Request failed: {said}")),
    }
}
