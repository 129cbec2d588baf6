//! The file of a database's dump, packed as the end of its name says: written whole or not at all.

use std::path::Path;

use crate::kit::{Meta, Result, System, quote};

/// By the end of a file's name: what packs it, and what unpacks it.
const PACKERS: [(&str, &str); 5] =
    [(".gz", "gzip"), (".bz2", "bzip2"), (".xz", "xz"), (".zst", "zstd"), (".lz4", "lz4")];

/// A file that a program dumps into, or that another reads again.
pub struct DumpFile<'a> {
    path: &'a str,
    packer: Option<(&'static str, &'static str)>,
}

/// A line of shell, as it is told and as it runs.
pub struct Line {
    pub told: String,
    pub run: String,
}

impl<'a> DumpFile<'a> {
    pub fn at(path: &'a str) -> Self {
        Self { path, packer: PACKERS.into_iter().find(|(end, _)| path.ends_with(end)) }
    }

    /// Whether a packer must unpack it.
    pub fn is_packed(&self) -> bool {
        self.packer.is_some()
    }

    /// Its name without the packer's end.
    pub fn unpacked_name(&self) -> &'a str {
        self.packer.and_then(|(end, _)| self.path.strip_suffix(end)).unwrap_or(self.path)
    }

    /// Has a command write it. What is there stays until the new one is whole, and lends it mode and owner; a new file
    /// is its owner's alone.
    pub fn written_by(&self, command: &str, sys: &System<'_>) -> Result<Line> {
        let shown = quote(self.path);
        let told = match self.packer {
            Some((_, packer)) => format!("{command} | {packer} > {shown}"),
            None => format!("{command} > {shown}"),
        };
        let path = Path::new(self.path);
        let old = sys.stat_followed(path)?;
        // A pipe or a device cannot be replaced.
        if old.as_ref().is_some_and(|old| !Meta::is_file(old)) {
            let run = match self.packer {
                Some((_, packer)) => format!("{} > {shown}", piped(command, packer)),
                None => told.clone(),
            };
            return Ok(Line { told, run });
        }
        let place = if old.is_some() { sys.resolve(path)? } else { path.to_owned() };
        let part = quote(&sys.scratch(place.parent().filter(|dir| *dir != Path::new(""))).to_string_lossy());
        let place = quote(&place.to_string_lossy());
        let write = match self.packer {
            Some((_, packer)) => format!("{{ {}; }} > {part}", piped(command, packer)),
            None => format!("{command} > {part}"),
        };
        let alike =
            old.map(|old| format!(" && chown {}:{} {part} && chmod {:o} {part}", old.uid, old.gid, old.mode));
        let alike = alike.unwrap_or_default();
        let run = format!(
            "umask 077; set -C; {{ {write}; }}{alike} && mv -f {part} {place} || {{ rc=$?; rm -f {part}; exit $rc; }}"
        );
        Ok(Line { told, run })
    }

    /// Has a command read it; what cannot be unpacked is a failure, whatever the command says of it.
    pub fn read_by(&self, command: &str) -> Line {
        let path = quote(self.path);
        if let Some((_, packer)) = self.packer {
            let unpack = format!("{packer} -dc {path}");
            return Line { told: format!("{unpack} | {command}"), run: piped(&unpack, command) };
        }
        let line = format!("{command} < {path}");
        Line { told: line.clone(), run: line }
    }
}

/// A pipe that fails when any of its two programs does: plain `sh` knows the last one's end only.
fn piped(first: &str, second: &str) -> String {
    format!(
        "exec 4>&1; rc=$({{ {{ {first} 3>&-; echo $? >&3; }} | {second} 3>&- >&4 4>&-; }} 3>&1) && (exit \"${{rc:-1}}\")"
    )
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the lines run in a real shell, on real files")]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::kit::real::Real;
    use crate::kit::system::Wishes;
    use crate::kit::trial::Deaf;

    /// A directory of the test's own, gone after it.
    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("fanfare-dump-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn path(&self, name: &str) -> String {
            self.0.join(name).to_str().unwrap().to_owned()
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn code(line: &str) -> i32 {
        let run = Command::new("sh").arg("-c").arg(line).stderr(Stdio::null()).output().unwrap();
        run.status.code().unwrap()
    }

    fn write(path: &str, command: &str) -> i32 {
        let (real, mut deaf) = (Real::new(), Deaf);
        let sys = System::new(&real, &mut deaf, Wishes::default());
        code(&DumpFile::at(path).written_by(command, &sys).unwrap().run)
    }

    #[test]
    fn it_is_written_whole_or_stays() {
        let dir = Dir::new("write");
        for name in ["a b.sql", "a.sql.gz"] {
            let path = dir.path(name);
            assert_eq!(write(&path, "echo new"), 0);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            let before = fs::read(&path).unwrap();
            assert_eq!(write(&path, "(echo half; exit 3)"), 3, "{name}");
            assert_eq!(fs::read(&path).unwrap(), before, "{name}");
            assert_eq!(write(&path, "echo newer"), 0);
            assert_ne!(fs::read(&path).unwrap(), before, "{name}");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        }
        assert_eq!(dir.names(), ["a b.sql", "a.sql.gz"]);
        assert_eq!(write("/dev/null", "echo all"), 0);
    }

    #[test]
    fn what_cannot_be_read_is_a_failure() {
        let dir = Dir::new("read");
        let path = dir.path("a.sql.gz");
        assert_eq!(write(&path, "echo told"), 0);
        let read = |command: &str| code(&DumpFile::at(&path).read_by(command).run);
        assert_eq!(read("grep -q told"), 0);
        assert_eq!(read("(cat; exit 4)"), 4);
        fs::write(&path, &fs::read(&path).unwrap()[..12]).unwrap();
        assert_ne!(read("cat"), 0);
    }
}
