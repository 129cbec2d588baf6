//! `include_vars`: loads variables from a file or a directory.

use super::manual::{Manual, Opt, What};
use std::path::{Path, PathBuf};

use fanfare_modules::kit::regex::{Flags, Regex};

use crate::diagnostic::{Diagnostic, Result};
use crate::run::call::Call;
use crate::run::content;
use crate::run::outcome::Raw;
use crate::run::vars_files::load_vars;
use crate::template::{self, Names};
use crate::value::{Dict, Value};
use crate::vars::merge_deep;

pub(super) const MANUAL: Manual = Manual {
    text: "Loads variables from a file or a directory while the play runs.",
    options: &[
        Opt::new("file", What::Text, "The file: YAML or JSON. May be given without a name."),
        Opt::new("dir", What::Text, "A directory instead; its files are loaded in the order of their names."),
        Opt::new("name", What::Text, "Puts all variables into a dictionary of that name."),
        Opt::new("depth", What::Number, "How many levels of directories to go down; 0 is all.").or("0"),
        Opt::new("files_matching", What::Text, "A pattern that the names of files must match."),
        Opt::new("ignore_files", What::Texts, "Names of files to leave out."),
        Opt::new("extensions", What::Texts, "What names may end with.").or("yaml, yml, json"),
        Opt::new("ignore_unknown_extensions", What::Truth, "Leaves out other files, instead of failing.")
            .or("false"),
        Opt::new("hash_behaviour", What::Text, "How dictionaries of the same name meet.")
            .one_of(&["replace", "merge"]),
    ],
    open: false,
    examples: "- include_vars: stuff.yml\n\n- name: All of a directory, under one name\n  include_vars: {dir: vars/services, name: services}\n",
};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let merges = match call.text("hash_behaviour").as_deref() {
        None => call.job.batch.run.options.run.merges,
        Some("replace") => false,
        Some("merge") => true,
        Some(other) => {
            return Err(call.misuse(format!(
                "include_vars: value of hash_behaviour must be one of: replace, merge, got: {other}"
            )));
        }
    };
    let of_dirs =
        ["dir", "depth", "files_matching", "ignore_files", "extensions", "ignore_unknown_extensions"];
    if file(call).is_some() && of_dirs.iter().any(|option| call.args.contains(option)) {
        return Err(call.misuse("You are mixing file only and dir only arguments, these are incompatible"));
    }
    if call.text("dir").is_none() && file(call).is_none() {
        return Err(call.misuse("include_vars: one of the following is required: file, dir"));
    }
    depth(call)?;
    let (vars, files, error) = match load(call, merges) {
        Ok((vars, files)) => (vars, files, None),
        Err(error) => (Dict::new(), Vec::new(), Some(error)),
    };
    let vars = if merges { merged(call, vars)? } else { vars };
    let mut raw = error.map_or_else(Raw::default, |error| {
        let message = error.message().to_owned();
        let mut raw = Raw::error(error);
        raw.set("message", message);
        raw
    });
    raw.set("ansible_facts", vars);
    raw.set(
        "ansible_included_var_files",
        files.iter().map(|path| Value::from(path.to_string_lossy().into_owned())).collect::<Vec<_>>(),
    );
    raw.set("changed", false);
    Ok(raw)
}

/// How many levels of directories to go down; 0 is all.
fn depth(call: &Call<'_>) -> Result<usize> {
    let Some(text) = call.text("depth") else { return Ok(0) };
    text.parse().map_err(|_| call.misuse(format!("depth: '{text}' is no number")))
}

fn file(call: &Call<'_>) -> Option<String> {
    call.text("_raw_params").or_else(|| call.text("file"))
}

/// Each dictionary over the one that the variable of its name holds already.
fn merged(call: &Call<'_>, vars: Dict) -> Result<Dict> {
    let context = call.context();
    vars.into_iter()
        .map(|(name, value)| {
            let held = name.as_str().and_then(|name| call.scope.get(name));
            let Some(held) = held.filter(|_| matches!(value, Value::Dict(_))) else {
                return Ok((name, value));
            };
            let held = template::render_all(&held, &context)?;
            Ok((name, merge_deep(held, &value)))
        })
        .collect()
}

/// The variables, and the files they come from.
fn load(call: &Call<'_>, merges: bool) -> Result<(Dict, Vec<PathBuf>)> {
    let mut vars = Dict::new();
    let mut files = Vec::new();
    if let Some(dir) = call.text("dir") {
        let dir = directory(call, &dir)?;
        for path in listed(call, &dir)? {
            crate::vars::merge(&mut vars, &*load_vars(&path)?, merges);
            files.push(path);
        }
    } else {
        let file = file(call).unwrap_or_default();
        let path = content::find(file.trim(), "vars", call.scope)?;
        let path = std::path::absolute(&path).unwrap_or(path);
        crate::vars::merge(&mut vars, &*load_vars(&path)?, merges);
        files.push(path);
    }
    if let Some(name) = call.text("name") {
        vars = [(name, Value::dict(vars))].into_iter().collect();
    }
    Ok((vars, files))
}

fn directory(call: &Call<'_>, dir: &str) -> Result<PathBuf> {
    let wanted = crate::path::expand_home(dir);
    let found = match (&call.job.task.role, wanted.is_absolute()) {
        (_, true) => wanted,
        (Some(role), false) => {
            let in_vars = role.path.join("vars").join(&wanted);
            if in_vars.is_dir() { in_vars } else { role.path.join(&wanted) }
        }
        (None, false) => {
            let base = call.job.task.place.source.path.parent().unwrap_or(Path::new(""));
            base.join(&wanted)
        }
    };
    let found = std::path::absolute(&found).unwrap_or(found);
    if found.is_dir() {
        return Ok(found);
    }
    let what = if found.exists() { "is not a directory" } else { "directory does not exist" };
    Err(call.misuse(format!("{} {what}", found.display())))
}

/// The files of a directory that count, sorted, down to `depth`.
fn listed(call: &Call<'_>, dir: &Path) -> Result<Vec<PathBuf>> {
    let deepest = depth(call)?;
    let strings = |name: &str| match call.args.get(name) {
        Some(Value::List(items)) => Some(items.iter().map(ToString::to_string).collect::<Vec<_>>()),
        Some(Value::None) | None => None,
        Some(other) => Some(other.to_string().split_whitespace().map(str::to_owned).collect()),
    };
    let extensions =
        strings("extensions").unwrap_or_else(|| ["yaml", "yml", "json"].map(str::to_owned).into());
    let ignored = strings("ignore_files").unwrap_or_default();
    let matching = match call.text("files_matching") {
        Some(pattern) => Some(
            Regex::cached(&pattern, Flags::default())
                .map_err(|error| call.misuse(format!("files_matching: {error}")))?,
        ),
        None => None,
    };
    let lenient = call.flag("ignore_unknown_extensions", false)?;
    let mut found = Vec::new();
    let mut pending = vec![(dir.to_owned(), 1)];
    while let Some((dir, depth)) = pending.pop() {
        let unreadable =
            |error: std::io::Error| Diagnostic::new(format!("cannot read {}: {error}", dir.display()));
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&dir).map_err(unreadable)? {
            paths.push(entry.map_err(unreadable)?.path());
        }
        paths.sort();
        for path in paths {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() {
                if deepest == 0 || depth < deepest {
                    pending.push((path, depth + 1));
                }
                continue;
            }
            let is_matching = match &matching {
                Some(regex) => {
                    regex.is_match(&name).map_err(|error| call.misuse(format!("files_matching: {error}")))?
                }
                None => true,
            };
            if ignored.contains(&name) || !is_matching {
                continue;
            }
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            let known = extensions.iter().any(|known| known.trim_start_matches('.') == extension);
            if known {
                found.push(path);
            } else if !lenient {
                return Err(call.misuse(format!(
                    "'{}' does not have a valid extension: {}",
                    path.display(),
                    extensions.join(", ")
                )));
            }
        }
    }
    found.sort();
    Ok(found)
}
