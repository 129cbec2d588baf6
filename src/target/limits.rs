//! How many files may be open at once: every host takes one, and a local worker four.

use std::sync::LazyLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Enough for ten thousand hosts, and little enough for programs that walk through all they may have open.
const WANTED: u64 = 65_536;

/// What was allowed when we started: for the programs that we start.
static GIVEN: LazyLock<Option<u64>> = LazyLock::new(|| {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let more = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    let given = current.filter(|current| *current < more)?;
    // Where that fails, as many as before have to do.
    setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum }).ok()?;
    Some(given)
});

/// Raises the limit to what is allowed.
pub(super) fn raise() {
    LazyLock::force(&GIVEN);
}

/// What gives a shell's programs the limit back that they would have without us.
pub(super) fn restore() -> String {
    GIVEN.map_or_else(String::new, |given| format!("ulimit -S -n {given};"))
}
