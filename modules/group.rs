use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Group, Result, System};
use crate::lineinfile::State;
use crate::user;

/// Manages groups.
///
/// # Examples
///
/// ```yaml
/// - name: The group somegroup exists
///   group:
///     name: somegroup
///     state: present
///
/// - name: A system group with a number
///   group: {name: docker, gid: 999, system: yes}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["non_unique", true, ["gid"]]]))]
pub struct Args {
    /// Name of the group.
    pub name: String,
    /// Whether the group exists.
    #[serde(default)]
    pub state: State,
    /// The group's number; the system chooses when not given.
    pub gid: Option<u32>,
    /// The lowest number the system may choose.
    pub gid_min: Option<u32>,
    /// The highest number the system may choose.
    pub gid_max: Option<u32>,
    /// Makes a system group.
    #[serde(default)]
    pub system: bool,
    /// Uses the `l…` commands, which know local groups only.
    #[serde(default)]
    pub local: bool,
    /// Lets the number be one that is already taken.
    #[serde(default)]
    pub non_unique: bool,
    /// Removes the group even when it is some user's primary group.
    #[serde(default)]
    pub force: bool,
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    gid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<bool>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    judge(&args)?;
    let was_missing = known(sys, &args)?.is_none();
    ensure(&args, sys).map_err(|failure| user::told(failure, &args.name).without("rc"))?;
    let gid = match args.state {
        // The number of a group that check mode did not make is a guess.
        State::Present if sys.is_check() && was_missing => args.gid,
        State::Present => self::known(sys, &args)?.map(|group| group.gid).or(args.gid),
        State::Absent => None,
    };
    let system = (args.state == State::Present).then_some(args.system);
    Ok(Returns { name: args.name, state: args.state, gid, system })
}

/// What the commands for local groups cannot do.
fn judge(args: &Args) -> Result<()> {
    if args.local && args.force {
        let msg = "force is not a valid option for local, force=True and local=True are mutually exclusive";
        return Err(Failure::new(msg));
    }
    for (option, given) in [("gid_min", args.gid_min.is_some()), ("gid_max", args.gid_max.is_some())] {
        if args.local && given {
            return Err(Failure::new(format!("'{option}' can not be used with 'local'")));
        }
    }
    Ok(())
}

fn ensure(args: &Args, sys: &mut System<'_>) -> Result<()> {
    match (args.state, known(sys, args)?) {
        (State::Present, None) => {
            create(args, sys)?;
            let gid = match args.gid {
                Some(gid) => gid,
                None => System::next_number(sys.groups()?.into_iter().map(|group| group.gid), args.system),
            };
            sys.foretell_group(&Group { name: args.name.clone(), gid, members: Vec::new() })?;
        }
        (State::Present, Some(mut group)) => {
            if let Some(gid) = args.gid.filter(|gid| *gid != group.gid) {
                let program = tool(sys, args, "groupmod")?;
                sys.exec(
                    Command::new(program).opt("-g", Some(gid)).flag("-o", args.non_unique).arg(&args.name),
                )?;
                group.gid = gid;
                sys.foretell_group(&group)?;
            }
        }
        (State::Absent, Some(_)) => {
            let command = if sys.which("groupdel").is_some() {
                Command::new(tool(sys, args, "groupdel")?).flag("-f", args.force)
            } else {
                Command::new("delgroup")
            };
            sys.exec(command.arg(&args.name))?;
            sys.foretell_group_gone(&args.name)?;
        }
        (State::Absent, None) => {}
    }
    Ok(())
}

fn create(args: &Args, sys: &mut System<'_>) -> Result<()> {
    if !args.local && sys.which("groupadd").is_none() && sys.which("addgroup").is_some() {
        // busybox
        let command = Command::new("addgroup").opt("-g", args.gid).flag("-S", args.system);
        return sys.exec(command.arg(&args.name)).map(drop);
    }
    let range = [("GID_MIN", args.gid_min), ("GID_MAX", args.gid_max)];
    let mut command = Command::new(tool(sys, args, "groupadd")?)
        .opt("-g", args.gid)
        .flag("-o", args.gid.is_some() && args.non_unique)
        .flag("-r", args.system);
    for (name, value) in range {
        command = command.opt("-K", value.map(|value| format!("{name}={value}")));
    }
    sys.exec(command.arg(&args.name)).map(drop)
}

/// The group: with `local` only where `/etc/group` has it.
fn known(sys: &System<'_>, args: &Args) -> Result<Option<Group>> {
    if args.local {
        return Ok(sys.groups()?.into_iter().find(|group| group.name == args.name));
    }
    sys.group(&args.name)
}

fn tool(sys: &System<'_>, args: &Args, name: &str) -> Result<String> {
    let name = if args.local { format!("l{name}") } else { name.to_owned() };
    for dir in ["/usr/sbin", "/sbin", "/usr/local/sbin"] {
        let path = Path::new(dir).join(&name);
        if sys.exists(&path)? {
            return Ok(path.to_string_lossy().into_owned());
        }
    }
    sys.need(&name).map(|_| name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn groups_are_made_changed_and_removed() {
        let trial = Trial::of("group");
        trial.host.file("/etc/group", "root:x:0:\nold:x:500:\n").program("/usr/sbin/groupadd");
        trial.host.program("/usr/sbin/groupmod").program("/usr/sbin/groupdel");
        for tool in ["groupadd", "groupmod", "groupdel"] {
            trial.host.answer(&format!("/usr/sbin/{tool}"), 0, "");
        }
        assert_eq!(trial.run(&json!({"name": "new", "gid": 7, "system": true}))["changed"], true);
        assert_eq!(trial.run(&json!({"name": "old"}))["changed"], false);
        assert_eq!(trial.run(&json!({"name": "old", "gid": 501}))["changed"], true);
        assert_eq!(trial.run(&json!({"name": "old", "state": "absent"}))["changed"], true);
        assert_eq!(trial.run(&json!({"name": "none", "state": "absent"}))["changed"], false);
        assert_eq!(
            trial.host.ran(),
            ["/usr/sbin/groupadd -g 7 -r new", "/usr/sbin/groupmod -g 501 old", "/usr/sbin/groupdel old"]
        );
    }
}
