use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::homebrew::{brew, usual};
use crate::kit::{Command, Failure, Result, System};

/// Manages Homebrew's taps: repositories of packages.
///
/// # Examples
///
/// ```yaml
/// - name: Two taps
///   homebrew_tap: {name: [homebrew/dupes, me/things]}
///
/// - name: From elsewhere
///   homebrew_tap: {name: telemachus/brew, url: 'https://bitbucket.org/telemachus/brew'}
///
/// - name: One that may be used
///   homebrew_tap: {name: me/things, trust: true}
///
/// - name: Gone
///   homebrew_tap: {name: homebrew/dupes, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The taps, as `user/repository`.
    #[schemars(extend("aliases" = ["tap"]))]
    pub name: Vec<String>,
    /// Where the one tap comes from; GitHub, if not given.
    pub url: Option<String>,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// Whether Homebrew trusts them; else that is left as it is.
    pub trust: Option<bool>,
    /// The directories to look for `brew` in, with colons between them.
    #[serde(default = "usual")]
    pub path: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    #[default]
    Present,
}

#[derive(Serialize)]
pub struct Returns {
    msg: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.url.is_some() && args.name.len() > 1 {
        return Err(Failure::new("List of multiple taps may not be provided with 'url' option."));
    }
    if args.trust == Some(true) && args.state == State::Absent {
        return Err(Failure::new("trust=true may not be used with state=absent."));
    }
    if let Some(wrong) = args.name.iter().find(|name| !is_tap(name)) {
        return Err(Failure::new(format!("not a valid tap: {wrong}")));
    }
    let brew = brew::find(&args.path, sys)?;
    let parts = match args.state {
        State::Present => [arrange(&brew, &args, sys)?, trust(&brew, &args, sys)?],
        State::Absent => [trust(&brew, &args, sys)?, arrange(&brew, &args, sys)?],
    };
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Ok(Returns { msg: parts.join(", ") })
}

fn is_tap(name: &str) -> bool {
    let word =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    name.split_once('/').is_some_and(|(user, repository)| word(user) && word(repository))
}

/// As Homebrew lists it: in small letters, without what all repositories' names begin with.
fn plain(name: &str) -> String {
    name.to_lowercase().replacen("/homebrew-", "/", 1)
}

/// Makes the taps be there, or not, and tells of it.
fn arrange(brew: &Command, args: &Args, sys: &mut System<'_>) -> Result<Option<String>> {
    let listed = sys.ask(brew.clone().arg("tap")).map_err(Failure::as_said)?;
    let there: BTreeSet<String> = listed.stdout().lines().map(|line| plain(line.trim())).collect();
    let (comes, verb) = match args.state {
        State::Present => (true, "tap"),
        State::Absent => (false, "untap"),
    };
    let work: Vec<&String> = args.name.iter().filter(|name| there.contains(&plain(name)) != comes).collect();
    for name in &work {
        let command = brew.clone().args([verb, name.as_str()]);
        let command = command.args(args.url.iter().filter(|_| comes).cloned());
        let failed = format!("failed to {verb}: {name} due to");
        sys.exec(command).map_err(|failure| failure.as_said().context(failed))?;
    }
    Ok(Some(match (&args.url, args.name.as_slice()) {
        (Some(_), [one]) if comes && work.is_empty() => format!("already tapped: {one}"),
        (Some(_), [one]) if comes => format!("successfully tapped: {one}"),
        _ => {
            let done = if comes { "added" } else { "removed" };
            format!("{done}: {}, unchanged: {}", work.len(), args.name.len() - work.len())
        }
    }))
}

/// Makes the taps be trusted, or not, where that is asked for, and tells of it.
fn trust(brew: &Command, args: &Args, sys: &mut System<'_>) -> Result<Option<String>> {
    let Some(wanted) = args.trust else { return Ok(None) };
    let output = sys.ask(brew.clone().args(["trust", "--json", "v1"])).map_err(|failure| {
        failure.as_said().context("brew cannot tell which taps it trusts, which takes a newer Homebrew")
    })?;
    let told: Json = serde_json::from_slice(&output.stdout)
        .map_err(|e| Failure::new(format!("brew trust is no JSON: {e}")).with_output(&output))?;
    let trusted: BTreeSet<String> = told
        .get("taps")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .map(plain)
        .collect();
    let work: Vec<&String> =
        args.name.iter().filter(|name| trusted.contains(&plain(name)) != wanted).collect();
    let (verb, done) = if wanted { ("trust", "trusted") } else { ("untrust", "untrusted") };
    if !work.is_empty() {
        let command = brew.clone().args([verb, "--tap"]).args(work.iter().map(|name| name.as_str()));
        sys.exec(command).map_err(|failure| failure.as_said().context(format!("failed to {verb}")))?;
    }
    Ok(Some(format!("{done}: {}, already {done}: {}", work.len(), args.name.len() - work.len())))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const BREW: &str = "/opt/homebrew/bin/brew";

    /// The commands that were run besides questions.
    fn check(args: &Json, msg: &str, ran: &[&str]) {
        let trial = Trial::of("homebrew_tap");
        trial.host.program(BREW).answer(BREW, 0, "").answer(
            &format!("{BREW} tap"),
            0,
            "me/things\nme/more\n",
        );
        trial.host.answer(&format!("{BREW} trust --json"), 0, r#"{"taps": ["me/things"]}"#);
        let result = trial.foretold(args, !ran.is_empty());
        assert_eq!(result["msg"], msg, "{args}");
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix(BREW)?.strip_prefix(' '));
        let acts: Vec<&str> = acts.filter(|line| !["tap", "trust --json v1"].contains(line)).collect();
        assert_eq!(acts, ran, "{args}");
    }

    #[test]
    fn taps_come_and_go() {
        check(&json!({"name": "Me/homebrew-things"}), "added: 0, unchanged: 1", &[]);
        check(&json!({"name": "me/more,a/b,c/d"}), "added: 2, unchanged: 1", &["tap a/b", "tap c/d"]);
        check(
            &json!({"name": "a/b", "url": "https://x/"}),
            "successfully tapped: a/b",
            &["tap a/b https://x/"],
        );
        check(&json!({"name": "me/more", "url": "https://x/"}), "already tapped: me/more", &[]);
        check(
            &json!({"name": ["me/more", "a/b"], "state": "absent"}),
            "removed: 1, unchanged: 1",
            &["untap me/more"],
        );
        check(
            &json!({"name": ["me/more", "me/things"], "trust": true}),
            "added: 0, unchanged: 2, trusted: 1, already trusted: 1",
            &["trust --tap me/more"],
        );
        check(
            &json!({"name": "me/things", "trust": false, "state": "absent"}),
            "untrusted: 1, already untrusted: 0, removed: 1, unchanged: 0",
            &["untrust --tap me/things", "untap me/things"],
        );
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("homebrew_tap");
        trial.host.program(BREW).answer(BREW, 1, "boom").answer(&format!("{BREW} tap"), 0, "");
        assert_eq!(trial.run(&json!({"name": "none"}))["msg"], "not a valid tap: none");
        let absent = trial.run(&json!({"name": "a/b", "trust": true, "state": "absent"}));
        assert_eq!(absent["msg"], "trust=true may not be used with state=absent.");
        trial.host.answer(&format!("{BREW} tap a/b"), 1, "no such repository");
        assert_eq!(
            trial.run(&json!({"name": "a/b"}))["msg"],
            "failed to tap: a/b due to: no such repository"
        );
    }
}
