//! `first_found`: the first file of a list that exists.

use super::options::{flag, is_yes};
use super::search::{candidates, shown};
use crate::diagnostic::{Diagnostic, Result};
use crate::path::normal;
use crate::template::{Args, Context, LookupEntry};
use crate::value::{Dict, Value};

pub(super) static ENTRY: LookupEntry =
    LookupEntry { name: "first_found", params: &["files", "paths", "skip"], run: first_found };

fn first_found(terms: &[Value], args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let mut search = Search { names: Vec::new(), skip: flag(args, "skip", false) };
    let options = args.named;
    if options.contains("files") || options.contains("paths") {
        search.add_dict(options)?;
    }
    for term in terms {
        search.add(term)?;
    }
    let subdirectory = context.names.files_dir();
    let found = search
        .names
        .iter()
        .find_map(|name| candidates(context, &[subdirectory], name).into_iter().find(|path| path.exists()));
    match found {
        Some(path) => Ok(vec![shown(&if path.is_absolute() { normal(&path) } else { path })]),
        None if search.skip => Ok(Vec::new()),
        None => Err(Diagnostic::new("No file was found when using first_found.")
            .hint(format!("Looked for: {}.", search.names.join(", ")))
            .hint("With skip=true (or errors='ignore') nothing found is no error.")),
    }
}

struct Search {
    names: Vec<String>,
    skip: bool,
}

impl Search {
    fn add(&mut self, term: &Value) -> Result<()> {
        match term {
            Value::Str(names) => self.names.extend(split(names, &[',', ';'])),
            Value::Dict(options) => self.add_dict(options)?,
            Value::List(terms) => terms.iter().try_for_each(|term| self.add(term))?,
            other => {
                return Err(Diagnostic::new(format!(
                    "Invalid term supplied. A string, dict or list is required, not '{}').",
                    other.type_name()
                )));
            }
        }
        Ok(())
    }

    fn add_dict(&mut self, options: &Dict) -> Result<()> {
        for (key, value) in options {
            match key.as_str() {
                Some("files" | "paths") => {}
                Some("skip") => self.skip = is_yes(value),
                _ => {
                    return Err(Diagnostic::new(format!("unknown option {} for first_found", key.repr()))
                        .hint("It takes files, paths and skip."));
                }
            }
        }
        let list = |key: &str, separators: &[char]| match options.get(key) {
            Some(Value::Str(names)) => split(names, separators),
            Some(Value::List(names)) => {
                names.iter().flat_map(|name| split(&name.to_string(), separators)).collect()
            }
            _ => Vec::new(),
        };
        let (files, paths) = (list("files", &[',', ';']), list("paths", &[',', ':', ';']));
        if paths.is_empty() {
            self.names.extend(files);
            return Ok(());
        }
        for path in &paths {
            self.names.extend(files.iter().map(|file| {
                if file.starts_with('/') {
                    file.clone()
                } else {
                    format!("{}/{file}", path.trim_end_matches('/'))
                }
            }));
        }
        Ok(())
    }
}

fn split(names: &str, separators: &[char]) -> Vec<String> {
    names.split(separators).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
