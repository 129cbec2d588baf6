mod told;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use self::told::{Installed, Setting};
use crate::kit::{Command, Failure, Result, System};

/// Manages snaps.
///
/// # Examples
///
/// ```yaml
/// - name: Two snaps
///   snap: {name: [foo, bar]}
///
/// - name: With access to the whole system, from a channel
///   snap: {name: code, classic: true, channel: latest/edge}
///
/// - name: With settings
///   snap: {name: nextcloud, options: [ports.http=81, 'nextcloud:mode=debug']}
///
/// - name: This very revision, which is held
///   snap: {name: foo, revision: 1024}
///
/// - name: No such snap
///   snap: {name: foo, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["channel", "revision"]]))]
pub struct Args {
    /// The snaps: names or files; `system` stands for snapd's own settings.
    pub name: Vec<String>,
    /// Whether they are there, or may be used.
    #[serde(default)]
    pub state: State,
    /// Installs them without confinement.
    #[serde(default)]
    pub classic: bool,
    /// Where they come from, and follow: `edge`, `5.0/stable`. Without a track it is `latest`.
    pub channel: Option<String>,
    /// The revision, which is held from then on.
    pub revision: Option<u64>,
    /// Settings: `key=value`, or `snap:key=value` for one of the snaps.
    #[serde(default)]
    pub options: Vec<String>,
    /// Installs without looking at signatures.
    #[serde(default)]
    pub dangerous: bool,
    /// Installs them without confinement, for developers.
    #[serde(default)]
    pub devmode: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Disabled,
    Enabled,
    #[default]
    Present,
}

#[derive(Default, Serialize)]
pub struct Returns {
    version: Map<String, Json>,
    /// What was run, one after the other.
    #[serde(skip_serializing_if = "String::is_empty")]
    cmd: String,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    asked: Option<Asked>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    snaps_installed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    snaps_removed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    snaps_enabled: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    snaps_disabled: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options_changed: Vec<String>,
}

/// What was asked for, as the snaps are named.
#[derive(Serialize)]
struct Asked {
    snap_names: Vec<String>,
    channel: String,
    classic: bool,
    revision: Option<u64>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let snap = Snap { program: Command::new(sys.need("snap")?), args: &args };
    let version = sys.query(snap.command(&["version"]))?;
    let mut returns = Returns { version: told::versions(&version.stdout()), ..Returns::default() };
    let listed = sys.query(snap.command(&["list"]))?;
    // Where snapd does not answer, nobody knows what is there; some ended badly where nothing is.
    if !listed.ok() && !listed.stderr().to_lowercase().contains("no snaps are installed") {
        return Err(Failure::new(format!("snap list: {}", listed.stderr().trim())).with_output(&listed));
    }
    let there = told::installed(&listed.stdout());
    match args.state {
        State::Present => snap.present(&there, &mut returns, sys)?,
        State::Absent => {
            returns.snaps_removed = snap.those(|name| name == SYSTEM || find(&there, name).is_some());
            snap.change("remove", &returns.snaps_removed.clone(), &mut returns, sys)?;
        }
        State::Enabled => {
            returns.snaps_enabled = snap.those(|name| find(&there, name).is_none_or(|one| one.disabled));
            if let Some(missing) = returns.snaps_enabled.iter().find(|name| find(&there, name).is_none()) {
                return Err(Failure::new(format!("cannot enable {missing}: no such snap is installed")));
            }
            snap.change("enable", &returns.snaps_enabled.clone(), &mut returns, sys)?;
        }
        State::Disabled => {
            returns.snaps_disabled = snap.those(|name| find(&there, name).is_some_and(|one| !one.disabled));
            snap.change("disable", &returns.snaps_disabled.clone(), &mut returns, sys)?;
        }
    }
    Ok(returns)
}

/// The name that stands for snapd's own settings.
const SYSTEM: &str = "system";

fn find<'a>(there: &'a [Installed], name: &str) -> Option<&'a Installed> {
    there.iter().find(|one| one.name == name)
}

/// A name that was given, and what the snap is called.
struct Named<'a> {
    given: &'a str,
    name: String,
}

struct Snap<'a> {
    program: Command,
    args: &'a Args,
}

impl Snap<'_> {
    fn command(&self, words: &[&str]) -> Command {
        self.program.clone().args(words.iter().copied()).env("LC_ALL", "C")
    }

    fn those(&self, which: impl Fn(&str) -> bool) -> Vec<String> {
        self.args.name.iter().filter(|name| which(name)).cloned().collect()
    }

    fn change(
        &self,
        verb: &str,
        names: &[String],
        returns: &mut Returns,
        sys: &mut System<'_>,
    ) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        Self::act(self.command(&[verb]).args(names.iter().cloned()), returns, sys)
    }

    fn act(command: Command, returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        let line = command.line();
        returns.cmd = if returns.cmd.is_empty() { line } else { format!("{}; {line}", returns.cmd) };
        sys.exec(command).map_err(Failure::as_said)?;
        Ok(())
    }

    fn present(&self, there: &[Installed], returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        let args = self.args;
        let snaps = self.named(there, sys)?;
        let settings = self.settings(&snaps)?;
        for snap in snaps.iter().filter(|snap| snap.name != SYSTEM) {
            let found = find(there, &snap.name);
            let verb = match found {
                None => Some("install"),
                Some(found) => self.differs(found).then_some("refresh"),
            };
            if let Some(verb) = verb {
                sys.foretell_packages();
                Self::act(self.fetch(verb).arg(snap.given), returns, sys)?;
                returns.snaps_installed.push(snap.given.to_owned());
            }
            if args.revision.is_some() && found.is_none_or(|found| verb.is_some() || !found.held) {
                Self::act(self.command(&["refresh", "--hold"]).arg(&snap.name), returns, sys)?;
            }
        }
        for snap in &snaps {
            self.set(snap, &settings, returns, sys)?;
        }
        returns.asked = Some(Asked {
            snap_names: snaps.into_iter().map(|snap| snap.name).collect(),
            channel: args.channel.clone().unwrap_or_else(|| "stable".to_owned()),
            classic: args.classic,
            revision: args.revision,
        });
        Ok(())
    }

    fn differs(&self, found: &Installed) -> bool {
        let channel = self
            .args
            .channel
            .as_ref()
            .is_some_and(|channel| told::full(channel) != told::full(&found.channel));
        let revision = self.args.revision.is_some_and(|revision| revision.to_string() != found.revision);
        channel || revision
    }

    fn fetch(&self, verb: &str) -> Command {
        let args = self.args;
        let command = self.command(&[verb]).flag("--classic", args.classic);
        let command = command.opt("--channel", args.channel.as_ref()).opt("--revision", args.revision);
        command.flag("--dangerous", args.dangerous).flag("--devmode", args.devmode)
    }

    /// What the snaps are called: a file says so itself. Of what is not there, whether it can be had.
    fn named(&self, there: &[Installed], sys: &mut System<'_>) -> Result<Vec<Named<'_>>> {
        let is_file =
            |name: &str| name.contains('/') || Path::new(name).extension().is_some_and(|end| end == "snap");
        let asked = self.those(|name| !is_file(name) && name != SYSTEM && find(there, name).is_none());
        if !asked.is_empty() {
            let said = sys.query(self.command(&["info"]).args(asked.iter().cloned()))?;
            let known = told::names(&said.stdout());
            let missing: Vec<&str> =
                asked.iter().filter(|name| !known.contains(name)).map(String::as_str).collect();
            if !missing.is_empty() {
                return Err(
                    Failure::new(format!("Snaps not found: {}.", missing.join(", "))).with_output(&said)
                );
            }
        }
        let mut named = Vec::new();
        for given in &self.args.name {
            let mut name = given.clone();
            if is_file(given) {
                let said = sys.ask(self.command(&["info", given.as_str()])).map_err(Failure::as_said)?;
                name = told::names(&said.stdout()).into_iter().next().ok_or_else(|| {
                    Failure::new(format!("snap info does not tell the name of {given}")).with_output(&said)
                })?;
            }
            named.push(Named { given, name });
        }
        Ok(named)
    }

    fn settings(&self, snaps: &[Named<'_>]) -> Result<Vec<Setting<'_>>> {
        let mut settings = Vec::new();
        for text in &self.args.options {
            let setting = Setting::parse(text).ok_or_else(|| {
                Failure::new(format!("Cannot parse set option '{text}': it is no key=value"))
            })?;
            if setting.snap.is_some_and(|of| !snaps.iter().any(|snap| snap.name == of)) {
                let msg =
                    format!("Snap option '{text}' refers to snap which is not in the list of snap names");
                return Err(Failure::new(msg));
            }
            settings.push(setting);
        }
        Ok(settings)
    }

    /// Gives a snap the settings that it does not have.
    fn set(
        &self,
        snap: &Named<'_>,
        settings: &[Setting<'_>],
        returns: &mut Returns,
        sys: &mut System<'_>,
    ) -> Result<()> {
        let name = snap.name.as_str();
        let mine: Vec<&Setting<'_>> =
            settings.iter().filter(|one| one.snap.is_none_or(|of| of == name)).collect();
        if mine.is_empty() {
            return Ok(());
        }
        // One that has no settings, or is not there yet, ends badly.
        let said = sys.query(self.command(&["get", "-d", name]))?;
        let has = if said.ok() {
            serde_json::from_slice(&said.stdout)
                .map_err(|e| Failure::new(format!("snap get -d {name} is no JSON: {e}")).with_output(&said))?
        } else {
            Json::Null
        };
        let wrong: Vec<String> = mine
            .into_iter()
            .filter(|setting| !setting.is_set(&has))
            .map(|setting| format!("{}={}", setting.key, setting.value))
            .collect();
        if !wrong.is_empty() {
            returns.options_changed.extend(wrong.iter().map(|setting| format!("{name}:{setting}")));
            let command = self.command(&["set", name]).args(wrong);
            sys.exec(command).map_err(Failure::as_said)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("snap");
        trial.host.program("/usr/bin/snap").answer("/usr/bin/snap", 0, "");
        let list = "Name Version Rev Tracking Publisher Notes\nfoo 1.0 5 latest/stable me -\n\
                    off 1.0 1 5.0/edge me disabled,held\n";
        trial.host.answer("/usr/bin/snap list", 0, list);
        trial.host.answer("/usr/bin/snap version", 0, "snap    2.61\nsnapd   2.61\n");
        trial.host.answer("/usr/bin/snap info", 0, "name: new\n---\nname: more\n");
        trial.host.answer("/usr/bin/snap get -d foo", 0, r#"{"a": 1, "b": {"c": "x"}}"#);
        trial.host.answer("/usr/bin/snap get -d system", 1, "");
        trial
    }

    #[test]
    fn a_snapd_that_does_not_answer_is_an_error() {
        let trial = trial();
        let says = |stderr: &'static str| {
            trial.host.script("/usr/bin/snap list", move |_, _| Output {
                code: 1,
                stderr: stderr.as_bytes().to_vec(),
                ..Output::default()
            });
            trial.run(&json!({"name": "foo", "state": "absent"}))
        };
        assert_eq!(says("error: cannot communicate with server\n")["failed"], true);
        assert_eq!(says("No snaps are installed yet.\n")["changed"], false);
    }

    /// The commands that were run besides questions.
    fn check(args: &Json, ran: &[&str]) -> Json {
        let trial = trial();
        let result = trial.foretold(args, !ran.is_empty());
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix("/usr/bin/snap "));
        let looks = ["list", "version", "info", "get"];
        let acts = acts.filter(|line| !looks.iter().any(|look| line.split(' ').next() == Some(look)));
        assert_eq!(acts.collect::<Vec<_>>(), ran, "{args}");
        result
    }

    #[test]
    fn snaps_come_and_go() {
        let result = check(&json!({"name": ["foo", "new", "more"]}), &["install new", "install more"]);
        assert_eq!(
            (&result["snaps_installed"], &result["channel"]),
            (&json!(["new", "more"]), &json!("stable"))
        );
        assert_eq!(result["version"]["snapd"], "2.61");
        check(&json!({"name": "foo", "channel": "stable"}), &[]);
        check(
            &json!({"name": "foo", "channel": "edge", "classic": true}),
            &["refresh --classic --channel edge foo"],
        );
        check(&json!({"name": "off", "channel": "5.0/edge"}), &[]);
        check(
            &json!({"name": "new", "dangerous": true, "devmode": true}),
            &["install --dangerous --devmode new"],
        );
        check(&json!({"name": "/srv/new_1.snap"}), &["install /srv/new_1.snap"]);
        check(&json!({"name": "foo", "revision": 5}), &["refresh --hold foo"]);
        check(&json!({"name": "off", "revision": 1}), &[]);
        check(&json!({"name": "off", "revision": 2}), &["refresh --revision 2 off", "refresh --hold off"]);
        check(&json!({"name": ["foo", "gone", "off"], "state": "absent"}), &["remove foo off"]);
        check(&json!({"name": ["foo", "off"], "state": "enabled"}), &["enable off"]);
        check(&json!({"name": ["foo", "off", "gone"], "state": "disabled"}), &["disable foo"]);
    }

    #[test]
    fn settings_are_set_where_they_differ() {
        check(&json!({"name": "foo", "options": ["a=1", "foo:b.c=x"]}), &[]);
        let result = check(&json!({"name": "foo", "options": ["a=1", "b.c=y"]}), &["set foo b.c=y"]);
        assert_eq!(result["options_changed"], json!(["foo:b.c=y"]));
        check(
            &json!({"name": "system", "options": ["refresh.timer=mon"]}),
            &["set system refresh.timer=mon"],
        );
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({"name": "nope"}), "Snaps not found: nope."),
            (json!({"name": "foo", "options": "x"}), "Cannot parse set option 'x': it is no key=value"),
            (
                json!({"name": "foo", "options": "off:x=1"}),
                "Snap option 'off:x=1' refers to snap which is not in the list of snap names",
            ),
            (json!({"name": "gone", "state": "enabled"}), "cannot enable gone: no such snap is installed"),
        ] {
            assert_eq!(trial().check(&args)["msg"], msg);
            assert_eq!(trial().run(&args)["msg"], msg);
        }
    }
}
