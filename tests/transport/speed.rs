//! How long it takes: printed, with limits wide enough for a busy machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fanfare_modules::kit::wire::Request;

use super::{Control, NoBlobs, options, ping, to};
use crate::support::hosts::Hosts;

#[tokio::test(flavor = "multi_thread")]
async fn of_connecting_and_calling() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    let links = control.links();
    let start = Instant::now();
    ping(&links, &there).await.unwrap();
    let cold = start.elapsed();
    let mut warm = Vec::new();
    for _ in 0..10 {
        links.reset(&there).await;
        let start = Instant::now();
        ping(&links, &there).await.unwrap();
        warm.push(start.elapsed());
    }
    warm.sort_unstable();
    let mut calls = Vec::new();
    for _ in 0..500 {
        let start = Instant::now();
        ping(&links, &there).await.unwrap();
        calls.push(start.elapsed());
    }
    calls.sort_unstable();
    let batch = (0..100).map(|_| Request { module: "ping".to_owned(), ..Request::default() }).collect();
    let start = Instant::now();
    links.call(&there, batch, Arc::new(NoBlobs)).await.unwrap();
    let together = start.elapsed();
    let (median, slowest) = (warm[5], warm[9]);
    println!(
        "first reply: cold {cold:.1?}, warm {median:.1?} (slowest {slowest:.1?}); call p50 {:.1?} p99 {:.1?}; \
         100 together {together:.1?}",
        calls[250], calls[495]
    );
    assert!(median < Duration::from_millis(500), "{median:?}");
    assert!(calls[250] < Duration::from_millis(5), "{:?}", calls[250]);
    links.close().await;
}
