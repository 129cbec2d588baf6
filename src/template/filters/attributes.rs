//! `attr`: an attribute, never an item.

use crate::diagnostic::Result;
use crate::template::methods::{self, BoundMethod};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[FilterEntry::new("attr", &["name"], attr).lazy()];

fn attr(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let name = args.required("name")?;
    if let Some(name) = name.as_str() {
        if let Some(method) = methods::find(subject, name) {
            return Ok(BoundMethod::value(subject.clone(), method));
        }
        if let Some(property) = methods::property(subject, name) {
            return Ok(property);
        }
    }
    let found = match subject {
        Value::Object(object) => object.get(name),
        _ => None,
    };
    Ok(found.unwrap_or_else(|| {
        let kind = subject.type_name();
        Value::undefined(format!("object of type '{kind}' has no attribute {}", name.repr()))
    }))
}
