//! Who is connected: `/proc/net/tcp`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use super::{Args, State};
use crate::kit::{Failure, Result, System};

/// States by their number in the kernel's table.
const STATES: [&str; 11] = [
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];

/// What is listening, or closed, is no connection.
fn is_connected(state: &str) -> bool {
    STATES.contains(&state) && !["LISTEN", "CLOSE", "CLOSING"].contains(&state)
}

/// Whether states and addresses are such that something can be one of them.
pub(super) fn check(args: &Args) -> Result<()> {
    if let Some(state) = args.active_connection_states.iter().find(|state| !is_connected(state)) {
        return Err(Failure::new(format!("unknown active_connection_state ({state}) defined")));
    }
    if args.state != State::Drained && !args.exclude_hosts.is_empty() {
        return Err(Failure::new("exclude_hosts should only be with state=drained"));
    }
    match args.exclude_hosts.iter().find(|host| host.parse::<IpAddr>().is_err()) {
        Some(host) => {
            Err(Failure::new(format!("exclude_hosts: '{host}' is no address; names are not supported")))
        }
        None => Ok(()),
    }
}

/// How many connections to the port count.
pub(super) fn count(sys: &System<'_>, args: &Args, port: u16) -> Result<usize> {
    let mut count = 0;
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Some(text) = sys.read_text_if_there(Path::new(table))? else { continue };
        count += text.lines().skip(1).filter(|line| counts(line, args, port)).count();
    }
    Ok(count)
}

fn counts(line: &str, args: &Args, port: u16) -> bool {
    let mut words = line.split_whitespace().skip(1);
    let (Some(local), Some(remote), Some(state)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    let state =
        u8::from_str_radix(state, 16).ok().and_then(|number| STATES.get(usize::from(number).checked_sub(1)?));
    let active = state.is_some_and(|state| args.active_connection_states.iter().any(|known| known == state));
    let excluded =
        address(remote).is_some_and(|(ip, _)| args.exclude_hosts.iter().any(|host| *host == ip.to_string()));
    active && !excluded && address(local).is_some_and(|(_, number)| number == port)
}

/// `0100007F:1F90` → 127.0.0.1, 8080.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    // Each word of 32 bits is in the machine's own byte order.
    let words: Option<Vec<[u8; 4]>> = (0..ip.len() / 8)
        .map(|index| Some(u32::from_str_radix(ip.get(index * 8..index * 8 + 8)?, 16).ok()?.to_ne_bytes()))
        .collect();
    let words = words?;
    let ip = match words.as_slice() {
        [word] => IpAddr::V4(Ipv4Addr::from(*word)),
        [..] if words.len() == 4 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?)),
        [..] => return None,
    };
    Some((ip, port))
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_endian = "little")]
    fn addresses() {
        let (ip, port) = super::address("0100007F:1F90").unwrap();
        assert_eq!((ip.to_string().as_str(), port), ("127.0.0.1", 8080));
    }
}
