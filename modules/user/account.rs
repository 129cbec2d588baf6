//! The account itself: `useradd`, `usermod`, `userdel`.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Args, Said, UpdatePassword, local, tool};
use crate::kit::{Failure, Group, Result, System, User};

/// What the options come to, checked against the groups there are.
pub(super) struct Account {
    /// The primary group's number, when one is asked for.
    gid: Option<u32>,
    groups: Option<BTreeSet<String>>,
    expires: Option<Expiry>,
}

/// When an account expires, as `/etc/shadow` counts: days since 1970; `None` never.
pub(super) type Expiry = Option<i64>;

impl Account {
    pub fn wanted(args: &Args, sys: &System<'_>) -> Result<Self> {
        let known = |name: &str| match name.parse::<u32>() {
            Ok(gid) => sys.group_by_id(gid),
            Err(_) => sys.group(name),
        };
        let missing = |name: &str| Failure::new(format!("Group {name} does not exist"));
        let gid = match &args.group {
            Some(name) => Some(known(name)?.ok_or_else(|| missing(name))?.gid),
            None => None,
        };
        let groups = match &args.groups {
            Some(names) => {
                let names = names.iter().filter(|name| !name.is_empty());
                let mut groups = BTreeSet::new();
                for name in names {
                    groups.insert(known(name)?.ok_or_else(|| missing(name))?.name);
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
        let Some(wanted) = self.besides_primary(user, sys)? else { return Ok(has) };
        Ok(if args.append { wanted.union(&has).cloned().collect() } else { wanted })
    }

    /// The groups that are asked for, without the primary one: no group lists its own users.
    fn besides_primary(&self, user: Option<&User>, sys: &System<'_>) -> Result<Option<BTreeSet<String>>> {
        let Some(mut groups) = self.groups.clone() else { return Ok(None) };
        if let Some(gid) = self.gid.or(user.map(|user| user.gid))
            && let Some(primary) = sys.group_by_id(gid)?
        {
            groups.remove(&primary.name);
        }
        Ok(Some(groups))
    }
}

pub(super) fn create(args: &Args, account: &Account, said: &mut Said, sys: &mut System<'_>) -> Result<()> {
    let own_group = sys.group(&args.name)?.is_some();
    let groups = account.groups.as_ref().filter(|groups| !groups.is_empty());
    let mut command = tool(sys, args.local, "useradd")?
        .opt("-u", args.uid)
        .flag("-o", args.uid.is_some() && args.non_unique && !args.local)
        .opt("-Z", args.seuser.as_ref())
        .opt("-g", args.group.as_ref())
        // A group of that name is there already: useradd must not make one.
        .flag(if args.local { "-n" } else { "-N" }, args.group.is_none() && own_group)
        .opt("-G", groups.filter(|_| !args.local).map(joined))
        .opt("-c", args.comment.as_ref())
        .opt("-d", args.home.as_ref().map(|home| home.text().into_owned()))
        .opt("-s", args.shell.as_ref().map(|shell| shell.text().into_owned()))
        .opt("-e", account.expires.filter(|_| !args.local).map(|days| days.map_or_else(String::new, date)));
    command = if args.create_home {
        let key = args.umask.as_ref().map(|umask| format!("UMASK={umask}"));
        command.flag("-m", !args.local).opt("-k", args.skeleton.as_ref()).opt("-K", key)
    } else {
        command.flag("-M", true)
    };
    command = command
        .flag("-r", args.system)
        .opt("-K", args.uid_min.map(|number| format!("UID_MIN={number}")))
        .opt("-K", args.uid_max.map(|number| format!("UID_MAX={number}")));
    said.by(command.arg(&args.name), args, sys)?;
    if args.local {
        local::enter(args, groups.unwrap_or(&BTreeSet::new()), said, sys)?;
        local::expire(args, account.expires, said, sys)?;
    }
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
    sys.foretell_user(&user, args.create_home)?;
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
    command = command.flag("-o", uid.is_some() && args.non_unique && !args.local);
    let gid = account.gid.filter(|gid| *gid != user.gid);
    let group = args.group.clone().filter(|_| gid.is_some());
    command = option(command, "-g", if args.local { gid.map(|gid| gid.to_string()) } else { group });
    // What is added may be the primary group: it lists the user then.
    let groups =
        if args.append { account.groups.clone() } else { account.besides_primary(Some(user), sys)? };
    if let Some(wanted) = &groups {
        let has = if args.append { listing(sys, user)? } else { memberships(sys, user)? };
        let changed = if args.append { !wanted.is_subset(&has) } else { *wanted != has };
        if args.local {
            local::enter(args, &wanted.difference(&has).cloned().collect(), said, sys)?;
            if !args.append {
                local::leave(args, &has.difference(wanted).cloned().collect(), said, sys)?;
            }
        } else if changed {
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
        && (expires != shadow.expires || shadow.is_missing)
    {
        if args.local {
            local::expire(args, Some(expires), said, sys)?;
        } else {
            command = option(command, "-e", Some(expires.map_or_else(String::new, date)));
        }
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

/// Makes the home of a user who has none, as `useradd` would have.
pub(super) fn make_home(args: &Args, user: &User, said: &mut Said, sys: &mut System<'_>) -> Result<()> {
    let home = args.home.as_ref().map_or_else(|| user.home.clone(), |home| home.text().into_owned());
    if sys.exists(Path::new(&home))? {
        return Ok(());
    }
    let defaults = sys.read_text_if_there(Path::new("/etc/login.defs"))?.unwrap_or_default();
    let default = |key: &str| {
        let mut values =
            defaults.lines().filter_map(|line| line.trim().strip_prefix(key)?.split_whitespace().next());
        values.next().and_then(|value| u32::from_str_radix(value, 8).ok())
    };
    let umask = args.umask.as_ref().and_then(|umask| u32::from_str_radix(umask, 8).ok());
    let mode = match umask {
        Some(umask) => 0o777 & !umask,
        None => default("HOME_MODE").unwrap_or(0o777 & !default("UMASK").unwrap_or(0o022)),
    };
    let skeleton = args.skeleton.clone().unwrap_or_else(|| "/etc/skel".to_owned());
    let (uid, gid) = (args.uid.unwrap_or(user.uid), user.gid);
    let script = "mkdir -p \"$(dirname \"$1\")\" && \
        if [ -d \"$2\" ]; then cp -R -P -p \"$2\" \"$1\"; else mkdir \"$1\"; fi && \
        chown -R -h \"$3\" \"$1\" && chmod \"$4\" \"$1\"";
    let command = crate::kit::Command::new("sh").args(["-c", script, "sh", &home, &skeleton]);
    said.by(command.arg(format!("{uid}:{gid}")).arg(format!("{mode:04o}")), args, sys)
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

/// The groups that list the user.
fn listing(sys: &System<'_>, user: &User) -> Result<BTreeSet<String>> {
    let groups = sys.groups()?.into_iter();
    Ok(groups.filter(|group| group.members.contains(&user.name)).map(|group| group.name).collect())
}

/// The groups that list the user, without the primary one.
fn memberships(sys: &System<'_>, user: &User) -> Result<BTreeSet<String>> {
    let mut groups = listing(sys, user)?;
    if let Some(primary) = sys.group_by_id(user.gid)? {
        groups.remove(&primary.name);
    }
    Ok(groups)
}

fn date(days: i64) -> String {
    jiff::civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().days(days))
        .map_or_else(|_| String::new(), |date| date.to_string())
}

/// What `/etc/shadow` says of a user; nothing where it cannot be read.
#[derive(Default)]
pub(super) struct Shadow {
    /// The file can be read, and has no such user.
    pub is_missing: bool,
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
            return Ok(Self { is_missing: true, ..Self::default() });
        };
        let field = |index: usize| line.split(':').nth(index).unwrap_or_default();
        let number = |index: usize| field(index).parse().ok();
        Ok(Self {
            is_missing: false,
            password: field(1).to_owned(),
            min: number(3),
            max: number(4),
            warn: number(5),
            inactive: number(6),
            expires: number(7),
        })
    }
}
