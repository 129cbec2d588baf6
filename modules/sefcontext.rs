use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::command::yes;
use crate::kit::{Command, Failure, Result, System};
use crate::lineinfile::State;
use crate::seport::semanage;

/// Manages the contexts SELinux gives to files, with `semanage`.
///
/// Files that are there already keep theirs: `restorecon` is for them.
///
/// # Examples
///
/// ```yaml
/// - name: The web server may write there
///   sefcontext: {target: '/srv/git_repos(/.*)?', setype: httpd_sys_rw_content_t}
///
/// - name: As another directory
///   sefcontext: {target: /srv/containers, substitute: /var/lib/containers}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["setype", "substitute"], ["substitute", "ftype"], ["substitute", "seuser"], ["substitute", "selevel"]],
    "required_if" = [["state", "present", ["setype", "substitute"], true]],
))]
pub struct Args {
    /// The path, as a regular expression.
    #[schemars(extend("aliases" = ["path"]))]
    pub target: String,
    /// The kind of files: all, block devices, character devices, directories, files, links, pipes or sockets.
    pub ftype: Option<Ftype>,
    /// The type; `<<none>>` for none.
    pub setype: Option<String>,
    /// The path whose contexts count for the target, too.
    #[schemars(extend("aliases" = ["equal"]))]
    pub substitute: Option<String>,
    /// The user; else what it is, or `system_u`.
    pub seuser: Option<String>,
    /// The range; else what it is, or `s0`.
    #[schemars(extend("aliases" = ["serange"]))]
    pub selevel: Option<String>,
    /// Whether it is so. `absent` without type and substitute is about both.
    #[serde(default)]
    pub state: State,
    /// Whether the policy is loaded anew.
    #[serde(default = "yes")]
    pub reload: bool,
    /// Goes on where SELinux is off.
    #[serde(default)]
    pub ignore_selinux_state: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ftype {
    #[default]
    A,
    B,
    C,
    D,
    F,
    L,
    P,
    S,
}

impl Ftype {
    /// The option's letter, and semanage's words.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::A => ("a", "all files"),
            Self::B => ("b", "block device"),
            Self::C => ("c", "character device"),
            Self::D => ("d", "directory"),
            Self::F => ("f", "regular file"),
            Self::L => ("l", "symbolic link"),
            Self::P => ("p", "named pipe"),
            Self::S => ("s", "socket"),
        }
    }
}

#[derive(Serialize)]
pub struct Returns {
    target: String,
    ftype: Ftype,
    setype: Option<String>,
    substitute: Option<String>,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    seuser: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serange: Option<Json>,
}

const NONE: &str = "<<none>>";

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = semanage(args.ignore_selinux_state, sys)?;
    let command = || Command::new(&program).arg("fcontext");
    let mine = Listing::parse(&sys.ask(command().args(["-l", "-n", "-C"]))?.stdout());
    let all = Listing::parse(&sys.ask(command().args(["-l", "-n"]))?.stdout());
    let ftype = args.ftype.unwrap_or_default();
    let (letter, words) = ftype.names();
    let (mut user, mut range) = (None, None);
    let mut told = Vec::new();
    let ours = mine.context(&args.target, words);
    let has = all.context(&args.target, words);
    let change = |verb: &str| command().arg(verb).flag("-N", !args.reload);
    let line = |context: &str| format!("{}      {letter}      {context}\n", args.target);
    match (args.state, &args.setype, &args.substitute) {
        (State::Present, Some(setype), _) => {
            let old = has.as_ref().map(|context| Context::parse(context));
            let context = Context {
                user: args
                    .seuser
                    .clone()
                    .or_else(|| old.as_ref()?.user.clone())
                    .unwrap_or_else(|| "system_u".to_owned())
                    .into(),
                setype: setype.clone(),
                range: args
                    .selevel
                    .clone()
                    .or_else(|| old.as_ref()?.range.clone())
                    .unwrap_or_else(|| "s0".to_owned())
                    .into(),
            };
            let context = if setype == NONE { Context::default() } else { context };
            (user, range) = (context.user.clone(), context.range.clone());
            let new = context.text();
            if has.as_deref() != Some(new.as_str()) {
                let verb = if has.is_some() { "-m" } else { "-a" };
                let mut command = change(verb).args(["-t", setype, "-f", letter]);
                if setype != NONE {
                    command = command.opt("-s", user.as_ref()).opt("-r", range.as_ref());
                }
                sys.exec(command.arg(&args.target)).map_err(Failure::as_said)?;
                told.push(match &has {
                    Some(old) => {
                        format!("# Change to semanage file context mappings\n-{}+{}", line(old), line(&new))
                    }
                    None => format!("# Addition to semanage file context mappings\n+{}", line(&new)),
                });
            }
        }
        (State::Present, None, substitute) => {
            let wanted = substitute.as_deref().unwrap_or_default();
            let old = all.substitute(&args.target);
            if old != Some(wanted) {
                let verb = if old.is_some() { "-m" } else { "-a" };
                sys.exec(change(verb).args(["-e", wanted, &args.target])).map_err(Failure::as_said)?;
                let target = &args.target;
                told.push(match old {
                    Some(old) => format!(
                        "# Change to semanage file context path substitutions\n-{target} = {old}\n+{target} = {wanted}\n"
                    ),
                    None => format!("# Addition to semanage file context path substitutions\n+{target} = {wanted}\n"),
                });
            }
        }
        (State::Absent, setype, substitute) => {
            let old = mine.substitute(&args.target);
            if let Some(old) = old
                .filter(|old| setype.is_none() && substitute.as_deref().is_none_or(|wanted| wanted == *old))
            {
                sys.exec(change("-d").args(["-e", old, &args.target])).map_err(Failure::as_said)?;
                let target = &args.target;
                told.push(format!(
                    "# Deletion to semanage file context path substitutions\n-{target} = {old}\n"
                ));
            }
            if let Some(old) = ours.filter(|_| substitute.is_none()) {
                sys.exec(change("-d").args(["-f", letter, &args.target])).map_err(Failure::as_said)?;
                told.push(format!("# Deletion to semanage file context mappings\n-{}", line(&old)));
            }
        }
    }
    if !told.is_empty() {
        sys.tell_change(told.concat());
    }
    let present = args.state == State::Present;
    Ok(Returns {
        target: args.target,
        ftype,
        setype: args.setype,
        substitute: args.substitute,
        state: args.state,
        seuser: present.then(|| user.into()),
        serange: present.then(|| range.into()),
    })
}

/// `system_u:object_r:bin_t:s0`; nothing but a type for files without a context.
#[derive(Default)]
struct Context {
    user: Option<String>,
    setype: String,
    range: Option<String>,
}

impl Context {
    fn parse(text: &str) -> Self {
        let mut parts = text.splitn(4, ':').map(str::to_owned);
        let (user, _, setype, range) = (parts.next(), parts.next(), parts.next(), parts.next());
        Self { user: user.filter(|user| user != NONE), setype: setype.unwrap_or_default(), range }
    }

    fn text(&self) -> String {
        match (&self.user, &self.range) {
            (Some(user), Some(range)) => format!("{user}:object_r:{}:{range}", self.setype),
            _ => NONE.to_owned(),
        }
    }
}

/// `semanage fcontext -l`.
struct Listing {
    /// (target, kind of file, context)
    contexts: Vec<(String, String, String)>,
    substitutes: Vec<(String, String)>,
}

impl Listing {
    fn parse(text: &str) -> Self {
        let mut listing = Self { contexts: Vec::new(), substitutes: Vec::new() };
        for line in text.lines() {
            if let Some((target, other)) = line.split_once(" = ") {
                listing.substitutes.push((target.trim().to_owned(), other.trim().to_owned()));
                continue;
            }
            let parts: Vec<&str> = line.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect();
            let (target, kind, context) = match parts.as_slice() {
                [target, kind, context] => (*target, *kind, *context),
                // A long path leaves but one blank.
                [both, context] => match both.split_once(' ') {
                    Some((target, kind)) => (target, kind, *context),
                    None => continue,
                },
                _ => continue,
            };
            let context = if context.eq_ignore_ascii_case(NONE) { NONE } else { context };
            listing.contexts.push((target.to_owned(), kind.to_owned(), context.to_owned()));
        }
        listing
    }

    fn context(&self, target: &str, kind: &str) -> Option<String> {
        let found = self.contexts.iter().find(|(known, of, _)| known == target && of == kind);
        found.map(|(.., context)| context.clone())
    }

    fn substitute(&self, target: &str) -> Option<&str> {
        self.substitutes.iter().find(|(known, _)| known == target).map(|(_, other)| other.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("sefcontext");
        trial.host.file("/sys/fs/selinux/enforce", "1").program("/usr/sbin/semanage");
        trial.host.answer("/usr/sbin/semanage", 0, "");
        let own = "/srv/git(/.*)?                                     all files          system_u:object_r:a_t:s0 \n\
                   /srv/no                                            all files          <<None>>\n/srv/c = /var/c\n";
        trial.host.answer("/usr/sbin/semanage fcontext -l", 0, own);
        trial
    }

    fn check(args: &Json, expected: Option<&str>, diff: &str) -> Json {
        let trial = trial();
        let got = trial.foretold(args, expected.is_some());
        let ran = trial.host.ran();
        let made = ran.iter().find(|line| !line.contains(" -l"));
        assert_eq!(
            made.map(|line| line.trim_start_matches("/usr/sbin/semanage fcontext ")),
            expected,
            "{args}"
        );
        let told = trial.check(args);
        assert_eq!(told.pointer("/diff/prepared").and_then(Json::as_str).unwrap_or_default(), diff, "{args}");
        got
    }

    #[test]
    fn contexts() {
        let git = "/srv/git(/.*)?";
        let got = check(&json!({"target": git, "setype": "a_t"}), None, "");
        assert_eq!((&got["seuser"], &got["serange"]), (&json!("system_u"), &json!("s0")));
        check(
            &json!({"target": git, "setype": "b_t", "seuser": "user_u"}),
            Some("-m -t b_t -f a -s user_u -r s0 /srv/git(/.*)?"),
            "# Change to semanage file context mappings\n-/srv/git(/.*)?      a      system_u:object_r:a_t:s0\n\
             +/srv/git(/.*)?      a      user_u:object_r:b_t:s0\n",
        );
        check(
            &json!({"target": "/x", "setype": "b_t", "ftype": "d", "reload": false}),
            Some("-a -N -t b_t -f d -s system_u -r s0 /x"),
            "# Addition to semanage file context mappings\n+/x      d      system_u:object_r:b_t:s0\n",
        );
        check(&json!({"target": "/srv/no", "setype": "<<none>>"}), None, "");
        check(
            &json!({"target": git, "state": "absent"}),
            Some("-d -f a /srv/git(/.*)?"),
            "# Deletion to semanage file context mappings\n-/srv/git(/.*)?      a      system_u:object_r:a_t:s0\n",
        );
        check(&json!({"target": git, "state": "absent", "ftype": "d"}), None, "");
    }

    #[test]
    fn substitutes() {
        check(&json!({"target": "/srv/c", "substitute": "/var/c"}), None, "");
        check(
            &json!({"target": "/srv/c", "substitute": "/var/d"}),
            Some("-m -e /var/d /srv/c"),
            "# Change to semanage file context path substitutions\n-/srv/c = /var/c\n+/srv/c = /var/d\n",
        );
        check(
            &json!({"target": "/srv/c", "state": "absent"}),
            Some("-d -e /var/c /srv/c"),
            "# Deletion to semanage file context path substitutions\n-/srv/c = /var/c\n",
        );
        check(&json!({"target": "/srv/c", "substitute": "/other", "state": "absent"}), None, "");
        let neither = trial().run(&json!({"target": "/srv/c"}));
        assert_eq!(
            neither["msg"],
            "state is present but any of the following are missing: setype, substitute"
        );
    }
}
