//! `random_choice`: one of the terms.

use super::super::python_random::Random;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "random_choice", params: &[], run: random_choice };

fn random_choice(terms: &[Value], _: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    let mut random = Random::system()
        .map_err(|error| Diagnostic::new(format!("the system gives no random numbers: {error}")))?;
    Ok(random.choice(terms).cloned().into_iter().collect())
}
