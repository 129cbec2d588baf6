use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::{Access, Algorithm, Failure, FilePath, Meta, Result, System};

/// The key under which `fetch` sends the file.
pub const CONTENT: &str = "fetch";

/// Copies a file from the target to the control node.
///
/// Each host's file is kept apart, as `DEST/HOST/PATH`, unless `flat` is set. Only what differs travels.
///
/// # Examples
///
/// ```yaml
/// - name: Stored as /tmp/fetched/host.example.com/tmp/somefile
///   fetch: {src: /tmp/somefile, dest: /tmp/fetched}
///
/// - name: At a path given
///   fetch:
///     src: /tmp/somefile
///     dest: /tmp/prefix-{{ inventory_hostname }}
///     flat: yes
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("words" = {
    "missing required arguments: src": "src and dest are required",
    "missing required arguments: dest": "src and dest are required",
    "missing required arguments: dest, src": "src and dest are required",
}))]
pub struct Args {
    /// The file on the target. Directories cannot be fetched.
    pub src: FilePath,
    /// The directory on the control node to keep it in, or with `flat` the file (a trailing slash makes it a
    /// directory).
    #[schemars(extend("control" = "destination"))]
    pub dest: String,
    /// Whether `dest` is the very path, without host and directories.
    #[serde(default)]
    pub flat: bool,
    /// Whether a file that is not there is an error.
    #[serde(default = "yes")]
    pub fail_on_missing: bool,
    /// Whether the copy is compared with the original by its checksum. It always is: what travelled is checked.
    #[serde(default = "yes")]
    pub validate_checksum: bool,
    /// Set by the control node: the SHA-1 of the copy it has.
    #[schemars(skip)]
    #[serde(default)]
    pub have: Option<String>,
}

/// What the worker tells the control node, which makes the result of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Returns {
    /// The path on the target; not told of a directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The SHA-1 of the file; `None` when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub md5sum: Option<String>,
    /// Whether the content was sent, as Blob frames with the key [`CONTENT`].
    #[serde(default)]
    pub sent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
    /// The file's permissions, which the copy gets too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<u32>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let file = Some(args.src.text().into_owned());
    let missing = "the remote file does not exist, not transferring, ignored";
    let found = match readable(&args.src, sys) {
        Ok(found) => found,
        Err(Failure { errno: Some(EACCES), .. }) => return unknown(&args, "Permission denied"),
        Err(failure) if args.fail_on_missing => return Err(failure),
        Err(failure) => {
            sys.warn(format!("{}: not fetched", failure.msg));
            return Ok(Returns { file, ..Returns::default() });
        }
    };
    let meta = match found {
        None if sys.is_below_file(&args.src)? => return unknown(&args, "Not a directory"),
        None if args.fail_on_missing => return Err(Failure::new(missing)),
        None => return Ok(Returns { file, msg: Some(missing.to_owned()), ..Returns::default() }),
        Some(meta) if meta.is_dir() => {
            let msg = "remote file is a directory, fetch cannot work on directories";
            if args.fail_on_missing {
                return Err(Failure::new(msg));
            }
            let msg = Some(format!("{msg}, not transferring, ignored"));
            return Ok(Returns { msg, ..Returns::default() });
        }
        Some(meta) => meta,
    };
    let checksum = sys.checksum(&args.src, Algorithm::Sha1)?;
    let sent = args.have.as_ref() != Some(&checksum) && !sys.is_check();
    if sent {
        sys.send_file(CONTENT, &args.src)?;
    }
    let md5sum = Some(sys.checksum(&args.src, Algorithm::Md5)?);
    let permissions = Some(meta.mode & 0o777);
    Ok(Returns { file, checksum: Some(checksum), md5sum, sent, msg: None, permissions })
}

/// Of a path that is in a directory nobody may look into.
const EACCES: i32 = 13;

/// Whether there is anything nobody can say.
fn unknown(args: &Args, why: &str) -> Result<Returns> {
    let file = Some(args.src.text().into_owned());
    let msg = format!("Failed to get information on remote file ({}): {why}", args.src.display());
    if args.fail_on_missing {
        return Err(Failure::new(msg).with("file", file));
    }
    Ok(Returns { file, msg: Some(format!("{msg}, ignored")), ..Returns::default() })
}

/// What is at the path, when it may be read.
fn readable(path: &Path, sys: &System<'_>) -> Result<Option<Meta>> {
    let found = sys.stat_followed(path)?;
    if found.as_ref().is_some_and(Meta::is_file) && !sys.access(path, Access::Read) {
        return Err(Failure::new(format!("File is not readable: {}", path.display())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(args: Json, expected: Json) {
        let trial = Trial::of("fetch");
        trial.host.file("/f", "hi\n");
        let got = trial.run(&args);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(got.get(key).unwrap_or(&Json::Null), value, "{key} of {got:#}");
        }
    }

    #[test]
    fn tells_what_there_is_and_sends_it() {
        check(
            json!({"src": "/f", "dest": "x"}),
            json!({"checksum": "55ca6286e3e4f4fba5d0448333fa99fc5a404a73", "sent": true, "file": "/f",
                   "md5sum": "764efa883dda1e11db47671c4a3bbd9e"}),
        );
        let missing = "the remote file does not exist, not transferring, ignored";
        check(json!({"src": "/nope", "dest": "x"}), json!({"failed": true, "msg": missing}));
        check(
            json!({"src": "/nope", "dest": "x", "fail_on_missing": false}),
            json!({"failed": null, "msg": missing, "sent": false}),
        );
        check(json!({"src": "/etc", "dest": "x"}), json!({"failed": true}));
        check(
            json!({"src": "/etc", "dest": "x", "fail_on_missing": false}),
            json!({"failed": null, "sent": false,
                   "msg": "remote file is a directory, fetch cannot work on directories, not transferring, ignored"}),
        );
        let trial = Trial::of("fetch");
        trial.host.file("/f", "hi\n");
        assert_eq!(trial.check(&json!({"src": "/f", "dest": "x"}))["sent"], false);
    }
}
