mod size;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::size::{Of, Share, Size};
use crate::kit::{Command, Failure, Result, System};
use crate::lineinfile::State;
use crate::lvm;

/// Manages logical volumes of LVM.
///
/// # Examples
///
/// ```yaml
/// - name: A volume of 512 megabytes
///   lvol: {vg: data, lv: www, size: 512}
///
/// - name: It takes all the room that is left, and its file system with it
///   lvol: {vg: data, lv: www, size: +100%FREE, resizefs: true}
///
/// - name: A snapshot of it
///   lvol: {vg: data, lv: www, snapshot: before, size: 100m}
///
/// - name: A volume in a thin pool
///   lvol: {vg: data, lv: large, thinpool: pool, size: 128g}
///
/// - name: No such volume
///   lvol: {vg: data, lv: www, state: absent, force: true}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["lv", "thinpool"]]))]
pub struct Args {
    /// The volume group.
    pub vg: String,
    /// The name of the volume; of a snapshot, what it is of.
    pub lv: Option<String>,
    /// Its size, in megabytes or with a unit, or in percent: `50%VG`, of `VG`, `PVS`, `FREE` or `ORIGIN`. With `+` or
    /// `-` before it, what an existing volume grows or shrinks by, each time.
    pub size: Option<String>,
    /// Options for `lvcreate`.
    pub opts: Option<String>,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// Whether it is active.
    #[serde(default = "yes")]
    pub active: bool,
    /// Removes or shrinks it; its data may be lost.
    #[serde(default)]
    pub force: bool,
    /// The physical volumes it may lie on.
    #[serde(default)]
    pub pvs: Vec<String>,
    /// The name of a snapshot of `lv`.
    pub snapshot: Option<String>,
    /// A thin pool: the one that `lv` is in, or without `lv` the one to make.
    pub thinpool: Option<String>,
    /// Shrinks it where it is larger.
    #[serde(default = "yes")]
    pub shrink: bool,
    /// Lets its file system change its size with it.
    #[serde(default)]
    pub resizefs: bool,
}

fn yes() -> bool {
    true
}

#[derive(Default, Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    /// The group of a volume that was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    vg: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    lv: Option<String>,
    /// Its size before.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    err: Option<String>,
}

/// A group's size, what is free of it, and the size of its extents.
struct Group {
    size: f64,
    free: f64,
    extent: f64,
}

struct Volume {
    name: String,
    size: f64,
    active: bool,
    is_thin: bool,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let size = args.size.as_deref().filter(|size| !size.is_empty()).map(Size::parse).transpose()?;
    let of_origin = size.as_ref().is_some_and(|size| size.of == Of::Share(Share::Origin));
    if of_origin && args.snapshot.is_none() {
        return Err(Failure::new("Percentage of ORIGIN supported only for snapshot volumes"));
    }
    let unit = size.as_ref().map_or('m', Size::unit).to_string();
    let Some(group) = group(&args.vg, &unit, sys)? else {
        let msg = format!("Volume group {} does not exist.", args.vg);
        return match args.state {
            State::Absent => Ok(Returns { stdout: Some(msg), ..Returns::default() }),
            State::Present => Err(Failure::new(msg)),
        };
    };
    let volumes = volumes(&args.vg, &unit, sys)?;
    let own = |name: &Option<String>| {
        let prefix = format!("{}/", args.vg);
        name.as_deref().map(|name| name.strip_prefix(&prefix).unwrap_or(name).to_owned())
    };
    let (lv, pool) = (own(&args.lv), own(&args.thinpool));
    let find = |name: &str| volumes.iter().find(|volume| volume.name == name);
    let origin = lv.as_deref().filter(|_| args.snapshot.is_some()).and_then(find);
    let name = match (&args.snapshot, &lv, &pool) {
        (Some(_), _, Some(_)) => return Err(Failure::new("Snapshots of thin pool LVs are not supported.")),
        (Some(_), origin_name, None) if origin.is_none() => {
            let (origin_name, vg) = (origin_name.as_deref().unwrap_or_default(), &args.vg);
            return Err(Failure::new(format!(
                "Snapshot origin LV {origin_name} does not exist in volume group {vg}."
            )));
        }
        (None, Some(_), Some(pool)) if find(pool).is_none() => {
            let vg = &args.vg;
            return Err(Failure::new(format!("Thin pool LV {pool} does not exist in volume group {vg}.")));
        }
        (Some(name), ..) | (None, Some(name), _) | (None, None, Some(name)) => name.clone(),
        (None, None, None) => return Err(Failure::new("one of the following is required: lv, thinpool")),
    };
    let place = format!("{}/{name}", args.vg);
    match (args.state, find(&name)) {
        (State::Absent, None) => Ok(Returns { msg: Some(String::new()), ..Returns::default() }),
        (State::Absent, Some(_)) => {
            if !args.force {
                return Err(Failure::new(format!(
                    "Sorry, no removal of logical volume {name} without force=true."
                )));
            }
            let command = lvm::program("lvremove", sys)?.args(["--force", &place]);
            change(command, &format!("Failed to remove logical volume {name}"), sys)?;
            Ok(Returns::default())
        }
        (State::Present, None) => {
            let wanted = Wanted { name: &name, lv: lv.as_deref(), pool: pool.as_deref(), origin };
            change(
                create(&args, &wanted, size.as_ref(), sys)?,
                &format!("Creating logical volume '{name}' failed"),
                sys,
            )?;
            if !args.active {
                switch(&args, &name, sys)?;
            }
            Ok(Returns { msg: Some(String::new()), ..Returns::default() })
        }
        (State::Present, Some(volume)) => {
            let (vg, lv, now) = (Some(args.vg.clone()), Some(name.clone()), Some(volume.size));
            let mut returns = Returns { vg, lv, size: now, ..Returns::default() };
            if let Some(size) = &size {
                resize(&args, volume, &group, origin, size, &mut returns, sys)?;
            }
            if volume.active != args.active {
                switch(&args, &name, sys)?;
            }
            Ok(returns)
        }
    }
}

/// `None` where there is no such group.
fn group(name: &str, unit: &str, sys: &mut System<'_>) -> Result<Option<Group>> {
    let columns = ["--separator", ";", "-o", "vg_name,size,free,vg_extent_size", name];
    let command = lvm::program("vgs", sys)?.args(["--noheadings", "--nosuffix", "--units", unit]);
    let output = sys.query(command.args(columns))?;
    if !output.ok() {
        let said = output.stderr().trim().to_owned();
        if said.contains("not found") {
            return Ok(None);
        }
        return Err(Failure::new(format!("vgs tells nothing of {name}: {said}"))
            .with("rc", output.code)
            .with("err", output.stderr()));
    }
    let sizes: Vec<f64> = lvm::rows(&output)
        .iter()
        .flat_map(|row| row.iter().skip(1))
        .filter_map(|field| field.parse().ok())
        .collect();
    let [size, free, extent, ..] = sizes.as_slice() else {
        return Err(Failure::new(format!("vgs tells no sizes of {name}: {:?}", output.stdout().trim())));
    };
    Ok(Some(Group { size: *size, free: *free, extent: *extent }))
}

fn volumes(group: &str, unit: &str, sys: &mut System<'_>) -> Result<Vec<Volume>> {
    let columns = ["--separator", ";", "-o", "lv_name,size,lv_attr", group];
    let command = lvm::program("lvs", sys)?.args(["-a", "--noheadings", "--nosuffix", "--units", unit]);
    let output = sys.ask(command.args(columns)).map_err(Failure::as_said)?;
    let volume = |row: &Vec<String>| {
        let [name, size, flags, ..] = row.as_slice() else { return None };
        Some(Volume {
            // Those that are part of others stand in brackets.
            name: name.trim_matches(['[', ']']).to_owned(),
            size: size.parse().ok()?,
            active: flags.chars().nth(4) == Some('a'),
            is_thin: flags.starts_with('V'),
        })
    };
    Ok(lvm::rows(&output).iter().filter_map(volume).collect())
}

fn change(command: Command, lead: &str, sys: &mut System<'_>) -> Result<()> {
    sys.exec(command).map(drop).map_err(|failure| told(&failure, lead))
}

/// A failure of a program in the words of the module.
fn told(failure: &Failure, lead: &str) -> Failure {
    let field = |key: &str| failure.fields.get(key).cloned().unwrap_or_default();
    let msg = failure.clone().as_said().msg;
    Failure::new(format!("{lead}: {msg}")).with("rc", field("rc")).with("err", field("stderr"))
}

fn switch(args: &Args, name: &str, sys: &mut System<'_>) -> Result<()> {
    let (flag, verb) = if args.active { ("-ay", "activate") } else { ("-an", "deactivate") };
    let command = lvm::program("lvchange", sys)?.args([flag, &format!("{}/{name}", args.vg)]);
    change(command, &format!("Failed to {verb} logical volume {name}"), sys)
}

struct Wanted<'a> {
    name: &'a str,
    lv: Option<&'a str>,
    pool: Option<&'a str>,
    origin: Option<&'a Volume>,
}

fn create(args: &Args, wanted: &Wanted<'_>, size: Option<&Size>, sys: &System<'_>) -> Result<Command> {
    let options = lvm::options("opts", args.opts.as_deref())?;
    let command = lvm::program("lvcreate", sys)?.arg("--yes");
    let sized = match size {
        None if wanted.origin.is_some_and(|origin| origin.is_thin) => None,
        None => return Err(Failure::new("No size given.")),
        // A part of the free room may be added to nothing.
        Some(size) if size.sign == Some('-') || (size.sign.is_some() && matches!(size.of, Of::Unit(_))) => {
            let text = size.signed().1;
            return Err(Failure::new(format!("Bad size specification of '{text}' for creating LV")));
        }
        Some(size) => Some(size.option()),
    };
    if let Some(origin) = wanted.origin {
        let place = format!("{}/{}", args.vg, origin.name);
        let sized = sized.map(|(letter, text)| [letter.to_owned(), text]).into_iter().flatten();
        return Ok(command.args(sized).args(["-s", "-n", wanted.name]).args(options).arg(place));
    }
    let Some((letter, text)) = sized else { return Err(Failure::new("No size given.")) };
    let Some(pool) = wanted.pool else {
        let command = command.args(["-n", wanted.name, letter, &text]).args(options);
        return Ok(command.arg(&args.vg).args(&args.pvs));
    };
    let place = format!("{}/{pool}", args.vg);
    if wanted.lv.is_none() {
        return Ok(command.args([letter, &text]).args(options).args(["-T", &place]).args(&args.pvs));
    }
    if letter == "-l" {
        return Err(Failure::new("Thin volume sizing with percentage not supported."));
    }
    Ok(command.args(["-n", wanted.name, "-V", &text]).args(options).args(["-T", &place]))
}

/// Lets it grow or shrink to the size that is wanted.
fn resize(
    args: &Args,
    volume: &Volume,
    group: &Group,
    origin: Option<&Volume>,
    size: &Size,
    returns: &mut Returns,
    sys: &mut System<'_>,
) -> Result<()> {
    let name = &volume.name;
    let given = match size.of {
        Of::Unit(_) => size.value,
        Of::Share(Share::Group | Share::Volumes) => size.value * group.size / 100.0,
        Of::Share(Share::Free) => size.value * group.free / 100.0,
        Of::Share(Share::Origin) => size.value * origin.map_or(0.0, |origin| origin.size) / 100.0,
    };
    let mut wanted = match size.sign {
        Some('+') => volume.size + given,
        Some(_) => volume.size - given,
        None => given,
    };
    let mut tolerance = 0.0;
    if matches!(size.of, Of::Share(_)) {
        // LVM counts in whole extents, and may round up.
        wanted -= wanted % group.extent;
        tolerance = group.extent;
    }
    let command = if volume.size < wanted {
        let more = wanted - volume.size;
        if matches!(size.of, Of::Share(_)) && (group.free <= 0.0 || more > group.free) {
            let (unit, free) = (size.unit(), group.free);
            return Err(Failure::new(format!(
                "Logical Volume {name} could not be extended. Not enough free space left \
                 ({more}{unit} required / {free}{unit} available)"
            )));
        }
        lvm::program("lvextend", sys)?
    } else if volume.size > wanted + tolerance && args.shrink {
        if wanted < 1.0 {
            return Err(Failure::new(format!("Sorry, no shrinking of {name} to 0 permitted.")));
        }
        if !args.force {
            return Err(Failure::new(format!("Sorry, no shrinking of {name} without force=true.")));
        }
        lvm::program("lvreduce", sys)?.arg("--force")
    } else {
        return Ok(());
    };
    let (letter, text) = size.signed();
    let command = command.flag("--resizefs", args.resizefs).args([letter, &text]);
    let command = command.arg(format!("{}/{name}", args.vg)).args(&args.pvs);
    let Some(output) = sys.attempt(command)?.filter(|output| !output.ok()) else {
        return Ok(());
    };
    let err = output.stderr().into_owned();
    if err.contains("matches existing size") {
        return Ok(());
    }
    if err.contains("not larger than existing size") {
        returns.msg = Some("Original size is larger than requested size".into());
        returns.err = Some(err);
        return Ok(());
    }
    let msg = format!("Unable to resize {name} to {text}: {}", err.trim());
    Err(Failure::new(msg).with("rc", output.code).with("err", err))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("lvol");
        for name in ["vgs", "lvs", "lvcreate", "lvremove", "lvextend", "lvreduce", "lvchange"] {
            let path = format!("/usr/sbin/{name}");
            trial.host.program(&path).answer(&path, 0, "");
        }
        trial.host.answer("/usr/sbin/vgs", 0, "  vg;4096;2048;4\n");
        let volumes = "  root;512;-wi-ao----\n  off;512;-wi-------\n  snap;100;swi-a-s---\n  \
                       pool;1024;twi-aotz--\n  thin;2048;Vwi-a-tz--\n  [pool_tdata];1024;Twi-ao----\n";
        trial.host.answer("/usr/sbin/lvs", 0, volumes);
        trial
    }

    fn given(args: &Json) -> Json {
        let mut args = args.clone();
        args["vg"] = json!("vg");
        args
    }

    fn check(args: &Json, expected: &[&str]) -> Json {
        let trial = trial();
        let got = trial.foretold(&given(args), !expected.is_empty());
        let ran = trial.host.ran();
        let made = ran.iter().map(|line| line.trim_start_matches("/usr/sbin/"));
        let made: Vec<&str> = made.filter(|line| !["vgs", "lvs"].contains(&&line[..3])).collect();
        assert_eq!(made, expected, "{args}");
        got
    }

    #[test]
    fn volumes_are_made() {
        check(&json!({"lv": "new", "size": "512"}), &["lvcreate --yes -n new -L 512m vg"]);
        check(
            &json!({"lv": "new", "size": "100%FREE", "opts": "-r 16 --type 'x y'", "pvs": ["/dev/a", "/dev/b"]}),
            &["lvcreate --yes -n new -l 100%FREE -r 16 --type x y vg /dev/a /dev/b"],
        );
        check(&json!({"lv": "new", "size": "+50%FREE"}), &["lvcreate --yes -n new -l 50%FREE vg"]);
        // Ansible leaves a new one active.
        check(
            &json!({"lv": "new", "size": "1.5g", "active": false}),
            &["lvcreate --yes -n new -L 1.5g vg", "lvchange -an vg/new"],
        );
        let snapshot = |lv: &str, more: Json| {
            let mut args = json!({"lv": lv, "snapshot": "s"});
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            args
        };
        check(
            &snapshot("root", json!({"size": "10%ORIGIN", "opts": "-q"})),
            &["lvcreate --yes -l 10%ORIGIN -s -n s -q vg/root"],
        );
        check(&snapshot("thin", json!({})), &["lvcreate --yes -s -n s vg/thin"]);
        check(&json!({"thinpool": "p", "size": "10%VG"}), &["lvcreate --yes -l 10%VG -T vg/p"]);
        check(
            &json!({"thinpool": "pool", "lv": "t", "size": "1g"}),
            &["lvcreate --yes -n t -V 1g -T vg/pool"],
        );
    }

    #[test]
    fn volumes_grow_and_shrink() {
        let root = |size: &str| json!({"lv": "root", "size": size, "force": true});
        let got = check(&json!({"lv": "root", "size": "512"}), &[]);
        assert_eq!((&got["vg"], &got["lv"], &got["size"]), (&json!("vg"), &json!("root"), &json!(512.0)));
        check(&json!({"lv": "root"}), &[]);
        check(&root("513"), &["lvextend -L 513m vg/root"]);
        check(
            &json!({"lv": "root", "size": "600", "resizefs": true, "pvs": "/dev/a", "opts": "-q"}),
            &["lvextend --resizefs -L 600m vg/root /dev/a"],
        );
        check(&root("400"), &["lvreduce --force -L 400m vg/root"]);
        check(&json!({"lv": "root", "size": "400", "shrink": false}), &[]);
        check(&root("+100"), &["lvextend -L +100m vg/root"]);
        check(&root("-100"), &["lvreduce --force -L -100m vg/root"]);
        check(&root("13%VG"), &["lvextend -l 13%VG vg/root"]);
        // Less than an extent.
        check(&json!({"lv": "thin", "size": "50%VG"}), &[]);
        check(&root("+100%FREE"), &["lvextend -l +100%FREE vg/root"]);
        check(&root("-10%FREE"), &["lvreduce --force -l -10%FREE vg/root"]);
        check(
            &json!({"lv": "root", "snapshot": "snap", "size": "50%ORIGIN"}),
            &["lvextend -l 50%ORIGIN vg/snap"],
        );
        check(&json!({"lv": "off", "size": "600"}), &["lvextend -L 600m vg/off", "lvchange -ay vg/off"]);
        check(&json!({"lv": "pool_tdata", "size": "2000"}), &["lvextend -L 2000m vg/pool_tdata"]);
    }

    #[test]
    fn volumes_start_and_end() {
        check(&json!({"lv": "off"}), &["lvchange -ay vg/off"]);
        check(&json!({"lv": "off", "active": false}), &[]);
        check(&json!({"lv": "root", "active": false}), &["lvchange -an vg/root"]);
        check(&json!({"lv": "root", "state": "absent", "force": true}), &["lvremove --force vg/root"]);
        check(
            &json!({"lv": "root", "snapshot": "snap", "state": "absent", "force": true}),
            &["lvremove --force vg/snap"],
        );
        check(&json!({"lv": "vg/none", "state": "absent"}), &[]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({"lv": "new"}), "No size given."),
            (json!({"lv": "new", "size": "x5"}), "Bad size specification of 'x5'"),
            (json!({"lv": "new", "size": ".5g"}), "Bad size specification of '.5g'"),
            (json!({"lv": "new", "size": "-10g"}), "Bad size specification of '-10g' for creating LV"),
            (json!({"lv": "new", "size": "101%VG"}), "Size percentage cannot be larger than 100%"),
            (json!({"lv": "new", "size": "1%X"}), "Specify extents as a percentage of VG|PVS|FREE|ORIGIN"),
            (
                json!({"lv": "root", "size": "1%ORIGIN"}),
                "Percentage of ORIGIN supported only for snapshot volumes",
            ),
            (
                json!({"lv": "root", "state": "absent"}),
                "Sorry, no removal of logical volume root without force=true.",
            ),
            (json!({"lv": "root", "size": "400"}), "Sorry, no shrinking of root without force=true."),
            (
                json!({"lv": "root", "size": "-600", "force": true}),
                "Sorry, no shrinking of root to 0 permitted.",
            ),
            (
                json!({"lv": "root", "size": "+60%VG"}),
                "Logical Volume root could not be extended. Not enough free space left \
                 (2456m required / 2048m available)",
            ),
            (
                json!({"lv": "no", "snapshot": "s", "size": "1"}),
                "Snapshot origin LV no does not exist in volume group vg.",
            ),
            (
                json!({"lv": "t", "thinpool": "no", "size": "1"}),
                "Thin pool LV no does not exist in volume group vg.",
            ),
            (
                json!({"lv": "t", "thinpool": "pool", "snapshot": "s", "size": "1"}),
                "Snapshots of thin pool LVs are not supported.",
            ),
            (
                json!({"lv": "t", "thinpool": "pool", "size": "1%VG"}),
                "Thin volume sizing with percentage not supported.",
            ),
        ] {
            assert_eq!(trial().run(&given(&args))["msg"], msg);
        }
    }

    #[test]
    fn what_lvm_says_counts() {
        let trial = trial();
        let fails = |program: &str, stderr: &'static str| {
            trial.host.script(&format!("/usr/sbin/{program}"), move |_, _| Output {
                code: 5,
                stderr: stderr.as_bytes().to_vec(),
                ..Output::default()
            });
        };
        let larger = given(&json!({"lv": "root", "size": "600"}));
        fails("lvextend", "  New size (1 extents) matches existing size\n");
        assert_eq!(trial.run(&larger)["changed"], false);
        fails("lvextend", "  Insufficient free space\n");
        assert_eq!(trial.run(&larger)["msg"], "Unable to resize root to 600m: Insufficient free space");
        fails("vgs", "  Volume group \"vg\" not found\n");
        assert_eq!(trial.run(&larger)["msg"], "Volume group vg does not exist.");
        let absent = given(&json!({"lv": "root", "state": "absent"}));
        assert_eq!(trial.run(&absent)["stdout"], "Volume group vg does not exist.");
        // What was not seen may well be there.
        fails("vgs", "  No permission\n");
        assert_eq!(trial.run(&absent)["msg"], "vgs tells nothing of vg: No permission");
    }
}
