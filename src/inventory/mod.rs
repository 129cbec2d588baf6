//! Hosts and groups: what they are called, how they nest, which variables they bring.
//!
//! An [`Inventory`] is read from sources (files, directories, scripts, host lists) and answers who a
//! pattern means ([`Inventory::select`]) and which variables a host has from here, as shared layers in
//! order of precedence ([`Inventory::host_layers`]). Nothing is merged or copied per host.

mod computed;
mod constructed;
mod data;
mod file;
mod generator;
mod ini;
mod json;
mod layers;
mod literal;
mod pattern;
mod plugins;
mod range;
mod script;
mod settings_file;
pub mod show;
mod source;
#[cfg(test)]
mod tests;
mod toml;
mod vars_dir;
pub mod why;
mod words;
mod yaml;

pub use data::{Group, Host, Inventory};
pub use layers::{Layer, Level, Origin};
pub use literal::literal as python_literal;
pub use pattern::Selection;
pub use plugins::Plugin;
