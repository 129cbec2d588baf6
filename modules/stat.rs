use std::io::Read;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::command::yes;
use crate::kit::{Access, Algorithm, Failure, FilePath, FileType, Meta, Result, System, flags, mime};

/// Tells about a file, a directory or a link.
///
/// A path at which nothing is gives `stat.exists: false`, and no error. Nothing is started on the target: the
/// MIME type is told from the first bytes, by a small part of what `file` knows.
///
/// # Examples
///
/// ```yaml
/// - name: The owner of a file
///   stat:
///     path: /etc/foo.conf
///   register: conf
///
/// - name: Whether a path is a directory, without reading what is in it
///   stat: {path: /path/to/something, get_checksum: false, get_mime: false, get_attributes: false}
///   register: something
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The path to look at.
    #[schemars(extend("aliases" = ["dest", "name"]))]
    pub path: FilePath,
    /// Whether a symbolic link's target is meant.
    #[serde(default)]
    pub follow: bool,
    /// Whether to give a checksum of a file.
    #[serde(default = "yes")]
    pub get_checksum: bool,
    /// The checksum's algorithm.
    #[serde(default)]
    #[schemars(extend("aliases" = ["checksum", "checksum_algo"]))]
    pub checksum_algorithm: Algorithm,
    /// Whether to give the MIME type and the character set.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["mime", "mime_type", "mime-type"]))]
    pub get_mime: bool,
    /// Whether to give the attributes that `lsattr` shows.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["attr", "attributes"]))]
    pub get_attributes: bool,
    /// Whether to give the SELinux context.
    #[serde(default)]
    pub get_selinux_context: bool,
}

#[derive(Debug, Serialize)]
pub struct Returns {
    stat: Stat,
}

#[derive(Debug, Default, Serialize)]
struct Stat {
    exists: bool,
    #[serde(flatten)]
    found: Option<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    path: String,
    #[serde(flatten)]
    inode: Entry,
    #[serde(flatten)]
    permissions: Permissions,
    block_size: u64,
    device_type: u64,
    readable: bool,
    writeable: bool,
    executable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    lnk_source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lnk_target: Option<String>,
    pw_name: Option<String>,
    gr_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mimetype: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charset: Option<&'static str>,
    /// The file's generation; null where the file system has none, or does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attr_flags: Option<String>,
    /// User, role and type; nulls without SELinux.
    #[serde(skip_serializing_if = "Option::is_none")]
    selinux_context: Option<Vec<Option<String>>>,
}

/// What `stat` and `find` both tell of a file itself.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    mode: String,
    isdir: bool,
    ischr: bool,
    isblk: bool,
    isreg: bool,
    isfifo: bool,
    islnk: bool,
    issock: bool,
    uid: u32,
    gid: u32,
    size: u64,
    inode: u64,
    dev: u64,
    nlink: u64,
    atime: f64,
    mtime: f64,
    ctime: f64,
}

/// What both tell next to the owners' names, which each has elsewhere: the order is seen wherever a result is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Permissions {
    wusr: bool,
    rusr: bool,
    xusr: bool,
    wgrp: bool,
    rgrp: bool,
    xgrp: bool,
    woth: bool,
    roth: bool,
    xoth: bool,
    isuid: bool,
    isgid: bool,
    blocks: u64,
    disk_usage_bytes: u64,
}

impl From<&Meta> for Entry {
    fn from(meta: &Meta) -> Self {
        let is = |kind| meta.kind == kind;
        Self {
            mode: format!("{:04o}", meta.mode),
            isdir: is(FileType::Dir),
            ischr: is(FileType::Char),
            isblk: is(FileType::Block),
            isreg: is(FileType::File),
            isfifo: is(FileType::Fifo),
            islnk: is(FileType::Link),
            issock: is(FileType::Socket),
            uid: meta.uid,
            gid: meta.gid,
            size: meta.size,
            inode: meta.inode,
            dev: meta.device,
            nlink: meta.links,
            atime: meta.atime.as_f64(),
            mtime: meta.mtime.as_f64(),
            ctime: meta.ctime.as_f64(),
        }
    }
}

impl From<&Meta> for Permissions {
    fn from(meta: &Meta) -> Self {
        let may = |bit| meta.mode & bit != 0;
        Self {
            wusr: may(0o200),
            rusr: may(0o400),
            xusr: may(0o100),
            wgrp: may(0o020),
            rgrp: may(0o040),
            xgrp: may(0o010),
            woth: may(0o002),
            roth: may(0o004),
            xoth: may(0o001),
            isuid: may(0o4000),
            isgid: may(0o2000),
            blocks: meta.blocks,
            disk_usage_bytes: meta.blocks * 512,
        }
    }
}

/// The names of who owns a file, null where there is none.
pub(crate) fn owners(meta: &Meta, sys: &System<'_>) -> Result<(Option<String>, Option<String>)> {
    let user = sys.user_by_id(meta.uid)?.map(|user| user.name);
    Ok((user, sys.group_by_id(meta.gid)?.map(|group| group.name)))
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let Args { path, follow, .. } = &args;
    let found = if *follow { sys.stat_followed(path)? } else { sys.stat(path)? };
    let Some(meta) = found else {
        // Below a file there can be nothing: the path is wrong, not just empty.
        if sys.is_below_file(path)? {
            return Err(Failure::new("Not a directory"));
        }
        return Ok(Returns { stat: Stat::default() });
    };
    let readable = sys.access(path, Access::Read);
    let (pw_name, gr_name) = owners(&meta, sys)?;
    let mut found = Found {
        path: path.text().into_owned(),
        inode: Entry::from(&meta),
        permissions: Permissions::from(&meta),
        block_size: meta.block_size,
        device_type: meta.rdevice,
        readable,
        writeable: sys.access(path, Access::Write),
        executable: sys.access(path, Access::Execute),
        pw_name,
        gr_name,
        lnk_source: None,
        lnk_target: None,
        checksum: None,
        mimetype: None,
        charset: None,
        attr_flags: None,
        version: None,
        attributes: None,
        selinux_context: None,
    };
    if meta.is_link() {
        let target = sys.read_link(path)?;
        let full = path.parent().unwrap_or(Path::new("/")).join(&target);
        found.lnk_source = Some(sys.resolve(&full)?.to_string_lossy().into_owned());
        found.lnk_target = Some(target.to_string_lossy().into_owned());
    }
    if args.get_checksum && meta.is_file() && readable {
        found.checksum = Some(sys.checksum(path, args.checksum_algorithm)?);
    }
    if args.get_mime {
        let (kind, charset) = mime(path, &meta, readable, sys)?;
        (found.mimetype, found.charset) = (Some(kind), Some(charset));
    }
    if args.get_attributes {
        let letters = sys.flags(path)?.unwrap_or_default();
        found.attributes = Some(flags::names(&letters));
        found.attr_flags = Some(letters);
        found.version = Some(sys.generation(path).map(|generation| generation.to_string()).into());
    }
    if args.get_selinux_context {
        let context = sys.file_facts(path, *follow)?.secontext;
        found.selinux_context = Some(match context {
            Some(context) => context.splitn(4, ':').map(|part| Some(part.to_owned())).collect(),
            None => vec![None; 3],
        });
    }
    Ok(Returns { stat: Stat { exists: true, found: Some(found) } })
}

fn mime(path: &Path, meta: &Meta, readable: bool, sys: &System<'_>) -> Result<(&'static str, &'static str)> {
    let mut start = Vec::new();
    // A link that points to nothing cannot be read either.
    if meta.is_link() && !readable {
        return Ok(("unknown", "unknown"));
    }
    // As `file` tells it, which follows no link.
    if let Some(link) = sys.stat(path)?.filter(Meta::is_link) {
        return Ok(mime::guess(link.kind, &start));
    }
    if meta.is_file() && (!readable || sys.open(path)?.take(4096).read_to_end(&mut start).is_err()) {
        return Ok(("unknown", "unknown"));
    }
    Ok(mime::guess(meta.kind, &start))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(args: &Json, expected: &Json) {
        let trial = Trial::of("stat");
        trial.host.file("/d/f", "hello\n").link("/d/l", "f").set_mode_of("/d/f", 0o4750);
        let got = trial.run(args);
        assert_eq!(got["changed"], false);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(got["stat"].get(key).unwrap_or(&Json::Null), value, "{key} of {got:#}");
        }
    }

    #[test]
    fn tells_what_is_there() {
        check(&json!({"path": "/nope"}), &json!({"exists": false, "path": null}));
        check(
            &json!({"name": "/d/f"}),
            &json!({"exists": true, "isreg": true, "isdir": false, "mode": "4750", "isuid": true, "size": 6,
                    "pw_name": "root", "readable": true, "executable": true, "roth": false, "rgrp": true,
                    "checksum": "f572d396fae9206628714fb2ce00f72e94f2258f", "mimetype": "text/plain",
                    "charset": "us-ascii", "attr_flags": "", "attributes": []}),
        );
        check(
            &json!({"path": "/d/l"}),
            &json!({"islnk": true, "lnk_target": "f", "lnk_source": "/d/f", "checksum": null,
                    "mimetype": "inode/symlink"}),
        );
        check(&json!({"path": "/d/l", "follow": "yes"}), &json!({"islnk": false, "size": 6}));
        check(&json!({"path": "/d"}), &json!({"isdir": true, "mimetype": "inode/directory"}));
        check(
            &json!({"path": "/d/f", "checksum_algo": "md5", "mime": "no", "attr": "no",
                    "get_selinux_context": true}),
            &json!({"checksum": "b1946ac92492d2347c6235b4d2611184", "mimetype": null, "attributes": null,
                    "selinux_context": [null, null, null]}),
        );
    }
}
