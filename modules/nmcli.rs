mod options;
mod settings;
mod shown;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::{Map, Value as Json};

pub use self::options::Args;
use self::options::{State, Type};
use self::settings::{Setting, Way, word};
use self::shown::Shown;
use crate::kit::{Command, Failure, Output, Result, System};

#[derive(Serialize)]
pub struct Returns {
    conn_name: String,
    state: State,
    #[serde(rename = "Connection", skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(rename = "Exists", skip_serializing_if = "Option::is_none")]
    exists: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    settings::check(&args)?;
    let mut nmcli = Nmcli { program: Command::new(sys.need("nmcli")?), args, sys };
    nmcli.warn_of_parts();
    nmcli.check_wireless()?;
    let is_there = nmcli.is_there()?;
    match nmcli.args.state {
        State::Absent if is_there => nmcli.remove(),
        State::Absent => Ok(nmcli.returns()),
        State::Present if is_there => nmcli.change(),
        State::Present => nmcli.add(),
        State::Up if !is_there => Err(nmcli.named("Connection does not exist")),
        State::Up => nmcli.bring_up(),
        State::Down if !is_there => {
            Err(Failure::new(format!("Connection {} does not exist", nmcli.args.conn_name)))
        }
        State::Down => nmcli.bring_down(),
    }
}

struct Nmcli<'a, 's> {
    program: Command,
    args: Args,
    sys: &'a mut System<'s>,
}

impl Nmcli<'_, '_> {
    fn command(&self, words: &[&str]) -> Command {
        self.program.clone().args(words.iter().copied())
    }

    fn returns(&self) -> Returns {
        Returns {
            conn_name: self.args.conn_name.clone(),
            state: self.args.state,
            connection: None,
            exists: None,
            msg: None,
            stdout: None,
        }
    }

    fn named(&self, msg: impl Into<String>) -> Failure {
        Failure::new(msg).with("name", &self.args.conn_name)
    }

    /// What `nmcli` said when it failed.
    fn failed(&self, output: &Output) -> Failure {
        let said = [output.stderr(), output.stdout()].into_iter().find(|text| !text.trim().is_empty());
        self.named(said.unwrap_or_default()).with("rc", output.code)
    }

    fn warn_of_parts(&mut self) {
        let Some((kind, only)) = self.args.kind.and_then(|kind| Some((kind, kind.part_of()?))) else {
            return;
        };
        let name = word(kind);
        if self.args.slave_type.is_none() {
            self.sys.warn(format!(
                "Connection 'slave-type' property automatically set to '{only}' because of using '{name}' connection type."
            ));
        }
        if kind == Type::BridgeSlave {
            self.sys.warn(format!(
                "Connection type as '{name}' implies 'ethernet' connection with '{only}' slave-type. Consider using \
                 slave_type='{only}' with necessary type."
            ));
        }
    }

    /// What NetworkManager does not know of wireless networks is an error, or left out where the user wishes so.
    fn check_wireless(&mut self) -> Result<()> {
        if self.args.kind != Some(Type::Wifi) {
            return Ok(());
        }
        for (option, group) in [("wifi", "802-11-wireless"), ("wifi_sec", "802-11-wireless-security")] {
            let mut given = match option {
                "wifi" => self.args.wifi.take(),
                _ => self.args.wifi_sec.take(),
            }
            .unwrap_or_default();
            if option == "wifi" && given.shift_remove("ssid").is_some() {
                self.sys.warn("Ignoring option 'wifi.ssid', it must be specified with option 'ssid'");
            }
            if !given.is_empty() {
                self.check_known(option, group, &mut given)?;
            }
            match option {
                "wifi" => self.args.wifi = Some(given),
                _ => self.args.wifi_sec = Some(given),
            }
        }
        Ok(())
    }

    fn check_known(&mut self, option: &str, group: &str, given: &mut Map<String, Json>) -> Result<()> {
        let asks = format!("print {group}\nquit\nyes\n");
        let output = self.sys.query(self.command(&["con", "edit", "type", "wifi"]).stdin(asks))?;
        if !output.ok() {
            return Err(self.failed(&output));
        }
        let text = output.stdout();
        let known = |key: &String| text.contains(&format!("\n{group}.{key}:"));
        let unknown: Vec<String> = given.keys().filter(|key| !known(key)).cloned().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = unknown.iter().map(|key| format!("\"{option}.{key}\"")).collect();
        let msg = format!("Invalid or unsupported option(s): {}", names.join(", "));
        if !self.args.ignore_unsupported_suboptions {
            return Err(Failure::new(msg));
        }
        self.sys.warn(msg);
        given.retain(|key, _| !unknown.contains(key));
        Ok(())
    }

    fn is_there(&mut self) -> Result<bool> {
        let words = ["--fields", "name", "--terse", "--escape", "no", "con", "show"];
        let output = self.sys.query(self.command(&words))?;
        if !output.ok() {
            return Err(self.failed(&output));
        }
        Ok(output.stdout().lines().any(|name| name == self.args.conn_name))
    }

    fn remove(&mut self) -> Result<Returns> {
        let name = self.args.conn_name.clone();
        // One that is not up cannot be brought down: that is no error.
        self.sys.attempt(self.command(&["con", "down", &name]))?;
        let output = self.sys.attempt(self.command(&["con", "del", &name]))?;
        self.done(output, &format!("Error removing connection named {name}"))
    }

    /// The end of a command. The module's `name` is what it was about.
    fn done(&self, output: Option<Output>, about: &str) -> Result<Returns> {
        match output {
            Some(output) if !output.ok() => Err(self.failed(&output).with("name", about)),
            output => {
                let stdout = output.map(|output| output.stdout().into_owned());
                Ok(Returns { stdout: stdout.filter(|text| !text.is_empty()), ..self.returns() })
            }
        }
    }

    fn add(&mut self) -> Result<Returns> {
        let name = self.args.conn_name.clone();
        let Some(kind) = self.args.kind else {
            return Err(self.named(format!("type is missing: there is no connection {name} yet")));
        };
        let wanted = settings::wanted(&self.args, true, |_| false)?;
        let command = self.command(&["con", "add", "type", &kind.told(), "con-name", &name]);
        let output = self.sys.attempt(told(command, &wanted))?;
        let connection = Some(format!("Connection {name} of Type {} is being added", word(kind)));
        let returns = Returns { connection, ..self.done(output, &name)? };
        self.tell_secrets(&wanted)?;
        if kind.is_brought_up(&self.args) {
            let output = self.sys.attempt(self.command(&["con", "up", &name]))?;
            self.done(output, &name)?;
        }
        Ok(returns)
    }

    fn change(&mut self) -> Result<Returns> {
        let name = self.args.conn_name.clone();
        let output = self.sys.query(self.command(&["--show-secrets", "con", "show", &name]))?;
        if !output.ok() {
            return Err(self.failed(&output).without("rc"));
        }
        let shown = Shown::of(&output.stdout());
        let wanted = settings::wanted(&self.args, false, |name| shown.has(name))?;
        if wanted.iter().all(|setting| shown.is(setting)) {
            let exists = Some("Connections already exist and no changes made");
            return Ok(Returns { exists, ..self.returns() });
        }
        let side = |value: &dyn Fn(&Setting) -> Json| -> Json {
            wanted.iter().map(|setting| (setting.name.clone(), value(setting))).collect::<Map<_, _>>().into()
        };
        let before = side(&|setting| shown::told(setting, shown.value(setting).as_ref()));
        let after = side(&|setting| shown::told(setting, Some(&setting.value)));
        let output = self.sys.attempt(told(self.command(&["con", "modify", &name]), &wanted))?;
        let exists = Some("Connections do exist so we are modifying them");
        let returns = Returns { exists, ..self.done(output, &name)? };
        self.tell_secrets(&wanted)?;
        self.sys.tell_states("", before, after);
        if self.args.conn_reload {
            self.reload()?;
        }
        Ok(returns)
    }

    /// What no list of processes may show goes by standard input.
    fn tell_secrets(&mut self, wanted: &[Setting]) -> Result<()> {
        let mut lines = Vec::new();
        for setting in wanted.iter().filter(|setting| setting.way == Way::Input) {
            let value = setting.value.told(&setting.name);
            if value.contains('\n') {
                return Err(self.named(format!("{} is one line, not several", setting.name)));
            }
            lines.push(format!("set {} {value}\n", setting.name));
        }
        if lines.is_empty() {
            return Ok(());
        }
        let command = self.command(&["con", "edit", &self.args.conn_name]);
        let lines = lines.concat();
        let Some(output) = self.sys.attempt(command.stdin(format!("{lines}save\nquit\nyes\n")))? else {
            return Ok(());
        };
        // The editor ends well whatever it was told.
        let said = format!("{}\n{}", output.stdout(), output.stderr());
        match said.lines().find(|line| line.starts_with("Error:")) {
            Some(error) => Err(self.named(error).with("rc", output.code)),
            None if output.ok() => Ok(()),
            None => Err(self.failed(&output)),
        }
    }

    fn reload(&mut self) -> Result<()> {
        match self.sys.housekeep(self.command(&["con", "reload"]))? {
            Some(output) if !output.ok() => Err(self.failed(&output)),
            _ => Ok(()),
        }
    }

    fn is_active(&mut self) -> Result<bool> {
        let words = ["--terse", "--escape", "no", "--fields", "GENERAL.STATE", "con", "show"];
        let output = self.sys.query(self.command(&words).arg(&self.args.conn_name))?;
        if !output.ok() {
            return Err(self.failed(&output));
        }
        Ok(output.stdout().contains("activated"))
    }

    fn bring_up(&mut self) -> Result<Returns> {
        let name = self.args.conn_name.clone();
        let is_active = self.is_active()?;
        if is_active && !self.args.conn_reload {
            let msg = Some(format!("Connection {name} is already active"));
            return Ok(Returns { msg, ..self.returns() });
        }
        if self.args.conn_reload {
            self.reload()?;
        }
        match self.sys.attempt(self.command(&["con", "up", &name]))? {
            Some(output) if !output.ok() => {
                let error = self.failed(&output).without("name");
                Err(error.context(format!("Error bringing up connection named {name}")))
            }
            _ => Ok(self.returns()),
        }
    }

    fn bring_down(&mut self) -> Result<Returns> {
        let name = self.args.conn_name.clone();
        if !self.is_active()? {
            let msg = Some(format!("Connection {name} is already inactive"));
            return Ok(Returns { msg, ..self.returns() });
        }
        if self.args.conn_reload {
            self.reload()?;
        }
        let output = self.sys.attempt(self.command(&["con", "down", &name]))?;
        let done = self.done(output, &format!("Error bringing down connection named {name}"))?;
        Ok(Returns { stdout: None, ..done })
    }
}

/// The command with what may be seen of the settings.
fn told(command: Command, wanted: &[Setting]) -> Command {
    wanted.iter().fold(command, |command, setting| {
        let value = setting.value.told(&setting.name);
        match setting.way {
            Way::Words => command.arg(&setting.name).arg(value),
            Way::BondOption => command.arg("+bond.options").arg(format!("{}={value}", setting.name)),
            Way::Input => command,
        }
    })
}
