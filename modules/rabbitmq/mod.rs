//! What the modules of RabbitMQ share: its program, and the tables it prints.

use crate::kit::{Command, Failure, Output, Result, System};

/// The node that is meant when none is named.
pub const NODE: &str = "rabbit";

/// `rabbitmqctl`, for that node.
pub fn control(node: &str, words: &[&str], sys: &System<'_>) -> Result<Command> {
    let program = Command::new(sys.need("rabbitmqctl")?).args(["-q", "-n", node]);
    Ok(program.args(words.iter().copied()))
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
