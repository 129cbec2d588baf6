//! What check mode foretells beyond files: what commands that were not run would have left.

use std::collections::BTreeSet;
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
            foretold.set_packages(true, false);
        }
    }

    /// The same, where a policy keeps their services from being started.
    pub fn foretell_packages_stopped(&self) {
        if let Some(foretold) = self.host.foretold() {
            foretold.set_packages(true, true);
        }
    }

    /// Whether services that would come with packages would be left stopped.
    pub fn packages_come_stopped(&self) -> bool {
        self.host.foretold().is_some_and(Foretold::services_stopped)
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

    /// Lets later reads of check mode see a new user, or one that changed, and the directory that was made for it.
    pub fn foretell_user(&self, user: &User, home_is_made: bool) -> Result<()> {
        if self.host.foretold().is_none() {
            return Ok(());
        }
        let User { name, uid, gid, comment, home, shell } = user;
        let line = format!("{name}:x:{uid}:{gid}:{comment}:{home}:{shell}");
        self.foretell_line(PASSWD, name, Some(&line))?;
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
        self.foretell_line(GROUP, name, Some(&format!("{name}:x:{gid}:{}", members.join(","))))
    }

    /// Lets later reads of check mode see an account that a package would make, with the group of its name; answers
    /// with its number.
    pub fn foretell_service_user(&self, name: &str) -> Result<u32> {
        let gid = match self.group(name)? {
            Some(group) => group.gid,
            None => self.foretell_service_group(name)?,
        };
        let uid = Self::next_number(self.users()?.iter().map(|user| user.uid), true);
        let shell = "/usr/sbin/nologin".to_owned();
        let (name, comment, home) = (name.to_owned(), String::new(), "/nonexistent".to_owned());
        self.foretell_user(&User { name, uid, gid, comment, home, shell }, false)?;
        Ok(uid)
    }

    /// The same of a group alone.
    pub fn foretell_service_group(&self, name: &str) -> Result<u32> {
        let gid = Self::next_number(self.groups()?.iter().map(|group| group.gid), true);
        self.foretell_group(&Group { name: name.to_owned(), gid, members: Vec::new() })?;
        Ok(gid)
    }

    /// The same of the groups that list a user.
    pub fn foretell_memberships(&self, user: &str, groups: &BTreeSet<String>) -> Result<()> {
        if self.host.foretold().is_none() {
            return Ok(());
        }
        for mut group in self.groups()? {
            let is_in = group.members.iter().any(|member| member == user);
            if is_in != groups.contains(&group.name) {
                group.members.retain(|member| member != user);
                if !is_in {
                    group.members.push(user.to_owned());
                }
                self.foretell_group(&group)?;
            }
        }
        Ok(())
    }

    /// The same of a user that is gone, with the group of its name.
    pub fn foretell_user_gone(&self, name: &str) -> Result<()> {
        self.foretell_memberships(name, &BTreeSet::new())?;
        self.foretell_line(PASSWD, name, None)?;
        self.foretell_group_gone(name)
    }

    /// The same of a group that is gone.
    pub fn foretell_group_gone(&self, name: &str) -> Result<()> {
        self.foretell_line(GROUP, name, None)
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

    /// Puts the line of that name in place, or takes it away.
    fn foretell_line(&self, path: &str, name: &str, line: Option<&str>) -> Result<()> {
        if self.host.foretold().is_none() {
            return Ok(());
        }
        let path = Path::new(path);
        let text = self.read_text_if_there(path)?.unwrap_or_default();
        let known = text.lines().find(|known| known.split(':').next() == Some(name));
        if known == line {
            return Ok(());
        }
        let others = text.lines().filter(|known| known.split(':').next() != Some(name));
        let text: String = others.chain(line).flat_map(|line| [line, "\n"]).collect();
        Ok(self.host.place(path, &mut text.as_bytes(), &Placement::default())?)
    }
}
