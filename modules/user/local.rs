//! What libuser's `lusermod` and `luseradd` cannot do: other tools of it can.

use std::collections::BTreeSet;

use super::account::Expiry;
use super::{Args, Said};
use crate::kit::{Command, Result, System};

/// Adds the user to groups.
pub(super) fn enter(
    args: &Args,
    groups: &BTreeSet<String>,
    said: &mut Said,
    sys: &mut System<'_>,
) -> Result<()> {
    change("-M", args, groups, said, sys)
}

/// Takes the user out of groups.
pub(super) fn leave(
    args: &Args,
    groups: &BTreeSet<String>,
    said: &mut Said,
    sys: &mut System<'_>,
) -> Result<()> {
    change("-m", args, groups, said, sys)
}

/// Sets when the account expires.
pub(super) fn expire(
    args: &Args,
    expires: Option<Expiry>,
    said: &mut Said,
    sys: &mut System<'_>,
) -> Result<()> {
    let Some(days) = expires else { return Ok(()) };
    let command = tool(sys, "lchage")?.arg("-E").arg(days.unwrap_or(-1).to_string());
    said.by(command.arg(&args.name), args, sys)
}

fn change(
    flag: &str,
    args: &Args,
    groups: &BTreeSet<String>,
    said: &mut Said,
    sys: &mut System<'_>,
) -> Result<()> {
    for group in groups {
        let command = tool(sys, "lgroupmod")?.args([flag, &args.name, group]);
        said.by(command, args, sys)?;
    }
    Ok(())
}

fn tool(sys: &System<'_>, name: &str) -> Result<Command> {
    sys.need(name).map(Command::new)
}
