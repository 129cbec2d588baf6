//! The connections of a run, one a host, made when first needed.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::identity::Keychain;
use super::settings::{self, Proxy, Settings};
use super::{Again, Attempt, Connection, Refused, failed_to_connect, resolve};
use crate::target::notes::Notes;
use crate::target::surroundings::Surroundings;
use crate::target::traffic::Traffic;
use crate::target::{CallError, SshOptions};

/// How many connections to one address may be under way before login: sshd drops them beyond ten, by chance.
const AT_ONCE: usize = 8;
/// How often a host that drops us before it knows us is tried.
const TRIES: u32 = 4;
/// How many jump hosts may stand behind each other.
const JUMPS: usize = 8;

/// A host's connection, and the lock under which it is made.
type Slot = Arc<tokio::sync::Mutex<Made>>;

#[derive(Debug, Default)]
struct Made {
    connection: Option<Arc<Connection>>,
    /// When it last failed to be made, and why: those who waited for that are not to try it one after the other.
    failed: Option<(Instant, String)>,
}

#[derive(Debug)]
pub(in crate::target) struct Connections {
    pub(super) surroundings: Arc<Surroundings>,
    pub(super) keychain: Keychain,
    slots: Mutex<HashMap<SshOptions, Slot>>,
    /// By address and port.
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
    traffic: Arc<Traffic>,
}

impl Connections {
    pub(in crate::target) fn new(surroundings: Surroundings, traffic: Arc<Traffic>) -> Self {
        Self {
            surroundings: Arc::new(surroundings),
            keychain: Keychain::default(),
            slots: Mutex::default(),
            gates: Mutex::default(),
            traffic,
        }
    }

    /// The host's connection, made if there is none that works.
    pub(in crate::target) async fn get(
        &self,
        options: &SshOptions,
        notes: &Notes,
    ) -> Result<Arc<Connection>, CallError> {
        self.get_through(options, notes, &mut Vec::new())
            .await
            .map_err(|reason| CallError::Unreachable(failed_to_connect(&reason)))
    }

    /// Forgets the host's connection and ends it.
    pub(in crate::target) async fn forget(&self, options: &SshOptions) {
        let slot = lock(&self.slots).remove(options);
        if let Some(slot) = slot
            && let Some(connection) = slot.lock().await.connection.take()
        {
            connection.disconnect().await;
        }
    }

    /// Ends all connections.
    pub(in crate::target) async fn close(&self) {
        let slots: Vec<_> = lock(&self.slots).drain().map(|(_, slot)| slot).collect();
        let goodbyes = slots.iter().map(|slot| async {
            // One that is still being made is not waited for.
            if let Ok(mut slot) = slot.try_lock()
                && let Some(connection) = slot.connection.take()
            {
                connection.disconnect().await;
            }
        });
        futures::future::join_all(goodbyes).await;
    }

    /// `path`: the hosts we are on the way to, through this one.
    async fn get_through(
        &self,
        options: &SshOptions,
        notes: &Notes,
        path: &mut Vec<SshOptions>,
    ) -> Result<Arc<Connection>, String> {
        if path.contains(options) || path.len() > JUMPS {
            return Err(format!("jumphost loop via {}", options.host));
        }
        let slot = Arc::clone(lock(&self.slots).entry(options.clone()).or_default());
        let asked = Instant::now();
        let mut made = slot.lock().await;
        if let Some(connection) = made.connection.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(Arc::clone(connection));
        }
        if let Some((_, reason)) = made.failed.as_ref().filter(|(when, _)| *when > asked) {
            return Err(reason.clone());
        }
        *made = Made::default();
        let connection = self.make(options, notes, path).await;
        match &connection {
            Ok(connection) => made.connection = Some(Arc::clone(connection)),
            Err(reason) => made.failed = Some((Instant::now(), reason.clone())),
        }
        connection
    }

    async fn make(
        &self,
        options: &SshOptions,
        notes: &Notes,
        path: &mut Vec<SshOptions>,
    ) -> Result<Arc<Connection>, String> {
        let settings = {
            let (options, surroundings) = (options.clone(), Arc::clone(&self.surroundings));
            tokio::task::spawn_blocking(move || settings::resolve(&options, &surroundings))
        };
        let settings = Arc::new(settings.await.map_err(|error| error.to_string())??);
        for note in &settings.notes {
            notes.note(note);
        }
        let mut via = None;
        if let Proxy::Jump(jump) = &settings.proxy {
            path.push(options.clone());
            via = Some(Box::pin(self.get_through(jump, notes, path)).await?);
            path.pop();
        }
        let connection = Arc::new(self.connect(&settings, via, notes).await?);
        self.traffic.connection();
        Ok(connection)
    }

    async fn connect(
        &self,
        settings: &Arc<Settings>,
        via: Option<Arc<Connection>>,
        notes: &Notes,
    ) -> Result<Connection, String> {
        let mut tries = 0;
        loop {
            tries += 1;
            let refused = match self.attempt(settings, via.clone(), notes).await {
                Ok(connection) => return Ok(connection),
                Err(refused) => refused,
            };
            let (most, pause) = match refused.again {
                Again::Never => (1, Duration::ZERO),
                Again::IfAsked => (settings.attempts, patience(tries)),
                Again::Busy => (settings.attempts.max(TRIES), pause(tries)),
            };
            if tries >= most {
                return Err(refused.reason);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(
        &self,
        settings: &Arc<Settings>,
        via: Option<Arc<Connection>>,
        notes: &Notes,
    ) -> Result<Connection, Refused> {
        let addresses = match settings.proxy {
            Proxy::None => resolve(settings).await.map_err(Refused::unreached)?,
            _ => Vec::new(),
        };
        let gate = self.gate(&match addresses.first() {
            Some(address) => address.to_string(),
            None => format!("{}:{} by {:?}", settings.host, settings.port, settings.proxy),
        });
        let _permit = gate.acquire().await;
        Attempt { settings, connections: self, notes, via, addresses: &addresses }.run().await
    }

    fn gate(&self, address: &str) -> Arc<Semaphore> {
        let mut gates = lock(&self.gates);
        let gate = gates.entry(address.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)));
        Arc::clone(gate)
    }
}

/// A host that may be starting: as Ansible waits, 1, 3, 7 seconds, and so on up to 30.
fn patience(tries: u32) -> Duration {
    Duration::from_secs((1 << tries.min(5)) - 1).min(Duration::from_secs(30))
}

/// Longer each time, and different for each of those who were dropped together.
fn pause(tries: u32) -> Duration {
    let chance = RandomState::new().hash_one(tries) % 200;
    Duration::from_millis((100 + chance) << tries.min(3))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
