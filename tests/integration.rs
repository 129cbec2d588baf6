//! The one integration binary: what needs the built program, real hosts, or a whole run. One module a topic.

// Marked as tests so that clippy lets them panic and print.
#[cfg(test)]
mod compare;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod interrupt;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod vault;
