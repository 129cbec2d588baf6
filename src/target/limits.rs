//! What this machine allows: open files, memory. A host that is connected takes a descriptor and some memory, a worker
//! on this machine more of both.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::LazyLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Enough for ten thousand hosts, and little enough for programs that walk through all they may have open.
const WANTED: u64 = 65_536;
/// Files that are open for other reasons than hosts.
const OTHERS: u64 = 128;
/// What a connected host takes of the memory, with its results: about 100 KiB were measured (docs/decisions/scale.md).
const CONNECTED: u64 = 256 << 10;
/// What a host takes while a task runs there: what is sent to it, and what comes back.
const AT_WORK: u64 = 4 << 20;
/// More hosts at once than these make nothing faster, but are harder on what they all ask: mirrors, proxies, switches.
const MOST_FORKS: u64 = 500;
/// As Ansible's.
const LEAST_FORKS: u64 = 5;

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

/// How many hosts may be connected at once.
pub(super) fn places() -> usize {
    places_of(descriptors(), memory())
}

/// How many hosts work at the same time where nobody says.
pub fn forks() -> NonZeroUsize {
    forks_of(descriptors(), memory())
}

fn places_of(descriptors: u64, memory: Option<u64>) -> usize {
    let by_files = descriptors - OTHERS.min(descriptors / 2);
    let by_memory = memory.map_or(u64::MAX, |memory| memory / 2 / CONNECTED);
    usize::try_from(by_files.min(by_memory).max(16)).unwrap_or(usize::MAX)
}

fn forks_of(descriptors: u64, memory: Option<u64>) -> NonZeroUsize {
    // A host that is served by a program here takes four.
    let by_files = descriptors / 8;
    let by_memory = memory.map_or(u64::MAX, |memory| memory / 2 / AT_WORK);
    let forks = by_files.min(by_memory).clamp(LEAST_FORKS, MOST_FORKS);
    usize::try_from(forks).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN)
}

fn descriptors() -> u64 {
    raise();
    getrlimit(Resource::Nofile).current.unwrap_or(WANTED)
}

/// The memory we may still take: what is free, or what the control group leaves.
fn memory() -> Option<u64> {
    let free = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    [free, left_to_group()].into_iter().flatten().min()
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

/// Containers see their own group at the root.
fn left_to_group() -> Option<u64> {
    let number = |name: &str| {
        let text = fs::read_to_string(Path::new("/sys/fs/cgroup").join(name)).ok()?;
        text.trim().parse::<u64>().ok()
    };
    Some(number("memory.max")?.saturating_sub(number("memory.current")?))
}

#[cfg(test)]
mod tests {
    use super::{available, forks_of, places_of};

    const GIB: u64 = 1 << 30;

    #[test]
    fn files_and_memory_limit_what_goes_on_at_once() {
        let limits =
            |descriptors, memory| (places_of(descriptors, memory), forks_of(descriptors, memory).get());
        assert_eq!(limits(65_536, Some(64 * GIB)), (65_408, 500));
        assert_eq!(limits(65_536, None), (65_408, 500));
        assert_eq!(limits(1024, Some(64 * GIB)), (896, 128));
        assert_eq!(limits(256, Some(64 * GIB)), (128, 32));
        assert_eq!(limits(65_536, Some(GIB)), (2048, 128));
        assert_eq!(limits(16, Some(GIB / 1024)), (16, 5));
    }

    #[test]
    fn free_memory_is_read() {
        assert_eq!(available("MemTotal:  9 kB\nMemFree: 1 kB\nMemAvailable:   2048 kB\n"), Some(2 << 20));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
    }
}
