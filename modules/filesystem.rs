mod kind;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::kind::Kind;
use crate::kit::{Command, Failure, FilePath, Output, Result, System, words};
use crate::lineinfile::State;

/// Makes file systems, on devices or in files.
///
/// # Examples
///
/// ```yaml
/// - name: An ext4 on a partition
///   filesystem: {fstype: ext4, dev: /dev/sdb1}
///
/// - name: It fills its device, which has grown
///   filesystem: {fstype: ext4, dev: /dev/sdb1, resizefs: true}
///
/// - name: No file system
///   filesystem: {dev: /dev/sdb1, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["resizefs", "uuid"]],
    "required_if" = [["state", "present", ["fstype"]]],
))]
pub struct Args {
    /// The device or file.
    #[schemars(extend("aliases" = ["device"]))]
    pub dev: FilePath,
    /// The kind of file system. `bcachefs` and `ufs` cannot be made yet.
    #[schemars(extend("aliases" = ["type"]))]
    pub fstype: Option<Kind>,
    /// Whether there is one.
    #[serde(default)]
    pub state: State,
    /// Makes it also where there is another one, whose data are lost.
    #[serde(default)]
    pub force: bool,
    /// Whether it grows to the size of its device. ext2, ext3, ext4, xfs (mounted) and lvm
    /// can.
    #[serde(default)]
    pub resizefs: bool,
    /// Options for `mkfs`.
    pub opts: Option<String>,
    /// The UUID it gets, or a word for one that its tool knows: `random`, `generate` … That is a change each time.
    pub uuid: Option<String>,
}

#[derive(Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let dev = args.dev.text().into_owned();
    if !sys.exists(&args.dev)? {
        let msg = format!("Device {dev} not found.");
        // There is none, and that is what is wanted.
        return match args.state {
            State::Absent => Ok(Returns { msg: Some(msg) }),
            State::Present => Err(Failure::new(msg)),
        };
    }
    let now = signature(&dev, sys)?;
    let Some(kind) = args.fstype.filter(|_| args.state == State::Present) else {
        if !now.is_empty() {
            sys.exec(Command::new(program("wipefs", sys)?).args(["--all", &dev]))
                .map_err(Failure::as_said)?;
        }
        return Ok(Returns { msg: None });
    };
    let tool =
        kind.tool().ok_or_else(|| Failure::new(format!("fstype: {} is not supported yet", kind.name())))?;
    let is_same = now == kind.signature();
    if is_same && let Some(uuid) = &args.uuid {
        let command = kind.uuid(uuid, &dev).ok_or_else(|| {
            let name = kind.name();
            Failure::new(format!("module does not support UUID option for this filesystem ({name}) yet."))
        })?;
        let output = sys.exec(command).map_err(Failure::as_said)?;
        return Ok(Returns { msg: output.map(|output| output.stdout().into_owned()) });
    }
    if is_same && !args.force {
        return if args.resizefs { resize(kind, &dev, sys) } else { Ok(Returns { msg: None }) };
    }
    if !now.is_empty() && !args.force {
        let msg = format!("'{dev}' is already used as {now}, use force=true to overwrite");
        return Err(Failure::new(msg).with("rc", 0).with("err", ""));
    }
    let options = words::split(args.opts.as_deref().unwrap_or_default())
        .map_err(|why| Failure::new(format!("opts: {why}")))?;
    let make = Command::new(program(tool.program, sys)?).args(tool.words).args(options).arg(&dev);
    sys.exec(make).map_err(Failure::as_said)?;
    if let Some(command) = args.uuid.as_ref().and_then(|uuid| kind.uuid(uuid, &dev)) {
        sys.exec(command).map_err(Failure::as_said)?;
    }
    Ok(Returns { msg: None })
}

fn program(name: &str, sys: &System<'_>) -> Result<PathBuf> {
    sys.which(name).ok_or_else(|| Failure::new(format!("Failed to find required executable \"{name}\"")))
}

/// What `blkid` finds on the device; nothing where it knows nothing of it.
fn signature(dev: &str, sys: &mut System<'_>) -> Result<String> {
    // Not from its cache.
    let command = Command::new(program("blkid", sys)?).args([
        "-p",
        "-c",
        "/dev/null",
        "-o",
        "value",
        "-s",
        "TYPE",
        dev,
    ]);
    let output = sys.query(command)?;
    Ok(output.stdout().trim().to_owned())
}

fn asked(command: Command, sys: &mut System<'_>) -> Result<Output> {
    let output = sys.query(command)?;
    if output.ok() {
        return Ok(output);
    }
    let said = [output.stderr(), output.stdout()].into_iter().find(|text| !text.trim().is_empty());
    Err(Failure::new(said.unwrap_or_default().trim().to_owned()).with("rc", output.code))
}

/// Lets it grow to the size of its device, where it is smaller by a block or more.
fn resize(kind: Kind, dev: &str, sys: &mut System<'_>) -> Result<Returns> {
    let label = kind.label();
    let Some(grow) = kind.grow() else {
        return Err(Failure::new(format!(
            "module does not support resizing {} filesystem yet.",
            kind.name()
        )));
    };
    let mounted = mount_point(dev, sys)?;
    let device_size = match sys.stat_followed(dev.as_ref())? {
        Some(meta) if meta.is_file() => meta.size,
        _ => {
            let output = asked(Command::new(program("blockdev", sys)?).args(["--getsize64", dev]), sys)?;
            output.stdout().trim().parse().unwrap_or(0)
        }
    };
    let at = mounted.clone().unwrap_or_else(|| dev.to_owned());
    let size = kind.size(&at, &mut |command| asked(command, sys))?;
    if let Some((size, block)) = size
        && device_size < size + block
    {
        return Ok(Returns { msg: Some(format!("{label} filesystem is using the whole device {dev}")) });
    }
    if kind.grows_mounted() && mounted.is_none() {
        return Err(Failure::new(format!("{dev} needs to be mounted for {} operations", kind.name())));
    }
    let mut command = Command::new(program(grow.program, sys)?).args(grow.words);
    command = command.arg(if kind.grows_mounted() { &at } else { dev });
    let msg = match sys.exec(command).map_err(Failure::as_said)? {
        Some(output) => output.stdout().into_owned(),
        None => format!("resizing filesystem {label} on device {dev}"),
    };
    Ok(Returns { msg: Some(msg) })
}

fn mount_point(dev: &str, sys: &mut System<'_>) -> Result<Option<String>> {
    let mounts = sys.read_text_if_there("/proc/mounts".as_ref())?.unwrap_or_default();
    let real = sys.resolve(dev.as_ref())?;
    let found = mounts.lines().find_map(|line| {
        let (device, rest) = line.split_once(' ')?;
        (device == dev || real.to_str() == Some(device)).then(|| rest.split(' ').next().unwrap_or_default())
    });
    Ok(found.map(crate::setup::mounts::unescape))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial(has: &str) -> Trial {
        let trial = Trial::of("filesystem");
        for name in
            ["blkid", "wipefs", "mkfs.ext4", "mkfs.vfat", "mkfs.xfs", "resize2fs", "mkswap", "tune2fs"]
        {
            let path = format!("/usr/sbin/{name}");
            trial.host.program(&path).answer(&path, 0, "");
        }
        trial.host.answer("tune2fs", 0, "tune2fs 1.47\n").answer("/usr/sbin/resize2fs", 0, "now longer\n");
        trial.host.answer("dumpe2fs", 0, "Block count:  4\nBlock size:  1024\n");
        trial.host.answer("/usr/sbin/blkid", if has.is_empty() { 2 } else { 0 }, &format!("{has}\n"));
        trial.host.file("/img", "x".repeat(8192)).file("/small", "x".repeat(4100));
        trial
    }

    fn check(has: &str, args: &Json, expected: Option<&str>) -> Json {
        let trial = trial(has);
        let got = trial.foretold(args, expected.is_some());
        let ran = trial.host.ran();
        let made = ran.iter().find(|line| !line.contains("blkid") && !line.contains("dumpe2fs"));
        assert_eq!(made.map(|line| line.trim_start_matches("/usr/sbin/")), expected, "{args}");
        got
    }

    #[test]
    fn file_systems_are_made() {
        check("", &json!({"dev": "/img", "fstype": "ext4"}), Some("mkfs.ext4 -F /img"));
        check("ext4", &json!({"dev": "/img", "fstype": "ext4"}), None);
        let force = json!({"dev": "/img", "fstype": "vfat", "force": true, "opts": "-n 'a b'"});
        check("ext4", &force, Some("mkfs.vfat -n a b /img"));
        check("", &json!({"dev": "/img", "fstype": "xfs"}), Some("mkfs.xfs -f /img"));
        check("", &json!({"dev": "/img", "fstype": "swap"}), Some("mkswap -f /img"));
        check("ext4", &json!({"dev": "/img", "state": "absent"}), Some("wipefs --all /img"));
        check("", &json!({"dev": "/img", "state": "absent"}), None);
        check("", &json!({"dev": "/none", "state": "absent"}), None);
        check(
            "ext4",
            &json!({"dev": "/img", "fstype": "ext4", "uuid": "random"}),
            Some("tune2fs -U random /img"),
        );
    }

    #[test]
    fn file_systems_grow() {
        let grow = |dev: &str| json!({"dev": dev, "fstype": "ext4", "resizefs": true});
        assert_eq!(check("ext4", &grow("/img"), Some("resize2fs /img"))["msg"], "now longer\n");
        let full = "Ext4 filesystem is using the whole device /small";
        assert_eq!(check("ext4", &grow("/small"), None)["msg"], full);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (has, args, msg) in [
            ("", json!({"dev": "/none", "fstype": "ext4"}), "Device /none not found."),
            ("", json!({"dev": "/img"}), "state is present but all of the following are missing: fstype"),
            (
                "ext4",
                json!({"dev": "/img", "fstype": "vfat"}),
                "'/img' is already used as ext4, use force=true to overwrite",
            ),
            (
                "swap",
                json!({"dev": "/img", "fstype": "swap", "resizefs": true}),
                "module does not support resizing swap filesystem yet.",
            ),
            (
                "swap",
                json!({"dev": "/img", "fstype": "swap", "uuid": "random"}),
                "module does not support UUID option for this filesystem (swap) yet.",
            ),
            ("", json!({"dev": "/img", "fstype": "bcachefs"}), "fstype: bcachefs is not supported yet"),
        ] {
            assert_eq!(trial(has).run(&args)["msg"], msg);
        }
    }
}
