//! `json_query`: JMESPath, as Python's jmespath has it.
//!
//! The parser is that of the crate of the JMESPath project. What it parsed is walked here, over our own values: dicts keep their
//! order, and whole numbers stay whole.

mod functions;

use jmespath::Variable;
use jmespath::ast::{Ast, Comparator};

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::{Dict, Value, positions};

pub(super) static TABLE: &[FilterEntry] =
    &[FilterEntry::new("community.general.json_query", &["expr"], json_query)];

fn json_query(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let failed = |what: &str| Diagnostic::new(format!("JMESPathError in json_query filter plugin:\n{what}"));
    let expression = args.text("expr")?.ok_or_else(|| failed("there is no expression"))?;
    let ast = jmespath::parse(&quoted(expression))
        .map_err(|error| failed(&format!("Invalid jmespath expression: {error}")))?;
    search(&ast, subject).map_err(|error| failed(&error.to_string()))
}

/// The expression with its literals as JSON: Python's jmespath takes what is none between back-quotes as text.
fn quoted(expression: &str) -> String {
    let mut text = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(start) = rest.find(['\'', '"', '`']) {
        let (before, from) = rest.split_at(start);
        let mark = from.chars().next().unwrap_or_default();
        let mut escaped = false;
        let end = from.char_indices().skip(1).find_map(|(at, c)| {
            let ends = c == mark && !escaped;
            escaped = c == '\\' && !escaped;
            ends.then_some(at)
        });
        text.push_str(before);
        let Some(end) = end else {
            rest = from;
            break;
        };
        let (literal, behind) = from.split_at(end + 1);
        let inner = &from[1..end];
        if mark == '`' && serde_json::from_str::<serde_json::Value>(&inner.replace("\\`", "`")).is_err() {
            let string = serde_json::Value::from(inner.replace("\\`", "`").trim_start());
            text.extend(["`", &string.to_string().replace('`', "\\`"), "`"]);
        } else {
            text.push_str(literal);
        }
        rest = behind;
    }
    text + rest
}

/// What the expression finds in the value.
fn search(ast: &Ast, value: &Value) -> Result<Value> {
    Ok(match ast {
        Ast::Identity { .. } => value.clone(),
        Ast::Literal { value, .. } => literal(value),
        Ast::Field { name, .. } => {
            value.as_dict().and_then(|dict| dict.get(name)).cloned().unwrap_or(Value::None)
        }
        Ast::Index { idx, .. } => match value.as_list() {
            Some(items) => at(items, *idx).cloned().unwrap_or(Value::None),
            None => Value::None,
        },
        Ast::Slice { start, stop, step, .. } => slice(value, *start, *stop, *step)?,
        Ast::Subexpr { lhs, rhs, .. } => search(rhs, &search(lhs, value)?)?,
        Ast::Projection { lhs, rhs, .. } => match search(lhs, value)?.as_list() {
            Some(items) => Value::list(project(items, rhs)?),
            None => Value::None,
        },
        Ast::Condition { predicate, then, .. } => {
            if is_true(&search(predicate, value)?) {
                search(then, value)?
            } else {
                Value::None
            }
        }
        Ast::ObjectValues { node, .. } => match search(node, value)?.as_dict() {
            Some(dict) => Value::list(dict.values().cloned().collect()),
            None => Value::None,
        },
        Ast::Flatten { node, .. } => match search(node, value)?.as_list() {
            Some(items) => Value::list(flattened(items)),
            None => Value::None,
        },
        Ast::MultiList { .. } | Ast::MultiHash { .. } if value.is_none() => Value::None,
        Ast::MultiList { elements, .. } => {
            Value::list(elements.iter().map(|element| search(element, value)).collect::<Result<_>>()?)
        }
        Ast::MultiHash { elements, .. } => {
            let pair = |pair: &jmespath::ast::KeyValuePair| {
                Ok((Value::from(pair.key.as_str()), search(&pair.value, value)?))
            };
            Value::dict(elements.iter().map(pair).collect::<Result<Dict>>()?)
        }
        Ast::Not { node, .. } => (!is_true(&search(node, value)?)).into(),
        Ast::And { lhs, rhs, .. } => {
            let left = search(lhs, value)?;
            if is_true(&left) { search(rhs, value)? } else { left }
        }
        Ast::Or { lhs, rhs, .. } => {
            let left = search(lhs, value)?;
            if is_true(&left) { left } else { search(rhs, value)? }
        }
        Ast::Comparison { comparator, lhs, rhs, .. } => {
            compared(comparator, &search(lhs, value)?, &search(rhs, value)?)?
        }
        Ast::Function { name, args, .. } => functions::call(name, args, value)?,
        Ast::Expref { .. } => return Err(Diagnostic::new("'&' stands before an argument of a function")),
    })
}

/// What the expression finds in each item, where it finds something.
fn project(items: &[Value], ast: &Ast) -> Result<Vec<Value>> {
    let found = items.iter().map(|item| search(ast, item));
    found.filter(|value| !value.as_ref().is_ok_and(Value::is_none)).collect()
}

fn flattened(items: &[Value]) -> Vec<Value> {
    let mut flat = Vec::with_capacity(items.len());
    for item in items {
        match item.as_list() {
            Some(inner) => flat.extend_from_slice(inner),
            None => flat.push(item.clone()),
        }
    }
    flat
}

/// Counted from the end where it is negative.
fn at(items: &[Value], index: i32) -> Option<&Value> {
    let from_end = usize::try_from(index.unsigned_abs()).ok()?;
    match usize::try_from(index) {
        Ok(index) => items.get(index),
        Err(_) => items.get(items.len().checked_sub(from_end)?),
    }
}

fn slice(value: &Value, start: Option<i32>, stop: Option<i32>, step: i32) -> Result<Value> {
    let Some(items) = value.as_list() else { return Ok(Value::None) };
    if step == 0 {
        return Err(Diagnostic::new("slice step cannot be zero"));
    }
    let places = positions(items.len(), start.map(i64::from), stop.map(i64::from), step.into());
    Ok(Value::list(places.filter_map(|place| items.get(place).cloned()).collect()))
}

/// All but null, false and what is empty; so zero is true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::None | Value::Bool(false) => false,
        Value::Str(text) => !text.is_empty(),
        Value::List(items) | Value::Tuple(items) => !items.is_empty(),
        Value::Dict(dict) => !dict.is_empty(),
        _ => true,
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::BigInt(_) | Value::Float(_))
}

/// Numbers and texts have an order; what has none is neither less nor more.
fn compared(comparator: &Comparator, left: &Value, right: &Value) -> Result<Value> {
    // For Python one is true; for JMESPath it is not.
    let differ_in_kind = matches!(left, Value::Bool(_)) != matches!(right, Value::Bool(_));
    let equal = !differ_in_kind && left == right;
    let has_order = |value: &Value| is_number(value) || value.as_str().is_some();
    let is_fine: fn(std::cmp::Ordering) -> bool = match comparator {
        Comparator::Equal => return Ok(equal.into()),
        Comparator::NotEqual => return Ok((!equal).into()),
        Comparator::LessThan => std::cmp::Ordering::is_lt,
        Comparator::LessThanEqual => std::cmp::Ordering::is_le,
        Comparator::GreaterThan => std::cmp::Ordering::is_gt,
        Comparator::GreaterThanEqual => std::cmp::Ordering::is_ge,
    };
    if !has_order(left) || !has_order(right) {
        return Ok(Value::None);
    }
    left.compare(right, "<").map(|order| is_fine(order).into())
}

fn literal(value: &Variable) -> Value {
    match value {
        Variable::Null | Variable::Expref(_) => Value::None,
        Variable::Bool(flag) => (*flag).into(),
        Variable::String(text) => text.as_str().into(),
        Variable::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Variable::Array(items) => Value::list(items.iter().map(|item| literal(item)).collect()),
        Variable::Object(fields) => Value::dict(
            fields.iter().map(|(key, value)| (Value::from(key.as_str()), literal(value))).collect(),
        ),
    }
}

#[cfg(test)]
mod tests;
