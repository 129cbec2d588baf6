//! What modules are written with.

pub mod regex;
pub mod wire;
