//! Many hosts by one name: `web[01-40]`.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

/// Longer numbers are not numbers to count with: serials, hashes.
const DIGITS: usize = 9;

/// The hosts as one text: names that differ in one number stand together as `web[01-06,08-40].example.org`, in the order
/// in which the first of them came.
pub fn folded(hosts: &[&str]) -> String {
    let mut alike: HashMap<Frame<'_>, usize> = HashMap::new();
    for host in hosts {
        for (frame, _) in frames(host) {
            *alike.entry(frame).or_default() += 1;
        }
    }
    let mut order = Vec::new();
    let mut families: HashMap<Frame<'_>, Vec<&str>> = HashMap::new();
    for host in hosts {
        let count = |frame: &Frame<'_>| alike.get(frame).copied().unwrap_or_default();
        // Of equals the last one: the number at the end counts, that of the rack or the network does not.
        let best = frames(host).max_by_key(|(frame, _)| count(frame)).filter(|(frame, _)| count(frame) > 1);
        let (frame, number) = best.unwrap_or(((host, ""), ""));
        let family = families.entry(frame).or_default();
        if family.is_empty() {
            order.push(frame);
        }
        family.push(number);
    }
    let texts = order.iter().filter_map(|frame| Some(named(*frame, families.remove(frame)?)));
    texts.collect::<Vec<_>>().join(", ")
}

/// What stands before and behind a number of a name.
type Frame<'a> = (&'a str, &'a str);

/// Each number of a name, with its frame.
fn frames(host: &str) -> impl Iterator<Item = (Frame<'_>, &str)> {
    let is_digit = |at: usize| host.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let starts = (0..host.len()).filter(move |at| is_digit(*at) && (*at == 0 || !is_digit(at - 1)));
    starts.filter_map(move |start| {
        let length = (start..host.len()).take_while(|at| is_digit(*at)).count();
        let (before, rest) = host.split_at_checked(start)?;
        let (number, behind) = rest.split_at_checked(length)?;
        (length <= DIGITS).then_some(((before, behind), number))
    })
}

fn named((before, behind): Frame<'_>, numbers: Vec<&str>) -> String {
    if let [number] = numbers[..] {
        return format!("{before}{number}{behind}");
    }
    // By their widths first: `9` comes before `10`, and `08` is another than `8`.
    let sorted: BTreeSet<(usize, &str)> = numbers.into_iter().map(|text| (text.len(), text)).collect();
    let mut ranges: Vec<(&str, &str)> = Vec::new();
    for (_, number) in sorted {
        match ranges.last_mut() {
            Some((_, last)) if next(last).as_deref() == Some(number) => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let mut text = format!("{before}[");
    for (at, (first, last)) in ranges.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        // Nothing fails that writes to a text.
        let _ = if first == last {
            write!(text, "{comma}{first}")
        } else {
            write!(text, "{comma}{first}-{last}")
        };
    }
    text + "]" + behind
}

/// The number behind this one, as wide as it: `10` behind `09` and behind `9`.
fn next(number: &str) -> Option<String> {
    let value: u64 = number.parse().ok()?;
    Some(format!("{:0width$}", value + 1, width = number.len()))
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn names_that_differ_in_one_number_stand_together() {
        let cases: &[(&[&str], &str)] = &[
            (&[], ""),
            (&["web1"], "web1"),
            (&["web1", "db"], "web1, db"),
            (&["web09", "web10", "web11"], "web[09-11]"),
            (&["web8", "web9", "web10", "web12"], "web[8-10,12]"),
            (&["web2", "db1", "web1", "db7"], "web[1-2], db[1,7]"),
            (&["n1.example.org", "n2.example.org", "n3.example.com"], "n[1-2].example.org, n3.example.com"),
            (&["10.0.0.1", "10.0.0.2", "10.0.1.3"], "10.0.0.[1-2], 10.0.1.3"),
            (&["r1n1", "r1n2", "r2n1", "r2n2"], "r1n[1-2], r2n[1-2]"),
            (&["8", "08"], "[8,08]"),
            (&["a99", "a100"], "a[99-100]"),
            (&["ü1ü", "ü2ü"], "ü[1-2]ü"),
            (&["id12345678901", "id12345678902"], "id12345678901, id12345678902"),
        ];
        for (hosts, text) in cases {
            assert_eq!(folded(hosts), *text, "{hosts:?}");
        }
    }
}
