//! What the server has.

use std::collections::HashMap;

use crate::git::Git;
use crate::kit::{Failure, Result, System};

/// The refs of a repository, and their commits.
pub(super) struct Remote {
    refs: HashMap<String, String>,
    /// The branch `HEAD` stands for.
    pub head: Option<String>,
}

impl Remote {
    pub fn ask(git: &Git, sys: &mut System<'_>) -> Result<Self> {
        let output = git.heard(git.command(["ls-remote", "--symref", git.url.as_str()]), sys)?;
        Ok(Self::read(&output.stdout()))
    }

    fn read(text: &str) -> Self {
        let mut remote = Self { refs: HashMap::new(), head: None };
        for line in text.lines() {
            let Some((value, name)) = line.split_once('\t') else { continue };
            match value.strip_prefix("ref: ") {
                Some(target) if name == "HEAD" => {
                    remote.head = target.strip_prefix("refs/heads/").map(str::to_owned);
                }
                Some(_) => {}
                None => {
                    remote.refs.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        if remote.head.is_none() {
            remote.head = remote.guess();
        }
        remote
    }

    /// Servers of old do not say which branch `HEAD` is.
    fn guess(&self) -> Option<String> {
        let commit = self.refs.get("HEAD")?;
        let is_head = |name: &&str| self.refs.get(&format!("refs/heads/{name}")) == Some(commit);
        let mut others: Vec<&str> = self
            .refs
            .iter()
            .filter(|(_, known)| *known == commit)
            .filter_map(|(name, _)| name.strip_prefix("refs/heads/"))
            .collect();
        others.sort_unstable();
        ["main", "master"].into_iter().find(is_head).or(others.first().copied()).map(str::to_owned)
    }

    pub fn is_branch(&self, version: &str) -> bool {
        self.refs.contains_key(&format!("refs/heads/{version}"))
    }

    pub fn is_tag(&self, version: &str) -> bool {
        self.refs.contains_key(&format!("refs/tags/{version}"))
    }

    /// The commit a version stands for on the server; `None` when only the checkout can tell.
    pub fn commit(&self, version: &str) -> Option<String> {
        if is_commit(version) {
            return Some(version.to_owned());
        }
        let names = [
            version.to_owned(),
            format!("refs/heads/{version}"),
            format!("refs/tags/{version}^{{}}"),
            format!("refs/tags/{version}"),
        ];
        // A plain name that is a ref in full (`HEAD`, `refs/pull/1/head`), a branch, a tag and what it points to.
        names.iter().find_map(|name| self.refs.get(name)).cloned()
    }

    /// What to name a version that the server must know.
    pub fn must(&self, version: &str) -> Result<()> {
        if self.commit(version).is_some() {
            return Ok(());
        }
        Err(Failure::new(format!("the repository has no branch and no tag {version}")))
    }
}

pub(super) fn is_commit(version: &str) -> bool {
    version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit())
}
