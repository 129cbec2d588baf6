//! What a file was before it changed.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::kit::host::Placement;
use crate::kit::outcome::Result;
use crate::kit::system::System;

impl System<'_> {
    /// Copies a file beside itself with all its attributes, as `NAME.PID.DATE@TIME~`. No change by itself; nothing in check
    /// mode.
    pub fn backup(&mut self, path: &Path) -> Result<Option<String>> {
        if self.wishes.check || !self.exists(path)? {
            return Ok(None);
        }
        let meta = self.must(path, true)?;
        let name = self.backup_name(path)?;
        let how = Placement { mode: Some(meta.mode), ..Placement::default() };
        let mut old = self.host.open(path)?;
        self.host.place(&name, &mut old, &how)?;
        self.host.inherit(path, &name)?;
        // Not everybody may give files away.
        let _ = self.host.set_owner(&name, Some(meta.uid), Some(meta.gid), false);
        if let Some(context) = self.host.context(path, true)? {
            self.host.set_context(&name, &context, false)?;
        }
        self.host.set_times(&name, meta.atime, meta.mtime, false)?;
        Ok(Some(name.to_string_lossy().into_owned()))
    }

    /// A name that no backup has. Ansible's modules are another process each time; within a second, this worker is not.
    fn backup_name(&mut self, path: &Path) -> Result<PathBuf> {
        let stamp = Timestamp::new(self.now().secs, 0)
            .map(|at| at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d@%H:%M:%S").to_string())
            .unwrap_or_default();
        let mut number = std::process::id();
        loop {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{number}.{stamp}~"));
            if !self.exists(Path::new(&name))? {
                return Ok(name.into());
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use crate::kit::host::{Host, Time};
    use crate::kit::trial::Trial;

    #[test]
    fn changes_within_a_second_have_a_backup_each() {
        let trial = Trial::of("lineinfile");
        trial.host.file("/etc/f", "original\n");
        let backup_of = |line: &str| {
            let result = trial.run(&json!({"path": "/etc/f", "line": line, "backup": true}));
            trial.host.read(result["backup"].as_str().expect("a backup")).expect("is there")
        };
        assert_eq!(backup_of("a"), "original\n");
        assert_eq!(backup_of("b"), "original\na\n");
        let kept =
            trial.host.list_of("/etc").split_whitespace().filter(|name| name.starts_with("f.")).count();
        assert_eq!(kept, 2);
    }

    #[test]
    fn a_backup_is_as_the_file_was() {
        let trial = Trial::of("copy");
        trial.host.user("joe", 1001).file("/etc/f", "original\n").set_mode_of("/etc/f", 0o640);
        let time = Time { secs: 1_500_000_000, nanos: 5 };
        trial.host.set_owner(Path::new("/etc/f"), Some(1001), Some(1001), false).expect("given");
        trial.host.set_times(Path::new("/etc/f"), time, time, false).expect("set");
        let result = trial.run(&json!({"content": "new", "dest": "/etc/f", "backup": true}));
        let meta = trial.host.meta(result["backup_file"].as_str().expect("a backup")).expect("is there");
        assert_eq!((meta.uid, meta.gid, meta.mode, meta.mtime), (1001, 1001, 0o640, time));
    }
}
