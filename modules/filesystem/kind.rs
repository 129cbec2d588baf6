//! Kinds of file systems, and their tools.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Bcachefs,
    Btrfs,
    Ext2,
    Ext3,
    Ext4,
    Ext4dev,
    F2fs,
    Gfs2,
    Lvm,
    Ocfs2,
    Reiserfs,
    Xfs,
    Vfat,
    Swap,
    Ufs,
}

/// A program and what comes before the device.
pub(super) struct Tool {
    pub program: &'static str,
    pub words: &'static [&'static str],
}

impl Kind {
    pub(super) fn name(self) -> String {
        let name = serde_json::to_value(self).unwrap_or_default();
        name.as_str().unwrap_or_default().to_owned()
    }

    /// The name, as a sentence begins with it.
    pub(super) fn label(self) -> String {
        if self == Self::Xfs {
            return "XFS".to_owned();
        }
        let name = self.name();
        let mut letters = name.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    /// What `blkid` calls it.
    pub(super) fn signature(self) -> String {
        match self {
            Self::Lvm => "LVM2_member".to_owned(),
            other => other.name(),
        }
    }

    /// What makes it with that UUID at once, where no tool gives it another one.
    pub(super) fn made_with(self, uuid: &str) -> Option<Vec<String>> {
        (self == Self::Bcachefs).then(|| vec!["-U".to_owned(), uuid.to_owned()])
    }

    /// What makes it, whatever was there before.
    pub(super) fn tool(self) -> Tool {
        let tool = |program, words| Tool { program, words };
        match self {
            Self::Btrfs => tool("mkfs.btrfs", &["-f"]),
            Self::Ext2 => tool("mkfs.ext2", &["-F"]),
            Self::Ext3 => tool("mkfs.ext3", &["-F"]),
            Self::Ext4 => tool("mkfs.ext4", &["-F"]),
            Self::Ext4dev => tool("mkfs.ext4dev", &["-F"]),
            Self::F2fs => tool("mkfs.f2fs", &["-f"]),
            Self::Gfs2 => tool("mkfs.gfs2", &["-O"]),
            Self::Lvm => tool("pvcreate", &["-f", "-y"]),
            Self::Ocfs2 => tool("mkfs.ocfs2", &["-Fx"]),
            Self::Reiserfs => tool("mkfs.reiserfs", &["-q"]),
            Self::Xfs => tool("mkfs.xfs", &["-f"]),
            Self::Vfat => tool("mkfs.vfat", &[]),
            Self::Swap => tool("mkswap", &["-f"]),
            Self::Bcachefs => Tool { program: "mkfs.bcachefs", words: &["--force"] },
            Self::Ufs => Tool { program: "newfs", words: &[] },
        }
    }

    fn is_ext(self) -> bool {
        matches!(self, Self::Ext2 | Self::Ext3 | Self::Ext4 | Self::Ext4dev)
    }

    pub(super) fn grow(self) -> Option<Tool> {
        let tool = |program, words| Some(Tool { program, words });
        match self {
            kind if kind.is_ext() => tool("resize2fs", &[]),
            Self::Xfs => tool("xfs_growfs", &[]),
            Self::Lvm => tool("pvresize", &[]),
            Self::Bcachefs => tool("bcachefs", &["device", "resize"]),
            Self::Ufs => tool("growfs", &["-y"]),
            _ => None,
        }
    }

    pub(super) fn grows_mounted(self) -> bool {
        self == Self::Xfs
    }

    /// Its size, and that of a block, in bytes. `at` is where it is mounted, or the device.
    pub(super) fn size(self, dev: &str, at: &str, sys: &mut System<'_>) -> Result<(u64, u64)> {
        let mut ask = |program: &str, words: &[&str]| {
            let command = Command::new(sys.need(program)?).args(words).env("LC_ALL", "C");
            sys.ask(command).map_err(Failure::as_said)
        };
        let unclear = |program: &str| {
            Failure::new(format!("{program} tells no size of the {} file system on {dev}", self.name()))
        };
        if self.is_ext() {
            let output = ask("dumpe2fs", &["-h", dev])?;
            let text = output.stdout();
            let number = |name: &str| {
                text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
            };
            let counted = number("Block count:").zip(number("Block size:"));
            let (count, block) = counted.ok_or_else(|| unclear("dumpe2fs"))?;
            return Ok((count.saturating_mul(block), block));
        }
        if self == Self::Xfs {
            let output = ask("xfs_info", &[at])?;
            let text = output.stdout();
            let data = text.lines().find(|line| line.starts_with("data")).unwrap_or_default();
            let number = |name: &str| {
                let (_, rest) = data.split_once(name)?;
                rest.trim().split([' ', ',']).next()?.parse::<u64>().ok()
            };
            let counted = number("blocks=").zip(number("bsize="));
            let (count, block) = counted.ok_or_else(|| unclear("xfs_info"))?;
            return Ok((count.saturating_mul(block), block));
        }
        if self == Self::Bcachefs {
            let output = ask("bcachefs", &["show-super", dev])?;
            let text = output.stdout();
            let size = |name: &str| bytes(text.lines().find_map(|line| line.trim().strip_prefix(name))?);
            let counted = size("Size:").zip(size("Bucket size:"));
            return counted.ok_or_else(|| unclear("bcachefs"));
        }
        if self == Self::Ufs {
            let output = ask("dumpfs", &[dev])?;
            let text = output.stdout();
            let words: Vec<&str> = text.split_whitespace().collect();
            let number = |name: &str| {
                words.iter().zip(words.iter().skip(1)).find(|(word, _)| **word == name)?.1.parse::<u64>().ok()
            };
            let counted = number("providersize").zip(number("fragsize").or_else(|| number("fsize")));
            let (count, block) = counted.ok_or_else(|| unclear("dumpfs"))?;
            return Ok((count.saturating_mul(block), block));
        }
        let words =
            ["--noheadings", "-o", "pv_size,pe_start,vg_extent_size", "--units", "b", "--nosuffix", dev];
        let output = ask("pvs", &words)?;
        let text = output.stdout();
        let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        match numbers.as_slice() {
            [size, start, extent] => Ok((size.saturating_add(*start), *extent)),
            _ => Err(unclear("pvs")),
        }
    }

    /// What gives it another UUID; `None` where nothing does.
    pub(super) fn uuid(self, uuid: &str, dev: &str, sys: &System<'_>) -> Result<Option<Command>> {
        let (program, words): (&str, &[&str]) = match self {
            kind if kind.is_ext() => ("tune2fs", &["-U", uuid, dev]),
            Self::Xfs => ("xfs_admin", &["-U", uuid, dev]),
            Self::Reiserfs => ("reiserfstune", &["-u", uuid, dev]),
            Self::Gfs2 => ("tunegfs2", &["-U", uuid, dev]),
            // The tool makes one up; it takes none.
            Self::Lvm if uuid == "random" => ("pvchange", &["-u", dev]),
            _ => return Ok(None),
        };
        Ok(Some(Command::new(sys.need(program)?).args(words)))
    }
}

/// `10.0 MiB`
fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.trim().split_once(' ').unwrap_or((text.trim(), "B"));
    let power =
        ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].iter().position(|known| *known == unit.trim())?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let unit = 1u64.checked_shl(u32::try_from(10 * power).ok()?)?;
    let tenths = part.get(..1)?.parse::<u64>().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(unit / 10 * tenths)
}
