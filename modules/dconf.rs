use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::kit::{Command, Failure, FileType, Output, Result, System};

/// Manages keys of dconf, the settings of GNOME's desktop.
///
/// They are those of the user whom the task runs as. That user's bus of the session is used where there is one; else
/// `dbus-run-session` gives one for the time of the task.
///
/// # Examples
///
/// ```yaml
/// - name: The colours are dark
///   dconf: {key: /org/gnome/desktop/interface/color-scheme, value: "'prefer-dark'"}
///
/// - name: The usual keyboard
///   dconf: {key: /org/gnome/desktop/input-sources/sources, state: absent}
///
/// - name: What is it?
///   dconf: {key: /org/gnome/desktop/interface/font-name, state: read}
///   register: font
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["value"]]]))]
pub struct Args {
    /// The key: `/org/gnome/…`.
    pub key: String,
    /// Its value as GVariant writes it: a text has quotes of its own, `"'text'"`.
    pub value: Option<Json>,
    /// What becomes of it; `read` only tells the value.
    #[serde(default)]
    pub state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Read,
    #[default]
    Present,
    Absent,
}

#[derive(Default, Serialize)]
pub struct Returns {
    /// Nothing where it was not asked; `null` where the key has no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Json>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = sys.need("dconf")?;
    let dconf = |words: &[&str]| Command::new(program.clone()).args(words.iter().copied());
    let output = sys.query(dconf(&["read", &args.key]))?;
    ended_well(&output, "reading")?;
    let now = Some(output.stdout().trim_end_matches('\n').to_owned()).filter(|value| !value.is_empty());
    let (words, doing) = match args.state {
        State::Read => return Ok(Returns { value: Some(now.map_or(Json::Null, Json::from)) }),
        State::Absent if now.is_none() => return Ok(Returns::default()),
        State::Absent => (vec!["reset".to_owned(), args.key], "resetting"),
        State::Present => {
            let value = text(&args.value.unwrap_or_default());
            if now.as_deref().is_some_and(|now| is_same(now, &value)) {
                return Ok(Returns::default());
            }
            (vec!["write".to_owned(), args.key, value], "writing")
        }
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let command = in_session(dconf(&words), sys)?;
    if let Some(output) = sys.attempt(command)? {
        ended_well(&output, doing)?;
    }
    Ok(Returns::default())
}

fn ended_well(output: &Output, doing: &str) -> Result<()> {
    if output.ok() {
        return Ok(());
    }
    let (out, err) = (output.stdout(), output.stderr());
    let msg = format!("dconf failed while {doing} the value with error: {}", err.trim());
    Err(Failure::new(msg).with("out", out).with("err", err))
}

/// What is changed is to be seen by what runs: it goes by the user's own bus.
fn in_session(command: Command, sys: &mut System<'_>) -> Result<Command> {
    const ADDRESS: &str = "DBUS_SESSION_BUS_ADDRESS";
    if sys.env(ADDRESS).is_some_and(|address| !address.is_empty()) {
        return Ok(command);
    }
    let (uid, _) = sys.identity();
    let socket = format!("/run/user/{uid}/bus");
    if sys.stat_followed(Path::new(&socket))?.is_some_and(|meta| meta.kind == FileType::Socket) {
        return Ok(command.env(ADDRESS, format!("unix:path={socket}")));
    }
    let Some(runner) = sys.which("dbus-run-session") else {
        return Err(Failure::new(format!(
            "there is no bus of a session at {socket}, and dbus-run-session is not installed"
        )));
    };
    Ok(Command::new(runner).args(command.argv))
}

/// YAML makes more of a value than a text.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        // GVariant's quotes are either kind.
        other => other.to_string(),
    }
}

/// Whether two texts are the same value. One without a type has that of the other: `5` is `uint32 5`.
fn is_same(now: &str, wanted: &str) -> bool {
    let (now, wanted) = (tokens(now), tokens(wanted));
    if now == wanted {
        return true;
    }
    let untyped = |tokens: &[String]| -> Vec<String> {
        tokens.iter().filter(|token| !is_type(token)).cloned().collect()
    };
    !wanted.iter().any(|token| is_type(token)) && untyped(&now) == wanted
}

const TYPES: &[&str] = &[
    "boolean",
    "byte",
    "double",
    "handle",
    "int16",
    "int32",
    "int64",
    "objectpath",
    "signature",
    "string",
    "uint16",
    "uint32",
    "uint64",
];

fn is_type(token: &str) -> bool {
    token.starts_with('@') || TYPES.contains(&token)
}

/// A value's words, signs and texts; the texts without the quotes they were in, behind one.
fn tokens(value: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        let is_sign = "[](){}<>,:".contains(c) && !word.starts_with('@');
        if (c.is_whitespace() || is_sign || c == '\'' || c == '"') && !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        match c {
            '\'' | '"' => tokens.push(quoted(&mut chars, c)),
            c if c.is_whitespace() => {}
            c if is_sign => tokens.push(c.to_string()),
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}

fn quoted(chars: &mut std::str::Chars<'_>, quote: char) -> String {
    let mut text = String::from("'");
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => break,
            '\\' => match chars.next() {
                Some(escaped @ ('\'' | '"')) => text.push(escaped),
                Some(escaped) => text.extend(['\\', escaped]),
                None => {}
            },
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::is_same;
    use crate::kit::Output;
    use crate::kit::host::Placement;
    use crate::kit::trial::Trial;

    const VALUE: &str = "/root/value";

    fn trial() -> Trial {
        let trial = Trial::of("dconf");
        trial.host.program("/usr/bin/dconf").program("/usr/bin/dbus-run-session");
        trial.host.script("/usr/bin/dconf read /a", |_, host| match host.open(Path::new(VALUE)) {
            Ok(file) => Output { stdout: std::io::read_to_string(file).unwrap().into(), ..Output::default() },
            Err(_) => Output::default(),
        });
        trial.host.script("/usr/bin/dbus-run-session /usr/bin/dconf write /a", |command, host| {
            let value = format!("{}\n", command.argv.last().unwrap().to_string_lossy());
            host.place(Path::new(VALUE), &mut value.as_bytes(), &Placement::default()).unwrap();
            Output::default()
        });
        trial.host.script("/usr/bin/dbus-run-session /usr/bin/dconf reset /a", |_, host| {
            host.remove(Path::new(VALUE)).unwrap();
            Output::default()
        });
        trial
    }

    #[test]
    fn keys_are_set_read_and_reset() {
        let trial = trial();
        assert_eq!(trial.run(&json!({"key": "/a", "state": "read"}))["value"], json!(null));
        trial.lawful(&json!({"key": "/a", "value": "'x'"}));
        assert_eq!(trial.run(&json!({"key": "/a", "value": "\"x\""}))["changed"], false);
        assert_eq!(trial.run(&json!({"key": "/a", "state": "read"}))["value"], "'x'");
        for value in [json!(true), json!(5), json!(["a", "b"])] {
            trial.lawful(&json!({"key": "/a", "value": value}));
        }
        assert_eq!(trial.host.read(VALUE).unwrap(), "[\"a\",\"b\"]\n");
        trial.lawful(&json!({"key": "/a", "state": "absent"}));
        assert_eq!(trial.run(&json!({"key": "/a"}))["failed"], true);
    }

    #[test]
    fn what_dconf_refuses_is_an_error() {
        let trial = trial();
        trial.host.script("/usr/bin/dconf read bad", |_, _| Output {
            code: 1,
            stderr: "error: dconf key must begin with a slash\n".into(),
            ..Output::default()
        });
        let got = trial.run(&json!({"key": "bad", "state": "read"}));
        assert_eq!(
            got["msg"],
            "dconf failed while reading the value with error: error: dconf key must begin with a slash"
        );
    }

    #[test]
    fn the_session_that_is_there_is_used() {
        let trial = trial();
        trial.host.set_env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/x");
        trial.host.answer("/usr/bin/dconf write", 0, "");
        trial.run(&json!({"key": "/a", "value": "1"}));
        assert_eq!(trial.host.ran(), ["/usr/bin/dconf read /a", "/usr/bin/dconf write /a 1"]);
    }

    #[test]
    fn values_are_the_same_however_they_are_written() {
        for (now, wanted, expected) in [
            ("'a'", "\"a\"", true),
            ("'a'", "'b'", false),
            ("['a', 'b']", "['a','b']", true),
            ("['a, b']", "['a','b']", false),
            ("[('xkb', 'us')]", "[( \"xkb\" , 'us')]", true),
            ("uint32 5", "5", true),
            ("uint32 5", "uint32 5", true),
            ("5", "uint32 5", false),
            ("@as []", "[]", true),
            ("@a(ss) []", "@a(ss) []", true),
            ("\"it's\"", "'it\\'s'", true),
            ("'a b'", "'ab'", false),
            ("true", "false", false),
        ] {
            assert_eq!(is_same(now, wanted), expected, "{now} {wanted}");
        }
    }
}
