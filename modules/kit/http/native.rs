//! Plain HTTP/1.1, without any program.

use std::io::Read;
use std::time::Duration;

use crate::kit::encode::base64;
use crate::kit::host::Peer;
use crate::kit::http::answer::Answer;
use crate::kit::http::request::Hop;
use crate::kit::http::wire::{broken, exchange};
use crate::kit::{Failure, Result, System};

pub(super) fn fetch(hop: &Hop<'_>, sys: &mut System<'_>) -> Result<Answer> {
    let timeout = Duration::from_secs(hop.client.timeout.max(1));
    let to = hop.proxy.as_ref().unwrap_or(hop.url);
    if to.scheme != "http" {
        return Err(Failure::new(format!(
            "a proxy by {} needs curl on the target, and there is none",
            to.scheme
        )));
    }
    let host = to.host.trim_start_matches('[').trim_end_matches(']');
    let peer = match hop.client.unix_socket {
        Some(path) => Peer::Unix(path),
        None => Peer::Tcp { host, port: to.port.unwrap_or(80) },
    };
    let size = match hop.body {
        Some(path) => sys.stat_followed(path)?.map(|meta| meta.size),
        None => None,
    };
    let connection = sys.connect(&peer, timeout).map_err(|failure| failure.context("Request failed"))?;
    connection.set_read_timeout(timeout).map_err(broken)?;
    let mut reply = match hop.body.zip(size) {
        Some((path, announced)) => {
            // No more than was announced, should the file grow meanwhile.
            let mut body = sys.open(path)?.take(announced);
            exchange(connection, &request(hop, size), Some(&mut body))?
        }
        None => exchange(connection, &request(hop, size), None)?,
    };
    let (reason, headers) = (std::mem::take(&mut reply.reason), reply.headers.clone());
    let mut answer = Answer::new(Some(reply.status), reason, headers, hop.url.clone());
    let Some(path) = hop.place() else { return Ok(answer) };
    let spooled = sys.spool(path, 0o600, &mut reply);
    match reply.error {
        Some(error) => return Err(broken(error)),
        None => spooled?,
    }
    answer.fetched = true;
    Ok(answer)
}

/// The head of the request; `size` is how much follows.
fn request(hop: &Hop<'_>, size: Option<u64>) -> String {
    let verb = hop.method;
    let target = match (&hop.proxy, hop.url.target.as_str()) {
        (Some(_), _) => hop.url.plain(),
        (None, "") => "/".to_owned(),
        (None, target) => target.to_owned(),
    };
    let mut text = format!("{verb} {target} HTTP/1.1\r\n");
    let mut line = |name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            text.push_str(part);
        }
    };
    if !hop.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        line("Host", &hop.url.authority());
    }
    for (name, value) in &hop.headers {
        line(name, value);
    }
    if let Some((user, password)) = hop.proxy.as_ref().and_then(|proxy| proxy.credentials.as_ref()) {
        line("Proxy-Authorization", &format!("Basic {}", base64(format!("{user}:{password}").as_bytes())));
    }
    if let Some(size) = size.or_else(|| hop.lacks_body().then_some(0)) {
        line("Content-Length", &size.to_string());
    }
    line("Connection", "close");
    text + "\r\n"
}
