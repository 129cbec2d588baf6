use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::kit::{Failure, Result, System};

/// Waits until no other dnf or yum works, on this host or in that root.
pub(super) fn wait(seconds: u64, root: Option<&str>, sys: &mut System<'_>) -> Result<()> {
    for waited in 0.. {
        let Some(lock) = held(root, sys)? else { break };
        if waited >= seconds {
            return Err(Failure::new(format!("{} lockfile is held by another process", lock.display())));
        }
        sys.sleep(Duration::from_secs(1))?;
    }
    Ok(())
}

/// A lock whose process lives.
fn held(root: Option<&str>, sys: &System<'_>) -> Result<Option<PathBuf>> {
    let mut locks = vec![PathBuf::from("/var/run/yum.pid")];
    // The lists' locks, and that of the packages, which dnf itself would wait for without end.
    let dirs = ["var/cache/dnf", "var/lib/dnf"];
    for dir in
        [Some("/"), root].into_iter().flatten().flat_map(|root| dirs.map(|dir| Path::new(root).join(dir)))
    {
        if sys.exists(&dir)? {
            let names = sys.list(&dir)?;
            let held = names.iter().filter(|name| name.to_string_lossy().ends_with("_lock.pid"));
            locks.extend(held.map(|name| dir.join(name)));
        }
    }
    for lock in locks {
        let pid = sys.read_text_if_there(&lock)?.unwrap_or_default();
        let pid = pid.trim();
        if !pid.is_empty() && sys.exists(&Path::new("/proc").join(pid))? {
            return Ok(Some(lock));
        }
    }
    Ok(None)
}
