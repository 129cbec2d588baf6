use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};
use crate::lvm;

/// Manages volume groups of LVM.
///
/// # Examples
///
/// ```yaml
/// - name: A volume group on a disk
///   lvg: {vg: data, pvs: /dev/sdb, pesize: 32}
///
/// - name: It grows by a second disk
///   lvg: {vg: data, pvs: [/dev/sdb, /dev/sdc]}
///
/// - name: A disk has grown
///   lvg: {vg: data, pvs: [/dev/sdb, /dev/sdc], pvresize: true}
///
/// - name: No such group
///   lvg: {vg: data, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["reset_pv_uuid", true, ["pvs"]]]))]
pub struct Args {
    /// The name of the volume group.
    pub vg: String,
    /// Its physical volumes: devices that are made physical volumes where they are none.
    pub pvs: Option<Vec<String>>,
    /// Takes physical volumes that are not in `pvs` out of the group.
    #[serde(default = "yes")]
    pub remove_extra_pvs: bool,
    /// The size of an extent of a new group, in megabytes or with a unit.
    #[serde(default = "extent")]
    pub pesize: String,
    /// Options for `pvcreate`.
    #[serde(default)]
    pub pv_options: String,
    /// Lets physical volumes grow to the size of their devices.
    #[serde(default)]
    pub pvresize: bool,
    /// Options for `vgcreate`.
    #[serde(default)]
    pub vg_options: String,
    /// Whether there is one; `active` and `inactive`: with all of its volumes, also at the next start.
    #[serde(default)]
    pub state: State,
    /// Removes it also where it has volumes, whose data are lost.
    #[serde(default)]
    pub force: bool,
    /// Gives the group a new UUID, each time.
    #[serde(default)]
    pub reset_vg_uuid: bool,
    /// Gives the physical volumes it has new UUIDs, each time.
    #[serde(default)]
    pub reset_pv_uuid: bool,
}

fn yes() -> bool {
    true
}

fn extent() -> String {
    "4".into()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    #[default]
    Present,
    Active,
    Inactive,
}

#[derive(Serialize)]
pub struct Returns {}

const NO_DEVICES: &str = "No physical volumes given.";

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let devices: Vec<&str> =
        args.pvs.iter().flatten().map(|device| device.trim()).filter(|device| !device.is_empty()).collect();
    if args.pvs.is_some() && devices.is_empty() {
        return Err(Failure::new(NO_DEVICES));
    }
    let listed = sys.ask(list("vgs", "vg_name,pv_count,lv_count", sys)?).map_err(Failure::as_said)?;
    let group = lvm::rows(&listed).into_iter().find(|row| row.first() == Some(&args.vg));
    match (args.state, group) {
        (State::Absent, None) => {}
        (State::Absent, Some(group)) => {
            let is_empty = group.get(2).is_some_and(|volumes| volumes == "0");
            if !is_empty && !args.force {
                let name = &args.vg;
                return Err(Failure::new(format!(
                    "Refuse to remove non-empty volume group {name} without force=true"
                )));
            }
            change("vgremove", &["--force", &args.vg], sys)?;
        }
        (_, None) if devices.is_empty() => return Err(Failure::new(NO_DEVICES)),
        (_, None) => {
            check(&args.vg, &devices, sys)?;
            create(&args, &devices, sys)?;
        }
        (_, Some(_)) => {
            let has = check(&args.vg, &devices, sys)?;
            activate(&args, sys)?;
            if args.reset_vg_uuid {
                change("vgchange", &["-u", &args.vg], sys)?;
            }
            if !devices.is_empty() {
                resize(&args, &has, &devices, sys)?;
            }
        }
    }
    Ok(Returns {})
}

fn list(program: &str, columns: &str, sys: &System<'_>) -> Result<Command> {
    Ok(lvm::program(program, sys)?.args(["--noheadings", "--separator", ";", "-o", columns]))
}

fn change(program: &str, words: &[&str], sys: &mut System<'_>) -> Result<()> {
    sys.exec(lvm::program(program, sys)?.args(words.iter().copied())).map_err(Failure::as_said)?;
    Ok(())
}

/// The physical volumes that the group has. The devices that are wanted must be there, and of no other group.
fn check(group: &str, devices: &[&str], sys: &mut System<'_>) -> Result<Vec<String>> {
    for device in devices {
        if !sys.exists(device.as_ref())? {
            return Err(Failure::new(format!("Device {device} not found.")));
        }
    }
    let listed = sys.ask(list("pvs", "pv_name,vg_name", sys)?).map_err(Failure::as_said)?;
    let mut has = Vec::new();
    for row in lvm::rows(&listed) {
        let [volume, of, ..] = row.as_slice() else { continue };
        if of == group {
            has.push(volume.clone());
        } else if !of.is_empty() {
            for device in devices {
                if is_same(device, volume, sys)? {
                    return Err(Failure::new(format!("Device {device} is already in {of} volume group.")));
                }
            }
        }
    }
    Ok(has)
}

/// Whether both are names of one device: many are links.
fn is_same(device: &str, volume: &str, sys: &System<'_>) -> Result<bool> {
    Ok(device == volume || sys.resolve(device.as_ref())? == sys.resolve(volume.as_ref())?)
}

fn create(args: &Args, devices: &[&str], sys: &mut System<'_>) -> Result<()> {
    let mut words = lvm::options("vg_options", Some(&args.vg_options))?;
    let is_said = words.iter().any(|word| word.starts_with("--setautoactivation"));
    words.extend(["-s".to_owned(), args.pesize.clone()]);
    let wanted = match args.state {
        State::Active => Some("y"),
        State::Inactive => Some("n"),
        State::Present | State::Absent => None,
    };
    if let Some(wanted) = wanted.filter(|_| !is_said)
        && starts_volumes("vgcreate", sys)?
    {
        words.extend(["--setautoactivation".to_owned(), wanted.to_owned()]);
    }
    make_volumes(args, devices, sys)?;
    let command = lvm::program("vgcreate", sys)?.args(words).arg(&args.vg).args(devices.iter().copied());
    sys.exec(command).map_err(Failure::as_said)?;
    Ok(())
}

fn make_volumes(args: &Args, devices: &[&str], sys: &mut System<'_>) -> Result<()> {
    let options = lvm::options("pv_options", Some(&args.pv_options))?;
    for device in devices {
        let command = lvm::program("pvcreate", sys)?.args(options.clone()).args(["-f", device]);
        sys.exec(command).map_err(Failure::as_said)?;
    }
    Ok(())
}

/// Whether that program knows of activation at start.
fn starts_volumes(program: &str, sys: &mut System<'_>) -> Result<bool> {
    let help = sys.query(lvm::program(program, sys)?.arg("--help"))?;
    Ok([help.stdout(), help.stderr()].iter().any(|text| text.contains("--setautoactivation")))
}

/// The volumes it has are all active, or none is; now and at the next start.
fn activate(args: &Args, sys: &mut System<'_>) -> Result<()> {
    let (word, active) = match args.state {
        State::Active => ("y", true),
        State::Inactive => ("n", false),
        State::Present | State::Absent => return Ok(()),
    };
    if starts_volumes("vgchange", sys)? {
        let told = sys.ask(list("vgs", "autoactivation", sys)?.arg(&args.vg)).map_err(Failure::as_said)?;
        if (told.stdout().trim() == "enabled") != active {
            change("vgchange", &["--setautoactivation", word, &args.vg], sys)?;
        }
    }
    let told = sys.ask(list("vgs", "lv_attr", sys)?.arg(&args.vg)).map_err(Failure::as_said)?;
    let is_active = |row: &Vec<String>| row.first().is_some_and(|flags| flags.chars().nth(4) == Some('a'));
    if lvm::rows(&told).iter().any(|row| is_active(row) != active) {
        change("vgchange", &["--activate", word, &args.vg], sys)?;
    }
    Ok(())
}

fn resize(args: &Args, has: &[String], devices: &[&str], sys: &mut System<'_>) -> Result<()> {
    for volume in has {
        if args.pvresize && grows(volume, sys)? {
            change("pvresize", &[volume], sys)?;
        }
        if args.reset_pv_uuid {
            change("pvchange", &["-u", volume], sys)?;
        }
    }
    let (mut new, mut extra) = (Vec::new(), Vec::new());
    for device in devices {
        let mut known = false;
        for volume in has {
            known |= is_same(device, volume, sys)?;
        }
        if !known {
            new.push(*device);
        }
    }
    for volume in has {
        let mut wanted = false;
        for device in devices {
            wanted |= is_same(device, volume, sys)?;
        }
        if !wanted && args.remove_extra_pvs {
            extra.push(volume.as_str());
        }
    }
    if !new.is_empty() {
        make_volumes(args, &new, sys)?;
        change("vgextend", &[&[args.vg.as_str()], new.as_slice()].concat(), sys)?;
    }
    if !extra.is_empty() {
        change("vgreduce", &[&["--force", args.vg.as_str()], extra.as_slice()].concat(), sys)?;
    }
    Ok(())
}

/// Whether the device has room for an extent more than the physical volume on it.
fn grows(volume: &str, sys: &mut System<'_>) -> Result<bool> {
    let mut command = lvm::program("pvs", sys)?.args(["--noheadings", "--nosuffix", "--units", "b"]);
    command = command.args(["--separator", ";", "-o", "dev_size,pv_size,pe_start,vg_extent_size", volume]);
    let told = sys.ask(command).map_err(Failure::as_said)?;
    let sizes: Vec<u64> =
        lvm::rows(&told).first().into_iter().flatten().filter_map(|size| size.parse().ok()).collect();
    let [device, size, start, extent] = sizes.as_slice() else {
        return Err(Failure::new(format!("pvs tells no sizes of {volume}: {:?}", told.stdout().trim())));
    };
    let room = device.saturating_sub(*start);
    Ok(room.saturating_sub(room.checked_rem(*extent).unwrap_or(0)) > *size)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("lvg");
        for name in [
            "vgs", "pvs", "vgcreate", "vgremove", "vgchange", "vgextend", "vgreduce", "pvcreate", "pvresize",
            "pvchange",
        ] {
            let path = format!("/usr/sbin/{name}");
            trial.host.program(&path).answer(&path, 0, "");
        }
        for device in ["/dev/a", "/dev/b", "/dev/c", "/dev/dm-1"] {
            trial.host.file(device, "");
        }
        trial.host.dir("/dev/mapper").link("/dev/mapper/b", "/dev/b");
        let names = "--noheadings --separator ; -o";
        trial.host.answer(&format!("/usr/sbin/vgs {names}"), 0, "  one;1;0\n  two;2;3\n");
        trial.host.answer("/usr/sbin/pvs", 0, "  /dev/a;one\n  /dev/mapper/b;two\n  /dev/dm-1;\n");
        trial.host.answer(
            "/usr/sbin/pvs --noheadings --nosuffix",
            0,
            "  77108864;66060288;1048576;1048576\n",
        );
        trial.host.answer("/usr/sbin/vgchange --help", 0, "\t--setautoactivation y|n");
        trial.host.answer("/usr/sbin/vgcreate --help", 0, "\t--setautoactivation y|n");
        trial.host.answer(&format!("/usr/sbin/vgs {names} autoactivation"), 0, "  enabled\n");
        trial.host.answer(&format!("/usr/sbin/vgs {names} lv_attr"), 0, "  -wi-a-----\n  -wi-------\n");
        trial
    }

    fn check(args: &Json, expected: &[&str]) {
        let trial = trial();
        trial.foretold(args, !expected.is_empty());
        let ran = trial.host.ran();
        let looks = ["/usr/sbin/vgs", "/usr/sbin/pvs"];
        let made: Vec<&str> = ran
            .iter()
            .filter(|line| !looks.iter().any(|look| line.starts_with(look)) && !line.ends_with("--help"))
            .map(|line| line.trim_start_matches("/usr/sbin/"))
            .collect();
        assert_eq!(made, expected, "{args}");
    }

    #[test]
    fn groups_are_made() {
        check(&json!({"vg": "new", "pvs": "/dev/c"}), &["pvcreate -f /dev/c", "vgcreate -s 4 new /dev/c"]);
        check(
            &json!({"vg": "new", "pvs": ["/dev/c", "/dev/dm-1"], "pesize": "128K", "pv_options": "-x 'a b'",
                    "vg_options": "-l 5", "state": "inactive"}),
            &[
                "pvcreate -x a b -f /dev/c",
                "pvcreate -x a b -f /dev/dm-1",
                "vgcreate -l 5 -s 128K --setautoactivation n new /dev/c /dev/dm-1",
            ],
        );
        check(&json!({"vg": "one", "pvs": "/dev/a", "pesize": "8"}), &[]);
    }

    #[test]
    fn groups_change_their_devices() {
        check(
            &json!({"vg": "one", "pvs": "/dev/c"}),
            &["pvcreate -f /dev/c", "vgextend one /dev/c", "vgreduce --force one /dev/a"],
        );
        check(
            &json!({"vg": "one", "pvs": "/dev/c", "remove_extra_pvs": false}),
            &["pvcreate -f /dev/c", "vgextend one /dev/c"],
        );
        // By another name.
        check(&json!({"vg": "two", "pvs": "/dev/b"}), &[]);
        check(&json!({"vg": "one", "pvs": "/dev/a", "pvresize": true}), &["pvresize /dev/a"]);
        check(
            &json!({"vg": "one", "pvs": "/dev/a", "reset_pv_uuid": true, "reset_vg_uuid": true}),
            &["vgchange -u one", "pvchange -u /dev/a"],
        );
    }

    #[test]
    fn groups_start_and_end() {
        check(&json!({"vg": "two", "state": "active"}), &["vgchange --activate y two"]);
        check(
            &json!({"vg": "two", "state": "inactive"}),
            &["vgchange --setautoactivation n two", "vgchange --activate n two"],
        );
        check(&json!({"vg": "one", "state": "absent"}), &["vgremove --force one"]);
        check(&json!({"vg": "two", "state": "absent", "force": true}), &["vgremove --force two"]);
        check(&json!({"vg": "none", "state": "absent"}), &[]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({"vg": "new"}), "No physical volumes given."),
            (json!({"vg": "new", "pvs": ""}), "No physical volumes given."),
            (json!({"vg": "new", "pvs": "/dev/none"}), "Device /dev/none not found."),
            (json!({"vg": "new", "pvs": "/dev/b"}), "Device /dev/b is already in two volume group."),
            (
                json!({"vg": "two", "state": "absent"}),
                "Refuse to remove non-empty volume group two without force=true",
            ),
            (
                json!({"vg": "two", "reset_pv_uuid": true}),
                "reset_pv_uuid is True but all of the following are missing: pvs",
            ),
        ] {
            assert_eq!(trial().run(&args)["msg"], msg);
        }
        let trial = trial();
        trial.host.answer("/usr/sbin/vgs", 5, "no luck\n");
        let got = trial.run(&json!({"vg": "none", "state": "absent"}));
        assert_eq!((&got["failed"], &got["msg"]), (&json!(true), &json!("no luck")));
    }
}
