//! `env`: environment variables of the control node.

use super::search::text;
use crate::diagnostic::Result;
use crate::template::functions::MANDATORY;
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "env", params: &["default"], run: env };

fn env(terms: &[Value], args: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    terms.iter().map(|term| Ok(variable(text(term)?, args))).collect()
}

fn variable(name: &str, args: &Args<'_>) -> Value {
    // What follows the name has no meaning, as in Ansible.
    let name = name.split_whitespace().next().unwrap_or_default();
    match (std::env::var_os(name), args.get("default")) {
        (Some(value), _) => value.to_string_lossy().into_owned().into(),
        (None, None) => "".into(),
        (None, Some(Value::Undefined(default))) if default.message == MANDATORY => {
            Value::undefined(format!("The environment variable '{name}' is not set."))
        }
        (None, Some(default)) => default.clone(),
    }
}
