use std::io::Read;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::command::yes;
use crate::kit::change::Shape;
use crate::kit::{Failure, FileAttributes, FileFacts, FilePath, Meta, Result, System, Time};

/// Manages files, directories and links and their attributes.
///
/// For content use `copy`, `template`, `lineinfile` or `blockinfile`.
///
/// # Examples
///
/// ```yaml
/// - name: Owner, group and permissions of a file that is there
///   file: {path: /etc/passwd, owner: root, group: root, mode: '0644'}
///
/// - name: A directory, with its parents
///   file:
///     path: /srv/app/releases
///     state: directory
///     mode: u=rwx,g=rx,o=rx
///
/// - name: A symbolic link
///   file: {src: /srv/app/releases, dest: /srv/current, state: link, force: yes}
///
/// - name: An empty file, its times left alone when it is there
///   file: {path: /etc/app.conf, state: touch, access_time: preserve, modification_time: preserve}
///
/// - name: All below a directory
///   file: {path: /var/www, state: directory, recurse: yes, owner: nobody}
///
/// - name: Nothing is there
///   file: {path: /etc/foo.txt, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The path to manage.
    #[schemars(extend("aliases" = ["dest", "name"]))]
    pub path: FilePath,
    /// What is to be there. Without it: what is there now, else `directory` with `recurse`, else `file`.
    pub state: Option<State>,
    /// What a link points to. A symbolic link's may be relative to the link, and need not exist with `force`.
    pub src: Option<FilePath>,
    /// Whether attributes are set on all that is in a directory, too. Only with `state: directory`.
    #[serde(default)]
    pub recurse: bool,
    /// Makes a symbolic link although nothing is at its target, or although a file or an empty directory is in its
    /// place.
    #[serde(default)]
    pub force: bool,
    /// Whether a symbolic link's target is meant.
    #[serde(default = "yes")]
    pub follow: bool,
    /// When the file was last changed: `preserve`, `now` or a time. The default is `now` for `touch`, else
    /// `preserve`.
    pub modification_time: Option<String>,
    /// How `modification_time` is written, as for `strftime`.
    #[serde(default = "time_format")]
    pub modification_time_format: String,
    /// When the file was last read: `preserve`, `now` or a time. The default is `now` for `touch`, else `preserve`.
    pub access_time: Option<String>,
    /// How `access_time` is written, as for `strftime`.
    #[serde(default = "time_format")]
    pub access_time_format: String,
    /// Of Ansible itself: the name of the file that is meant in a directory.
    #[serde(rename = "_original_basename")]
    pub basename: Option<String>,
    /// Of Ansible itself: does nothing but say whether the file is binary.
    #[serde(default, rename = "_diff_peek")]
    pub peek: bool,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing is there. Directories go with all they hold.
    Absent,
    /// A directory, with its parents; new ones get the attributes given.
    Directory,
    /// A file must be there already; its attributes are managed.
    File,
    /// A hard link.
    Hard,
    /// A symbolic link.
    Link,
    /// A file, made empty when it is not there; its times are set.
    Touch,
}

fn time_format() -> String {
    "%Y%m%d%H%M.%S".to_owned()
}

#[derive(Debug, Default, Serialize)]
pub struct Returns {
    /// For `absent`, `directory` and `file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// For `hard`, `link` and `touch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    dest: Option<String>,
    /// Null of a hard link that nobody asked for, and of a link that is neither followed nor asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appears_binary: Option<bool>,
    /// None of a link that leads nowhere.
    #[serde(flatten)]
    facts: Option<FileFacts>,
}

pub(crate) fn run(mut args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.peek {
        return peek(&args.path, sys);
    }
    if sys.is_check() && args.state != Some(State::Absent) {
        foresee_owners(&args.attributes, sys)?;
    }
    // A file in a directory is named as its source, as `ln` and `cp` do it.
    if !matches!(args.state, Some(State::Link | State::Absent))
        && let Some(name) = args.basename.as_ref().map(PathBuf::from).or_else(|| named(&args))
        && sys.is_dir(&args.path)?
    {
        args.path.0.push(name);
    }
    let now = sys.stat(&args.path)?;
    let state = args.state.unwrap_or(match &now {
        Some(meta) if meta.is_dir() => State::Directory,
        Some(meta) if meta.is_link() => State::Link,
        Some(meta) if meta.links > 1 => State::Hard,
        None if args.recurse => State::Directory,
        _ => State::File,
    });
    if args.recurse && state != State::Directory {
        return Err(Failure::new("recurse option requires state to be 'directory'").of(&args.path));
    }
    if args.src.is_some() && !matches!(state, State::Link | State::Hard) {
        return Err(Failure::new("src option requires state to be 'link' or 'hard'").of(&args.path));
    }
    if now.is_none() && sys.is_below_file(&args.path)? {
        return Err(Failure::new(format!("Not a directory: {}", args.path.display())));
    }
    let returns = ensure(args, state, now.as_ref(), sys)?;
    let told = returns.path.as_ref().or(returns.dest.as_ref());
    if let Some(path) = told.filter(|_| state != State::Absent) {
        sys.shape_diff(Shape::Managed(path.into()));
    }
    Ok(returns)
}

/// What a hard link is called in a directory.
fn named(args: &Args) -> Option<PathBuf> {
    let src = args.src.as_ref().filter(|_| args.state == Some(State::Hard))?;
    src.file_name().map(PathBuf::from)
}

/// Warns in check mode of those who are not there yet.
fn foresee_owners(wanted: &FileAttributes, sys: &mut System<'_>) -> Result<()> {
    let absent = |kind: &str, name: &str, is_known: bool| {
        let id = if kind == "user" { "uid" } else { "gid" };
        let by_id = if name.parse::<u32>().is_ok() { format!(" with {id}") } else { String::new() };
        let create = if kind == "user" { "Create user" } else { "Create group" };
        let text = format!("failed to look up {kind}{by_id} {name}. {create} up to this point in real play");
        (!is_known).then_some(text)
    };
    let owner = match &wanted.owner {
        Some(name) => match name.parse() {
            Ok(uid) => absent("user", name, sys.user_by_id(uid)?.is_some()),
            Err(_) => absent("user", name, sys.user(name)?.is_some()),
        },
        None => None,
    };
    let group = match &wanted.group {
        Some(name) => match name.parse() {
            Ok(gid) => absent("group", name, sys.group_by_id(gid)?.is_some()),
            Err(_) => absent("group", name, sys.group(name)?.is_some()),
        },
        None => None,
    };
    owner.into_iter().chain(group).for_each(|text| sys.warn(text));
    Ok(())
}

/// Tells what is there, and whether it is text.
fn peek(path: &Path, sys: &mut System<'_>) -> Result<Returns> {
    /// So much of a file tells what kind it is.
    const START: u64 = 8192;
    let mut start = Vec::new();
    // What cannot be read, as a directory, is not binary.
    let read = sys.open(path).ok().map(|file| file.take(START).read_to_end(&mut start));
    Ok(Returns {
        path: Some(path.to_string_lossy().into_owned()),
        appears_binary: Some(matches!(read, Some(Ok(_))) && start.contains(&0)),
        facts: sys.file_facts_if_there(path)?,
        ..Returns::default()
    })
}

fn ensure(args: Args, state: State, now: Option<&Meta>, sys: &mut System<'_>) -> Result<Returns> {
    match state {
        State::Absent => {
            let is_dir = now.is_some_and(Meta::is_dir);
            let told = |failure: Failure| if is_dir { failure } else { failure.of(&args.path) };
            sys.remove(&args.path).map_err(told)?;
            let facts = Some(FileFacts { state: "absent", ..FileFacts::default() });
            Ok(Returns { path: Some(args.path.text().into_owned()), facts, ..Returns::default() })
        }
        State::File => file(&args, sys),
        State::Directory => directory(&args, sys),
        State::Link => link(&args, now, sys),
        State::Hard => hard(&args, now, sys),
        State::Touch => touch(&args, sys),
    }
}

fn file(args: &Args, sys: &mut System<'_>) -> Result<Returns> {
    let path = target(args, sys)?;
    match sys.stat(&path)? {
        None if sys.file_comes_with_package(&path)? => file(args, sys),
        None => {
            let msg = format!("file ({}) is absent, cannot continue", path.display());
            Err(Failure::new(msg).of(&path).with("state", "absent"))
        }
        Some(meta) if meta.is_dir() || meta.is_link() => {
            let what = sys.file_facts(&path, false)?.state;
            Err(Failure::new(format!("file ({}) is {what}, cannot continue", path.display())).of(&path))
        }
        Some(_) => {
            sys.set_attributes(&path, &args.attributes, true)?;
            times(args, &path, sys)?;
            by_path(&path, sys)
        }
    }
}

fn directory(args: &Args, sys: &mut System<'_>) -> Result<Returns> {
    let path = target(args, sys)?;
    if let Some(meta) = sys.stat(&path)?
        && !meta.is_dir()
    {
        let what = sys.file_facts(&path, false)?.state;
        return Err(Failure::new(format!("{} already exists as a {what}", path.display())).of(&path));
    }
    for made in sys.make_dirs(&path, None).map_err(|failure| failure.of(&path))? {
        sys.set_attributes(&made, &args.attributes, false)?;
    }
    sys.set_attributes(&path, &args.attributes, true)?;
    if args.recurse {
        let mut seen = vec![sys.resolve(&path)?];
        recurse(args, &path, &mut seen, sys)?;
    }
    times(args, &path, sys)?;
    by_path(&path, sys)
}

/// Sets the attributes of all that is in a directory. Links are followed when the user wants it, each directory
/// once.
fn recurse(args: &Args, dir: &Path, seen: &mut Vec<PathBuf>, sys: &mut System<'_>) -> Result<()> {
    for name in sys.list(dir)? {
        let path = dir.join(name);
        let Some(meta) = sys.stat(&path)? else { continue };
        let (path, meta) = if meta.is_link() && args.follow {
            let real = sys.resolve(&path)?;
            match sys.stat(&real)? {
                Some(meta) => (real, meta),
                // It points to nothing.
                None => continue,
            }
        } else {
            (path, meta)
        };
        sys.set_attributes(&path, &args.attributes, false)?;
        if meta.is_dir() && !seen.contains(&path) {
            seen.push(path.clone());
            recurse(args, &path, seen, sys)?;
        }
    }
    Ok(())
}

fn link(args: &Args, now: Option<&Meta>, sys: &mut System<'_>) -> Result<Returns> {
    let path = &args.path;
    let source = match &args.src {
        Some(src) => src.0.clone(),
        None if now.is_some_and(Meta::is_link) => sys.read_link(path)?,
        None => return Err(Failure::new("src is required for creating new symlinks")),
    };
    let base = if now.is_some_and(Meta::is_dir) { Some(path.0.as_path()) } else { path.parent() };
    let full = base.unwrap_or(Path::new("/")).join(&source);
    let exists = sys.exists(&full)?;
    if !args.force && !exists && args.src.is_some() {
        let msg = format!(
            "src file does not exist, use 'force=yes' if you really want to create the link: {}",
            full.display()
        );
        return Err(Failure::new(msg).of(path).with("src", source.to_string_lossy()));
    }
    if let Some(meta) = now
        && !meta.is_link()
    {
        let what = sys.file_facts(path, false)?.state;
        if !args.force {
            let msg = format!("refusing to convert from {what} to symlink for {}", path.display());
            return Err(Failure::new(msg).of(path));
        }
        if meta.is_dir() {
            if !sys.list(path)?.is_empty() {
                let msg = format!("the directory {} is not empty, refusing to convert it", path.display());
                return Err(Failure::new(msg).of(path));
            }
            sys.remove(path)?;
        }
    }
    sys.symlink(&source, path).map_err(|failure| failure.of(path))?;
    if args.follow && !exists {
        // Of a link that is only looked at Ansible always says so.
        if args.attributes != FileAttributes::default() || args.src.is_none() {
            sys.warn(
                "Cannot set fs attributes on a non-existent symlink target. follow should be set to False to \
                 avoid this.",
            );
        }
    } else {
        sys.set_attributes(path, &args.attributes, args.follow)?;
        times(args, path, sys)?;
    }
    // Where the link was to lead nobody asked.
    let unasked = args.src.is_none() && (!args.follow || !exists);
    let src = if unasked { Json::Null } else { Json::from(source.to_string_lossy()) };
    by_dest(path, Some(src), sys)
}

fn hard(args: &Args, now: Option<&Meta>, sys: &mut System<'_>) -> Result<Returns> {
    let path = &args.path;
    let Some(src) = &args.src else {
        if !now.is_some_and(|meta| meta.links > 1 && !meta.is_dir()) {
            return Err(Failure::new("src is required for creating new hardlinks"));
        }
        sys.set_attributes(path, &args.attributes, args.follow)?;
        times(args, path, sys)?;
        return by_dest(path, Some(Json::Null), sys);
    };
    let Some(source) = sys.stat_followed(src)? else {
        let failure = Failure::new("src does not exist").with("dest", path.text());
        return Err(failure.with("src", src.text()));
    };
    if let Some(old) = sys.stat(path)?
        && (old.inode, old.device) != (source.inode, source.device)
        && !args.force
        && !old.is_link()
    {
        let what = match &old {
            meta if meta.is_dir() => "a directory exists",
            meta if meta.links > 1 => "different hard link exists",
            _ => "a file exists",
        };
        return Err(Failure::new(format!("Cannot link, {what} at destination"))
            .with("dest", path.text())
            .with("src", src.text()));
    }
    sys.hard_link(src, path).map_err(|failure| failure.of(path))?;
    sys.set_attributes(path, &args.attributes, args.follow)?;
    times(args, path, sys)?;
    by_dest(path, Some(src.text().into()), sys)
}

fn touch(args: &Args, sys: &mut System<'_>) -> Result<Returns> {
    let path = target(args, sys)?;
    let is_new = sys.stat(&path)?.is_none();
    let (atime, mtime) = moments(args, "now", sys.now())?;
    if is_new && sys.stat(&args.path)?.is_some() {
        let msg = format!("cannot touch {}: the link leads to nothing", args.path.display());
        return Err(Failure::new(msg).of(&path));
    }
    if let Err(failure) = sys.touch(&path, atime, mtime, &args.attributes, args.follow) {
        if is_new && sys.stat(&path)?.is_some() {
            sys.unmake(&path)?;
        }
        let is_told = failure.fields.contains_key("path");
        return Err(if is_told || failure.errno.is_none() { failure } else { failure.of(&path) });
    }
    by_dest(&args.path, None, sys)
}

/// The path meant: the end of a symbolic link, be there anything or not, when links are followed.
fn target(args: &Args, sys: &System<'_>) -> Result<PathBuf> {
    let mut path = args.path.0.clone();
    // As many links as Linux follows.
    for _ in 0..40 {
        match sys.stat(&path)? {
            Some(meta) if meta.is_link() && args.follow => {}
            _ => return Ok(path),
        }
        if sys.exists(&path)? {
            return sys.resolve(&path);
        }
        let target = sys.read_link(&path)?;
        path = sys.resolve(path.parent().unwrap_or(Path::new("/")))?.join(target);
    }
    Ok(args.path.0.clone())
}

fn times(args: &Args, path: &Path, sys: &mut System<'_>) -> Result<()> {
    let (atime, mtime) = moments(args, "preserve", sys.now())?;
    if atime.is_some() || mtime.is_some() {
        sys.set_times(path, atime, mtime, args.follow).map_err(|failure| failure.of(path))?;
    }
    Ok(())
}

/// Access and modification time that are asked for.
fn moments(args: &Args, default: &str, now: Time) -> Result<(Option<Time>, Option<Time>)> {
    let access = args.access_time.as_deref().unwrap_or(default);
    let change = args.modification_time.as_deref().unwrap_or(default);
    Ok((moment(access, &args.access_time_format, now)?, moment(change, &args.modification_time_format, now)?))
}

fn moment(text: &str, format: &str, now: Time) -> Result<Option<Time>> {
    match text {
        "preserve" => return Ok(None),
        "now" => return Ok(Some(now)),
        _ => {}
    }
    let parsed = jiff::fmt::strtime::parse(format, text)
        .and_then(|mut at| {
            // As Python has it: what the format does not name is the first.
            let (year, month, day) = (at.year().or(Some(1900)), at.month().or(Some(1)), at.day().or(Some(1)));
            at.set_year(year)?;
            if at.day_of_year().is_none() {
                at.set_month(month)?;
                at.set_day(day)?;
            }
            at.to_datetime()?.to_zoned(jiff::tz::TimeZone::system())
        })
        .map_err(|_| {
            Failure::new(format!(
                "Error while obtaining timestamp for time {text} using format {format}: the text does not fit"
            ))
        })?;
    Ok(Some(Time { secs: parsed.timestamp().as_second(), nanos: 0 }))
}

fn by_dest(path: &Path, src: Option<Json>, sys: &System<'_>) -> Result<Returns> {
    let facts = sys.file_facts_if_there(path)?;
    Ok(Returns { dest: Some(path.to_string_lossy().into_owned()), src, facts, ..Returns::default() })
}

fn by_path(path: &Path, sys: &System<'_>) -> Result<Returns> {
    let facts = Some(sys.file_facts(path, false)?);
    Ok(Returns { path: Some(path.to_string_lossy().into_owned()), facts, ..Returns::default() })
}

#[cfg(test)]
mod tests;
