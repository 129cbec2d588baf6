use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::flatpak::{Method, Returns, flatpak, program};
use crate::kit::{Failure, Output, Result, System};

/// Manages the remotes that Flatpak's applications come from.
///
/// # Examples
///
/// ```yaml
/// - name: For all users
///   flatpak_remote: {name: gnome, flatpakrepo_url: 'https://sdk.gnome.org/gnome-apps.flatpakrepo'}
///
/// - name: For this user, and not in use
///   flatpak_remote: {name: flathub, flatpakrepo_url: 'https://dl.flathub.org/repo/flathub.flatpakrepo', method: user, enabled: false}
///
/// - name: Gone
///   flatpak_remote: {name: gnome, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What it is called here.
    pub name: String,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// The URL of the file that tells of it. It takes one to add it; one that is there keeps its own.
    pub flatpakrepo_url: Option<String>,
    /// For whom: all users, or the one that runs it.
    #[serde(default)]
    pub method: Method,
    /// Whether it is used.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The program.
    #[serde(default = "flatpak")]
    pub executable: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    #[default]
    Present,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let flatpak = program(&args.executable, sys)?;
    let scope = args.method.flag();
    let list = flatpak.clone().args(["remote-list", "--show-disabled", scope]);
    let row = known(&args.name, &sys.ask(list.clone()).map_err(Failure::as_said)?);
    let mut returns = Returns::default();
    let mut enabled = row.as_deref().is_some_and(is_enabled);
    if args.state == State::Absent {
        if row.is_some() {
            let command = flatpak.args(["remote-delete", scope, "--force"]).arg(&args.name);
            returns.run(command, |_| true, sys)?;
        }
        return Ok(returns);
    }
    if row.is_none() {
        let url = args.flatpakrepo_url.as_ref().ok_or_else(|| {
            Failure::new(format!(
                "there is no remote called {}: it takes a flatpakrepo_url to add it",
                args.name
            ))
        })?;
        let command = flatpak.clone().args(["remote-add", scope]).args([&args.name, url]);
        returns.run(command, |_| true, sys)?;
        enabled = true;
        if !sys.is_check() {
            // What was added may be disabled, as its file says.
            let said = sys.ask(list.clone()).map_err(Failure::as_said)?;
            enabled = known(&args.name, &said).as_deref().is_none_or(is_enabled);
            returns.tell(list.line(), &said);
        }
    }
    if enabled != args.enabled {
        let flag = if args.enabled { "--enable" } else { "--disable" };
        returns.run(flatpak.args(["remote-modify", flag, scope]).arg(&args.name), |_| true, sys)?;
    }
    Ok(returns)
}

/// The options of the remote of that name, of lines of `name<tab>options`.
fn known(name: &str, said: &Output) -> Option<String> {
    said.stdout()
        .lines()
        .map(str::split_whitespace)
        .find_map(|mut words| (words.next()? == name).then(|| words.next().unwrap_or_default().to_owned()))
}

fn is_enabled(options: &str) -> bool {
    !options.split(',').any(|one| one == "disabled")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("flatpak_remote");
        trial.host.program("/usr/bin/flatpak").answer("/usr/bin/flatpak", 0, "");
        trial.host.answer("/usr/bin/flatpak remote-list", 0, "on\tsystem\noff\tsystem,disabled\n");
        trial
    }

    /// The commands that were run besides the question.
    fn check(args: &Json, ran: &[&str]) {
        let trial = trial();
        trial.foretold(args, !ran.is_empty());
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix("/usr/bin/flatpak "));
        assert_eq!(acts.filter(|line| !line.starts_with("remote-list")).collect::<Vec<_>>(), ran, "{args}");
    }

    #[test]
    fn remotes_come_and_go() {
        check(&json!({"name": "on"}), &[]);
        check(&json!({"name": "on", "enabled": false}), &["remote-modify --disable --system on"]);
        check(
            &json!({"name": "off", "flatpakrepo_url": "http://x"}),
            &["remote-modify --enable --system off"],
        );
        check(
            &json!({"name": "new", "flatpakrepo_url": "http://x", "method": "user", "enabled": false}),
            &["remote-add --user new http://x", "remote-modify --disable --user new"],
        );
        check(&json!({"name": "on", "state": "absent"}), &["remote-delete --system --force on"]);
        check(&json!({"name": "none", "state": "absent"}), &[]);
        let wrong = trial().run(&json!({"name": "new"}));
        assert_eq!(wrong["msg"], "there is no remote called new: it takes a flatpakrepo_url to add it");
    }
}
