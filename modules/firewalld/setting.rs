//! What a task is about.

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use super::{Args, PortForward, State, Target};
use crate::kit::{Failure, Result};

#[derive(Debug)]
pub(super) enum Setting {
    /// The zone itself.
    Zone,
    Target(Target),
    /// What a zone has or has not.
    Listed {
        /// firewall-cmd's word for it.
        name: &'static str,
        /// Absent for what is on or off.
        value: Option<String>,
        /// What the option says of what is on or off.
        on: bool,
    },
}

impl Setting {
    pub fn of(args: &Args) -> Result<Self> {
        let listed = |name, value: &str| Self::Listed { name, value: Some(value.to_owned()), on: true };
        let switch = |name, on| Self::Listed { name, value: None, on };
        let setting = if let Some(service) = &args.service {
            listed("service", service)
        } else if let Some(port) = &args.port {
            let (number, protocol) = port.split_once('/').unwrap_or((port, ""));
            if number.is_empty() || protocol.is_empty() {
                return Err(Failure::new("improper port format (missing protocol?)"));
            }
            listed("port", port)
        } else if let Some(protocol) = &args.protocol {
            listed("protocol", protocol)
        } else if let Some(rule) = &args.rich_rule {
            listed("rich-rule", rule)
        } else if let Some(source) = &args.source {
            listed("source", source)
        } else if let Some(interface) = &args.interface {
            listed("interface", interface)
        } else if let Some(kind) = &args.icmp_block {
            listed("icmp-block", kind)
        } else if let Some(on) = args.icmp_block_inversion {
            switch("icmp-block-inversion", on)
        } else if let Some(on) = args.masquerade {
            switch("masquerade", on)
        } else if let Some(on) = args.forward {
            switch("forward", on)
        } else if let Some(forwards) = &args.port_forward {
            let [PortForward { port, proto, toport, toaddr }] = forwards.as_slice() else {
                return Err(Failure::new("Only one port forward supported at a time"));
            };
            let toaddr = toaddr.as_deref().unwrap_or_default();
            listed("forward-port", &format!("port={port}:proto={proto}:toport={toport}:toaddr={toaddr}"))
        } else if let Some(target) = args.target {
            Self::Target(target)
        } else if args.zone.is_some() {
            Self::Zone
        } else {
            return Err(Failure::new("nothing to do: give a service, a port, a zone or another thing"));
        };
        let of_zone = matches!(args.state, State::Absent | State::Present);
        if of_zone && !matches!(setting, Self::Zone | Self::Target(_)) {
            return Err(Failure::new("absent and present state can only be used in zone level operations"));
        }
        if !of_zone && matches!(setting, Self::Zone) {
            return Err(Failure::new("a zone itself is present or absent, not enabled or disabled"));
        }
        Ok(setting)
    }

    /// Whether it is to be there.
    pub fn is_wanted(&self, state: State) -> bool {
        match self {
            Self::Listed { on, .. } => state.is_wanted() == *on,
            _ => state.is_wanted(),
        }
    }

    /// An interface that is another zone's moves.
    pub fn adding(&self) -> &'static str {
        match self {
            Self::Listed { name: "interface", .. } => "--change",
            _ => "--add",
        }
    }

    /// Whether firewalld knows a time for it.
    pub fn may_end(&self) -> bool {
        !matches!(
            self,
            Self::Listed { name: "interface" | "source" | "icmp-block-inversion" | "forward", .. }
        )
    }

    /// What was done, in words.
    pub fn told(&self, args: &Args, zone: &str) -> Vec<String> {
        let state = args.state.name();
        let wanted = self.is_wanted(args.state);
        match self {
            Self::Zone => {
                let verb = if wanted { "Added" } else { "Removed" };
                vec![format!("{verb} zone {zone}"), format!("Changed zone {zone} to {state}")]
            }
            Self::Target(target) if wanted => vec![format!("Set zone {zone} target to {}", target.name())],
            Self::Target(_) => vec![format!("Reset zone {zone} target to default")],
            Self::Listed { name: "interface", value, .. } if wanted => {
                vec![format!("Changed {} to zone {zone}", value.as_deref().unwrap_or_default())]
            }
            Self::Listed {
                name: name @ ("interface" | "source" | "masquerade" | "forward"), value, ..
            } => {
                let what = value.as_deref().unwrap_or(name);
                let (verb, way) = if wanted { ("Added", "to") } else { ("Removed", "from") };
                vec![format!("{verb} {what} {way} zone {zone}")]
            }
            Self::Listed { name: name @ "icmp-block-inversion", on, .. } => {
                vec![format!("Changed {name} {} to {state}", if *on { "True" } else { "False" })]
            }
            Self::Listed { name, value, .. } => {
                let name = match *name {
                    "rich-rule" => "rich_rule",
                    "forward-port" => "port_forward",
                    other => other,
                };
                vec![format!("Changed {name} {} to {state}", value.as_deref().unwrap_or_default())]
            }
        }
    }
}

/// Text, or a number as such.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Json::deserialize(deserializer)? {
        Json::String(text) => text,
        other => other.to_string(),
    })
}
