//! What the modules of RabbitMQ share: its program, and the tables it prints.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kit::{Command, Failure, Output, Result, Secret, System};

/// The node that is meant when none is named.
pub const NODE: &str = "rabbit";

/// `rabbitmqctl`, for that node.
pub fn control(node: &str, words: &[&str], sys: &System<'_>) -> Result<Command> {
    let program = Command::new(sys.need("rabbitmqctl")?).args(["-q", "-n", node]);
    Ok(program.args(words.iter().copied()))
}

/// How the management interface would be reached.
#[derive(Deserialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the names are Ansible's")]
pub struct Management {
    /// Not supported: `rabbitmqctl` is used.
    login_host: Option<String>,
    /// Not supported: `rabbitmqctl` is used.
    login_port: Option<String>,
    /// Not supported: `rabbitmqctl` is used.
    login_protocol: Option<String>,
    /// Not supported: `rabbitmqctl` is used.
    login_user: Option<String>,
    /// Not supported: `rabbitmqctl` is used.
    login_password: Option<Secret>,
}

impl Management {
    pub fn refuse(&self) -> Result<()> {
        refuse(&[
            ("login_host", self.login_host.is_some()),
            ("login_port", self.login_port.is_some()),
            ("login_protocol", self.login_protocol.is_some()),
            ("login_user", self.login_user.is_some()),
            ("login_password", self.login_password.is_some()),
        ])
    }
}

/// The rows of a table, split at their tabs. A heading is a row like others.
pub fn rows(output: &Output) -> Vec<Vec<String>> {
    let row = |line: &str| line.split('\t').map(|field| field.trim().to_owned()).collect();
    output.stdout().lines().filter(|line| !line.trim().is_empty()).map(row).collect()
}

/// Options of the management interface are errors.
pub fn refuse(options: &[(&str, bool)]) -> Result<()> {
    match options.iter().find(|(_, given)| *given) {
        Some((name, _)) => {
            Err(Failure::new(format!("{name}: not supported: rabbitmqctl is used, on the host of the node")))
        }
        None => Ok(()),
    }
}
