use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};
use crate::lineinfile::State;

/// Manages the capabilities of programs, with `setcap`.
///
/// Other capabilities of the file stay.
///
/// # Examples
///
/// ```yaml
/// - name: A server that may use low ports
///   capabilities: {path: /usr/local/bin/server, capability: cap_net_bind_service+ep}
///
/// - name: It may no more
///   capabilities: {path: /usr/local/bin/server, capability: cap_net_bind_service+ep, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The file.
    #[schemars(extend("aliases" = ["key"]))]
    pub path: String,
    /// The capabilities, with operator and flags: `cap_chown,cap_fowner+ep`.
    #[schemars(extend("aliases" = ["cap"]))]
    pub capability: String,
    /// Whether the file has them.
    #[serde(default)]
    pub state: State,
}

#[derive(Serialize)]
pub struct Returns {
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
}

/// Name of a capability -> its flags, in the order of `eip`.
type Capabilities = BTreeMap<String, String>;

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let (getcap, setcap) = (sys.need("getcap")?, sys.need("setcap")?);
    let wanted = Clause::parse(&args.capability)
        .ok_or_else(|| Failure::new("Couldn't find operator (one of: ('=', '-', '+'))"))?;
    let output = sys.query(Command::new(getcap).args(["-v", &args.path]))?;
    if !output.ok() || output.stdout().contains("(No such file or directory)") || !output.stderr.is_empty() {
        let said = [output.stderr(), output.stdout()].concat();
        let failure = Failure::new(format!("Unable to get capabilities of {}", args.path));
        return Err(failure.with("stdout", "").with("stderr", said));
    }
    let text = output.stdout().trim().to_owned();
    let now = told(text.strip_prefix(&args.path).unwrap_or_default())
        .ok_or_else(|| Failure::new(format!("getcap tells what is not understood: {text}")))?;
    let mut new = now.clone();
    for name in &wanted.names {
        let flags = match args.state {
            State::Present => wanted.applied(now.get(name)),
            State::Absent => String::new(),
        };
        // Without flags it is none.
        if flags.is_empty() { drop(new.remove(name)) } else { drop(new.insert(name.clone(), flags)) }
    }
    if new.len() > 1 && new.contains_key("") {
        return Err(Failure::new(format!(
            "{}: all capabilities and single ones together are not supported: {text}",
            args.path
        )));
    }
    if new == now {
        return Ok(Returns { state: args.state, msg: None, stdout: None });
    }
    let text: Vec<String> = new.iter().map(|(name, flags)| format!("{name}={flags}")).collect();
    let text = if text.is_empty() { "=".to_owned() } else { text.join(" ") };
    let output = sys.exec(Command::new(setcap).args([&text, &args.path])).map_err(|failure| {
        let msg = format!("Unable to set capabilities of {}", args.path);
        Failure { msg, ..failure }.without("cmd").without("rc")
    })?;
    let stdout = output.map(|output| output.stdout().into_owned());
    Ok(Returns { state: args.state, msg: Some("capabilities changed"), stdout })
}

/// What `getcap` says behind the path, in the words of old or of new: ` = cap_chown+ep`, ` cap_chown=ep`, ` =ep`.
/// `None` for what it never says, or says of what is taken from all.
fn told(text: &str) -> Option<Capabilities> {
    let text = text.trim();
    let text = text.strip_prefix("= ").unwrap_or(text);
    let mut capabilities = Capabilities::new();
    for clause in text.split_whitespace() {
        let clause = Clause::parse(clause).filter(|clause| clause.operator != '-')?;
        let flags = clause.applied(None);
        if !flags.is_empty() {
            capabilities.extend(clause.names.into_iter().map(|name| (name, flags.clone())));
        }
    }
    Some(capabilities)
}

/// `cap_chown,cap_fowner+ep`. All of them have no name.
struct Clause {
    names: Vec<String>,
    operator: char,
    flags: String,
}

impl Clause {
    /// `None` without an operator.
    fn parse(text: &str) -> Option<Self> {
        let (names, rest) = text.split_at_checked(text.find(['=', '-', '+'])?)?;
        let given = rest.trim_start_matches(['=', '-', '+']);
        let flags = ['e', 'i', 'p'].into_iter().filter(|flag| given.contains(*flag)).collect();
        let name = |name: &str| match name.trim().to_lowercase() {
            all if all == "all" => String::new(),
            name => name,
        };
        Some(Self { names: names.split(',').map(name).collect(), operator: rest.chars().next()?, flags })
    }

    /// The flags of a capability that has these.
    fn applied(&self, now: Option<&String>) -> String {
        match (self.operator, now) {
            ('-', Some(now)) => now.chars().filter(|flag| !self.flags.contains(*flag)).collect(),
            ('-', None) => String::new(),
            _ => self.flags.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    fn check(has: &str, capability: &str, state: &str, expected: Option<&str>) {
        let trial = Trial::of("capabilities");
        trial.host.program("/usr/sbin/getcap").program("/usr/sbin/setcap");
        trial.host.answer("/usr/sbin/getcap", 0, &format!("/f{has}\n"));
        trial.host.answer("/usr/sbin/setcap", 0, "");
        let args = json!({"path": "/f", "capability": capability, "state": state});
        trial.foretold(&args, expected.is_some());
        let ran = trial.host.ran();
        let set = ran.get(2).map(|line| line.trim_start_matches("/usr/sbin/"));
        assert_eq!(set, expected, "{capability}");
    }

    #[test]
    fn capabilities_come_and_go() {
        check("", "cap_chown+ep", "present", Some("setcap cap_chown=ep /f"));
        check(" cap_chown=ep", "cap_chown+ep", "present", None);
        check(" = cap_chown+ep", "CAP_CHOWN=pe", "present", None);
        let both = Some("setcap cap_chown=ep cap_kill=i cap_net_raw=i /f");
        check(" cap_chown=ep", "cap_kill,cap_net_raw+i", "present", both);
        check(" cap_chown,cap_kill=ep", "cap_kill+ep", "absent", Some("setcap cap_chown=ep /f"));
        check(" cap_chown=ep", "cap_chown+ep", "absent", Some("setcap = /f"));
        check(" cap_chown=ep", "cap_kill+ep", "absent", None);
        // By its name, whatever its flags.
        check(" cap_chown=eip", "cap_chown+ep", "absent", Some("setcap = /f"));
        check(" cap_chown=ep", "cap_chown-p", "present", Some("setcap cap_chown=e /f"));
        check(" cap_chown=ep", "cap_chown-ep", "present", Some("setcap = /f"));
        check(" cap_chown=ep", "cap_kill-ep", "present", None);
        check(" =ep", "=ep", "present", None);
        check(" =", "=ep", "present", Some("setcap =ep /f"));
        check(" =ep", "all=ep", "absent", Some("setcap = /f"));
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("capabilities");
        trial.host.program("/usr/sbin/getcap").program("/usr/sbin/setcap");
        trial.host.answer("/usr/sbin/getcap", 0, "/no (No such file or directory)\n");
        let got = trial.run(&json!({"path": "/no", "capability": "cap_chown+ep"}));
        assert_eq!(got["msg"], "Unable to get capabilities of /no");
        trial.host.answer("/usr/sbin/getcap", 0, "/f =ep cap_kill-e\n");
        let got = trial.run(&json!({"path": "/f", "capability": "cap_chown+ep"}));
        assert_eq!(got["msg"], "getcap tells what is not understood: /f =ep cap_kill-e");
        let got = trial.run(&json!({"path": "/f", "capability": "cap_chown"}));
        assert_eq!(got["msg"], "Couldn't find operator (one of: ('=', '-', '+'))");
    }
}
