//! The tests of Jinja and of ansible-core, one file per family.

#[expect(clippy::unnecessary_wraps, reason = "all tests share one signature")]
mod comparing;
mod hosts;
mod ip;
#[expect(clippy::unnecessary_wraps, reason = "all tests share one signature")]
mod kinds;
mod paths;
mod protomatter;
mod regex;
mod results;
mod urls;
#[expect(clippy::unnecessary_wraps, reason = "all tests share one signature")]
mod vault;
mod version;

use super::table::{Table, TestEntry};

pub(super) use version::loose_version;

/// Every family's table.
const FAMILIES: &[&[TestEntry]] = &[
    comparing::TABLE,
    hosts::TABLE,
    ip::TABLE,
    kinds::TABLE,
    paths::TABLE,
    protomatter::TABLE,
    regex::TABLE,
    results::TABLE,
    urls::TABLE,
    vault::TABLE,
    version::TABLE,
];

/// Every test.
pub static TABLE: Table<bool> = Table::new("test", FAMILIES);
