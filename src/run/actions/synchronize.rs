//! `synchronize`: works out who talks with whom, and has rsync run there.

use std::path::Path;

use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::destination;
use crate::run::outcome::Raw;
use crate::run::settings;
use crate::target::{SshOptions, Transport};
use crate::value::Value;

pub(super) async fn run(call: &Call<'_>) -> Result<Raw> {
    let mut args = call.args.clone();
    let needed = |name: &str| {
        call.text(name).ok_or_else(|| call.misuse(format!("missing required arguments: {name}")))
    };
    let (src, dest) = (needed("src")?, needed("dest")?);
    let target = destination::of(call.job, call.scope, None)?;
    let pulls = call.text("mode").is_some_and(|mode| mode == "pull");
    // On the target itself, or from the control node to itself.
    let is_one_host = call.delegated.is_some_and(|delegate| delegate == call.job.host)
        || (call.delegated.is_none() && matches!(target.transport, Transport::Local));
    let near = |path: &str| {
        if call.delegated.is_some_and(|_| is_one_host) { path.to_owned() } else { local(call, path) }
    };
    let far = |path: &str| -> Result<String> {
        match &target.transport {
            Transport::Ssh(options) if !is_one_host => remote(call, options, path),
            Transport::Program(program) if !is_one_host => {
                Err(call.misuse(format!("rsync does not reach hosts by {}: copy does", program.kind)))
            }
            _ => Ok(near(path)),
        }
    };
    let (src, dest) = if pulls { (far(&src)?, near(&dest)) } else { (near(&src), far(&dest)?) };
    if let Transport::Ssh(options) = &target.transport
        && !is_one_host
        && !src.starts_with("rsync://")
        && !dest.starts_with("rsync://")
    {
        let mut usual = |name: &str, value: Option<Value>| {
            if let Some(value) = value
                && call.text(name).is_none()
            {
                args.insert(name, value);
            }
        };
        usual("dest_port", options.port.map(|port| Value::Int(port.into())));
        let key = options.private_key.as_ref().filter(|_| call.delegated.is_none());
        usual("private_key", key.map(|key| Value::from(key.to_string_lossy().into_owned())));
        let hop = target.hop.as_ref().filter(|hop| hop.method == "sudo");
        usual("rsync_path", hop.map(|hop| Value::from(format!("sudo -u {} rsync", hop.user))));
        if call.flag("use_ssh_args", false)? {
            args.insert("_ssh_args", options.args.join(" "));
        }
        if let Some(password) = &options.password {
            args.insert("_local_rsync_password", password.expose());
        }
    }
    let dirs: Vec<Value> = match args.get("link_dest") {
        Some(Value::List(dirs)) => dirs.iter().map(|dir| Value::from(near(&dir.to_string()))).collect(),
        Some(Value::None) | None => Vec::new(),
        Some(one) => one.to_string().split(',').map(|dir| Value::from(near(dir.trim()))).collect(),
    };
    if !dirs.is_empty() {
        args.insert("link_dest", Value::list(dirs));
    }
    if let Some(program) = settings::variable_text(&["ansible_rsync_path"], &call.context())? {
        args.insert("_local_rsync_path", program);
    }
    args.insert("src", src);
    args.insert("dest", dest);
    Ok(call.module_beside("synchronize", &args).await)
}

/// A path of the side where rsync runs: of the control node a relative one is looked for where files of roles and
/// playbooks are.
fn local(call: &Call<'_>, path: &str) -> String {
    if path.contains(':') || call.delegated.is_some() && path.starts_with('~') {
        return path.to_owned();
    }
    let expanded = crate::path::expand_home(path);
    if expanded.is_absolute() {
        let slash = if path.ends_with('/') && path.len() > 1 && !expanded.to_string_lossy().ends_with('/') {
            "/"
        } else {
            ""
        };
        return format!("{}{slash}", expanded.to_string_lossy());
    }
    let places = call.scope.magic().search_path();
    let candidates =
        places.iter().flat_map(|dir| [Path::new(dir).join("files").join(path), Path::new(dir).join(path)]);
    let found = candidates.into_iter().find(|path| path.exists());
    let usual = || Path::new(places.last().map_or(".", String::as_str)).join(path);
    found.unwrap_or_else(usual).to_string_lossy().into_owned()
}

/// A path of the target as rsync takes it: `user@host:path`.
fn remote(call: &Call<'_>, options: &SshOptions, path: &str) -> Result<String> {
    if path.starts_with("rsync://") {
        return Ok(path.to_owned());
    }
    let user = options.user.as_deref().filter(|_| !path.contains('@'));
    let user = if call.flag("set_remote_user", true)? { user } else { None };
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    // A host that the path itself names.
    if path.split('/').next().is_some_and(|start| start.contains(':')) {
        return Ok(format!("{user}{path}"));
    }
    let host = if options.host.contains(':') { format!("[{}]", options.host) } else { options.host.clone() };
    Ok(format!("{user}{host}:{path}"))
}
