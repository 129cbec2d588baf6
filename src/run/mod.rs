//! The engine: hosts x tasks.
//!
//! A play is walked as the tree it is: [`walk`] takes a list of nodes and the hosts that enter it, and gives
//! back which of them came out alive and which failed. Rescue, always, includes and strategies follow from
//! that shape. What happens on one host is in [`task`].

pub mod actions;
mod ahead;
mod argument_spec;
mod ask;
mod background;
mod batch;
mod call;
mod content;
mod current_task;
mod custom;
mod debugger;
mod destination;
mod digests;
pub mod event;
mod facts;
mod failed_task;
mod handlers;
mod include;
mod items;
mod judge;
mod keywords;
mod lost;
mod manager;
mod meanwhile;
mod options;
mod outbox;
mod outcome;
mod play;
mod prompts;
mod register;
mod report;
mod settings;
mod shared;
mod task;
mod transport;
mod until;
mod vars_files;
mod walk;

pub use judge::FAILED_WHEN;
pub use lost::Lost;
pub use options::RunOptions;
pub use outbox::{Backlog, Outbox};
pub use play::{RunEnd, run};
pub use shared::Shared;
