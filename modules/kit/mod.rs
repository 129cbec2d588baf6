//! What modules are written with.

pub mod wire;
