//! Users and groups, without the C library's name services.

use std::path::Path;

use crate::kit::command::Command;
use crate::kit::outcome::{Failure, Result};
use crate::kit::system::System;

/// A row of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub comment: String,
    pub home: String,
    pub shell: String,
}

/// A row of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub gid: u32,
    pub members: Vec<String>,
}

impl User {
    /// Those in the text of a `passwd`.
    pub fn all_in(passwd: &str) -> Vec<Self> {
        passwd.lines().filter_map(Self::parse).collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let mut next = || fields.next().map(str::to_owned);
        let (name, _password) = (next()?, next()?);
        let (uid, gid) = (next()?.parse().ok()?, next()?.parse().ok()?);
        Some(Self { name, uid, gid, comment: next()?, home: next()?, shell: next().unwrap_or_default() })
    }
}

impl Group {
    /// Those in the text of a `group`.
    pub fn all_in(groups: &str) -> Vec<Self> {
        groups.lines().filter_map(Self::parse).collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, _password) = (fields.next()?, fields.next()?);
        let gid = fields.next()?.parse().ok()?;
        let members = fields.next().unwrap_or_default().split(',').filter(|name| !name.is_empty());
        Some(Self { name: name.to_owned(), gid, members: members.map(str::to_owned).collect() })
    }
}

impl System<'_> {
    pub fn user(&self, name: &str) -> Result<Option<User>> {
        self.person("/etc/passwd", "passwd", name, User::parse, |user| user.name == name)
    }

    pub fn user_by_id(&self, uid: u32) -> Result<Option<User>> {
        self.person("/etc/passwd", "passwd", &uid.to_string(), User::parse, |user| user.uid == uid)
    }

    pub fn group(&self, name: &str) -> Result<Option<Group>> {
        self.person("/etc/group", "group", name, Group::parse, |group| group.name == name)
    }

    pub fn group_by_id(&self, gid: u32) -> Result<Option<Group>> {
        self.person("/etc/group", "group", &gid.to_string(), Group::parse, |group| group.gid == gid)
    }

    /// All groups of `/etc/group`.
    pub fn groups(&self) -> Result<Vec<Group>> {
        let text = self.read_text_if_there(Path::new("/etc/group"))?.unwrap_or_default();
        Ok(Group::all_in(&text))
    }

    /// All users of `/etc/passwd`.
    pub fn users(&self) -> Result<Vec<User>> {
        let text = self.read_text_if_there(Path::new("/etc/passwd"))?.unwrap_or_default();
        Ok(User::all_in(&text))
    }

    /// The number of a user given by name or number.
    pub fn uid_of(&mut self, owner: &str) -> Result<u32> {
        if let Ok(uid) = owner.parse() {
            return Ok(uid);
        }
        match self.user(owner)? {
            Some(user) => Ok(user.uid),
            None if self.comes_with_package(&format!("The user {owner}")) => {
                self.foretell_service_user(owner)
            }
            None => Err(Failure::new(format!("chown failed: failed to look up user {owner}"))),
        }
    }

    /// The number of a group given by name or number.
    pub fn gid_of(&mut self, group: &str) -> Result<u32> {
        if let Ok(gid) = group.parse() {
            return Ok(gid);
        }
        match self.group(group)? {
            Some(group) => Ok(group.gid),
            None if self.comes_with_package(&format!("The group {group}")) => {
                self.foretell_service_group(group)
            }
            None => Err(Failure::new(format!("chgrp failed: failed to look up group {group}"))),
        }
    }

    /// Looks in the file, then asks `getent` where the machine has other sources.
    fn person<T>(
        &self,
        file: &str,
        database: &str,
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
        is_it: impl Fn(&T) -> bool,
    ) -> Result<Option<T>> {
        let text = self.read_text_if_there(Path::new(file))?.unwrap_or_default();
        if let Some(found) = text.lines().filter_map(&parse).find(|one| is_it(one)) {
            return Ok(Some(found));
        }
        if !self.has_other_sources(database)? {
            return Ok(None);
        }
        let Some(getent) = self.which("getent") else { return Ok(None) };
        let answer = self.host.run(&Command::new(getent).arg(database).arg(key))?;
        Ok(answer.stdout().lines().filter_map(parse).find(|one| is_it(one)))
    }

    /// Whether `nsswitch.conf` names anything but files for that database (`systemd` knows only users of running
    /// services).
    fn has_other_sources(&self, database: &str) -> Result<bool> {
        let text = self.read_text_if_there(Path::new("/etc/nsswitch.conf"))?.unwrap_or_default();
        Ok(text
            .lines()
            .filter_map(|line| {
                line.split('#').next()?.trim().strip_prefix(database)?.trim().strip_prefix(':')
            })
            .flat_map(str::split_whitespace)
            .any(|source| !source.starts_with('[') && !matches!(source, "files" | "compat" | "systemd")))
    }
}
