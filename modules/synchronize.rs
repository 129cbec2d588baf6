use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::{Command, Failure, Output, Result, Secret, System, quote};

/// Brings files from the control node to a target, or back, with rsync.
///
/// rsync itself connects to the target, by SSH, with what the inventory says about it; it is needed on both sides. With
/// `delegate_to` it runs on that host instead of the control node.
///
/// # Examples
///
/// ```yaml
/// - name: From here to there
///   synchronize: {src: some/relative/path, dest: /some/absolute/path}
///
/// - name: Nothing else is to be there
///   synchronize:
///     src: site/
///     dest: /var/www
///     delete: yes
///     rsync_opts: ["--exclude=.git"]
///
/// - name: From there to here
///   synchronize: {mode: pull, src: /var/log/app, dest: /tmp/logs}
///
/// - name: From one place on the target to another
///   synchronize: {src: /first/absolute/path, dest: /second/absolute/path}
///   delegate_to: "{{ inventory_hostname }}"
/// ```
#[derive(Deserialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "each is an option of Ansible's"
)]
pub struct Args {
    /// What to bring; a slash at the end stands for what is in a directory.
    pub src: String,
    /// Where to.
    pub dest: String,
    /// Whether it goes to the target, or comes from it.
    #[serde(default)]
    #[expect(dead_code, reason = "the control node reads it")]
    mode: Mode,
    /// Keeps what makes a file: directories, links, permissions, times, owner, group, devices.
    #[serde(default = "yes")]
    pub archive: bool,
    /// Compares contents instead of times and sizes.
    #[serde(default)]
    pub checksum: bool,
    /// Compresses on the way.
    #[serde(default = "yes")]
    pub compress: bool,
    /// Changes only what is there already.
    #[serde(default)]
    pub existing_only: bool,
    /// Removes what the source has not.
    #[serde(default)]
    pub delete: bool,
    /// Brings directories without what is in them.
    #[serde(default)]
    pub dirs: bool,
    /// With what is in directories; else as `archive` says.
    pub recursive: Option<bool>,
    /// Symbolic links as such; else as `archive` says.
    pub links: Option<bool>,
    /// What symbolic links lead to in their place.
    #[serde(default)]
    pub copy_links: bool,
    /// Permissions; else as `archive` says.
    pub perms: Option<bool>,
    /// Times; else as `archive` says.
    pub times: Option<bool>,
    /// Owners; else as `archive` says.
    pub owner: Option<bool>,
    /// Groups; else as `archive` says.
    pub group: Option<bool>,
    /// Keeps what came of a file that did not come whole.
    #[serde(default)]
    pub partial: bool,
    /// Puts all files in place at the end.
    #[serde(default = "yes")]
    pub delay_updates: bool,
    /// Directories where files that are the same are linked to.
    pub link_dest: Option<Vec<String>>,
    /// The target's port.
    pub dest_port: Option<u16>,
    /// The private key for SSH.
    pub private_key: Option<String>,
    /// Checks the target's host key.
    #[serde(default)]
    pub verify_host: bool,
    /// Uses the arguments for SSH that the inventory and the configuration give.
    #[serde(default)]
    #[expect(dead_code, reason = "the control node reads it")]
    use_ssh_args: bool,
    /// Uses the connection that the user's own SSH keeps open.
    #[serde(default)]
    pub ssh_connection_multiplexing: bool,
    /// Whether the inventory's user is asked for.
    #[serde(default = "yes")]
    #[expect(dead_code, reason = "the control node reads it")]
    set_remote_user: bool,
    /// How rsync is started on the target.
    pub rsync_path: Option<String>,
    /// Seconds without progress after which rsync gives up.
    #[serde(default)]
    pub rsync_timeout: u64,
    /// Further options for rsync.
    #[serde(default)]
    pub rsync_opts: Vec<String>,
    /// Not for playbooks: the program.
    #[serde(default = "rsync", rename = "_local_rsync_path")]
    pub program: String,
    /// Not for playbooks: the target's password.
    #[serde(rename = "_local_rsync_password")]
    pub password: Option<Secret>,
    /// Not for playbooks: arguments for SSH.
    #[serde(rename = "_ssh_args")]
    pub ssh_args: Option<String>,
    /// Not for playbooks.
    #[serde(default, rename = "_substitute_controller")]
    #[expect(dead_code, reason = "Ansible has it, and does nothing by it any more")]
    substitute_controller: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Pull,
    #[default]
    Push,
}

fn rsync() -> String {
    "rsync".to_owned()
}

#[derive(Serialize)]
pub struct Returns {
    cmd: String,
    msg: String,
    rc: i32,
    stdout_lines: Vec<String>,
}

/// What rsync puts before the name of a file that it changes.
const CHANGED: &str = "<<CHANGED>>";

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = sys.need(&args.program)?;
    let line = Line::of(&args, program, sys)?;
    let changed = |output: &Output| output.stdout().contains(CHANGED);
    let output = if sys.is_check() {
        let output = sys.query(line.command)?;
        if output.ok() && changed(&output) {
            sys.count_as_change(line.shown.clone());
        }
        output
    } else {
        let done = sys.attempt_judging(line.command, |output| output.ok() && changed(output))?;
        done.unwrap_or_default()
    };
    if !output.ok() {
        let failure = Failure::new(output.stderr()).with("rc", output.code);
        return Err(failure.with("cmd", line.shown));
    }
    let msg = output.stdout().replace(CHANGED, "");
    let stdout_lines =
        msg.trim_end_matches('\n').split('\n').map(str::to_owned).filter(|line| !line.is_empty());
    Ok(Returns { stdout_lines: stdout_lines.collect(), cmd: line.shown, msg, rc: output.code })
}

/// rsync's command, and how results show it.
struct Line {
    command: Command,
    shown: String,
}

impl Line {
    fn of(args: &Args, program: PathBuf, sys: &mut System<'_>) -> Result<Self> {
        let mut words: Vec<String> = Vec::new();
        let mut flag = |word: &str, wanted: bool| {
            if wanted {
                words.push(word.to_owned());
            }
        };
        flag("--delay-updates", args.delay_updates);
        flag("-F", args.delay_updates);
        flag(&format!("--timeout={}", args.rsync_timeout), args.rsync_timeout > 0);
        flag("--compress", args.compress);
        flag("--dry-run", sys.is_check());
        flag("--delete-after", args.delete);
        flag("--existing", args.existing_only);
        flag("--checksum", args.checksum);
        flag("--copy-links", args.copy_links);
        flag("--archive", args.archive);
        for (name, wanted) in [
            ("recursive", args.recursive),
            ("links", args.links),
            ("perms", args.perms),
            ("times", args.times),
            ("owner", args.owner),
            ("group", args.group),
        ] {
            flag(&format!("--no-{name}"), args.archive && wanted == Some(false));
            flag(&format!("--{name}"), !args.archive && wanted == Some(true));
        }
        flag("--dirs", args.dirs);
        let is_daemon = |path: &str| path.starts_with("rsync://");
        if !is_daemon(&args.src) && !is_daemon(&args.dest) && (is_remote(&args.src) || is_remote(&args.dest))
        {
            words.push(format!("--rsh={}", ssh(args, sys)?));
        }
        words.extend(args.rsync_path.iter().map(|path| format!("--rsync-path={path}")));
        let shown: Vec<String> = words.iter().map(|word| shown(word)).collect();
        let mut shown = [vec![program.to_string_lossy().into_owned()], shown].concat();
        let mut more = args.rsync_opts.clone();
        if args.partial {
            more.push("--partial".to_owned());
        }
        if let Some(dirs) = &args.link_dest {
            more.extend(["-H".to_owned(), "-vv".to_owned()]);
            more.extend(dirs.iter().map(|dir| format!("--link-dest={dir}")));
        }
        shown.extend(more.iter().cloned());
        words.extend(more);
        let format = format!("--out-format={CHANGED}%i %n%L");
        shown.push(self::shown(&format));
        shown.extend([quote(&args.src), quote(&args.dest)]);
        words.extend([format, args.src.clone(), args.dest.clone()]);
        let command = match &args.password {
            Some(password) => {
                let Some(sshpass) = sys.which("sshpass") else {
                    return Err(Failure::new(
                        "to use rsync connection with passwords, you must install the sshpass program",
                    ));
                };
                Command::new(sshpass).arg("-e").arg(program).args(words).env("SSHPASS", password.expose())
            }
            None => Command::new(program).args(words),
        };
        Ok(Self { command, shown: shown.join(" ") })
    }
}

/// `--rsh='ssh -i key'`: the value alone is quoted.
fn shown(word: &str) -> String {
    match word.split_once('=') {
        Some((name, value)) => format!("{name}={}", quote(value)),
        None => word.to_owned(),
    }
}

/// Whether a path is on another host: a colon before any slash.
fn is_remote(path: &str) -> bool {
    path.split('/').next().is_some_and(|start| start.contains(':'))
}

fn ssh(args: &Args, sys: &System<'_>) -> Result<String> {
    let ssh = sys.need("ssh")?;
    let mut words = vec![ssh.to_string_lossy().into_owned()];
    if !args.ssh_connection_multiplexing {
        words.push("-S none".to_owned());
    }
    if let Some(key) = &args.private_key {
        words.push(format!("-i {}", sys.expand(key)?));
    }
    words.extend(args.dest_port.map(|port| format!("-o Port={port}")));
    if !args.verify_host {
        words.push("-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null".to_owned());
    }
    words.extend(args.ssh_args.clone());
    Ok(words.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial(code: i32, says: &str) -> Trial {
        let trial = Trial::of("synchronize");
        trial.host.program("/usr/bin/rsync").program("/usr/bin/ssh").answer("/usr/bin/rsync", code, says);
        trial
    }

    fn check(mut args: Json, expected: &str) {
        args["src"] = args.get("src").cloned().unwrap_or_else(|| json!("/a"));
        args["dest"] = args.get("dest").cloned().unwrap_or_else(|| json!("/x"));
        let got = trial(0, "").run(&args);
        let cmd = got["cmd"].as_str().unwrap().replace("/usr/bin/rsync ", "");
        assert_eq!(cmd.replace(" --out-format='<<CHANGED>>%i %n%L'", ""), expected, "{args}");
        assert_eq!(got["changed"], false);
    }

    #[test]
    fn options_are_rsyncs() {
        let usual = "--delay-updates -F --compress";
        check(json!({}), &format!("{usual} --archive /a /x"));
        let ssh = "--rsh='/usr/bin/ssh -S none -o Port=2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'";
        let far = json!({"dest": "bob@h:/x", "dest_port": 2222, "rsync_path": "sudo -u root rsync"});
        check(far, &format!("{usual} --archive {ssh} --rsync-path='sudo -u root rsync' /a bob@h:/x"));
        check(json!({"dest": "rsync://h/m"}), &format!("{usual} --archive /a rsync://h/m"));
        check(
            json!({"archive": false, "recursive": true, "links": true, "times": false, "copy_links": true}),
            &format!("{usual} --copy-links --recursive --links /a /x"),
        );
        check(
            json!({"recursive": false, "owner": false}),
            &format!("{usual} --archive --no-recursive --no-owner /a /x"),
        );
        check(
            json!({"delete": true, "checksum": true, "compress": false, "dirs": true, "existing_only": true,
                   "partial": true, "delay_updates": false, "rsync_timeout": 5}),
            "--timeout=5 --delete-after --existing --checksum --archive --dirs --partial /a /x",
        );
        check(
            json!({"rsync_opts": ["--exclude=.git x"], "link_dest": ["/l"]}),
            &format!("{usual} --archive --exclude=.git x -H -vv --link-dest=/l /a /x"),
        );
        let args = json!({"src": "h:/a", "_ssh_args": "-C", "verify_host": true, "ssh_connection_multiplexing": true,
                          "private_key": "~/id"});
        check(args, &format!("{usual} --archive --rsh='/usr/bin/ssh -i /root/id -C' h:/a /x"));
    }

    #[test]
    fn what_rsync_says_tells_whether_it_changed_anything() {
        let args = json!({"src": "/a", "dest": "/x"});
        let trial = trial(0, "<<CHANGED>>cd+++ a/\ndeleting x\n");
        let told = trial.check(&args);
        let got = trial.run(&args);
        assert_eq!((&told["changed"], &got["changed"]), (&json!(true), &json!(true)));
        assert_eq!(got["msg"], "cd+++ a/\ndeleting x\n");
        assert_eq!(got["stdout_lines"], json!(["cd+++ a/", "deleting x"]));
        let lines = trial.host.ran();
        assert!(lines[0].contains(" --dry-run ") && !lines[1].contains(" --dry-run "), "{lines:?}");
        let bad = self::trial(23, "<<CHANGED>>").run(&args);
        assert_eq!((&bad["failed"], &bad["rc"], &bad["changed"]), (&json!(true), &json!(23), &json!(false)));
    }

    #[test]
    fn passwords_are_no_arguments() {
        let trial = trial(0, "");
        let args = json!({"src": "/a", "dest": "h:/x", "_local_rsync_password": "secret"});
        assert!(trial.run(&args)["msg"].as_str().unwrap().contains("sshpass"));
        trial.host.program("/usr/bin/sshpass").answer("/usr/bin/sshpass -e /usr/bin/rsync", 0, "");
        let got = trial.run(&args);
        assert_eq!(got["rc"], 0, "{got}");
        assert!(!trial.host.ran().join(" ").contains("secret"));
    }
}
