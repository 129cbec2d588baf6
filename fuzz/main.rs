//! libFuzzer's program for all targets: the one that `FANFARE_FUZZ` names.

#![no_main]

mod targets;

use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FANFARE_FUZZ").expect("FANFARE_FUZZ names a target");
    let target = targets::TARGETS.iter().find(|(known, _)| *known == name);
    target.expect("a target of fuzz/targets.rs").1
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));
