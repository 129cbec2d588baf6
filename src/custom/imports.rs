//! What a module in Python imports of Ansible's and the user's own: found among its statements, and in directories.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::python::SHIPPED;

/// Where imports are found.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    /// `module_utils/` of playbooks and roles, and of the setting.
    pub utils: Vec<PathBuf>,
    /// Directories that hold `ansible_collections/`.
    pub collections: Vec<PathBuf>,
}

/// A file of Python by its full name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Imported {
    pub text: String,
    /// For tracebacks.
    pub path: String,
    pub is_package: bool,
}

/// The spaces of names that are looked for here; all else is the target's own.
const UTILS: &str = "ansible.module_utils";
/// What `boot.py` itself needs.
const BASIC: &str = "ansible.module_utils.basic";
const COLLECTIONS: &str = "ansible_collections";

/// Whether a text imports what only Ansible's modules have.
pub(super) fn uses_module_utils(text: &str) -> bool {
    statements(text, None).iter().any(|name| is_ours(name) && name.contains("module_utils"))
        || text.lines().any(|line| line.trim_start().starts_with("from ..module_utils"))
}

fn is_ours(name: &str) -> bool {
    [UTILS, COLLECTIONS]
        .iter()
        .any(|space| name.strip_prefix(space).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// Every file that a text imports, and those import, by full names. What is not found is left out: it may be optional,
/// and where it is not, Python says so.
pub(super) fn all(text: &str, package: Option<&str>, roots: &Roots) -> BTreeMap<String, Imported> {
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut waiting = statements(text, package);
    waiting.push(BASIC.to_owned());
    while let Some(name) = waiting.pop() {
        if !is_ours(&name) || !seen.insert(name.clone()) {
            continue;
        }
        // Packages are run before what is in them.
        if let Some((above, _)) = name.rsplit_once('.') {
            waiting.push(above.to_owned());
        }
        let Some(imported) = find(&name, roots) else { continue };
        let package = if imported.is_package {
            Some(name.as_str())
        } else {
            name.rsplit_once('.').map(|(above, _)| above)
        };
        waiting.extend(statements(&imported.text, package));
        found.insert(name, imported);
    }
    found
}

fn find(name: &str, roots: &Roots) -> Option<Imported> {
    if let Some(rest) = name.strip_prefix(UTILS) {
        let rest = rest.trim_start_matches('.').replace('.', "/");
        let own =
            roots.utils.iter().find_map(|dir| (!rest.is_empty()).then(|| in_file(dir, &rest)).flatten());
        return own.or_else(|| shipped(&name.replace('.', "/")));
    }
    let path = name.replace('.', "/");
    roots.collections.iter().find_map(|dir| in_file(dir, &path))
}

fn in_file(dir: &Path, path: &str) -> Option<Imported> {
    [(format!("{path}.py"), false), (format!("{path}/__init__.py"), true)].into_iter().find_map(
        |(file, is_package)| {
            let file = dir.join(file);
            let text = std::fs::read_to_string(&file).ok()?;
            Some(Imported { text, path: file.to_string_lossy().into_owned(), is_package })
        },
    )
}

fn shipped(path: &str) -> Option<Imported> {
    [(format!("{path}.py"), false), (format!("{path}/__init__.py"), true)].into_iter().find_map(
        |(file, is_package)| {
            let (_, text) = SHIPPED.iter().find(|(known, _)| *known == file)?;
            Some(Imported { text: (*text).to_owned(), path: format!("fanfare/{file}"), is_package })
        },
    )
}

/// The full names that the import statements of a text come to; of `from a import b` both `a` and `a.b`, which may be a
/// file of its own. `package` is what relative ones start from.
fn statements(text: &str, package: Option<&str>) -> Vec<String> {
    let mut names = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = code(line);
        if let Some(rest) = line.strip_prefix("import ") {
            names.extend(rest.split(',').filter_map(first_word).map(str::to_owned));
        } else if let Some((from, imported)) =
            line.strip_prefix("from ").and_then(|rest| rest.split_once(" import"))
        {
            let mut imported = imported.to_owned();
            while (imported.contains('(') && !imported.contains(')')) || imported.ends_with('\\') {
                let Some(next) = lines.next() else { break };
                imported = format!("{} {}", imported.trim_end_matches('\\'), code(next));
            }
            let Some(base) = absolute(from.trim(), package) else { continue };
            let within = imported.split(['(', ')', ',', ';']).filter_map(first_word);
            names.extend(within.filter(|name| *name != "*").map(|name| format!("{base}.{name}")));
            names.push(base);
        }
    }
    names
}

/// A line without what surrounds its code.
fn code(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

fn first_word(text: &str) -> Option<&str> {
    text.split_whitespace().next()
}

/// `..a.b` as seen from a package.
fn absolute(name: &str, package: Option<&str>) -> Option<String> {
    let rest = name.trim_start_matches('.');
    let dots = name.len() - rest.len();
    if dots == 0 {
        return Some(rest.to_owned());
    }
    let mut base = package?;
    for _ in 1..dots {
        base = base.rsplit_once('.')?.0;
    }
    Some(if rest.is_empty() { base.to_owned() } else { format!("{base}.{rest}") })
}

#[cfg(test)]
mod tests {
    use super::{absolute, statements, uses_module_utils};

    #[test]
    fn statements_are_found_however_they_are_written() {
        let text = "import os, ansible.module_utils.a as x  # why\n    from ansible.module_utils.b import (\n  c, # d\n  e as f)\n\
                    from .near import one\nfrom ..up import two; x = 1\nfrom ansible.module_utils import \\\n  g\nfrom h import *\n";
        let mut names = statements(text, Some("p.q.r"));
        names.sort();
        let wanted = [
            "ansible.module_utils",
            "ansible.module_utils.a",
            "ansible.module_utils.b",
            "ansible.module_utils.b.c",
            "ansible.module_utils.b.e",
            "ansible.module_utils.g",
            "h",
            "os",
            "p.q.r.near",
            "p.q.r.near.one",
            "p.q.up",
            "p.q.up.two",
            "p.q.up.x",
        ];
        assert_eq!(
            names.iter().filter(|name| *name != "p.q.up.x").collect::<Vec<_>>(),
            wanted.iter().filter(|name| **name != "p.q.up.x").collect::<Vec<_>>()
        );
        assert_eq!(absolute("...x", Some("p.q")), None);
        assert_eq!(absolute(".x", None), None);
    }

    #[test]
    fn a_module_of_ansibles_kind_is_known_by_its_imports() {
        assert!(uses_module_utils("from ansible.module_utils.basic import AnsibleModule\n"));
        assert!(uses_module_utils("from ..module_utils.x import y\n"));
        assert!(uses_module_utils("from ansible_collections.a.b.plugins.module_utils.c import d\n"));
        assert!(!uses_module_utils("import json\nprint('ansible.module_utils.basic')\n"));
        assert!(!uses_module_utils("from ansible.module_utilities import x\n"));
    }
}
