//! Links to real sshd hosts.

mod failures;
mod hops;
mod login;
mod openssh;
mod passwords;
mod programs;
mod workers;

use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};

use fanfare::target::{Blobs, CallError, Destination, Links, NoteTaker, SshOptions, Surroundings, Transport};
use fanfare_modules::kit::wire::Request;
use tempfile::TempDir;

use crate::support::hosts::{Host, Hosts};

/// Offers nothing and takes nothing.
struct NoBlobs;

impl Blobs for NoBlobs {
    fn open(&self, _key: &str) -> Option<std::io::Result<Box<dyn Read + Send>>> {
        None
    }

    fn receive(&self, _key: &str, _piece: &[u8], _last: bool) -> std::io::Result<()> {
        Err(std::io::Error::other("nothing was asked for"))
    }
}

/// A control node of its own: an empty home, no agent, no configuration.
struct Control {
    home: TempDir,
    surroundings: Surroundings,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Control {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let surroundings = Surroundings {
            home: home.path().to_owned(),
            agent: None,
            user_config: Some(home.path().join(".ssh/config")),
            system_config: None,
            global_known_hosts: Vec::new(),
            ..Surroundings::real()
        };
        std::fs::create_dir(home.path().join(".ssh")).unwrap();
        Self { home, surroundings, notes: Arc::default() }
    }

    fn ssh_file(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.home.path().join(".ssh").join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn links(&self) -> Links {
        let notes = Arc::clone(&self.notes);
        let taker: NoteTaker = Arc::new(move |_, text| notes.lock().unwrap().push(text.to_owned()));
        Links::with(self.surroundings.clone(), None, Some(taker))
    }

    fn noted(&self) -> String {
        self.notes.lock().unwrap().join("\n")
    }
}

/// All that a connection to one of these hosts needs.
fn options(hosts: &Hosts, host: &Host) -> SshOptions {
    SshOptions {
        host: host.address.clone(),
        port: Some(host.port),
        user: Some(hosts.user.clone()),
        private_key: Some(hosts.dir.join("id")),
        args: vec![format!("-o UserKnownHostsFile={}", hosts.dir.join("known_hosts").display())],
        ..SshOptions::default()
    }
}

fn to(host: &Host, options: SshOptions) -> Destination {
    Destination {
        name: host.name.as_str().into(),
        transport: Transport::Ssh(options),
        hop: None,
        remote_tmp: None,
        traceless: false,
    }
}

/// Pings and gives what came back, or the error.
async fn ping(links: &Links, to: &Destination) -> Result<String, CallError> {
    let mut request = Request { module: "ping".to_owned(), ..Request::default() };
    request.args.insert("data".to_owned(), "pong?".into());
    let replies = links.call(to, vec![request], Arc::new(NoBlobs)).await?;
    Ok(replies[0].result["ping"].as_str().unwrap().to_owned())
}

/// The error of a ping that must not come through; the host must be UNREACHABLE.
async fn unreachable(links: &Links, to: &Destination) -> String {
    match ping(links, to).await {
        Err(CallError::Unreachable(reason)) => reason,
        other => panic!("{other:?} is not unreachable"),
    }
}

/// The error of a ping that fails although the host is there.
async fn failed(links: &Links, to: &Destination) -> String {
    match ping(links, to).await {
        Err(
            CallError::Failed(reason)
            | CallError::Refused { reason, .. }
            | CallError::NoPassword { reason, .. },
        ) => reason,
        other => panic!("{other:?} has not failed"),
    }
}

/// What a command prints there.
async fn raw(links: &Links, to: &Destination, command: &str) -> String {
    let output = links.raw(to, command, None).await.unwrap();
    assert_eq!(output.rc, 0, "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A new key pair at `path`.
fn keygen(path: &Path, args: &[&str]) {
    let status = std::process::Command::new("ssh-keygen").args(["-q", "-f"]).arg(path).args(args).status();
    assert!(status.unwrap().success());
}
