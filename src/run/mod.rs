//! The engine: hosts x tasks.

pub mod event;
