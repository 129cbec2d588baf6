//! Words for a remote shell.

/// The word as a POSIX shell, csh and fish read it back: bare where safe, else in single quotes.
pub(super) fn quote(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(safe) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r#"'"'"'"#))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    fn words_survive_every_shell_that_is_here() {
        for shell in ["sh", "bash", "dash", "tcsh", "fish", "mksh"] {
            for word in [
                "plain",
                "",
                "two words",
                "it's",
                "$HOME `id`",
                "a\"b",
                "semi;colon|pipe",
                "'",
                "[sudo x] p:",
            ] {
                let script = format!("printf %s {}", super::quote(word));
                let Ok(output) = Command::new(shell).args(["-c", &script]).output() else {
                    eprintln!("SKIPPED: no {shell} here");
                    break;
                };
                assert_eq!(String::from_utf8_lossy(&output.stdout), word, "{shell} on {script}");
            }
        }
    }
}
