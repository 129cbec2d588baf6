//! What systemd says of a unit: one `systemctl show`.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::Systemctl;
use crate::kit::{Failure, Result, System};

pub(super) struct Unit {
    name: String,
    pub status: Map<String, Json>,
    /// Why there is no status, when systemctl cannot say.
    complaint: String,
}

impl Unit {
    pub fn show(sys: &mut System<'_>, systemctl: &Systemctl, name: &str) -> Result<Self> {
        let output = sys.query(systemctl.command(sys).arg("show").arg(name))?;
        let complaint = if output.ok() { String::new() } else { output.stderr().trim().to_owned() };
        Ok(Self { name: name.to_owned(), status: properties(&output.stdout()), complaint })
    }

    /// Fails where systemctl could not say anything: nothing that is done would be known to have worked.
    pub fn must_be_shown(&self) -> Result<()> {
        if !self.complaint.is_empty() && self.status.is_empty() { Err(self.unmanageable()) } else { Ok(()) }
    }

    fn is(&self, key: &str, values: &[&str]) -> bool {
        self.status.get(key).and_then(Json::as_str).is_some_and(|value| values.contains(&value))
    }

    pub fn is_masked(&self) -> bool {
        self.is("LoadState", &["masked"]) || self.is("UnitFileState", &["masked", "masked-runtime"])
    }

    /// Whether there is such a unit, or an old init script of that name.
    pub fn is_known(&self, sys: &System<'_>) -> Result<bool> {
        let loaded = !self.status.is_empty() && !self.is("LoadState", &["not-found"]);
        Ok(loaded || sys.exists(&Path::new("/etc/init.d").join(&self.name))? || self.is_foretold(sys)?)
    }

    /// Whether its file would have been written: systemd cannot know of that.
    fn is_foretold(&self, sys: &System<'_>) -> Result<bool> {
        if !sys.is_check() {
            return Ok(false);
        }
        let file = if self.name.contains('.') { self.name.clone() } else { format!("{}.service", self.name) };
        for dir in
            ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"]
        {
            if sys.exists(&Path::new(dir).join(&file))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes it to be as packages leave a service.
    pub fn comes_with_package(&mut self) {
        for (key, value) in [("LoadState", "loaded"), ("ActiveState", "active"), ("UnitFileState", "enabled")]
        {
            self.status.insert(key.to_owned(), Json::from(value));
        }
    }

    pub fn is_running(&self) -> bool {
        self.is("ActiveState", &["active", "activating", "reloading"])
    }

    pub fn is_stopping(&self) -> bool {
        self.is("ActiveState", &["deactivating"])
    }

    /// Whether it starts at boot. What systemd made from an old init script has to be asked for by name.
    pub fn is_enabled(&self, sys: &mut System<'_>, systemctl: &Systemctl) -> Result<bool> {
        match self.status.get("UnitFileState").and_then(Json::as_str) {
            Some("enabled" | "enabled-runtime" | "static" | "alias" | "transient") => Ok(true),
            Some(
                "disabled" | "linked" | "linked-runtime" | "masked" | "masked-runtime" | "bad" | "indirect",
            ) => Ok(false),
            _ => Ok(sys.query(systemctl.command(sys).arg("is-enabled").arg(&self.name))?.ok()),
        }
    }

    /// Fails where systemd does not run at all: in a chroot, in a container.
    pub fn must_be_manageable(&self) -> Result<()> {
        if self.status.contains_key("ActiveState") { Ok(()) } else { Err(self.unmanageable()) }
    }

    fn unmanageable(&self) -> Failure {
        let why = if self.complaint.is_empty() { "systemd gives no status" } else { &self.complaint };
        Failure::new(format!("Service {} cannot be managed: {why}", self.name))
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
