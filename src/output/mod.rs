//! Callbacks: what a run looks like, one file each.
