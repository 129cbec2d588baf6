//! Custom modules: programs of the user's own that speak the protocol of Ansible's modules.
//!
//! What they say of themselves is taken as it is: here alone a module tells whether it changed something.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::kit::args::python_str;
use crate::kit::command::{Command, Output, quote};
use crate::kit::control::ControlFile;
use crate::kit::outcome::{Failure, Result};
use crate::kit::system::System;

/// What the worker is asked for; no module of the table has this name.
pub const MODULE: &str = "custom";

/// What Python starts with: all else comes over its standard input, so that nothing of it is a file, or stands in the
/// list of processes.
const START: &str = "import base64,json,sys,zlib
called=json.loads(sys.stdin.buffer.read().decode())
called.update(json.loads(zlib.decompress(base64.b64decode(called['packed'])).decode()))
exec(called['boot'])";

/// The Pythons that are looked for, in this order, where none is named.
const PYTHONS: [&str; 11] = [
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.9",
    "/usr/bin/python3",
    "python3",
    "python3.8",
    "python3.7",
    "/usr/libexec/platform-python",
];

/// What names no particular Python: that of a `#!` line, and `ansible_playbook_python`.
const ANY_PYTHON: [&str; 2] = ["python", "/usr/bin/python3"];

/// How Ansible's own keys of options and results begin: no result of a module's has them.
const INTERNAL: &str = "_ansible_";

/// A call of a custom module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Custom {
    /// As the user calls it.
    pub name: String,
    pub program: Program,
    /// The task's options, and what Ansible tells modules besides.
    pub options: Map<String, Json>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// Python that comes as text, with all that it imports of Ansible's and the user's own.
    Python {
        interpreter: Option<String>,
        /// What [`START`] reads; `args` is added.
        call: Map<String, Json>,
    },
    /// A file that is run and given the path of another one, with its options.
    File {
        /// Empty where the file is a program by itself.
        interpreter: Vec<String>,
        file: ControlFile,
        options: Form,
    },
}

/// How a program that is a file gets its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    Json,
    /// `key=value` words, as a shell would write them.
    Words,
}

/// Runs a custom module; its result is the call's.
pub(crate) fn run(args: Json, sys: &mut System<'_>) -> Result<Json> {
    let custom: Custom = serde_json::from_value(args).map_err(|error| Failure::new(error.to_string()))?;
    let output = match custom.program {
        Program::Python { interpreter, mut call } => {
            let python = python(interpreter.as_deref(), &custom.name, sys)?;
            let (program, words) = python.split_first().ok_or_else(|| Failure::new("no Python"))?;
            call.insert("args".to_owned(), json!({"ANSIBLE_MODULE_ARGS": custom.options}));
            let call = serde_json::to_vec(&call).map_err(|error| Failure::new(error.to_string()))?;
            sys.query(Command::new(program).args(words).arg("-c").arg(START).stdin(call))?
        }
        // Nothing tells whether it knows of check mode.
        Program::File { .. } if sys.is_check() => {
            let msg = format!("remote module ({}) does not support check mode", custom.name);
            sys.adopt(Map::from_iter([("skipped".to_owned(), true.into()), ("msg".to_owned(), msg.into())]));
            return Ok(Json::Null);
        }
        Program::File { interpreter, file, options } => {
            let words = if interpreter.first().is_some_and(|first| is_python(first)) {
                python(Some(&interpreter.join(" ")), &custom.name, sys)?
            } else {
                if let Some(first) = interpreter.first().filter(|first| sys.which(first).is_none()) {
                    return Err(not_found(first));
                }
                interpreter
            };
            let text = written(&custom.options, options);
            let given = sys.scratch(None);
            sys.spool(&given, 0o600, &mut text.as_bytes())?;
            let ran = sys.with_control_file(&file, 0o700, |sys, path| {
                let mut words = words.iter().map(Into::into).chain([path.as_os_str().to_owned()]);
                let program = words.next().unwrap_or_default();
                sys.query(Command::new(program).args(words).arg(given.as_os_str()))
            });
            sys.discard(&given)?;
            ran?
        }
    };
    let result = result(&output, sys)?;
    sys.adopt(result);
    Ok(Json::Null)
}

/// Whether an interpreter is some Python: which one there is, the target knows.
fn is_python(interpreter: &str) -> bool {
    interpreter.rsplit('/').next().is_some_and(|name| name.starts_with("python"))
}

/// The words that start the target's Python.
fn python(named: Option<&str>, module: &str, sys: &System<'_>) -> Result<Vec<String>> {
    if let Some(named) = named {
        let words: Vec<String> = named.split_whitespace().map(str::to_owned).collect();
        let first = words.first().map(String::as_str).unwrap_or_default();
        let is_any = ANY_PYTHON.contains(&named);
        if sys.which(first).is_some_and(|path| !is_any || !is_shim(&path)) {
            return Ok(words);
        }
        if !is_any {
            return Err(not_found(first));
        }
    }
    let found = PYTHONS.iter().find_map(|name| sys.which(name).filter(|path| !is_shim(path)));
    let found = found.or_else(|| sys.which("python3"));
    let found = found.ok_or_else(|| {
        Failure::new(format!(
            "the module '{module}' is Python, and there is none on this host: install it, or name it with \
             ansible_python_interpreter"
        ))
    })?;
    Ok(vec![found.to_string_lossy().into_owned()])
}

fn not_found(interpreter: &str) -> Failure {
    Failure::new(format!("The module interpreter '{interpreter}' was not found."))
}

/// Whether a program only stands for others, and may come to none of them: pyenv's and the like have a `python3.13`
/// wherever that is installed, chosen or not.
fn is_shim(path: &Path) -> bool {
    path.parent().is_some_and(|dir| dir.ends_with("shims"))
}

fn written(options: &Map<String, Json>, form: Form) -> String {
    match form {
        Form::Json => Json::Object(options.clone()).to_string(),
        Form::Words => {
            let word = |(name, value): (&String, &Json)| format!("{name}={} ", quote(&python_str(value)));
            options.iter().map(word).collect()
        }
    }
}

/// The result that a module wrote among what it said.
fn result(output: &Output, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let refuse = |why: &str| {
        Failure::new(format!("Module result deserialization failed: {why}"))
            .with("module_stdout", output.stdout())
            .with("module_stderr", output.stderr())
            .with("rc", output.code)
    };
    let said = output.stdout();
    let lines: Vec<&str> = said.lines().collect();
    let Some(first) = lines.iter().position(|line| line.trim_start().starts_with('{')) else {
        return Err(refuse("No start of json char found"));
    };
    let last = lines.iter().rposition(|line| line.trim_end().ends_with('}')).unwrap_or(lines.len());
    let text = lines.get(first..=last).unwrap_or_default().join("\n");
    let mut result = match serde_json::from_str(&text) {
        Ok(Json::Object(result)) => result,
        Ok(_) => return Err(refuse("it is no dictionary")),
        Err(error) => return Err(refuse(&error.to_string())),
    };
    if let Some(after) =
        lines.get(last + 1..).map(|lines| lines.join("\n")).filter(|text| !text.trim().is_empty())
    {
        sys.warn(format!("Module invocation had junk after the JSON data: {}", after.trim()));
    }
    // As Ansible by default. What the module was given may be secret.
    result.shift_remove("invocation");
    strip(&mut result);
    let is_true = |value: Option<&Json>| match value {
        Some(Json::String(text)) => {
            ["yes", "on", "true", "y", "t", "1"].contains(&text.to_ascii_lowercase().as_str())
        }
        Some(Json::Number(number)) => number.as_f64() != Some(0.0),
        Some(value) => value == &Json::Bool(true),
        None => false,
    };
    for key in ["changed", "failed", "skipped"] {
        if result.contains_key(key) || key == "changed" {
            let told = is_true(result.get(key));
            result.insert(key.to_owned(), told.into());
        }
    }
    let is_bad = |rc: &Json| !matches!(rc, Json::Null) && rc != &json!(0) && rc != &json!("0");
    if !result.contains_key("failed") && result.get("rc").is_some_and(is_bad) {
        result.insert("failed".to_owned(), true.into());
    }
    let says = result.get("msg").is_some_and(|msg| msg != "" && !msg.is_null());
    if result.get("failed") == Some(&Json::Bool(true)) && !says {
        result.insert("msg".to_owned(), "Task failed: Module failed: Unknown error.".into());
    }
    Ok(result)
}

/// Takes out what Ansible's modules tell Ansible alone.
fn strip(map: &mut Map<String, Json>) {
    map.retain(|key, _| !key.starts_with(INTERNAL));
    for value in map.values_mut() {
        match value {
            Json::Object(inner) => strip(inner),
            Json::Array(items) => items.iter_mut().filter_map(Json::as_object_mut).for_each(strip),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
