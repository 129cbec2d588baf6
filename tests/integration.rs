//! The one integration binary: what needs the built program or real hosts. One module a topic.

// Marked as tests so that clippy lets them panic and print.
#[cfg(test)]
mod examples;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transport;
