//! The accounts of the control node, as its files have them.

use std::fs;

use fanfare_modules::kit::{Group, User};

use crate::value::Value;

/// Users and groups; none where the files cannot be read.
pub struct Accounts {
    users: Vec<User>,
    groups: Vec<Group>,
}

impl Accounts {
    pub fn read() -> Self {
        let groups = fs::read_to_string("/etc/group").unwrap_or_default();
        Self { users: users(), groups: Group::all_in(&groups) }
    }

    /// The name of a user; the number of one without a name.
    pub fn owner(&self, uid: u32) -> Value {
        let user = self.users.iter().find(|user| user.uid == uid);
        user.map_or(Value::Int(uid.into()), |user| Value::from(user.name.as_str()))
    }

    /// The name of a group; the number of one without a name.
    pub fn group(&self, gid: u32) -> Value {
        let group = self.groups.iter().find(|group| group.gid == gid);
        group.map_or(Value::Int(gid.into()), |group| Value::from(group.name.as_str()))
    }
}

/// The first user that is as wanted.
pub fn user(wanted: impl Fn(&User) -> bool) -> Option<User> {
    users().into_iter().find(wanted)
}

fn users() -> Vec<User> {
    User::all_in(&fs::read_to_string("/etc/passwd").unwrap_or_default())
}
