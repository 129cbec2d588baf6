//! By `curl`. What it is told goes to its standard input: nothing of it shows in the list of processes.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::get_url::request::{Answer, Hop, Login, Method, header_line, is_get, status_line};
use crate::kit::{Command, Failure, Output, Result, System};

pub(super) fn fetch(
    program: &Path,
    hop: &Hop<'_>,
    method: &Method<'_>,
    sys: &mut System<'_>,
) -> Result<Answer> {
    // In check mode nothing is written: the content comes through the pipe, and is kept in memory.
    let to_file = match method {
        Method::Get(path) if !sys.is_check() => Some(*path),
        _ => None,
    };
    if let Some(path) = to_file {
        // Made before curl opens it, so that nobody else can read it.
        sys.spool(path, 0o600, &mut io::empty())?;
    }
    let command = Command::new(program).args(["-q", "-K", "-"]).stdin(config(hop, method, to_file));
    let output = sys.query(command)?;
    if !output.ok() {
        return Err(failed(&output));
    }
    let (mut answer, body) = if hop.url.is_http() {
        read(&output.stdout, hop).ok_or_else(|| Failure::new("Request failed: the server speaks no HTTP"))?
    } else {
        let headers = Vec::new();
        let answer =
            Answer { status: None, reason: String::new(), headers, url: hop.url.clone(), fetched: false };
        (answer, output.stdout.as_slice())
    };
    answer.fetched = is_get(method);
    if let (Method::Get(path), None) = (method, to_file) {
        sys.spool(path, 0o600, &mut &*body)?;
    }
    Ok(answer)
}

/// The options, as a configuration file.
fn config(hop: &Hop<'_>, method: &Method<'_>, to_file: Option<&Path>) -> String {
    let args = hop.args;
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
    let timeout = args.timeout.max(1).to_string();
    set("connect-timeout", &timeout);
    set("speed-time", &timeout);
    set("speed-limit", "1");
    for (name, value) in &hop.headers {
        // With nothing behind the colon curl would leave the header out.
        let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        set("header", &line);
    }
    if !hop.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
        set("header", "Accept:");
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
    for (name, path) in [("cert", &args.client_cert), ("key", &args.client_key)] {
        if let Some(path) = path {
            set(name, &path.text());
        }
    }
    if let Some(ciphers) = &args.ciphers {
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
        ("insecure", !args.validate_certs),
        ("digest", matches!(hop.login, Login::Digest(..))),
        ("negotiate", matches!(hop.login, Login::Kerberos(_))),
        ("head", !is_get(method)),
        ("include", is_get(method) && to_file.is_none() && hop.url.is_http()),
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
    Some((Answer { status: Some(status), reason, headers, url: hop.url.clone(), fetched: false }, rest))
}

fn failed(output: &Output) -> Failure {
    let stderr = output.stderr();
    let said = stderr.trim().trim_start_matches("curl:").trim();
    match output.code {
        28 => Failure::new("Connection failure: timed out"),
        _ if said.is_empty() => Failure::new(format!("Request failed: curl ended with code {}", output.code)),
        _ => Failure::new(format!("Request failed: {said}")),
    }
}
