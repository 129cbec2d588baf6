//! A line of an INI inventory in words, as Python's `shlex` splits it with comments on.

/// Splits on whitespace; quotes and backslashes as in a POSIX shell; `#` ends the line, also inside a word.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            '\\' => {
                let escaped = chars.next().ok_or("a backslash at the end of the line escapes nothing")?;
                word.get_or_insert_default().push(escaped);
            }
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("a single quote is not closed")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("a double quote is not closed")? {
                        '"' => break,
                        '\\' => match chars.next().ok_or("a double quote is not closed")? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&str]) {
        assert_eq!(split(line).unwrap(), expected, "{line}");
    }

    #[test]
    fn splits_as_shlex_does() {
        check("h1  a=1\tb=two", &["h1", "a=1", "b=two"]);
        check(r#"h c="three four" d='five six'"#, &["h", "c=three four", "d=five six"]);
        check(r#"e="say \"hi\"" p=C:\temp m=a"b c"d"#, &["e=say \"hi\"", "p=C:temp", "m=ab cd"]);
        check(r#"a="x # y" b=x#y c=z"#, &["a=x # y", "b=x"]);
        check(r#""\n" '' """#, &["\\n", "", ""]);
        check("# all", &[]);
        for unfinished in ["a=\"b", "a='b", "a\\", "\"a\\"] {
            split(unfinished).unwrap_err();
        }
    }
}
