//! How passwords age: `chage`.

use super::account::Shadow;
use super::{Args, Said, tool};
use crate::kit::{Result, System};

/// Ensures the days the options give.
pub(super) fn ensure(args: &Args, said: &mut Said, sys: &mut System<'_>) -> Result<()> {
    let wanted = [
        ("-m", args.password_expire_min),
        ("-M", args.password_expire_max),
        ("-W", args.password_expire_warn),
        ("-I", args.password_expire_account_disable),
    ];
    if wanted.iter().all(|(_, days)| days.is_none()) {
        return Ok(());
    }
    let shadow = Shadow::of(sys, &args.name)?;
    let is = [shadow.min, shadow.max, shadow.warn, shadow.inactive];
    let mut command = tool(sys, false, "chage")?;
    let mut differs = false;
    for ((flag, days), is) in wanted.into_iter().zip(is) {
        // `-1` empties the field.
        if days.is_some() && days.filter(|days| *days >= 0) != is {
            differs = true;
            command = command.opt(flag, days);
        }
    }
    if differs {
        said.by(command.arg(&args.name), args, sys)?;
    }
    Ok(())
}
