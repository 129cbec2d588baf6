//! What several integration tests need: a room for shared set-up, no tests of its own.

pub mod hosts;
pub mod root_host;
