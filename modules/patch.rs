use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Access, Command, ControlSource, Failure, FilePath, Result, System};
use crate::lineinfile::State;

/// Applies patches with GNU patch.
///
/// # Examples
///
/// ```yaml
/// - name: A patch of one file
///   patch: {src: /tmp/index.html.patch, dest: /var/www/index.html}
///
/// - name: A patch of several files
///   patch: {src: /tmp/customize.patch, basedir: /var/www, strip: 1}
///
/// - name: It is taken back
///   patch: {src: /tmp/index.html.patch, dest: /var/www/index.html, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["dest", "basedir"]]))]
pub struct Args {
    /// The patch: a file of the control node, or with `remote_src` of the target.
    #[schemars(extend("aliases" = ["patchfile"], "unless" = "remote_src"))]
    pub src: ControlSource,
    /// The file to patch, where the patch is of one file and the names in it do not count.
    #[schemars(extend("aliases" = ["originalfile"]))]
    pub dest: Option<FilePath>,
    /// The directory the names in the patch start from.
    pub basedir: Option<FilePath>,
    /// Whether the patch is on the target already.
    #[serde(default)]
    #[expect(dead_code, reason = "the control node reads it")]
    remote_src: bool,
    /// How many leading parts are taken off the names in the patch.
    #[serde(default)]
    pub strip: u32,
    /// Keeps numbered copies of the files that change.
    #[serde(default)]
    pub backup: bool,
    /// Leaves line endings as they are; else CRLF becomes LF.
    #[serde(default)]
    pub binary: bool,
    /// Whether blanks may differ between patch and file.
    #[serde(default)]
    pub ignore_whitespace: bool,
    /// Whether the patch is applied or taken back.
    #[serde(default)]
    pub state: State,
}

#[derive(Serialize)]
pub struct Returns {}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let patch = match &args.src {
        ControlSource::File(file) => Patch::Content(sys.control_content(file)?),
        ControlSource::Path(path) => {
            let path = PathBuf::from(sys.expand(path)?);
            if !sys.access(&path, Access::Read) {
                let msg = format!("src {} doesn't exist or not readable", path.display());
                return Err(Failure::new(msg));
            }
            Patch::File(path)
        }
        ControlSource::Tree(tree) => {
            return Err(Failure::new(format!("src {} is a directory", tree.source)));
        }
    };
    if let Some(dest) = &args.dest
        && !sys.access(dest, Access::Write)
    {
        return Err(Failure::new(format!("dest {} doesn't exist or not writable", dest.text())));
    }
    if let Some(dir) = &args.basedir
        && !sys.exists(dir)?
    {
        return Err(Failure::new(format!("basedir {} doesn't exist", dir.text())));
    }
    let program = sys.need("patch")?;
    let tool = Tool { args: &args, program: &program, patch };
    let absent = args.state == State::Absent;
    if sys.query(tool.command(!absent).arg("--dry-run"))?.ok() {
        return Ok(Returns {});
    }
    let trial = sys.query(tool.command(absent).arg("--dry-run"))?;
    if !trial.ok() {
        let said = if trial.stdout.is_empty() { trial.stderr() } else { trial.stdout() };
        return Err(Failure::new(said));
    }
    let backup = args.backup.then_some(["--backup", "--version-control=numbered"]);
    sys.exec(tool.command(absent).args(backup.into_iter().flatten()))?;
    Ok(Returns {})
}

enum Patch {
    /// Of the control node: it goes by standard input.
    Content(Vec<u8>),
    File(PathBuf),
}

struct Tool<'a> {
    args: &'a Args,
    program: &'a Path,
    patch: Patch,
}

impl Tool<'_> {
    /// Leaves no rejected parts behind, and asks nobody.
    fn command(&self, reverse: bool) -> Command {
        let args = self.args;
        let command = Command::new(self.program)
            .args(["--quiet", "--forward", "--force", "--reject-file=-"])
            .flag("--reverse", reverse)
            .arg(format!("--strip={}", args.strip))
            .flag("--binary", args.binary)
            .flag("--ignore-whitespace", args.ignore_whitespace);
        let command = match &self.patch {
            Patch::Content(content) => command.stdin(content.clone()),
            Patch::File(path) => command.arg(format!("--input={}", path.display())),
        };
        let command = match &args.basedir {
            Some(dir) => command.arg(format!("--directory={}", dir.text())),
            None => command,
        };
        match &args.dest {
            Some(dest) => command.arg(&dest.0),
            None => command,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::{Trial, control_file};

    /// A patch that applies, is applied, or fits nowhere.
    fn trial(applies: bool, applied: bool) -> Trial {
        let trial = Trial::of("patch");
        trial.host.program("/usr/bin/patch").file("/f", "a\n").file("/p", "patch").dir("/d");
        trial.host.script("/usr/bin/patch", move |command, _| {
            let reverse = command.argv.iter().any(|word| word == "--reverse");
            let ok = if reverse { applied } else { applies };
            let stdout = if ok { "" } else { "1 out of 1 hunk FAILED\n" };
            Output { code: i32::from(!ok), stdout: stdout.into(), ..Output::default() }
        });
        trial
    }

    fn check((applies, applied): (bool, bool), args: &Json, expected: Option<&str>) {
        let trial = trial(applies, applied);
        trial.foretold(args, expected.is_some());
        let ran = trial.host.ran();
        let made = ran.iter().find(|line| !line.contains("--dry-run")).map(String::as_str);
        assert_eq!(made, expected, "{args}");
    }

    #[test]
    fn patches_come_and_go() {
        let file = json!({"src": "/p", "remote_src": true, "dest": "/f"});
        let applied = "/usr/bin/patch --quiet --forward --force --reject-file=- --strip=0 --input=/p /f";
        check((true, false), &file, Some(applied));
        check((false, true), &file, None);
        let back = json!({"src": "/p", "remote_src": true, "dest": "/f", "state": "absent"});
        let reverted =
            "/usr/bin/patch --quiet --forward --force --reject-file=- --reverse --strip=0 --input=/p /f";
        check((false, true), &back, Some(reverted));
        check((true, false), &back, None);
        let tree = json!({"src": "/p", "remote_src": true, "basedir": "/d", "strip": 1, "backup": true, "binary": true});
        let line = "/usr/bin/patch --quiet --forward --force --reject-file=- --strip=1 --binary --input=/p \
                    --directory=/d --backup --version-control=numbered";
        check((true, false), &tree, Some(line));
    }

    #[test]
    fn patches_of_the_control_node_leave_nothing_behind() {
        let trial = trial(true, false);
        let got = trial.run_exact(&json!({"src": control_file("x.patch", "--- a"), "dest": "/f"}));
        assert_eq!(got["changed"], true, "{got}");
        assert_eq!(trial.host.list_of("/tmp"), "");
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({"src": "/p", "remote_src": true}), "one of the following is required: dest, basedir"),
            (json!({"src": "/n", "remote_src": true, "dest": "/f"}), "src /n doesn't exist or not readable"),
            (json!({"src": "/p", "remote_src": true, "dest": "/n"}), "dest /n doesn't exist or not writable"),
            (json!({"src": "/p", "remote_src": true, "basedir": "/n"}), "basedir /n doesn't exist"),
            (json!({"src": "/p", "remote_src": true, "dest": "/f"}), "1 out of 1 hunk FAILED\n"),
        ] {
            assert_eq!(trial(false, false).run(&args)["msg"], msg);
        }
    }
}
