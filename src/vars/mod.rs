//! Variables: which are in force for a host and a task, looked up lazily and never copied.

mod connection;
mod fact_cache;
mod hosts;
mod hostvars;
mod magic;
mod roles;
mod scope;
mod unknown;

pub use connection::{is_connection_variable, is_restricted};
pub use fact_cache::FactCache;
pub use hosts::Facts;
pub use hosts::{HostState, Hosts};
pub use magic::{Magic, PlayFacts, Reached, RunFacts, SPOKEN, World};
pub use roles::{RoleVars, export, merge, merge_deep, role_vars};
pub use scope::{Scope, ScopeParts};
pub use unknown::Unknown;
