//! The lists of packages.

use std::path::Path;
use std::time::Duration;

use super::Apt;
use crate::kit::{Failure, Result, System};

/// Where apt leaves a trace of the last update, best first.
const STAMPS: [&str; 2] = ["/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists"];

/// When the lists were fetched, in seconds since 1970.
pub(super) fn time(sys: &System<'_>) -> Result<Option<i64>> {
    for path in STAMPS {
        if let Some(meta) = sys.stat_followed(Path::new(path))? {
            return Ok(Some(meta.mtime.secs));
        }
    }
    Ok(None)
}

/// Fetches the lists unless they are fresh enough; says whether it did. It counts as a change only when nothing
/// else was asked for.
pub(super) fn refresh(apt: &Apt<'_>, counts: bool, sys: &mut System<'_>) -> Result<bool> {
    let valid = i64::try_from(apt.args.options.cache_valid_time).unwrap_or(i64::MAX);
    let before = time(sys)?;
    if let Some(fetched) = before
        && valid > 0
        && fetched.saturating_add(valid) > sys.now().secs
    {
        return Ok(false);
    }
    let tries = apt.args.options.update_cache_retries;
    let mut complaint = "unknown reason".to_owned();
    for attempt in 1..=tries {
        let command = apt.plain().arg("update");
        if sys.is_check() {
            if counts {
                sys.attempt(command)?;
            }
            return Ok(true);
        }
        let line = command.line();
        let output = sys.query(command)?;
        // apt-get update warns and ends well when a list cannot be had.
        let failed =
            output.stderr().lines().any(|line| line.starts_with("E:") || line.contains("Failed to fetch"));
        if output.ok() && !failed {
            // As in Ansible, lists that were fresh already are not updated.
            let updated = time(sys)? != before;
            if updated && counts {
                sys.count_as_change(line);
            }
            return Ok(updated);
        }
        complaint = output.stderr().trim().replace('\n', ", ");
        // Who may not write the lists now may not in a second.
        if complaint.contains("(13: Permission denied)") {
            return Err(Failure::new(format!("Failed to update apt cache: {complaint}")));
        }
        if attempt < tries {
            // One second, then twice as long each time.
            let delay = (1 << (attempt - 1).min(10)).min(apt.args.options.update_cache_retry_max_delay);
            sys.warn(format!("Failed to update cache after {attempt} retries due to {complaint}, retrying"));
            sys.warn(format!("Sleeping for {delay} seconds, before attempting to refresh the cache again"));
            sys.sleep(Duration::from_secs(delay))?;
        }
    }
    Err(Failure::new(format!("Failed to update apt cache after {tries} retries: {complaint}")))
}
