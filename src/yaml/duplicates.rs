//! What becomes of keys that a mapping has twice: `duplicate_dict_key`.

use std::sync::atomic::{AtomicU8, Ordering};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// The last one counts, and the user is told.
    #[default]
    Warn,
    /// The last one counts.
    Ignore,
    /// The text is no good.
    Error,
}

/// Of this process.
static CHOICE: AtomicU8 = AtomicU8::new(Duplicates::Warn as u8);

impl Duplicates {
    /// Has all YAML read so from now on.
    pub fn choose(self) {
        CHOICE.store(self as u8, Ordering::Relaxed);
    }

    pub(super) fn chosen() -> Self {
        let choice = CHOICE.load(Ordering::Relaxed);
        [Self::Ignore, Self::Error].into_iter().find(|one| *one as u8 == choice).unwrap_or_default()
    }
}
