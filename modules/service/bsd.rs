//! Services of FreeBSD: scripts of rc, which `service` runs, and switches in `rc.conf`, which `sysrc` sets.

use super::Args;
use crate::kit::{Command, Failure, Result, System};
use crate::systemd::State;

pub(super) fn ensure(args: &Args, sys: &mut System<'_>) -> Result<()> {
    let service = Command::new(sys.need("service")?).args(args.arguments.split_whitespace()).arg(&args.name);
    if let Some(enabled) = args.enabled {
        enable(&service, enabled, sys)?;
    }
    let Some(state) = args.state else { return Ok(()) };
    let status = sys.query(service.clone().arg("onestatus"))?;
    let running = match &args.pattern {
        Some(pattern) => sys.has_process(pattern)?,
        // The packet filter's script ends well in any case.
        None if args.name == "pf" => status.stdout().contains("Enabled"),
        None => status.ok(),
    };
    // `one…` works for what does not start at boot, too.
    let verb = match state {
        State::Started if !running => "onestart",
        State::Stopped if running => "onestop",
        State::Restarted => "onerestart",
        State::Reloaded if running => "onereload",
        State::Reloaded => "onestart",
        State::Started | State::Stopped => return Ok(()),
    };
    if status.stderr().contains("does not exist in") {
        return Err(Failure::new(status.stderr().trim()).with_output(&status));
    }
    sys.exec(service.arg(verb)).map(drop).map_err(Failure::as_said)
}

fn enable(service: &Command, enabled: bool, sys: &mut System<'_>) -> Result<()> {
    let told = sys.query(service.clone().arg("rcvar"))?;
    let text = told.stdout();
    // `nginx_enable="NO"`, between comments. The first counts: sendmail has several.
    let pair = text.lines().find_map(|line| {
        let (name, value) = line.trim().split_once('=')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_name.then(|| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
    });
    let Some((name, by_default)) = pair else {
        return Err(Failure::new("unable to determine rcvar").with_output(&told));
    };
    let sysrc = Command::new(sys.need("sysrc")?);
    let said = sys.query(sysrc.clone().arg("-n").arg(&name))?;
    let is = if said.ok() { said.stdout().trim().to_owned() } else { by_default };
    let wanted = if enabled { "YES" } else { "NO" };
    if is.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let done = sys.exec(sysrc.clone().arg(format!("{name}={wanted}")))?;
    // sysrc ends well where it may not write.
    if let Some(output) = done {
        let after = sys.query(sysrc.arg("-n").arg(&name))?;
        if !after.stdout().trim().eq_ignore_ascii_case(wanted) {
            let msg = "unable to set rcvar: sysrc did not change value";
            return Err(Failure::new(msg).with_output(&output));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;
    use crate::kit::{Command, Output};

    fn trial() -> Trial {
        let trial = Trial::of("service");
        trial.host.file("/etc/rc.subr", "");
        trial.host.program("/usr/sbin/service").program("/usr/sbin/sysrc");
        trial.host.answer("/usr/sbin/service", 0, "Starting web.\n");
        let rcvar = "# web : a web server\n#\nweb_enable=\"NO\"\n#   (default: \"\")\n";
        trial.host.answer("/usr/sbin/service web rcvar", 0, rcvar);
        trial.host.answer("/usr/sbin/service web onestatus", 1, "web is not running.\n");
        trial.host.answer("/usr/sbin/service -j 3 web onestatus", 1, "");
        trial.host.answer("/usr/sbin/service up onestatus", 0, "up is running as pid 5.\n");
        trial.host.answer("/usr/sbin/service pf onestatus", 0, "Status: Disabled for 0 days\n");
        let switch = Mutex::new("NO".to_owned());
        trial.host.script("/usr/sbin/sysrc", move |command: &Command, _| {
            let word = command.argv.last().unwrap().to_string_lossy().into_owned();
            let mut switch = switch.lock().unwrap();
            let Some((_, value)) = word.split_once('=') else {
                return Output { stdout: switch.clone().into(), ..Output::default() };
            };
            value.clone_into(&mut switch);
            Output::default()
        });
        trial
    }

    fn check(args: &Json, ran: &[&str]) -> Json {
        let trial = trial();
        let result = trial.foretold(args, !ran.is_empty());
        let lines = trial.host.ran();
        let looks = ["onestatus", "rcvar", "-n web_enable"];
        let acts = lines.iter().map(|line| line.trim_start_matches("/usr/sbin/"));
        let acts: Vec<&str> = acts.filter(|line| !looks.iter().any(|look| line.ends_with(look))).collect();
        assert_eq!(acts, ran, "{args}");
        result
    }

    #[test]
    fn services_of_freebsd() {
        let result = check(&json!({"name": "web", "state": "started"}), &["service web onestart"]);
        assert_eq!(result["state"], "started");
        check(&json!({"name": "up", "state": "started"}), &[]);
        check(&json!({"name": "up", "state": "stopped"}), &["service up onestop"]);
        check(&json!({"name": "web", "state": "reloaded"}), &["service web onestart"]);
        check(&json!({"name": "up", "state": "reloaded"}), &["service up onereload"]);
        check(&json!({"name": "web", "state": "restarted"}), &["service web onerestart"]);
        check(&json!({"name": "pf", "state": "started"}), &["service pf onestart"]);
        check(&json!({"name": "web", "enabled": true}), &["sysrc web_enable=YES"]);
        check(&json!({"name": "web", "enabled": false}), &[]);
        check(
            &json!({"name": "web", "state": "started", "arguments": "-j 3"}),
            &["service -j 3 web onestart"],
        );
    }

    #[test]
    fn what_is_not_there_does_not_start() {
        let trial = trial();
        let missing = "none does not exist in /etc/rc.d or the local startup directories";
        trial.host.script("/usr/sbin/service none", move |_: &Command, _| Output {
            code: 1,
            stderr: missing.into(),
            ..Output::default()
        });
        assert_eq!(trial.check(&json!({"name": "none", "state": "started"}))["msg"], missing);
        let result = trial.run(&json!({"name": "none", "enabled": true}));
        assert_eq!(result["msg"], "unable to determine rcvar");
        trial.host.answer("/usr/sbin/sysrc", 0, "NO\n");
        let result = trial.run(&json!({"name": "web", "enabled": true}));
        assert_eq!(result["msg"], "unable to set rcvar: sysrc did not change value");
    }
}
