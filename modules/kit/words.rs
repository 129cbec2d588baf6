//! Splitting a command line into words, as `shlex.split` does: quotes and backslashes, no expansion.

/// The words of a line.
pub fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '"' => break,
                        '\\' => match chars.next().ok_or("No closing quotation")? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("No escaped character")?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_split_as_in_python() {
        for (line, words) in [
            ("a  b\tc\n", &["a", "b", "c"][..]),
            ("'a b' \"c d\"", &["a b", "c d"]),
            (r#"a\ b "c\"d" "e\f" 'g\h'"#, &["a b", "c\"d", "e\\f", "g\\h"]),
            ("x'y'\"z\"", &["xyz"]),
            ("''", &[""]),
            ("", &[]),
        ] {
            assert_eq!(super::split(line).unwrap(), words, "{line}");
        }
        assert!(super::split("'a").is_err());
        assert!(super::split("a\\").is_err());
    }
}
