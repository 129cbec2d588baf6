//! The control node as connections see it: who runs this, from where, with which agent.
//!
//! Gathered once and handed around, so that tests have surroundings of their own and never meet the
//! developer's real `~/.ssh`.

use std::path::PathBuf;
use std::sync::Arc;

use super::Secret;
use crate::accounts;

/// Asks whoever sits there for a secret; `None` where nobody does, or nobody answers.
pub type Asker = Arc<dyn Fn(&str) -> Option<Secret> + Send + Sync>;

#[derive(Clone)]
pub struct Surroundings {
    pub home: PathBuf,
    /// The local login: the remote one where nothing else is said.
    pub user: String,
    pub uid: u32,
    pub hostname: String,
    /// `SSH_AUTH_SOCK`.
    pub agent: Option<PathBuf>,
    /// `~/.ssh/config`.
    pub user_config: Option<PathBuf>,
    /// `/etc/ssh/ssh_config`.
    pub system_config: Option<PathBuf>,
    /// `/etc/ssh/ssh_known_hosts` and its sequel.
    pub global_known_hosts: Vec<PathBuf>,
    /// Where workers for other systems are than those this program carries: `TRIPLE/fanfare-worker`.
    pub workers: Option<PathBuf>,
    /// For the passphrases of keys.
    pub ask: Option<Asker>,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Surroundings({} at {})", self.user, self.home.display())
    }
}

impl Surroundings {
    /// This process's own.
    pub fn real() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        let account = accounts::user(|user| user.uid == uid);
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let home = variable("HOME").or_else(|| account.as_ref().map(|user| user.home.clone()));
        let user = account.map(|user| user.name).or_else(|| variable("LOGNAME")).or_else(|| variable("USER"));
        let home = PathBuf::from(home.unwrap_or_else(|| "/".to_owned()));
        Self {
            user: user.unwrap_or_else(|| uid.to_string()),
            uid,
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            agent: variable("SSH_AUTH_SOCK").map(PathBuf::from),
            user_config: Some(home.join(".ssh/config")),
            system_config: Some(PathBuf::from("/etc/ssh/ssh_config")),
            global_known_hosts: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
                .map(PathBuf::from)
                .to_vec(),
            workers: None,
            ask: None,
            home,
        }
    }

    /// `~` and `~/x`; other paths stay. `~user` is not looked up.
    pub(super) fn expand_tilde(&self, path: &str) -> PathBuf {
        match path.strip_prefix('~') {
            Some("") => self.home.clone(),
            Some(rest) => match rest.strip_prefix('/') {
                Some(rest) => self.home.join(rest),
                None => PathBuf::from(path),
            },
            None => PathBuf::from(path),
        }
    }

    /// A file in `~/.ssh`.
    pub(super) fn ssh_dir(&self, name: &str) -> PathBuf {
        self.home.join(".ssh").join(name)
    }
}
