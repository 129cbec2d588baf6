mod kind;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::kind::Kind;
use crate::kit::{Command, Failure, FilePath, Result, System, words};
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
    /// The kind of file system.
    #[schemars(extend("aliases" = ["type"]))]
    pub fstype: Option<Kind>,
    /// Whether there is one.
    #[serde(default)]
    pub state: State,
    /// Makes it also where there is another one, whose data are lost.
    #[serde(default)]
    pub force: bool,
    /// Whether it grows to the size of its device. ext2, ext3, ext4, xfs (mounted), lvm,
    /// bcachefs and ufs can.
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
            sys.exec(Command::new(sys.need("wipefs")?).args(["--all", &dev])).map_err(Failure::as_said)?;
        }
        return Ok(Returns { msg: None });
    };
    let tool = kind.tool();
    let made_with = args.uuid.as_ref().and_then(|uuid| kind.made_with(uuid));
    // What gives it at once is asked for nothing later.
    let uuid = args.uuid.as_ref().filter(|_| made_with.is_none() || now == kind.signature());
    let identify = uuid.map(|uuid| {
        kind.uuid(uuid, &dev, sys)?.ok_or_else(|| {
            let name = kind.name();
            Failure::new(format!("module does not support UUID option for this filesystem ({name}) yet."))
        })
    });
    let identify = identify.transpose()?;
    if now == kind.signature() {
        // What is there keeps its data, whatever `force` says, where all that is asked can be done to it.
        if args.resizefs {
            return resize(kind, &dev, sys);
        }
        if let Some(command) = identify {
            let output = sys.exec(command).map_err(Failure::as_said)?;
            return Ok(Returns { msg: output.map(|output| output.stdout().into_owned()) });
        }
        if !args.force {
            return Ok(Returns { msg: None });
        }
    }
    if !now.is_empty() && !args.force {
        let msg = format!("'{dev}' is already used as {now}, use force=true to overwrite");
        return Err(Failure::new(msg).with("rc", 0).with("err", ""));
    }
    let options = words::split(args.opts.as_deref().unwrap_or_default())
        .map_err(|why| Failure::new(format!("opts: {why}")))?;
    let make = Command::new(sys.need(tool.program)?).args(tool.words).args(options);
    let make = make.args(made_with.unwrap_or_default()).arg(&dev);
    sys.exec(make).map_err(Failure::as_said)?;
    if let Some(command) = identify {
        sys.exec(command).map_err(Failure::as_said)?;
    }
    Ok(Returns { msg: None })
}

/// What `blkid` finds on the device; nothing where it knows nothing of it.
fn signature(dev: &str, sys: &mut System<'_>) -> Result<String> {
    // Not from its cache.
    let command =
        Command::new(sys.need("blkid")?).args(["-p", "-c", "/dev/null", "-o", "value", "-s", "TYPE", dev]);
    let output = sys.query(command)?;
    // It ends with 2 both where there is nothing and where it could not look; then it says why.
    if output.ok() || (output.code == 2 && output.stderr.trim_ascii().is_empty()) {
        return Ok(output.stdout().trim().to_owned());
    }
    let why = output.stderr().trim().to_owned();
    Err(Failure::new(format!("blkid cannot tell what is on {dev}: {why}"))
        .with("rc", output.code)
        .with("stderr", output.stderr()))
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
            let command = Command::new(sys.need("blockdev")?).args(["--getsize64", dev]);
            let output = sys.ask(command).map_err(Failure::as_said)?;
            let said = output.stdout();
            let no_size = |_| Failure::new(format!("blockdev tells no size of {dev}: {:?}", said.trim()));
            said.trim().parse::<u64>().map_err(no_size)?
        }
    };
    let at = mounted.clone().unwrap_or_else(|| dev.to_owned());
    let (size, block) = kind.size(dev, &at, sys)?;
    if device_size < size.saturating_add(block) {
        return Ok(Returns { msg: Some(format!("{label} filesystem is using the whole device {dev}")) });
    }
    if kind.grows_mounted() && mounted.is_none() {
        return Err(Failure::new(format!("{dev} needs to be mounted for {} operations", kind.name())));
    }
    let mut command = Command::new(sys.need(grow.program)?).args(grow.words);
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
    for line in mounts.lines() {
        let mut fields = line.split(' ').map(crate::setup::mounts::unescape);
        let (Some(device), Some(at)) = (fields.next(), fields.next()) else { continue };
        // Both may be links: /dev/mapper/vg-lv and /dev/vg/lv are of one device.
        if device.starts_with('/') && (device == dev || sys.resolve(device.as_ref())? == real) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    fn trial(has: &str) -> Trial {
        let trial = Trial::of("filesystem");
        for name in [
            "blkid",
            "wipefs",
            "mkfs.ext4",
            "mkfs.vfat",
            "mkfs.xfs",
            "resize2fs",
            "mkswap",
            "tune2fs",
            "dumpe2fs",
            "xfs_info",
        ] {
            let path = format!("/usr/sbin/{name}");
            trial.host.program(&path).answer(&path, 0, "");
        }
        trial.host.answer("/usr/sbin/tune2fs", 0, "tune2fs 1.47\n").answer(
            "/usr/sbin/resize2fs",
            0,
            "now longer\n",
        );
        trial.host.answer("/usr/sbin/dumpe2fs", 0, "Block count:  4\nBlock size:  1024\n");
        let (code, said) = if has.is_empty() { (2, String::new()) } else { (0, format!("{has}\n")) };
        trial.host.answer("/usr/sbin/blkid", code, &said);
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
        // Never by making it anew.
        let forced = json!({"dev": "/img", "fstype": "ext4", "resizefs": true, "force": true});
        check("ext4", &forced, Some("resize2fs /img"));
        let full = "Ext4 filesystem is using the whole device /small";
        assert_eq!(check("ext4", &grow("/small"), None)["msg"], full);
    }

    #[test]
    fn a_mounted_one_grows_by_its_device() {
        let trial = trial("xfs");
        let said = "data     =      bsize=1024   blocks=4, imaxpct=25\n";
        trial
            .host
            .dir("/mnt/a b")
            .dir("/dev/mapper")
            .file("/dev/dm-0", "")
            .link("/dev/mapper/vg-lv", "/dev/dm-0");
        trial.host.dir("/dev/vg").link("/dev/vg/lv", "/dev/dm-0");
        trial
            .host
            .file("/proc/mounts", "proc /proc proc rw 0 0\n/dev/mapper/vg-lv /mnt/a\\040b xfs rw 0 0\n");
        trial.host.file("/dev/dm-0", "x".repeat(8192)).answer("/usr/sbin/xfs_info", 0, said);
        trial.host.program("/usr/sbin/xfs_growfs").answer("/usr/sbin/xfs_growfs", 0, "grown\n");
        let args = json!({"dev": "/dev/vg/lv", "fstype": "xfs", "resizefs": true});
        assert_eq!(trial.run(&args)["msg"], "grown\n");
        assert_eq!(trial.host.ran()[1..], ["/usr/sbin/xfs_info /mnt/a b", "/usr/sbin/xfs_growfs /mnt/a b"]);
        trial.host.answer("/usr/sbin/blkid", 0, "ext4\n");
        trial.host.file("/proc/mounts", "/dev/mapper/vg-lv /mnt ext4 rw 0 0\n");
        trial.run(&json!({"dev": "/dev/vg/lv", "fstype": "ext4", "resizefs": true}));
        assert_eq!(trial.host.ran()[4], "/usr/sbin/dumpe2fs -h /dev/vg/lv");
    }

    #[test]
    fn what_cannot_be_seen_is_not_written_over() {
        let trial = trial("");
        let blind = |code, stderr: &'static str| {
            trial.host.script("/usr/sbin/blkid", move |_, _| Output {
                code,
                stderr: stderr.as_bytes().to_vec(),
                ..Output::default()
            });
            trial.run(&json!({"dev": "/img", "fstype": "ext4"}))
        };
        for got in
            [blind(2, "error: /img: Permission denied\n"), blind(8, "ambivalent result\n"), blind(4, "")]
        {
            assert!(got["msg"].as_str().unwrap().starts_with("blkid cannot tell what is on /img: "), "{got}");
        }
        assert!(trial.host.ran().iter().all(|line| line.contains("blkid")));
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
            (
                "",
                json!({"dev": "/img", "fstype": "btrfs", "uuid": "random"}),
                "module does not support UUID option for this filesystem (btrfs) yet.",
            ),
            (
                "bcachefs",
                json!({"dev": "/img", "fstype": "bcachefs", "uuid": "random"}),
                "module does not support UUID option for this filesystem (bcachefs) yet.",
            ),
        ] {
            assert_eq!(trial(has).run(&args)["msg"], msg);
        }
    }
}
