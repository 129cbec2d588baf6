//! The account itself: `useradd`, `usermod`, `userdel`.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Args, Said, UpdatePassword, tool};
use crate::kit::{Failure, Group, Result, System, User};

/// What the options come to, checked against the groups there are.
pub(super) struct Account {
    /// The primary group's number, when one is asked for.
    gid: Option<u32>,
    groups: Option<BTreeSet<String>>,
    expires: Option<Expiry>,
}

/// When an account expires, as `/etc/shadow` counts: days since 1970; `None` never.
type Expiry = Option<i64>;

impl Account {
    pub fn wanted(args: &Args, sys: &System<'_>) -> Result<Self> {
        let exists = |name: &str| -> Result<Option<u32>> {
            let group = match name.parse::<u32>() {
                Ok(gid) => sys.group_by_id(gid)?,
                Err(_) => sys.group(name)?,
            };
            Ok(group.map(|group| group.gid))
        };
        let missing = |name: &str| Failure::new(format!("Group {name} does not exist"));
        let gid = match &args.group {
            Some(name) => Some(exists(name)?.ok_or_else(|| missing(name))?),
            None => None,
        };
        let groups = match &args.groups {
            Some(names) => {
                let names = names.iter().filter(|name| !name.is_empty());
                let mut groups = BTreeSet::new();
                for name in names {
                    exists(name)?.ok_or_else(|| missing(name))?;
                    groups.insert(name.clone());
                }
                Some(groups)
            }
            None => None,
        };
        #[expect(clippy::cast_possible_truncation, reason = "days fit")]
        let expires =
            args.expires.map(|seconds| (seconds >= 0.0).then(|| (seconds / 86_400.0).floor() as i64));
        Ok(Self { gid, groups, expires })
    }

    /// The groups besides the primary one that the user will be in, as the result tells them.
    pub fn groups_afterwards(
        &self,
        args: &Args,
        user: Option<&User>,
        sys: &System<'_>,
    ) -> Result<BTreeSet<String>> {
        let has = user.map(|user| memberships(sys, user)).transpose()?.unwrap_or_default();
        let Some(wanted) = &self.groups else { return Ok(has) };
        let mut groups = if args.append { wanted.union(&has).cloned().collect() } else { wanted.clone() };
        if let Some(gid) = self.gid.or(user.map(|user| user.gid))
            && let Some(primary) = sys.group_by_id(gid)?
        {
            groups.remove(&primary.name);
        }
        Ok(groups)
    }
}

pub(super) fn create(args: &Args, account: &Account, said: &mut Said, sys: &mut System<'_>) -> Result<()> {
    let own_group = sys.group(&args.name)?.is_some();
    let groups = account.groups.as_ref().filter(|groups| !groups.is_empty());
    let mut command = tool(sys, args.local, "useradd")?
        .opt("-u", args.uid)
        .flag("-o", args.uid.is_some() && args.non_unique)
        .opt("-Z", args.seuser.as_ref())
        .opt("-g", args.group.as_ref())
        // A group of that name is there already: useradd must not make one.
        .flag("-N", args.group.is_none() && own_group)
        .opt("-G", groups.filter(|_| !args.local).map(joined))
        .opt("-c", args.comment.as_ref())
        .opt("-d", args.home.as_ref().map(|home| home.text().into_owned()))
        .opt("-s", args.shell.as_ref().map(|shell| shell.text().into_owned()))
        .opt("-e", account.expires.map(|days| days.map_or_else(String::new, date)));
    command = if args.create_home {
        let key = args.umask.as_ref().map(|umask| format!("UMASK={umask}"));
        command.flag("-m", true).opt("-k", args.skeleton.as_ref()).opt("-K", key)
    } else {
        command.flag("-M", true)
    };
    command = command
        .flag("-r", args.system)
        .opt("-K", args.uid_min.map(|number| format!("UID_MIN={number}")))
        .opt("-K", args.uid_max.map(|number| format!("UID_MAX={number}")));
    said.by(command.arg(&args.name), args, sys)?;
    if let Some(password) = &args.password {
        set_password(args, password.expose(), false, said, sys)?;
    } else if args.password_lock == Some(true) {
        said.by(tool(sys, args.local, "usermod")?.flag("-L", true).arg(&args.name), args, sys)?;
    }
    Ok(())
}

/// Lets later tasks of a check see the account as it would be.
pub(super) fn foretell(args: &Args, account: &Account, known: Option<&User>, sys: &System<'_>) -> Result<()> {
    if !sys.is_check() {
        return Ok(());
    }
    let groups = account.groups_afterwards(args, known, sys)?;
    let mut user = match known {
        Some(known) => known.clone(),
        None => newcomer(args, account, sys)?,
    };
    user.uid = args.uid.unwrap_or(user.uid);
    user.gid = account.gid.unwrap_or(user.gid);
    if let Some(comment) = &args.comment {
        user.comment.clone_from(comment);
    }
    if let Some(home) = &args.home {
        user.home = home.text().into_owned();
    }
    if let Some(shell) = &args.shell {
        user.shell = shell.text().into_owned();
    }
    sys.foretell_user(&user, known.is_none() && args.create_home)?;
    sys.foretell_memberships(&user.name, &groups)
}

/// What `useradd` would make of a name alone, with a group of its own where none is asked for.
fn newcomer(args: &Args, account: &Account, sys: &System<'_>) -> Result<User> {
    let uid = match args.uid {
        Some(uid) => uid,
        None => System::next_number(sys.users()?.into_iter().map(|user| user.uid), args.system),
    };
    let gid = match (account.gid, sys.group(&args.name)?) {
        (Some(gid), _) => gid,
        (None, Some(group)) => group.gid,
        (None, None) => {
            sys.foretell_group(&Group { name: args.name.clone(), gid: uid, members: Vec::new() })?;
            uid
        }
    };
    Ok(User {
        name: args.name.clone(),
        uid,
        gid,
        comment: String::new(),
        home: format!("/home/{}", args.name),
        shell: "/bin/sh".to_owned(),
    })
}

pub(super) fn modify(
    args: &Args,
    account: &Account,
    user: &User,
    said: &mut Said,
    sys: &mut System<'_>,
) -> Result<()> {
    let mut command = tool(sys, args.local, "usermod")?;
    let mut differs = false;
    let mut option = |command: crate::kit::Command, flag: &str, value: Option<String>| {
        differs |= value.is_some();
        command.opt(flag, value)
    };
    let uid = args.uid.filter(|uid| *uid != user.uid);
    command = option(command, "-u", uid.map(|uid| uid.to_string()));
    command = command.flag("-o", uid.is_some() && args.non_unique);
    command = option(command, "-g", args.group.clone().filter(|_| account.gid != Some(user.gid)));
    if let Some(wanted) = &account.groups {
        let has = memberships(sys, user)?;
        let changed = if args.append { !wanted.is_subset(&has) } else { *wanted != has };
        if changed {
            let set = if args.append { wanted.difference(&has).cloned().collect() } else { wanted.clone() };
            command = command.flag("-a", args.append);
            command = option(command, "-G", Some(joined(&set)));
        }
    }
    command = option(command, "-c", args.comment.clone().filter(|comment| *comment != user.comment));
    let home = args.home.as_ref().map(|home| home.text().into_owned()).filter(|home| *home != user.home);
    let moves = home.is_some() && args.move_home;
    command = option(command, "-d", home);
    command = command.flag("-m", moves);
    let shell = args.shell.as_ref().map(|shell| shell.text().into_owned());
    command = option(command, "-s", shell.filter(|shell| *shell != user.shell));
    let shadow = Shadow::of(sys, &args.name)?;
    if let Some(expires) = account.expires
        && expires != shadow.expires
    {
        command = option(command, "-e", Some(expires.map_or_else(String::new, date)));
    }
    let locked = shadow.password.starts_with('!');
    match args.password_lock {
        Some(true) if !locked => {
            differs = true;
            command = command.flag("-L", true);
        }
        Some(false) if locked => {
            differs = true;
            command = command.flag("-U", true);
        }
        _ => {}
    }
    let hash = args.password.as_ref().map(|password| password.expose().to_owned());
    let new_password = hash.filter(|hash| {
        args.update_password == UpdatePassword::Always
            && shadow.password.trim_start_matches('!') != hash.trim_start_matches('!')
    });
    if differs {
        said.by(command.arg(&args.name), args, sys)?;
    }
    if let Some(hash) = new_password {
        set_password(args, &hash, locked, said, sys)?;
    }
    Ok(())
}

/// Sets the hash through standard input: an argument would show in the process list.
fn set_password(args: &Args, hash: &str, locked: bool, said: &mut Said, sys: &mut System<'_>) -> Result<()> {
    let lock = args.password_lock.unwrap_or(false)
        || (locked && args.password_lock.is_none() && hash.starts_with('!'));
    let hash = if lock && !hash.starts_with('!') { format!("!{hash}") } else { hash.to_owned() };
    let command = tool(sys, false, "chpasswd")?.flag("-e", true).stdin(format!("{}:{hash}\n", args.name));
    said.by(command, args, sys)
}

pub(super) fn remove(args: &Args, said: &mut Said, sys: &mut System<'_>) -> Result<()> {
    let command = tool(sys, args.local, "userdel")?
        .flag("-f", args.force && !args.local)
        .flag("-r", args.remove)
        .arg(&args.name);
    said.by(command, args, sys)
}

pub(super) fn joined(groups: &BTreeSet<String>) -> String {
    groups.iter().cloned().collect::<Vec<_>>().join(",")
}

/// The groups that list the user, without the primary one.
fn memberships(sys: &System<'_>, user: &User) -> Result<BTreeSet<String>> {
    let groups = sys.groups()?.into_iter();
    Ok(groups
        .filter(|group| group.members.contains(&user.name) && group.gid != user.gid)
        .map(|group| group.name)
        .collect())
}

fn date(days: i64) -> String {
    jiff::civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().days(days))
        .map_or_else(|_| String::new(), |date| date.to_string())
}

/// What `/etc/shadow` says of a user; nothing where it cannot be read.
#[derive(Default)]
pub(super) struct Shadow {
    pub password: String,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub warn: Option<i64>,
    pub inactive: Option<i64>,
    pub expires: Option<i64>,
}

impl Shadow {
    pub fn of(sys: &System<'_>, name: &str) -> Result<Self> {
        let path = Path::new("/etc/shadow");
        if !sys.access(path, crate::kit::Access::Read) {
            return Ok(Self::default());
        }
        let text = sys.read_text_if_there(path)?.unwrap_or_default();
        let Some(line) = text.lines().find(|line| line.split(':').next() == Some(name)) else {
            return Ok(Self::default());
        };
        let field = |index: usize| line.split(':').nth(index).unwrap_or_default();
        let number = |index: usize| field(index).parse().ok();
        Ok(Self {
            password: field(1).to_owned(),
            min: number(3),
            max: number(4),
            warn: number(5),
            inactive: number(6),
            expires: number(7),
        })
    }
}
