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
    for program in ["getcap", "setcap"] {
        if sys.which(program).is_none() {
            let msg = format!(
                "Failed to find required executable \"{program}\": install libcap2-bin or libcap first"
            );
            return Err(Failure::new(msg));
        }
    }
    let wanted = parse(&args.capability)
        .ok_or_else(|| Failure::new("Couldn't find operator (one of: ('=', '-', '+'))"))?;
    let output = sys.query(Command::new("getcap").args(["-v", &args.path]))?;
    if !output.ok() || output.stdout().contains("(No such file or directory)") || !output.stderr.is_empty() {
        let said = [output.stderr(), output.stdout()].concat();
        let failure = Failure::new(format!("Unable to get capabilities of {}", args.path));
        return Err(failure.with("stdout", "").with("stderr", said));
    }
    let text = output.stdout().trim().to_owned();
    let text = text.strip_prefix(&args.path).unwrap_or_default().trim_start_matches(" =").trim();
    let now: Capabilities = text.split_whitespace().filter_map(parse).flatten().collect();
    let mut new = now.clone();
    match args.state {
        State::Present => new.extend(wanted),
        State::Absent => new.retain(|name, flags| wanted.get(name) != Some(flags)),
    }
    if new == now {
        return Ok(Returns { state: args.state, msg: None, stdout: None });
    }
    let text: Vec<String> = new.iter().map(|(name, flags)| format!("{name}={flags}")).collect();
    let text = if text.is_empty() { "=".to_owned() } else { text.join(" ") };
    let output = sys.exec(Command::new("setcap").args([&text, &args.path])).map_err(|failure| {
        let msg = format!("Unable to set capabilities of {}", args.path);
        Failure { msg, ..failure }.without("cmd").without("rc")
    })?;
    let stdout = output.map(|output| output.stdout().into_owned());
    Ok(Returns { state: args.state, msg: Some("capabilities changed"), stdout })
}

/// `cap_chown,cap_fowner+ep`; `None` without an operator.
fn parse(clause: &str) -> Option<Capabilities> {
    let at = clause.find(['=', '-', '+'])?;
    let (names, rest) = clause.split_at_checked(at)?;
    let given = rest.trim_start_matches(['=', '-', '+']);
    let flags: String = ['e', 'i', 'p'].into_iter().filter(|flag| given.contains(*flag)).collect();
    let flags = if rest.starts_with('-') { String::new() } else { flags };
    Some(names.split(',').map(|name| (name.trim().to_lowercase(), flags.clone())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    fn check(has: &str, capability: &str, state: &str, expected: Option<&str>) {
        let trial = Trial::of("capabilities");
        trial.host.program("/usr/sbin/getcap").program("/usr/sbin/setcap");
        trial.host.answer("getcap", 0, &format!("/f{has}\n")).answer("setcap", 0, "");
        let args = json!({"path": "/f", "capability": capability, "state": state});
        trial.foretold(&args, expected.is_some());
        assert_eq!(trial.host.ran().get(2).map(String::as_str), expected, "{capability}");
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
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("capabilities");
        trial.host.program("/usr/sbin/getcap").program("/usr/sbin/setcap");
        trial.host.answer("getcap", 0, "/no (No such file or directory)\n");
        let got = trial.run(&json!({"path": "/no", "capability": "cap_chown+ep"}));
        assert_eq!(got["msg"], "Unable to get capabilities of /no");
        let got = trial.run(&json!({"path": "/f", "capability": "cap_chown"}));
        assert_eq!(got["msg"], "Couldn't find operator (one of: ('=', '-', '+'))");
    }
}
