//! `pause`: waits for a time or for the operator.

use super::manual::{Manual, Opt, What};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::event::Event;
use crate::run::outcome::Raw;
use crate::value::{Dict, Value};

pub(super) const MANUAL: Manual = Manual {
    text: "Waits for a time, or for the operator.\n\nWithout a time it asks, and goes on at once where there is no terminal. It \
           runs once, whatever the number of hosts.",
    options: &[
        Opt::new("minutes", What::Number, "How many minutes to wait. Not together with `seconds`."),
        Opt::new("seconds", What::Number, "How many seconds to wait, at least one."),
        Opt::new("prompt", What::Text, "What to ask."),
        Opt::new("echo", What::Truth, "Whether the answer shows while it is typed.").or("true"),
    ],
    open: false,
    examples: "- name: The cache warms up\n  pause: {seconds: 30}\n\n- name: A last chance\n  pause: {prompt: Make sure the old site is down}\n",
};

pub(super) async fn run(call: &Call<'_>) -> Result<Raw> {
    let started = jiff::Zoned::now();
    let begun = Instant::now();
    let number = |name: &str| match call.text(name) {
        None => Ok(None),
        Some(text) => text
            .trim()
            .parse::<f64>()
            .map(Some)
            .map_err(|_| call.misuse(format!("{name}: '{text}' is no number"))),
    };
    let (minutes, seconds) = (number("minutes")?, number("seconds")?);
    if minutes.is_some() && seconds.is_some() {
        return Err(call.misuse("parameters are mutually exclusive: minutes|seconds"));
    }
    let mut fields = Dict::new();
    let mut input = String::new();
    let wait = minutes.map(|minutes| minutes * 60.0).or(seconds).map(|seconds| seconds.clamp(0.0, 1e9));
    let wait = wait.map(|seconds| seconds.trunc().max(1.0));
    match wait {
        Some(seconds) => {
            let hidden = if call.flag("echo", true)? { "" } else { " (output is hidden)" };
            let mut text = format!("Pausing for {seconds} seconds{hidden}");
            if call.text("prompt").is_some() {
                text.push_str("\n(ctrl+C then 'C' = continue early, ctrl+C then 'A' = abort)");
            }
            call.job.batch.run.emit(Event::Said { text });
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        }
        // Without a terminal the run goes on with no answer, as in Ansible.
        None if !std::io::stdin().is_terminal() => {
            let warning = "Not waiting for response to prompt as stdin is not interactive";
            fields.insert("warnings", Value::list(vec![warning.into()]));
        }
        None => input = ask(call).await?,
    }
    let took = begun.elapsed().as_secs_f64();
    let (took, unit) = if seconds.is_some() { (took, "seconds") } else { (took / 60.0, "minutes") };
    let told = format!("Paused for {:?} {unit}", (took * 100.0).round() / 100.0);
    let format = "%Y-%m-%d %H:%M:%S%.6f";
    fields.insert("changed", false);
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
    fields.insert("delta", begun.elapsed().as_secs_f64() as i64);
    fields.insert("echo", call.flag("echo", true)?);
    fields.insert("rc", 0);
    fields.insert("start", started.strftime(format).to_string());
    fields.insert("stderr", "");
    fields.insert("stdout", told);
    fields.insert("stop", jiff::Zoned::now().strftime(format).to_string());
    fields.insert("user_input", input);
    Ok(Raw::ok(fields))
}

/// Asks the operator.
async fn ask(call: &Call<'_>) -> Result<String> {
    let prompt =
        call.text("prompt").unwrap_or_else(|| "Press enter to continue, Ctrl+C to interrupt".to_owned());
    let text = format!("[{}]\n{prompt}:", call.job.info.name);
    let echo = call.flag("echo", true)?;
    call.job.batch.run.ask(text, echo).await
}
