pub(crate) mod login;
mod remote;
mod repository;
#[cfg(test)]
mod tests;
mod tree;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use self::login::Login;
use self::remote::Remote;
use self::repository::Move;
use self::tree::Tree;
use crate::command::yes;
use crate::kit::{Command, Failure, FilePath, Mode, Output, Result, System, WriteOptions};

/// Keeps a checkout of a git repository.
///
/// The target's `git` does the work. A password in the URL reaches it through the environment alone, and is not kept
/// in the checkout's configuration.
///
/// # Examples
///
/// ```yaml
/// - name: A release
///   git:
///     repo: https://foosball.example.org/path/to/repo.git
///     dest: /srv/checkout
///     version: release-0.22
///
/// - name: A branch over ssh, with a key of its own
///   git:
///     repo: git@github.com:mylogin/hello.git
///     dest: /home/mylogin/hello
///     version: main
///     key_file: /home/mylogin/.ssh/deploy
///     accept_newhostkey: yes
///
/// - name: Only the last commit
///   git: {repo: 'https://github.com/ansible/ansible-examples.git', dest: /srv/checkout, depth: 1}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["separate_git_dir", "bare"], ["accept_hostkey", "accept_newhostkey"]],
    "required_by" = {"archive_prefix": ["archive"]}))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// The repository: a URL, `user@host:path`, or a path on the target.
    #[schemars(extend("aliases" = ["name"]))]
    pub repo: String,
    /// Where the checkout is. Only without `clone` there need not be one: then the repository is asked for its version.
    #[serde(default)]
    #[schemars(extend("default" = null))]
    pub dest: FilePath,
    /// What to check out: a branch, a tag, a commit, or `HEAD` for the branch the server names.
    #[serde(default = "head")]
    pub version: String,
    /// What the remote is called in the checkout.
    #[serde(default = "origin")]
    pub remote: String,
    /// Throws away what was modified in the checkout. Else that is an error.
    #[serde(default)]
    pub force: bool,
    /// Fetches only that many commits.
    pub depth: Option<u32>,
    /// Whether a checkout that is missing is made.
    #[serde(default = "yes")]
    pub clone: bool,
    /// Whether a checkout that is there is brought up to date.
    #[serde(default = "yes")]
    pub update: bool,
    /// Makes a repository without files.
    #[serde(default)]
    pub bare: bool,
    /// Whether submodules are checked out too.
    #[serde(default = "yes")]
    pub recursive: bool,
    /// Takes the newest commit of each submodule's branch instead of the recorded one.
    #[serde(default)]
    pub track_submodules: bool,
    /// Clones only the history of one branch.
    #[serde(default)]
    pub single_branch: bool,
    /// More to fetch: a refspec.
    pub refspec: Option<String>,
    /// A repository on the target to borrow objects from when cloning.
    pub reference: Option<String>,
    /// Puts the repository itself there, apart from the files.
    pub separate_git_dir: Option<FilePath>,
    /// Checks the signature of the commit or tag.
    #[serde(default)]
    pub verify_commit: bool,
    /// Fingerprints of the keys that may have signed.
    #[serde(default)]
    #[schemars(extend("aliases" = ["gpg_whitelist"]))]
    pub gpg_allowlist: Vec<String>,
    /// The private key to log in with by ssh.
    pub key_file: Option<FilePath>,
    /// More options for ssh.
    pub ssh_opts: Option<String>,
    /// Accepts any host key.
    #[serde(default)]
    pub accept_hostkey: bool,
    /// Accepts the key of a host that is not known yet.
    #[serde(default)]
    pub accept_newhostkey: bool,
    /// The `git` to use.
    pub executable: Option<FilePath>,
    /// Also packs the version into this file: `.zip`, `.tar`, `.tar.gz` or `.tgz`.
    pub archive: Option<FilePath>,
    /// A prefix for every path in the archive.
    pub archive_prefix: Option<String>,
    /// The umask for the checkout, as octal text.
    pub umask: Option<Mode>,
}

fn head() -> String {
    "HEAD".to_owned()
}

fn origin() -> String {
    "origin".to_owned()
}

#[derive(Debug, Default, Serialize)]
pub struct Returns {
    before: Option<String>,
    after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_url_changed: Option<bool>,
    /// Only where they were.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    submodules_changed: bool,
    /// Only where the repository was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    git_dir_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_dir_now: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let has_dest = !args.dest.0.as_os_str().is_empty();
    if !has_dest && args.clone {
        return Err(Failure::new("the destination directory must be specified unless clone=no"));
    }
    let git = Git::of(&args, sys)?;
    let tree = Tree { git: &git, args: &args };
    if !has_dest {
        return newest(&tree, sys);
    }
    let moving = Move::needed(&args, sys)?;
    let mut returns = if tree.is_there(sys)? { update(&tree, sys)? } else { clone(&tree, sys)? };
    if args.archive.is_some() && !(sys.is_check() && returns.before.is_none()) {
        archive(&tree, returns.after.as_deref(), sys)?;
    }
    if let Some(moving) = moving {
        moving.go(&args, sys)?;
        returns.git_dir_before = Some(moving.from.display().to_string());
        returns.git_dir_now = Some(moving.to.display().to_string());
    }
    returns.msg = returns.msg.filter(|msg| !msg.is_empty());
    Ok(returns)
}

fn clone(tree: &Tree<'_>, sys: &mut System<'_>) -> Result<Returns> {
    let args = tree.args;
    if matches!(sys.stat_followed(&args.dest)?, Some(meta) if meta.is_dir())
        && !sys.list(&args.dest)?.is_empty()
    {
        // In git's words, before anything is fetched, and in check mode too.
        let dest = args.dest.text();
        let msg = format!("fatal: destination path '{dest}' already exists and is not an empty directory.");
        return Err(Failure::new(msg).with("rc", 128));
    }
    if !args.clone {
        return newest(tree, sys);
    }
    let remote = Remote::ask(tree.git, sys)?;
    tree.clone(&remote, sys)?;
    let mut submodules_changed = false;
    let after = if sys.is_check() {
        remote.commit(&args.version)
    } else {
        let now = tree.commit("HEAD", sys)?;
        if !args.bare {
            tree.switch(&remote, now.as_deref(), sys)?;
            submodules_changed = tree.submodules(sys)?;
        }
        tree.commit("HEAD", sys)?
    };
    if let Some(after) = &after {
        sys.tell_change(format!(">> Newly checked out {after}"));
    }
    Ok(Returns { after, submodules_changed, ..Returns::default() })
}

/// As in Ansible this tells that there is no checkout as it should be, and leaves it at that.
fn newest(tree: &Tree<'_>, sys: &mut System<'_>) -> Result<Returns> {
    let after = Remote::ask(tree.git, sys)?.commit(&tree.args.version);
    sys.tell_states("", Json::Null, after.clone());
    Ok(Returns { after, ..Returns::default() })
}

fn update(tree: &Tree<'_>, sys: &mut System<'_>) -> Result<Returns> {
    let args = tree.args;
    let before = tree.commit("HEAD", sys)?;
    let mut returns = Returns { before: before.clone(), after: before.clone(), ..Returns::default() };
    if !args.update {
        return Ok(returns);
    }
    let modified = !args.bare && tree.is_modified(sys)?;
    if modified {
        let msg = format!("Local modifications exist in the destination: {}", args.dest.text());
        if !args.force {
            return Err(Failure::new(format!("{msg} (force=no).")).with("before", &before));
        }
        sys.exec(tree.command(["reset", "--hard", "HEAD"]))?;
        returns.msg = Some(msg);
    }
    returns.remote_url_changed = Some(tree.set_url(sys)?);
    let remote = Remote::ask(tree.git, sys).map_err(|failure| {
        failure.context("Failed to download remote objects and refs").with("before", &before)
    })?;
    let wanted = remote.commit(&args.version);
    if wanted.is_some() && wanted == before {
        returns.submodules_changed = tree.submodules(sys)?;
        return Ok(returns);
    }
    if sys.is_check() {
        let known = tree.commit(&args.version, sys)?;
        returns.after = match wanted.or(known) {
            Some(after) => Some(after),
            None => return Err(Failure::new(format!("Failed to checkout {}", args.version))),
        };
        if returns.after != before {
            sys.exec(tree.command(["checkout", "--force", args.version.as_str()]))?;
        }
    } else {
        tree.fetch(&remote, sys)?;
        if !args.bare {
            tree.switch(&remote, before.as_deref(), sys)?;
            returns.submodules_changed = tree.submodules(sys)?;
        }
        returns.after = tree.commit("HEAD", sys)?;
    }
    if let (Some(before), Some(after)) = (&before, &returns.after)
        && before != after
    {
        let diff = sys.query(tree.command(["diff", before.as_str(), after.as_str()]))?;
        if diff.ok() {
            sys.tell_change(diff.stdout().into_owned());
        }
    }
    Ok(returns)
}

/// Packs the version, when the archive is not so already.
fn archive(tree: &Tree<'_>, version: Option<&str>, sys: &mut System<'_>) -> Result<()> {
    let Some(archive) = &tree.args.archive else { return Ok(()) };
    let name = archive.text();
    let formats =
        [(".zip", "zip"), (".tar.gz", "tar.gz"), (".tgz", "tar.gz"), (".gz", "tar.gz"), (".tar", "tar")];
    let Some((_, format)) = formats.iter().find(|(ending, _)| name.ends_with(ending)) else {
        let details = "Please specify archive as filename with extension. File extension can be one of \
                       ['tar', 'tar.gz', 'zip', 'tgz']";
        let msg = format!("Unable to get file extension from archive file name : {name}");
        return Err(Failure::new(msg).with("details", details));
    };
    let mut command = tree.command(["archive"]).arg(format!("--format={format}"));
    if let Some(prefix) = &tree.args.archive_prefix {
        command = command.arg(format!("--prefix={prefix}"));
    }
    let output = tree.git.heard(command.arg(version.unwrap_or("HEAD")), sys)?;
    let options = WriteOptions { hidden: true, ..WriteOptions::default() };
    sys.write_with(archive, output.stdout, &options).map(drop)
}

/// How git is called: the program, and the environment that holds what no list of processes may show.
pub(crate) struct Git {
    program: String,
    umask: Option<u32>,
    env: Vec<(String, String)>,
    /// The repository without a password.
    pub url: String,
    password: Option<String>,
}

impl Git {
    fn of(args: &Args, sys: &mut System<'_>) -> Result<Self> {
        let program = match &args.executable {
            Some(path) => {
                let program = path.text().into_owned();
                // One that cannot be started is told before anything else.
                sys.query(Command::new(program.as_str()).arg("--version"))?;
                program
            }
            None => sys.need("git")?.to_string_lossy().into_owned(),
        };
        let umask = match &args.umask {
            None => None,
            Some(Mode::Bits(bits)) => Some(*bits),
            Some(_) => return Err(Failure::new("umask must be an octal integer")),
        };
        if args.repo.starts_with('-') {
            return Err(Failure::new(format!("repo: git would take {} for an option", args.repo)));
        }
        let repo = if args.repo.starts_with('~') { sys.expand(&args.repo)? } else { args.repo.clone() };
        let repo = if repo.starts_with('/') { format!("file://{repo}") } else { repo };
        let (url, login) = Login::split(&repo);
        let mut env = vec![("LC_ALL".to_owned(), "C".to_owned())];
        if sys.env("GIT_TERMINAL_PROMPT").is_none() {
            env.push(("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()));
        }
        env.extend(Login::environment(login.as_slice(), sys));
        env.push(("GIT_SSH_COMMAND".to_owned(), ssh(args, sys)));
        Ok(Self { program, umask, env, url, password: login.map(|login| login.password) })
    }

    pub fn command<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(self.program.as_str()).args(words).umask(self.umask);
        command.env.clone_from(&self.env);
        command
    }

    /// What a command that only looks says. One that fails is an error.
    pub fn heard(&self, command: Command, sys: &mut System<'_>) -> Result<Output> {
        let line = command.line();
        let output = sys.query(command)?;
        if output.ok() { Ok(output) } else { Err(self.failed(None, Some(&line), &output)) }
    }

    pub fn failed(&self, msg: Option<String>, line: Option<&str>, output: &Output) -> Failure {
        let (stdout, stderr) = (self.censored(&output.stdout()), self.censored(&output.stderr()));
        let said = if stderr.trim().is_empty() { stdout.trim() } else { stderr.trim() };
        let failure = Failure::new(msg.unwrap_or_else(|| said.to_owned()))
            .with("rc", output.code)
            .with("stdout", &stdout)
            .with("stderr", &stderr);
        match line {
            Some(line) => failure.with("cmd", line),
            None => failure,
        }
    }

    /// A remote's URL as it may show, comparable with `url`.
    pub fn censored(&self, text: &str) -> String {
        match self.password.as_deref().filter(|password| !password.is_empty()) {
            Some(password) => text.replace(password, "********"),
            None => text.to_owned(),
        }
    }
}

/// The `ssh` to use: it asks nothing, since nobody would answer. Of options that contradict each other ssh takes the
/// first, so the user's own stand before.
fn ssh(args: &Args, sys: &System<'_>) -> String {
    let given = sys.env("GIT_SSH_COMMAND");
    let given = given.or_else(|| sys.env("GIT_SSH").map(|program| crate::kit::quote(&program)));
    let mut words = vec![given.unwrap_or_else(|| "ssh".to_owned())];
    words.extend(sys.env("GIT_SSH_OPTS"));
    words.extend(args.ssh_opts.clone());
    if args.accept_hostkey {
        words.push("-o StrictHostKeyChecking=no".to_owned());
    } else if args.accept_newhostkey {
        words.push("-o StrictHostKeyChecking=accept-new".to_owned());
    }
    words.push("-o BatchMode=yes".to_owned());
    if let Some(key) = &args.key_file {
        words.push(format!("-i {} -o IdentitiesOnly=yes", crate::kit::quote(&key.text())));
    }
    words.join(" ")
}
