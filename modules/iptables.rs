mod rule;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::{Command, Failure, Output, Result, System};
use crate::lineinfile::State;

/// Manages the rules of the kernel's packet filter, through `iptables` and `ip6tables`.
///
/// Rules are changed in memory only: nothing saves or loads them. A `!` before an address, an interface, a protocol, a
/// port, an owner, a range or a set means all others.
///
/// # Examples
///
/// ```yaml
/// - name: Nobody comes from there
///   iptables:
///     chain: INPUT
///     source: 8.8.8.8
///     jump: DROP
///
/// - name: Established connections and SSH are let in
///   iptables:
///     chain: INPUT
///     protocol: tcp
///     destination_port: "22"
///     ctstate: [NEW, ESTABLISHED]
///     syn: match
///     jump: ACCEPT
///     comment: SSH
///
/// - name: All else is dropped
///   iptables: {chain: INPUT, policy: DROP, ip_version: both}
///
/// - name: A chain of our own
///   iptables: {chain: TESTCHAIN, chain_management: true}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["set_dscp_mark", "set_dscp_mark_class"], ["flush", "policy"]],
    "required_if" = [["jump", "TEE", ["gateway"]], ["jump", "tee", ["gateway"]], ["flush", false, ["chain"]]],
    "required_by" = {"set_dscp_mark": ["jump"], "set_dscp_mark_class": ["jump"], "match_set": ["match_set_flags"]},
))]
pub struct Args {
    /// The table.
    #[serde(default)]
    pub table: Table,
    /// The chain, one of the kernel's or of the user's.
    pub chain: Option<String>,
    /// Whether the rule is there.
    #[serde(default)]
    pub state: State,
    /// Where a new rule goes: to the bottom or to the top. One that is there is left where it is.
    #[serde(default)]
    pub action: Action,
    /// With `insert`: as which rule, counted from 1.
    pub rule_num: Option<String>,
    /// Which of the two packet filters.
    #[serde(default)]
    pub ip_version: IpVersion,
    /// Makes the chain with `present` where it is missing. With `absent`, and nothing more than `chain` and `table`:
    /// removes it.
    #[serde(default)]
    pub chain_management: bool,
    /// What becomes of packets that no rule of the chain is about. Nothing else is done then.
    pub policy: Option<Policy>,
    /// Removes all rules of the chain, or of the table when no chain is given. Nothing else is done then.
    #[serde(default)]
    pub flush: bool,
    /// Seconds to wait for others that change rules.
    pub wait: Option<String>,
    /// Does not look up names when chains are listed.
    #[serde(default)]
    pub numeric: bool,
    #[serde(flatten)]
    pub rule: rule::Options,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    #[default]
    Filter,
    Nat,
    Mangle,
    Raw,
    Security,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Nat => "nat",
            Self::Mangle => "mangle",
            Self::Raw => "raw",
            Self::Security => "security",
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    #[default]
    Append,
    Insert,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IpVersion {
    #[default]
    Ipv4,
    Ipv6,
    Both,
}

impl IpVersion {
    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Ipv4 => &["iptables"],
            Self::Ipv6 => &["ip6tables"],
            Self::Both => &["iptables", "ip6tables"],
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Policy {
    Accept,
    Drop,
    Queue,
    Return,
}

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Drop => "DROP",
            Self::Queue => "QUEUE",
            Self::Return => "RETURN",
        }
    }
}

#[derive(Serialize)]
pub struct Returns {
    ip_version: IpVersion,
    table: Table,
    chain: Option<String>,
    flush: bool,
    rule: String,
    state: State,
    chain_management: bool,
    wait: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let written = args.rule.words()?;
    let rule = args.rule.with_implied_jump()?.words()?;
    for program in args.ip_version.programs() {
        let program = Command::new(sys.need(program)?);
        let waits = waits(&program, &args, sys)?;
        Filter { program, args: &args, waits }.ensure(&rule, sys)?;
    }
    Ok(Returns {
        ip_version: args.ip_version,
        table: args.table,
        chain: args.chain,
        flush: args.flush,
        rule: written.join(" "),
        state: args.state,
        chain_management: args.chain_management,
        wait: args.wait,
    })
}

/// Whether it is told to wait: releases before 1.4.20 know nothing of it.
fn waits(program: &Command, args: &Args, sys: &mut System<'_>) -> Result<bool> {
    if args.wait.as_ref().is_none_or(String::is_empty) {
        return Ok(false);
    }
    let output = sys.query(program.clone().arg("--version"))?;
    let said = output.stdout();
    let version = said.split_whitespace().find_map(|word| word.strip_prefix('v')).unwrap_or_default();
    let numbers: Vec<u32> = version.split('.').filter_map(|number| number.parse().ok()).collect();
    Ok(numbers.is_empty() || numbers >= vec![1, 4, 20])
}

/// One of the two packet filters.
struct Filter<'a> {
    program: Command,
    args: &'a Args,
    waits: bool,
}

impl Filter<'_> {
    fn ensure(&self, rule: &[String], sys: &mut System<'_>) -> Result<()> {
        let args = self.args;
        if args.flush {
            return sys.exec(self.on_chain("-F")).map(drop);
        }
        if let Some(policy) = args.policy {
            return self.ensure_policy(policy, sys);
        }
        match args.state {
            State::Absent if rule.is_empty() => {
                if args.chain_management && self.chain(sys)?.is_some() {
                    sys.exec(self.on_chain("-X"))?;
                }
            }
            State::Absent => {
                if self.has(rule, sys)? {
                    sys.exec(self.on_chain("-D").args(rule))?;
                }
            }
            State::Present if rule.is_empty() => self.ensure_chain(sys)?,
            State::Present => {
                if !self.has(rule, sys)? {
                    if args.chain_management {
                        self.ensure_chain(sys)?;
                    }
                    sys.exec(self.added(rule))?;
                }
            }
        }
        Ok(())
    }

    fn ensure_chain(&self, sys: &mut System<'_>) -> Result<()> {
        if self.chain(sys)?.is_some() {
            return Ok(());
        }
        if !self.args.chain_management {
            let chain = self.args.chain.as_deref().unwrap_or_default();
            let msg = format!("there is no chain {chain} in the table {}", self.args.table.name());
            return Err(Failure::new(format!("{msg}: `chain_management: true` would make it")));
        }
        sys.exec(self.on_chain("-N")).map(drop)
    }

    fn ensure_policy(&self, policy: Policy, sys: &mut System<'_>) -> Result<()> {
        let output = sys.query(self.listing())?;
        if !output.ok() {
            let msg = format!("cannot list the chain: {}", output.stderr().trim());
            return Err(Failure::new(msg).with("rc", output.code));
        }
        let said = output.stdout();
        let now = said.split_once("(policy ").and_then(|(_, rest)| rest.split([' ', ')']).next());
        if now == Some(policy.name()) {
            return Ok(());
        }
        if now.is_none() {
            return Err(Failure::new("only chains of the kernel have a policy"));
        }
        sys.exec(self.on_chain("-P").arg(policy.name())).map(drop)
    }

    /// What is in the chain; `None` when there is no such chain.
    fn chain(&self, sys: &mut System<'_>) -> Result<Option<Output>> {
        Ok(Some(sys.query(self.listing())?).filter(Output::ok))
    }

    fn has(&self, rule: &[String], sys: &mut System<'_>) -> Result<bool> {
        Ok(sys.query(self.on_chain("-C").args(rule))?.ok())
    }

    fn listing(&self) -> Command {
        self.on_chain("-L").flag("--numeric", self.args.numeric)
    }

    fn added(&self, rule: &[String]) -> Command {
        let command = match (self.args.action, &self.args.rule_num) {
            (Action::Append, _) => self.on_chain("-A"),
            (Action::Insert, None) => self.on_chain("-I"),
            (Action::Insert, Some(number)) => {
                let command = self.command("-I").arg(self.args.chain.as_deref().unwrap_or_default());
                self.waiting(command.arg(number))
            }
        };
        command.args(rule)
    }

    fn on_chain(&self, verb: &str) -> Command {
        let command = self.command(verb);
        self.waiting(match &self.args.chain {
            Some(chain) => command.arg(chain),
            None => command,
        })
    }

    fn command(&self, verb: &str) -> Command {
        self.program.clone().args(["-t", self.args.table.name(), verb])
    }

    fn waiting(&self, command: Command) -> Command {
        command.opt("-w", self.args.wait.as_ref().filter(|_| self.waits))
    }
}

/// A mapping's list of words, given as one or as text with commas.
fn words(map: &Map<String, Json>, name: &str) -> Result<String> {
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let list = match map.get(name) {
        Some(Json::String(words)) => Some(words.clone()),
        Some(Json::Array(items)) => {
            items.iter().map(text).collect::<Option<Vec<_>>>().map(|words| words.join(","))
        }
        _ => None,
    };
    list.ok_or_else(|| Failure::new(format!("tcp_flags needs both flags and flags_set: {name} is no list")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    fn trial(has: bool) -> Trial {
        let trial = Trial::of("iptables");
        for program in ["/usr/sbin/iptables", "/usr/sbin/ip6tables"] {
            trial.host.program(program).answer(program, 0, "");
            trial.host.script(program, move |command, _| {
                let is = |verb: &str| command.argv.iter().any(|word| word.to_str() == Some(verb));
                let listed = "Chain INPUT (policy ACCEPT)\ntarget prot\n";
                let code = i32::from(is("-C") && !has || is("MISSING") && is("-L"));
                Output { code, stdout: listed.into(), ..Output::default() }
            });
        }
        trial
    }

    /// What runs besides looks, without the program's path.
    fn check(has: bool, args: &Json, expected: &[&str]) {
        let trial = trial(has);
        trial.foretold(args, !expected.is_empty());
        let looks = |line: &&String| ![" -C ", " -L ", " --version"].iter().any(|look| line.contains(look));
        let ran = trial.host.ran();
        let ran: Vec<&str> =
            ran.iter().filter(looks).map(|line| line.trim_start_matches("/usr/sbin/")).collect();
        assert_eq!(ran, expected, "{args}");
    }

    #[test]
    fn rules_are_there_or_not() {
        let rule = json!({"chain": "INPUT", "source": "8.8.8.8", "jump": "DROP"});
        check(false, &rule, &["iptables -t filter -A INPUT -s 8.8.8.8 -j DROP"]);
        check(true, &rule, &[]);
        let gone = json!({"chain": "INPUT", "jump": "DROP", "state": "absent"});
        check(true, &gone, &["iptables -t filter -D INPUT -j DROP"]);
        check(false, &gone, &[]);
        let first = json!({"chain": "INPUT", "jump": "X", "action": "insert", "rule_num": 5, "wait": 3,
                           "ip_version": "both"});
        let lines = ["iptables -t filter -I INPUT 5 -w 3 -j X", "ip6tables -t filter -I INPUT 5 -w 3 -j X"];
        check(false, &first, &lines);
        let result = trial(true).run(&rule);
        assert_eq!(result["rule"], "-s 8.8.8.8 -j DROP");
    }

    #[test]
    fn chains_and_policies() {
        check(true, &json!({"chain": "INPUT", "policy": "DROP"}), &["iptables -t filter -P INPUT DROP"]);
        check(true, &json!({"chain": "INPUT", "policy": "ACCEPT"}), &[]);
        check(true, &json!({"flush": true, "table": "nat"}), &["iptables -t nat -F"]);
        let chain =
            |name: &str, state: &str| json!({"chain": name, "chain_management": true, "state": state});
        check(true, &chain("MISSING", "present"), &["iptables -t filter -N MISSING"]);
        check(true, &chain("OWN", "present"), &[]);
        check(true, &chain("OWN", "absent"), &["iptables -t filter -X OWN"]);
        check(true, &chain("MISSING", "absent"), &[]);
        assert_eq!(trial(true).run(&json!({"chain": "MISSING"}))["failed"], true);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({"jump": "X"}), "flush is False but all of the following are missing: chain"),
            (
                json!({"chain": "INPUT", "flush": true, "policy": "DROP"}),
                "parameters are mutually exclusive: flush|policy",
            ),
            (
                json!({"chain": "INPUT", "jump": "ACCEPT", "log_prefix": "x"}),
                "Logging options can only be used with the LOG jump target.",
            ),
        ] {
            assert_eq!(trial(true).run(&args)["msg"], msg);
        }
    }
}
