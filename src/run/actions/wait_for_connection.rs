//! `wait_for_connection`: waits until a host answers.

use std::time::{Duration, Instant};

use super::manual::{Manual, Opt, What};
use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::destination;
use crate::run::outcome::Raw;
use crate::target::Destination;
use crate::value::Dict;

pub(super) const MANUAL: Manual = Manual {
    text: "Waits until a host can be reached and used.\n\nEach try is a connection of its own, on which the `ping` module must \
           answer.",
    options: &[
        Opt::new("connect_timeout", What::Number, "Seconds that one try may take.").or("5"),
        Opt::new("delay", What::Number, "Seconds to wait before the first try.").or("0"),
        Opt::new("sleep", What::Number, "Seconds between tries.").or("1"),
        Opt::new("timeout", What::Number, "Seconds to try in all.").or("600"),
    ],
    open: false,
    examples: "- name: The new machine answers\n  wait_for_connection: {delay: 10, timeout: 300}\n",
};

pub(super) async fn run(call: &Call<'_>) -> Result<Raw> {
    if call.check {
        return Ok(Raw::passed_over());
    }
    let begun = Instant::now();
    tokio::time::sleep(call.seconds("delay", 0)?).await;
    let to = destination::of(call.job, call.scope, call.delegated)?;
    let tries = Tries {
        each: call.seconds("connect_timeout", 5)?,
        pause: call.seconds("sleep", 1)?,
        until: Instant::now() + call.seconds("timeout", 600)?,
    };
    let answered = tries.until_ok(call, &to, || answers(call)).await;
    let mut fields = Dict::new();
    fields.insert("changed", false);
    fields.insert("elapsed", elapsed(begun));
    if let Err(why) = answered {
        fields.insert("failed", true);
        fields.insert("msg", format!("timed out waiting for ping module test: {why}"));
    }
    Ok(Raw::ok(fields))
}

/// Whether the host runs a module.
async fn answers(call: &Call<'_>) -> Result<(), String> {
    let raw = call.module("ping", &Dict::new()).await;
    if raw.unreachable || raw.is("failed") { Err(said(&raw)) } else { Ok(()) }
}

/// A result's message.
pub(super) fn said(raw: &Raw) -> String {
    raw.fields.get("msg").map(ToString::to_string).unwrap_or_default()
}

pub(super) fn elapsed(begun: Instant) -> i64 {
    i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX)
}

/// How long a host may take to its first answer once there is a connection.
const UPLOAD: Duration = Duration::from_mins(1);

/// How long and how often to try.
pub(super) struct Tries {
    pub each: Duration,
    pub pause: Duration,
    pub until: Instant,
}

impl Tries {
    /// Tries, each time on a connection of its own, until it works. Else says why the last try did not.
    pub async fn until_ok<F: Future<Output = Result<(), String>>>(
        &self,
        call: &Call<'_>,
        to: &Destination,
        one: impl Fn() -> F,
    ) -> Result<(), String> {
        loop {
            let links = &call.job.batch.run.links;
            links.reset(to).await;
            // A host that is there has longer: a worker may have to get there first, over a slow line.
            let patience = self.each.max(UPLOAD);
            let why = match tokio::time::timeout(self.each, links.reach(to)).await {
                Ok(Ok(())) => match tokio::time::timeout(patience, one()).await {
                    Ok(Ok(())) => return Ok(()),
                    Ok(Err(why)) => why,
                    Err(_) => format!("no answer within {} seconds", patience.as_secs()),
                },
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no connection within {} seconds", self.each.as_secs()),
            };
            if Instant::now() + self.pause >= self.until {
                return Err(why);
            }
            tokio::time::sleep(self.pause).await;
        }
    }
}
