//! How filters, tests and lookups are called.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Context, resolve_deep};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};

/// Where a template finds its variables.
pub trait Names: Send + Sync {
    /// The value as stored: it may be a template, which the evaluator renders when it reads it.
    fn get(&self, name: &str) -> Option<Value>;

    /// Every name that `get` would answer, for `lookup('varnames')`, `vars` and did-you-mean.
    fn names(&self) -> Vec<Arc<str>>;

    /// Where `first_found` looks in a role or beside a playbook; that depends on the task that is rendered for.
    fn files_dir(&self) -> &'static str {
        "files"
    }

    /// Whether lookups may be asked: what they find, and what they do, is a matter of when that is.
    fn may_look_up(&self) -> bool {
        true
    }

    /// A variable as the user's own files have it; `None` when it is anything that the run may have learnt from a
    /// target: what is text there must never be taken for an expression.
    fn written(&self, _name: &str) -> Option<Value> {
        None
    }
}

/// `lookup('name', terms…, options…)`; also every `with_name`.
pub type Lookup = fn(&[Value], &Args<'_>, &Context<'_>) -> Result<Vec<Value>>;

/// The parameters of a filter, test or lookup in Python's order. `*` takes any further positional
/// argument, what follows it is keyword-only, and `**` takes any keyword.
pub type Params = &'static [&'static str];

/// A row of the lookup table; the parameters are the lookup's options.
pub struct LookupEntry {
    pub name: &'static str,
    pub params: Params,
    pub run: Lookup,
}

/// Subject, positional and named arguments of one call.
pub(super) struct Operands<'a> {
    pub subject: Cow<'a, Value>,
    pub positional: Cow<'a, [Value]>,
    pub named: Cow<'a, Dict>,
}

impl<'a> Operands<'a> {
    /// The operands as a filter or test that is not `lazy` gets them: with their parts rendered.
    pub fn rendered(
        subject: &'a Value,
        positional: &'a [Value],
        named: &'a Dict,
        context: &Context<'_>,
    ) -> Result<Self> {
        let mut operands = Self::stored(subject, positional, named);
        if has_parts(subject) {
            operands.subject = Cow::Owned(resolve_deep(subject, context)?);
        }
        if positional.iter().any(has_parts) {
            let rendered: Result<Vec<_>> =
                positional.iter().map(|value| resolve_deep(value, context)).collect();
            operands.positional = Cow::Owned(rendered?);
        }
        if named.values().any(has_parts) {
            let rendered: Result<Dict> =
                named.iter().map(|(key, value)| Ok((key.clone(), resolve_deep(value, context)?))).collect();
            operands.named = Cow::Owned(rendered?);
        }
        Ok(operands)
    }

    /// The operands as they are.
    pub fn stored(subject: &'a Value, positional: &'a [Value], named: &'a Dict) -> Self {
        Self {
            subject: Cow::Borrowed(subject),
            positional: Cow::Borrowed(positional),
            named: Cow::Borrowed(named),
        }
    }
}

/// Whether rendering could change the value: everything but plain scalars.
fn has_parts(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Template(_) | Value::Vault(_))
}

/// The arguments of a call besides its subject, bound to the parameters of its table row.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    pub positional: &'a [Value],
    pub named: &'a Dict,
    name: &'static str,
    params: Params,
}

impl<'a> Args<'a> {
    /// Binds arguments to parameters; one too many, or an unknown keyword, is an error in Python's words.
    pub fn bind(
        name: &'static str,
        params: Params,
        positional: &'a [Value],
        named: &'a Dict,
    ) -> Result<Self> {
        let places = params.iter().take_while(|param| !param.starts_with('*')).count();
        if positional.len() > places && !params.contains(&"*") {
            // Python counts the subject too.
            let (takes, given) = (places + 1, positional.len() + 1);
            let plural = if takes == 1 { "" } else { "s" };
            return Err(Diagnostic::new(format!(
                "{name}() takes {takes} positional argument{plural} but {given} were given"
            )));
        }
        for key in named.keys() {
            let key = key.as_str().unwrap_or_default();
            match params.iter().position(|param| *param == key) {
                Some(place) if place < places.min(positional.len()) => {
                    return Err(Diagnostic::new(format!(
                        "{name}() got multiple values for argument '{key}'"
                    )));
                }
                None if !params.contains(&"**") => {
                    let error =
                        Diagnostic::new(format!("{name}() got an unexpected keyword argument '{key}'"));
                    let known: Vec<&str> =
                        params.iter().copied().filter(|param| !param.starts_with('*')).collect();
                    return Err(if known.is_empty() {
                        error.hint(format!("'{name}' takes no keyword arguments."))
                    } else {
                        error.hint(format!("'{name}' takes: {}.", known.join(", ")))
                    });
                }
                _ => {}
            }
        }
        Ok(Self { positional, named, name, params })
    }

    /// The argument, by place or by keyword.
    pub fn get(&self, param: &str) -> Option<&'a Value> {
        let place = self
            .params
            .iter()
            .take_while(|known| !known.starts_with('*'))
            .position(|known| *known == param)
            .and_then(|place| self.positional.get(place));
        place.or_else(|| self.named.get(param))
    }

    /// The argument when it is given and not `None`.
    pub fn some(&self, param: &str) -> Option<&'a Value> {
        self.get(param).filter(|value| !value.is_none())
    }

    pub fn required(&self, param: &str) -> Result<&'a Value> {
        self.get(param).ok_or_else(|| {
            let name = self.name;
            Diagnostic::new(format!("{name}() missing 1 required positional argument: '{param}'"))
        })
    }

    /// The positional arguments that `*` takes.
    pub fn rest(&self) -> &'a [Value] {
        let places = self.params.iter().take_while(|param| !param.starts_with('*')).count();
        self.positional.get(places..).unwrap_or_default()
    }

    /// Python's truth of the argument.
    pub fn flag(&self, param: &str, default: bool) -> bool {
        self.get(param).map_or(default, Value::is_truthy)
    }

    /// A whole number; `None` when not given (or given as `None`).
    pub fn int(&self, param: &str) -> Result<Option<i64>> {
        self.some(param)
            .map(|value| {
                value.as_int().ok_or_else(|| {
                    Diagnostic::new(format!("'{param}' must be an integer, not '{}'", value.type_name()))
                })
            })
            .transpose()
    }

    /// A string; `None` when not given (or given as `None`).
    pub fn text(&self, param: &str) -> Result<Option<&'a str>> {
        self.some(param)
            .map(|value| {
                value.as_str().ok_or_else(|| {
                    Diagnostic::new(format!("'{param}' must be a string, not '{}'", value.type_name()))
                })
            })
            .transpose()
    }

    /// `str()` of the argument; `None` when not given (or given as `None`).
    pub fn string(&self, param: &str) -> Option<Cow<'a, str>> {
        self.some(param).map(|value| match value {
            Value::Str(text) => Cow::Borrowed(&**text),
            other => Cow::Owned(other.to_string()),
        })
    }
}
