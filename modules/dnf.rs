use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::apt::State;
use crate::kit::{Failure, Result, System};
use crate::package::{self, Dnf, Wanted};

/// Manages packages with dnf, or with yum where there is no dnf.
///
/// # Examples
///
/// ```yaml
/// - name: The web server
///   dnf: {name: httpd, state: latest}
///
/// - name: From a repository that is not used else
///   dnf: {name: [nginx, git], enablerepo: epel}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The packages: names, files or URLs; `*` with `latest` stands for all that are installed.
    #[serde(default)]
    #[schemars(extend("aliases" = ["pkg"]))]
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// Fetches the lists of packages first.
    #[serde(default)]
    #[schemars(extend("aliases" = ["expire-cache"]))]
    pub update_cache: bool,
    #[serde(flatten)]
    dnf: Dnf,
}

#[derive(Serialize)]
pub struct Returns {
    rc: u8,
    results: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let name = if sys.which("dnf").is_some() { "dnf" } else { "yum" };
    let manager = package::manager(name).ok_or_else(|| Failure::new("neither dnf nor yum is known"))?;
    let names: Vec<String> =
        args.name.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let wanted = Wanted { names: &names, state: args.state, update_cache: args.update_cache };
    package::ensure_with(manager, &wanted, &args.dnf, sys)?;
    Ok(Returns { rc: 0, results: Vec::new() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn packages_are_installed_where_they_are_not() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "").answer("rpm", 1, "");
        let result = trial.run(&json!({"name": "git,vim", "enablerepo": "epel", "state": "installed"}));
        assert_eq!(result["changed"], true, "{result}");
        assert_eq!(trial.host.ran().last().unwrap(), "dnf -y install --enablerepo=epel git vim");
    }

    #[test]
    fn everything_is_brought_up_to_date() {
        let trial = Trial::of("yum");
        trial.host.program("/usr/bin/yum").answer("yum", 0, "").answer("yum -q check-update", 100, "");
        assert_eq!(trial.run(&json!({"name": "*", "state": "latest"}))["changed"], true);
        assert_eq!(trial.host.ran(), ["yum -q check-update", "yum -y update"]);
    }
}
