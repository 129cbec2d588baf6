use schemars::JsonSchema;
use serde::Deserialize;

use crate::kit::{Failure, Result, System};

/// Wakes a machine by a magic packet.
///
/// Whether it wakes nobody tells: each call is a change.
///
/// # Examples
///
/// ```yaml
/// - name: A machine wakes up
///   wakeonlan: {mac: "00:00:5E:00:53:66", broadcast: 192.0.2.23}
///
/// - name: By another port
///   wakeonlan: {mac: 00-00-5E-00-53-66, port: 9}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The address of its network card.
    pub mac: String,
    /// The address to which the packet goes.
    #[serde(default = "everybody")]
    pub broadcast: String,
    /// The UDP port to which it goes.
    #[serde(default = "echo")]
    pub port: u16,
}

fn everybody() -> String {
    "255.255.255.255".to_owned()
}

fn echo() -> u16 {
    7
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<()> {
    let packet = packet(&args.mac)?;
    sys.broadcast(&args.broadcast, args.port, &packet)
}

/// Six bytes of ones, then the address sixteen times.
fn packet(mac: &str) -> Result<Vec<u8>> {
    let wrong = |what: &str| Failure::new(format!("Incorrect MAC address {what}: {mac}"));
    let chars: Vec<char> = mac.chars().collect();
    // With a sign between its bytes, whichever it is.
    let separator = chars.get(2).filter(|_| chars.len() == 17);
    let digits: String = chars.iter().filter(|char| Some(*char) != separator).collect();
    if digits.chars().count() != 12 {
        return Err(wrong("length"));
    }
    let digit = |char: char| char.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Option<Vec<u8>> = digits.chars().map(digit).collect();
    let digits = digits.ok_or_else(|| wrong("format"))?;
    let address: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    Ok([vec![0xff; 6], address.repeat(16)].concat())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(args: &Json, to: &str) {
        let trial = Trial::of("wakeonlan");
        assert_eq!(trial.check(args)["changed"], true, "{args}");
        assert_eq!(trial.host.ran(), [""; 0], "a check sends nothing");
        assert_eq!(trial.run(args), json!({"changed": true}), "{args}");
        let packet = format!("{}{}", "ff".repeat(6), "00005e005366".repeat(16));
        assert_eq!(trial.host.ran(), [format!("broadcast {to} {packet}")], "{args}");
    }

    #[test]
    fn the_packet_holds_the_address() {
        check(&json!({"mac": "00:00:5E:00:53:66"}), "255.255.255.255:7");
        check(&json!({"mac": "00-00-5e-00-53-66", "broadcast": "192.0.2.23", "port": "9"}), "192.0.2.23:9");
        check(&json!({"mac": "00005E005366"}), "255.255.255.255:7");
    }

    #[test]
    fn what_is_no_address() {
        for (mac, msg) in [
            ("0000.5E00.5366", "Incorrect MAC address length: 0000.5E00.5366"),
            ("00:00-5E:00:53:66", "Incorrect MAC address length: 00:00-5E:00:53:66"),
            ("zz:00:5E:00:53:66", "Incorrect MAC address format: zz:00:5E:00:53:66"),
            ("", "Incorrect MAC address length: "),
        ] {
            assert_eq!(Trial::of("wakeonlan").run(&json!({"mac": mac}))["msg"], msg);
        }
    }
}
