mod fstab;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::fstab::Entry;
use crate::command::yes;
use crate::kit::{Command, Failure, FilePath, Result, System, WriteOptions};

/// Manages mounted file systems and `fstab`.
///
/// # Examples
///
/// ```yaml
/// - name: A disc in fstab, not mounted now
///   mount:
///     path: /mnt/dvd
///     src: /dev/sr0
///     fstype: iso9660
///     opts: ro,noauto
///     state: present
///
/// - name: No longer in fstab
///   mount: {path: /mnt/dvd, state: absent_from_fstab}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [
    ["state", "mounted", ["src", "fstype"]], ["state", "present", ["src", "fstype"]],
    ["state", "ephemeral", ["src", "fstype"]]
]))]
pub struct Args {
    /// Where it is mounted.
    #[schemars(extend("aliases" = ["name"]))]
    pub path: FilePath,
    /// What is mounted: a device, `UUID=…`, a remote path.
    pub src: Option<String>,
    /// The kind of file system.
    pub fstype: Option<String>,
    /// The options of the mount.
    pub opts: Option<String>,
    /// Whether `dump` keeps it.
    #[serde(default = "zero")]
    pub dump: String,
    /// In which order it is checked at boot.
    #[serde(default = "zero")]
    pub passno: String,
    /// `mounted` and `present` put it into `fstab`, `mounted` and `ephemeral` mount it, `unmounted` and `absent`
    /// unmount it, `absent` and `absent_from_fstab` take it out of `fstab`; `absent` removes the directory, too.
    pub state: State,
    /// The file; that of the system when not given. With `ephemeral` no file counts.
    pub fstab: Option<FilePath>,
    /// Whether it is mounted at boot.
    #[serde(default = "yes")]
    pub boot: bool,
    /// Keeps a copy of the old `fstab`, with the time in its name.
    #[serde(default)]
    pub backup: bool,
    /// Keeps `opts` out of results.
    pub opts_no_log: Option<bool>,
}

fn zero() -> String {
    "0".to_owned()
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    AbsentFromFstab,
    Mounted,
    Present,
    Unmounted,
    Remounted,
    Ephemeral,
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    fstab: String,
    dump: String,
    passno: String,
    boot: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fstype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opts: Option<String>,
    backup_file: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let path: &Path = &args.path;
    let fstab = args.fstab.as_ref().map_or_else(|| PathBuf::from("/etc/fstab"), |fstab| fstab.0.clone());
    let mut opts = args.opts.clone().unwrap_or_else(|| "defaults".to_owned());
    if !args.boot && !opts.split(',').any(|opt| opt == "noauto") {
        opts.push_str(",noauto");
    }
    let entry = Entry {
        src: args.src.clone().unwrap_or_default(),
        path: path.to_string_lossy().into_owned(),
        fstype: args.fstype.clone().unwrap_or_default(),
        opts: opts.clone(),
        dump: args.dump.clone(),
        passno: args.passno.clone(),
    };
    let table = Table { fstab: &fstab, backup: args.backup };
    let mounted = is_mounted(path, sys)?;
    let mut backup_file = None;
    match args.state {
        State::Present => backup_file = table.set(&entry, sys)?.1,
        State::AbsentFromFstab => backup_file = table.unset(&entry.path, sys)?,
        State::Absent => {
            let since = sys.changes().len();
            backup_file = table.unset(&entry.path, sys)?;
            // What was not in the file is not taken away either, as in Ansible.
            if sys.changes().len() > since {
                if mounted {
                    told(sys, Command::new("umount").arg(path), "unmounting")?;
                }
                if sys.exists(path)? {
                    // Of what is mounted nothing is removed.
                    if sys.is_check() && mounted || sys.list(path)?.is_empty() {
                        sys.remove(path)?;
                    } else {
                        return Err(Failure::new(format!("Error rmdir {}: it is not empty", path.display())));
                    }
                }
            }
        }
        State::Unmounted if mounted => told(sys, Command::new("umount").arg(path), "unmounting")?,
        State::Unmounted => {}
        State::Remounted if mounted => {
            let options =
                args.opts.as_ref().map_or_else(|| "remount".to_owned(), |opts| format!("remount,{opts}"));
            told(sys, Command::new("mount").arg("-o").arg(options).arg(path), "remounting")?;
        }
        State::Remounted => {
            return Err(Failure::new(format!("Error remounting {0}: {0} is not mounted", path.display())));
        }
        State::Mounted => {
            let made = sys.make_dirs(path, None)?;
            let before = if sys.exists(&fstab)? { Some(sys.read(&fstab)?) } else { None };
            let (changed, backup) = table.set(&entry, sys)?;
            backup_file = backup;
            let own = args.fstab.as_ref().map(|fstab| fstab.text().into_owned());
            let mount = Command::new("mount").opt("-T", own);
            let done = match (mounted, changed) {
                (true, false) => Ok(()),
                (true, true) => told(sys, mount.args(["-o", "remount"]).arg(path), "remounting"),
                (false, _) => told(sys, mount.arg(path), "mounting"),
            };
            if let Err(failure) = done {
                // What cannot be mounted must not wait in the file for the next boot.
                if changed {
                    sys.put_back(&fstab, before.as_deref())?;
                }
                for dir in made.iter().rev() {
                    sys.unmake(dir)?;
                }
                return Err(failure);
            }
        }
        State::Ephemeral => {
            let now = source(path, sys)?;
            if mounted && now.as_deref() != Some(entry.src.as_str()) {
                let msg = "Ephemeral mount point is already mounted with a different source than the specified one. \
                           Failing in order to prevent an unwanted unmount or override operation. Try replacing this \
                           command with a \"state: unmounted\" followed by a \"state: ephemeral\", or use a \
                           different destination path.";
                return Err(Failure::new(msg));
            }
            sys.make_dirs(path, None)?;
            let opts = if mounted { format!("remount,{opts}") } else { opts.clone() };
            let command =
                Command::new("mount").args(["-t", &entry.fstype, "-o", &opts, &entry.src]).arg(path);
            told(sys, command, "mounting")?;
        }
    }
    let hidden = args.opts_no_log == Some(true);
    Ok(Returns {
        name: entry.path,
        fstab: fstab.to_string_lossy().into_owned(),
        dump: args.dump,
        passno: args.passno,
        boot: if args.boot { "yes" } else { "no" }.to_owned(),
        src: args.src,
        fstype: args.fstype,
        opts: Some(if hidden { "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER".to_owned() } else { opts }),
        backup_file: backup_file.unwrap_or_default(),
    })
}

fn told(sys: &mut System<'_>, command: Command, what: &str) -> Result<()> {
    let path = command.argv.last().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    match sys.attempt(command.env("LC_ALL", "C"))? {
        Some(output) if !output.ok() => {
            let said = format!("{}{}", output.stdout(), output.stderr());
            Err(Failure::new(format!("Error {what} {path}: {said}")))
        }
        _ => Ok(()),
    }
}

/// The file that lists what is to be mounted.
struct Table<'a> {
    fstab: &'a Path,
    backup: bool,
}

impl Table<'_> {
    fn set(&self, entry: &Entry, sys: &mut System<'_>) -> Result<(bool, Option<String>)> {
        let old = sys.read_text_if_there(self.fstab)?.unwrap_or_default();
        let new = fstab::with(&old, entry);
        Ok((new != old, self.write(&old, new, sys)?))
    }

    fn unset(&self, path: &str, sys: &mut System<'_>) -> Result<Option<String>> {
        let old = sys.read_text_if_there(self.fstab)?.unwrap_or_default();
        let new = fstab::without(&old, path);
        self.write(&old, new, sys)
    }

    fn write(&self, old: &str, new: String, sys: &mut System<'_>) -> Result<Option<String>> {
        if new == old {
            return Ok(None);
        }
        if let Some(dir) = self.fstab.parent() {
            sys.make_dirs(dir, None)?;
        }
        // Lines of the file hold passwords of network shares: it shows in no diff.
        let options = WriteOptions { backup: self.backup, hidden: true, ..WriteOptions::default() };
        Ok(sys.write_with(self.fstab, new, &options)?.backup_file)
    }
}

/// What the kernel has mounted there.
fn source(path: &Path, sys: &System<'_>) -> Result<Option<String>> {
    let text = sys.read_text_if_there(Path::new("/proc/self/mounts"))?.unwrap_or_default();
    let path = path.to_string_lossy();
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { &path };
    let found = text.lines().filter_map(Entry::parse).rfind(|entry| entry.path == path);
    Ok(found.map(|entry| entry.src))
}

fn is_mounted(path: &Path, sys: &System<'_>) -> Result<bool> {
    Ok(source(path, sys)?.is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    fn check(mounts: &str, before: &str, mut args: Json, after: &str, ran: &[&str]) {
        let trial = Trial::of("mount");
        trial.host.file("/etc/fstab", before).file("/proc/self/mounts", mounts).dir("/m");
        trial.host.answer("mount", 0, "").answer("umount", 0, "");
        args["path"] = json!("/m");
        let result = trial.run(&args);
        assert_eq!(result["failed"], Json::Null, "{result}");
        assert_eq!(trial.host.read("/etc/fstab").unwrap(), after, "{args}");
        assert_eq!(trial.host.ran(), ran);
        assert_eq!(result["changed"], before != after || !ran.is_empty(), "{args}");
    }

    #[test]
    fn fstab_and_mounts() {
        let x = json!({"src": "/dev/x", "fstype": "ext4", "state": "mounted"});
        let line = "/dev/x /m ext4 defaults 0 0\n";
        let on = "/dev/x /m ext4 rw 0 0\n";
        check("", "# a\n", x.clone(), &format!("# a\n{line}"), &["mount /m"]);
        check(on, line, x.clone(), line, &[]);
        check(on, "/dev/x /m ext4 ro 0 0\n", x, line, &["mount -o remount /m"]);
        check(on, line, json!({"state": "unmounted"}), line, &["umount /m"]);
        check(on, line, json!({"state": "remounted"}), line, &["mount -o remount /m"]);
        check("", line, json!({"state": "absent_from_fstab"}), "", &[]);
        check(on, line, json!({"state": "absent"}), "", &["umount /m"]);
        check(
            "",
            "",
            json!({"state": "present", "src": "/a b", "fstype": "none", "opts": "bind", "boot": false}),
            "/a\\040b /m none bind,noauto 0 0\n",
            &[],
        );
        check(
            "",
            "",
            json!({"state": "ephemeral", "src": "tmpfs", "fstype": "tmpfs"}),
            "",
            &["mount -t tmpfs -o defaults tmpfs /m"],
        );
    }

    #[test]
    fn what_cannot_be_mounted_is_not_kept() {
        let trial = Trial::of("mount");
        trial.host.file("/etc/fstab", "# a\n").file("/proc/self/mounts", "");
        trial.host.script("mount", |_, _| Output {
            code: 32,
            stderr: b"no such device".to_vec(),
            ..Output::default()
        });
        let before = trial.host.snapshot();
        let result =
            trial.run(&json!({"path": "/m/x", "src": "/dev/x", "fstype": "ext4", "state": "mounted"}));
        assert_eq!(result["msg"], "Error mounting /m/x: no such device");
        assert_eq!(trial.host.snapshot(), before);
    }

    #[test]
    fn passwords_do_not_show() {
        let trial = Trial::of("mount");
        trial.host.file("/etc/fstab", "//h/s /s cifs password=secret 0 0\n").file("/proc/self/mounts", "");
        let args = json!({"path": "/m", "src": "//h/t", "fstype": "cifs", "state": "present",
                          "opts": "password=secret", "opts_no_log": true});
        let result = trial.lawful(&args);
        assert_eq!(result["opts"], "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER");
        assert!(!result.to_string().contains("secret"), "{result}");
    }

    #[test]
    fn what_is_not_in_the_file_is_left_alone() {
        check("tmpfs /m tmpfs rw 0 0\n", "# a\n", json!({"state": "absent"}), "# a\n", &[]);
    }
}
