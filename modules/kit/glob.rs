//! File name patterns: `*`, `?`, `[a-z]`, `[!a-z]`, as Python's `fnmatch` has them.

/// Whether the whole text matches the pattern.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // Where to go on after the last `*` took one more character.
    let mut retry: Option<(usize, usize)> = None;
    let (mut p, mut t) = (0, 0);
    while let Some(c) = text.get(t) {
        let step = match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some('?') => Some(p + 1),
            Some('[') => match set(&pattern, p, *c) {
                Set::In(next) => Some(next),
                Set::NotIn => None,
                Set::Unclosed => (*c == '[').then_some(p + 1),
            },
            Some(literal) if literal == c => Some(p + 1),
            _ => None,
        };
        match (step, &mut retry) {
            (Some(next), _) => {
                p = next;
                t += 1;
            }
            (None, Some((after_star, taken))) => {
                *taken += 1;
                p = *after_star;
                t = *taken;
            }
            (None, None) => return false,
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

/// How a character fares against `[…]`.
enum Set {
    /// It is in it; the pattern goes on there.
    In(usize),
    NotIn,
    /// There is no `]`: the bracket stands for itself.
    Unclosed,
}

/// Matches a character against the set that starts at `at`.
fn set(pattern: &[char], at: usize, c: char) -> Set {
    let mut index = at + 1;
    let negated = pattern.get(index) == Some(&'!');
    if negated {
        index += 1;
    }
    let first = index;
    let mut found = false;
    loop {
        match pattern.get(index).copied() {
            None => return Set::Unclosed,
            Some(']') if index > first => break,
            Some(low) => match (pattern.get(index + 1), pattern.get(index + 2)) {
                (Some('-'), Some(high)) if *high != ']' => {
                    found |= (low..=*high).contains(&c);
                    index += 3;
                }
                _ => {
                    found |= low == c;
                    index += 1;
                }
            },
        }
    }
    if found == negated { Set::NotIn } else { Set::In(index + 1) }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a?c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[x", "[x", true),
            ("", "", true),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
