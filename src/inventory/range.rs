//! Host names with ranges and ports: `web[01:20].example.com:2222`, `[2001:db8::1]:22`.

use std::fmt;

/// The names a pattern stands for, and the port they share.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expanded {
    pub(super) names: Vec<String>,
    pub(super) port: Option<u16>,
}

/// Why a pattern has no meaning.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// It is no range at all: a host list may hold it as a name.
    Form(String),
    /// A bound or a step is no number that could be one.
    NoNumber(String),
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Form(message) | Self::NoNumber(message)) = self;
        f.write_str(message)
    }
}

/// More names than any inventory has: a slip of the keyboard.
const MAX_NAMES: usize = 1_000_000;
/// Nor are names that long.
const MAX_BYTES: usize = 256 << 20;

/// Expands a host as inventory files write it. A name that is no address at all is taken as it is.
pub(super) fn expand(pattern: &str) -> Result<Expanded, Mistake> {
    let (name, port) = split_port(pattern);
    let names = if name.contains('[') { expand_ranges(name)? } else { vec![name.to_owned()] };
    Ok(Expanded { names, port })
}

/// The same without ranges, for host lists.
pub(super) fn whole(pattern: &str) -> Expanded {
    let (name, port) = split_port(pattern);
    Expanded { names: vec![name.to_owned()], port }
}

/// A host as host lists (`-i a,b,`) write it: a port, but no ranges.
pub(super) fn split_port(pattern: &str) -> (&str, Option<u16>) {
    let Some((name, digits)) = pattern.rsplit_once(':') else { return (pattern, None) };
    let Ok(port) = digits.parse::<u16>() else { return (pattern, None) };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return (pattern, None);
    }
    let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match bracketed {
        Some(inner) if is_ipv6(inner) || is_name(inner) => (inner, Some(port)),
        _ if is_name(name) => (name, Some(port)),
        _ => (pattern, None),
    }
}

fn is_ipv6(text: &str) -> bool {
    let address = text.split('%').next().unwrap_or_default();
    address.parse::<std::net::Ipv6Addr>().is_ok()
}

/// Whether the text is a host name, with ranges anywhere in its labels.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && labels(text).is_some_and(|labels| {
            labels.iter().all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
        })
}

/// The labels between the dots, each range replaced by one letter; `None` for what no name can hold.
fn labels(text: &str) -> Option<Vec<String>> {
    let mut labels = vec![String::new()];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '[' {
            let (range, after) = rest.split_once(']')?;
            let is_range =
                range.contains(':') && range.chars().skip(1).all(|c| c.is_ascii_alphanumeric() || c == ':');
            if !is_range {
                return None;
            }
            labels.last_mut()?.push('x');
            rest = after;
            continue;
        }
        match c {
            '.' => labels.push(String::new()),
            c if c.is_alphanumeric() || c == '_' || c == '-' => labels.last_mut()?.push(c),
            _ => return None,
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    Some(labels)
}

fn expand_ranges(pattern: &str) -> Result<Vec<String>, Mistake> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((head, after)) = rest.split_once('[') {
        let Some((range, tail)) = after.split_once(']') else {
            return Err(Mistake::Form(format!("the range in `{pattern}` has no `]`")));
        };
        let items = items(range)?;
        let count = names.len().saturating_mul(items.len());
        if count > MAX_NAMES || count.saturating_mul(pattern.len()) > MAX_BYTES {
            return Err(Mistake::Form(format!("`{pattern}` stands for more than {MAX_NAMES} hosts")));
        }
        names = names
            .iter()
            .flat_map(|name| items.iter().map(move |item| format!("{name}{head}{item}")))
            .collect();
        rest = tail;
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok(names)
}

/// What one range stands for: `1:3`, `01:10:2`, `a:f`.
fn items(range: &str) -> Result<Vec<String>, Mistake> {
    let bounds: Vec<&str> = range.split(':').collect();
    let (begin, end, step) = match bounds.as_slice() {
        [begin, end] => (*begin, *end, "1"),
        [begin, end, step] => (*begin, *end, *step),
        _ => return Err(Mistake::Form(format!("the range `[{range}]` must be begin:end or begin:end:step"))),
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    if end.is_empty() {
        return Err(Mistake::Form(format!("host range must specify end value: `[{range}]`")));
    }
    let step: usize = number(step, range)?;
    if step == 0 {
        return Err(Mistake::NoNumber(format!("the step of the range `[{range}]` must not be zero")));
    }
    if let (Some(first), Some(last)) = (letter(begin), letter(end)) {
        if first > last {
            return Err(Mistake::Form(format!("the range `[{range}]` must not begin after its end")));
        }
        return Ok(LETTERS
            .chars()
            .skip(first)
            .take(last - first + 1)
            .step_by(step)
            .map(String::from)
            .collect());
    }
    let width = if begin.len() > 1 && begin.starts_with('0') { begin.len() } else { 0 };
    if width > 0 && width != end.len() {
        return Err(Mistake::Form(format!(
            "begin and end of the range `[{range}]` must have the same length"
        )));
    }
    let (first, last): (usize, usize) = (number(begin, range)?, number(end, range)?);
    let count = last.saturating_sub(first) / step;
    if count > MAX_NAMES || count.saturating_mul(width) > MAX_BYTES {
        return Err(Mistake::Form(format!("the range `[{range}]` stands for more than {MAX_NAMES} hosts")));
    }
    Ok((first..=last).step_by(step).map(|number| format!("{number:0width$}")).collect())
}

/// Ranges of letters run through both cases, in Python's order.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter(text: &str) -> Option<usize> {
    if text.len() == 1 { LETTERS.find(text) } else { None }
}

fn number(text: &str, range: &str) -> Result<usize, Mistake> {
    let wrong =
        |_| Mistake::NoNumber(format!("`{text}` in the range `[{range}]` is neither a number nor a letter"));
    text.parse().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expected: &str) {
        let answer = match expand(pattern) {
            Ok(Expanded { names, port: Some(port) }) => format!("{} port {port}", names.join(" ")),
            Ok(Expanded { names, port: None }) => names.join(" "),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(answer, expected, "{pattern}");
    }

    /// Each as ansible-core 2.21 expands it.
    #[test]
    fn expands_as_ansible_does() {
        check("h1", "h1");
        check("h1:22", "h1 port 22");
        check("h1:22:33", "h1:22:33");
        check("h1:abc", "h1:abc");
        check("h-:22", "h-:22");
        check("-h:22", "-h:22");
        check("x.y.z.:22", "x.y.z.:22");
        check("é:22", "é port 22");
        check("fe80::1", "fe80::1");
        check("[fe80::1]:22", "fe80::1 port 22");
        check("foo=bar", "foo=bar");
        check("10.0.0.[1:2]:22", "10.0.0.1 10.0.0.2 port 22");
        check("h[1:3]", "h1 h2 h3");
        check("h[:3]", "h0 h1 h2 h3");
        check("h[08:11]", "h08 h09 h10 h11");
        check("h[1:03]", "h1 h2 h3");
        check("h[1:10:3]", "h1 h4 h7 h10");
        check("h[2:1]", "");
        check("h[a:g:2]", "ha hc he hg");
        check("h[z:A]", "hz hA");
        check("h[1:2][a:b]", "h1a h1b h2a h2b");
        check("h[1:2]]", "h1] h2]");
    }

    #[test]
    fn refuses_what_is_no_range() {
        check("h[01:3]", "error: begin and end of the range `[01:3]` must have the same length");
        check("h[c:a]", "error: the range `[c:a]` must not begin after its end");
        check("h[1:3:0]", "error: the step of the range `[1:3:0]` must not be zero");
        check("h[a:3]", "error: `a` in the range `[a:3]` is neither a number nor a letter");
        check("h[1:", "error: the range in `h[1:` has no `]`");
        check("h[1]", "error: the range `[1]` must be begin:end or begin:end:step");
        check("h[1:]", "error: host range must specify end value: `[1:]`");
        check("h[0:9999999999]", "error: the range `[0:9999999999]` stands for more than 1000000 hosts");
        check("h[1:9999][1:9999]", "error: `h[1:9999][1:9999]` stands for more than 1000000 hosts");
    }

    #[test]
    fn no_pattern_takes_the_stack_or_the_memory() {
        assert!(expand(&"[1:1]".repeat(20_000)).is_ok());
        let zeros = "0".repeat(10_000);
        assert!(matches!(expand(&format!("h[{zeros}00001:{zeros}99999]")), Err(Mistake::Form(_))));
        assert!(matches!(expand(&format!("h[00001:99999]{zeros}")), Err(Mistake::Form(_))));
    }
}
