//! Python's `%` formatting and `str.format`.

mod braces;
mod number;
mod percent;

pub use braces::str_format;
pub use percent::percent;

#[cfg(test)]
mod tests;
