pub(crate) mod entry;
mod packed;
pub(crate) mod tar;
#[cfg(test)]
mod tests;
mod zip;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::entry::{Entry, Known, Node, Walk};
use self::packed::Format;
use crate::kit::{Failure, FileAttributes, FileFacts, FilePath, Result, System, WriteOptions, glob};

/// Packs files into an archive, or compresses one.
///
/// Tar and zip archives and gzip are written natively; bzip2, xz and zstd need the program of that name on the host.
/// An archive that already holds just what it would is left as it is.
///
/// # Examples
///
/// ```yaml
/// - name: A directory, as a tar archive
///   archive: {path: /srv/www, dest: /var/backups/www.tgz}
///
/// - name: One file, compressed, in its place
///   archive: {path: /var/log/old.log, remove: yes}
///
/// - name: Several, without some
///   archive:
///     path: [/etc/nginx, /srv/www/*]
///     exclude_path: /srv/www/cache
///     exclusion_patterns: ['*.tmp']
///     dest: /var/backups/all.zip
///     format: zip
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What is packed: files, directories, and patterns for such.
    pub path: Vec<FilePath>,
    /// How.
    #[serde(default)]
    pub format: Format,
    /// The archive. Of a single file it is the file's name with the format's behind it.
    pub dest: Option<FilePath>,
    /// What is not packed, of what `path` stands for: paths and patterns for such.
    #[serde(default)]
    pub exclude_path: Vec<FilePath>,
    /// Patterns of names in the archive that are left out.
    #[serde(default)]
    pub exclusion_patterns: Vec<String>,
    /// Makes an archive of a single file, too.
    #[serde(default)]
    pub force_archive: bool,
    /// Removes what was packed.
    #[serde(default)]
    pub remove: bool,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

#[derive(Serialize)]
pub struct Returns {
    archived: Vec<String>,
    dest: String,
    dest_state: &'static str,
    arcroot: String,
    missing: Vec<String>,
    expanded_paths: Vec<String>,
    expanded_exclude_paths: Vec<String>,
    #[serde(flatten)]
    facts: Option<FileFacts>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let expanded = expand(&args.path, sys)?;
    let excluded = expand(&args.exclude_path, sys)?;
    let left_out: BTreeSet<&PathBuf> = excluded.iter().collect();
    let paths: BTreeSet<&PathBuf> = expanded.iter().filter(|path| !left_out.contains(path)).collect();
    let paths: Vec<PathBuf> = paths.into_iter().cloned().collect();
    if paths.is_empty() {
        return Err(Failure::new("Error, no source paths were found")
            .with("path", join(args.path.iter().map(FilePath::text)))
            .with("expanded_paths", join(texts(&expanded)))
            .with("expanded_exclude_paths", join(texts(&excluded))));
    }
    let several = args.path.len() > 1 || args.path.iter().any(|path| glob::has_magic(&path.text()));
    let mut packs = args.force_archive || several;
    for path in &paths {
        packs |= sys.is_dir(path)?;
    }
    let dest = match (&args.dest, paths.as_slice()) {
        (Some(dest), _) => dest.0.clone(),
        (None, [path]) if !packs => PathBuf::from(format!("{}.{}", path.display(), args.format.name())),
        _ => {
            return Err(Failure::new("Error, must specify \"dest\" when archiving multiple files or trees")
                .with("path", join(texts(&paths))));
        }
    };
    packs |= matches!(args.format, Format::Zip | Format::Tar);
    if args.remove
        && packs
        && let Some(path) = paths.iter().find(|path| dest.starts_with(path))
    {
        return Err(Failure::new(
            "Error, created archive can not be contained in source paths when remove=true",
        )
        .with("path", path.display().to_string()));
    }
    let root = root_of(&paths);
    let mut there = Vec::new();
    let mut missing = Vec::new();
    for path in &paths {
        let list = if sys.exists(path)? { &mut there } else { &mut missing };
        list.push(path.clone());
    }
    let mut returns = Returns {
        archived: Vec::new(),
        dest: dest.display().to_string(),
        dest_state: "absent",
        arcroot: root.display().to_string(),
        missing: texts(&missing),
        expanded_paths: texts(&expanded),
        expanded_exclude_paths: texts(&excluded),
        facts: None,
    };
    if there.is_empty() {
        if sys.exists(&dest)? {
            returns.dest_state = if packed::is_archive(&dest) { "archive" } else { "compress" };
            sys.set_attributes(&dest, &args.attributes, false)?;
        }
    } else {
        let walk = Walk { root: &root, patterns: &args.exclusion_patterns, zip: args.format == Format::Zip };
        let entries = if packs { walk.entries(&there, sys)? } else { Vec::new() };
        let source = if packs { Source::Tree(&entries) } else { Source::File(first(&there)) };
        write(&args, &dest, &source, sys)?;
        returns.archived = match &source {
            Source::Tree(entries) => {
                // Of a zip archive, files alone.
                let told =
                    entries.iter().filter(|entry| args.format != Format::Zip || entry.node != Node::Dir);
                told.map(|entry| entry.path.display().to_string()).collect()
            }
            Source::File(path) => vec![path.display().to_string()],
        };
        returns.dest_state = match (packs, missing.is_empty()) {
            (true, true) => "archive",
            (true, false) => "incomplete",
            (false, _) => "compress",
        };
        if args.remove {
            for path in &there {
                sys.remove(path)?;
            }
        }
    }
    returns.facts = sys.file_facts_if_there(&dest)?;
    Ok(returns)
}

fn join(texts: impl IntoIterator<Item = impl Into<String>>) -> String {
    texts.into_iter().map(Into::into).collect::<Vec<_>>().join(", ")
}

fn first(paths: &[PathBuf]) -> &Path {
    paths.first().map_or(Path::new(""), PathBuf::as_path)
}

/// Paths, and what the patterns among them stand for.
fn expand(paths: &[FilePath], sys: &System<'_>) -> Result<Vec<PathBuf>> {
    let mut expanded = Vec::new();
    for path in paths {
        if glob::has_magic(&path.text()) {
            expanded.extend(glob::expand(sys, path)?);
        } else {
            expanded.push(path.0.clone());
        }
    }
    Ok(expanded)
}

/// The directory that holds them all.
fn root_of(paths: &[PathBuf]) -> PathBuf {
    let parent = |path: &'_ Path| -> PathBuf {
        // `dir/` is what is in it.
        let whole = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if whole { path.to_owned() } else { path.parent().unwrap_or(Path::new("/")).to_owned() }
    };
    let mut parents = paths.iter().map(|path| parent(path));
    let mut root = parents.next().unwrap_or_default();
    for parent in parents {
        while !parent.starts_with(&root) && root.pop() {}
    }
    root.join("")
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}

/// What is packed.
enum Source<'s> {
    Tree(&'s [Entry]),
    File(&'s Path),
}

/// Makes the archive hold it, unless it does.
fn write(args: &Args, dest: &Path, source: &Source<'_>, sys: &mut System<'_>) -> Result<()> {
    let options = WriteOptions {
        attributes: Some(&args.attributes),
        // Neither text nor small.
        hidden: true,
        ..WriteOptions::default()
    };
    if sys.stat(dest)?.is_some_and(|meta| meta.is_file()) && holds(args.format, dest, source, sys)? {
        return sys.set_attributes(dest, &args.attributes, false).map(drop);
    }
    if sys.is_check() {
        return sys.write_with(dest, "", &options).map(drop);
    }
    let scratch = sys.scratch(dest.parent());
    let packed = packed::pack(args.format, source, &scratch, sys);
    let written = packed.and_then(|packed| {
        let written = sys.write_with(dest, crate::kit::Content::Copy(&packed), &options).map(drop);
        sys.discard(&packed)?;
        written
    });
    sys.discard(&scratch)?;
    written
}

/// Whether the archive holds just that.
fn holds(format: Format, dest: &Path, source: &Source<'_>, sys: &mut System<'_>) -> Result<bool> {
    let mut wanted: Vec<Known> = match source {
        Source::Tree(entries) if format == Format::Zip => zip::foretold(entries, sys)?,
        Source::Tree(entries) => tar::foretold(entries, sys)?,
        Source::File(path) => {
            let sum = entry::sum(&mut sys.open(path)?).map_err(|error| entry::unread(path, &error))?;
            return Ok(packed::sum(format, dest, sys)? == Some(sum));
        }
    };
    let Some(mut known) = packed::list(format, dest, sys)? else { return Ok(false) };
    wanted.sort_unstable();
    known.sort_unstable();
    Ok(wanted == known)
}
