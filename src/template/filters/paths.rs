//! Paths: of the control node, and of Windows.

use std::path::{Path, PathBuf};

use fanfare_modules::kit::User;

use super::items;
use crate::accounts;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("basename", &[], basename),
    FilterEntry::new("commonpath", &[], commonpath),
    FilterEntry::new("dirname", &[], dirname),
    FilterEntry::new("expanduser", &[], expand_user),
    FilterEntry::new("expandvars", &[], expand_vars),
    FilterEntry::new("fileglob", &[], fileglob),
    FilterEntry::new("normpath", &[], normalize),
    FilterEntry::new("path_join", &[], path_join),
    FilterEntry::new("realpath", &[], realpath),
    FilterEntry::new("relpath", &["start"], relpath),
    FilterEntry::new("splitext", &[], splitext),
    FilterEntry::new("win_basename", &[], win_basename),
    FilterEntry::new("win_dirname", &[], win_dirname),
    FilterEntry::new("win_splitdrive", &[], win_splitdrive),
];

fn path(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| {
        Diagnostic::new(format!("expected str, bytes or os.PathLike object, not {}", value.type_name()))
    })
}

fn pair(first: &str, second: &str) -> Value {
    Value::Tuple(vec![first.into(), second.into()].into())
}

fn basename(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let path = path(subject)?;
    Ok(path.rsplit('/').next().unwrap_or(path).into())
}

fn dirname(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let path = path(subject)?;
    let head = path.get(..path.rfind('/').map_or(0, |at| at + 1)).unwrap_or_default();
    let bare = head.trim_end_matches('/');
    Ok(if bare.is_empty() { head } else { bare }.into())
}

fn splitext(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let path = path(subject)?;
    let name = path.rfind('/').map_or(0, |at| at + 1);
    let dots = path.get(name..).map_or(0, |name| name.len() - name.trim_start_matches('.').len());
    let dot = path.rfind('.').filter(|dot| *dot >= name + dots);
    let (root, extension) = path.split_at(dot.unwrap_or(path.len()));
    Ok(pair(root, extension))
}

fn path_join(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    if let Value::Str(_) = subject {
        return Ok(subject.clone());
    }
    if !is_sequence(subject) {
        return Err(Diagnostic::new(format!(
            "|path_join expects string or sequence, got <class '{}'> instead.",
            subject.type_name()
        )));
    }
    let parts = items(subject, context)?;
    if parts.is_empty() {
        return Err(Diagnostic::new("join() missing 1 required positional argument: 'a'"));
    }
    let mut joined = String::new();
    for part in parts {
        let part = path(&part)?.to_owned();
        if part.starts_with('/') || joined.is_empty() {
            joined = part;
            continue;
        }
        if !joined.ends_with('/') {
            joined.push('/');
        }
        joined.push_str(&part);
    }
    Ok(joined.into())
}

fn is_sequence(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Tuple(_) | Value::Object(_))
}

fn commonpath(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    if !is_sequence(subject) {
        return Err(Diagnostic::new(format!(
            "|commonpath expects sequence, got <class '{}'> instead.",
            subject.type_name()
        )));
    }
    let paths = items(subject, context)?;
    let paths: Vec<&str> = paths.iter().map(path).collect::<Result<_>>()?;
    let absolute = paths.iter().filter(|path| path.starts_with('/')).count();
    if paths.is_empty() {
        return Err(Diagnostic::new("commonpath() arg is an empty sequence"));
    }
    if absolute != 0 && absolute != paths.len() {
        return Err(Diagnostic::new("Can't mix absolute and relative paths"));
    }
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    let mut common = paths.first().map(|path| parts(path)).unwrap_or_default();
    for path in &paths {
        let same = common.iter().zip(parts(path)).take_while(|(a, b)| *a == b).count();
        common.truncate(same);
    }
    Ok(format!("{}{}", if absolute > 0 { "/" } else { "" }, common.join("/")).into())
}

fn expand_user(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(expanduser(path(subject)?).into())
}

/// `~` and `~name` in front of a path; what is not known stays as it is.
pub(in crate::template) fn expanduser(path: &str) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_owned() };
    let (name, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home_of = |wanted: &dyn Fn(&User) -> bool| Some(accounts::user(wanted)?.home);
    let home = match name {
        "" => std::env::var("HOME")
            .ok()
            .or_else(|| home_of(&|user| user.uid == rustix::process::getuid().as_raw())),
        name => home_of(&|user| user.name == name),
    };
    match home {
        Some(home) => {
            let joined = format!("{}{after}", home.trim_end_matches('/'));
            if joined.is_empty() { "/".to_owned() } else { joined }
        }
        None => path.to_owned(),
    }
}

fn expand_vars(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(expandvars(path(subject)?).into())
}

/// `$NAME` and `${NAME}`; what is not set stays as it is.
pub(in crate::template) fn expandvars(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let braced = after.strip_prefix('{').and_then(|braced| braced.split_once('}'));
        let (name, length) = braced.map_or_else(
            || {
                let end = after.find(|c| !is_word(c)).unwrap_or(after.len());
                (after.get(..end).unwrap_or_default(), end)
            },
            |(name, _)| (name, name.len() + 2),
        );
        let (taken, left) = after.split_at(length);
        match std::env::var(name).ok().filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.extend(["$", taken]),
        }
        rest = left;
    }
    out + rest
}

fn normalize(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(normpath(path(subject)?).into())
}

/// Without `.`, `..` and doubled slashes, by the text alone.
pub(in crate::template) fn normpath(path: &str) -> String {
    let root = match path {
        path if path.starts_with("//") && !path.starts_with("///") => "//",
        path if path.starts_with('/') => "/",
        _ => "",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    match format!("{root}{}", parts.join("/")) {
        empty if empty.is_empty() => ".".to_owned(),
        normal => normal,
    }
}

fn absolute(path: &str) -> Result<String> {
    if path.starts_with('/') {
        return Ok(normpath(path));
    }
    let here = std::env::current_dir()
        .map_err(|error| Diagnostic::new(format!("the current directory is not readable: {error}")))?;
    Ok(normpath(&format!("{}/{path}", here.display())))
}

/// With every link resolved; what does not exist is kept by its name.
fn realpath(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let absolute = absolute(path(subject)?)?;
    let mut existing = PathBuf::from(&absolute);
    let mut missing = Vec::new();
    loop {
        if let Ok(real) = existing.canonicalize() {
            let whole = missing.iter().rev().fold(real, |path, part| path.join(part));
            return Ok(whole.to_string_lossy().into_owned().into());
        }
        let Some(name) = existing.file_name().map(ToOwned::to_owned) else { return Ok(absolute.into()) };
        missing.push(name);
        existing.pop();
    }
}

fn relpath(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let path = path(subject)?;
    if path.is_empty() {
        return Err(Diagnostic::new("no path specified"));
    }
    let path = absolute(path)?;
    let start = absolute(&args.string("start").unwrap_or(".".into()))?;
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (path, start) = (parts(&path), parts(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let ups = std::iter::repeat_n("..", start.len() - common);
    let relative: Vec<&str> = ups.chain(path.iter().skip(common).map(String::as_str)).collect();
    Ok(if relative.is_empty() { ".".into() } else { relative.join("/").into() })
}

fn fileglob(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    if !context.names.may_look_up() {
        return Err(Diagnostic::new("it is not yet time for fileglob"));
    }
    let found = glob(Path::new(path(subject)?))?;
    let files = found.into_iter().filter(|path| path.is_file());
    Ok(files.map(|path| Value::from(path.to_string_lossy().into_owned())).collect::<Vec<_>>().into())
}

/// What matches a pattern, sorted; a name that begins with a dot only where the pattern does.
pub(in crate::template) fn glob(pattern: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        // Braces and backslashes mean nothing in Python's patterns.
        let plain = text.replace('{', "\u{1}").replace('}', "[}]").replace('\u{1}', "[{]");
        let matcher = globset::GlobBuilder::new(&plain)
            .literal_separator(true)
            .backslash_escape(false)
            .build()
            .map_err(|error| Diagnostic::new(format!("'{}' is no pattern: {error}", pattern.display())))?
            .compile_matcher();
        let mut next = Vec::new();
        for directory in found {
            let listed = if directory.as_os_str().is_empty() { Path::new(".") } else { &directory };
            // What cannot be listed has nothing that matches, as in a shell.
            let Ok(entries) = std::fs::read_dir(listed) else { continue };
            let names = entries.flatten().map(|entry| entry.file_name());
            let mut names: Vec<_> = names
                .filter(|name| matcher.is_match(name))
                .filter(|name| text.starts_with('.') || !name.to_string_lossy().starts_with('.'))
                .collect();
            names.sort();
            next.extend(names.iter().map(|name| directory.join(name)));
        }
        found = next;
    }
    found.retain(|path| path.symlink_metadata().is_ok());
    Ok(found)
}

/// Drive or share, and the rest.
fn split_drive(path: &str) -> (&str, &str) {
    let slash = |c: char| c == '\\' || c == '/';
    let bytes = path.as_bytes();
    if path.starts_with(slash) && path.get(1..).is_some_and(|rest| rest.starts_with(slash)) {
        let rest = path.get(2..).unwrap_or_default();
        let Some(server) = rest.find(slash) else { return (path, "") };
        let share = rest.get(server + 1..).unwrap_or_default();
        let end = share.find(slash).map_or(path.len(), |at| 2 + server + 1 + at);
        return path.split_at(end);
    }
    if bytes.get(1) == Some(&b':') { path.split_at(2) } else { ("", path) }
}

/// `ntpath.split`.
fn win_split(path: &str) -> (String, &str) {
    let (drive, rest) = split_drive(path);
    let name = rest.rfind(['\\', '/']).map_or(0, |at| at + 1);
    let (head, tail) = rest.split_at(name);
    let bare = head.trim_end_matches(['\\', '/']);
    (format!("{drive}{}", if bare.is_empty() { head } else { bare }), tail)
}

fn win_basename(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(win_split(path(subject)?).1.into())
}

fn win_dirname(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(win_split(path(subject)?).0.into())
}

fn win_splitdrive(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let (drive, rest) = split_drive(path(subject)?);
    Ok(pair(drive, rest))
}
