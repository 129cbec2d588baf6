use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::command::yes;
use crate::kit::charset::Charset;
use crate::kit::regex::{Anchor, Flags, Regex};
use crate::kit::{Algorithm, Failure, FilePath, Meta, Mode, Result, System, glob};
use crate::stat::{Entry, Permissions, owners};

/// Finds files by name, age, size, content and mode.
///
/// All criteria must be met. Paths that cannot be searched are told in `skipped_paths` and a warning.
///
/// # Examples
///
/// ```yaml
/// - name: Old logs
///   find:
///     paths: /var/log
///     patterns: '*.gz,*.old'
///     age: 4w
///     recurse: yes
///
/// - name: Large and old
///   find: {paths: [/srv, /var/lib], age: 2d, size: 10m, recurse: yes}
///
/// - name: Files that say so
///   find: {paths: /etc, contains: '^PermitRootLogin', file_type: file}
///
/// - name: By regular expression
///   find: {paths: /var/log, patterns: '^.*?\.log$', use_regex: yes}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The directories to search.
    #[schemars(extend("aliases" = ["name", "path"]))]
    pub paths: Vec<FilePath>,
    /// What names must match: shell patterns, or with `use_regex` regular expressions that fit from the start. One
    /// of them is enough; without any, all names do.
    #[serde(default)]
    #[schemars(extend("aliases" = ["pattern"]))]
    pub patterns: Vec<String>,
    /// What names must not match.
    #[serde(default)]
    #[schemars(extend("aliases" = ["exclude"]))]
    pub excludes: Vec<String>,
    /// Whether `patterns` and `excludes` are regular expressions.
    #[serde(default)]
    pub use_regex: bool,
    /// A regular expression for the content: a line must fit it from its start.
    pub contains: Option<String>,
    /// Whether `contains` is searched in the whole content, not line by line.
    #[serde(default)]
    pub read_whole_file: bool,
    /// The charset of files read for `contains`, by its name in Python; UTF-8 when not given.
    pub encoding: Option<String>,
    /// What to find.
    #[serde(default)]
    pub file_type: Type,
    /// Whether to search in directories below.
    #[serde(default)]
    pub recurse: bool,
    /// How many levels deep; 1 is what is in `paths` themselves.
    pub depth: Option<i64>,
    /// Whether names that start with a dot are found. Directories that do are searched anyway.
    #[serde(default)]
    pub hidden: bool,
    /// Whether directories that are symbolic links are searched.
    #[serde(default)]
    pub follow: bool,
    /// At least this old, as a number and one of s, m, h, d, w. Negative: at most this old.
    pub age: Option<String>,
    /// Which time `age` looks at.
    #[serde(default)]
    pub age_stamp: Stamp,
    /// At least this large, as a number and one of b, k, m, g, t. Negative: at most this large.
    pub size: Option<String>,
    /// The permissions to find, as text: `'0644'` or `u=rw`.
    pub mode: Option<Json>,
    /// Whether the permissions must be exactly `mode`; else one bit in common is enough.
    #[serde(default = "yes")]
    pub exact_mode: bool,
    /// Whether to give a checksum of each file.
    #[serde(default)]
    pub get_checksum: bool,
    /// The checksum's algorithm.
    #[serde(default)]
    #[schemars(extend("aliases" = ["checksum", "checksum_algo"]))]
    pub checksum_algorithm: Algorithm,
    /// How many to find at most.
    pub limit: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Whatever there is.
    Any,
    /// Directories.
    Directory,
    /// Ordinary files.
    #[default]
    File,
    /// Symbolic links.
    Link,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stamp {
    /// When it was last read.
    Atime,
    /// When its content or attributes last changed.
    Ctime,
    /// When its content last changed.
    #[default]
    Mtime,
}

#[derive(Debug, Default, Serialize)]
pub struct Returns {
    files: Vec<Found>,
    matched: usize,
    /// How many names were looked at.
    examined: usize,
    msg: &'static str,
    /// Paths that were not searched, each with the reason.
    skipped_paths: IndexMap<String, String>,
}

#[derive(Debug, Serialize)]
struct Found {
    path: String,
    #[serde(flatten)]
    inode: Entry,
    gr_name: Option<String>,
    pw_name: Option<String>,
    #[serde(flatten)]
    permissions: Permissions,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let wanted = Wanted::of(&args, sys.now().secs)?;
    let mut returns = Returns { msg: "All paths examined", ..Returns::default() };
    for path in &args.paths {
        if !matches!(sys.stat_followed(path)?, Some(meta) if meta.is_dir()) {
            returns.skip(path, format!("'{}' is not a directory", path.display()), sys);
            continue;
        }
        let seen = vec![sys.resolve(path)?];
        let mut search = Search { args: &args, wanted: &wanted, seen, misread: Vec::new(), returns };
        let within_limit = search.directory(path, 1, sys)?;
        let misread = search.misread;
        returns = search.returns;
        if let Some(why) = wanted.misread(&misread) {
            returns.skip(path, why, sys);
        }
        if !within_limit {
            returns.msg = "Limit of matches reached";
            break;
        }
    }
    if !returns.skipped_paths.is_empty() {
        returns.msg = "Not all paths examined, check warnings for details";
    }
    returns.matched = returns.files.len();
    Ok(returns)
}

impl Returns {
    fn skip(&mut self, path: &Path, why: String, sys: &mut System<'_>) {
        sys.warn(format!("Skipped '{}' path due to this access issue: {why}", path.display()));
        self.skipped_paths.insert(path.to_string_lossy().into_owned(), why);
    }
}

/// A search below one of the paths.
struct Search<'a> {
    args: &'a Args,
    wanted: &'a Wanted,
    /// Directories that links must not lead into again.
    seen: Vec<PathBuf>,
    /// Files that are not in the charset they were to be read in.
    misread: Vec<PathBuf>,
    returns: Returns,
}

impl Search<'_> {
    /// Searches a directory; `false` when the limit is reached.
    fn directory(&mut self, dir: &Path, level: i64, sys: &mut System<'_>) -> Result<bool> {
        let args = self.args;
        let names = match sys.list(dir) {
            Ok(names) => names,
            Err(failure) => {
                self.returns.skip(dir, failure.msg, sys);
                return Ok(true);
            }
        };
        self.returns.examined += names.len();
        if args.depth.is_some_and(|depth| level > depth) {
            return Ok(true);
        }
        let mut below = Vec::new();
        for name in names {
            let path = dir.join(&name);
            // What vanished in between is not there to be found.
            let Some(meta) = sys.stat(&path)? else { continue };
            let is_dir = meta.is_dir()
                || (args.follow && matches!(sys.stat_followed(&path)?, Some(meta) if meta.is_dir()));
            if args.recurse && is_dir {
                below.push(path.clone());
            }
            let name = name.to_string_lossy();
            if (args.hidden || !name.starts_with('.')) && self.fits(&name, &path, &meta, sys)? {
                let checksum = if args.get_checksum && meta.is_file() {
                    Some(sys.checksum(&path, args.checksum_algorithm)?)
                } else {
                    None
                };
                let path = path.to_string_lossy().into_owned();
                let (pw_name, gr_name) = owners(&meta, sys)?;
                let (inode, permissions) = (Entry::from(&meta), Permissions::from(&meta));
                self.returns.files.push(Found { path, inode, gr_name, pw_name, permissions, checksum });
                let found = i64::try_from(self.returns.files.len()).unwrap_or(i64::MAX);
                if args.limit.is_some_and(|limit| found >= limit) {
                    return Ok(false);
                }
            }
        }
        for path in below {
            let real = sys.resolve(&path)?;
            if self.seen.contains(&real) {
                continue;
            }
            // Only links can lead back, to where they are in; another way to a directory is a way of its own.
            if args.follow {
                self.seen.push(real);
            }
            let goes_on = self.directory(&path, level + 1, sys)?;
            if args.follow {
                self.seen.pop();
            }
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn fits(&mut self, name: &str, path: &Path, meta: &Meta, sys: &System<'_>) -> Result<bool> {
        if !self.wanted.fits(name, meta)? {
            return Ok(false);
        }
        // Content is asked of files only.
        let Some(regex) = self.wanted.contains.as_ref().filter(|_| meta.is_file()) else { return Ok(true) };
        // What cannot be read cannot be seen to contain anything.
        let Ok(bytes) = sys.read(path) else { return Ok(false) };
        let Some(text) = self.wanted.charset.and_then(|charset| charset.decode(bytes).ok()) else {
            self.misread.push(path.to_owned());
            return Ok(false);
        };
        let found = if self.wanted.whole {
            regex.is_match(&text)
        } else {
            text.split_inclusive('\n')
                .map(|line| regex.is_match(line))
                .find(|found| !matches!(found, Ok(false)))
                .unwrap_or(Ok(false))
        };
        found.map_err(|e| Failure::new(e.to_string()))
    }
}

/// The criteria, ready to be applied.
struct Wanted {
    names: Names,
    excludes: Names,
    contains: Option<Regex>,
    /// As the user named it.
    encoding: Option<String>,
    /// `None` of a name that is none.
    charset: Option<Charset>,
    whole: bool,
    kind: Type,
    /// At least (or, negative, at most) so many seconds old at that time.
    age: Option<i64>,
    stamp: Stamp,
    now: i64,
    size: Option<i64>,
    mode: Option<Mode>,
    exact_mode: bool,
}

enum Names {
    Globs(Vec<String>),
    Regexes(Vec<Regex>),
}

impl Names {
    fn of(patterns: &[String], use_regex: bool) -> Result<Self> {
        if !use_regex {
            return Ok(Self::Globs(patterns.to_vec()));
        }
        patterns.iter().map(|pattern| regex(pattern)).collect::<Result<_>>().map(Self::Regexes)
    }

    fn fit(&self, name: &str, when_empty: bool) -> Result<bool> {
        match self {
            Self::Globs(globs) if globs.is_empty() => Ok(when_empty),
            Self::Regexes(all) if all.is_empty() => Ok(when_empty),
            Self::Globs(globs) => Ok(globs.iter().any(|pattern| glob::matches(pattern, name))),
            Self::Regexes(all) => {
                for one in all {
                    if one.is_match(name).map_err(|e| Failure::new(e.to_string()))? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

fn regex(pattern: &str) -> Result<Regex> {
    let flags = Flags { anchor: Anchor::Start, ..Flags::default() };
    Regex::new(pattern, flags).map_err(|e| Failure::new(format!("bad regular expression {pattern}: {e}")))
}

impl Wanted {
    fn of(args: &Args, now: i64) -> Result<Self> {
        let contains = match &args.contains {
            Some(pattern) if args.read_whole_file => Some(
                Regex::new(pattern, Flags::default())
                    .map_err(|e| Failure::new(format!("bad regular expression {pattern}: {e}")))?,
            ),
            Some(pattern) => Some(regex(pattern)?),
            None => None,
        };
        Ok(Self {
            names: Names::of(&args.patterns, args.use_regex)?,
            excludes: Names::of(&args.excludes, args.use_regex)?,
            contains,
            encoding: args.encoding.clone(),
            charset: args.encoding.as_deref().map_or_else(|| Some(Charset::default()), Charset::named),
            whole: args.read_whole_file,
            kind: args.file_type,
            age: quantity("age", args.age.as_deref(), &[1, 60, 3600, 86_400, 604_800], "smhdw")?,
            stamp: args.age_stamp,
            now,
            size: quantity("size", args.size.as_deref(), &[1, 1 << 10, 1 << 20, 1 << 30, 1 << 40], "bkmgt")?,
            mode: args.mode.as_ref().map(mode).transpose()?,
            exact_mode: args.exact_mode,
        })
    }

    /// Everything but the content.
    fn fits(&self, name: &str, meta: &Meta) -> Result<bool> {
        let kind = match self.kind {
            Type::Any => true,
            Type::Directory => meta.is_dir(),
            Type::File => meta.is_file(),
            Type::Link => meta.is_link(),
        };
        if !kind || !self.names.fit(name, true)? || self.excludes.fit(name, false)? {
            return Ok(false);
        }
        let at = match self.stamp {
            Stamp::Atime => meta.atime,
            Stamp::Ctime => meta.ctime,
            Stamp::Mtime => meta.mtime,
        };
        if !at_least(self.age, self.now - at.secs) || !self.fits_mode(meta) {
            return Ok(false);
        }
        // Size is asked of files only, but a link is none of them when files are wanted.
        Ok(!meta.is_file() || at_least(self.size, i64::try_from(meta.size).unwrap_or(i64::MAX)))
    }

    /// Why files were not searched, in Ansible's words for the first of them.
    fn misread(&self, files: &[PathBuf]) -> Option<String> {
        let first = files.first()?;
        let charset = match (&self.encoding, self.charset) {
            (Some(name), None) => return Some(format!("unknown encoding: {name}")),
            (Some(_), Some(charset)) => charset.to_string(),
            (None, _) => "utf-8 (Python default)".to_owned(),
        };
        let more = match files.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        Some(format!("Failed to decode the file '{}' with encoding: {charset}{more}", first.display()))
    }

    fn fits_mode(&self, meta: &Meta) -> bool {
        let Some(mode) = &self.mode else { return true };
        let wanted = match mode {
            Mode::Symbolic(_) => mode.apply(0, meta.is_dir(), 0),
            plain => plain.apply(meta.mode, meta.is_dir(), 0),
        };
        if self.exact_mode { meta.mode == wanted } else { meta.mode & wanted != 0 }
    }
}

/// Ansible takes no number here: which one `0644` is depends on the reader of the YAML.
fn mode(given: &Json) -> Result<Mode> {
    let kind = match given {
        Json::String(text) => return text.parse().map_err(|why: String| Failure::new(why)),
        Json::Number(number) if number.is_f64() => "float",
        Json::Number(_) => "int",
        Json::Bool(_) => "bool",
        Json::Array(_) => "list",
        Json::Object(_) | Json::Null => "dict",
    };
    let msg = "argument 'mode' is not a string and conversion is not allowed, value is of type";
    Err(Failure::new(format!("{msg} {kind}: write it in quotes")))
}

/// Whether something is at least so much, or for a negative limit at most.
fn at_least(limit: Option<i64>, value: i64) -> bool {
    match limit {
        None => true,
        Some(limit) if limit >= 0 => value >= limit,
        Some(limit) => value <= -limit,
    }
}

/// A number with a unit, in the first unit.
fn quantity(name: &str, text: Option<&str>, factors: &[i64], units: &str) -> Result<Option<i64>> {
    let Some(text) = text else { return Ok(None) };
    let lower = text.trim().to_lowercase();
    let (number, factor) = match lower.chars().last().and_then(|unit| units.find(unit)) {
        Some(at) => (lower.get(..lower.len() - 1).unwrap_or_default(), factors.get(at).copied().unwrap_or(1)),
        None => (lower.as_str(), 1),
    };
    let number = number.parse::<i64>().ok().and_then(|number| number.checked_mul(factor));
    let hint = format!("failed to process {name}: {} is not a number and one of {units}", Json::from(text));
    number.map(Some).ok_or_else(|| Failure::new(hint).with(name, text))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn stage() -> Trial {
        let trial = Trial::of("find");
        for path in
            ["/g/.hid/sub/x", "/g/.hid/y", "/g/.dot", "/g/a/b/c/deep", "/g/a/b/mid", "/g/a/top", "/g/root"]
        {
            trial.host.file(path, "");
        }
        trial.host.file("/g/a/txt", "foo bar\nline two\n").file("/s/f1", "1").link("/g/ln", "/s");
        trial
            .host
            .set_mode_of("/g/root", 0o664)
            .set_mode_of("/g/a/top", 0o604)
            .set_mode_of("/g/a/b/mid", 0o600);
        trial
    }

    /// The paths found below /g, and how many were examined: as ansible-core answers.
    fn check(args: Json, examined: u64, found: &str) {
        let mut all = json!({"paths": "/g"});
        all.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
        let got = stage().lawful(&all);
        let mut paths: Vec<&str> = got["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["path"].as_str().unwrap().trim_start_matches("/g/"))
            .collect();
        paths.sort_unstable();
        assert_eq!(paths.join(" "), found, "{args}");
        assert_eq!(got["examined"], examined, "{args}");
        assert_eq!(got["matched"], paths.len(), "{args}");
    }

    #[test]
    fn finds_as_ansible_does() {
        check(json!({}), 5, "root");
        check(json!({"recurse": true}), 14, ".hid/sub/x .hid/y a/b/c/deep a/b/mid a/top a/txt root");
        check(
            json!({"recurse": true, "hidden": true}),
            14,
            ".dot .hid/sub/x .hid/y a/b/c/deep a/b/mid a/top a/txt root",
        );
        check(json!({"recurse": true, "depth": 2}), 13, ".hid/y a/top a/txt root");
        check(json!({"recurse": true, "depth": 1, "file_type": "any"}), 10, "a ln root");
        check(json!({"file_type": "any"}), 5, "a ln root");
        check(json!({"file_type": "directory", "recurse": true}), 14, ".hid/sub a a/b a/b/c");
        check(json!({"file_type": "link"}), 5, "ln");
        check(
            json!({"recurse": true, "follow": true}),
            15,
            ".hid/sub/x .hid/y a/b/c/deep a/b/mid a/top a/txt ln/f1 root",
        );
        check(json!({"recurse": true, "mode": "0604"}), 14, "a/top");
        check(json!({"recurse": true, "mode": "u=rw,g=rw,o=r"}), 14, "root");
        check(
            json!({"recurse": true, "mode": "0060", "exact_mode": false}),
            14,
            ".hid/sub/x .hid/y a/b/c/deep a/txt root",
        );
        check(json!({"recurse": true, "contains": "two"}), 14, "");
        check(json!({"recurse": true, "contains": "line"}), 14, "a/txt");
        check(json!({"recurse": true, "contains": "two", "read_whole_file": true}), 14, "a/txt");
        check(json!({"recurse": true, "patterns": "*o*,deep"}), 14, "a/b/c/deep a/top root");
        check(json!({"recurse": true, "patterns": "o", "use_regex": true}), 14, "");
        check(json!({"recurse": true, "patterns": ".*o", "use_regex": true}), 14, "a/top root");
        check(json!({"recurse": true, "excludes": ["t*"]}), 14, ".hid/sub/x .hid/y a/b/c/deep a/b/mid root");
        check(json!({"recurse": true, "size": "1"}), 14, "a/txt");
        check(json!({"recurse": true, "size": "-1b", "patterns": "t*"}), 14, "a/top");
        check(json!({"recurse": true, "age": "1w"}), 14, "");
        check(json!({"patterns": "r*", "age": "-1w"}), 5, "root");
        check(json!({"paths": ["/g/a", "/s"]}), 4, "/s/f1 a/top a/txt");
    }

    #[test]
    fn tells_about_what_was_found_and_what_was_not_searched() {
        let got = stage().run(&json!({"paths": ["/s", "/nope"], "get_checksum": true}));
        assert_eq!(got["files"][0]["checksum"], "356a192b7913b04c54574d18c28d46e6395428ab");
        assert_eq!(got["files"][0]["mode"], "0644");
        assert_eq!(got["skipped_paths"], json!({"/nope": "'/nope' is not a directory"}));
        assert_eq!(got["msg"], "Not all paths examined, check warnings for details");
        assert!(got["warnings"][0].as_str().unwrap().contains("/nope"));
        let nix = stage().run(&json!({"paths": "/s", "contains": "x", "encoding": "nix"}));
        assert_eq!(nix["skipped_paths"], json!({"/s": "unknown encoding: nix"}));
        let limited = stage().run(&json!({"paths": "/g", "recurse": true, "limit": 1}));
        assert_eq!((&limited["matched"], &limited["msg"]), (&json!(1), &json!("Limit of matches reached")));
    }

    #[test]
    fn bad_criteria_are_errors() {
        for (args, message) in [
            (json!({"size": "zz"}), "failed to process size"),
            (json!({"age": "3y"}), "failed to process age"),
            (json!({"patterns": "(", "use_regex": true}), "bad regular expression ("),
        ] {
            let mut all = json!({"paths": "/g"});
            all.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
            let got = stage().run(&all);
            assert!(got["msg"].as_str().unwrap().starts_with(message), "{got}");
        }
    }
}
