//! Jobs: module calls that outlive the link. Their state is in files that Ansible's `async_status` reads, too.

use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::kit::digest;
use crate::kit::host::{Host, Placement};
use crate::kit::outcome::{Failure, Result, result_map};
use crate::kit::overlay::Overlay;
use crate::kit::serve;
use crate::kit::system::{Channel, System, Wishes};
use crate::kit::wire::{Background, Request};

/// How long a module has to end what it started when its time is over.
const GRACE: Duration = Duration::from_secs(2);

/// A call on its own: what a detached worker reads from its standard input.
#[derive(Serialize, Deserialize)]
pub struct Job {
    /// Where its state is told.
    file: PathBuf,
    /// How long it may take.
    seconds: u64,
    request: Request,
}

/// Starts the request as a job and tells its name. Where the machine has no processes of its own the job is done at
/// once.
pub fn start(host: &dyn Host, request: Request, how: &Background) -> Map<String, Json> {
    result_map(launch(host, request, how))
}

fn launch(host: &dyn Host, mut request: Request, how: &Background) -> Result<Json> {
    let id = name(host);
    let dir = directory(host, &how.dir)?;
    let file = dir.join(&id);
    // The worker kills what the module started; the job itself is over a little later.
    request.timeout = Some(how.seconds);
    let begun = json!({"started": true, "finished": false, "ansible_job_id": id});
    tell(host, &file, &begun)?;
    let results_file = file.to_string_lossy().into_owned();
    let job = Job { file, seconds: how.seconds, request };
    let detached = serde_json::to_vec(&job)
        .map_err(|error| Failure::new(error.to_string()))
        .and_then(|input| Ok(host.detach(&input)?));
    match detached {
        Ok(true) => {}
        Ok(false) => {
            let result = job.call(host);
            tell(host, &job.file, &Json::Object(result))?;
        }
        Err(failure) => {
            // Nobody will ever finish it.
            let _ = host.remove(&job.file);
            return Err(failure.context("cannot start a job"));
        }
    }
    Ok(json!({"ansible_job_id": id, "started": true, "finished": false, "results_file": results_file,
              "changed": true}))
}

/// The directory of job files, made when it is not there, for its user alone.
fn directory(host: &dyn Host, text: &str) -> Result<PathBuf> {
    let mut nobody = Nobody;
    let mut system = System::new(host, &mut nobody, Wishes::default());
    let dir = PathBuf::from(system.expand(text)?);
    system.make_dirs(&dir, Some(0o700))?;
    Ok(dir)
}

/// A name as Ansible gives them: `j` and twelve digits, a dot, the process that started it.
fn name(host: &dyn Host) -> String {
    let random = digest::sha1_hex(host.unique().as_bytes());
    let digits: String = random.bytes().map(|byte| char::from(b'0' + byte % 10)).take(12).collect();
    format!("j{digits}.{}", std::process::id())
}

/// Writes a job's state, whole or not at all, for its user alone.
fn tell(host: &dyn Host, file: &Path, state: &Json) -> Result<()> {
    let how = Placement { mode: Some(0o600), ..Placement::default() };
    host.place(file, &mut state.to_string().as_bytes(), &how)?;
    Ok(())
}

impl Job {
    /// Runs the module.
    fn call(&self, host: &dyn Host) -> Map<String, Json> {
        serve::answer(host, &Overlay::over(host), self.request.clone(), &mut Nobody).result
    }

    /// Does the job in a process of its own, and ends when its time is over whatever the module does.
    pub fn work(self, host: Arc<dyn Host>) -> Result<()> {
        let (done, result) = mpsc::channel();
        let job = Arc::new(self);
        std::thread::spawn({
            let (job, host) = (Arc::clone(&job), Arc::clone(&host));
            move || done.send(job.call(&*host))
        });
        let result = match result.recv_timeout(Duration::from_secs(job.seconds)) {
            Ok(result) if !result.contains_key("timedout") => result,
            Err(mpsc::RecvTimeoutError::Disconnected) => result_map(Err(Failure::new(
                "the module ended by an error in fanfare itself; please report it",
            ))),
            late => {
                if late.is_err() {
                    // What it has to say no longer matters, but it may be killing what it started.
                    let _ = result.recv_timeout(GRACE);
                }
                let failure = Failure::new("Timeout exceeded").with("child_pid", std::process::id());
                result_map(Err(failure))
            }
        };
        tell(&*host, &job.file, &Json::Object(result))
    }
}

/// The control node of a job, or of a call by the control node itself: there is none to ask.
pub struct Nobody;

fn gone<T>() -> io::Result<T> {
    Err(io::Error::other("a job in the background has no link to the control node"))
}

impl Channel for Nobody {
    fn need(&mut self, _key: &str) -> io::Result<()> {
        gone()
    }

    fn receive(&mut self, _key: &str) -> io::Result<(Cursor<Vec<u8>>, bool)> {
        gone()
    }

    fn send(&mut self, _key: &str, _piece: &[u8], _last: bool) -> io::Result<()> {
        gone()
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
