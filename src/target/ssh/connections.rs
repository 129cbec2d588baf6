//! The connections of a run, one a host, made when first needed.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::identity::Keychain;
use super::pace::Pace;
use super::settings::{self, Proxy, Settings};
use super::{Again, Attempt, Connection, Refused, Unopened, failed_to_connect, resolve};
use crate::target::bootstrap::Starts;
use crate::target::budget::Budget;
use crate::target::known_hosts::KnownHosts;
use crate::target::notes::Notes;
use crate::target::pipe::Pipe;
use crate::target::ssh_config::ConfigFiles;
use crate::target::surroundings::Surroundings;
use crate::target::traffic::Traffic;
use crate::target::{CallError, SshOptions};

/// How many connections to one address may be under way before login: sshd drops them beyond ten, by chance.
const AT_ONCE: usize = 8;
/// How often a host that drops us before it knows us is tried.
const TRIES: u32 = 4;
/// How many connections one host may take.
const CONNECTIONS: usize = 4;
/// How many TCP connections may be under way in all: a switch remembers only so many new neighbours.
const CONNECTING: usize = 512;
/// How many jump hosts may stand behind each other.
const JUMPS: usize = 8;

/// A host's connection, and the lock under which it is made.
type Slot = Arc<tokio::sync::Mutex<Made>>;

#[derive(Debug, Default)]
struct Made {
    /// One, and further ones where the host opens too few sessions on it (`MaxSessions`).
    connections: Vec<Arc<Connection>>,
    /// When it last failed to be made, and why: those who waited for that are not to try it one after the other.
    failed: Option<(Instant, String)>,
}

#[derive(Debug)]
pub(in crate::target) struct Connections {
    pub(super) surroundings: Arc<Surroundings>,
    pub(super) keychain: Keychain,
    pub(super) known_hosts: Arc<KnownHosts>,
    config: Arc<ConfigFiles>,
    slots: Mutex<HashMap<SshOptions, Slot>>,
    /// By address and port.
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
    traffic: Arc<Traffic>,
    budget: Arc<Budget>,
    pub(super) connecting: Semaphore,
    pub(super) logging_in: Pace,
}

impl Connections {
    pub(in crate::target) fn new(
        surroundings: Surroundings,
        traffic: Arc<Traffic>,
        budget: Arc<Budget>,
    ) -> Self {
        Self {
            surroundings: Arc::new(surroundings),
            keychain: Keychain::default(),
            known_hosts: Arc::default(),
            config: Arc::default(),
            slots: Mutex::default(),
            gates: Mutex::default(),
            traffic,
            budget,
            connecting: Semaphore::new(CONNECTING),
            logging_in: Pace::default(),
        }
    }

    /// Where workers for other systems are than those this program carries.
    pub(in crate::target) fn prebuilt(&self) -> Option<&Path> {
        self.surroundings.workers.as_deref()
    }

    /// The host's sessions, each opened when asked for.
    pub(in crate::target) fn sessions<'a>(
        &'a self,
        options: &'a SshOptions,
        notes: &'a Notes,
    ) -> Sessions<'a> {
        Sessions { connections: self, options, notes }
    }

    /// The host's connection, made if there is none that works.
    pub(in crate::target) async fn get(
        &self,
        options: &SshOptions,
        notes: &Notes,
    ) -> Result<Arc<Connection>, CallError> {
        self.nth(0, options, notes).await
    }

    /// The host's connection of that number, made if there are fewer.
    async fn nth(
        &self,
        number: usize,
        options: &SshOptions,
        notes: &Notes,
    ) -> Result<Arc<Connection>, CallError> {
        self.get_through(number, options, notes, &mut Vec::new())
            .await
            .map_err(|reason| CallError::Unreachable(failed_to_connect(&reason)))
    }

    /// Forgets the host's connection and ends it.
    pub(in crate::target) async fn forget(&self, options: &SshOptions) {
        let slot = lock(&self.slots).remove(options);
        if let Some(slot) = slot {
            let connections = std::mem::take(&mut slot.lock().await.connections);
            goodbye(&connections).await;
        }
    }

    /// Ends the host's connection when nobody is on it.
    pub(in crate::target) async fn let_go(&self, options: &SshOptions) {
        let slot = lock(&self.slots).get(options).cloned();
        // One that is being made is somebody's.
        let Some(Ok(mut made)) = slot.as_ref().map(|slot| slot.try_lock()) else { return };
        let unused: Vec<_> =
            made.connections.extract_if(.., |connection| Arc::strong_count(connection) == 1).collect();
        goodbye(&unused).await;
    }

    /// Ends all connections.
    pub(in crate::target) async fn close(&self) {
        let slots: Vec<_> = lock(&self.slots).drain().map(|(_, slot)| slot).collect();
        let goodbyes = slots.iter().map(|slot| async {
            // One that is still being made is not waited for.
            if let Ok(mut slot) = slot.try_lock() {
                goodbye(&std::mem::take(&mut slot.connections)).await;
            }
        });
        futures::future::join_all(goodbyes).await;
    }

    /// `path`: the hosts we are on the way to, through this one.
    async fn get_through(
        &self,
        number: usize,
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
        made.connections.retain(|connection| !connection.is_closed());
        if let Some(connection) = made.connections.get(number) {
            return Ok(Arc::clone(connection));
        }
        if let Some((_, reason)) = made.failed.as_ref().filter(|(when, _)| *when > asked) {
            return Err(reason.clone());
        }
        made.failed = None;
        let connection = self.make(options, notes, path).await;
        match &connection {
            Ok(connection) => made.connections.push(Arc::clone(connection)),
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
            let config = Arc::clone(&self.config);
            tokio::task::spawn_blocking(move || settings::resolve(&options, &surroundings, &config))
        };
        let settings = Arc::new(settings.await.map_err(|error| error.to_string())??);
        for note in &settings.notes {
            notes.note(note);
        }
        let mut via = None;
        if let Proxy::Jump(jump) = &settings.proxy {
            path.push(options.clone());
            via = Some(Box::pin(self.get_through(0, jump, notes, path)).await?);
            path.pop();
        }
        let place = self.budget.take(1).await;
        let mut connection = self.connect(&settings, via, notes).await?;
        connection.place = place;
        let connection = Arc::new(connection);
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
            if self.unlock(settings, &refused.locked).await {
                tries -= 1;
                continue;
            }
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

    /// Asks for the passphrases of keys that would have been tried; says whether there is more to try now.
    async fn unlock(&self, settings: &Settings, locked: &[PathBuf]) -> bool {
        let Some(ask) = self.surroundings.ask.as_ref().filter(|_| !settings.keys.batch) else { return false };
        for path in locked {
            if self.keychain.unlock(path, ask).await {
                return true;
            }
        }
        false
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

/// The sessions of a host.
#[derive(Debug)]
pub(in crate::target) struct Sessions<'a> {
    connections: &'a Connections,
    options: &'a SshOptions,
    notes: &'a Notes,
}

impl Starts for Sessions<'_> {
    /// On the first connection that takes one more session.
    async fn start(&self, command: &str, terminal: bool) -> Result<Pipe, CallError> {
        let mut number = 0;
        let mut waited = false;
        loop {
            let connection = self.connections.nth(number, self.options, self.notes).await?;
            match connection.start(command, terminal).await {
                // The first keeps its session. A further one has short ones, and the last may be about to end there.
                Err(Unopened::Full(_)) if number > 0 && !waited => {
                    waited = true;
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(Unopened::Full(_)) if number + 1 < CONNECTIONS => number += 1,
                Err(Unopened::Full(reason)) => {
                    return Err(CallError::Failed(format!(
                        "the host opens no session on any of {CONNECTIONS} connections ({reason}); see MaxSessions in its \
                         sshd_config"
                    )));
                }
                Err(Unopened::Call(error)) => return Err(error),
                Ok(mut pipe) => {
                    pipe.connection = Some(connection);
                    return Ok(pipe);
                }
            }
        }
    }
}

async fn goodbye(connections: &[Arc<Connection>]) {
    futures::future::join_all(connections.iter().map(|connection| connection.disconnect())).await;
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
