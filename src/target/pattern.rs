//! OpenSSH's patterns (`*`, `?`, `!negated`, comma lists), as `ssh_config` and `known_hosts` use them.

/// What a list of patterns says about a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// At least one pattern matches and no negated one does.
    Yes,
    No,
    /// A negated pattern matches: the whole list fails.
    Negated,
}

/// Whether `pattern` (with `*` and `?`) matches all of `text`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    // Greedy with one step back: the last star takes one more character at each failure.
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || Some(&c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((star_p, star_t)) => {
                    p = star_p + 1;
                    t = star_t + 1;
                    star = Some((star_p, t));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|&c| c == b'*')
}

/// Matches a comma-separated list of patterns.
pub(super) fn matches_list(text: &str, list: &str) -> Match {
    matches_all(text, list.split(','))
}

/// Matches patterns that are separate words.
pub(super) fn matches_all<'a>(text: &str, patterns: impl Iterator<Item = &'a str>) -> Match {
    let mut result = Match::No;
    for pattern in patterns.filter(|pattern| !pattern.is_empty()) {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated, text) => return Match::Negated,
            None if matches(pattern, text) => result = Match::Yes,
            _ => {}
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        fn check(pattern: &str, text: &str, expect: bool) {
            assert_eq!(matches(pattern, text), expect, "{pattern} on {text}");
        }
        check("", "", true);
        check("*", "", true);
        check("a", "", false);
        check("?", "", false);
        check("web?", "web1", true);
        check("web?", "web", false);
        check("*.example.com", "a.b.example.com", true);
        check("*.example.com", "example.com", false);
        check("a*b*c", "axxbyyc", true);
        check("a*b*c", "axxbyyd", false);
        check("10.0.*", "10.0.3.4", true);
        check("**x", "yx", true);
    }

    #[test]
    fn lists() {
        fn check(text: &str, list: &str, expect: Match) {
            assert_eq!(matches_list(text, list), expect, "{list} on {text}");
        }
        check("web1", "db*,web*", Match::Yes);
        check("web1", "*,!web1", Match::Negated);
        check("web1", "!db1", Match::No);
        check("web1", "db1,,db2", Match::No);
    }
}
