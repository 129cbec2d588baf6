//! By `wget`, GNU's or busybox's: https on targets without curl. It follows redirections itself, and takes what it
//! is told from its arguments, so nothing secret may be among it.

use std::path::Path;

use crate::kit::http::answer::{Answer, header_line, status_line};
use crate::kit::http::request::{Follow, Hop};
use crate::kit::{Command, Failure, Result, System};

pub(super) fn fetch(program: &Path, hop: &Hop<'_>, sys: &mut System<'_>) -> Result<Answer> {
    refuse(hop)?;
    let place = hop.place();
    let to_file = place.filter(|_| !sys.is_check());
    let agent = hop.headers.iter().find(|(name, _)| name == "User-Agent").map(|(_, value)| value.as_str());
    let mut command = Command::new(program)
        .args(["-q", "-S", "-T", &hop.client.timeout.max(1).to_string()])
        .opt("-U", agent)
        .flag("--no-check-certificate", !hop.client.options.validate_certs);
    if let Some((name, date)) = hop.headers.iter().find(|(name, _)| name == "If-Modified-Since") {
        command = command.arg("--header").arg(format!("{name}: {date}"));
    }
    command = match (place, to_file) {
        (None, _) => command.arg("--spider"),
        (_, Some(path)) => {
            sys.spool(path, 0o600, &mut std::io::empty())?;
            command.arg("-O").arg(path)
        }
        (Some(_), None) => command.args(["-O", "-"]),
    };
    // Which proxy counts was decided already.
    let proxy = hop.proxy.as_ref().map(super::url::Url::plain).unwrap_or_default();
    let output =
        sys.query(command.env("https_proxy", proxy).env("no_proxy", "").arg("--").arg(hop.url.plain()))?;
    let stderr = output.stderr();
    let mut answer = Answer::new(None, String::new(), Vec::new(), hop.url.clone());
    for line in stderr.lines().map(str::trim) {
        if let Some((status, reason)) = status_line(line) {
            if let Some(location) = answer.header("location").filter(|_| answer.status.is_some()) {
                (answer.url, answer.redirected) = (answer.url.join(location)?, true);
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
    answer.fetched = place.is_some();
    if let (Some(path), None) = (place, to_file) {
        sys.spool(path, 0o600, &mut output.stdout.as_slice())?;
    }
    Ok(answer)
}

/// What wget cannot do, or not without showing it to everybody on the target.
fn refuse(hop: &Hop<'_>) -> Result<()> {
    let (client, options) = (hop.client, hop.client.options);
    let known = ["User-Agent", "Accept-Encoding", "If-Modified-Since", "Cache-Control"];
    let wanted = [
        ("method", !["GET", "HEAD"].contains(&hop.method)),
        ("body", hop.body.is_some()),
        ("follow_redirects", client.follow == Follow::None),
        ("ca_path", client.ca_path.is_some()),
        ("unix_socket", client.unix_socket.is_some()),
        ("headers", options.headers.as_ref().is_some_and(|headers| !headers.is_empty())),
        ("url_username", !hop.headers.iter().all(|(name, _)| known.contains(&name.as_str()))),
        ("client_cert", options.client_cert.is_some()),
        ("client_key", options.client_key.is_some()),
        ("ciphers", options.ciphers.is_some()),
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
