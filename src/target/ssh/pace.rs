//! How many logins are under way at once: few at first, more as long as they are quick, fewer when they take too long.
//! What bounds them is our CPU here and the network there, and nobody tells us which.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// More than enough to keep either busy: a login costs 2 ms of CPU, and 10 KB on the wire.
const MOST: usize = 128;
/// How many begin at once.
const FIRST: usize = 32;
const LEAST: usize = 16;
const QUICK: Duration = Duration::from_secs(1);
/// Half of what Ansible gives a connection.
const SLOW: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Pace {
    turns: Semaphore,
    width: AtomicUsize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { turns: Semaphore::new(FIRST), width: AtomicUsize::new(FIRST) }
    }
}

/// One login under way.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pace: &'a Pace,
    permit: Option<SemaphorePermit<'a>>,
    began: Instant,
}

impl Pace {
    /// Waits for a turn, first come, first served.
    pub(super) async fn turn(&self) -> Turn<'_> {
        let permit = self.turns.acquire().await.ok();
        Turn { pace: self, permit, began: Instant::now() }
    }

    fn resize(&self, by: impl Fn(usize) -> Option<usize>) -> bool {
        self.width.try_update(Ordering::Relaxed, Ordering::Relaxed, by).is_ok()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let more = |width: usize| (width < MOST).then_some(width + 1);
        let fewer = |width: usize| (width > LEAST).then(|| width - 1);
        if took < QUICK && self.pace.resize(more) {
            self.pace.turns.add_permits(1);
        } else if took > SLOW
            && self.pace.resize(fewer)
            && let Some(permit) = self.permit.take()
        {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn quick_logins_make_room_for_more_and_slow_ones_take_it() {
        let pace = Pace::default();
        for _ in 0..200 {
            drop(pace.turn().await);
        }
        assert_eq!(pace.turns.available_permits(), MOST);
        for _ in 0..200 {
            let mut turn = pace.turn().await;
            turn.began = turn.began.checked_sub(SLOW * 2).unwrap();
        }
        assert_eq!(pace.turns.available_permits(), LEAST);
    }
}
