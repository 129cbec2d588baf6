//! Processors.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{Facts, line};
use crate::kit::{Result, System};

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let Some(text) = line(sys, "/proc/cpuinfo") else { return Ok(()) };
    let arm = text.contains("CPU implementer") || !text.contains("vendor_id");
    let mut described: Vec<String> = Vec::new();
    let mut flags: Vec<&str> = Vec::new();
    let mut logical: u64 = 0;
    // Socket -> its cores.
    let mut sockets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut siblings: u64 = 0;
    let mut cores_a_socket: u64 = 0;
    let mut socket = "0";
    for entry in text.lines() {
        let Some((key, value)) = entry.split_once(':') else { continue };
        let (key, value) = (key.trim(), value.trim());
        match key {
            "processor" => {
                logical += 1;
                described.push(value.to_owned());
            }
            "vendor_id" | "model name" | "Model Name" | "Processor" | "cpu" | "chip type" => {
                described.push(value.to_owned());
            }
            "flags" | "Features" if flags.is_empty() => flags = value.split_whitespace().collect(),
            "physical id" => {
                socket = value;
                sockets.entry(value).or_default();
            }
            "core id" => drop(sockets.entry(socket).or_default().insert(value)),
            "siblings" => siblings = value.parse().unwrap_or(0),
            "cpu cores" => cores_a_socket = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    let count = if sockets.is_empty() { logical.max(1) } else { sockets.len() as u64 };
    let cores = if sockets.is_empty() || arm { 1 } else { cores_a_socket.max(1) };
    let threads = if siblings == 0 { 1 } else { (siblings / cores).max(1) };
    let mut put = |name: &str, value: Json| facts.insert(name.to_owned(), value);
    put("processor", described.into());
    put("processor_count", count.into());
    put("processor_cores", cores.into());
    put("processor_threads_per_core", threads.into());
    put("processor_vcpus", (count * cores * threads).into());
    put("processor_nproc", usable(sys).unwrap_or(logical).into());
    put("flags", flags.into());
    Ok(())
}

/// How many processors this process may use.
fn usable(sys: &System<'_>) -> Option<u64> {
    let status = line(sys, "/proc/self/status")?;
    let mask = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed:"))?;
    let bits = mask.trim().split(',').filter_map(|word| u32::from_str_radix(word, 16).ok());
    Some(bits.map(|word| u64::from(word.count_ones())).sum())
}
