use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::kit::{Command, Failure, Result, System};

/// Sets the time zone, and what the hardware clock shows.
///
/// # Examples
///
/// ```yaml
/// - name: Tokyo's time
///   timezone: {name: Asia/Tokyo}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["hwclock", "name"]]))]
pub struct Args {
    /// The zone.
    pub name: Option<String>,
    /// Whether the hardware clock shows UTC or local time.
    #[schemars(extend("aliases" = ["rtc"]))]
    pub hwclock: Option<Clock>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Clock {
    #[serde(rename = "local")]
    Local,
    #[serde(rename = "UTC")]
    Utc,
}

#[derive(Serialize)]
pub struct Returns {}

const ZONES: &str = "/usr/share/zoneinfo";

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let (mut before, mut after) = (Map::new(), Map::new());
    let systemd = sys.exists(Path::new("/run/systemd/system"))? && sys.which("timedatectl").is_some();
    if let Some(name) = &args.name {
        let zone = Path::new(ZONES).join(name);
        let good = !name.contains("..") && !name.starts_with('/');
        if !good || !sys.stat_followed(&zone)?.is_some_and(|meta| meta.is_file()) {
            return Err(Failure::new(format!("given timezone \"{name}\" is not available")));
        }
        let now = current(sys)?;
        if now != *name {
            if systemd {
                sys.exec(Command::new("timedatectl").arg("set-timezone").arg(name))?;
            } else {
                sys.symlink(&zone, Path::new("/etc/localtime"))?;
            }
        }
        before.insert("name".to_owned(), json!(now));
        after.insert("name".to_owned(), json!(name));
        let file = Path::new("/etc/timezone");
        if !systemd && sys.exists(file)? {
            sys.write(file, format!("{name}\n"))?;
        }
    }
    if let Some(clock) = args.hwclock {
        before.insert("hwclock".to_owned(), json!(set_clock(clock, systemd, sys)?));
        after.insert("hwclock".to_owned(), json!(clock));
    }
    if before != after {
        sys.tell_states("", Json::Object(before), Json::Object(after));
    }
    Ok(Returns {})
}

/// What `/etc/localtime` points to.
fn current(sys: &System<'_>) -> Result<String> {
    let link = Path::new("/etc/localtime");
    if sys.stat(link)?.is_some_and(|meta| meta.is_link()) {
        let target = sys.read_link(link)?.to_string_lossy().into_owned();
        if let Some((_, name)) = target.split_once("zoneinfo/") {
            return Ok(name.to_owned());
        }
    }
    Ok(sys.read_text_if_there(Path::new("/etc/timezone"))?.unwrap_or_default().trim().to_owned())
}

/// Sets the hardware clock's kind of time; what it was before, by the third line of `adjtime`: UTC without one.
fn set_clock(clock: Clock, systemd: bool, sys: &mut System<'_>) -> Result<Clock> {
    let path = Path::new("/etc/adjtime");
    let text = sys.read_text_if_there(path)?.unwrap_or_default();
    let is_local = text.lines().nth(2).is_some_and(|line| line.trim() == "LOCAL");
    let before = if is_local { Clock::Local } else { Clock::Utc };
    if before == clock {
        return Ok(before);
    }
    let local = clock == Clock::Local;
    if systemd {
        let command = Command::new("timedatectl").arg("set-local-rtc").arg(if local { "yes" } else { "no" });
        sys.exec(command)?;
    } else {
        // It sets the clock, and writes the file.
        let option = if local { "--localtime" } else { "--utc" };
        let command = Command::new(sys.need("hwclock")?).args(["--systohc", option]);
        sys.exec(command)?;
    }
    Ok(before)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::Output;
    use crate::kit::host::Placement;
    use crate::kit::trial::Trial;

    #[test]
    fn files_say_it() {
        let trial = Trial::of("timezone");
        trial.host.file("/usr/share/zoneinfo/Asia/Tokyo", "TZ").file("/etc/timezone", "Etc/UTC\n");
        trial.host.program("/usr/sbin/hwclock").script(
            "/usr/sbin/hwclock --systohc --localtime",
            |_, host| {
                let adjusted = "0.0 0 0.0\n0\nLOCAL\n";
                host.place("/etc/adjtime".as_ref(), &mut adjusted.as_bytes(), &Placement::default()).unwrap();
                Output::default()
            },
        );
        trial.lawful(&json!({"name": "Asia/Tokyo", "hwclock": "local"}));
        assert_eq!(trial.host.read("/etc/timezone").unwrap(), "Asia/Tokyo\n");
        assert_eq!(trial.host.read("/etc/localtime").unwrap(), "TZ");
        assert_eq!(trial.host.read("/etc/adjtime").unwrap(), "0.0 0 0.0\n0\nLOCAL\n");
        let msg = "given timezone \"Mars/Base\" is not available";
        assert_eq!(trial.run(&json!({"name": "Mars/Base"}))["msg"], msg);
    }

    #[test]
    fn systemd_is_told() {
        let trial = Trial::of("timezone");
        trial.host.file("/usr/share/zoneinfo/Asia/Tokyo", "TZ").dir("/run/systemd/system");
        trial.host.program("/usr/bin/timedatectl").answer("timedatectl", 0, "");
        trial.run(&json!({"name": "Asia/Tokyo"}));
        assert_eq!(trial.host.ran(), ["timedatectl set-timezone Asia/Tokyo"]);
    }
}
