//! Lines of `pg_hba.conf`.

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::{Map, Value as Json};

pub(super) enum Line {
    Rule(Rule),
    Comment(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// As the file has it; `None` of a new one.
    text: Option<String>,
    kind: String,
    database: String,
    user: String,
    /// `None` of those of the socket.
    source: Option<String>,
    method: String,
    /// By their names.
    options: Vec<String>,
    comment: Option<String>,
}

/// The lines of a file; empty ones are left out.
pub(super) fn parse(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') {
            lines.push(Line::Comment(line.to_owned()));
        } else if !line.is_empty() {
            let rule = read(line).map_err(|why| format!("Error in line {}: {why}", number + 1))?;
            lines.push(Line::Rule(rule));
        }
    }
    Ok(lines)
}

fn read(line: &str) -> Result<Rule, String> {
    let (words, comment) = words(line)?;
    let too_few = || "The rule has too few symbols".to_owned();
    let mut words = words.into_iter();
    let mut next = || words.next().ok_or_else(too_few);
    let (kind, database, user) = (next()?, next()?, next()?);
    let known = ["local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"];
    if !known.contains(&kind.as_str()) {
        return Err(format!("Unknown type {kind}"));
    }
    let source = if kind == "local" { None } else { Some(next()?) };
    let mut method = next()?;
    let source = match source {
        // A mask may follow an address.
        Some(address) if method.parse::<IpAddr>().is_ok() => {
            let mask = std::mem::replace(&mut method, next()?);
            Some(self::source(&address, Some(&mask))?)
        }
        // What the server reads otherwise than we do stays as it is.
        Some(address) => Some(self::source(&address, None).unwrap_or(address)),
        None => None,
    };
    let mut options: Vec<String> = words.collect();
    options.sort();
    Ok(Rule { text: Some(line.to_owned()), kind, database, user, source, method, options, comment })
}

/// Words, which quotes hold together and which keep them; and the comment behind them.
fn words(line: &str) -> Result<(Vec<String>, Option<String>), String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => {
                words.extend(Some(word).filter(|word| !word.is_empty()));
                return Ok((words, line.get(at + 1..).map(str::to_owned)));
            }
            c if c.is_whitespace() && !quoted => {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    if quoted {
        return Err("Unterminated quote".to_owned());
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    Ok((words, None))
}

/// From where, as rules have it: a mask becomes the length of a network's prefix.
pub(super) fn source(address: &str, mask: Option<&str>) -> Result<String, String> {
    if matches!(address, "all" | "samehost" | "samenet") {
        return Ok(address.to_owned());
    }
    let nonsense =
        || format!("The string '{address}' is neither a valid IP address, network, hostname or keyword");
    let (ip, length) = if let Some((ip, length)) = address.split_once('/') {
        (ip.parse::<IpAddr>().map_err(|_| nonsense())?, length.parse::<u32>().map_err(|_| nonsense())?)
    } else if let Ok(ip) = address.parse::<IpAddr>() {
        let mask = mask.ok_or(
            "If the address is a bare ip-address without a CIDR suffix, the rule needs to contain a netmask",
        )?;
        (ip, prefix(mask).ok_or_else(|| format!("The netmask '{mask}' is none"))?)
    } else {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_one = address.chars().all(is_name) && !address.is_empty();
        return if is_one { Ok(address.to_owned()) } else { Err(nonsense()) };
    };
    let width: u32 = if ip.is_ipv4() { 32 } else { 128 };
    if length > width {
        return Err(nonsense());
    }
    if length < width && bits(ip) << (128 - width) << length != 0 {
        return Err(format!("{address} has host bits set"));
    }
    Ok(format!("{ip}/{length}"))
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// `255.255.0.0`: 16.
fn prefix(mask: &str) -> Option<u32> {
    let mask: IpAddr = mask.parse().ok()?;
    let width: u32 = if mask.is_ipv4() { 32 } else { 128 };
    let shifted = bits(mask) << (128 - width);
    let ones = shifted.leading_ones();
    (ones == 128 || shifted << ones == 0).then_some(ones)
}

impl Rule {
    /// A new one: its database, user, source and method.
    pub(super) fn new(
        kind: &str,
        (database, user, source, method): (&str, &str, Option<&str>, &str),
        options: &str,
        comment: Option<&str>,
    ) -> Result<Self, String> {
        let (mut options, _) = words(options)?;
        if let Some(bad) = options.iter().find(|option| !option.contains('=')) {
            return Err(format!("The option '{bad}' has no value: key=value is one"));
        }
        for text in [database, user, comment.unwrap_or_default()] {
            // It would be a line of its own.
            if text.contains(['\n', '\r']) {
                return Err(format!("{text:?} has a line break"));
            }
        }
        options.sort();
        Ok(Self {
            text: None,
            kind: kind.to_owned(),
            database: database.to_owned(),
            user: user.to_owned(),
            source: source.map(str::to_owned),
            method: method.to_owned(),
            options,
            comment: comment.map(str::to_owned),
        })
    }

    pub(super) fn line(&self) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let mut words = vec![self.kind.clone(), self.database.clone(), self.user.clone()];
        words.extend(self.source.clone());
        words.push(self.method.clone());
        words.extend((!self.options.is_empty()).then(|| self.options.join(" ")));
        words.extend(self.comment.as_ref().map(|comment| format!("#{comment}")));
        words.join("\t")
    }

    pub(super) fn told(&self) -> Json {
        let fields = [
            ("type", Some(self.kind.clone())),
            ("db", Some(self.database.clone())),
            ("usr", Some(self.user.clone())),
            ("src", self.source.clone()),
            ("method", Some(self.method.clone())),
            ("options", Some(self.options.join(" ")).filter(|options| !options.is_empty())),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        fields.collect::<Map<String, Json>>().into()
    }

    /// Whether both are about the same people.
    pub(super) fn is_about_same(&self, other: &Self) -> bool {
        let who =
            |rule: &Self| (rule.kind.clone(), rule.database.clone(), rule.user.clone(), rule.source.clone());
        who(self) == who(other)
    }

    /// Whether both say the same; comments say nothing.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_about_same(other) && self.method == other.method && self.options == other.options
    }

    /// The narrower one first, as Ansible sorts them: by the sources, the databases, the users; then names behind
    /// networks, and by the texts.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let key = |rule: &Self| {
            (std::cmp::Reverse(rule.source_weight()), rule.database_weight(), rule.user_weight())
        };
        let places = self.place().cmp(&other.place());
        key(self).cmp(&key(other)).then(places).then_with(|| self.line().cmp(&other.line()))
    }

    /// How few a source lets in: the bits of its prefix, those of IPv4 four times.
    fn source_weight(&self) -> u32 {
        let Some(source) = &self.source else { return 130 };
        match (source.as_str(), source.split_once('/')) {
            ("all", _) => 0,
            ("samehost", _) => 129,
            // As a network of 24 bits, of IPv4.
            ("samenet", _) => 96,
            (address, Some((_, length))) => {
                let times = if address.contains(':') { 1 } else { 4 };
                length.parse::<u32>().unwrap_or(0).saturating_mul(times)
            }
            // As one of 16 bits.
            (name, None) if name.starts_with('.') => 64,
            _ => 128,
        }
    }

    fn database_weight(&self) -> usize {
        match self.database.as_str() {
            "all" => 100_000,
            "replication" => 0,
            quoted if quoted.starts_with('"') => 0,
            names => 1 + names.matches(',').count(),
        }
    }

    fn user_weight(&self) -> usize {
        match self.user.as_str() {
            "all" => 1_000_000,
            quoted if quoted.starts_with('"') => 0,
            names => 1 + names.matches(',').count(),
        }
    }

    /// Names behind networks, IPv6 behind IPv4, and these by their addresses.
    fn place(&self) -> (bool, bool, u128, String) {
        let source = self.source.clone().unwrap_or_default();
        match source.split_once('/').and_then(|(ip, _)| ip.parse::<IpAddr>().ok()) {
            Some(ip) => (false, ip.is_ipv6(), bits(ip), source),
            None => (true, false, 0, source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<Rule> {
        let rule = |line| match line {
            Line::Rule(rule) => rule,
            Line::Comment(text) => panic!("{text}"),
        };
        parse(text).unwrap().into_iter().map(rule).collect()
    }

    #[test]
    fn rules_are_in_ansibles_order() {
        let sorted = "local replication all peer\nlocal b u md5\nlocal c,d a peer\nlocal all v md5\n\
                      host b u samehost md5\nhost replication u 1.1.1.1/32 md5\nhost a u 1.1.1.1/32 md5\n\
                      hostssl b u 1.1.1.1/32 md5\nhost b u h.example.org md5\nhost z x,y 1.1.1.1/32 md5\n\
                      host z all 1.1.1.1/32 md5\nhost a,c,d u 1.1.1.1/32 md5\nhost all u 1.1.1.1/32 md5\n\
                      host z u 10.0.0.0/24 trust\nhost z u samenet trust\nhost \"q\" u 10.2.0.0/16 md5\n\
                      host z u 9.1.0.0/16 md5\nhost z u 10.1.0.0/16 md5\nhost z u 2001:db8::/64 md5\n\
                      host z u .x.org md5\nhost all all all md5\n";
        let mut found = rules(sorted);
        found.reverse();
        found.sort_by(Rule::order);
        let lines: String = found.iter().map(|rule| rule.line() + "\n").collect();
        assert_eq!(lines, sorted);
    }

    #[test]
    fn sources_are_networks_or_names() {
        for (address, mask, expected) in [
            ("10.0.0.0", Some("255.0.0.0"), Ok("10.0.0.0/8")),
            ("fe80::", Some("ffff:ffff:ffff:ffff::"), Ok("fe80::/64")),
            ("0.0.0.0/0", None, Ok("0.0.0.0/0")),
            (".example.org", None, Ok(".example.org")),
            ("10.0.0.1/8", None, Err("10.0.0.1/8 has host bits set")),
            (
                "10.0.0.0/33",
                None,
                Err("The string '10.0.0.0/33' is neither a valid IP address, network, hostname or keyword"),
            ),
            (
                "10.0.0.1",
                None,
                Err(
                    "If the address is a bare ip-address without a CIDR suffix, the rule needs to contain a netmask",
                ),
            ),
        ] {
            let got = source(address, mask);
            assert_eq!(got.as_deref().map_err(String::as_str), expected, "{address}");
        }
    }

    #[test]
    fn what_is_no_rule_is_an_error() {
        for (text, why) in [
            ("# a\n@include x\n", "Error in line 2: The rule has too few symbols"),
            ("hots all all all md5\n", "Error in line 1: Unknown type hots"),
            ("local \"a all md5\n", "Error in line 1: Unterminated quote"),
        ] {
            assert_eq!(parse(text).err().as_deref(), Some(why));
        }
    }
}
