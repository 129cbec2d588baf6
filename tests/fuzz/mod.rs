//! Replays the cases under `fuzz/corpus`: seeds, and what fuzzing has found. Each once broke something, or leads there.

#[path = "../../fuzz/targets.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Wide enough for a busy machine and a build that is not optimised.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn every_case_is_survived() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let known: BTreeSet<String> = targets::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let names = |path: &Path| -> BTreeSet<String> {
        files(path).iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names(&corpus), known, "one directory a target");
    for (name, target) in targets::TARGETS {
        let cases = files(&corpus.join(name));
        assert!(!cases.is_empty(), "{name} has seeds");
        for case in cases {
            let bytes = fs::read(&case).unwrap();
            let started = Instant::now();
            println!("{name}: {}", case.display());
            target(&bytes);
            assert!(started.elapsed() < PATIENCE, "{} took {:?}", case.display(), started.elapsed());
        }
    }
}

fn files(path: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
