mod setting;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::setting::Setting;
use crate::kit::{Command, Failure, Output, Result, System};

/// Manages the firewall with firewalld.
///
/// Each task is about one thing: a service, a port, a zone … Where firewalld does not run, its files are changed by
/// `firewall-offline-cmd`.
///
/// # Examples
///
/// ```yaml
/// - name: HTTPS is let in, now and after a boot
///   firewalld: {service: https, state: enabled, permanent: true, immediate: true}
///
/// - name: A port of a zone
///   firewalld: {zone: dmz, port: 8081/tcp, state: disabled, permanent: true}
///
/// - name: A zone of our own
///   firewalld: {zone: custom, state: present, permanent: true}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [[
        "icmp_block", "icmp_block_inversion", "service", "protocol", "port", "port_forward", "rich_rule", "interface",
        "forward", "masquerade", "source", "target",
    ]],
    "required_by" = {"interface": ["zone"], "target": ["zone"]},
))]
pub struct Args {
    /// Whether it is so; `present` and `absent` are for zones and their targets.
    pub state: State,
    /// The zone; else the one that is usual.
    pub zone: Option<String>,
    /// A service that is let in.
    pub service: Option<String>,
    /// A protocol that is let in.
    pub protocol: Option<String>,
    /// A port or several that are let in: `80/tcp`, `161-162/udp`.
    pub port: Option<String>,
    /// A port that is passed on.
    pub port_forward: Option<Vec<PortForward>>,
    /// A rule in firewalld's own language.
    pub rich_rule: Option<String>,
    /// A source that belongs to the zone.
    pub source: Option<String>,
    /// An interface that belongs to the zone.
    pub interface: Option<String>,
    /// A kind of ICMP that is not let in.
    pub icmp_block: Option<String>,
    /// Whether only what `icmp_block` names is let in.
    pub icmp_block_inversion: Option<bool>,
    /// Whether addresses are hidden.
    pub masquerade: Option<bool>,
    /// Whether packets are passed on within the zone.
    pub forward: Option<bool>,
    /// What becomes of packets that nothing is about.
    pub target: Option<Target>,
    /// Whether it is so after a boot.
    #[serde(default)]
    pub permanent: bool,
    /// Whether it is so now: usual where `permanent` is not set.
    #[serde(default)]
    pub immediate: bool,
    /// Seconds after which it is over, where it is not permanent.
    #[serde(default)]
    pub timeout: u64,
    /// Leaves `immediate` out where firewalld does not run.
    #[serde(default)]
    pub offline: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Disabled,
    Enabled,
    Present,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Present => "present",
        }
    }

    fn is_wanted(self) -> bool {
        matches!(self, Self::Enabled | Self::Present)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Target {
    #[serde(rename = "default")]
    Default,
    #[serde(rename = "ACCEPT")]
    Accept,
    #[serde(rename = "DROP")]
    Drop,
    #[serde(rename = "%%REJECT%%")]
    Reject,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Accept => "ACCEPT",
            Self::Drop => "DROP",
            Self::Reject => "%%REJECT%%",
        }
    }
}

/// Where packets of a port go.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PortForward {
    /// The port.
    #[serde(deserialize_with = "setting::text")]
    pub port: String,
    /// `tcp` or `udp`.
    pub proto: String,
    /// The port they go to.
    #[serde(deserialize_with = "setting::text")]
    pub toport: String,
    /// The address they go to.
    pub toaddr: Option<String>,
}

#[derive(Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "String::is_empty")]
    msg: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let setting = Setting::of(&args)?;
    let live = match sys.which("firewall-cmd") {
        Some(program) => {
            let command = Command::new(program);
            sys.query(command.clone().arg("--state"))?.ok().then_some(command)
        }
        None => None,
    };
    let immediate = args.immediate || !args.permanent;
    if live.is_none() && immediate && !(args.permanent && args.offline) {
        return Err(Failure::new(
            "firewall is not currently running, unable to perform immediate actions without a running firewall daemon",
        ));
    }
    if matches!(setting, Setting::Zone | Setting::Target(_)) && (!args.permanent || args.immediate) {
        return Err(Failure::new(
            "zones and their targets are permanent: permanent=true is needed, and no immediate=true",
        ));
    }
    let offline = live.is_none();
    let base = match live {
        Some(command) => command,
        None => Command::new(sys.need("firewall-offline-cmd")?),
    };
    let mut firewall = Firewall { args: &args, zone: String::new(), base, changes: Vec::new() };
    firewall.zone = match &args.zone {
        Some(zone) => zone.clone(),
        None => firewall.ask(&["--get-default-zone"], sys)?.stdout().trim().to_owned(),
    };
    // Only what is permanent is in files.
    let (permanent, now) = (args.permanent || offline, immediate && !offline);
    let mut changed = false;
    if permanent {
        let words: &[&str] = if offline { &[] } else { &["--permanent"] };
        changed |= firewall.ensure(&setting, words, "", sys)?;
    }
    if now {
        let ends = args.timeout > 0 && setting.may_end() && args.state.is_wanted();
        let timeout = if ends { format!("--timeout={}", args.timeout) } else { String::new() };
        changed |= firewall.ensure(&setting, &[], &timeout, sys)?;
    }
    let mut said = vec![
        match (permanent, now) {
            (true, true) => "Permanent and Non-Permanent(immediate) operation",
            (true, false) => "Permanent operation",
            (false, _) => "Non-permanent operation",
        }
        .to_owned(),
    ];
    if changed {
        firewall.changes.dedup();
        said.append(&mut firewall.changes);
    }
    if offline {
        said.push("(offline operation: only on-disk configs were altered)".to_owned());
    }
    Ok(Returns { msg: said.join(", ") })
}

struct Firewall<'a> {
    args: &'a Args,
    zone: String,
    base: Command,
    /// What was done, in words.
    changes: Vec<String>,
}

impl Firewall<'_> {
    fn command(&self, words: &[&str]) -> Command {
        self.base.clone().args(words.iter().copied().filter(|word| !word.is_empty()))
    }

    /// A question that must have an answer.
    fn ask(&self, words: &[&str], sys: &mut System<'_>) -> Result<Output> {
        sys.ask(self.command(words)).map_err(Failure::as_said)
    }

    /// `timeout` is for what is added: firewall-cmd takes none with a question.
    fn ensure(
        &mut self,
        setting: &Setting,
        scope: &[&str],
        timeout: &str,
        sys: &mut System<'_>,
    ) -> Result<bool> {
        let wanted = setting.is_wanted(self.args.state);
        let zone = format!("--zone={}", self.zone);
        let verb: String = match setting {
            Setting::Zone => {
                let listed = self.ask(&[scope, &["--get-zones"]].concat(), sys)?;
                let has = listed.stdout().split_whitespace().any(|known| known == self.zone);
                if has == wanted {
                    return Ok(false);
                }
                format!("--{}-zone={}", if wanted { "new" } else { "delete" }, self.zone)
            }
            Setting::Target(target) => {
                let target = if wanted { *target } else { Target::Default };
                let now = self.ask(&[scope, &[&zone, "--get-target"]].concat(), sys)?;
                if now.stdout().trim() == target.name() {
                    return Ok(false);
                }
                format!("--set-target={}", target.name())
            }
            Setting::Listed { name, value, .. } => {
                let query = joined("--query", name, value.as_deref());
                let has = self.has(&[scope, &[&zone, &query]].concat(), sys)?;
                if has == wanted {
                    return Ok(false);
                }
                joined(if wanted { setting.adding() } else { "--remove" }, name, value.as_deref())
            }
        };
        let zone = if matches!(setting, Setting::Zone) { String::new() } else { zone };
        sys.exec(self.command(&[scope, &[timeout, &zone, &verb]].concat())).map_err(Failure::as_said)?;
        self.changes.extend(setting.told(self.args, &self.zone));
        Ok(true)
    }

    /// A question answered by the exit code, 0 for yes, and 1 for no, which other failures have, too: then it says so.
    fn has(&self, words: &[&str], sys: &mut System<'_>) -> Result<bool> {
        let output = sys.query(self.command(words))?;
        match output.code {
            0 => Ok(true),
            1 if output.stdout().trim() == "no" => Ok(false),
            code => {
                let said =
                    [output.stderr(), output.stdout()].into_iter().find(|text| !text.trim().is_empty());
                let said = said.unwrap_or_default();
                Err(Failure::new(format!("ERROR: Exception caught: {}", said.trim())).with("rc", code))
            }
        }
    }
}

fn joined(verb: &str, name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{verb}-{name}={value}"),
        None => format!("{verb}-{name}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial(running: bool, has: bool) -> Trial {
        let trial = Trial::of("firewalld");
        for program in ["/usr/bin/firewall-cmd", "/usr/bin/firewall-offline-cmd"] {
            trial.host.program(program);
            trial.host.script(program, move |command, _| {
                let line = command.line();
                let stdout = match () {
                    () if line.contains("--get-default-zone") => "public\n",
                    () if line.contains("--get-zones") => "public dmz\n",
                    () if line.contains("--get-target") => "default\n",
                    () if line.contains("--query") => ["no\n", "yes\n"][usize::from(has)],
                    () => "",
                };
                let code = match () {
                    () if line.contains("--timeout") && !line.contains("--add-") => 2,
                    () if line.contains("--state") => i32::from(!running) * 252,
                    () if line.contains("--query") => i32::from(!has),
                    () => 0,
                };
                crate::kit::Output { code, stdout: stdout.into(), ..Default::default() }
            });
        }
        trial
    }

    fn check(running: bool, has: bool, args: Json, expected: &[&str], msg: &str) {
        let trial = trial(running, has);
        let got = trial.foretold(&args, !expected.is_empty());
        let looks = ["--get-", "--query", "--state"];
        let ran = trial.host.ran();
        let made: Vec<&str> = ran
            .iter()
            .filter(|line| !looks.iter().any(|look| line.contains(look)))
            .map(|line| line.trim_start_matches("/usr/bin/firewall-"))
            .collect();
        assert_eq!(made, expected, "{args}");
        assert_eq!(got["msg"], msg, "{args}");
    }

    #[test]
    fn what_is_let_in() {
        let https = |more: Json| {
            let mut args = json!({"service": "https", "state": "enabled"});
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            args
        };
        let told = "Changed service https to enabled";
        check(
            true,
            false,
            https(json!({"permanent": true})),
            &["cmd --permanent --zone=public --add-service=https"],
            &format!("Permanent operation, {told}"),
        );
        check(
            true,
            false,
            https(json!({"permanent": true, "immediate": true, "zone": "dmz"})),
            &["cmd --permanent --zone=dmz --add-service=https", "cmd --zone=dmz --add-service=https"],
            &format!("Permanent and Non-Permanent(immediate) operation, {told}"),
        );
        check(
            true,
            false,
            https(json!({"timeout": 5})),
            &["cmd --timeout=5 --zone=public --add-service=https"],
            &format!("Non-permanent operation, {told}"),
        );
        check(true, true, https(json!({"permanent": true})), &[], "Permanent operation");
        let offline = "(offline operation: only on-disk configs were altered)";
        check(
            false,
            false,
            https(json!({"permanent": true, "immediate": true, "offline": true})),
            &["offline-cmd --zone=public --add-service=https"],
            &format!("Permanent operation, {told}, {offline}"),
        );
    }

    #[test]
    fn other_things() {
        let permanent = |mut args: Json| {
            args["permanent"] = json!(true);
            args
        };
        let run = |has: bool, args: Json, line: &str, told: &str| {
            let line = format!("cmd --permanent {line}");
            check(true, has, permanent(args), &[&line], &format!("Permanent operation, {told}"));
        };
        run(
            true,
            json!({"port": "1/tcp", "state": "disabled"}),
            "--zone=public --remove-port=1/tcp",
            "Changed port 1/tcp to disabled",
        );
        run(
            false,
            json!({"source": "10.0.0.0/8", "zone": "dmz", "state": "enabled"}),
            "--zone=dmz --add-source=10.0.0.0/8",
            "Added 10.0.0.0/8 to zone dmz",
        );
        run(
            false,
            json!({"interface": "eth0", "zone": "dmz", "state": "enabled"}),
            "--zone=dmz --change-interface=eth0",
            "Changed eth0 to zone dmz",
        );
        run(
            true,
            json!({"masquerade": false, "zone": "dmz", "state": "enabled"}),
            "--zone=dmz --remove-masquerade",
            "Removed masquerade from zone dmz",
        );
        run(
            false,
            json!({"port_forward": [{"port": 443, "proto": "tcp", "toport": 8443}], "state": "enabled"}),
            "--zone=public --add-forward-port=port=443:proto=tcp:toport=8443:toaddr=",
            "Changed port_forward port=443:proto=tcp:toport=8443:toaddr= to enabled",
        );
        run(
            false,
            json!({"zone": "own", "state": "present"}),
            "--new-zone=own",
            "Added zone own, Changed zone own to present",
        );
        run(
            false,
            json!({"zone": "dmz", "target": "ACCEPT", "state": "present"}),
            "--zone=dmz --set-target=ACCEPT",
            "Set zone dmz target to ACCEPT",
        );
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let trial = trial(true, false);
        trial.host.answer("/usr/bin/firewall-cmd --zone=public --query-service=x", 1, "");
        let got = trial.run(&json!({"service": "x", "state": "enabled"}));
        assert_eq!((&got["failed"], &got["rc"]), (&json!(true), &json!(1)), "{got}");
        for args in [
            json!({"zone": "new", "state": "enabled", "permanent": true}),
            json!({"zone": "new", "state": "present", "permanent": true, "immediate": true}),
            json!({"zone": "dmz", "target": "DROP", "state": "enabled", "permanent": true, "immediate": true}),
        ] {
            assert_eq!(trial.run(&args)["failed"], json!(true), "{args}");
        }
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (running, args, msg) in [
            (
                false,
                json!({"service": "https", "state": "enabled"}),
                "firewall is not currently running, unable to perform immediate actions without a running firewall daemon",
            ),
            (true, json!({"port": "80", "state": "enabled"}), "improper port format (missing protocol?)"),
            (
                true,
                json!({"service": "x", "state": "present"}),
                "absent and present state can only be used in zone level operations",
            ),
        ] {
            assert_eq!(trial(running, false).run(&args)["msg"], msg);
        }
    }
}
