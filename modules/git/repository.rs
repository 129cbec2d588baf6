//! Where the repository itself is: in the checkout, or in a directory of its own.

use std::path::PathBuf;

use crate::git::Args;
use crate::kit::{Failure, Result, System, WriteOptions, cmd};

/// A repository that is elsewhere than it should be.
pub(super) struct Move {
    pub from: PathBuf,
    pub to: PathBuf,
}

impl Move {
    /// What there is to move. `None` where nothing is checked out yet, or all is in its place.
    pub fn needed(args: &Args, sys: &System<'_>) -> Result<Option<Self>> {
        let Some(separate) = &args.separate_git_dir else { return Ok(None) };
        let Some(from) = now(args, sys)? else { return Ok(None) };
        let to = sys.resolve(separate)?;
        if from == to {
            return Ok(None);
        }
        if sys.exists(&to)? {
            let msg = format!("Separate-git-dir path {} already exists.", separate.text());
            return Err(Failure::new(msg));
        }
        Ok(Some(Self { from, to }))
    }

    pub fn go(&self, args: &Args, sys: &mut System<'_>) -> Result<()> {
        if let Some(parent) = self.to.parent() {
            sys.make_dirs(parent, None)?;
        }
        // Between file systems, too.
        if sys.exec(cmd!["mv", &self.from, &self.to])?.is_some() {
            let pointer = format!("gitdir: {}", self.to.display());
            let options = WriteOptions { hidden: true, ..WriteOptions::default() };
            sys.write_with(&args.dest.join(".git"), pointer, &options)?;
        }
        Ok(())
    }
}

/// The repository of the checkout that is there.
fn now(args: &Args, sys: &System<'_>) -> Result<Option<PathBuf>> {
    let git_dir = args.dest.join(".git");
    let Some(meta) = sys.stat_followed(&git_dir)? else { return Ok(None) };
    if !meta.is_file() {
        return sys.resolve(&git_dir).map(Some);
    }
    let text = sys.read_text_if_there(&git_dir)?.unwrap_or_default();
    match text.trim().strip_prefix("gitdir: ") {
        Some(path) => sys.resolve(&args.dest.join(path)).map(Some),
        None => Err(Failure::new(format!("{} names no repository (`gitdir: …`)", git_dir.display()))),
    }
}
