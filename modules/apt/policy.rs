//! A `policy-rc.d` that is in place for as long as apt-get works.
//!
//! What was there before is kept beside it, and the shell that starts apt-get puts it back: nothing that ends the
//! worker meanwhile leaves a machine that starts no services any more.

use std::path::Path;

use crate::kit::{Command, Result, System};

/// What a policy ends with that keeps services from being started.
pub(super) const FORBIDS: i32 = 101;
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// What was there before.
const KEPT: &str = "/usr/sbin/policy-rc.d.fanfare";
/// A mark that nothing was.
const NONE: &str = "/usr/sbin/policy-rc.d.fanfare-none";

/// Runs a command, and puts back what was there before it ends.
const LOWERED: &str = "lower() { [ ! -e \"$1.fanfare\" ] || mv -f \"$1.fanfare\" \"$1\"; \
    [ ! -e \"$1.fanfare-none\" ] || rm -f \"$1\" \"$1.fanfare-none\"; }; \
    policy=$1; shift; trap 'lower \"$policy\"' EXIT; trap 'exit 143' HUP INT TERM; \"$@\"";

/// Puts one in place that ends with `code`. One that a killed run left behind is no one's, and not kept.
pub(super) fn raise(code: i32, sys: &mut System<'_>) -> Result<()> {
    let path = Path::new(POLICY);
    let left_behind = sys.exists(Path::new(KEPT))? || sys.exists(Path::new(NONE))?;
    if !left_behind {
        match sys.stat_followed(path)? {
            Some(meta) => {
                let old = sys.read(path)?;
                sys.spool(Path::new(KEPT), meta.mode, &mut old.as_slice())?;
            }
            None => sys.spool(Path::new(NONE), 0o644, &mut b"".as_slice())?,
        }
    }
    sys.spool(path, 0o755, &mut format!("#!/bin/sh\nexit {code}\n").as_bytes())
}

/// The command that also puts back what was there.
pub(super) fn around(command: Command) -> Command {
    let mut words = vec!["sh".into(), "-c".into(), LOWERED.into(), "sh".into(), POLICY.into()];
    words.extend(command.argv);
    Command { argv: words, ..command }
}

/// Puts back what was there where the shell did not come to it.
pub(super) fn lower(sys: &mut System<'_>) -> Result<()> {
    let (path, kept) = (Path::new(POLICY), Path::new(KEPT));
    if let Some(meta) = sys.stat_followed(kept)? {
        let old = sys.read(kept)?;
        sys.spool(path, meta.mode, &mut old.as_slice())?;
        sys.discard(kept)?;
    }
    if sys.exists(Path::new(NONE))? {
        sys.discard(path)?;
        sys.discard(Path::new(NONE))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{KEPT, NONE, POLICY};
    use crate::kit::trial::Trial;

    /// What the policy is after a run that came upon `before`, and what is left beside it.
    fn after(before: &[(&str, &str)]) -> (Option<String>, bool) {
        let trial = Trial::of("apt");
        trial.host.file("/var/lib/dpkg/status", "").program("/usr/bin/apt-get").answer("sh", 0, "");
        for (path, text) in before {
            trial.host.file(path, text);
        }
        let result = trial.run(&json!({"name": "web", "policy_rc_d": 101}));
        assert_eq!(result["failed"], json!(null), "{result}");
        let ran = trial.host.ran().join("\n");
        assert!(ran.contains("/usr/sbin/policy-rc.d apt-get -y"), "{ran}");
        (trial.host.read(POLICY), [KEPT, NONE].iter().any(|path| trial.host.meta(path).is_some()))
    }

    #[test]
    fn what_was_there_is_there_again() {
        assert_eq!(after(&[]), (None, false));
        assert_eq!(after(&[(POLICY, "mine")]), (Some("mine".to_owned()), false));
        // A run was killed, and its shell, too.
        assert_eq!(after(&[(POLICY, "left"), (KEPT, "mine")]), (Some("mine".to_owned()), false));
        assert_eq!(after(&[(POLICY, "left"), (NONE, "")]), (None, false));
    }
}
