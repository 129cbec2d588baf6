//! A rule, as the options describe it and as `iptables` takes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::words;
use crate::kit::{Failure, Result};

/// What a rule is about, and what it does.
#[derive(Clone, Deserialize, JsonSchema)]
pub struct Options {
    /// The protocol: `tcp`, `udp`, `icmp`, `all`, a number …
    protocol: Option<String>,
    /// Where packets come from: an address, a network, a name.
    source: Option<String>,
    /// Where packets go.
    destination: Option<String>,
    /// Extensions that the rule uses, for what their options do not bring in by themselves.
    #[serde(default, rename = "match")]
    extensions: Vec<String>,
    /// `flags`, those that are looked at, and `flags_set`, those of them that are set.
    tcp_flags: Option<Map<String, Json>>,
    /// What is done with the packet: a target or a chain.
    jump: Option<String>,
    /// The chain in which matching goes on; it does not come back.
    goto: Option<String>,
    /// With `jump: TEE`: where copies are sent.
    gateway: Option<String>,
    /// With `jump: LOG`: the text before each line.
    log_prefix: Option<String>,
    /// With `jump: LOG`: how important it is.
    log_level: Option<LogLevel>,
    /// With `jump: DNAT`: the new destination.
    to_destination: Option<String>,
    /// With `jump: SNAT`: the new source.
    to_source: Option<String>,
    /// With `jump: REDIRECT` and such: the new ports.
    to_ports: Option<String>,
    /// The interface packets come in by; `eth+` is all whose names begin so.
    in_interface: Option<String>,
    /// The interface packets go out by.
    out_interface: Option<String>,
    /// Only fragments behind the first; with `!` only the first, and what is whole.
    fragment: Option<String>,
    /// What the rule's counters start with: packets and bytes.
    set_counters: Option<String>,
    /// The port, or a range of ports (`1024:2048`), packets come from.
    source_port: Option<String>,
    /// The port, or a range of ports, packets go to.
    destination_port: Option<String>,
    /// Several ports and ranges that packets go to.
    #[serde(default)]
    destination_ports: Vec<String>,
    /// With `jump: DSCP`: the mark that packets get.
    set_dscp_mark: Option<String>,
    /// With `jump: DSCP`: the class whose mark packets get.
    set_dscp_mark_class: Option<String>,
    /// Whether packets ask for a connection.
    #[serde(default)]
    syn: Syn,
    /// States of the connection: `NEW`, `ESTABLISHED`, `RELATED` …
    #[serde(default)]
    ctstate: Vec<String>,
    /// The range of addresses packets come from.
    src_range: Option<String>,
    /// The range of addresses packets go to.
    dst_range: Option<String>,
    /// The set of addresses (`ipset`) that a packet's are looked for in.
    match_set: Option<String>,
    /// Which of a packet's addresses are looked for in the set.
    match_set_flags: Option<SetFlags>,
    /// How many matches there may be on average: `5/second`.
    limit: Option<String>,
    /// How many there may be before that counts.
    limit_burst: Option<String>,
    /// The user whose program sent the packet.
    uid_owner: Option<String>,
    /// The group whose program sent the packet.
    gid_owner: Option<String>,
    /// What the sender is told of a rejected packet; means `jump: REJECT`.
    reject_with: Option<String>,
    /// The ICMP type, by number or name.
    icmp_type: Option<String>,
    /// A comment on the rule.
    comment: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Syn {
    #[default]
    Ignore,
    Match,
    Negate,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SetFlags {
    #[serde(rename = "src")]
    Src,
    #[serde(rename = "dst")]
    Dst,
    #[serde(rename = "src,dst")]
    SrcDst,
    #[serde(rename = "dst,src")]
    DstSrc,
    #[serde(rename = "dst,dst")]
    DstDst,
    #[serde(rename = "src,src")]
    SrcSrc,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    #[serde(rename = "0")]
    Zero,
    #[serde(rename = "1")]
    One,
    #[serde(rename = "2")]
    Two,
    #[serde(rename = "3")]
    Three,
    #[serde(rename = "4")]
    Four,
    #[serde(rename = "5")]
    Five,
    #[serde(rename = "6")]
    Six,
    #[serde(rename = "7")]
    Seven,
    Emerg,
    Alert,
    Crit,
    Error,
    Warning,
    Notice,
    Info,
    Debug,
}

/// As the user writes it.
fn name(choice: impl Serialize) -> Option<String> {
    serde_json::to_value(choice).ok()?.as_str().map(str::to_owned)
}

impl Options {
    /// Options of logging mean `jump: LOG`.
    pub fn with_implied_jump(&self) -> Result<Self> {
        if self.log_prefix.is_none() && self.log_level.is_none() {
            return Ok(self.clone());
        }
        match self.jump.as_deref() {
            None | Some("LOG") => Ok(Self { jump: Some("LOG".to_owned()), ..self.clone() }),
            Some(_) => Err(Failure::new("Logging options can only be used with the LOG jump target.")),
        }
    }

    /// The rule's part of the command line; nothing when nothing is said of a rule.
    pub fn words(&self) -> Result<Vec<String>> {
        let mut line = Line::default();
        line.negatable("-p", self.protocol.as_ref());
        line.negatable("-s", self.source.as_ref());
        line.negatable("-d", self.destination.as_ref());
        for extension in &self.extensions {
            line.plain("-m", Some(extension));
        }
        if let Some(flags) = &self.tcp_flags {
            if let Some(other) = flags.keys().find(|key| !["flags", "flags_set"].contains(&key.as_str())) {
                return Err(Failure::new(format!(
                    "Unsupported parameters for (iptables) module: tcp_flags.{other}. Supported parameters \
                     include: flags, flags_set."
                )));
            }
            line.all(["--tcp-flags".to_owned(), words(flags, "flags")?, words(flags, "flags_set")?]);
        }
        line.plain("-j", self.jump.as_ref());
        let copies = self.jump.as_ref().is_some_and(|jump| jump.eq_ignore_ascii_case("tee"));
        line.plain("--gateway", self.gateway.as_ref().filter(|_| copies));
        line.plain("--log-prefix", self.log_prefix.as_ref());
        line.plain("--log-level", self.log_level.and_then(name).as_ref());
        line.plain("--to-destination", self.to_destination.as_ref());
        self.extend(&mut line, "multiport", &[("--dports", joined(&self.destination_ports))]);
        line.plain("--to-source", self.to_source.as_ref());
        line.plain("-g", self.goto.as_ref());
        line.negatable("-i", self.in_interface.as_ref());
        line.negatable("-o", self.out_interface.as_ref());
        if let Some(fragment) = &self.fragment {
            line.all(fragment.trim().starts_with('!').then(|| "!".to_owned()));
            line.all(["-f".to_owned()]);
        }
        line.plain("-c", self.set_counters.as_ref());
        line.negatable("--source-port", self.source_port.as_ref());
        line.negatable("--destination-port", self.destination_port.as_ref());
        line.plain("--to-ports", self.to_ports.as_ref());
        line.plain("--set-dscp", self.set_dscp_mark.as_ref());
        line.plain("--set-dscp-class", self.set_dscp_mark_class.as_ref());
        match self.syn {
            Syn::Ignore => {}
            Syn::Match => line.all(["--syn".to_owned()]),
            Syn::Negate => line.all(["!", "--syn"].map(str::to_owned)),
        }
        if self.uses("state") {
            line.plain("--state", joined(&self.ctstate).as_ref());
        } else {
            self.extend(&mut line, "conntrack", &[("--ctstate", joined(&self.ctstate))]);
        }
        let ranges = [("--src-range", self.src_range.clone()), ("--dst-range", self.dst_range.clone())];
        self.extend(&mut line, "iprange", &ranges);
        self.extend(&mut line, "set", &[("--match-set", self.match_set.clone())]);
        if self.match_set.is_some() {
            line.all(self.match_set_flags.and_then(name));
        }
        let limits = [("--limit", self.limit.clone()), ("--limit-burst", self.limit_burst.clone())];
        self.extend(&mut line, "limit", &limits);
        let owners = [("--uid-owner", self.uid_owner.clone()), ("--gid-owner", self.gid_owner.clone())];
        self.extend(&mut line, "owner", &owners);
        if self.reject_with.is_some() && self.jump.is_none() {
            line.all(["-j", "REJECT"].map(str::to_owned));
        }
        line.plain("--reject-with", self.reject_with.as_ref());
        let is_six = matches!(self.protocol.as_deref(), Some("icmpv6" | "ipv6-icmp"));
        line.plain(if is_six { "--icmpv6-type" } else { "--icmp-type" }, self.icmp_type.as_ref());
        if let Some(comment) = self.comment.as_ref().filter(|comment| !comment.is_empty()) {
            // What a comment says is its own matter, a `!` too.
            line.all(
                (!self.uses("comment")).then(|| ["-m", "comment"].map(str::to_owned)).into_iter().flatten(),
            );
            line.plain("--comment", Some(comment));
        }
        Ok(line.words)
    }

    fn uses(&self, extension: &str) -> bool {
        self.extensions.iter().any(|own| own == extension)
    }

    /// Options of an extension, which is brought in unless the user did.
    fn extend(&self, line: &mut Line, extension: &str, options: &[(&str, Option<String>)]) {
        let given =
            |(_, value): &&(&str, Option<String>)| value.as_ref().is_some_and(|value| !value.is_empty());
        if options.iter().any(|option| given(&option)) && !self.uses(extension) {
            line.all(["-m", extension].map(str::to_owned));
        }
        for (flag, value) in options {
            line.negatable(flag, value.as_ref());
        }
    }
}

fn joined(list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| list.join(","))
}

#[derive(Default)]
struct Line {
    words: Vec<String>,
}

impl Line {
    fn all(&mut self, words: impl IntoIterator<Item = String>) {
        self.words.extend(words);
    }

    fn plain(&mut self, flag: &str, value: Option<&String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.all([flag.to_owned(), value.clone()]);
        }
    }

    /// `!value` means all others.
    fn negatable(&mut self, flag: &str, value: Option<&String>) {
        match value.and_then(|value| value.strip_prefix('!')) {
            Some(other) => self.all(["!".to_owned(), flag.to_owned(), other.trim_start().to_owned()]),
            None => self.plain(flag, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::Options;

    fn check(options: Json, expected: &str) {
        let options: Options = serde_json::from_value(options).unwrap();
        assert_eq!(options.with_implied_jump().unwrap().words().unwrap().join(" "), expected);
    }

    #[test]
    fn rules_as_iptables_takes_them() {
        check(
            json!({"protocol": "!tcp", "source": "!8.8.8.8", "destination": "! 1.2.3.4", "in_interface": "!eth0"}),
            "! -p tcp ! -s 8.8.8.8 ! -d 1.2.3.4 ! -i eth0",
        );
        check(
            json!({"protocol": "tcp", "match": ["tcp", "state"], "source_port": "1:2", "destination_port": "!80",
                   "ctstate": ["NEW", "ESTABLISHED"], "syn": "match", "jump": "ACCEPT", "comment": "! a b"}),
            "-p tcp -m tcp -m state -j ACCEPT --source-port 1:2 ! --destination-port 80 --syn --state \
             NEW,ESTABLISHED -m comment --comment ! a b",
        );
        check(
            json!({"destination_ports": ["80", "443:444"], "syn": "negate", "ctstate": ["NEW"]}),
            "-m multiport --dports 80,443:444 ! --syn -m conntrack --ctstate NEW",
        );
        check(
            json!({"tcp_flags": {"flags": "ALL", "flags_set": ["ACK", "RST"]}, "limit": "5/s", "limit_burst": "10",
                   "log_prefix": "pre fix", "log_level": "info"}),
            "--tcp-flags ALL ACK,RST -j LOG --log-prefix pre fix --log-level info -m limit --limit 5/s --limit-burst 10",
        );
        check(
            json!({"src_range": "a-b", "dst_range": "!c-d", "match_set": "!admin", "match_set_flags": "src,dst",
                   "uid_owner": "!bob", "gid_owner": "web", "jump": "X"}),
            "-j X -m iprange --src-range a-b ! --dst-range c-d -m set ! --match-set admin src,dst -m owner ! \
             --uid-owner bob --gid-owner web",
        );
        check(json!({"reject_with": "tcp-reset"}), "-j REJECT --reject-with tcp-reset");
        check(json!({"protocol": "icmpv6", "icmp_type": "8"}), "-p icmpv6 --icmpv6-type 8");
        check(json!({"jump": "TEE", "gateway": "1.2.3.4"}), "-j TEE --gateway 1.2.3.4");
        check(json!({"jump": "X", "gateway": "1.2.3.4", "fragment": "!"}), "-j X ! -f");
        check(json!({}), "");
    }
}
