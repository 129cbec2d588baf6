//! Python's replacement templates: `\1`, `\g<name>`, `\n`.

use super::translate::is_name;
use super::{Match, Regex, RegexError};

/// A parsed template.
pub(super) struct Replacement(Vec<Part>);

enum Part {
    Text(String),
    Group(usize),
}

impl Replacement {
    pub(super) fn parse(template: &str, regex: &Regex) -> Result<Self, RegexError> {
        let chars: Vec<char> = template.chars().collect();
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut at = 0;
        let digit = |at: usize, radix: u32| chars.get(at).and_then(|c| c.to_digit(radix));
        while let Some(&c) = chars.get(at) {
            at += 1;
            if c != '\\' {
                text.push(c);
                continue;
            }
            let start = at - 1;
            let Some(&escaped) = chars.get(at) else {
                return Err(RegexError(format!("bad escape (end of pattern) at position {start}")));
            };
            at += 1;
            let group = match escaped {
                'g' => {
                    let (group, end) = named_group(&chars, at, regex)?;
                    at = end;
                    group
                }
                '0' => {
                    let mut code = 0;
                    while at < start + 4
                        && let Some(value) = digit(at, 8)
                    {
                        code = code * 8 + value;
                        at += 1;
                    }
                    text.push(char::from_u32(code).unwrap_or('\0'));
                    continue;
                }
                '1'..='9' => {
                    let mut group = escaped.to_digit(10).unwrap_or(0) as usize;
                    if let Some(second) = digit(at, 10) {
                        let octal = digit(at - 1, 8).zip(digit(at, 8)).zip(digit(at + 1, 8));
                        if let Some(((a, b), c)) = octal {
                            let code = a * 64 + b * 8 + c;
                            at += 2;
                            match char::from_u32(code).filter(|_| code <= 0o377) {
                                Some(c) => text.push(c),
                                None => {
                                    return Err(RegexError(format!(
                                        r"octal escape value \{a}{b}{c} outside of range 0-0o377 at position {start}"
                                    )));
                                }
                            }
                            continue;
                        }
                        at += 1;
                        group = group * 10 + second as usize;
                    }
                    group
                }
                other => {
                    match plain_escape(other) {
                        Some(c) => text.push(c),
                        None if other.is_ascii_alphabetic() => {
                            return Err(RegexError(format!(r"bad escape \{other} at position {start}")));
                        }
                        None => text.extend(['\\', other]),
                    }
                    continue;
                }
            };
            if group > regex.groups() {
                return Err(RegexError(format!("invalid group reference {group} at position {}", start + 1)));
            }
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Group(group));
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Self(parts))
    }

    pub(super) fn expand(&self, found: &Match<'_>, out: &mut String) {
        for part in &self.0 {
            out.push_str(match part {
                Part::Text(text) => text,
                Part::Group(group) => found.group(*group).unwrap_or_default(),
            });
        }
    }
}

/// `<name>` or `<1>` after `\g`; the group and where the template goes on.
fn named_group(chars: &[char], at: usize, regex: &Regex) -> Result<(usize, usize), RegexError> {
    if chars.get(at) != Some(&'<') {
        return Err(RegexError(format!("missing < at position {at}")));
    }
    let rest = chars.get(at + 1..).unwrap_or_default();
    let Some(length) = rest.iter().position(|c| *c == '>') else {
        return Err(RegexError(format!("missing >, unterminated name at position {}", at + 1)));
    };
    let name: String = rest.iter().take(length).collect();
    let group = match name.parse() {
        Ok(number) => number,
        Err(_) if !is_name(&name) => {
            return Err(RegexError(format!("bad character in group name '{name}' at position {}", at + 1)));
        }
        Err(_) => {
            regex.group_number(&name).ok_or_else(|| RegexError(format!("unknown group name '{name}'")))?
        }
    };
    Ok((group, at + length + 2))
}

fn plain_escape(c: char) -> Option<char> {
    Some(match c {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        _ => return None,
    })
}
