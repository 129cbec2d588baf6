//! What systemd says of a unit: one `systemctl show`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::{Scope, Systemctl};
use crate::kit::{Failure, Output, Result, System};

pub(super) struct Unit {
    name: String,
    pub status: Map<String, Json>,
    /// Why there is no status, when systemctl cannot say.
    complaint: String,
}

impl Unit {
    /// One call for all items of a loop that only look.
    pub fn show_among_all(sys: &mut System<'_>, systemctl: &Systemctl, name: &str) -> Result<Self> {
        let look = |sys: &System<'_>, names: &[String]| systemctl.command(sys).arg("show").args(names);
        let split = |output: &Output| output.stdout().split("\n\n").map(str::to_owned).collect();
        match sys.look_for_all(name, look, split)? {
            Some(text) => {
                Ok(Self { name: name.to_owned(), status: properties(&text), complaint: String::new() })
            }
            None => Self::show(sys, systemctl, name),
        }
    }

    pub fn show(sys: &mut System<'_>, systemctl: &Systemctl, name: &str) -> Result<Self> {
        let output = sys.query(systemctl.command(sys).arg("show").arg(name))?;
        let complaint = if output.ok() { String::new() } else { output.stderr().trim().to_owned() };
        Ok(Self { name: name.to_owned(), status: properties(&output.stdout()), complaint })
    }

    fn is(&self, key: &str, values: &[&str]) -> bool {
        self.status.get(key).and_then(Json::as_str).is_some_and(|value| values.contains(&value))
    }

    pub fn is_masked(&self) -> bool {
        self.is("LoadState", &["masked"]) || self.is("UnitFileState", &["masked", "masked-runtime"])
    }

    /// Whether there is such a unit, or an old init script of that name.
    pub fn is_known(&self, sys: &mut System<'_>, systemctl: &Systemctl) -> Result<bool> {
        let loaded = !self.status.is_empty() && !self.is("LoadState", &["not-found"]);
        if loaded || self.is_foretold(sys, systemctl.scope)? {
            return Ok(true);
        }
        if systemctl.scope == Scope::System && sys.exists(&Path::new("/etc/init.d").join(&self.name))? {
            return Ok(true);
        }
        // Templates, and the units of all users, have files but no status.
        Ok(self.status.is_empty() && !self.asked_enabled(sys, systemctl)?.stdout.is_empty())
    }

    fn asked_enabled(&self, sys: &mut System<'_>, systemctl: &Systemctl) -> Result<Output> {
        sys.query(systemctl.command(sys).args(["is-enabled", "-l"]).arg(&self.name))
    }

    /// Whether its file would have been written: systemd cannot know of that.
    fn is_foretold(&self, sys: &System<'_>, scope: Scope) -> Result<bool> {
        if !sys.is_check() {
            return Ok(false);
        }
        let file = if self.name.contains('.') { self.name.clone() } else { format!("{}.service", self.name) };
        let (kind, own) = match scope {
            Scope::System => ("system", None),
            Scope::User => ("user", Some(PathBuf::from(sys.expand("~/.config/systemd/user")?))),
            Scope::Global => ("user", None),
        };
        let dirs = ["/etc/systemd", "/run/systemd", "/usr/lib/systemd", "/lib/systemd"];
        for dir in dirs.into_iter().map(|dir| Path::new(dir).join(kind)).chain(own) {
            if sys.exists(&dir.join(&file))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes it to be as packages leave a service.
    pub fn comes_with_package(&mut self, stopped: bool) {
        let active = if stopped { "inactive" } else { "active" };
        for (key, value) in [("LoadState", "loaded"), ("ActiveState", active), ("UnitFileState", "enabled")] {
            self.status.insert(key.to_owned(), Json::from(value));
        }
    }

    pub fn is_running(&self) -> bool {
        self.is("ActiveState", &["active", "activating", "reloading"])
    }

    pub fn has_failed(&self) -> bool {
        self.is("ActiveState", &["failed"])
    }

    pub fn is_stopping(&self) -> bool {
        self.is("ActiveState", &["deactivating"])
    }

    /// Whether it starts at boot. What systemd made from an old init script has to be asked for by name.
    pub fn is_enabled(&self, sys: &mut System<'_>, systemctl: &Systemctl) -> Result<bool> {
        match self.status.get("UnitFileState").and_then(Json::as_str) {
            Some("enabled" | "static" | "transient") => Ok(true),
            // Until the next boot, that is, for what is enabled at run time alone.
            Some(
                "disabled" | "enabled-runtime" | "linked" | "linked-runtime" | "masked" | "masked-runtime"
                | "bad",
            ) => Ok(false),
            // Of an indirect unit the links of others tell: without one there is that word alone.
            _ => {
                let answer = self.asked_enabled(sys, systemctl)?;
                Ok(answer.ok() && !matches!(answer.stdout().trim(), "indirect" | "alias"))
            }
        }
    }

    /// Fails where nothing can run: no systemd (in a chroot, in a container), or a template.
    pub fn must_be_manageable(&self) -> Result<()> {
        if self.status.contains_key("ActiveState") {
            return Ok(());
        }
        let why = if self.complaint.is_empty() { "systemd gives no status" } else { &self.complaint };
        Err(Failure::new(format!("Service {} cannot be managed: {why}", self.name))
            .with("status", &self.status))
    }
}

/// Parses `Key=value` lines; a value in braces may go over several lines.
fn properties(text: &str) -> Map<String, Json> {
    let mut properties = Map::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        if let Some((_, value)) = &mut open {
            value.push('\n');
            value.push_str(line);
            if line.trim_end().ends_with('}')
                && let Some((key, value)) = open.take()
            {
                properties.insert(key, value.into());
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if key.starts_with("Exec") && value.trim_start().starts_with('{') && !value.trim_end().ends_with('}')
        {
            open = Some((key.to_owned(), value.to_owned()));
        } else {
            properties.insert(key.to_owned(), value.into());
        }
    }
    properties
}

#[cfg(test)]
mod tests {
    #[test]
    fn properties_over_several_lines() {
        let parsed = super::properties("A=1\nExecStart={ path=/x ;\n more }\nB=2=3\n");
        assert_eq!(parsed["ExecStart"], "{ path=/x ;\n more }");
        assert_eq!(parsed["B"], "2=3");
        assert_eq!(parsed.len(), 3);
    }
}
