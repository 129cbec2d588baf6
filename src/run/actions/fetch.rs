//! `fetch`: brings a file from the target to the control node.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::{Diagnostic, Result};
use crate::run::call::Call;
use crate::run::content::sha1_of;
use crate::run::outcome::Raw;
use crate::value::{Dict, Value};

pub(super) async fn run(call: &Call<'_>) -> Result<Raw> {
    if call.check {
        let mut raw = Raw::default();
        raw.set("changed", false);
        raw.set("msg", "check mode not (yet) supported for this module");
        raw.set("skipped", true);
        return Ok(raw);
    }
    for (option, name) in [("src", "source"), ("dest", "dest")] {
        if call.args.get(option).is_some_and(|given| !given.is_none() && given.as_str().is_none()) {
            let message = format!("Invalid type supplied for {name} option, it must be a string");
            return Ok(Raw::failed(message));
        }
    }
    let src = call.text("src").ok_or_else(|| call.misuse("src and dest are required"))?;
    let dest = destination(call, &src)?;
    let local = fs::File::open(&dest).ok().and_then(|file| sha1_of(file).ok());
    let parent = dest.parent().map(PathBuf::from).unwrap_or_default();
    let mut args = Dict::new();
    args.insert("src", src.as_str());
    args.insert("dest", dest.to_string_lossy().into_owned());
    args.insert("fail_on_missing", call.flag("fail_on_missing", true)?);
    let written = |error: std::io::Error| {
        Diagnostic::new(format!("cannot write {}: {error}", dest.display())).at(&call.job.task.action.place)
    };
    // Hosts fetch at the same time, perhaps into one directory, which is made only when there is something for it.
    let there = parent.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
    let partial = Partial(there.join(format!(".fanfare-{:016x}", RandomState::new().hash_one(&dest))));
    // Never through what somebody else put there.
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial.0);
    let file = file.map_err(written)?;
    let (mut raw, received) = call.module_receiving("fetch", &args, local, file).await;
    if raw.is("failed") || raw.unreachable || raw.is("skipped") {
        return Ok(raw);
    }
    let own = [raw.fields.remove("sent"), raw.fields.remove("permissions")];
    if !raw.fields.contains("checksum") {
        // Nothing there, and that is no failure.
        raw.set("changed", false);
        return Ok(raw);
    }
    let checksum = raw.fields.get("checksum").map(ToString::to_string).unwrap_or_default();
    if received {
        let arrived = fs::File::open(&partial.0).and_then(sha1_of).map_err(written)?;
        if call.flag("validate_checksum", true)? && arrived != checksum {
            let message = format!("checksum mismatch: {src} changed while it was read");
            return Ok(Raw::failed(message));
        }
        fs::create_dir_all(&parent).map_err(written)?;
        // A secret stays one. No more than permissions: a program that fetching makes must not run as who fetched it.
        if let [_, Some(Value::Int(bits))] = own
            && let Ok(bits) = u32::try_from(bits)
        {
            fs::set_permissions(&partial.0, fs::Permissions::from_mode(bits & 0o777)).map_err(written)?;
        }
        fs::rename(&partial.0, &dest).map_err(written)?;
    }
    raw.set("changed", received);
    raw.set("dest", dest.to_string_lossy().into_owned());
    raw.set("file", src);
    if received {
        raw.set("remote_checksum", checksum);
        raw.set("remote_md5sum", Value::None);
    }
    Ok(raw)
}

/// A file that is removed unless it was renamed.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // Gone already when it was moved into place.
        let _ = fs::remove_file(&self.0);
    }
}

fn destination(call: &Call<'_>, src: &str) -> Result<PathBuf> {
    let dest = call.text("dest").ok_or_else(|| call.misuse("src and dest are required"))?;
    let name = src.rsplit('/').next().unwrap_or(src);
    let expanded = crate::path::expand_home(&dest);
    let base = if expanded.is_absolute() {
        expanded
    } else {
        let dir = call.scope.magic().search_path().pop().unwrap_or_default();
        PathBuf::from(dir).join(expanded)
    };
    if !call.flag("flat", false)? {
        let host: &str = call.delegated.map_or(call.job.host, |delegate| delegate);
        return Ok(base.join(host).join(within(src)));
    }
    if dest.ends_with('/') {
        return Ok(base.join(name));
    }
    if base.is_dir() {
        return Err(call.misuse(format!(
            "dest is an existing directory, use a trailing slash if you want to fetch src into that directory: {dest}"
        )));
    }
    Ok(base)
}

/// A path of the target as one below a directory of the control node, out of which `..` does not lead.
fn within(src: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in Path::new(src).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => drop(path.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    path
}
