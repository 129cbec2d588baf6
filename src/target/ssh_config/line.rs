//! One line of an `ssh_config` file: keyword and words.

/// Splits a line into its keyword (lower case) and the rest; `None` for empty lines and comments.
pub(super) fn keyword(line: &str) -> Option<(String, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    // One `=` may stand between keyword and words.
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    Some((keyword.trim_matches('"').to_ascii_lowercase(), rest))
}

/// Splits into words at blanks, with `"…"`, `'…'`, backslashes before quotes, blanks and backslashes, and
/// `#` comments.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(char::is_ascii_whitespace).is_some() {}
        match chars.peek() {
            None | Some('#') => return Ok(words),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        loop {
            match (chars.next(), quote) {
                (None, None) => break,
                (None, Some(_)) => return Err("no matching quote".to_owned()),
                (Some('\\'), _)
                    if chars.peek().is_some_and(|&next| {
                        matches!(next, '"' | '\'' | '\\') || (next == ' ' && quote.is_none())
                    }) =>
                {
                    word.extend(chars.next());
                }
                (Some(c), Some(open)) if c == open => quote = None,
                (Some(c @ ('"' | '\'')), None) => quote = Some(c),
                (Some(c), None) if c.is_ascii_whitespace() => break,
                (Some(c), _) => word.push(c),
            }
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        fn check(line: &str, expect: Option<(&str, &[&str])>) {
            let got = keyword(line).map(|(key, rest)| (key, words(rest).unwrap()));
            let expect =
                expect.map(|(key, words)| (key.to_owned(), words.iter().map(|&w| w.to_owned()).collect()));
            assert_eq!(got, expect, "{line}");
        }
        check("", None);
        check("  # note", None);
        check("Port 22", Some(("port", &["22"])));
        check("\tPort=22", Some(("port", &["22"])));
        check("Port = 22  # standard", Some(("port", &["22"])));
        check("IdentityFile \"~/my key\"", Some(("identityfile", &["~/my key"])));
        check("Host a  b\\ c 'd e' f\"g h\"i", Some(("host", &["a", "b c", "d e", "fg hi"])));
        check("Host a#b", Some(("host", &["a#b"])));
        check("User domain\\bob", Some(("user", &["domain\\bob"])));
        assert!(words("\"open").is_err());
    }
}
