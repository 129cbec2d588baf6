//! Memory, swap, load and uptime.

use std::collections::HashMap;

use serde_json::json;

use super::{Facts, line};
use crate::kit::{Result, System};

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    if let Some(text) = line(sys, "/proc/meminfo") {
        let kib = meminfo(&text);
        let mb = |key: &str| kib.get(key).copied().unwrap_or(0) / 1024;
        let (total, free) = (mb("MemTotal"), mb("MemFree"));
        let nocache_free = (kib.get("MemFree").unwrap_or(&0)
            + kib.get("Cached").unwrap_or(&0)
            + kib.get("Buffers").unwrap_or(&0))
            / 1024;
        let (swap_total, swap_free) = (mb("SwapTotal"), mb("SwapFree"));
        facts.insert("memtotal_mb".to_owned(), total.into());
        facts.insert("memfree_mb".to_owned(), free.into());
        facts.insert("swaptotal_mb".to_owned(), swap_total.into());
        facts.insert("swapfree_mb".to_owned(), swap_free.into());
        facts.insert(
            "memory_mb".to_owned(),
            json!({
                "real": {"total": total, "used": total.saturating_sub(free), "free": free},
                "nocache": {"free": nocache_free, "used": total.saturating_sub(nocache_free)},
                "swap": {
                    "total": swap_total,
                    "free": swap_free,
                    "used": swap_total.saturating_sub(swap_free),
                    "cached": mb("SwapCached"),
                },
            }),
        );
    }
    if let Some(text) = line(sys, "/proc/uptime")
        && let Some(seconds) = text.split('.').next().and_then(|text| text.parse::<u64>().ok())
    {
        facts.insert("uptime_seconds".to_owned(), seconds.into());
    }
    Ok(())
}

pub(super) fn load(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    if let Some(text) = line(sys, "/proc/loadavg") {
        let mut loads = text.split_whitespace().map(|word| word.parse::<f64>().ok());
        if let (Some(Some(one)), Some(Some(five)), Some(Some(fifteen))) =
            (loads.next(), loads.next(), loads.next())
        {
            facts.insert("loadavg".to_owned(), json!({"1m": one, "5m": five, "15m": fifteen}));
        }
    }
    Ok(())
}

/// The figures of `/proc/meminfo`, in KiB.
fn meminfo(text: &str) -> HashMap<&str, u64> {
    text.lines()
        .filter_map(|line| {
            let (key, rest) = line.split_once(':')?;
            Some((key, rest.split_whitespace().next()?.parse().ok()?))
        })
        .collect()
}
