//! `setup`: facts about the machine, read from `/proc`, `/sys` and `/etc`; only local facts start programs.

#![expect(clippy::unnecessary_wraps, reason = "one signature for all collectors")]

pub(crate) mod clock;
mod cpu;
mod devices;
mod distribution;
mod dmi;
pub(crate) mod identity;
mod local;
mod lsb;
mod memory;
pub(crate) mod mounts;
mod network;
mod os_release;
mod packages;
mod python;
mod security;
pub(crate) mod service_manager;
mod subset;
mod virtualization;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use self::subset::{Group, Wanted};
use crate::kit::{Failure, FilePath, Result, System};

/// Gathers facts about a host.
///
/// Facts come back as `ansible_…` variables and, without the prefix, in `ansible_facts`. Plays gather them by
/// themselves unless `gather_facts` says no.
///
/// # Examples
///
/// ```yaml
/// - name: Everything there is to know
///   setup:
///
/// - name: Only the network, and what is always there
///   setup: {gather_subset: ["!all", network]}
///
/// - name: Only what the name says
///   setup: {filter: ["ansible_distribution*"]}
/// ```
#[derive(Deserialize, JsonSchema)]
#[serde(default)]
pub struct Args {
    /// What to gather: `all`, `min`, `hardware`, `network`, `virtual`, or the name of a fact; with `!` what to
    /// leave out. `!all` leaves the minimum, `!all,!min` nothing.
    #[serde(default = "everything")]
    pub gather_subset: Vec<String>,
    /// Seconds that each program under `fact_path` may take.
    #[serde(default = "ten")]
    pub gather_timeout: u64,
    /// Patterns of the facts to return (`*`, `?`); with or without the `ansible_` prefix.
    pub filter: Vec<String>,
    /// The directory of local facts.
    #[serde(default = "facts_d")]
    pub fact_path: FilePath,
}

impl Default for Args {
    fn default() -> Self {
        Self { gather_subset: everything(), gather_timeout: ten(), filter: Vec::new(), fact_path: facts_d() }
    }
}

fn everything() -> Vec<String> {
    vec!["all".to_owned()]
}

fn ten() -> u64 {
    10
}

fn facts_d() -> FilePath {
    FilePath::from("/etc/ansible/facts.d")
}

/// Gathers one kind of facts.
type Gather = fn(&mut System<'_>, &mut Facts) -> Result<()>;

/// Facts by name, without the `ansible_` prefix.
type Facts = Map<String, Json>;

#[derive(Serialize)]
pub struct Returns {
    ansible_facts: Facts,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let wanted = Wanted::parse(&args.gather_subset).map_err(Failure::new)?;
    let mut facts = Facts::new();
    let collectors: &[(Group, Gather)] = &[
        (Group::Platform, identity::platform),
        (Group::Distribution, distribution::gather),
        (Group::DateTime, clock::gather),
        (Group::User, identity::user),
        (Group::Env, identity::env),
        (Group::Cmdline, identity::cmdline),
        (Group::Dns, network::dns),
        (Group::Apparmor, security::apparmor),
        (Group::Caps, security::capabilities),
        (Group::Fips, security::fips),
        (Group::Selinux, security::selinux),
        (Group::SshKeys, identity::ssh_keys),
        (Group::Lsb, lsb::gather),
        (Group::Packages, packages::gather),
        (Group::Python, python::gather),
        (Group::Platform, python::version),
        (Group::ServiceManager, service_manager::gather),
        (Group::Hardware, hardware),
        (Group::LoadAvg, memory::load),
        (Group::Network, network::gather),
        (Group::FibreChannel, network::fibre_channel),
        (Group::Iscsi, network::iscsi),
        (Group::Nvme, network::nvme),
        (Group::Virtual, virtualization::gather),
        (Group::Chroot, virtualization::chroot),
    ];
    for &(group, gather) in collectors {
        if wanted.has(group) {
            gather(sys, &mut facts)?;
        }
    }
    if wanted.has(Group::Local) {
        let patience = Duration::from_secs(args.gather_timeout);
        local::gather(sys, &args.fact_path, patience, &mut facts)?;
    }
    facts.insert("gather_subset".to_owned(), Json::from(args.gather_subset));
    facts.insert("module_setup".to_owned(), true.into());
    let ansible_facts = facts
        .into_iter()
        .filter(|(name, _)| args.filter.is_empty() || args.filter.iter().any(|glob| selects(glob, name)))
        .map(|(name, value)| (prefixed(name), value))
        .collect();
    Ok(Returns { ansible_facts })
}

fn hardware(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    cpu::gather(sys, facts)?;
    memory::gather(sys, facts)?;
    dmi::gather(sys, facts)?;
    devices::gather(sys, facts)?;
    mounts::gather(sys, facts)
}

/// What comes without the prefix.
fn is_bare(name: &str) -> bool {
    matches!(name, "gather_subset" | "module_setup")
}

fn prefixed(name: String) -> String {
    if is_bare(&name) { name } else { format!("ansible_{name}") }
}

fn selects(glob: &str, name: &str) -> bool {
    if glob.is_empty() || glob == "*" {
        return true;
    }
    crate::kit::glob::matches(glob, &format!("ansible_{name}")) || crate::kit::glob::matches(glob, name)
}

/// A small file's text without the white space around it; `None` when it cannot be read: facts are what is known.
fn line(sys: &System<'_>, path: impl AsRef<std::path::Path>) -> Option<String> {
    let bytes = sys.read(path.as_ref()).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    Some(text).filter(|text| !text.is_empty())
}
