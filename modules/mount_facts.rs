mod entry;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use self::entry::{Entry, parse_mount, parse_table};
use crate::kit::{Command, Failure, Result, System, glob};
use crate::setup::mounts::{usage, uuids};

/// Tells what is mounted, and what is said about mounts, as the facts `mount_points` and `aggregate_mounts`.
///
/// # Examples
///
/// ```yaml
/// - name: What is on no local device
///   mount_facts: {devices: "[!/]*"}
///
/// - name: What a file says of NFS
///   mount_facts:
///     sources: [/usr/etc/fstab]
///     fstypes: [nfs, nfs4]
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// Shell patterns of the devices that count.
    pub devices: Option<Vec<String>>,
    /// Shell patterns of the kinds of file systems that count.
    pub fstypes: Option<Vec<String>>,
    /// Where to look: files, the program, `static` (`/etc/fstab` and its like), `dynamic` (`/etc/mtab`, `/proc/mounts`,
    /// else the program) or `all`.
    pub sources: Option<Vec<String>>,
    /// The program that tells what is mounted; null for none.
    #[serde(default = "mount")]
    pub mount_binary: Json,
    /// Seconds the program may take; null for as long as it likes. The kernel is asked for sizes without waiting for
    /// servers that are gone.
    pub timeout: Option<f64>,
    /// What to make of a program that takes longer.
    #[serde(default)]
    pub on_timeout: OnTimeout,
    /// Whether `aggregate_mounts` lists all, those that hide others included. When not said there is a warning where
    /// some do.
    pub include_aggregate_mounts: Option<bool>,
}

fn mount() -> Json {
    "mount".into()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnTimeout {
    #[default]
    Error,
    Warn,
    Ignore,
}

#[derive(Serialize)]
pub struct Returns {
    ansible_facts: Facts,
}

#[derive(Serialize)]
struct Facts {
    mount_points: Map<String, Json>,
    aggregate_mounts: Vec<Json>,
}

const DYNAMIC: [&str; 3] = ["/etc/mtab", "/proc/mounts", "/etc/mnttab"];
const STATIC: [&str; 3] = ["/etc/fstab", "/etc/vfstab", "/etc/filesystems"];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let binary = match &args.mount_binary {
        Json::Null => None,
        Json::String(path) => Some(path.clone()),
        other => {
            return Err(Failure::new(format!(
                "argument 'mount_binary' must be a string or null, not {other}"
            )));
        }
    };
    if let Some(timeout) = args.timeout.filter(|timeout| *timeout <= 0.0) {
        let msg = format!("argument 'timeout' must be a positive number or null, not {timeout:?}");
        return Err(Failure::new(msg));
    }
    let entries = gather(&args, binary.as_deref(), sys)?;
    let fits = |patterns: Option<&Vec<String>>, text: &str| {
        patterns.is_none_or(|patterns| patterns.iter().any(|pattern| glob::matches(pattern, text)))
    };
    let uuids = uuids(sys);
    let (mut mount_points, mut aggregate) = (Map::new(), Vec::new());
    for entry in entries {
        if !fits(args.devices.as_ref(), &entry.device) || !fits(args.fstypes.as_ref(), &entry.fstype) {
            continue;
        }
        let path = entry.mount.clone();
        let uuid =
            entry.device.strip_prefix("UUID=").or_else(|| uuids.get(&entry.device).map(String::as_str));
        let mut fact = entry.fact(uuid);
        if sys.exists(Path::new(&path))? {
            fact.extend(usage(sys, Path::new(&path))?);
        }
        mount_points.entry(path).or_insert_with(|| Json::Object(fact.clone()));
        aggregate.push(fact);
    }
    if args.include_aggregate_mounts.is_none() && aggregate.len() > mount_points.len() {
        warn(&aggregate, sys);
    }
    let listed = args.include_aggregate_mounts == Some(true);
    let aggregate_mounts = aggregate.into_iter().filter(|_| listed).map(Json::Object).collect();
    Ok(Returns { ansible_facts: Facts { mount_points, aggregate_mounts } })
}

fn warn(aggregate: &[Map<String, Json>], sys: &mut System<'_>) {
    let mut seen = BTreeSet::new();
    let again: Vec<String> = aggregate
        .iter()
        .filter_map(|fact| fact.get("mount")?.as_str())
        .filter(|path| !seen.insert(*path))
        .map(|path| format!("'{path}'"))
        .collect();
    sys.warn(format!(
        "mount_facts: ignoring repeat mounts: {}. You can disable this warning by configuring the \
         'include_aggregate_mounts' option as True or False.",
        again.join(", ")
    ));
}

/// What all sources say, in their order; none is asked twice.
fn gather(args: &Args, binary: Option<&str>, sys: &mut System<'_>) -> Result<Vec<Entry>> {
    let all = vec!["all".to_owned()];
    let mut entries = Vec::new();
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    for source in args.sources.as_ref().unwrap_or(&all) {
        if source.is_empty() {
            return Err(Failure::new("sources contains an empty string"));
        }
        let asks = |name: &str| source == name || source == "all";
        if asks("dynamic") {
            let before = entries.len();
            for file in DYNAMIC {
                entries.extend(read(file, &mut seen, sys)?);
            }
            if let Some(binary) = binary.filter(|_| entries.len() == before) {
                entries.extend(ask(binary, args, sys)?);
            }
        }
        if asks("static") {
            for file in STATIC {
                entries.extend(read(file, &mut seen, sys)?);
            }
        }
        if binary == Some(source) {
            entries.extend(ask(source, args, sys)?);
        } else if !["all", "static", "dynamic"].contains(&source.as_str()) {
            entries.extend(read(source, &mut seen, sys)?);
        }
    }
    Ok(entries)
}

fn read(file: &str, seen: &mut BTreeSet<PathBuf>, sys: &mut System<'_>) -> Result<Vec<Entry>> {
    let path = Path::new(file);
    // Linux has a file of that name which is about something else.
    let is_other = file == "/etc/filesystems" && sys.exists(Path::new("/proc/filesystems"))?;
    if is_other || !sys.exists(path)? || !seen.insert(sys.resolve(path)?) {
        return Ok(Vec::new());
    }
    let text = sys.read_text_if_there(path)?.unwrap_or_default();
    Ok(parse_table(file, &text).unwrap_or_default())
}

fn ask(binary: &str, args: &Args, sys: &mut System<'_>) -> Result<Vec<Entry>> {
    let mut command = Command::new(sys.need(binary)?);
    if let Some(timeout) = args.timeout {
        command = command.timeout(Duration::from_secs_f64(timeout.min(1e8)));
    }
    let output = sys.query(command)?;
    if output.timed_out {
        let msg =
            format!("Command '{binary}' timed out after {:?} seconds", args.timeout.unwrap_or_default());
        match args.on_timeout {
            OnTimeout::Error => return Err(Failure::new(msg)),
            OnTimeout::Warn => sys.warn(msg),
            OnTimeout::Ignore => {}
        }
        return Ok(Vec::new());
    }
    if !output.ok() {
        let why = output.stderr().trim().to_owned();
        return Err(Failure::new(format!("{binary} failed: {why}")).with("rc", output.code));
    }
    Ok(output.stdout().lines().filter_map(|line| parse_mount(binary, line)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    const FSTAB: &str = "# c\n/dev/sda1 /x ext4 defaults 0 1\nUUID=abc /boot ext2 ro\n\n\
                         LABEL=x /a\\040b auto user 1 2\n/dev/sdb /x xfs rw 0 0\nproc /proc proc defaults 0 0\n";

    #[test]
    fn tables_are_read_in_order_and_the_first_counts() {
        let trial = Trial::of("mount_facts");
        trial.host.file("/f", FSTAB).file("/bad", "/dev/sda1 /x ext4 rw 0 0\nno\n").link("/g", "/f");
        let got = trial.lawful(&json!({"sources": ["/f", "/g", "/bad", "/none"]}));
        let points = got["ansible_facts"]["mount_points"].as_object().unwrap();
        assert_eq!(points.keys().collect::<Vec<_>>(), ["/x", "/boot", "/a b", "/proc"]);
        assert_eq!(points["/x"]["device"], "/dev/sda1");
        assert_eq!(points["/boot"]["uuid"], "abc");
        assert_eq!(points["/boot"].get("dump"), None);
        assert_eq!(points["/a b"]["ansible_context"]["source_data"], "LABEL=x /a\\040b auto user 1 2");
        assert!(got["warnings"][0].as_str().unwrap().contains("'/x'"), "{got}");
        let args = json!({"sources": "/f", "include_aggregate_mounts": true, "fstypes": ["ext*", "xfs"], "devices": "/dev/*"});
        let got = trial.run(&args);
        assert_eq!(got["ansible_facts"]["aggregate_mounts"].as_array().unwrap().len(), 2);
        assert_eq!(got.get("warnings"), None);
    }

    #[test]
    fn the_program_is_asked_where_no_file_tells() {
        let trial = Trial::of("mount_facts");
        trial.host.program("/bin/mount").answer("/bin/mount", 0, "/dev/vda on / type ext4 (rw,relatime)\n");
        let got = trial.run(&json!({}));
        let root = &got["ansible_facts"]["mount_points"]["/"];
        assert_eq!((&root["options"], &root["uuid"]), (&json!("rw,relatime"), &json!(null)));
        assert_eq!(root["ansible_context"]["source"], "mount");
        let none = trial.run(&json!({"mount_binary": null}));
        assert_eq!(none["ansible_facts"]["mount_points"], json!({}));
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({"mount_binary": 3}), "argument 'mount_binary' must be a string or null, not 3"),
            (json!({"timeout": 0}), "argument 'timeout' must be a positive number or null, not 0.0"),
            (
                json!({"mount_binary": "/no", "sources": "/no"}),
                "Failed to find required executable \"/no\": install it first",
            ),
        ] {
            assert_eq!(Trial::of("mount_facts").run(&args)["msg"], msg);
        }
    }
}
