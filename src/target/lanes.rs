//! The workers of one destination: one that does everything in turn, and more beside it while several callers want
//! what may well be done at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_modules::kit::wire::{BEAT, Reply, Request};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::budget::Rest;
use super::links::Shared;
use super::worker::Worker;
use super::{Blobs, CallError, Destination, Transport};

/// How long a worker may take to end what it started when the run is over.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a worker beside the first waits for more to do.
const IDLE: Duration = Duration::from_secs(5);

/// What waits, asks others, only looks, or is the user's own: many tasks that are delegated to one host do it at once, as
/// with Ansible. All else takes turns, so that two of them do not edit one file at the same time.
const BESIDE: &[&str] =
    &["async_status", "command", "find", "get_url", "script", "shell", "slurp", "stat", "uri", "wait_for"];

/// Requests of one caller, and where their replies go.
pub(super) struct Job {
    pub requests: Vec<Request>,
    pub blobs: Arc<dyn Blobs>,
    /// Where each reply goes as it comes, instead of all of them at the end.
    pub each: Option<mpsc::UnboundedSender<Reply>>,
    pub done: oneshot::Sender<Result<Vec<Reply>, CallError>>,
}

impl Job {
    /// Whether another worker than the first may do it. What is foretold is known to the first one only.
    fn goes_beside(&self) -> bool {
        self.requests
            .iter()
            .all(|request| BESIDE.contains(&&*request.module) && (request.alone || !request.check))
    }
}

/// A task of its own minds each worker: a caller that gives up does not break it, and a panic in it loses one host.
pub(super) struct Lanes {
    /// For the first worker alone.
    turns: mpsc::UnboundedSender<Job>,
    /// For any.
    any: mpsc::UnboundedSender<Job>,
    first: JoinHandle<()>,
    crew: Arc<Crew>,
}

/// What the workers of a destination share.
struct Crew {
    to: Destination,
    shared: Arc<Shared>,
    any: AsyncMutex<mpsc::UnboundedReceiver<Job>>,
    count: Mutex<Count>,
    others: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Count {
    /// Jobs for any worker that nobody has taken.
    waiting: usize,
    /// Workers that wait for such a job.
    idle: usize,
    /// Workers that are about to.
    starting: usize,
    /// Workers beside the first, and how many there may be.
    beside: usize,
    most: usize,
    /// The first has been started: the others find it in the cache.
    ready: bool,
}

impl Lanes {
    pub(super) fn new(to: &Destination, shared: &Arc<Shared>) -> Self {
        let (turns, own) = mpsc::unbounded_channel();
        let (any, queue) = mpsc::unbounded_channel();
        let most = match to.transport {
            Transport::Local | Transport::Program(_) => 31,
            // sshd lets ten sessions share a connection, and some hosts fewer.
            Transport::Ssh(_) => 3,
        };
        let crew = Arc::new(Crew {
            to: to.clone(),
            shared: Arc::clone(shared),
            any: AsyncMutex::new(queue),
            count: Mutex::new(Count { most, ..Count::default() }),
            others: Mutex::default(),
        });
        let first = tokio::spawn(mind_first(Arc::clone(&crew), own));
        Self { turns, any, first, crew }
    }

    /// Gives the job back when nobody minds the destination any more.
    pub(super) fn send(&self, job: Job) -> Result<(), Job> {
        let gone = |mpsc::error::SendError(job)| job;
        if !job.goes_beside() || self.turns.is_closed() {
            return self.turns.send(job).map_err(gone);
        }
        lock(&self.crew.count).waiting += 1;
        self.any.send(job).map_err(gone)?;
        Crew::staff(&self.crew);
        Ok(())
    }

    /// Lets the workers go; a task that is still under way is not waited for.
    pub(super) async fn end(self) {
        let Self { turns, any, mut first, crew } = self;
        drop((turns, any));
        if timeout(FAREWELL + Duration::from_secs(1), &mut first).await.is_err() {
            first.abort();
        }
        let others: Vec<_> = lock(&crew.others).drain(..).collect();
        for mut other in others {
            if timeout(FAREWELL + Duration::from_secs(1), &mut other).await.is_err() {
                other.abort();
            }
        }
    }
}

impl Crew {
    /// Starts workers where more is to be done than there are hands.
    fn staff(self: &Arc<Self>) {
        let mut count = lock(&self.count);
        while count.ready && count.waiting > count.idle + count.starting && count.beside < count.most {
            count.beside += 1;
            count.starting += 1;
            let mut others = lock(&self.others);
            others.retain(|other| !other.is_finished());
            others.push(tokio::spawn(mind_beside(Arc::clone(self))));
        }
    }

    /// The next job for any worker; `None` when there will be no more.
    async fn next(&self) -> Option<Job> {
        let _idle = Idle::of(self);
        let job = self.any.lock().await.recv().await?;
        lock(&self.count).waiting -= 1;
        Some(job)
    }

    fn set_ready(self: &Arc<Self>) {
        lock(&self.count).ready = true;
        Self::staff(self);
    }

    /// Does a job on that worker, started if need be. A worker that failed is let go.
    async fn work(self: &Arc<Self>, worker: &mut Option<Worker>, job: Job) {
        let Job { requests, blobs, each, mut done } = job;
        // Given up while it waited for its turn: nothing of it may run.
        if done.is_closed() {
            return;
        }
        let slot = &mut *worker;
        let work = async {
            let _turn = self.shared.turn(&self.to).await;
            let worker = match slot {
                Some(worker) => worker,
                // Boxed: connecting takes much more room than calling, and is soon over.
                none => none.insert(Box::pin(self.shared.start(&self.to)).await?),
            };
            self.set_ready();
            worker.call(requests, blobs, each, &self.shared.traffic).await
        };
        let outcome = tokio::select! {
            biased;
            () = done.closed() => None,
            outcome = work => Some(outcome),
        };
        let spoiled = !matches!(outcome, Some(Ok(_)));
        if let Some(outcome) = outcome {
            let _ = done.send(outcome);
        }
        if spoiled && let Some(worker) = worker.take() {
            // In the background, so that the next caller need not wait; with time to end what it started.
            self.shared.farewell(worker.close(FAREWELL));
        }
    }
}

/// Counts a worker as idle for as long as it lives.
struct Idle<'a>(&'a Crew);

impl<'a> Idle<'a> {
    fn of(crew: &'a Crew) -> Self {
        lock(&crew.count).idle += 1;
        Self(crew)
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        lock(&self.0.count).idle -= 1;
    }
}

/// Minds the first worker until nobody can call it any more.
async fn mind_first(crew: Arc<Crew>, mut turns: mpsc::UnboundedReceiver<Job>) {
    let mut worker: Option<Worker> = None;
    loop {
        let rest = worker.is_some().then(|| crew.shared.budget.rest());
        let job = tokio::select! {
            biased;
            job = turns.recv() => job,
            Some(job) = crew.next() => Some(job),
            // It died in its sleep: the next call starts another.
            () = sleeping(&mut worker) => {
                worker = None;
                continue;
            }
            // Not within the sleep: what is written is written whole.
            () = sleep(BEAT), if worker.is_some() => {
                beat(&mut worker).await;
                continue;
            }
            () = called(rest.as_ref()) => {
                if let Some(worker) = worker.take() {
                    crew.shared.let_go(&crew.to, worker, FAREWELL).await;
                }
                continue;
            }
        };
        drop(rest);
        let Some(job) = job else { break };
        crew.work(&mut worker, job).await;
    }
    while let Some(job) = crew.next().await {
        crew.work(&mut worker, job).await;
    }
    if let Some(worker) = worker {
        worker.close(FAREWELL).await;
    }
}

/// Minds another worker for as long as there is something for it to do.
async fn mind_beside(crew: Arc<Crew>) {
    let started = Box::pin(crew.shared.start(&crew.to)).await;
    lock(&crew.count).starting -= 1;
    let Ok(started) = started else {
        // The host lets no more of us in: those who are there do it all, and say so if that fails, too.
        let mut count = lock(&crew.count);
        count.beside -= 1;
        count.most = count.beside;
        return;
    };
    let mut worker = Some(started);
    while let Ok(Some(job)) = timeout(IDLE, crew.next()).await {
        crew.work(&mut worker, job).await;
        if worker.is_none() {
            break;
        }
    }
    lock(&crew.count).beside -= 1;
    Crew::staff(&crew);
    if let Some(worker) = worker {
        worker.close(FAREWELL).await;
    }
}

/// Returns when others need the room that an idle worker takes.
async fn called(rest: Option<&Rest<'_>>) {
    match rest {
        Some(rest) => rest.called().await,
        None => std::future::pending().await,
    }
}

/// A worker that takes no beat is lost.
async fn beat(worker: &mut Option<Worker>) {
    if let Some(listening) = worker
        && !matches!(timeout(FAREWELL, listening.beat()).await, Ok(Ok(())))
    {
        *worker = None;
    }
}

async fn sleeping(worker: &mut Option<Worker>) {
    match worker {
        Some(worker) => worker.idle().await,
        None => std::future::pending().await,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
