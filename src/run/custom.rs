//! Calls of custom modules.

use fanfare_modules::kit::control::ControlFile;
use fanfare_modules::kit::custom::{Custom as Sent, Form, MODULE, Program as Sending};
use serde_json::{Map, Value as Json, json};

use super::content::Contents;
use super::settings;
use super::task::Job;
use crate::custom::{Custom, JSON_ARGS, Options, Program};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::Context;
use crate::value::Dict;

/// The release of Ansible that custom modules are told they run with.
const VERSION: &str = "2.21.5";

/// What Ansible takes for names of kinds of file systems where security contexts cannot be set.
const SPECIAL_FILESYSTEMS: [&str; 6] = ["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"];

/// Modes of a task that its module is told.
#[derive(Clone, Copy)]
pub(super) struct Modes {
    pub check: bool,
    pub diff: bool,
}

/// What the worker is asked for, its arguments, and what it may ask for in turn.
pub(super) fn call(
    job: &Job<'_>,
    custom: &Custom,
    options: &Dict,
    modes: Modes,
    context: &Context<'_>,
) -> Result<(String, Map<String, Json>, Contents)> {
    let mut contents = Contents::default();
    let mut all: Map<String, Json> = options.to_json();
    let program = match &custom.program {
        Program::Python(call) => Sending::Python { interpreter: python(job, context)?, call: call.clone() },
        Program::File { interpreter, options } => {
            let file = match options {
                Options::Within => with_options(custom, &all)?,
                Options::Json | Options::Words => contents.script(&custom.file)?,
            };
            let form = if *options == Options::Words { Form::Words } else { Form::Json };
            Sending::File { interpreter: self::interpreter(job, interpreter, context)?, file, options: form }
        }
    };
    all.extend(told(job, custom, modes));
    let sent = Sent { name: custom.name.clone(), program, options: all };
    match serde_json::to_value(sent) {
        Ok(Json::Object(args)) => Ok((MODULE.to_owned(), args, contents)),
        _ => Err(Diagnostic::new(format!("the call of '{}' cannot be written", custom.name))),
    }
}

/// What Ansible tells modules besides their options.
fn told(job: &Job<'_>, custom: &Custom, modes: Modes) -> Map<String, Json> {
    let options = &job.batch.run.options;
    let json = json!({
        "_ansible_check_mode": modes.check,
        "_ansible_debug": false,
        "_ansible_diff": modes.diff,
        "_ansible_ignore_unknown_opts": false,
        "_ansible_keep_remote_files": false,
        "_ansible_module_name": custom.name,
        "_ansible_no_log": job.info.no_log,
        "_ansible_remote_tmp": "~/.ansible/tmp",
        "_ansible_selinux_special_fs": SPECIAL_FILESYSTEMS,
        "_ansible_shell_executable": "/bin/sh",
        "_ansible_socket": null,
        "_ansible_syslog_facility": "LOG_USER",
        "_ansible_target_log_info": null,
        "_ansible_tmpdir": null,
        "_ansible_verbosity": options.verbosity,
        "_ansible_version": VERSION,
    });
    match json {
        Json::Object(told) => told,
        _ => Map::new(),
    }
}

/// The Python that is named, if one is.
fn python(job: &Job<'_>, context: &Context<'_>) -> Result<Option<String>> {
    let named = settings::variable_text(&["ansible_python_interpreter"], context)?;
    // What the control node calls localhost by itself is not one of the hosts that the setting is for.
    let run = &job.batch.run;
    let implicit = run.inventory.read().host(job.host).is_none();
    let named = named.or_else(|| run.options.run.python.clone().filter(|_| !implicit));
    Ok(named.filter(|named| !named.starts_with("auto")))
}

/// The words that run a file: those of its `#!` line, unless a variable names another interpreter.
fn interpreter(job: &Job<'_>, words: &[String], context: &Context<'_>) -> Result<Vec<String>> {
    let Some(first) = words.first() else { return Ok(Vec::new()) };
    let is_env = first.ends_with("/env");
    let Some(name) = (if is_env { words.get(1) } else { words.first() }) else { return Ok(words.to_vec()) };
    let name = name.rsplit('/').next().unwrap_or_default();
    let named = if name.starts_with("python") {
        python(job, context)?
    } else {
        settings::variable_text(&[&format!("ansible_{name}_interpreter")], context)?
    };
    Ok(match named {
        Some(named) => named.split_whitespace().map(str::to_owned).collect(),
        // Which one there is, the target knows.
        None if name.starts_with("python") => vec!["python".to_owned()],
        None => words.to_vec(),
    })
}

/// A program with its options in its text.
fn with_options(custom: &Custom, options: &Map<String, Json>) -> Result<ControlFile> {
    let shown = custom.file.display();
    let text = std::fs::read_to_string(&custom.file)
        .map_err(|error| Diagnostic::new(format!("cannot read {shown}: {error}")))?;
    let options = Json::Object(options.clone()).to_string();
    Ok(ControlFile::inline(&custom.name, text.replace(JSON_ARGS, &options).as_bytes()))
}
