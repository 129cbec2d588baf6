//! `-e`: variables from `key=value` words, YAML or JSON, or files.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::split;
use crate::template::Template;
use crate::value::{Dict, Value};
use crate::yaml::{self, Loaded, Trust};

const LABEL: &str = "<command line option -e>";

/// All `-e` options, the later over the earlier, or merged with it.
pub(super) fn load(given: &[String], merges: bool) -> Result<Dict> {
    let mut variables = Dict::new();
    for text in given {
        crate::vars::merge(&mut variables, &load_one(text)?, merges);
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
        assignments(text)
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

fn assignments(text: &str) -> Result<Dict> {
    let parsed = split::parse(text, false).map_err(|error| error.context("-e"))?;
    if let Some(rest) = parsed.rest {
        return Err(Diagnostic::new(format!("-e {text}: expected key=value, got {rest:?}"))
            .hint("YAML goes into braces: -e '{key: value}'; quote a value with spaces: -e 'key=\"a b\"'"));
    }
    Ok(parsed.options.into_iter().map(|(name, value)| (name, trusted(value))).collect())
}

/// Whoever types the command line may write templates.
fn trusted(text: String) -> Value {
    if Template::is_template(&text) {
        Value::Template(Template::new(text, None).into())
    } else {
        Value::from(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let got = match load(&[text.to_owned()], false) {
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
        check("x='a", "-e: failed at splitting arguments, either an unbalanced jinja2 block or quotes: x='a");
        check("x", "-e x: expected key=value, got \"x\"");
        check("/etc/vars.yml", "-e /etc/vars.yml: a file of variables is given as -e @/etc/vars.yml");
        check("@/nosuch.yml", "could not read /nosuch.yml: no such file or directory");
    }
}
