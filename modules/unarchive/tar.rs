//! By GNU `tar`.

use crate::kit::{Command, Failure, Result, System};
use crate::unarchive::{Archive, Args, Looked};

/// What the archive was packed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packed {
    Not,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Packed {
    pub fn of(start: &[u8]) -> Self {
        let known: [(&[u8], Self); 4] = [
            (b"\x1f\x8b", Self::Gzip),
            (b"BZh", Self::Bzip2),
            (b"\xfd7zXZ\0", Self::Xz),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
        ];
        known.iter().find(|(magic, _)| start.starts_with(magic)).map_or(Self::Not, |(_, packed)| *packed)
    }

    /// What `tar` is to be told: `gzip` always, as Ansible does. The others it finds out by itself, in a file; of its
    /// input it must be told.
    fn option(self, is_input: bool) -> Option<&'static str> {
        match self {
            Self::Gzip => Some("-z"),
            Self::Bzip2 if is_input => Some("-j"),
            Self::Xz if is_input => Some("-J"),
            Self::Zstd if is_input => Some("--use-compress-program=zstd"),
            Self::Not | Self::Bzip2 | Self::Xz | Self::Zstd => None,
        }
    }

    fn handler(self) -> &'static str {
        if self == Self::Gzip { "TgzArchive" } else { "TarArchive" }
    }
}

pub(super) fn look(args: &Args, archive: &Archive, packed: Packed, sys: &mut System<'_>) -> Result<Looked> {
    let program = ["gtar", "tar"].into_iter().find_map(|name| sys.which(name));
    let Some(program) = program.map(|path| path.to_string_lossy().into_owned()) else {
        return Err(archive.unusable("tar", "Unable to find required 'gtar' or 'tar' binary in the path"));
    };
    let tar = |action: &str| {
        let mut command = Command::new(program.as_str()).args([action, "-C"]).arg(args.dest.0.clone());
        command = command.args(packed.option(archive.input.is_some()));
        command = command.flag("--show-transformed-names", !args.extra_opts.is_empty());
        command = command.args(&args.extra_opts);
        if action == "--list" {
            command = command.arg("--quoting-style=literal");
        }
        if action == "--extract" {
            command = command.flag("--keep-newer-files", args.keep_newer);
            let ids = [("owner", &args.attributes.owner), ("group", &args.attributes.group)];
            for (name, value) in ids {
                command = command.args(value.as_ref().map(|value| format!("--{name}={value}")));
            }
        }
        let excluded = args.exclude.iter().map(|name| format!("--exclude={name}"));
        command = command.args(excluded).arg("-f").arg(archive.path.clone()).args(&args.include);
        command.stdin.clone_from(&archive.input);
        command.env("LANG", "C").env("LC_ALL", "C")
    };
    let listed = sys.query(tar("--list"))?;
    if !listed.ok() {
        let why = format!("Unable to list files in the archive: {}", listed.stderr());
        return Err(archive.unusable(&program, &why));
    }
    let names = listed.stdout().lines().map(str::to_owned).collect();
    let compared = sys.query(tar("--diff"))?;
    if compared.stderr().contains("unrecognized option") {
        return Err(archive.unusable(&program, "GNU tar is needed, and this is another"));
    }
    if compared.code > 2 || compared.code < 0 {
        return Err(Failure::new(format!("{program} could not compare: {}", compared.stderr().trim())));
    }
    let root = sys.identity().0 == 0;
    let said = [compared.stdout(), compared.stderr()];
    let differs =
        compared.code != 0 && said.iter().flat_map(|text| text.lines()).any(|line| counts(line, args, root));
    Ok(Looked { handler: packed.handler(), names, differs, extract: tar("--extract") })
}

/// Whether a difference is one that unpacking would mend.
fn counts(line: &str, args: &Args, root: bool) -> bool {
    let ignored = [
        ("Uid differs", !root || args.attributes.owner.is_some()),
        ("Gid differs", !root || args.attributes.group.is_some()),
        ("Mode differs", args.attributes.mode.is_some()),
        ("Exiting with failure status due to previous errors", true),
        ("Removing leading", true),
        // Of the directory that `--strip-components` takes away.
        (": : Warning: Cannot stat", true),
        ("Implausibly old time stamp", true),
    ];
    !line.trim().is_empty() && !ignored.iter().any(|(what, ignored)| *ignored && line.contains(what))
}
