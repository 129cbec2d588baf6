use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::{Command, Failure, Result, System};
use crate::lineinfile::State;
use crate::seboolean::{is_enabled, missing};

/// Manages the types SELinux gives to ports, with `semanage`.
///
/// # Examples
///
/// ```yaml
/// - name: The web server may listen there
///   seport: {ports: 8888, proto: tcp, setype: http_port_t}
///
/// - name: A range, and one more
///   seport: {ports: "10000-10100,10112", proto: tcp, setype: memcache_port_t}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The ports, and ranges of them.
    pub ports: Vec<String>,
    /// The protocol.
    pub proto: Proto,
    /// The type.
    pub setype: String,
    /// Whether the ports have the type.
    #[serde(default)]
    pub state: State,
    /// Whether the policy is loaded anew.
    #[serde(default = "yes")]
    pub reload: bool,
    /// Goes on where SELinux is off.
    #[serde(default)]
    pub ignore_selinux_state: bool,
    /// Looks only at what was set on this machine.
    #[serde(default)]
    pub local: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proto {
    Tcp,
    Udp,
    Dccp,
    Sctp,
}

impl Proto {
    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Dccp => "dccp",
            Self::Sctp => "sctp",
        }
    }
}

#[derive(Serialize)]
pub struct Returns {
    ports: Vec<String>,
    proto: Proto,
    setype: String,
    state: State,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let semanage = semanage(args.ignore_selinux_state, sys)?;
    let mine = known(&semanage, args.proto, true, sys)?;
    let all = if args.local { mine.clone() } else { known(&semanage, args.proto, false, sys)? };
    for port in &args.ports {
        let port = port.trim();
        let typed = |list: &[(String, String)]| {
            list.iter().find(|(_, known)| known == port).map(|(kind, _)| kind.clone())
        };
        let has = typed(&all);
        let verb = match args.state {
            State::Present if has.as_ref() == Some(&args.setype) => continue,
            // What the policy says stays beneath what is said here.
            State::Present if typed(&mine).is_some() => "-m",
            State::Present if has.is_some() => "-m",
            State::Present => "-a",
            State::Absent if has.as_ref() == Some(&args.setype) => "-d",
            State::Absent => continue,
        };
        let mut command = Command::new(&semanage).args(["port", verb]).flag("-N", !args.reload);
        command = command.args(["-p", args.proto.name()]);
        if args.state == State::Present {
            command = command.args(["-t", &args.setype]);
        }
        sys.exec(command.arg(port)).map_err(Failure::as_said)?;
    }
    Ok(Returns { ports: args.ports, proto: args.proto, setype: args.setype, state: args.state })
}

/// The program, where SELinux is on or need not be.
pub(crate) fn semanage(ignores_state: bool, sys: &System<'_>) -> Result<PathBuf> {
    if !ignores_state && !is_enabled(sys)? {
        return Err(Failure::new("SELinux is disabled on this host."));
    }
    sys.which("semanage").ok_or_else(|| missing("semanage", "policycoreutils-python-utils"))
}

/// (type, port or range) of a protocol.
fn known(
    semanage: &PathBuf,
    proto: Proto,
    local: bool,
    sys: &mut System<'_>,
) -> Result<Vec<(String, String)>> {
    let command = Command::new(semanage).args(["port", "-l", "-n"]).flag("-C", local);
    let output = sys.ask(command)?;
    let text = output.stdout();
    let of = |line: &str| -> Option<Vec<(String, String)>> {
        let mut words = line.split_whitespace();
        let (kind, protocol) = (words.next()?, words.next()?);
        (protocol == proto.name())
            .then(|| words.map(|port| (kind.to_owned(), port.trim_end_matches(',').to_owned())).collect())
    };
    Ok(text.lines().filter_map(of).flatten().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial(enabled: bool) -> Trial {
        let trial = Trial::of("seport");
        if enabled {
            trial.host.file("/sys/fs/selinux/enforce", "1");
        }
        trial.host.program("/usr/sbin/semanage").answer("/usr/sbin/semanage", 0, "");
        let own = "http_port_t                    tcp      8888\n";
        trial.host.answer(
            "/usr/sbin/semanage port -l",
            0,
            &format!("{own}memcache_port_t                tcp      10000-10100, 10112\nssh_port_t  tcp 22\n"),
        );
        trial.host.answer("/usr/sbin/semanage port -l -n -C", 0, own);
        trial
    }

    fn check(args: &Json, expected: &[&str]) {
        let trial = trial(true);
        trial.foretold(args, !expected.is_empty());
        let ran = trial.host.ran();
        let made: Vec<&str> = ran
            .iter()
            .filter(|line| !line.contains(" -l"))
            .map(|line| line.trim_start_matches("/usr/sbin/semanage port "))
            .collect();
        assert_eq!(made, expected, "{args}");
    }

    #[test]
    fn ports_have_types() {
        let port = |ports: &str, setype: &str, state: &str| json!({"ports": ports, "proto": "tcp", "setype": setype, "state": state});
        check(&port("8888", "http_port_t", "present"), &[]);
        check(&port("10000-10100,10112", "memcache_port_t", "present"), &[]);
        check(&port("9999,8888", "http_port_t", "present"), &["-a -p tcp -t http_port_t 9999"]);
        check(&port("22", "http_port_t", "present"), &["-m -p tcp -t http_port_t 22"]);
        check(&port("8888", "http_port_t", "absent"), &["-d -p tcp 8888"]);
        check(&port("8888", "ssh_port_t", "absent"), &[]);
        let local =
            json!({"ports": 22, "proto": "tcp", "setype": "ssh_port_t", "state": "absent", "local": true});
        check(&local, &[]);
    }

    #[test]
    fn selinux_must_be_on() {
        let args = json!({"ports": 1, "proto": "tcp", "setype": "x_t"});
        assert_eq!(trial(false).run(&args)["msg"], "SELinux is disabled on this host.");
        let anyway = json!({"ports": 1, "proto": "tcp", "setype": "x_t", "ignore_selinux_state": true, "reload": false});
        let trial = trial(false);
        assert_eq!(trial.run(&anyway)["changed"], true);
        assert_eq!(trial.host.ran().last().unwrap(), "/usr/sbin/semanage port -a -N -p tcp -t x_t 1");
    }
}
