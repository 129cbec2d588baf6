//! What check mode foretells beyond files: what commands that were not run would have left.

use std::io;
use std::path::Path;

use crate::kit::host::{Foretold, Placement};
use crate::kit::outcome::Result;
use crate::kit::system::System;
use crate::kit::system::people::{Group, User};

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

impl System<'_> {
    /// Packages would be installed. What they hold is not known.
    pub fn foretell_packages(&self) {
        if let Some(foretold) = self.host.foretold() {
            foretold.set_packages(true);
        }
    }

    /// Takes something that is missing to come with a package that would be installed, and says so. `false` where
    /// no package would.
    pub fn comes_with_package(&mut self, what: &str) -> bool {
        let comes = self.host.foretold().is_some_and(Foretold::packages);
        if comes {
            self.warn(format!(
                "{what} is not there yet: taken to come with a package that would be installed"
            ));
        }
        comes
    }

    /// The same of a directory, which later reads of check mode see.
    pub fn directory_comes_with_package(&mut self, path: &Path) -> Result<bool> {
        Ok(self.comes_with_package(&path.display().to_string()) && self.foretell_dirs(path).map(|()| true)?)
    }

    /// The same of a file, whose content nobody knows: later reads see an empty one.
    pub fn file_comes_with_package(&mut self, path: &Path) -> Result<bool> {
        if !self.comes_with_package(&path.display().to_string()) {
            return Ok(false);
        }
        if let Some(parent) = path.parent() {
            self.foretell_dirs(parent)?;
        }
        let how = Placement { mode: Some(0o644), ..Placement::default() };
        self.host.place(path, &mut io::empty(), &how)?;
        Ok(true)
    }

    fn foretell_dirs(&self, path: &Path) -> Result<()> {
        let mut missing = Vec::new();
        for ancestor in path.ancestors() {
            if self.host.stat(ancestor, true)?.is_some() {
                break;
            }
            missing.push(ancestor);
        }
        for dir in missing.iter().rev() {
            self.host.make_dir(dir, 0o755)?;
        }
        Ok(())
    }

    /// Lets later reads of check mode see a new user, and the directory that was made for it.
    pub fn foretell_user(&self, user: &User, home_is_made: bool) -> Result<()> {
        if self.host.foretold().is_none() {
            return Ok(());
        }
        let User { name, uid, gid, comment, home, shell } = user;
        self.foretell_line(PASSWD, &format!("{name}:x:{uid}:{gid}:{comment}:{home}:{shell}"))?;
        let home = Path::new(home);
        if home_is_made
            && self.host.stat(home, true)?.is_none()
            && let Some(parent) = home.parent()
            && self.host.stat(parent, true)?.is_some_and(|meta| meta.is_dir())
        {
            self.host.make_dir(home, 0o700)?;
            self.host.set_owner(home, Some(*uid), Some(*gid), true)?;
        }
        Ok(())
    }

    /// The same of a new group.
    pub fn foretell_group(&self, group: &Group) -> Result<()> {
        let Group { name, gid, members } = group;
        self.foretell_line(GROUP, &format!("{name}:x:{gid}:{}", members.join(",")))
    }

    /// The number a new user or group would likely get.
    pub fn next_number(taken: impl Iterator<Item = u32>, system: bool) -> u32 {
        let range = if system { 100..1000 } else { 1000..60_000 };
        let taken: Vec<u32> = taken.filter(|number| range.contains(number)).collect();
        let next = if system {
            range.clone().rev().find(|number| !taken.contains(number))
        } else {
            taken.iter().max().map_or(Some(range.start), |last| last.checked_add(1))
        };
        next.unwrap_or(range.start)
    }

    fn foretell_line(&self, path: &str, line: &str) -> Result<()> {
        if self.host.foretold().is_none() {
            return Ok(());
        }
        let path = Path::new(path);
        let mut text = self.read_text_if_there(path)?.unwrap_or_default();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
        Ok(self.host.place(path, &mut text.as_bytes(), &Placement::default())?)
    }
}
