mod position;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::position::Position;
use crate::kit::{Command, Failure, Output, Result, System, quote};

/// Manages the firewall with ufw.
///
/// # Examples
///
/// ```yaml
/// - name: All is let in, and the firewall runs
///   ufw: {state: enabled, policy: allow}
///
/// - name: SSH, not too often
///   ufw: {rule: limit, port: ssh, proto: tcp}
///
/// - name: A rule before the others
///   ufw: {rule: deny, insert: 1, src: 10.0.0.0/8, dest: 172.16.3.34, port: 53, comment: no DNS}
///
/// - name: No such rule
///   ufw: {rule: allow, name: OpenSSH, delete: true}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [
        ["name", "proto", "logging"], ["direction", "interface_in"], ["direction", "interface_out"],
    ],
    "required_one_of" = [["state", "default", "rule", "logging"]],
    "required_by" = {"interface": ["direction"]},
))]
pub struct Args {
    /// Whether the firewall runs, now and at boot; `reloaded` reads its rules anew, `reset` drops them all.
    pub state: Option<State>,
    /// What becomes of traffic that no rule is about.
    #[schemars(extend("aliases" = ["policy"]))]
    pub default: Option<Policy>,
    /// Which way the traffic goes that a rule or `default` is about.
    pub direction: Option<Direction>,
    /// What is logged.
    pub logging: Option<Logging>,
    /// The rule comes before that one, counted from 1.
    pub insert: Option<i64>,
    /// From where `insert` counts.
    #[serde(default)]
    pub insert_relative_to: Position,
    /// What the rule does.
    pub rule: Option<Rule>,
    /// Whether packets of the rule are logged.
    #[serde(default)]
    pub log: bool,
    /// Where it comes from.
    #[serde(default = "any")]
    #[schemars(extend("aliases" = ["from", "src"]))]
    pub from_ip: String,
    /// From which port.
    pub from_port: Option<String>,
    /// Where it goes.
    #[serde(default = "any")]
    #[schemars(extend("aliases" = ["dest", "to"]))]
    pub to_ip: String,
    /// To which port.
    #[schemars(extend("aliases" = ["port"]))]
    pub to_port: Option<String>,
    /// The protocol.
    #[schemars(extend("aliases" = ["protocol"]))]
    pub proto: Option<Proto>,
    /// An application, of `/etc/ufw/applications.d`.
    #[schemars(extend("aliases" = ["app"]))]
    pub name: Option<String>,
    /// Whether the rule goes.
    #[serde(default)]
    pub delete: bool,
    /// The interface, in the rule's direction.
    #[schemars(extend("aliases" = ["if"]))]
    pub interface: Option<String>,
    /// The interface it comes in by.
    #[schemars(extend("aliases" = ["if_in"]))]
    pub interface_in: Option<String>,
    /// The interface it goes out by.
    #[schemars(extend("aliases" = ["if_out"]))]
    pub interface_out: Option<String>,
    /// Whether the rule is about what is passed on.
    #[serde(default)]
    pub route: bool,
    /// A comment of the rule.
    pub comment: Option<String>,
}

fn any() -> String {
    "any".to_owned()
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $(#[serde(rename = $word)] $variant),*
        }

        impl $name {
            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),*
                }
            }
        }
    )*};
}

words! {
    Policy { Allow = "allow", Deny = "deny", Reject = "reject" }
    Direction { In = "in", Incoming = "incoming", Out = "out", Outgoing = "outgoing", Routed = "routed" }
    Logging { On = "on", Off = "off", Low = "low", Medium = "medium", High = "high", Full = "full" }
    Rule { Allow = "allow", Deny = "deny", Limit = "limit", Reject = "reject" }
    Proto {
        Any = "any", Tcp = "tcp", Udp = "udp", Ipv6 = "ipv6", Esp = "esp", Ah = "ah", Gre = "gre", Igmp = "igmp",
        Vrrp = "vrrp",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Disabled,
    Enabled,
    Reloaded,
    Reset,
}

#[derive(Serialize)]
pub struct Returns {
    /// What was asked of ufw, in order.
    commands: Vec<String>,
    /// What ufw says of itself now.
    msg: String,
}

/// Where ufw keeps its rules.
const RULES: [&str; 6] = [
    "/lib/ufw/user.rules",
    "/lib/ufw/user6.rules",
    "/etc/ufw/user.rules",
    "/etc/ufw/user6.rules",
    "/var/lib/ufw/user.rules",
    "/var/lib/ufw/user6.rules",
];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = sys.need("ufw")?;
    check(&args)?;
    let mut ufw =
        Ufw { program: Command::new(program).env("LANG", "C").env("LC_ALL", "C"), commands: Vec::new() };
    let before = ufw.status(sys)?;
    if let Some(state) = args.state {
        ufw.reach(state, &before, sys)?;
    }
    if let Some(logging) = args.logging {
        ufw.log(logging, &before, sys)?;
    }
    if let Some(policy) = args.default {
        ufw.police(policy, args.direction, &before, sys)?;
    }
    if let Some(rule) = args.rule {
        ufw.rule(&args, rule, sys)?;
    }
    let msg = ufw.status(sys)?.text.trim_end().to_owned();
    Ok(Returns { commands: ufw.commands, msg })
}

/// What does not go together.
fn check(args: &Args) -> Result<()> {
    let short = matches!(args.direction, Some(Direction::In | Direction::Out));
    if args.default.is_some() && short {
        return Err(Failure::new(
            "For default, direction must be one of \"outgoing\", \"incoming\" and \"routed\", or direction must not be specified.",
        ));
    }
    if args.rule.is_some() && args.direction.is_some() && !short {
        return Err(Failure::new(
            "For rules, direction must be one of \"in\" and \"out\", or direction must not be specified.",
        ));
    }
    if args.interface_in.is_some() && args.interface_out.is_some() && !args.route {
        return Err(Failure::new("Only route rules can combine interface_in and interface_out"));
    }
    Ok(())
}

struct Ufw {
    program: Command,
    commands: Vec<String>,
}

/// `ufw status verbose`.
struct Status {
    text: String,
}

impl Status {
    fn line(&self, start: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix(start)).map(str::trim)
    }

    fn is_active(&self) -> bool {
        self.line("Status:") == Some("active")
    }
}

impl Ufw {
    fn command(&mut self, words: &[&str]) -> Command {
        let command = self.program.clone().args(words);
        self.commands.push(command.line());
        command
    }

    fn status(&mut self, sys: &mut System<'_>) -> Result<Status> {
        let output = sys.query(self.program.clone().args(["status", "verbose"]))?;
        if !output.ok() {
            return Err(self.failed(&output));
        }
        Ok(Status { text: output.stdout().into_owned() })
    }

    fn failed(&self, output: &Output) -> Failure {
        let said = [output.stderr(), output.stdout()].into_iter().find(|text| !text.trim().is_empty());
        Failure::new(said.unwrap_or_default()).with("commands", &self.commands)
    }

    /// What the rules are, as ufw keeps them.
    fn rules(sys: &System<'_>) -> Result<String> {
        let mut text = String::new();
        for file in RULES {
            let rules = sys.read_text_if_there(file.as_ref())?.unwrap_or_default();
            text.extend(
                rules.lines().filter(|line| line.starts_with("### tuple")).flat_map(|line| [line, "\n"]),
            );
        }
        Ok(text)
    }

    fn exec(&mut self, words: &[&str], sys: &mut System<'_>) -> Result<()> {
        let command = self.command(words);
        sys.exec(command).map(drop).map_err(|failure| {
            Failure { msg: failure.clone().as_said().msg, ..Failure::new("") }
                .with("commands", &self.commands)
        })
    }

    fn reach(&mut self, state: State, before: &Status, sys: &mut System<'_>) -> Result<()> {
        let (verb, needed) = match state {
            State::Enabled => ("enable", !before.is_active()),
            State::Disabled => ("disable", before.is_active()),
            State::Reloaded => ("reload", before.is_active()),
            State::Reset => ("reset", true),
        };
        if needed { self.exec(&["-f", verb], sys) } else { Ok(()) }
    }

    fn log(&mut self, logging: Logging, before: &Status, sys: &mut System<'_>) -> Result<()> {
        let now = before.line("Logging:").map(|line| line.replace(['(', ')'], ""));
        let now = now.as_deref().unwrap_or_default();
        let same = match logging {
            Logging::On => now.starts_with("on"),
            Logging::Off => now.starts_with("off"),
            level => now == format!("on {}", level.word()),
        };
        if same { Ok(()) } else { self.exec(&["logging", logging.word()], sys) }
    }

    fn police(
        &mut self,
        policy: Policy,
        direction: Option<Direction>,
        before: &Status,
        sys: &mut System<'_>,
    ) -> Result<()> {
        let direction = direction.map(Direction::word);
        if is_default(policy, direction, before, sys)? {
            return Ok(());
        }
        let words: Vec<&str> = ["default", policy.word()].into_iter().chain(direction).collect();
        self.exec(&words, sys)
    }

    /// ufw itself finds out what the rule changes: its files tell. A dry run says what they would be.
    fn rule(&mut self, args: &Args, rule: Rule, sys: &mut System<'_>) -> Result<()> {
        let words = self.words(args, rule, sys)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if sys.is_check() {
            let dry: Vec<&str> = ["--dry-run"].into_iter().chain(words.iter().copied()).collect();
            let command = self.command(&dry);
            let line = command.line();
            let output = sys.query(command)?;
            if !output.ok() {
                return Err(self.failed(&output));
            }
            if would_change(&output.stdout(), &Self::rules(sys)?) {
                sys.count_as_change(line);
            }
            return Ok(());
        }
        let before = Self::rules(sys)?;
        let command = self.command(&words);
        let line = command.line();
        let output = sys.query(command)?;
        if !output.ok() {
            return Err(self.failed(&output));
        }
        if Self::rules(sys)? != before {
            sys.count_as_change(line);
        }
        Ok(())
    }

    fn words(&mut self, args: &Args, rule: Rule, sys: &mut System<'_>) -> Result<Vec<String>> {
        let mut words: Vec<String> = Vec::new();
        let mut push = |list: &[&str]| words.extend(list.iter().map(|word| (*word).to_owned()));
        if args.route {
            push(&["route"]);
        }
        if args.delete {
            push(&["delete"]);
        }
        let numbered =
            if args.insert.is_some() && !args.delete { Some(self.status_numbered(sys)?) } else { None };
        if let (Some(insert), Some(numbered)) = (args.insert, numbered)
            && let Some(at) = args.insert_relative_to.number(insert, &numbered)
        {
            push(&["insert", &at.to_string()]);
        }
        push(&[rule.word()]);
        if let Some(direction) = args.direction {
            push(&[direction.word()]);
        }
        for (way, interface) in
            [("on", &args.interface), ("in on", &args.interface_in), ("out on", &args.interface_out)]
        {
            if let Some(interface) = interface {
                way.split(' ').for_each(|word| push(&[word]));
                push(&[interface]);
            }
        }
        if args.log {
            push(&["log"]);
        }
        push(&["from", &args.from_ip]);
        if let Some(port) = &args.from_port {
            push(&["port", port]);
        }
        push(&["to", &args.to_ip]);
        if let Some(port) = &args.to_port {
            push(&["port", port]);
        }
        if let Some(proto) = args.proto {
            push(&["proto", proto.word()]);
        }
        if let Some(name) = &args.name {
            push(&["app", name]);
        }
        if let Some(comment) = &args.comment {
            push(&["comment", comment]);
        }
        Ok(words)
    }

    fn status_numbered(&mut self, sys: &mut System<'_>) -> Result<String> {
        let output = sys.query(self.program.clone().args(["status", "numbered"]))?;
        if output.ok() { Ok(output.stdout().into_owned()) } else { Err(self.failed(&output)) }
    }
}

fn is_v6(tuple: &str) -> bool {
    tuple.contains("::")
}

/// Whether what a dry run shows are other rules than those that are there: it shows the files that the rule touches.
fn would_change(dry: &str, rules: &str) -> bool {
    let tells = |starts: &[&str]| dry.lines().any(|line| starts.iter().any(|start| line.starts_with(start)));
    // Of two kinds of rules one may be new, and the other not.
    if tells(&["Skipping", "Could not delete"]) && !tells(&["Rule"]) {
        return false;
    }
    let would: Vec<&str> = dry.lines().filter(|line| line.starts_with("### tuple")).collect();
    let has_4 = tells(&[":ufw-user-input"]) || would.iter().any(|line| !is_v6(line));
    let has_6 = tells(&[":ufw6-user-input"]) || would.iter().any(|line| is_v6(line));
    let now: Vec<&str> = rules.lines().filter(|line| if is_v6(line) { has_6 } else { has_4 }).collect();
    now != would
}

/// Whether a policy is the default already: `ufw` tells when it runs, its configuration else.
fn is_default(policy: Policy, direction: Option<&str>, before: &Status, sys: &System<'_>) -> Result<bool> {
    let direction = direction.unwrap_or("incoming");
    if before.is_active() {
        let line = before.line("Default:").unwrap_or_default().to_owned();
        // Where nothing is routed it does not tell what would become of it.
        if !line.split(", ").any(|part| part == format!("disabled ({direction})")) {
            return Ok(line.split(", ").any(|part| part == format!("{} ({direction})", policy.word())));
        }
    }
    let text = sys.read_text_if_there("/etc/default/ufw".as_ref())?.unwrap_or_default();
    let (key, wanted) = match (direction, policy) {
        ("outgoing", policy) => ("DEFAULT_OUTPUT_POLICY", policy),
        ("routed", policy) => ("DEFAULT_FORWARD_POLICY", policy),
        (_, policy) => ("DEFAULT_INPUT_POLICY", policy),
    };
    let wanted = match wanted {
        Policy::Allow => "ACCEPT",
        Policy::Deny => "DROP",
        Policy::Reject => "REJECT",
    };
    Ok(text.lines().any(|line| line.trim() == format!("{key}={}", quote_double(wanted))))
}

fn quote_double(word: &str) -> String {
    format!("\"{}\"", quote(word))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::host::Placement;
    use crate::kit::trial::Trial;

    fn trial(status: &'static str) -> Trial {
        let trial = Trial::of("ufw");
        trial.host.program("/usr/sbin/ufw").file("/etc/default/ufw", "DEFAULT_INPUT_POLICY=\"DROP\"\n");
        trial.host.file("/etc/ufw/user.rules", "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n");
        trial.host.script("/usr/sbin/ufw", move |command, host| {
            let line = command.line();
            let added = "### tuple ### allow any 25 0.0.0.0/0 any 0.0.0.0/0 in\n";
            let old = "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n";
            let stdout = match () {
                () if line.contains("status") => status.to_owned(),
                () if line.contains("--dry-run") && line.contains("25") => format!("{old}{added}"),
                () if line.contains("--dry-run") => "Skipping adding existing rule\n".to_owned(),
                () => String::new(),
            };
            if !line.contains("--dry-run") && line.contains("port 25") {
                let text = format!("{old}{added}");
                let path = "/etc/ufw/user.rules".as_ref();
                host.place(path, &mut text.as_bytes(), &Placement::default()).unwrap();
            }
            Output { stdout: stdout.into(), ..Output::default() }
        });
        trial
    }

    const ACTIVE: &str =
        "Status: active\nLogging: on (low)\nDefault: deny (incoming), allow (outgoing), disabled (routed)\n";
    const INACTIVE: &str = "Status: inactive\n";

    fn check(status: &'static str, args: Json, expected: Option<&str>, changed: bool) {
        let trial = trial(status);
        let got = trial.foretold(&args, changed);
        let line = expected.map(|words| format!("/usr/sbin/ufw {words}"));
        assert_eq!(got["commands"], json!(line.into_iter().collect::<Vec<_>>()), "{args}");
    }

    #[test]
    fn the_firewall_as_a_whole() {
        check(INACTIVE, json!({"state": "enabled"}), Some("-f enable"), true);
        check(ACTIVE, json!({"state": "enabled"}), None, false);
        check(ACTIVE, json!({"state": "disabled"}), Some("-f disable"), true);
        check(ACTIVE, json!({"logging": "on"}), None, false);
        check(ACTIVE, json!({"logging": "medium"}), Some("logging medium"), true);
        check(ACTIVE, json!({"policy": "deny"}), None, false);
        check(INACTIVE, json!({"policy": "deny"}), None, false);
        let routed = json!({"policy": "deny", "direction": "routed"});
        check(ACTIVE, routed, Some("default deny routed"), true);
        let trial = trial(ACTIVE);
        trial.host.file("/etc/default/ufw", "DEFAULT_FORWARD_POLICY=\"DROP\"\n");
        assert_eq!(trial.run(&json!({"policy": "deny", "direction": "routed"}))["changed"], false);
        check(
            ACTIVE,
            json!({"policy": "deny", "direction": "outgoing"}),
            Some("default deny outgoing"),
            true,
        );
    }

    #[test]
    fn a_dry_run_tells_of_a_change() {
        let (four, six) = ("### tuple ### allow any 1 0.0.0.0/0 x\n", "### tuple ### allow any 1 ::/0 x\n");
        let both = format!("{four}{six}");
        let (head_4, head_6) = (":ufw-user-input - [0:0]\n", ":ufw6-user-input - [0:0]\n");
        for (dry, rules, changes) in [
            ("Skipping adding existing rule\nSkipping adding existing rule (v6)\n".to_owned(), &*both, false),
            (format!("Skipping adding existing rule\n{head_6}{six}Rule added (v6)\n"), four, true),
            ("Could not delete non-existent rule\n".to_owned(), four, false),
            // The last rule of its kind goes.
            (format!("{head_4}Rules updated\n"), four, true),
            (format!("{head_4}Rules updated\n"), six, false),
            (format!("{head_4}{four}Rules updated\n"), &*both, false),
        ] {
            assert_eq!(super::would_change(&dry, rules), changes, "{dry}");
        }
    }

    #[test]
    fn rules() {
        let known = json!({"rule": "allow", "port": "22", "proto": "tcp"});
        check(ACTIVE, known, Some("allow from any to any port 22 proto tcp"), false);
        check(ACTIVE, json!({"rule": "allow", "port": "25"}), Some("allow from any to any port 25"), true);
        let all = json!({"rule": "deny", "src": "10.0.0.0/8", "from_port": 5, "dest": "::1", "log": true,
                         "direction": "in", "if": "eth0", "comment": "a note", "delete": true});
        let line = "delete deny in on eth0 log from 10.0.0.0/8 port 5 to ::1 comment 'a note'";
        check(ACTIVE, all, Some(line), false);
        let route = json!({"rule": "allow", "route": true, "if_in": "a", "if_out": "b", "insert": 2});
        check(ACTIVE, route, Some("route insert 2 allow in on a out on b from any to any"), false);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({}), "one of the following is required: state, default, rule, logging"),
            (
                json!({"rule": "allow", "interface": "x"}),
                "missing parameter(s) required by 'interface': direction",
            ),
            (
                json!({"rule": "allow", "interface_in": "x", "interface_out": "y"}),
                "Only route rules can combine interface_in and interface_out",
            ),
        ] {
            assert_eq!(trial(ACTIVE).run(&args)["msg"], msg);
        }
    }
}
