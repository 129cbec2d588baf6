use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};

/// Says what dpkg is to do with a package: hold it back, say.
///
/// # Examples
///
/// ```yaml
/// - name: Python stays as it is
///   dpkg_selections: {name: python3, selection: hold}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The package.
    pub name: String,
    /// What is to be done with it.
    pub selection: Selection,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Selection {
    Install,
    Hold,
    Deinstall,
    Purge,
}

#[derive(Serialize)]
pub struct Returns {
    before: String,
    after: Selection,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let Args { name, selection } = args;
    let word = match selection {
        Selection::Install => "install",
        Selection::Hold => "hold",
        Selection::Deinstall => "deinstall",
        Selection::Purge => "purge",
    };
    let asked = sys.query(Command::new("dpkg").arg("--get-selections").arg(&name).env("LC_ALL", "C"))?;
    let before = asked.stdout().split_whitespace().nth(1).map(str::to_owned);
    let Some(before) = before else {
        return Err(Failure::new(format!("Failed to find package '{name}' to perform selection '{word}'.")));
    };
    if before != word {
        sys.exec(Command::new("dpkg").arg("--set-selections").stdin(format!("{name} {word}")))?;
    }
    Ok(Returns { before, after: selection })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn selections_are_set_where_they_differ() {
        let trial = Trial::of("dpkg_selections");
        trial.host.answer("dpkg", 0, "").answer("dpkg --get-selections vim", 0, "vim\t\tinstall\n");
        let hold = trial.run(&json!({"name": "vim", "selection": "hold"}));
        assert_eq!(hold, json!({"changed": true, "before": "install", "after": "hold"}));
        assert_eq!(trial.run(&json!({"name": "vim", "selection": "install"}))["changed"], false);
        assert_eq!(trial.run(&json!({"name": "no", "selection": "hold"}))["failed"], true);
        let set = trial.host.ran().iter().filter(|line| line.contains("--set")).count();
        assert_eq!(set, 1);
    }
}
