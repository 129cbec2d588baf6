//! Names and values that inventory plugins work out from expressions.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::diagnostic::{Place, Result};
use crate::template::{self, Context, Names, Template};
use crate::value::{Dict, Value};
use crate::yaml::Node;

/// The variables an expression sees.
pub(super) struct Given {
    /// The user's own.
    pub vars: Dict,
    /// What is known of the host besides.
    pub magic: Dict,
}

impl Names for Given {
    fn get(&self, name: &str) -> Option<Value> {
        self.magic.get(name).or_else(|| self.vars.get(name)).cloned()
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.magic.keys().chain(self.vars.keys()).filter_map(Value::as_str).map(Arc::from).collect()
    }
}

impl Given {
    /// What the text means as an expression, without braces.
    pub(super) fn expression(&self, text: &str, place: &Place) -> Result<Value> {
        self.rendered(&Value::Template(Arc::new(Template::new(
            format!("{{{{ {text} }}}}"),
            Some(place.clone()),
        ))))
    }

    /// A value of the file, rendered if it is a template; what is in a container stays as it is.
    pub(super) fn rendered(&self, value: &Value) -> Result<Value> {
        match value {
            Value::Template(template) => template::render(template, &Context::new(self)),
            other => Ok(other.clone()),
        }
    }

    pub(super) fn holds(&self, condition: &Node) -> Result<bool> {
        template::condition(&condition.to_value(), Some(&condition.place), &Context::new(self))
    }
}

/// The texts that came out of expressions, by address. Each is kept, so that its address stays its own.
#[derive(Debug, Default)]
pub(super) struct Computed(HashMap<usize, Arc<str>>);

impl Computed {
    /// The value with its texts noted, those excepted that an expression only handed on from the user's variables.
    /// It shares no container with another: what is shown of one is not of the other.
    pub(super) fn note(&mut self, value: &Value, given: &Given) -> Value {
        let mut own = HashSet::new();
        given.vars.values().for_each(|value| addresses(value, &mut own));
        self.noted(value, &own)
    }

    fn noted(&mut self, value: &Value, own: &HashSet<usize>) -> Value {
        match value {
            Value::Str(text) if !own.contains(&address(text)) => {
                // A copy: the text may be a name as well, which is not marked.
                let text: Arc<str> = Arc::from(&**text);
                self.0.insert(address(&text), Arc::clone(&text));
                Value::Str(text)
            }
            Value::List(items) | Value::Tuple(items) => {
                Value::list(items.iter().map(|item| self.noted(item, own)).collect())
            }
            Value::Dict(entries) => Value::dict(
                entries.iter().map(|(key, value)| (key.clone(), self.noted(value, own))).collect(),
            ),
            other => other.clone(),
        }
    }

    pub(super) fn contains(&self, text: &Arc<str>) -> bool {
        self.0.contains_key(&address(text))
    }
}

fn address(text: &Arc<str>) -> usize {
    Arc::as_ptr(text).cast::<u8>().addr()
}

fn addresses(value: &Value, found: &mut HashSet<usize>) {
    match value {
        Value::Str(text) => {
            found.insert(address(text));
        }
        Value::List(items) | Value::Tuple(items) => items.iter().for_each(|item| addresses(item, found)),
        Value::Dict(entries) => entries.values().for_each(|value| addresses(value, found)),
        _ => {}
    }
}

/// A group's name with `_` for whatever no variable's name may hold.
pub(super) fn safe_group_name(name: &str) -> String {
    let safe = |(index, c): (usize, char)| {
        let fits = c == '_' || (c.is_alphanumeric() && !(index == 0 && c.is_numeric()));
        if fits { c } else { '_' }
    };
    name.chars().enumerate().map(safe).collect()
}
