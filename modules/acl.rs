use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::{Command, Failure, FilePath, Result, System};

/// Manages access control lists of files, with `setfacl`.
///
/// # Examples
///
/// ```yaml
/// - name: Joe may read the file
///   acl: {path: /etc/foo.conf, entity: joe, etype: user, permissions: r, state: present}
///
/// - name: What comes into the directory is Joe's to write
///   acl: {path: /etc/foo.d/, entry: "default:user:joe:rw-", state: present}
///
/// - name: What the file has
///   acl: {path: /etc/foo.conf}
///   register: foo_acl
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The file or directory.
    #[schemars(extend("aliases" = ["name"]))]
    pub path: FilePath,
    /// Whether the entry is there; `query` only tells what there is.
    #[serde(default)]
    pub state: State,
    /// The user or group; empty for the owner.
    #[serde(default)]
    pub entity: String,
    /// What kind of entry it is.
    pub etype: Option<Kind>,
    /// Letters of `rwxX`.
    pub permissions: Option<String>,
    /// The entry in one: `user:joe:rw-`, with `default:` before it for what comes into a directory.
    pub entry: Option<String>,
    /// Whether the entry is for what comes into the directory.
    #[serde(default)]
    pub default: bool,
    /// Whether a symbolic link is followed.
    #[serde(default = "yes")]
    pub follow: bool,
    /// Whether all that is in the directory is meant, too.
    #[serde(default)]
    #[schemars(extend("aliases" = ["recurse"]))]
    pub recursive: bool,
    /// When the mask is made anew.
    #[serde(default)]
    pub recalculate_mask: Recalculate,
    /// Lists of NFSv4. They cannot be managed yet.
    #[serde(default)]
    pub use_nfsv4_acls: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Present,
    #[default]
    Query,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Group,
    Mask,
    Other,
    User,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Mask => "mask",
            Self::Other => "other",
            Self::User => "user",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "group" | "g" => Some(Self::Group),
            "mask" | "m" => Some(Self::Mask),
            "other" | "o" => Some(Self::Other),
            "user" | "u" => Some(Self::User),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recalculate {
    #[default]
    Default,
    #[serde(rename = "mask")]
    Always,
    #[serde(rename = "no_mask")]
    Never,
}

#[derive(Serialize)]
pub struct Returns {
    msg: String,
    acl: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if !sys.exists(&args.path)? {
        return Err(Failure::new("Path not found or not accessible."));
    }
    check(&args)?;
    let Some(entry) = Entry::of(&args)? else {
        return Ok(Returns { msg: "current acl".to_owned(), acl: list(&args, args.default, sys)? });
    };
    let default = args.default || entry.default;
    let is_there = args.state == State::Present;
    let setfacl = sys.need("setfacl")?;
    let command = |test: bool| {
        Command::new(&setfacl)
            .flag("--test", test)
            .flag("-n", args.recalculate_mask == Recalculate::Never)
            .flag("--mask", args.recalculate_mask == Recalculate::Always)
            .flag("-d", default)
            .flag("-R", args.recursive)
            .flag("-P", !args.follow)
            .args([if is_there { "-m" } else { "-x" }, &entry.text])
            .arg(&args.path.0)
    };
    let trial = sys.ask(command(true)).map_err(Failure::as_said)?;
    // A line per file: what it would have, or `*` where that is what it has.
    if trial.stdout().lines().any(|line| !line.ends_with(": *,*")) {
        sys.exec(command(false)).map_err(Failure::as_said)?;
    }
    let state = if is_there { "present" } else { "absent" };
    Ok(Returns { msg: format!("{} is {state}", entry.text), acl: list(&args, default, sys)? })
}

/// What does not go together.
fn check(args: &Args) -> Result<()> {
    let state = match args.state {
        State::Absent => "absent",
        State::Present => "present",
        State::Query => "query",
    };
    let wrong = match args.state {
        State::Query if args.recursive => Some("'recursive' MUST NOT be set when 'state=query'."),
        State::Query if args.recalculate_mask != Recalculate::Default => {
            Some("'recalculate_mask' MUST NOT be set to 'mask' or 'no_mask' when 'state=query'.")
        }
        _ if args.use_nfsv4_acls => Some("use_nfsv4_acls: lists of NFSv4 cannot be managed yet"),
        _ => None,
    };
    if let Some(wrong) = wrong {
        return Err(Failure::new(wrong));
    }
    match (&args.entry, args.state) {
        (Some(_), _) if args.etype.is_some() || args.permissions.is_some() || !args.entity.is_empty() => {
            Err(Failure::new("'entry' MUST NOT be set when 'entity', 'etype' or 'permissions' are set."))
        }
        (Some(_), State::Query) => Err(Failure::new("'entry' MUST NOT be set when 'state=query'.")),
        (None, State::Absent) if args.etype.is_none() && args.entity.is_empty() => {
            Err(Failure::new(format!("'entity' MUST be set when 'state={state}'.")))
        }
        (None, State::Absent | State::Present) if args.etype.is_none() => {
            Err(Failure::new(format!("'etype' MUST be set when 'state={state}'.")))
        }
        _ => Ok(()),
    }
}

struct Entry {
    /// As `setfacl` takes it.
    text: String,
    default: bool,
}

impl Entry {
    /// `None` when the list is only to be told.
    fn of(args: &Args) -> Result<Option<Self>> {
        let with = args.state == State::Present;
        let text = |kind: Kind, entity: &str, permissions: Option<&str>| match permissions.filter(|_| with) {
            Some(permissions) => format!("{}:{entity}:{permissions}", kind.name()),
            None => format!("{}:{entity}", kind.name()),
        };
        if let Some(kind) = args.etype {
            let text = text(kind, &args.entity, args.permissions.as_deref());
            return Ok(Some(Self { text, default: false }).filter(|_| args.state != State::Query));
        }
        let Some(entry) = &args.entry else { return Ok(None) };
        let bad = || {
            Failure::new(format!("entry: '{entry}' is not of the form [default:]etype:entity:permissions"))
        };
        let mut parts: Vec<&str> = entry.split(':').collect();
        let default = parts.len() > 2 && matches!(parts.first(), Some(&("default" | "d")));
        if default {
            parts.remove(0);
        }
        let (kind, entity, permissions) = match parts.as_slice() {
            [kind, entity, permissions] => (kind, entity, Some(*permissions)),
            [kind, entity] => (kind, entity, None),
            _ => return Err(bad()),
        };
        let kind = Kind::parse(&kind.to_lowercase()).ok_or_else(bad)?;
        Ok(Some(Self { text: text(kind, entity, permissions), default }))
    }
}

fn list(args: &Args, default: bool, sys: &mut System<'_>) -> Result<Vec<String>> {
    let command = Command::new(sys.need("getfacl")?)
        .args(["--omit-header", "--absolute-names"])
        .flag("-R", args.recursive)
        .flag("-P", !args.follow)
        .flag("-d", default)
        .arg(&args.path.0);
    let output = sys.ask(command).map_err(Failure::as_said)?;
    let text = output.stdout();
    Ok(match text.trim() {
        "" => Vec::new(),
        text => text.lines().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial(told: &str) -> Trial {
        let trial = Trial::of("acl");
        trial.host.file("/f", "").program("/usr/bin/setfacl").program("/usr/bin/getfacl");
        trial.host.answer("/usr/bin/getfacl", 0, "user::rw-\nother::r--\n\n").answer(
            "/usr/bin/setfacl",
            0,
            "",
        );
        trial.host.answer("/usr/bin/setfacl --test", 0, told);
        trial
    }

    fn check(told: &str, mut args: Json, msg: &str, ran: &[&str]) {
        let trial = trial(told);
        args["path"] = json!("/f");
        let got = trial.check(&args);
        assert_eq!((&got["msg"], &got["changed"]), (&json!(msg), &json!(!ran.is_empty())), "{args}");
        let got = trial.run(&args);
        assert_eq!((&got["msg"], &got["changed"]), (&json!(msg), &json!(!ran.is_empty())), "{args}");
        assert_eq!(got["acl"], json!(["user::rw-", "other::r--"]));
        let lines = trial.host.ran();
        let lines: Vec<&str> = lines
            .iter()
            .map(String::as_str)
            .filter(|line| !line.contains("--test") && line.contains("setfacl"))
            .collect();
        assert_eq!(lines, ran, "{args}");
    }

    #[test]
    fn entries_come_and_go() {
        let same = "f: *,*\n";
        let other = "f: u::rw-,u:joe:r--,*\n";
        let joe = json!({"entity": "joe", "etype": "user", "permissions": "r", "state": "present"});
        check(same, joe.clone(), "user:joe:r is present", &[]);
        check(other, joe, "user:joe:r is present", &["/usr/bin/setfacl -m user:joe:r /f"]);
        let gone = json!({"entry": "default:u:joe:-", "state": "absent"});
        check(other, gone, "user:joe is absent", &["/usr/bin/setfacl -d -x user:joe /f"]);
        let all = json!({"etype": "group", "entity": "web", "permissions": "rX", "state": "present", "recurse": true,
                         "follow": false, "recalculate_mask": "no_mask"});
        check(other, all, "group:web:rX is present", &["/usr/bin/setfacl -n -R -P -m group:web:rX /f"]);
        check(other, json!({}), "current acl", &[]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (mut args, msg) in [
            (json!({"state": "present"}), "'etype' MUST be set when 'state=present'."),
            (json!({"state": "absent"}), "'entity' MUST be set when 'state=absent'."),
            (json!({"recursive": true}), "'recursive' MUST NOT be set when 'state=query'."),
            (json!({"entry": "user:x:r"}), "'entry' MUST NOT be set when 'state=query'."),
            (
                json!({"entry": "user:x:r", "etype": "user", "state": "present"}),
                "'entry' MUST NOT be set when 'entity', 'etype' or 'permissions' are set.",
            ),
            (
                json!({"use_nfsv4_acls": true, "etype": "user", "state": "present"}),
                "use_nfsv4_acls: lists of NFSv4 cannot be managed yet",
            ),
            (
                json!({"entry": "foo:x:r", "state": "present"}),
                "entry: 'foo:x:r' is not of the form [default:]etype:entity:permissions",
            ),
        ] {
            args["path"] = json!("/f");
            assert_eq!(trial("").run(&args)["msg"], msg);
        }
        assert_eq!(trial("").run(&json!({"path": "/none"}))["msg"], "Path not found or not accessible.");
    }
}
