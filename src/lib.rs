//! fanfare: configuration management and remote execution in Ansible's own language.

mod accounts;
pub mod cli;
pub mod commands;
pub mod config;
pub mod custom;
pub mod diagnostic;
pub mod inventory;
mod nearest;
pub mod output;
pub mod path;
pub mod playbook;
pub mod run;
pub mod target;
pub mod template;
pub mod value;
pub mod vars;
pub mod vault;
pub mod yaml;
