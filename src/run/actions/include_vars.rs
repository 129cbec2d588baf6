//! `include_vars`: loads variables from a file or a directory.

use super::manual::{Manual, Opt, What};
use std::path::{Path, PathBuf};

use fanfare_modules::kit::regex::{Flags, Regex};

use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::reserved;
use crate::run::call::Call;
use crate::run::content;
use crate::run::outcome::Raw;
use crate::run::vars_files::variables;
use crate::template::{self, Names};
use crate::value::{Dict, Value};
use crate::vars::merge_deep;
use crate::yaml;

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
        let error = call.misuse("You are mixing file only and dir only arguments, these are incompatible");
        return Err(error.context("Task failed"));
    }
    depth(call)?;
    let Loaded { vars, files, secret, error } = load(call)?;
    let vars = if merges { merged(call, vars)? } else { vars };
    let (mut raw, vars) = match error {
        None => (Raw::default(), vars),
        Some(error) => {
            let message = error.message().to_owned();
            let mut raw = Raw::error(error);
            raw.set("message", message);
            (raw, Dict::new())
        }
    };
    raw.secret = secret;
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

/// What was loaded until it went wrong, if it did.
#[derive(Default)]
struct Loaded {
    vars: Dict,
    files: Vec<PathBuf>,
    /// Whether one of the files is encrypted: as in Ansible, nothing of the result is shown then.
    secret: bool,
    error: Option<Diagnostic>,
}

fn load(call: &Call<'_>) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let dir = call.text("dir");
    loaded.error = match (&dir, file(call)) {
        (Some(dir), _) => load_dir(call, dir, &mut loaded)?.err(),
        (None, Some(file)) => load_file(call, file.trim(), &mut loaded).err(),
        (None, None) => Some(
            call.misuse("Could not find file on the Ansible Controller.")
                .hint("include_vars needs one of these: file, dir"),
        ),
    };
    if let Some(name) = call.text("name") {
        loaded.vars = [(name, Value::dict(loaded.vars))].into_iter().collect();
    }
    Ok(loaded)
}

fn load_file(call: &Call<'_>, file: &str, loaded: &mut Loaded) -> Result<()> {
    let path = content::find(file, "vars", call.scope)?;
    let path = std::path::absolute(&path).unwrap_or(path);
    let content = yaml::load_file(&path)?;
    loaded.secret |= is_secret(&content);
    crate::vars::merge(&mut loaded.vars, &*variables(&content)?, false);
    warn(call, &content);
    loaded.files.push(path);
    Ok(())
}

fn is_secret(content: &yaml::Loaded) -> bool {
    content.documents.iter().any(|document| document.place.source.secret)
}

/// Of keys that are there twice, and of variables that are called like keywords or functions: under `name` they are no
/// variables.
fn warn(call: &Call<'_>, content: &yaml::Loaded) {
    for warning in &content.warnings {
        call.job.batch.run.warn(warning.clone());
    }
    let named = call.args.contains("name");
    let document = content.documents.first().filter(|_| !named);
    for (key, _) in document.and_then(yaml::Node::as_map).unwrap_or_default() {
        if let Some(warning) = key.as_str().and_then(|name| reserved::warning(name, Some(&key.place))) {
            call.job.batch.run.warn(warning);
        }
    }
}

/// Loads one file after the other; what they hold is merged with what there was, but never with one another.
///
/// As in Ansible, a file that is no YAML is an error without what was loaded before it; any other reason to stop
/// comes with that.
fn load_dir(call: &Call<'_>, dir: &str, loaded: &mut Loaded) -> Result<Result<()>> {
    let dir = match directory(call, dir) {
        Ok(dir) => dir,
        Err(error) => return Ok(Err(error)),
    };
    let extensions = extensions(call)?;
    let lenient = call.flag("ignore_unknown_extensions", false)?;
    for path in listed(call, &dir)? {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if !extensions.iter().any(|known| known.trim_start_matches('.') == extension) {
            if lenient {
                continue;
            }
            return Ok(Err(call.misuse(format!(
                "'{}' does not have a valid extension: {}",
                path.display(),
                extensions.join(", ")
            ))));
        }
        let content = yaml::load_file(&path).map_err(|error| error.context("Task failed"))?;
        loaded.secret |= is_secret(&content);
        match variables(&content) {
            Ok(vars) => {
                crate::vars::merge(&mut loaded.vars, &vars, false);
                warn(call, &content);
            }
            Err(error) => return Ok(Err(error)),
        }
        loaded.files.push(path);
    }
    Ok(Ok(()))
}

fn extensions(call: &Call<'_>) -> Result<Vec<String>> {
    match call.args.get("extensions") {
        None | Some(Value::None) => Ok(["yaml", "yml", "json"].map(str::to_owned).into()),
        Some(Value::List(known)) => Ok(known.iter().map(ToString::to_string).collect()),
        Some(_) => Err(call.misuse("The 'extensions' option must be a list.").context("Task failed")),
    }
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

/// The files of a directory that count, down to `depth`: those of one directory after those of another.
fn listed(call: &Call<'_>, dir: &Path) -> Result<Vec<PathBuf>> {
    let deepest = depth(call)?;
    let ignored: Vec<String> = match call.args.get("ignore_files") {
        Some(Value::List(items)) => items.iter().map(ToString::to_string).collect(),
        Some(Value::None) | None => Vec::new(),
        Some(other) => other.to_string().split_whitespace().map(str::to_owned).collect(),
    };
    let matching = match call.text("files_matching") {
        Some(pattern) => Some(
            Regex::cached(&pattern, Flags::default())
                .map_err(|error| call.misuse(format!("files_matching: {error}")))?,
        ),
        None => None,
    };
    let mut found = Vec::new();
    let mut pending = vec![(dir.to_owned(), 1)];
    while let Some((dir, depth)) = pending.pop() {
        let unreadable =
            |error: std::io::Error| Diagnostic::new(format!("cannot read {}: {error}", dir.display()));
        for entry in std::fs::read_dir(&dir).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
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
            if is_matching && !ignored.contains(&name) {
                found.push(path);
            }
        }
    }
    found.sort_by(|a, b| (a.parent(), a.file_name()).cmp(&(b.parent(), b.file_name())));
    Ok(found)
}
