//! The marks and whitespace rules of a template.

use crate::diagnostic::{Diagnostic, Result};

/// Where a template stands decides how its literals are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// A YAML value: backslashes inside `{{ '…' }}` are themselves, as ansible-core has it.
    Value,
    /// A template file.
    File,
    /// A bare expression, as in `when`: constants may hold templates.
    Expression,
}

/// The marks and whitespace rules of a template file.
#[derive(Clone, Debug)]
pub struct Syntax {
    pub block: (String, String),
    pub variable: (String, String),
    pub comment: (String, String),
    pub trim_blocks: bool,
    pub lstrip_blocks: bool,
    pub keep_trailing_newline: bool,
    pub newline_sequence: String,
}

impl Default for Syntax {
    /// Ansible's: as Jinja's, with `trim_blocks`.
    fn default() -> Self {
        let pair = |open: &str, close: &str| (open.to_owned(), close.to_owned());
        Self {
            block: pair("{%", "%}"),
            variable: pair("{{", "}}"),
            comment: pair("{#", "#}"),
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: false,
            newline_sequence: "\n".to_owned(),
        }
    }
}

impl Syntax {
    /// Splits a template file into what its first line says when that is `#jinja2: name: value, …`, and the
    /// rest, which has the line no more.
    pub fn from_header(text: &str) -> Result<(Self, &str)> {
        let mut syntax = Self::default();
        let Some(header) = text.strip_prefix("#jinja2:") else {
            return Ok((syntax, text));
        };
        let (header, rest) = header.split_once('\n').unwrap_or((header, ""));
        for pair in split_pairs(header.trim_end_matches('\r')) {
            let Some((name, value)) = pair.split_once(':') else {
                return Err(Diagnostic::new(format!(
                    "Missing key-value separator ':' in the #jinja2 header: '{pair}'"
                )));
            };
            syntax.set(name.trim(), value.trim())?;
        }
        Ok((syntax, rest))
    }

    /// Sets one rule by Jinja's name for it; the value is a Python literal.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "block_start_string" => self.block.0 = text(name, value)?,
            "block_end_string" => self.block.1 = text(name, value)?,
            "variable_start_string" => self.variable.0 = text(name, value)?,
            "variable_end_string" => self.variable.1 = text(name, value)?,
            "comment_start_string" => self.comment.0 = text(name, value)?,
            "comment_end_string" => self.comment.1 = text(name, value)?,
            "trim_blocks" => self.trim_blocks = flag(name, value)?,
            "lstrip_blocks" => self.lstrip_blocks = flag(name, value)?,
            "keep_trailing_newline" => self.keep_trailing_newline = flag(name, value)?,
            "newline_sequence" => self.newline_sequence = text(name, value)?,
            _ => {
                return Err(Diagnostic::new(format!("the #jinja2 header cannot set '{name}'")).hint(
                    "It sets trim_blocks, lstrip_blocks, keep_trailing_newline, newline_sequence, and \
                     block_, variable_ and comment_start_string and _end_string.",
                ));
            }
        }
        Ok(())
    }
}

/// Splits at the commas outside quotes.
fn split_pairs(header: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    header
        .split(move |c| {
            match quote {
                Some(open) if c == open => quote = None,
                None if c == '\'' || c == '"' => quote = Some(c),
                _ => {}
            }
            quote.is_none() && c == ','
        })
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
}

fn flag(name: &str, value: &str) -> Result<bool> {
    match value {
        "True" | "true" => Ok(true),
        "False" | "false" => Ok(false),
        _ => {
            Err(Diagnostic::new(format!("'{name}' in the #jinja2 header must be True or False, not {value}")))
        }
    }
}

fn text(name: &str, value: &str) -> Result<String> {
    let quoted = ['\'', '"'].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    match quoted {
        Some(text) if !text.is_empty() => Ok(super::literal::unescape(text)?),
        _ => Err(Diagnostic::new(format!(
            "'{name}' in the #jinja2 header must be a quoted string, not {value}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_sets_the_rules_and_goes_away() {
        let (syntax, rest) =
            Syntax::from_header("#jinja2: trim_blocks: False, variable_start_string: '[%,'\nbody\n").unwrap();
        assert!(!syntax.trim_blocks);
        assert_eq!(syntax.variable.0, "[%,");
        assert_eq!(rest, "body\n");
    }

    #[test]
    fn no_header_is_the_default() {
        let (syntax, rest) = Syntax::from_header("# a comment\n").unwrap();
        assert!(syntax.trim_blocks && !syntax.keep_trailing_newline);
        assert_eq!(rest, "# a comment\n");
    }

    #[test]
    fn unknown_rules_are_errors() {
        let error = Syntax::from_header("#jinja2: line_statement_prefix: '%'\n").unwrap_err();
        assert_eq!(error.message(), "the #jinja2 header cannot set 'line_statement_prefix'");
        assert!(Syntax::from_header("#jinja2: trim_blocks: 1\n").is_err());
        assert!(Syntax::from_header("#jinja2: trim_blocks\n").is_err());
    }
}
