//! `-e`: variables from `key=value` words, YAML or JSON, or files.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Result};
use crate::template::Template;
use crate::value::{Dict, Value};
use crate::yaml::{self, Loaded, Trust};

const LABEL: &str = "<command line option -e>";

/// All `-e` options, the later over the earlier.
pub(super) fn load(given: &[String]) -> Result<Dict> {
    let mut variables = Dict::new();
    for text in given {
        variables.extend(load_one(text)?);
    }
    Ok(variables)
}

fn load_one(text: &str) -> Result<Dict> {
    if let Some(path) = text.strip_prefix('@') {
        mapping(yaml::load_file(Path::new(path))?, text)
    } else if text.starts_with(['{', '[']) {
        mapping(yaml::parse_str(text, LABEL, Trust::Trusted)?, text)
    } else if text.starts_with(['/', '.']) {
        Err(Diagnostic::new(format!("-e {text}: a file of variables is given as -e @{text}")))
    } else {
        words(text)?.into_iter().map(|word| assignment(&word, text)).collect()
    }
}

fn mapping(loaded: Loaded, text: &str) -> Result<Dict> {
    let (node, _) = loaded.single()?;
    match node {
        None => Ok(Dict::new()),
        Some(node) => node.to_dict().ok_or_else(|| {
            let message =
                format!("-e {text}: expected a mapping of names to values, got {}", node.describe());
            Diagnostic::new(message).at(&node.place)
        }),
    }
}

fn assignment(word: &str, text: &str) -> Result<(Value, Value)> {
    let Some((name, value)) = word.split_once('=') else {
        return Err(Diagnostic::new(format!("-e {text}: expected key=value, got {word:?}"))
            .hint("YAML goes into braces: -e '{key: value}'; quote a value with spaces: -e 'key=\"a b\"'"));
    };
    let value = unescape(unquote(value));
    let value = if Template::is_template(&value) {
        Value::Template(Template::new(value, None).into())
    } else {
        Value::from(value)
    };
    Ok((Value::from(name), value))
}

/// Splits at white space outside of quotes and template marks.
fn words(text: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut depth = 0_u32;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() && quote.is_none() && depth == 0 {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        word.push(c);
        match (c, chars.peek()) {
            ('\\', Some(_)) if quote.is_some() => word.extend(chars.next()),
            ('{', Some('{' | '%' | '#')) => depth += 1,
            ('}' | '%' | '#', Some('}')) => depth = depth.saturating_sub(1),
            ('"' | '\'', _) if depth == 0 => match quote {
                None => quote = Some(c),
                Some(open) if open == c => quote = None,
                Some(_) => {}
            },
            _ => {}
        }
    }
    if quote.is_some() || depth > 0 {
        return Err(Diagnostic::new(format!("-e {text}: a quote or a template is not closed")));
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    Ok(words)
}

fn unquote(value: &str) -> &str {
    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}

/// `\n` and its like, as Ansible reads them in `key=value`; what is no escape stays.
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some(c @ ('\\' | '"' | '\'')) => text.push(c),
            other => {
                text.push('\\');
                text.extend(other);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let got = match load(&[text.to_owned()]) {
            Ok(variables) => Value::dict(variables).repr(),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect, "{text}");
    }

    /// The expectations are what ansible-core 2.21 makes of the same options.
    #[test]
    fn forms() {
        check("x=1 y=true", "{'x': '1', 'y': 'true'}");
        check("x='a b' y=\"c d\"", "{'x': 'a b', 'y': 'c d'}");
        check("x={{ 1 + 1 }} y=a=b", "{'x': '{{ 1 + 1 }}', 'y': 'a=b'}");
        check(r"x=a\nb", r"{'x': 'a\nb'}");
        check("x= ", "{'x': ''}");
        check("", "{}");
        check(r#"{"x": 1, "y": [1]}"#, "{'x': 1, 'y': [1]}");
        check("{x: yes, y: 0777}", "{'x': True, 'y': 511}");
        check("[1]", "-e [1]: expected a mapping of names to values, got a list");
        check("x='a", "-e x='a: a quote or a template is not closed");
        check("x", "-e x: expected key=value, got \"x\"");
        check("/etc/vars.yml", "-e /etc/vars.yml: a file of variables is given as -e @/etc/vars.yml");
        check("@/nosuch.yml", "could not read /nosuch.yml: no such file or directory");
    }
}
