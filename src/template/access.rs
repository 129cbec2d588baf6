//! Reading parts of values, and calling them.

use super::Context;
use crate::diagnostic::Result;
use crate::value::{Dict, Value};

/// The part of a value at a path as filters write it: `'a.b.0'`, an int, or a plain name. The result is
/// rendered (its own parts are not); what is absent is [`Value::Undefined`].
pub fn get_attr(_value: &Value, _path: &Value, _context: &Context<'_>) -> Result<Value> {
    Ok(Value::None)
}

/// `value[key]`, never a method. The result is rendered; what is absent is [`Value::Undefined`].
pub fn get_item(_value: &Value, _key: &Value, _context: &Context<'_>) -> Result<Value> {
    Ok(Value::None)
}

/// `value(args…)`: macros, callables, `namespace` and the like.
pub fn call(_value: &Value, _positional: &[Value], _named: &Dict, _context: &Context<'_>) -> Result<Value> {
    Ok(Value::None)
}

/// What a `for` would walk over: items, keys, characters. The items are as stored; anything that cannot be
/// iterated is an error, an undefined too.
pub fn iterate(_value: &Value, _context: &Context<'_>) -> Result<Vec<Value>> {
    Ok(Vec::new())
}
