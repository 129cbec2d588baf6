mod place;
mod told;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::place::Place;
use self::told::{Disk, Partition};
use crate::kit::{Command, Failure, FilePath, Result, System};

/// Manages the partitions of disks, and tells of them.
///
/// # Examples
///
/// ```yaml
/// - name: A partition for LVM
///   parted: {device: /dev/sdb, number: 1, state: present, label: gpt, name: data, flags: [lvm]}
///
/// - name: It takes the whole disk
///   parted: {device: /dev/sdb, number: 1, state: present, label: gpt, part_end: 100%, resize: true}
///
/// - name: What is there
///   parted: {device: /dev/sdb, unit: MiB}
///   register: sdb
///
/// - name: No such partition
///   parted: {device: /dev/sdb, number: 2, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["number"]], ["state", "absent", ["number"]]]))]
pub struct Args {
    /// The disk.
    pub device: FilePath,
    /// The number of the partition.
    pub number: Option<i64>,
    /// How a new partition is aligned.
    #[serde(default)]
    pub align: Align,
    /// The flags it has, and no others; with none given they stay.
    #[serde(default)]
    pub flags: Vec<String>,
    /// What file system the partition is said to be for.
    pub fs_type: Option<String>,
    /// The kind of partition table. A disk with another one gets this one, and all its partitions are lost.
    #[serde(default)]
    pub label: Label,
    /// The name of the partition (not with `msdos`).
    pub name: Option<String>,
    /// Where it ends, from the start of the disk, or with `-` from its end; with a unit.
    #[serde(default = "all")]
    pub part_end: String,
    /// Where it starts, from the start of the disk, or with `-` from its end; with a unit.
    #[serde(default = "none")]
    pub part_start: String,
    /// The kind of partition, with `msdos` and `dvh`.
    #[serde(default)]
    pub part_type: PartType,
    /// Lets a partition that is there end at `part_end`.
    #[serde(default)]
    pub resize: bool,
    /// Whether it is there; `info` only tells of the disk.
    #[serde(default)]
    pub state: State,
    /// The unit of what is told.
    #[serde(default)]
    pub unit: Unit,
    /// Tells units as `unit` has them; else in lower case.
    #[serde(default)]
    pub unit_preserve_case: bool,
}

fn all() -> String {
    "100%".into()
}

fn none() -> String {
    "0%".into()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    Cylinder,
    Minimal,
    None,
    #[default]
    Optimal,
    /// As `parted` sees fit.
    Undefined,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    Aix,
    Amiga,
    Bsd,
    Dvh,
    Gpt,
    Loop,
    Mac,
    #[default]
    Msdos,
    Pc98,
    Sun,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartType {
    Extended,
    Logical,
    #[default]
    Primary,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Present,
    #[default]
    Info,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    #[serde(rename = "s")]
    Sector,
    B,
    KB,
    #[default]
    KiB,
    MB,
    MiB,
    GB,
    GiB,
    TB,
    TiB,
    #[serde(rename = "%")]
    Percent,
    #[serde(rename = "cyl")]
    Cylinder,
    #[serde(rename = "chs")]
    Chs,
    #[serde(rename = "compact")]
    Compact,
}

#[derive(Serialize)]
pub struct Returns {
    disk: Disk,
    partitions: Vec<Partition>,
    /// What `parted` was told to do.
    script: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let number = match args.number {
        Some(number) if number < 1 => {
            return Err(Failure::new("The partition number must be greater then 0."));
        }
        number => number.and_then(|number| u32::try_from(number).ok()),
    };
    for (option, text) in [("part_start", &args.part_start), ("part_end", &args.part_end)] {
        if Place::parse(text).is_none() {
            return Err(Failure::new(format!(
                "The argument '{option}' doesn't respect required format.The size unit is case sensitive."
            )));
        }
    }
    let unit = word(args.unit);
    let mut script = Vec::new();
    let (mut disk, mut partitions) = look(&args, &unit, sys)?;
    match (args.state, number) {
        (State::Info, _) => script = words(&["unit", &unit, "print"]),
        (State::Absent, Some(number)) => {
            if partitions.iter().any(|partition| partition.num == number) {
                tell(&args, words(&["rm", &number.to_string()]), &mut script, sys)?;
                (disk, partitions) = look(&args, &unit, sys)?;
            }
        }
        (State::Present, Some(number)) => {
            let label = word(args.label);
            let table_stays = disk.table == label;
            let is_there = table_stays && partitions.iter().any(|partition| partition.num == number);
            if is_there && args.resize && moves(&args, number, sys)? {
                let resize = words(&["resizepart", &number.to_string(), &args.part_end]);
                tell(&args, resize, &mut script, sys)?;
            } else if !is_there {
                let mut make = words(&["unit", &unit]);
                if !table_stays {
                    make.extend(words(&["mklabel", &label]));
                }
                make.extend(words(&["mkpart", &word(args.part_type)]));
                make.extend(args.fs_type.clone());
                make.extend([args.part_start.clone(), args.part_end.clone()]);
                tell(&args, make, &mut script, sys)?;
            }
            (disk, partitions) = look(&args, &unit, sys)?;
            let there = partitions.iter().find(|partition| partition.num == number);
            // What a check would have made has no name and no flags.
            let foretold = sys.is_check() && !is_there;
            if foretold || there.is_some() {
                let there = there.filter(|_| !foretold);
                let marks = marks(&args, number, there)?;
                if !marks.is_empty() {
                    tell(&args, [words(&["unit", &unit]), marks].concat(), &mut script, sys)?;
                    (disk, partitions) = look(&args, &unit, sys)?;
                }
            }
        }
        (State::Absent | State::Present, None) => return Err(Failure::new("number: it must be given")),
    }
    Ok(Returns { disk, partitions, script })
}

/// What parted calls it.
fn word(choice: impl Serialize) -> String {
    serde_json::to_value(choice).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The name and the flags that it does not have yet, and the flags it has too much.
fn marks(args: &Args, number: u32, there: Option<&Partition>) -> Result<Vec<String>> {
    let mut script = Vec::new();
    if let Some(name) = &args.name
        && there.is_none_or(|there| there.name != *name)
    {
        if name.contains(['"', '\\']) {
            return Err(Failure::new(format!("name: {name:?} has what parted cannot be given")));
        }
        // parted splits it at blanks once more.
        script.extend(words(&["name", &number.to_string(), &format!("\"{name}\"")]));
    }
    if args.flags.is_empty() {
        return Ok(script);
    }
    let has = there.map_or(&[][..], |there| there.flags.as_slice());
    let on = args.flags.iter().filter(|flag| !has.contains(flag)).map(|flag| (flag, "on"));
    let off = has.iter().filter(|flag| !args.flags.contains(flag)).map(|flag| (flag, "off"));
    for (flag, state) in on.chain(off) {
        script.extend(words(&["set", &number.to_string(), flag, state]));
    }
    Ok(script)
}

fn look(args: &Args, unit: &str, sys: &mut System<'_>) -> Result<(Disk, Vec<Partition>)> {
    let device = args.device.text().into_owned();
    let command = Command::new(sys.need("parted")?).env("LC_ALL", "C").args(["-s", "-m", &device, "--"]);
    let output = sys.query(command.args(["unit", unit, "print"]))?;
    let cased = Some(unit).filter(|_| args.unit_preserve_case);
    // A disk without a table is none that parted cannot read.
    let is_empty =
        [output.stderr(), output.stdout()].iter().any(|said| said.contains("unrecognised disk label"));
    let told = told::parse(&output.stdout(), cased).filter(|_| output.ok() || is_empty);
    told.ok_or_else(|| {
        let said = [output.stderr(), output.stdout()].concat();
        Failure::new(format!(
            "Error while getting device information with parted of {device}: {}",
            said.trim()
        ))
        .with("rc", output.code)
        .with("out", output.stdout())
        .with("err", output.stderr())
    })
}

/// Whether the partition ends elsewhere than it should.
fn moves(args: &Args, number: u32, sys: &mut System<'_>) -> Result<bool> {
    let Some(place) = Place::parse(&args.part_end) else { return Ok(false) };
    let (disk, partitions) = look(args, place.told_in(), sys)?;
    let end = partitions.iter().find(|partition| partition.num == number).map(|partition| &partition.end);
    Ok(!end.and_then(serde_json::Value::as_f64).is_some_and(|end| place.is_at(end, disk.length())))
}

fn tell(args: &Args, told: Vec<String>, script: &mut Vec<String>, sys: &mut System<'_>) -> Result<()> {
    let parted = sys.need("parted")?;
    let mut command = Command::new(&parted).env("LC_ALL", "C").arg("-s");
    // Newer ones ask whether to mend a table that does not know of the whole disk.
    let version = sys.query(Command::new(&parted).arg("--version"))?;
    command = command.flag("-f", is_newer(&version.stdout())).arg("-m");
    if args.align != Align::Undefined {
        command = command.args(["-a", &word(args.align)]);
    }
    let command = command.arg(args.device.text().as_ref()).arg("--").args(&told);
    let line = command.line();
    sys.exec(command).map_err(|failure| {
        let field = |key: &str| failure.fields.get(key).cloned().unwrap_or_default();
        let said = failure.clone().as_said().msg;
        Failure::new(format!("Error while running parted script: {line}: {said}"))
            .with("rc", field("rc"))
            .with("out", field("stdout"))
            .with("err", field("stderr"))
    })?;
    script.extend(told);
    Ok(())
}

/// Whether it is parted 3.4.64 or newer.
fn is_newer(version: &str) -> bool {
    let number = version.lines().next().and_then(|line| line.split_whitespace().last()).unwrap_or_default();
    let parts: Vec<u32> = number.split('.').map_while(|part| part.parse().ok()).collect();
    parts.as_slice() >= [3, 4, 64].as_slice()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const DISK: &str = "BYT;\n/dev/sdb:102400kiB:file:512:512:gpt::;\n\
                        1:1024kiB:10240kiB:9216kiB:ext4:a\\:b:boot, esp;\n";
    const BYTES: &str = "BYT;\n/dev/sdb:104857600B:file:512:512:gpt::;\n\
                         1:1048576B:10485759B:9437184B:ext4:a\\:b:boot, esp;\n";

    fn trial() -> Trial {
        let trial = Trial::of("parted");
        trial.host.program("/usr/sbin/parted").answer("/usr/sbin/parted", 0, "");
        trial.host.answer("/usr/sbin/parted -s -m", 0, DISK);
        trial.host.answer("/usr/sbin/parted -s -m /dev/sdb -- unit B", 0, BYTES);
        trial.host.answer("/usr/sbin/parted --version", 0, "parted (GNU parted) 3.5\nmore");
        trial
    }

    fn given(args: &Json) -> Json {
        let mut args = args.clone();
        for (key, value) in [("device", "/dev/sdb"), ("label", "gpt"), ("state", "present")] {
            args.as_object_mut().unwrap().entry(key).or_insert(json!(value));
        }
        args
    }

    fn check(args: &Json, expected: &[&str]) -> Json {
        let trial = trial();
        let got = trial.foretold(&given(args), !expected.is_empty());
        let ran = trial.host.ran();
        let start = "/usr/sbin/parted -s -f -m -a optimal /dev/sdb -- ";
        let made: Vec<&str> = ran.iter().filter_map(|line| line.strip_prefix(start)).collect();
        assert_eq!(made, expected, "{args}");
        got
    }

    #[test]
    fn disks_are_told_of() {
        let got = check(&json!({"state": "info"}), &[]);
        assert_eq!(got["script"], json!(["unit", "KiB", "print"]));
        assert_eq!(
            got["partitions"],
            json!([{"num": 1, "begin": 1024.0, "end": 10240.0, "size": 9216.0, "fstype": "ext4", "name": "a:b",
                    "flags": ["boot", "esp"], "unit": "kib"}])
        );
        let got = check(&json!({"state": "info", "unit_preserve_case": true}), &[]);
        assert_eq!(
            got["disk"],
            json!({"dev": "/dev/sdb", "size": 102_400.0, "unit": "KiB", "table": "gpt", "model": "",
                   "logical_block": 512, "physical_block": 512})
        );
        let trial = trial();
        let chs =
            "CHS;\n/dev/sdb:1599,3,31:file:512:512:gpt::;\n1600:4:32:65.5kB;\n1:0,1,2:1599,2,30::n:lvm;\n";
        trial.host.answer("/usr/sbin/parted -s -m", 0, chs);
        let got = trial.run(&json!({"device": "/dev/sdb", "unit": "chs"}));
        assert_eq!(got["disk"]["chs_info"]["cyl_size"], 65.5);
        assert_eq!(got["partitions"][0]["begin"], json!({"cylinder": 0, "head": 1, "sector": 2}));
        assert_eq!((&got["partitions"][0]["size"], &got["partitions"][0]["name"]), (&json!(""), &json!("n")));
    }

    #[test]
    fn partitions_come_and_go() {
        check(&json!({"number": 1}), &[]);
        check(&json!({"number": 1, "state": "absent"}), &["rm 1"]);
        check(&json!({"number": 2, "state": "absent"}), &[]);
        check(
            &json!({"number": 2, "part_start": "10MiB", "part_end": "-1GiB", "fs_type": "ext3"}),
            &["unit KiB mkpart primary ext3 10MiB -1GiB"],
        );
        check(
            &json!({"number": 1, "label": "msdos", "part_type": "extended"}),
            // It is another partition then.
            &["unit KiB mklabel msdos mkpart extended 0% 100%"],
        );
    }

    #[test]
    fn partitions_change() {
        check(
            &json!({"number": 1, "name": "it's x", "flags": ["lvm", "boot"]}),
            &["unit KiB name 1 \"it's x\" set 1 lvm on set 1 esp off"],
        );
        check(&json!({"number": 1, "name": "a:b", "flags": ["esp", "boot"]}), &[]);
        let to = |end: &str| json!({"number": 1, "resize": true, "part_end": end});
        check(&to("10MiB"), &[]);
        check(&to("10240KiB"), &[]);
        check(&to("-90MiB"), &[]);
        check(&to("10.5MB"), &[]);
        check(&to("10%"), &[]);
        check(&to("100%"), &["resizepart 1 100%"]);
        check(&to("10241KiB"), &["resizepart 1 10241KiB"]);
        check(&json!({"number": 1, "part_end": "100%"}), &[]);
    }

    #[test]
    fn a_check_foretells_what_is_not_there_yet() {
        let trial = trial();
        let got = trial.check(&given(&json!({"number": 2, "name": "n", "flags": ["lvm"]})));
        let script = "unit KiB mkpart primary 0% 100% unit KiB name 2 \"n\" set 2 lvm on";
        let told: Vec<&str> =
            got["script"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(told.join(" "), script);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({"number": 0}), "The partition number must be greater then 0."),
            (json!({}), "state is present but all of the following are missing: number"),
            (
                json!({"number": 1, "part_end": "40000"}),
                "The argument 'part_end' doesn't respect required format.The size unit is case sensitive.",
            ),
            (json!({"number": 1, "name": "a\"b"}), "name: \"a\\\"b\" has what parted cannot be given"),
        ] {
            assert_eq!(trial().run(&given(&args))["msg"], msg);
        }
        let trial = trial();
        trial.host.answer("/usr/sbin/parted -s -m", 1, "Error: Could not stat device\n");
        let msg = trial.run(&given(&json!({"state": "info"})))["msg"].clone();
        assert_eq!(
            msg,
            "Error while getting device information with parted of /dev/sdb: Error: Could not stat device"
        );
    }
}
