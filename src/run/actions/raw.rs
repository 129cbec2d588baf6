//! `raw`: a command through the target's shell, without the worker.

use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::destination;
use crate::run::keywords;
use crate::run::outcome::Raw;
use crate::value::Dict;

pub(super) async fn run(call: &Call<'_>) -> Result<Raw> {
    if call.check {
        return Ok(Raw::passed_over());
    }
    let command = call.text("_raw_params").ok_or_else(|| call.misuse("no command given"))?;
    let executable = call.text("executable").or_else(|| call.job.batch.run.options.run.executable.clone());
    let to = destination::of(call.job, call.scope, call.delegated)?;
    let environment = keywords::environment(&call.job.task.keywords, &call.context())?;
    let mut words = Vec::new();
    for (name, value) in &environment {
        let value = shlex::try_quote(value)
            .map_err(|_| call.misuse(format!("environment: the value of {name} holds a NUL byte")))?;
        words.push(format!("{name}={value}"));
    }
    let command = if words.is_empty() { command } else { format!("env {} {command}", words.join(" ")) };
    match call.job.batch.run.links.raw(&to, &command, executable.as_deref()).await {
        Ok(output) => {
            let mut fields = Dict::new();
            fields.insert("changed", true);
            fields.insert("rc", i64::from(output.rc));
            fields.insert("stderr", String::from_utf8_lossy(&output.stderr).into_owned());
            fields.insert("stdout", String::from_utf8_lossy(&output.stdout).into_owned());
            let mut raw = Raw::ok(fields);
            if output.rc != 0 {
                raw.set("failed", true);
                raw.set("msg", "non-zero return code");
            }
            Ok(raw)
        }
        Err(error) => Ok(Raw::from(error)),
    }
}
