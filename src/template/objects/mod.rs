//! What a template makes or finds that is more than data.

mod cycler;
mod loops;
mod macros;
mod namespace;
mod range;

pub(super) use cycler::{Cycler, Joiner};
pub(super) use loops::Loop;
pub(super) use macros::{MacroObject, Module};
pub(super) use namespace::Namespace;
pub(super) use range::Range;

use crate::value::{Object, Value};

/// `self` in a template with blocks.
pub(super) struct TemplateReference;

impl Object for TemplateReference {
    fn type_name(&self) -> &'static str {
        "TemplateReference"
    }
}

/// The object of that type behind a value.
pub(super) fn downcast<T: 'static>(value: &Value) -> Option<&T> {
    match value {
        Value::Object(object) => object.as_any()?.downcast_ref::<T>(),
        _ => None,
    }
}
