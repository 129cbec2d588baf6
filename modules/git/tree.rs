//! The checkout.

use crate::git::login::Login;
use crate::git::remote::{Remote, is_commit};
use crate::git::{Args, Git};
use crate::kit::{Command, Failure, Result, System};

pub(super) struct Tree<'a> {
    pub git: &'a Git,
    pub args: &'a Args,
}

impl Tree<'_> {
    pub fn command<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        self.git.command(words).dir(self.args.dest.0.clone())
    }

    pub fn is_there(&self, sys: &System<'_>) -> Result<bool> {
        let dest = &self.args.dest;
        if self.args.bare {
            return Ok(sys.exists(&dest.join("config"))? && sys.exists(&dest.join("HEAD"))?);
        }
        Ok(sys.stat_followed(&dest.join(".git"))?.is_some())
    }

    /// The commit of a revision; `None` when there is no such.
    pub fn commit(&self, revision: &str, sys: &mut System<'_>) -> Result<Option<String>> {
        if !sys.exists(&self.args.dest)? {
            return Ok(None);
        }
        let revision = format!("{revision}^{{commit}}");
        let output = sys.query(self.command(["rev-parse", "--verify", "--end-of-options", &revision]))?;
        let stderr = output.stderr();
        if stderr.contains("dubious ownership") || stderr.contains("not a git repository") {
            return Err(Failure::new(stderr.trim().to_owned()).with("rc", output.code));
        }
        // Git of old gives the flag back.
        Ok(if output.ok() { output.stdout().lines().last().map(|line| line.trim().to_owned()) } else { None })
    }

    /// Whether a file that git knows differs from its commit.
    pub fn is_modified(&self, sys: &mut System<'_>) -> Result<bool> {
        let output = self.git.heard(self.command(["status", "--porcelain"]), sys)?;
        Ok(output.stdout().lines().any(|line| !line.trim().is_empty() && !line.starts_with("??")))
    }

    /// Ensures where the remote is. Says whether it was elsewhere.
    pub fn set_url(&self, sys: &mut System<'_>) -> Result<bool> {
        let remote = self.args.remote.as_str();
        let key = format!("remote.{remote}.url");
        let known = sys.query(self.command(["config", "--get", key.as_str()]))?;
        let url = self.git.url.as_str();
        if !known.ok() {
            let why = format!("error: No such remote '{remote}'");
            return Err(Failure::new(format!("Failed to set a new url {url} for {remote}:  {why}")));
        }
        let (now, login) = Login::split(known.stdout().trim());
        let plain = |url: &str| url.strip_prefix("file://").unwrap_or(url).to_owned();
        if plain(&now) == plain(url) {
            if login.is_some() {
                // Others kept the password here, and git would show it from here.
                let command = self.command(["remote", "set-url", remote, url]);
                let line = command.line();
                if let Some(output) = sys.housekeep(command)?
                    && !output.ok()
                {
                    return Err(self.git.failed(None, Some(&line), &output));
                }
            }
            return Ok(false);
        }
        sys.exec(self.command(["remote", "set-url", remote, url]))?;
        Ok(true)
    }

    pub fn clone(&self, remote: &Remote, sys: &mut System<'_>) -> Result<()> {
        let args = self.args;
        let named = remote.is_branch(&args.version) || remote.is_tag(&args.version);
        let mut command = self.git.command(["clone"]);
        command =
            if args.bare { command.arg("--bare") } else { command.args(["--origin", args.remote.as_str()]) };
        if let Some(depth) = args.depth {
            if args.version != "HEAD" && !named && args.refspec.is_none() {
                remote.must(&args.version)?;
            }
            command = command.args(["--depth", &depth.to_string()]);
        }
        if named && (args.depth.is_some() || args.single_branch) {
            command = command.args(["--branch", args.version.as_str()]);
        }
        command = command
            .flag("--single-branch", args.single_branch)
            .opt("--reference", args.reference.as_deref())
            .args(args.separate_git_dir.as_ref().map(|dir| format!("--separate-git-dir={}", dir.text())))
            .arg(self.git.url.as_str())
            .arg(args.dest.0.clone());
        let line = command.line();
        if let Some(output) = sys.attempt(command)?
            && !output.ok()
        {
            return Err(self.git.failed(None, Some(&line), &output));
        }
        if sys.is_check() {
            return Ok(());
        }
        if args.depth.is_some() && is_commit(&args.version) {
            return self.fetch(remote, sys);
        }
        let Some(refspec) = &args.refspec else { return Ok(()) };
        let command = self.command(["fetch"]).opt("--depth", args.depth);
        let command = command.args([args.remote.as_str(), refspec.as_str()]);
        let line = command.line();
        match sys.housekeep(command)? {
            Some(output) if !output.ok() => Err(self.git.failed(None, Some(&line), &output)),
            _ => Ok(()),
        }
    }

    pub fn fetch(&self, remote: &Remote, sys: &mut System<'_>) -> Result<()> {
        let args = self.args;
        let mut command = self.command(["fetch", "--tags"]).flag("--force", args.force);
        let mut specs: Vec<String> = Vec::new();
        let version =
            if args.version == "HEAD" { remote.head.as_deref().unwrap_or("HEAD") } else { &args.version };
        if args.bare {
            specs.extend(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"].map(str::to_owned));
        } else if args.depth.is_some() || args.single_branch {
            if remote.is_branch(version) {
                self.follow(version, sys)?;
                specs.push(format!("+refs/heads/{version}:refs/remotes/{}/{version}", args.remote));
            } else if remote.is_tag(version) {
                specs.push(format!("+refs/tags/{version}:refs/tags/{version}"));
            } else if is_commit(version) {
                specs.push(version.to_owned());
            }
        }
        if let Some(depth) = args.depth {
            command = command.args(["--depth", &depth.to_string()]);
        }
        if let Some(refspec) = &args.refspec {
            // Given alone, it would keep the usual ones from being fetched.
            if specs.is_empty() {
                specs.push(format!("+refs/heads/*:refs/remotes/{}/*", args.remote));
            }
            specs.push(refspec.clone());
        }
        let command = command.arg(args.remote.as_str()).args(specs);
        let words: Vec<_> = command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        match sys.housekeep(command)? {
            Some(output) if !output.ok() => {
                let said = self.git.censored(&output.stderr());
                let msg = format!("Failed to download remote objects and refs:  {}", said.trim());
                Err(Failure::new(msg).with("cmd", words))
            }
            _ => Ok(()),
        }
    }

    /// Adds a branch to those that a checkout of few branches fetches: it could not be tracked else.
    fn follow(&self, branch: &str, sys: &mut System<'_>) -> Result<()> {
        let remote = self.args.remote.as_str();
        let key = format!("remote.{remote}.fetch");
        let known = sys.query(self.command(["config", "--get-all", key.as_str()]))?;
        let is_followed = |spec: &str| {
            let source = spec.trim_start_matches('+').split(':').next().unwrap_or_default();
            source == "refs/heads/*" || source.strip_prefix("refs/heads/") == Some(branch)
        };
        if known.stdout().lines().any(is_followed) {
            return Ok(());
        }
        let command = self.command(["remote", "set-branches", "--add", remote, branch]);
        let line = command.line();
        match sys.housekeep(command)? {
            Some(output) if !output.ok() => Err(self.git.failed(None, Some(&line), &output)),
            _ => Ok(()),
        }
    }

    /// Checks the version out, where it is not so already.
    pub fn switch(&self, remote: &Remote, before: Option<&str>, sys: &mut System<'_>) -> Result<()> {
        let args = self.args;
        let version =
            if args.version == "HEAD" { remote.head.as_deref() } else { Some(args.version.as_str()) };
        let Some(version) = version else {
            // The server's HEAD is no branch, or the repository is empty.
            return match remote.commit("HEAD") {
                Some(commit) if before != Some(&commit) => {
                    self.check_out(&["checkout", "--force", &commit], &commit, true, sys)
                }
                _ => Ok(()),
            };
        };
        let upstream = format!("{}/{version}", args.remote);
        // First: what nobody signed is not put where it may be run.
        self.verify(remote, version, &upstream, sys)?;
        if remote.is_branch(version) {
            let wanted = self.commit(&format!("refs/remotes/{upstream}"), sys)?;
            let moves = wanted.as_deref() != before;
            let local = self.commit(&format!("refs/heads/{version}"), sys)?;
            let here = sys.query(self.command(["symbolic-ref", "--quiet", "--short", "HEAD"]))?;
            if here.stdout().trim() != version {
                let track = ["checkout", "--track", "-b", version, &upstream];
                let plain = ["checkout", "--force", version, "--"];
                let words = if local.is_some() { plain.as_slice() } else { track.as_slice() };
                self.check_out(words, version, moves, sys)?;
            }
            let now = self.commit("HEAD", sys)?;
            if now != wanted {
                self.check_out(&["reset", "--hard", &upstream, "--"], &upstream, true, sys)?;
            }
        } else {
            let wanted = self.commit(version, sys)?;
            let moves = wanted.is_none() || wanted.as_deref() != before;
            if moves {
                self.check_out(&["checkout", "--force", version], version, true, sys)?;
            }
        }
        Ok(())
    }

    fn check_out(&self, words: &[&str], version: &str, moves: bool, sys: &mut System<'_>) -> Result<()> {
        let command = self.command(words.iter().copied());
        let line = command.line();
        let output = if moves { sys.attempt(command)? } else { sys.housekeep(command)? };
        match output {
            Some(output) if !output.ok() => {
                Err(self.git.failed(Some(format!("Failed to checkout {version}")), Some(&line), &output))
            }
            _ => Ok(()),
        }
    }

    fn verify(&self, remote: &Remote, version: &str, upstream: &str, sys: &mut System<'_>) -> Result<()> {
        if !self.args.verify_commit {
            return Ok(());
        }
        let tracked = format!("refs/remotes/{upstream}");
        let (what, subject) = if remote.is_branch(version) {
            ("verify-commit", tracked.as_str())
        } else if remote.is_tag(version) {
            ("verify-tag", version)
        } else {
            ("verify-commit", version)
        };
        let command = self.command([what, "--raw", subject]);
        let output = sys.query(command)?;
        if !output.ok() {
            let msg = format!("Failed to verify GPG signature of commit/tag \"{version}\"");
            return Err(self.git.failed(Some(msg), None, &output));
        }
        let allowed = &self.args.gpg_allowlist;
        let said = output.stderr();
        let signers = said.lines().filter_map(|line| line.strip_prefix("[GNUPG:] VALIDSIG "));
        let mut keys =
            signers.flat_map(|line| [line.split(' ').next(), line.split(' ').next_back()]).flatten();
        if allowed.is_empty() || keys.any(|key| allowed.iter().any(|known| known.eq_ignore_ascii_case(key))) {
            return Ok(());
        }
        let msg = format!("The gpg_allowlist does not include the public key of \"{version}\"");
        Err(self.git.failed(Some(msg), None, &output))
    }

    /// Ensures the submodules' commits. Says whether one was another.
    pub fn submodules(&self, sys: &mut System<'_>) -> Result<bool> {
        let args = self.args;
        if !args.recursive || args.bare || !sys.exists(&args.dest.join(".gitmodules"))? {
            return Ok(false);
        }
        let sync = self.command(["submodule", "sync"]);
        let line = sync.line();
        match sys.housekeep(sync)? {
            Some(output) if !output.ok() => return Err(self.git.failed(None, Some(&line), &output)),
            _ => {}
        }
        let status = |sys: &mut System<'_>| -> Result<String> {
            let output = self.git.heard(self.command(["submodule", "status", "--recursive"]), sys)?;
            Ok(output.stdout().into_owned())
        };
        let before = status(sys)?;
        let behind = before.lines().any(|line| line.starts_with(['+', '-']));
        if !behind && (!args.track_submodules || sys.is_check()) {
            return Ok(false);
        }
        let command = self
            .command(["submodule", "update", "--init", "--recursive"])
            .flag("--force", args.force)
            .flag("--remote", args.track_submodules);
        let line = command.line();
        // Git tells of each submodule it checked out.
        let judge = |output: &crate::kit::Output| output.ok() && !output.stdout.is_empty();
        let since = sys.changes().len();
        match sys.attempt_judging(command, judge)? {
            Some(output) if !output.ok() => {
                let msg = format!("Failed to init/update submodules: {}", output.stderr().trim());
                Err(self.git.failed(Some(self.git.censored(&msg)), Some(&line), &output))
            }
            _ => Ok(sys.changes().len() > since),
        }
    }
}
