//! Lines of `sources.list`.

/// An archive's line, in one way of writing it.
pub(super) struct Source {
    /// As it was written, with single blanks.
    pub line: String,
    /// The same for all ways to write it.
    pub same: String,
    pub enabled: bool,
}

impl Source {
    pub fn parse(line: &str) -> Option<Self> {
        let mut text = line.trim();
        let enabled = !text.starts_with('#');
        text = text.trim_start_matches(['#', ' ']);
        let text = text.split(" #").next().unwrap_or(text).trim();
        let (kind, rest) = text.split_once(char::is_whitespace)?;
        if !matches!(kind, "deb" | "deb-src") {
            return None;
        }
        let rest = rest.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(inside) => {
                let (options, rest) = inside.split_once(']')?;
                (Some(words(options)), rest)
            }
            None => (None, rest),
        };
        let rest = words(rest);
        // An address and a suite at least.
        rest.split_once(' ')?;
        let options = options.map(|options| format!("[{options}] ")).unwrap_or_default();
        Some(Self { line: words(text), same: format!("{kind} {options}{rest}"), enabled })
    }

    /// The address as a file's name.
    pub fn file_name(&self) -> String {
        let address = self
            .same
            .rsplit_once("] ")
            .map_or_else(|| self.same.split(' ').nth(1), |(_, rest)| rest.split(' ').next())
            .unwrap_or_default();
        let address = address.split_once("://").map_or(address, |(_, rest)| rest);
        // Who logs in there is nobody's business.
        let address = address.split_once('@').map_or(address, |(_, rest)| rest);
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { ' ' };
        let text: String = address.chars().map(plain).collect();
        text.split_whitespace().collect::<Vec<_>>().join("_")
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn lines_and_their_files() {
        for (line, clean, file) in [
            ("deb http://a.b/c d e", "deb http://a.b/c d e", "a_b_c"),
            (
                "# deb-src  [ arch=x  y=z ]  https://u:p@a.b/c ./",
                "deb-src [arch=x y=z] https://u:p@a.b/c ./",
                "a_b_c",
            ),
        ] {
            let source = Source::parse(line).unwrap();
            assert_eq!((source.same.as_str(), source.file_name().as_str()), (clean, file));
        }
        for line in ["", "# a comment", "deb x", "deb [a http://x y"] {
            assert!(Source::parse(line).is_none(), "{line}");
        }
    }
}
