//! What a build sees: a directory as an archive, without what `.dockerignore` names.

use std::path::{Path, PathBuf};

use crate::archive::entry::{Entry, Node, Walk};
use crate::archive::tar::Tar;
use crate::kit::{Failure, Result, System, glob};

/// An archive in a temporary file, which is for the caller to discard.
pub struct Context {
    pub archive: PathBuf,
    /// As the engine finds it in there.
    pub dockerfile: Option<String>,
}

impl Context {
    pub fn of(dir: &Path, dockerfile: Option<&str>, sys: &System<'_>) -> Result<Self> {
        let mut entries = Walk { root: dir, patterns: &[], zip: false }.entries(&[dir.to_owned()], sys)?;
        let (dockerfile, outside) = match dockerfile {
            None => (None, None),
            Some(name) => inside(dir, name),
        };
        let ignored = sys.read_text_if_there(&dir.join(".dockerignore"))?.unwrap_or_default();
        let mut rules: Vec<Rule> = ignored.lines().filter_map(Rule::parse).collect();
        let needed = [dockerfile.as_deref().unwrap_or("Dockerfile"), ".dockerignore"];
        rules.extend(needed.iter().map(|name| Rule { pattern: (*name).to_owned(), ignores: false }));
        entries.retain(|entry| !is_ignored(&rules, &String::from_utf8_lossy(&entry.name)));
        if let Some(path) = outside {
            let meta = sys.stat_followed(&path)?;
            let meta =
                meta.ok_or_else(|| Failure::new(format!("{} is not there", path.display())).of(&path))?;
            let name = dockerfile.clone().unwrap_or_default().into_bytes();
            entries.push(Entry { name, path, meta, owners: <[String; 2]>::default(), node: Node::File });
        }
        for entry in &mut entries {
            (entry.meta.uid, entry.meta.gid, entry.owners) = (0, 0, <[String; 2]>::default());
        }
        let archive = sys.scratch(None);
        sys.spool(&archive, 0o600, &mut Tar::of(&entries, sys))?;
        Ok(Self { archive, dockerfile })
    }
}

/// The name of a Dockerfile in its directory; of one elsewhere a name to give it, and where it is.
fn inside(dir: &Path, name: &str) -> (Option<String>, Option<PathBuf>) {
    let path = dir.join(name);
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            std::path::Component::CurDir => {}
            other => plain.push(other),
        }
    }
    match plain.strip_prefix(dir) {
        Ok(inner) => (Some(inner.to_string_lossy().into_owned()), None),
        Err(_) => (Some(".dockerfile.fanfare".to_owned()), Some(plain)),
    }
}

struct Rule {
    pattern: String,
    ignores: bool,
}

impl Rule {
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (pattern, ignores) = match line.strip_prefix('!') {
            Some(pattern) => (pattern.trim(), false),
            None => (line, true),
        };
        let parts = pattern.split('/').filter(|part| !part.is_empty() && *part != ".");
        let pattern = parts.collect::<Vec<_>>().join("/");
        (!pattern.is_empty()).then_some(Self { pattern, ignores })
    }

    /// Whether it is about that path, or a directory it is below.
    fn is_about(&self, path: &str) -> bool {
        let pattern: Vec<&str> = self.pattern.split('/').collect();
        let path: Vec<&str> = path.split('/').collect();
        (1..=path.len()).any(|count| path.get(..count).is_some_and(|parts| matches(&pattern, parts)))
    }
}

/// The last rule that is about a path counts.
fn is_ignored(rules: &[Rule], path: &str) -> bool {
    rules.iter().rev().find(|rule| rule.is_about(path)).is_some_and(|rule| rule.ignores)
}

/// `**` stands for any number of directories.
fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**"], rest) => !rest.is_empty(),
        (["**", after @ ..], rest) => {
            (0..=rest.len()).any(|skipped| rest.get(skipped..).is_some_and(|rest| matches(after, rest)))
        }
        ([first, after @ ..], [name, rest @ ..]) => glob::matches(first, name) && matches(after, rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_dockers() {
        let rules: Vec<Rule> = "# no\n*.log\n/target/\n**/secret\n!keep.log\na/**/z\nb/*\n!b/c"
            .lines()
            .filter_map(Rule::parse)
            .collect();
        for (path, ignored) in [
            ("x.log", true),
            ("d/x.log", false),
            ("keep.log", false),
            ("target", true),
            ("target/debug/x", true),
            ("src/target", false),
            ("secret", true),
            ("d/e/secret/f", true),
            ("a/z", true),
            ("a/b/c/z", true),
            ("a/b", false),
            ("b/d", true),
            ("b/c", false),
        ] {
            assert_eq!(is_ignored(&rules, path), ignored, "{path}");
        }
    }

    #[test]
    fn a_dockerfile_is_inside_or_brought_along() {
        let dir = Path::new("/c");
        assert_eq!(inside(dir, "d/./Dockerfile"), (Some("d/Dockerfile".to_owned()), None));
        assert_eq!(inside(dir, "/c/x"), (Some("x".to_owned()), None));
        let outside = (Some(".dockerfile.fanfare".to_owned()), Some(PathBuf::from("/o/x")));
        assert_eq!(inside(dir, "../o/x"), outside);
    }
}
