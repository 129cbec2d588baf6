//! fanfare: configuration management and remote execution in Ansible's own language.

pub mod diagnostic;
pub mod run;
pub mod template;
pub mod value;
pub mod yaml;
