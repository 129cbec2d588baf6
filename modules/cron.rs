mod table;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::table::{Place, Table};
use crate::kit::{Command, Failure, Result, System, WriteOptions};
use crate::lineinfile::State;

/// Manages jobs and variables of crontabs.
///
/// A job is known by its name, which stands in a comment above it. A file below `/etc/cron.d` needs no `crontab`
/// program on the target.
///
/// # Examples
///
/// ```yaml
/// - name: A job at 2 and 5
///   cron:
///     name: check dirs
///     minute: "0"
///     hour: "5,2"
///     job: ls -alh > /dev/null
///
/// - name: A job in a file of its own
///   cron:
///     name: yum autoupdate
///     weekday: "2"
///     minute: "0"
///     hour: "12"
///     user: root
///     job: YUMINTERACTIVE=0 /usr/sbin/yum-autoupdate
///     cron_file: ansible_yum-autoupdate
///
/// - name: A variable on top
///   cron: {name: PATH, env: true, job: /opt/bin}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The job's name, or with `env` the variable's.
    pub name: String,
    /// The command, or with `env` the value.
    #[schemars(extend("aliases" = ["value"]))]
    pub job: Option<String>,
    /// Whether the job or variable is there.
    #[serde(default)]
    pub state: State,
    /// Whose crontab; in a `cron_file` the user the job runs as.
    pub user: Option<String>,
    /// A file instead of a user's crontab, below `/etc/cron.d` when it is no absolute path. Not `/etc/crontab`.
    pub cron_file: Option<String>,
    /// Keeps a copy of the old crontab.
    #[serde(default)]
    pub backup: bool,
    /// The minute: `0-59`, `*`, `*/2` …
    #[serde(default = "any")]
    pub minute: String,
    /// The hour: `0-23`, `*` …
    #[serde(default = "any")]
    pub hour: String,
    /// The day of the month: `1-31`, `*` …
    #[serde(default = "any")]
    #[schemars(extend("aliases" = ["dom"]))]
    pub day: String,
    /// The month: `1-12`, `JAN-DEC`, `*` …
    #[serde(default = "any")]
    pub month: String,
    /// The day of the week: `0-6`, `SUN-SAT`, `*` …
    #[serde(default = "any")]
    #[schemars(extend("aliases" = ["dow"]))]
    pub weekday: String,
    /// A time with a name, instead of the others.
    pub special_time: Option<Special>,
    /// Comments the job out.
    #[serde(default)]
    pub disabled: bool,
    /// Whether a variable is meant instead of a job.
    #[serde(default)]
    pub env: bool,
    /// Puts a new variable behind that one.
    pub insertafter: Option<String>,
    /// Puts a new variable before that one.
    pub insertbefore: Option<String>,
}

fn any() -> String {
    "*".to_owned()
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Special {
    Annually,
    Daily,
    Hourly,
    Monthly,
    Reboot,
    Weekly,
    Yearly,
}

#[derive(Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    envs: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cron_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    /// Of a file that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
}

impl Returns {
    fn of(cron_file: Option<String>, backup_file: Option<String>) -> Self {
        Self { jobs: None, envs: None, cron_file, backup_file, state: None }
    }
}

/// The system's own, which users edit.
const SYSTEM: &str = "/etc/crontab";

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    refuse(&args)?;
    if let Some(path) = args.cron_file.as_deref().map(file)
        && sys.resolve(&path)? == Path::new(SYSTEM)
    {
        return Err(Failure::new(format!("Will not manage {SYSTEM} via cron_file, see documentation.")));
    }
    let tab = Crontab { file: args.cron_file.as_deref().map(file), user: args.user.as_deref() };
    let mut table = Table::parse(&tab.read(sys)?);
    let text = table.text();
    let job = args.job.as_deref().unwrap_or_default();
    if args.job.as_ref().is_some_and(|job| job.contains(['\r', '\n'])) {
        sys.warn("Job should not contain line breaks");
    }
    match (args.env, args.state) {
        (true, State::Present) => {
            let place = match (&args.insertafter, &args.insertbefore) {
                (Some(name), _) => Place::After(name),
                (None, Some(name)) => Place::Before(name),
                (None, None) => Place::Top,
            };
            table.set_variable(&args.name, job, place)?;
        }
        (true, State::Absent) => table.remove_variable(&args.name),
        (false, State::Present) => table.set_job(&args.name, &line(&args, job), job),
        (false, State::Absent) => table.remove_job(&args.name),
    }
    let new = table.text();
    let mut backup_file = None;
    if new != text {
        if args.backup && !sys.is_check() {
            let path = sys.scratch(None);
            sys.spool(&path, 0o600, &mut text.as_bytes())?;
            backup_file = Some(path.to_string_lossy().into_owned());
        }
        if let Some(file) =
            tab.file.as_deref().filter(|_| args.state == State::Absent && new.trim().is_empty())
        {
            // A file that holds nothing more goes.
            sys.remove(file)?;
            return Ok(Returns { state: Some(State::Absent), ..Returns::of(args.cron_file, backup_file) });
        }
        tab.write(&text, &new, sys)?;
    }
    let (jobs, envs) = (Some(table.jobs()), Some(table.variables()));
    Ok(Returns { jobs, envs, ..Returns::of(args.cron_file, backup_file) })
}

fn refuse(args: &Args) -> Result<()> {
    let present = args.state == State::Present;
    let fields = [&args.minute, &args.hour, &args.day, &args.month, &args.weekday];
    let msg = if args.special_time.is_some() && fields.iter().any(|field| *field != "*") {
        "You cannot combine special_time with any of the time or day/date parameters."
    } else if args.cron_file.is_some() && present && args.user.is_none() {
        "To use cron_file=... parameter you must specify user=... as well"
    } else if present && args.job.is_none() {
        "You must specify 'job' to install a new cron job or variable"
    } else if (args.insertafter.is_some() || args.insertbefore.is_some()) && !(args.env && present) {
        "Insertafter and insertbefore parameters are valid only with env=yes"
    } else {
        return Ok(());
    };
    Err(Failure::new(msg))
}

/// The job's line.
fn line(args: &Args, job: &str) -> String {
    let disabled = if args.disabled { "#" } else { "" };
    let time = match args.special_time {
        Some(special) => {
            let name = serde_json::to_value(special).unwrap_or_default();
            format!("@{}", name.as_str().unwrap_or_default())
        }
        None => {
            [&args.minute, &args.hour, &args.day, &args.month, &args.weekday].map(String::as_str).join(" ")
        }
    };
    match args.user.as_ref().filter(|_| args.cron_file.is_some()) {
        Some(user) => format!("{disabled}{time} {user} {job}"),
        None => format!("{disabled}{time} {job}"),
    }
}

fn file(name: &str) -> PathBuf {
    Path::new("/etc/cron.d").join(name)
}

/// Where jobs are kept.
struct Crontab<'a> {
    file: Option<PathBuf>,
    user: Option<&'a str>,
}

impl Crontab<'_> {
    fn read(&self, sys: &mut System<'_>) -> Result<String> {
        if let Some(path) = &self.file {
            return Ok(sys.read_text_if_there(path)?.unwrap_or_default());
        }
        let output = sys.query(self.program(sys)?.arg("-l").env("LC_ALL", "C"))?;
        let said = output.stderr();
        // There is none yet: of vixie-cron and its kin, and of busybox.
        let none =
            said.trim().is_empty() || ["no crontab", "No such file"].iter().any(|why| said.contains(why));
        match output.code {
            0 => Ok(output.stdout().into_owned()),
            1 if none => Ok(String::new()),
            code => {
                let msg = format!("Unable to read crontab: {}", said.trim());
                Err(Failure::new(msg).with("rc", code).with("stderr", &said))
            }
        }
    }

    fn write(&self, old: &str, new: &str, sys: &mut System<'_>) -> Result<()> {
        if let Some(path) = &self.file {
            let options = WriteOptions { new_mode: Some(0o644), ..WriteOptions::default() };
            return sys.write_with(path, new, &options).map(drop);
        }
        let what =
            self.user.map_or_else(|| "crontab".to_owned(), |user| format!("crontab for user \"{user}\""));
        let command = self.program(sys)?.arg("-").stdin(new);
        sys.exec(command).map_err(|failure| failure.context("Unable to install crontab"))?;
        sys.tell_states(&what, old, new);
        Ok(())
    }

    fn program(&self, sys: &System<'_>) -> Result<Command> {
        Ok(Command::new(sys.need("crontab")?).opt("-u", self.user))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    fn check(before: &str, mut args: Json, after: &str) {
        let trial = Trial::of("cron");
        trial.host.file("/etc/cron.d/f", before);
        args["cron_file"] = json!("f");
        let result = trial.lawful(&args);
        let left = trial.host.read("/etc/cron.d/f");
        assert_eq!(left.as_deref(), Some(after).filter(|text| !text.is_empty()), "{args} {result:#}");
        assert_eq!(result["changed"], before != after);
    }

    #[test]
    fn jobs_of_a_file() {
        let x = "#Ansible: x\n5 * * * * root ls\n";
        check("", json!({"name": "x", "job": "ls", "minute": 5, "user": "root"}), x);
        check(x, json!({"name": "x", "job": "ls", "minute": 5, "user": "root"}), x);
        check(x, json!({"name": "x", "state": "absent"}), "");
        let off =
            json!({"name": "y", "job": "ls", "special_time": "daily", "user": "root", "disabled": true});
        check(x, off, &format!("{x}#Ansible: y\n#@daily root ls\n"));
        check(
            "# top\n#Ansible: x\n1 * * * * root a\nend\n",
            json!({"name": "x", "job": "b", "user": "bin"}),
            "# top\n#Ansible: x\n* * * * * bin b\nend\n",
        );
    }

    #[test]
    fn variables() {
        let user = |mut args: Json| {
            args["user"] = json!("root");
            args["env"] = json!(true);
            args
        };
        check("x\n", user(json!({"name": "A", "job": "/a b"})), "A=\"/a b\"\nx\n");
        check("A=\"1\"\nx\n", user(json!({"name": "A", "job": "2"})), "A=\"2\"\nx\n");
        check(
            "A=\"1\"\nx\n",
            user(json!({"name": "B", "job": "2", "insertafter": "A"})),
            "A=\"1\"\nB=\"2\"\nx\n",
        );
        check(
            "A=\"1\"\nx\n",
            user(json!({"name": "B", "job": "2", "insertbefore": "A"})),
            "B=\"2\"\nA=\"1\"\nx\n",
        );
        check("A=\"1\"\nx\n", user(json!({"name": "A", "state": "absent"})), "x\n");
    }

    #[test]
    fn crontabs_of_users() {
        let trial = Trial::of("cron");
        trial.host.program("/usr/bin/crontab");
        let header = "# DO NOT EDIT THIS FILE - edit the master and reinstall.\n# (a)\n# (b)\n";
        trial.host.answer("/usr/bin/crontab", 0, &format!("{header}#Ansible: x\n* * * * * ls\n"));
        let result = trial.run(&json!({"name": "x", "job": "ls"}));
        assert_eq!((result["changed"].clone(), result["jobs"].clone()), (json!(false), json!(["x"])));
        let result = trial.check(&json!({"name": "x", "job": "ps"}));
        assert_eq!(result["diff"]["after"], "#Ansible: x\n* * * * * ps\n");
        trial.run(&json!({"name": "x", "job": "ps", "user": "bin"}));
        assert_eq!(trial.host.ran().last().unwrap(), "/usr/bin/crontab -u bin -");
    }

    #[test]
    fn a_crontab_that_cannot_be_read_is_an_error() {
        let failing = |said: &'static str| {
            let trial = Trial::of("cron");
            trial.host.program("/usr/bin/crontab");
            let stderr = said.as_bytes().to_vec();
            trial.host.script("/usr/bin/crontab -u", move |_, _| Output {
                code: 1,
                stderr: stderr.clone(),
                ..Output::default()
            });
            trial.run(&json!({"name": "x", "state": "absent", "user": "ann"}))
        };
        assert_eq!(failing("no crontab for ann\n")["changed"], false);
        let msg = "Unable to read crontab: crontab: user `ann' unknown";
        assert_eq!(failing("crontab: user `ann' unknown\n")["msg"], msg);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for args in [
            json!({"name": "x", "job": "a", "user": "root", "cron_file": "/etc/crontab"}),
            json!({"name": "x", "state": "absent", "cron_file": "../crontab"}),
            json!({"name": "x"}),
            json!({"name": "x", "job": "a", "special_time": "daily", "minute": 1}),
            json!({"name": "x", "job": "a", "cron_file": "f"}),
            json!({"name": "x", "job": "a", "insertafter": "y"}),
            json!({"name": "x", "job": "a", "env": true, "insertafter": "y", "cron_file": "f", "user": "a"}),
        ] {
            assert_eq!(Trial::of("cron").run(&args)["failed"], true, "{args}");
        }
    }
}
