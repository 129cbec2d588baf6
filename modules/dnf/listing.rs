//! What there is, told.

use serde_json::{Value as Json, json};

use super::program::Program;
use crate::kit::{Failure, Result, System};

const FIELDS: &str = "%{name}\\t%{epoch}\\t%{version}\\t%{release}\\t%{arch}\\t%{reponame}\\n";
/// dnf5 takes them as they are written.
const FIFTH: &str = "%{name}\t%{epoch}\t%{version}\t%{release}\t%{arch}\t%{repoid}\n";

impl Program {
    /// The repositories that are used, or packages: those that are there, those that could be newer, those of the
    /// repositories; of one name, those that are there and those of the repositories.
    pub(super) fn list(&self, what: &str, sys: &mut System<'_>) -> Result<Vec<Json>> {
        if matches!(what, "repos" | "repositories") {
            let said = self.told(&["-q", "repolist", "--enabled"], sys)?;
            let names = said.lines().skip(1).filter_map(|line| line.split_whitespace().next());
            return Ok(names.map(|name| json!({"repoid": name, "state": "enabled"})).collect());
        }
        let asked: &[&[&str]] = match what {
            "installed" => &[&["--installed"]],
            "updates" | "upgrades" => &[&["--upgrades"]],
            "available" => &[&["--available"]],
            name => &[&["--installed", name], &["--available", name]],
        };
        let format = if self.is_fifth { FIFTH } else { FIELDS };
        let mut packages = Vec::new();
        for which in asked {
            let said = self.told(&[&["-q", "repoquery", "--queryformat", format], *which].concat(), sys)?;
            for line in said.lines().filter(|line| !line.is_empty()) {
                packages.push(self.package(line)?);
            }
        }
        Ok(packages)
    }

    fn told(&self, words: &[&str], sys: &mut System<'_>) -> Result<String> {
        let output = sys.query(self.command(words).args(self.taken("repoquery", &self.sources)))?;
        output.or_fail(&format!("{} does not tell", self.name))?;
        Ok(output.stdout().into_owned())
    }

    fn package(&self, line: &str) -> Result<Json> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, epoch, version, release, arch, repo] = fields.as_slice() else {
            return Err(Failure::new(format!("dnf said what is no package: {line:?}")));
        };
        let whole = match *epoch {
            "0" if self.is_fifth => format!("{name}-{version}-{release}.{arch}"),
            epoch if self.is_fifth => format!("{name}-{epoch}:{version}-{release}.{arch}"),
            epoch => format!("{epoch}:{name}-{version}-{release}.{arch}"),
        };
        let state = if *repo == "@System" { "installed" } else { "available" };
        Ok(json!({
            "arch": arch, "envra": whole, "epoch": epoch, "name": name, "nevra": whole, "release": release,
            "repo": repo, "version": version, "yumstate": state,
        }))
    }
}
