//! How many hosts are connected at once. Those that have nothing to do stay connected while there is room, and are let
//! go when others want in.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// After that long without room, there is something that we do not count: better one file too many than none at all.
const PATIENCE: Duration = Duration::from_mins(1);

/// Room for one; given back when dropped.
pub(super) type Place = OwnedSemaphorePermit;

#[derive(Debug)]
pub(super) struct Budget {
    places: Arc<Semaphore>,
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Places that are waited for.
    wanted: usize,
    /// Idle ones that were called to go and have not gone yet.
    called: usize,
    idle: IndexMap<u64, Arc<Notify>>,
    serial: u64,
}

impl Budget {
    pub(super) fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), most: places, state: Mutex::default() }
    }

    /// Room for so many, first come, first served. Whoever is idle is called to make it.
    pub(super) async fn take(&self, places: usize) -> Option<Place> {
        let places = places.min(self.most);
        let count = u32::try_from(places).unwrap_or(u32::MAX);
        if let Ok(place) = Arc::clone(&self.places).try_acquire_many_owned(count) {
            return Some(place);
        }
        let _want = Want::of(self, places);
        timeout(PATIENCE, Arc::clone(&self.places).acquire_many_owned(count)).await.ok()?.ok()
    }

    /// Says that somebody has nothing to do, for as long as what it gives lives.
    pub(super) fn rest(&self) -> Rest<'_> {
        let mut state = self.lock();
        state.serial += 1;
        let (id, bell) = (state.serial, Arc::new(Notify::new()));
        state.idle.insert(id, Arc::clone(&bell));
        state.call();
        drop(state);
        Rest { budget: self, id, bell }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Calls as many as are wanted. Anyone, by chance: in a play over more hosts than there is room for, the one that was idle
    /// longest would be the one whose turn is next.
    fn call(&mut self) {
        while self.called < self.wanted && !self.idle.is_empty() {
            let chance = usize::try_from(RandomState::new().hash_one(self.serial)).unwrap_or(0);
            let Some((_, bell)) = self.idle.swap_remove_index(chance % self.idle.len()) else { return };
            self.called += 1;
            bell.notify_one();
        }
    }
}

/// Places that are waited for.
struct Want<'a> {
    budget: &'a Budget,
    places: usize,
}

impl<'a> Want<'a> {
    fn of(budget: &'a Budget, places: usize) -> Self {
        let mut state = budget.lock();
        state.wanted += places;
        state.call();
        Self { budget, places }
    }
}

impl Drop for Want<'_> {
    fn drop(&mut self) {
        self.budget.lock().wanted -= self.places;
    }
}

/// Somebody who has nothing to do.
pub(super) struct Rest<'a> {
    budget: &'a Budget,
    id: u64,
    bell: Arc<Notify>,
}

impl Rest<'_> {
    /// Returns when others need the room. Who has made it drops this; what was not enough, the next one makes up for.
    pub(super) async fn called(&self) {
        self.bell.notified().await;
    }
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        if state.idle.swap_remove(&self.id).is_none() {
            state.called -= 1;
            state.call();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody who stays until called.
    fn guest(budget: &Arc<Budget>, place: Option<Place>) -> tokio::task::JoinHandle<()> {
        let budget = Arc::clone(budget);
        tokio::spawn(async move {
            let rest = budget.rest();
            rest.called().await;
            drop(place);
        })
    }

    #[tokio::test]
    async fn the_idle_make_room() {
        let budget = Arc::new(Budget::new(3));
        for _ in 0..50 {
            let place = budget.take(1).await;
            assert!(place.is_some());
            guest(&budget, place);
        }
        // Somebody who needs more than one of them has.
        assert!(budget.take(3).await.is_some());
        assert_eq!(budget.places.available_permits(), 3);
        let state = budget.lock();
        assert_eq!((state.wanted, state.called, state.idle.len()), (0, 0, 0));
    }

    #[tokio::test]
    async fn who_waits_is_served_when_somebody_comes_to_rest() {
        let budget = Arc::new(Budget::new(1));
        let busy = budget.take(1).await;
        let waiting = tokio::spawn({
            let budget = Arc::clone(&budget);
            async move { budget.take(1).await.is_some() }
        });
        tokio::task::yield_now().await;
        assert_eq!(budget.lock().wanted, 1);
        guest(&budget, busy);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn what_asks_for_more_than_there_is_gets_all() {
        assert!(Budget::new(2).take(16).await.is_some());
    }
}
