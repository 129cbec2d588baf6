//! How the password reaches supervisorctl: not by its arguments, which everyone on the target can read, but by a
//! configuration on its input, which takes it from the environment.

use std::path::{Path, PathBuf};

use super::Args;
use crate::kit::{Command, Result, Secret, System};

const VARIABLE: &str = "FANFARE_SUPERVISOR_PASSWORD";
/// Where supervisorctl looks for a configuration.
const USUAL: [&str; 2] = ["/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"];

/// The command with that password, and what else the configuration says.
pub(super) fn with_password(
    command: Command,
    password: &Secret,
    args: &Args,
    sys: &System<'_>,
) -> Result<Command> {
    let usual = || -> Result<Option<PathBuf>> {
        for path in USUAL.map(PathBuf::from) {
            if sys.exists(&path)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    };
    let known = match &args.config {
        Some(path) => Some(path.0.clone()),
        None => usual()?,
    };
    let text = match &known {
        Some(path) => sys.read_text_if_there(path)?.unwrap_or_default(),
        None => String::new(),
    };
    let here = known.as_deref().and_then(Path::parent).unwrap_or(Path::new("/")).to_string_lossy();
    let mut lines = vec!["[supervisorctl]".to_owned()];
    let kept = section(&text).filter(|line| !line.trim_start().starts_with("password"));
    lines.extend(kept.map(|line| line.replace("%(here)s", &here)));
    lines.push(format!("password=%(ENV_{VARIABLE})s\n"));
    Ok(command.args(["-c", "/dev/stdin"]).stdin(lines.join("\n")).env(VARIABLE, password.expose()))
}

/// What a configuration tells supervisorctl.
fn section(text: &str) -> impl Iterator<Item = &str> {
    let is_head = |line: &&str| line.starts_with('[');
    text.lines()
        .skip_while(|line| !line.starts_with("[supervisorctl]"))
        .skip(1)
        .take_while(move |line| !is_head(line))
}
