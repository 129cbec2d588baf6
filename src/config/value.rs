//! What a setting's text means: booleans, numbers, lists, paths.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use fanfare_modules::kit::args::boolean_word;

use super::Surroundings;

/// A setting's text and what relative paths in it are relative to.
pub(super) struct Given<'a> {
    pub text: &'a str,
    /// The directory of `ansible.cfg`, or the current one for the environment.
    pub base: &'a Path,
    pub surroundings: &'a Surroundings,
}

pub(super) type Outcome<T> = Result<T, String>;

impl Given<'_> {
    pub fn string(&self) -> String {
        unquote(self.text.trim()).to_owned()
    }

    /// The text unless it is empty or `None`.
    pub fn optional(&self) -> Option<String> {
        Some(self.string()).filter(|text| !text.is_empty() && text != "None")
    }

    pub fn boolean(&self) -> Outcome<bool> {
        match self.optional() {
            None => Ok(false),
            Some(text) => {
                boolean_word(&text).ok_or_else(|| format!("expected yes or no, got {:?}", self.text))
            }
        }
    }

    pub fn number<N: FromStr>(&self) -> Outcome<N> {
        self.string().parse().map_err(|_| format!("expected a whole number, got {:?}", self.text))
    }

    /// Comma separated.
    pub fn list(&self) -> Vec<String> {
        let text = self.string();
        text.split(',').map(|word| unquote(word.trim()).to_owned()).filter(|word| !word.is_empty()).collect()
    }

    pub fn path(&self) -> PathBuf {
        self.resolve(&self.string())
    }

    /// Separated by colons.
    pub fn search_path(&self) -> Vec<PathBuf> {
        let text = self.string();
        text.split(':').filter(|part| !part.trim().is_empty()).map(|part| self.resolve(part.trim())).collect()
    }

    /// One of the named choices.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Outcome<T> {
        let text = self.string().to_lowercase();
        choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            format!("expected one of {}, got {:?}", names.join(", "), self.text)
        })
    }

    /// Puts in `{{CWD}}`, `~` and `$NAME`, and makes the path absolute.
    pub fn resolve(&self, path: &str) -> PathBuf {
        let path = path.replace("{{CWD}}", &self.surroundings.directory.to_string_lossy());
        let path = expand_variables(&path, self.surroundings);
        let home = self.surroundings.variables.get("HOME");
        match (path.strip_prefix('~'), home) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
                PathBuf::from(format!("{home}{rest}"))
            }
            _ => self.base.join(path),
        }
    }
}

fn unquote(text: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(text)
}

/// `$NAME` and `${NAME}`; unknown ones stay as they are.
fn expand_variables(text: &str, surroundings: &Surroundings) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, length) = if let Some((name, _)) = braced {
            (name, name.len() + 2)
        } else {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            (after.get(..end).unwrap_or_default(), end)
        };
        if let Some(value) = surroundings.variables.get(name) {
            expanded.push_str(value);
        } else {
            expanded.push('$');
            expanded.push_str(after.get(..length).unwrap_or_default());
        }
        rest = after.get(length..).unwrap_or_default();
    }
    expanded.push_str(rest);
    expanded
}
