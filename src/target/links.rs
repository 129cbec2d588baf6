//! The links of a run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_modules::kit::wire::{Reply, Request};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};
use tokio::task::JoinSet;

use super::bootstrap;
use super::budget::Budget;
use super::lanes::{Job, Lanes};
use super::limits;
use super::local::Local;
use super::notes::{NoteTaker, Notes};
use super::pipe::ByteStream;
use super::ssh::Connections;
use super::surroundings::Surroundings;
use super::traffic::{Counts, Traffic};
use super::worker::Worker;
use super::{Blobs, CallError, Destination, RawOutput, Replies, Transport, raw};

/// A worker on this machine takes the place of so many connections: it is a process, with three pipes to it.
const PROCESS: usize = 16;
/// How many hosts may be worked at by processes of this machine at once where nobody chose `--forks`; more on a large one.
const HERE: usize = 64;

/// Gives the stream of a worker that lives in memory, for destinations that are not to be connected to.
pub type Lab = Arc<dyn Fn(&Destination) -> Option<Box<dyn ByteStream>> + Send + Sync>;

/// The links of a run: the workers of each destination, connected at first use and kept.
pub struct Links {
    links: Mutex<HashMap<Destination, Lanes>>,
    shared: Arc<Shared>,
}

/// What all links share.
pub(super) struct Shared {
    connections: Connections,
    lab: Option<Lab>,
    notes: Option<NoteTaker>,
    pub traffic: Arc<Traffic>,
    pub budget: Arc<Budget>,
    /// How many workers on this machine may be at work at once.
    here: Semaphore,
    /// Workers that are being let go.
    farewells: Mutex<JoinSet<()>>,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links")
    }
}

impl Default for Links {
    fn default() -> Self {
        Self::new()
    }
}

impl Links {
    pub fn new() -> Self {
        Self::with(Surroundings::real(), None, None)
    }

    /// With surroundings other than this process's, workers in memory, and somebody who wants to know what is
    /// remarkable about connections (`-v`).
    pub fn with(surroundings: Surroundings, lab: Option<Lab>, notes: Option<NoteTaker>) -> Self {
        limits::raise();
        let traffic = Arc::new(Traffic::default());
        let budget = Arc::new(Budget::new(limits::places()));
        let connections = Connections::new(surroundings, Arc::clone(&traffic), Arc::clone(&budget));
        let here = Semaphore::new(HERE.max(4 * std::thread::available_parallelism().map_or(1, usize::from)));
        let shared = Shared { connections, lab, notes, traffic, budget, here, farewells: Mutex::default() };
        Self { links: Mutex::default(), shared: Arc::new(shared) }
    }

    /// Lets at least so many hosts be worked at by processes of this machine at once.
    pub fn allow_here(&self, forks: usize) {
        let here = &self.shared.here;
        here.add_permits(forks.saturating_sub(here.available_permits()));
    }

    /// For tests: no connections but those the lab gives.
    pub fn with_lab(lab: Lab) -> Self {
        Self::with(Surroundings::real(), Some(lab), None)
    }

    /// Runs requests on a worker there, sent together and answered in order: one round trip for all. Callers of one
    /// destination take turns where it matters ([`Lanes`]). Dropping the future kills what runs there.
    pub async fn call(
        &self,
        to: &Destination,
        requests: Vec<Request>,
        blobs: Arc<dyn Blobs>,
    ) -> Result<Vec<Reply>, CallError> {
        let (done, outcome) = oneshot::channel();
        self.send(to, Job { requests, blobs, each: None, done });
        outcome.await.unwrap_or_else(|_| {
            let message =
                format!("the link to {} broke by an error in fanfare itself; please report it", to.name);
            Err(CallError::Unreachable(message))
        })
    }

    /// The same, with each reply as it comes. A request that is `chained` does not run when one before it failed.
    pub fn stream(&self, to: &Destination, requests: Vec<Request>, blobs: Arc<dyn Blobs>) -> Replies {
        let (done, end) = oneshot::channel();
        let (each, came) = mpsc::unbounded_channel();
        self.send(to, Job { requests, blobs, each: Some(each), done });
        Replies { each: came, end }
    }

    /// Makes the connection there, where there is one to be made; starts nothing on it.
    pub async fn reach(&self, to: &Destination) -> Result<(), CallError> {
        match &to.transport {
            Transport::Ssh(options) if self.shared.lab.as_ref().is_none_or(|lab| lab(to).is_none()) => {
                self.shared.connections.get(options, &self.shared.notes(to)).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Runs a command by the login shell there, without the worker: for hosts that have nothing yet. `executable`
    /// is the shell to run it by.
    pub async fn raw(
        &self,
        to: &Destination,
        command: &str,
        executable: Option<&str>,
    ) -> Result<RawOutput, CallError> {
        let task = raw::Command { text: command, executable, hop: to.hop.as_ref() };
        match &to.transport {
            _ if self.shared.lab.as_ref().is_some_and(|lab| lab(to).is_some()) => {
                Err(CallError::Failed(format!("{} lives in memory and has no shell", to.name)))
            }
            Transport::Local => raw::run(&Local, task).await,
            Transport::Ssh(options) => {
                raw::run(&self.shared.connections.sessions(options, &self.shared.notes(to)), task).await
            }
            Transport::Program(program) => raw::run(program, task).await,
        }
    }

    /// Ends the workers and the connection of a destination, hops included (`meta: reset_connection`): the next
    /// call logs in anew.
    pub async fn reset(&self, to: &Destination) {
        let links: Vec<_> = {
            let mut links = lock(&self.links);
            links.extract_if(|other, _| other.transport == to.transport && other.name == to.name).collect()
        };
        for (_, link) in links {
            link.end().await;
        }
        if let Transport::Ssh(options) = &to.transport {
            self.shared.connections.forget(options).await;
        }
    }

    /// Ends all workers and connections, and waits briefly for them to go.
    pub async fn close(&self) {
        let links: Vec<_> = lock(&self.links).drain().map(|(_, link)| link.end()).collect();
        futures::future::join_all(links).await;
        let farewells = std::mem::take(&mut *lock(&self.shared.farewells));
        farewells.join_all().await;
        self.shared.connections.close().await;
    }

    /// What went over the wire so far.
    pub fn counts(&self) -> Counts {
        self.shared.traffic.counts()
    }

    fn send(&self, to: &Destination, job: Job) {
        let mut links = lock(&self.links);
        let job = match links.get(to) {
            Some(lanes) => match lanes.send(job) {
                Ok(()) => return,
                // Nobody minds them any more; others take over.
                Err(job) => job,
            },
            None => job,
        };
        let lanes = Lanes::new(to, &self.shared);
        // Whoever was just started is there.
        let _ = lanes.send(job);
        links.insert(to.clone(), lanes);
    }
}

impl Shared {
    /// Lets a worker go in the background; the run's end waits for it.
    pub(super) fn farewell(&self, close: impl Future<Output = ()> + Send + 'static) {
        let mut farewells = lock(&self.farewells);
        while farewells.try_join_next().is_some() {}
        farewells.spawn(close);
    }

    fn notes(&self, to: &Destination) -> Notes {
        Notes { host: Arc::clone(&to.name), taker: self.notes.clone() }
    }

    /// A worker there that has just been started.
    pub(super) async fn start(&self, to: &Destination) -> Result<Worker, CallError> {
        let start = bootstrap::Start {
            hop: to.hop.as_ref(),
            remote_tmp: to.remote_tmp.as_deref(),
            traceless: to.traceless,
            prebuilt: self.connections.prebuilt(),
        };
        let mut place = None;
        let started = match (self.lab.as_ref().and_then(|lab| lab(to)), &to.transport) {
            (Some(stream), _) => bootstrap::greet(super::pipe::Pipe::stream(stream)).await?,
            (None, Transport::Local) => {
                place = self.budget.take(PROCESS).await;
                bootstrap::start(&Local, start).await?
            }
            (None, Transport::Ssh(options)) => {
                bootstrap::start(&self.connections.sessions(options, &self.notes(to)), start).await?
            }
            (None, Transport::Program(program)) => {
                place = self.budget.take(PROCESS).await;
                bootstrap::start(program, start).await?
            }
        };
        if started.uploaded {
            self.traffic.upload();
        }
        Ok(Worker::new(started, place))
    }

    /// Lets a worker go that has nothing to do, and its connection when nobody else is on it.
    pub(super) async fn let_go(&self, to: &Destination, worker: Worker, patience: Duration) {
        worker.close(patience).await;
        if let Transport::Ssh(options) = &to.transport {
            self.connections.let_go(options).await;
        }
    }

    /// Waits for a turn to work on this machine; elsewhere there is nothing to wait for.
    pub(super) async fn turn(&self, to: &Destination) -> Option<SemaphorePermit<'_>> {
        match to.transport {
            Transport::Ssh(_) => None,
            Transport::Local | Transport::Program(_) => self.here.acquire().await.ok(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
