mod rules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::rules::{Line, Rule, read, words};
use crate::kit::{Failure, FilePath, Result, System, WriteOptions};

/// Manages the rules of PAM services.
///
/// Rules that are not meant stay as they are written.
///
/// # Examples
///
/// ```yaml
/// - name: Another control
///   pamd: {name: system-auth, type: auth, control: required, module_path: pam_faillock.so, new_control: sufficient}
///
/// - name: A rule behind another
///   pamd:
///     name: su
///     type: auth
///     control: sufficient
///     module_path: pam_rootok.so
///     new_type: auth
///     new_control: required
///     new_module_path: pam_wheel.so
///     module_arguments: use_uid
///     state: after
///
/// - name: No message of the day
///   pamd: {name: sshd, type: session, control: optional, module_path: pam_motd.so, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [
    ["state", "args_present", ["module_arguments"]],
    ["state", "args_absent", ["module_arguments"]],
    ["state", "before", ["new_control", "new_type", "new_module_path"]],
    ["state", "after", ["new_control", "new_type", "new_module_path"]],
]))]
pub struct Args {
    /// The service: a file in `path`.
    name: String,
    /// The rule's type.
    r#type: Kind,
    /// The rule's control: a word, or `[…]`.
    control: String,
    /// The rule's module.
    module_path: String,
    /// The type it gets, or that of the new rule.
    new_type: Option<Kind>,
    /// The control it gets, or that of the new rule.
    new_control: Option<String>,
    /// The module it gets, or that of the new rule.
    new_module_path: Option<String>,
    /// Arguments: all it has then (`updated`), those to add (`args_present`) or to remove (`args_absent`), or those of
    /// the new rule.
    module_arguments: Option<Vec<String>>,
    /// `updated` changes rules, `before` and `after` put a new one beside them, `absent` removes them.
    #[serde(default)]
    state: State,
    /// The directory of the services.
    #[serde(default = "usual")]
    path: FilePath,
    /// Keeps a copy of the old file, with the time in its name.
    #[serde(default)]
    backup: bool,
}

fn usual() -> FilePath {
    FilePath("/etc/pam.d".into())
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Account,
    #[serde(rename = "-account")]
    MaybeAccount,
    Auth,
    #[serde(rename = "-auth")]
    MaybeAuth,
    Password,
    #[serde(rename = "-password")]
    MaybePassword,
    Session,
    #[serde(rename = "-session")]
    MaybeSession,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::MaybeAccount => "-account",
            Self::Auth => "auth",
            Self::MaybeAuth => "-auth",
            Self::Password => "password",
            Self::MaybePassword => "-password",
            Self::Session => "session",
            Self::MaybeSession => "-session",
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    Absent,
    Before,
    After,
    ArgsAbsent,
    ArgsPresent,
    #[default]
    Updated,
}

#[derive(Serialize)]
pub struct Returns {
    /// How many rules were changed.
    change_count: usize,
    /// The copy of the old file.
    backupdest: String,
}

const CONTROLS: [&str; 6] = ["include", "optional", "required", "requisite", "substack", "sufficient"];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let given = args.module_arguments.as_deref().unwrap_or_default().join(" ");
    if let Some(text) = [&args.name, &given, &args.module_path].into_iter().find(|text| text.contains('\n')) {
        return Err(Failure::new(format!("{text:?} has a line break, and would be two lines of the file")));
    }
    if given.contains('[') && matches!(args.state, State::ArgsPresent | State::ArgsAbsent) {
        let state = if args.state == State::ArgsPresent { "args_present" } else { "args_absent" };
        return Err(Failure::new(format!(
            "Unable to process bracketed '[' complex arguments with '{state}'. Please use 'updated'."
        )));
    }
    let path = args.path.0.join(&args.name);
    let Some(old) = sys.read_to_rewrite(&path)? else {
        return Err(Failure::new(format!(
            "Unable to open/read PAM module file {}: No such file or directory",
            path.display()
        )));
    };
    let invalid = |line: String| Failure::new(format!("Rule is not valid {line}"));
    let mut lines = read(&old).map_err(invalid)?;
    let count = change(&mut lines, &args, &words(&given))?;
    let mut returns = Returns { change_count: count, backupdest: String::new() };
    if count > 0 {
        let new: String = lines.iter().map(Line::text).collect();
        let place = sys.resolve(&path)?;
        let options = WriteOptions { backup: args.backup, ..WriteOptions::default() };
        returns.backupdest = sys.write_with(&place, new, &options)?.backup_file.unwrap_or_default();
    }
    Ok(returns)
}

/// Changes the rules that are meant; how many that were.
fn change(lines: &mut Vec<Line>, args: &Args, given: &[String]) -> Result<usize> {
    let is_meant = |rule: &Rule| rule.is(args.r#type.name(), args.control.trim(), args.module_path.trim());
    let mut count = 0;
    let mut at = 0;
    while let Some(rule) = lines.get(at).map(|line| line.rule.clone()) {
        let Some(rule) = rule.filter(&is_meant) else {
            at += 1;
            continue;
        };
        match args.state {
            State::Absent => {
                lines.remove(at);
                count += 1;
                continue;
            }
            State::Before | State::After => {
                let new = wanted(args, &rule, given)?;
                let before = args.state == State::Before;
                if !neighbour(lines, at, before)
                    .is_some_and(|other| other.is(&new.kind, &new.control, &new.module))
                {
                    lines.insert(if before { at } else { at + 1 }, Line::of(new));
                    count += 1;
                    // Past the new one and the one that was meant.
                    at += 1;
                }
            }
            State::ArgsAbsent | State::ArgsPresent | State::Updated => {
                let mut new = rule.clone();
                match args.state {
                    State::ArgsAbsent => new.args.retain(|arg| !given.contains(arg)),
                    State::ArgsPresent => add(&mut new.args, given),
                    _ => {
                        new = wanted(args, &rule, given)?;
                        if args.module_arguments.is_some() {
                            new.args = given.to_vec();
                        }
                    }
                }
                if new != rule
                    && let Some(line) = lines.get_mut(at)
                {
                    line.replace(new);
                    count += 1;
                }
            }
        }
        at += 1;
    }
    Ok(count)
}

/// The rule with all that is new about it; a rule beside it has the arguments that are given.
fn wanted(args: &Args, old: &Rule, given: &[String]) -> Result<Rule> {
    let mut rule = old.clone();
    if let Some(kind) = args.new_type {
        kind.name().clone_into(&mut rule.kind);
    }
    if let Some(control) = &args.new_control {
        control.trim().clone_into(&mut rule.control);
    }
    if let Some(module) = &args.new_module_path {
        module.trim().clone_into(&mut rule.module);
    }
    if matches!(args.state, State::Before | State::After) {
        rule = Rule::new(&rule.kind, &rule.control, &rule.module, given.to_vec());
    }
    let control = &rule.control;
    let is_complex = control.starts_with('[') && control.ends_with(']');
    if !is_complex && !CONTROLS.contains(&control.as_str()) {
        return Err(Failure::new(format!("Rule control, {control}, is not valid in rule {}", rule.line())));
    }
    Ok(rule)
}

/// The next rule on that side; comments and blank lines do not count.
fn neighbour(lines: &[Line], at: usize, before: bool) -> Option<&Rule> {
    if before {
        lines.get(..at)?.iter().rev().find_map(|line| line.rule.as_ref())
    } else {
        lines.get(at + 1..)?.iter().find_map(|line| line.rule.as_ref())
    }
}

/// Adds arguments; one with a value takes the place of that name's other value.
fn add(args: &mut Vec<String>, given: &[String]) {
    for new in given {
        let same = |arg: &&mut String| match new.split_once('=') {
            Some((name, _)) => arg.split_once('=').is_some_and(|(other, _)| other == name),
            None => *arg == new,
        };
        match args.iter_mut().find(same) {
            Some(old) => old.clone_from(new),
            None => args.push(new.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const FILE: &str = "# PAM configuration
auth       required     pam_env.so # comment
auth\t[success=2 default=ignore]\tpam_unix.so nullok   try_first_pass
auth\trequisite\t\t\tpam_deny.so
-auth   optional pam_gnome_keyring.so
@include common-auth

session    optional     pam_motd.so  motd=/run/motd.dynamic
session    optional     pam_motd.so noupdate
session    required     pam_limits.so \\
    conf=/etc/x
";

    /// The file after a task, in lines that are not as before; and how many rules changed.
    fn check(mut args: Json, expected: &[&str]) -> Json {
        let trial = Trial::of("pamd");
        trial.host.file("/etc/pam.d/sshd", FILE);
        args["name"] = json!("sshd");
        let result = trial.lawful(&args);
        let after = trial.host.read("/etc/pam.d/sshd").unwrap();
        let new: Vec<&str> = after.lines().filter(|line| !FILE.lines().any(|old| old == *line)).collect();
        assert_eq!(new, expected, "{args}");
        result
    }

    fn rule(kind: &str, control: &str, module: &str, more: &Json) -> Json {
        let mut args = json!({"type": kind, "control": control, "module_path": module});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    }

    #[test]
    fn rules_change() {
        let unix = |more: Json| rule("auth", "[success=2 default=ignore]", "pam_unix.so", &more);
        let deny = |more: Json| rule("auth", "requisite", "pam_deny.so", &more);
        let motd = |more: Json| rule("session", "optional", "pam_motd.so", &more);
        let got = check(deny(json!({"new_control": "required"})), &["auth       required pam_deny.so"]);
        assert_eq!((&got["change_count"], &got["backupdest"]), (&json!(1), &json!("")));
        check(
            unix(json!({"new_control": "[success=1 default=ignore]", "module_arguments": "nullok secure"})),
            &["auth       [success=1 default=ignore] pam_unix.so nullok secure"],
        );
        check(unix(json!({"module_arguments": ""})), &["auth       [success=2 default=ignore] pam_unix.so"]);
        check(
            unix(json!({"module_arguments": "nullok,x=1", "state": "args_present"})),
            &["auth       [success=2 default=ignore] pam_unix.so nullok try_first_pass x=1"],
        );
        check(
            unix(json!({"module_arguments": ["nullok"], "state": "args_absent"})),
            &["auth       [success=2 default=ignore] pam_unix.so try_first_pass"],
        );
        let got = check(
            motd(json!({"module_arguments": "motd=/x", "state": "args_present"})),
            &["session    optional pam_motd.so motd=/x", "session    optional pam_motd.so noupdate motd=/x"],
        );
        assert_eq!(got["change_count"], 2);
        check(motd(json!({"module_arguments": "motd", "state": "args_absent"})), &[]);
        check(
            rule("auth", "required", "pam_env.so", &json!({"new_control": "sufficient"})),
            &["auth       sufficient pam_env.so # comment"],
        );
        check(
            rule(
                "session",
                "required",
                "pam_limits.so",
                &json!({"module_arguments": "y", "state": "args_present"}),
            ),
            &["session    required pam_limits.so conf=/etc/x y"],
        );
        check(rule("auth", "required", "pam_none.so", &json!({"new_control": "optional"})), &[]);
    }

    #[test]
    fn rules_come_and_go() {
        let new = json!({"new_type": "auth", "new_control": "sufficient", "new_module_path": "pam_x.so"});
        let at = |state: &str, more: Json| {
            let mut args = rule("auth", "requisite", "pam_deny.so", &new);
            args["state"] = json!(state);
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            args
        };
        check(at("before", json!({"module_arguments": "a b"})), &["auth       sufficient pam_x.so a b"]);
        check(at("after", json!({})), &["auth       sufficient pam_x.so"]);
        // It is there already, whatever its arguments.
        let unix = json!({
            "new_type": "auth", "new_control": "[success=2 default=ignore]", "new_module_path": "pam_unix.so",
            "module_arguments": "other", "state": "after",
        });
        check(rule("auth", "required", "pam_env.so", &unix), &[]);
        let gone = json!({"state": "absent"});
        let got = check(rule("session", "optional", "pam_motd.so", &gone), &[]);
        assert_eq!(got["change_count"], 2);
        assert_eq!(check(rule("-auth", "optional", "pam_gnome_keyring.so", &gone), &[])["change_count"], 1);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("pamd");
        trial.host.file("/etc/pam.d/sshd", FILE).file("/etc/pam.d/bad", "auth required\n");
        let msg = |name: &str, more: Json| {
            let mut args = rule("auth", "requisite", "pam_deny.so", &more);
            args["name"] = json!(name);
            trial.run(&args)["msg"].as_str().unwrap_or_default().to_owned()
        };
        let no_file = "Unable to open/read PAM module file /etc/pam.d/nosuch: No such file or directory";
        assert_eq!(msg("nosuch", json!({})), no_file);
        assert_eq!(msg("bad", json!({})), "Rule is not valid auth required");
        assert_eq!(
            msg("sshd", json!({"new_control": "bogus"})),
            "Rule control, bogus, is not valid in rule auth       bogus pam_deny.so"
        );
        let brackets =
            "Unable to process bracketed '[' complex arguments with 'args_present'. Please use 'updated'.";
        assert_eq!(msg("sshd", json!({"module_arguments": "[a b]", "state": "args_present"})), brackets);
        assert!(
            msg("sshd", json!({"state": "after"}))
                .starts_with("state is after but all of the following are missing")
        );
    }
}
