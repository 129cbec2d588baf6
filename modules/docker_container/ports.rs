//! Ports: those a container listens on, and those of the machine that lead there.

use std::net::IpAddr;

use serde_json::{Map, Value as Json, json};

use super::Surroundings;
use super::wish::{Kind, Wish};
use crate::docker::at;
use crate::kit::{Failure, Result};

/// Where a port of a container is found: address and port of the machine.
type Bindings = Vec<(String, Vec<(String, String)>)>;

pub fn wishes(surroundings: &Surroundings, default_ip: &str, image: &Json) -> Result<Vec<Wish>> {
    let mut wishes = Vec::new();
    let mut bindings = Bindings::new();
    for text in surroundings.published_ports.iter().flatten() {
        publish(text, default_ip, &mut bindings)?;
    }
    let mut exposed: Vec<String> = Vec::new();
    for text in surroundings.exposed_ports.iter().flatten() {
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        exposed.extend(range(ports)?.iter().map(|port| format!("{port}/{protocol}")));
    }
    exposed.extend(bindings.iter().map(|(port, _)| port.clone()));
    let inherited = at(image, "Config/ExposedPorts").as_object();
    let mut expected: Vec<&String> =
        inherited.into_iter().flatten().map(|(port, _)| port).chain(&exposed).collect();
    expected.sort();
    expected.dedup();
    if !expected.is_empty() {
        let expected = json!(expected);
        let ports: Map<String, Json> = exposed.into_iter().map(|port| (port, json!({}))).collect();
        let value = if ports.is_empty() { Json::Null } else { ports.into() };
        let wish = Wish::new("exposed_ports", Kind::Set, "Config/ExposedPorts", value);
        wishes.push(wish.expecting(expected).seen_as(names));
    }
    if surroundings.published_ports.is_some() {
        let record = |(ip, port): &(String, String)| json!({"HostIp": ip, "HostPort": port});
        let ports: Map<String, Json> = bindings
            .iter()
            .map(|(port, places)| (port.clone(), places.iter().map(record).collect::<Vec<_>>().into()))
            .collect();
        wishes.push(Wish::new("published_ports", Kind::Dict, "HostConfig/PortBindings", ports.into()));
    }
    Ok(wishes)
}

/// The names of a mapping, sorted.
pub fn names(value: &Json) -> Json {
    let Some(map) = value.as_object() else { return json!([]) };
    let mut names: Vec<&String> = map.keys().collect();
    names.sort();
    json!(names)
}

/// `[[address:][port]:]port[/protocol]`, with ranges of ports.
fn publish(text: &str, default_ip: &str, bindings: &mut Bindings) -> Result<()> {
    let (place, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let parts = parts(place);
    let (address, there, inside) = match parts.as_slice() {
        [inside] => (default_ip, "", *inside),
        [there, inside] => (default_ip, *there, *inside),
        [address, there, inside] => (ip(address)?, *there, *inside),
        _ => {
            return Err(Failure::new(format!(
                "Invalid port description \"{text}\" - expected 1 to 3 colon-separated parts, but got {}.",
                parts.len()
            )));
        }
    };
    let inside = range(inside)?;
    let there: Vec<String> = match there {
        "" => vec![String::new(); inside.len()],
        // Any of them.
        several if inside.len() == 1 && several.contains('-') => vec![several.to_owned()],
        ports => range(ports)?,
    };
    // Of two ranges the shorter one counts.
    for (inside, there) in inside.iter().zip(there) {
        let port = format!("{inside}/{protocol}");
        let binding = (address.to_owned(), there);
        match bindings.iter_mut().find(|(known, _)| *known == port) {
            Some((_, places)) => places.push(binding),
            None => bindings.push((port, vec![binding])),
        }
    }
    Ok(())
}

/// Colons within brackets do not count.
fn parts(place: &str) -> Vec<&str> {
    match place.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some((address, rest)) => [address].into_iter().chain(rest.split(':')).collect(),
        None => place.split(':').collect(),
    }
}

fn ip(text: &str) -> Result<&str> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(text);
    }
    Err(Failure::new(format!(
        "Bind addresses for published ports must be IPv4 or IPv6 addresses, not hostnames. Use the dig lookup to \
         resolve hostnames. (Found hostname: {text})"
    )))
}

/// `80`, `9000-9010`
fn range(text: &str) -> Result<Vec<String>> {
    let number =
        |part: &str| part.parse::<u16>().map_err(|_| Failure::new(format!("Invalid port: {part:?}")));
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    if last < first {
        return Err(Failure::new(format!("Invalid port range: {text}")));
    }
    Ok((first..=last).map(|port| port.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_published_as_the_client_does() {
        let told = |texts: &[&str]| {
            let mut bindings = Bindings::new();
            let done: Result<()> = texts.iter().try_for_each(|text| publish(text, "0.0.0.0", &mut bindings));
            match done {
                Ok(()) => bindings
                    .iter()
                    .flat_map(|(port, places)| {
                        places.iter().map(move |(ip, there)| format!("{port}={ip}:{there}"))
                    })
                    .collect::<Vec<_>>()
                    .join(" "),
                Err(failure) => failure.msg,
            }
        };
        for (texts, expected) in [
            (&["80"][..], "80/tcp=0.0.0.0:"),
            (&["8080:80", "8081:80"], "80/tcp=0.0.0.0:8080 80/tcp=0.0.0.0:8081"),
            (&["127.0.0.1:53:53/udp"], "53/udp=127.0.0.1:53"),
            (&["127.0.0.1::53"], "53/tcp=127.0.0.1:"),
            (&["[::1]:53:53"], "53/tcp=::1:53"),
            (&["70-71:90-91"], "90/tcp=0.0.0.0:70 91/tcp=0.0.0.0:71"),
            (&["1-3:1-2"], "1/tcp=0.0.0.0:1 2/tcp=0.0.0.0:2"),
            (&["8000-8100:90"], "90/tcp=0.0.0.0:8000-8100"),
            (&["x:90"], "Invalid port: \"x\""),
            (&["9-8"], "Invalid port range: 9-8"),
        ] {
            assert_eq!(told(texts), expected, "{texts:?}");
        }
        assert!(told(&["h:80:80"]).starts_with("Bind addresses"));
    }
}
