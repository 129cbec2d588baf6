//! By `wget`, GNU's or busybox's: https on targets without curl. It follows redirections itself, and takes what it
//! is told from its arguments, so nothing secret may be among it.

use std::path::Path;

use crate::get_url::request::{Answer, Hop, Method, header_line, is_get, status_line};
use crate::kit::{Command, Failure, Result, System};

pub(super) fn fetch(
    program: &Path,
    hop: &Hop<'_>,
    method: &Method<'_>,
    sys: &mut System<'_>,
) -> Result<Answer> {
    refuse(hop)?;
    let to_file = match method {
        Method::Get(path) if !sys.is_check() => Some(*path),
        _ => None,
    };
    let agent = hop.headers.iter().find(|(name, _)| name == "User-Agent").map(|(_, value)| value.as_str());
    let mut command = Command::new(program)
        .args(["-q", "-S", "-T", &hop.args.timeout.max(1).to_string()])
        .opt("-U", agent)
        .flag("--no-check-certificate", !hop.args.validate_certs);
    if let Some((name, date)) = hop.headers.iter().find(|(name, _)| name == "If-Modified-Since") {
        command = command.arg("--header").arg(format!("{name}: {date}"));
    }
    command = match (method, to_file) {
        (Method::Head, _) => command.arg("--spider"),
        (Method::Get(_), Some(path)) => {
            sys.spool(path, 0o600, &mut std::io::empty())?;
            command.arg("-O").arg(path)
        }
        (Method::Get(_), None) => command.args(["-O", "-"]),
    };
    // Which proxy counts was decided already.
    let proxy = hop.proxy.as_ref().map(super::url::Url::plain).unwrap_or_default();
    let output =
        sys.query(command.env("https_proxy", proxy).env("no_proxy", "").arg("--").arg(hop.url.plain()))?;
    let stderr = output.stderr();
    let mut answer = Answer {
        status: None,
        reason: String::new(),
        headers: Vec::new(),
        url: hop.url.clone(),
        fetched: false,
    };
    for line in stderr.lines().map(str::trim) {
        if let Some((status, reason)) = status_line(line) {
            if let Some(location) = answer.header("location").filter(|_| answer.status.is_some()) {
                answer.url = answer.url.join(location)?;
            }
            (answer.status, answer.reason) = (Some(status), reason);
            answer.headers.clear();
        } else if answer.status.is_some() {
            answer.headers.extend(header_line(line));
        }
    }
    if answer.status.is_none() || (!output.ok() && answer.status == Some(200)) {
        let said = stderr.trim();
        let why =
            if said.is_empty() { format!("wget ended with code {}", output.code) } else { said.to_owned() };
        return Err(Failure::new(format!("Request failed: {why}")));
    }
    answer.fetched = is_get(method);
    if let (Method::Get(path), None) = (method, to_file) {
        sys.spool(path, 0o600, &mut output.stdout.as_slice())?;
    }
    Ok(answer)
}

/// What wget cannot do, or not without showing it to everybody on the target.
fn refuse(hop: &Hop<'_>) -> Result<()> {
    let args = hop.args;
    let known = ["User-Agent", "Accept-Encoding", "If-Modified-Since", "Cache-Control"];
    let wanted = [
        ("headers", args.headers.as_ref().is_some_and(|headers| !headers.is_empty())),
        ("url_username", !hop.headers.iter().all(|(name, _)| known.contains(&name.as_str()))),
        ("client_cert", args.client_cert.is_some()),
        ("client_key", args.client_key.is_some()),
        ("ciphers", args.ciphers.is_some()),
        ("a proxy with a password", hop.proxy.as_ref().is_some_and(|proxy| proxy.credentials.is_some())),
    ];
    match wanted.iter().find(|(_, given)| *given) {
        Some((what, _)) => Err(Failure::new(format!(
            "{what} over https needs curl on the target: there is only wget, which would show it to all users or \
             cannot do it"
        ))),
        None => Ok(()),
    }
}
