//! Passwords for the system's `ssh`, which takes them from a program it starts (`SSH_ASKPASS`): that is fanfare again, under
//! another name, and it asks this process for them. So they stand in no file, no environment and no list of processes.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream as Connection;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::Command;
use tokio::time::timeout;

use super::Secret;

/// What fanfare is called by when ssh has a question.
const NAME: &str = "fanfare-askpass";

const SOCKET: &str = "socket";

/// Questions are short.
const LONGEST: u64 = 4096;

/// How long an ssh may take to ask; those that need no answer never do.
const PATIENCE: Duration = Duration::from_mins(5);

/// What an ssh may be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Answers {
    pub password: Option<Secret>,
    /// That of the key.
    pub passphrase: Option<Secret>,
}

impl Answers {
    pub fn is_empty(&self) -> bool {
        self.password.is_none() && self.passphrase.is_none()
    }

    /// Takes the answer to what ssh asks. It may ask whether a host's key is the right one, and for the PIN of a device, too:
    /// those have none here.
    fn take(&mut self, question: &str) -> Option<Secret> {
        let question = question.to_lowercase();
        if question.contains("passphrase") {
            self.passphrase.take()
        } else if ["yes/no", "fingerprint", " pin "].iter().any(|part| question.contains(part)) {
            None
        } else {
            self.password.take()
        }
    }
}

/// Where an ssh that is about to start can ask.
pub(super) struct Desk {
    dir: TempDir,
    listener: UnixListener,
}

impl Desk {
    /// Opens one, and tells the command of it.
    pub(super) fn open(command: &mut Command) -> io::Result<Self> {
        // For its owner alone.
        let dir = tempfile::Builder::new().prefix("fanfare-").tempdir()?;
        let listener = UnixListener::bind(dir.path().join(SOCKET))?;
        let program = dir.path().join(NAME);
        symlink(std::env::current_exe()?, &program)?;
        command.env("SSH_ASKPASS", program).env("SSH_ASKPASS_REQUIRE", "force");
        Ok(Self { dir, listener })
    }

    /// Answers the ssh with that process number, each question once: who asks again was given the wrong answer. An ssh that
    /// this one starts for a jump is another, and gets none.
    pub(super) fn attend(self, ssh: u32, mut answers: Answers) {
        tokio::spawn(timeout(PATIENCE, async move {
            while !answers.is_empty() {
                let Ok((connection, _)) = self.listener.accept().await else { break };
                if connection.peer_cred().is_ok_and(|peer| peer.pid().and_then(parent_of) == Some(ssh)) {
                    // An asker that went away has no use for an answer.
                    let _ = answer(connection, &mut answers).await;
                }
            }
            drop(self.dir);
        }));
    }
}

async fn answer(mut connection: UnixStream, answers: &mut Answers) -> io::Result<()> {
    let mut question = String::new();
    (&mut connection).take(LONGEST).read_to_string(&mut question).await?;
    if let Some(secret) = answers.take(&question) {
        connection.write_all(secret.expose().as_bytes()).await?;
    }
    connection.shutdown().await
}

/// The fourth field of `/proc/PID/stat`; the second may have blanks and brackets.
fn parent_of(process: i32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Where it is ssh that started this process with a question: asks the fanfare that started the ssh.
pub fn asked_by_ssh() -> Option<ExitCode> {
    let mut words = std::env::args_os();
    let program = words.next()?;
    if Path::new(&program).file_name()? != NAME {
        return None;
    }
    let question = words.next().unwrap_or_default();
    let pass_on = || -> io::Result<bool> {
        let mut connection = Connection::connect(Path::new(&program).with_file_name(SOCKET))?;
        connection.write_all(question.as_encoded_bytes())?;
        connection.shutdown(Shutdown::Write)?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer)?;
        io::stdout().write_all(&answer)?;
        Ok(!answer.is_empty())
    };
    Some(if pass_on().unwrap_or(false) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_has_its_answer_once() {
        let answers = Answers { password: Some(Secret::new("p")), passphrase: Some(Secret::new("k")) };
        let to = |question| answers.clone().take(question).map(|secret| secret.expose().to_owned());
        assert_eq!(to("bob@there's password: ").as_deref(), Some("p"));
        assert_eq!(to("(bob@there) Verification code: ").as_deref(), Some("p"));
        assert_eq!(to("Enter passphrase for key '/home/bob/.ssh/id_rsa': ").as_deref(), Some("k"));
        assert_eq!(to("Enter PIN for ECDSA-SK key /home/bob/.ssh/id: "), None);
        assert_eq!(to("Are you sure you want to continue connecting (yes/no/[fingerprint])? "), None);
        let mut asked = answers.clone();
        assert!(asked.take("password: ").is_some());
        assert!(asked.take("password: ").is_none() && !asked.is_empty());
    }
}
