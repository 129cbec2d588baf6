//! Evaluating expressions.
//!
//! An undefined value travels as [`Value::Undefined`]: attributes, filters and calls hand it on, operators
//! and conditions raise it. What is returned is never a template itself, though its parts may be.

use std::cmp::Ordering;
use std::sync::Arc;

use super::access::{attribute, hashable, listed, subscript};
use super::ast::{Apply, Arg, Comparison, Expr, Kind, Slice};
use super::interp::{Interp, NO_ELSE, read};
use super::table::Entry;
use super::{Context, context, filters, finalize, functions, methods, names, python_format, tests};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Operator, Value};

/// The filters that may answer otherwise next time.
const MOODY_FILTERS: [&str; 4] = ["random", "shuffle", "password_hash", "strftime"];

/// Evaluated arguments.
pub(super) struct Arguments {
    pub positional: Vec<Value>,
    pub named: Dict,
}

impl Arguments {
    /// The first that is undefined.
    fn undefined(&self) -> Option<&Value> {
        self.positional.iter().chain(self.named.values()).find(|value| value.is_undefined())
    }
}

impl Interp<'_> {
    pub fn eval(&mut self, expr: &Expr) -> Result<Value> {
        self.check_stack()?;
        match &expr.kind {
            Kind::Const(value) => Ok(value.clone()),
            Kind::Name(name) => self.name(name),
            Kind::Attr(base, name) => {
                let base = self.base(base)?;
                self.read(attribute(&base, name), name)
            }
            Kind::Item(base, key) => self.item(base, key),
            Kind::Filter(subject, apply) => self.filter(subject, apply),
            Kind::Test(subject, apply) => self.test(subject, apply),
            Kind::Call(callee, args) => self.call(expr, callee, args),
            Kind::Compare(first, rest) => self.compare(first, rest, expr),
            Kind::Binary(first, rest) => self.binary(first, rest, expr),
            Kind::And(parts) => self.logic(parts, false),
            Kind::Or(parts) => self.logic(parts, true),
            Kind::Not(part) => Ok(Value::Bool(!self.truth(part)?)),
            Kind::Negate(part) => {
                let value = self.eval(part)?;
                self.defined(value, part)?.negate().map_err(|error| self.fault(error, expr.span))
            }
            Kind::Plus(part) => {
                let value = self.eval(part)?;
                self.defined(value, part)?.positive().map_err(|error| self.fault(error, expr.span))
            }
            Kind::If(choice) => {
                if self.truth(&choice.test)? {
                    self.eval(&choice.yes)
                } else if let Some(no) = &choice.no {
                    self.eval(no)
                } else {
                    Ok(Value::undefined(NO_ELSE))
                }
            }
            Kind::Slice(slice) => self.slice(slice, expr),
            Kind::List(items) => Ok(Value::list(self.all(items)?)),
            Kind::Tuple(items) => Ok(Value::Tuple(Arc::new(self.all(items)?))),
            Kind::Dict(entries) => self.dict(entries),
            Kind::Nested(template) => {
                let value = read(Value::Template(Arc::clone(template)), template.source(), self.cx);
                value.map_err(|error| self.placed(error, expr.span))
            }
        }
    }

    /// Python's truth of an expression; undefined raises.
    pub fn truth(&mut self, expr: &Expr) -> Result<bool> {
        let value = self.eval(expr)?;
        Ok(self.defined(value, expr)?.is_truthy())
    }

    /// Renders a part that was just read.
    fn read(&self, value: Value, name: &Arc<str>) -> Result<Value> {
        match value {
            Value::Template(_) | Value::Vault(_) => read(value, name, self.cx),
            other => Ok(other),
        }
    }

    pub fn name(&mut self, name: &Arc<str>) -> Result<Value> {
        if let Some(value) = self.scope.get(name) {
            return self.read(value, name);
        }
        if self.scope.sees_variables
            && let Some(value) = self.cx.names.get(name)
        {
            return self.read(value, name);
        }
        Ok(match functions::global(name) {
            Some(value) => value,
            None => Value::undefined(format!("'{name}' is undefined")),
        })
    }

    /// The value a part is taken from.
    fn base(&mut self, expr: &Expr) -> Result<Value> {
        let value = self.eval(expr)?;
        match &value {
            Value::Undefined(undefined) if undefined.message == NO_ELSE => Err(self.fault(
                Diagnostic::new(
                    "the inline if-expression evaluated to false and no else section was defined.",
                ),
                expr.span,
            )),
            _ => Ok(value),
        }
    }

    fn item(&mut self, base: &Expr, key: &Expr) -> Result<Value> {
        let base = self.base(base)?;
        if base.is_undefined() {
            return Ok(base);
        }
        let key_value = self.eval(key)?;
        let key_value = self.defined(key_value, key)?;
        let part = subscript(&base, &key_value);
        match &part {
            Value::Template(template) => {
                let name =
                    Arc::clone(key_value.as_str().map(Arc::from).as_ref().unwrap_or(template.source()));
                self.read(part, &name)
            }
            Value::Vault(_) => self.read(part, &Arc::from("vaulted text")),
            _ => Ok(part),
        }
    }

    fn all(&mut self, items: &[Expr]) -> Result<Vec<Value>> {
        items.iter().map(|item| self.eval(item)).collect()
    }

    fn dict(&mut self, entries: &[(Expr, Expr)]) -> Result<Value> {
        let mut dict = Dict::new();
        for (key, value) in entries {
            let key_value = self.eval(key)?;
            let key_value = self.defined(key_value, key)?;
            if let Value::List(_) | Value::Tuple(_) | Value::Dict(_) = key_value {
                let error = Diagnostic::new(format!("unhashable type: '{}'", key_value.type_name()));
                return Err(self.fault(error, key.span));
            }
            dict.insert(key_value, self.eval(value)?);
        }
        Ok(Value::dict(dict))
    }

    fn slice(&mut self, slice: &Slice, expr: &Expr) -> Result<Value> {
        let subject = self.base(&slice.subject)?;
        if subject.is_undefined() {
            return Ok(subject);
        }
        let mut bounds = [None; 3];
        for (bound, part) in bounds.iter_mut().zip([&slice.start, &slice.stop, &slice.step]) {
            let Some(part) = part else { continue };
            let value = self.eval(part)?;
            *bound = match self.defined(value, part)? {
                Value::None => None,
                value @ (Value::Int(_) | Value::Bool(_)) => value.as_int(),
                Value::BigInt(_) => Some(i64::MAX),
                _ => {
                    let error = "slice indices must be integers or None or have an __index__ method";
                    return Err(self.fault(Diagnostic::new(error), part.span));
                }
            };
        }
        let [start, stop, step] = bounds;
        listed(subject).slice(start, stop, step).map_err(|error| self.fault(error, expr.span))
    }

    /// `and` stops at the first false, `or` at the first true; the last operand is given as it is.
    fn logic(&mut self, parts: &[Expr], stop_at: bool) -> Result<Value> {
        let mut last = Value::None;
        for (place, part) in parts.iter().enumerate() {
            last = self.eval(part)?;
            if place + 1 < parts.len() {
                last = self.defined(last, part)?;
                if last.is_truthy() == stop_at {
                    break;
                }
            }
        }
        Ok(last)
    }

    /// An operand as it is: its parts are rendered as far as the comparison needs them.
    fn operand(&mut self, expr: &Expr) -> Result<Value> {
        let value = self.eval(expr)?;
        Ok(listed(self.defined(value, expr)?))
    }

    fn compare(&mut self, first: &Expr, rest: &[(Comparison, Expr)], expr: &Expr) -> Result<Value> {
        let mut left = self.operand(first)?;
        for (comparison, right) in rest {
            let right = self.operand(right)?;
            let holds = compared(&left, *comparison, &right, self.cx);
            if !holds.map_err(|error| self.fault_of_call(error, expr))? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    fn binary(&mut self, first: &Expr, rest: &[(Operator, Expr)], expr: &Expr) -> Result<Value> {
        let value = self.eval(first)?;
        let mut left = listed(self.defined(value, first)?);
        for (operator, right_expr) in rest {
            let value = self.eval(right_expr)?;
            let right = listed(self.defined(value, right_expr)?);
            left = match (operator, &left) {
                (Operator::Concat, _) => {
                    let mut text = self.text(&left, first)?;
                    text.push_str(&self.text(&right, right_expr)?);
                    Ok(Value::from(text))
                }
                (Operator::Rem, Value::Str(format)) => finalize::resolve_deep(&right, self.cx)
                    .and_then(|right| python_format::percent(format, &right))
                    .map(Value::from),
                _ => left.operate(*operator, &right),
            }
            .map_err(|error| self.fault(error, expr.span))?;
        }
        Ok(left)
    }

    /// `str()` with every part rendered; nothing for an `if` without `else`.
    fn text(&self, value: &Value, expr: &Expr) -> Result<String> {
        match value {
            Value::Undefined(_) => Ok(String::new()),
            Value::List(_) | Value::Tuple(_) | Value::Dict(_) => {
                let value =
                    finalize::resolve_deep(value, self.cx).map_err(|error| self.placed(error, expr.span))?;
                Ok(value.to_string())
            }
            other => Ok(other.to_string()),
        }
    }

    pub fn arguments(&mut self, args: &[Arg]) -> Result<Arguments> {
        let mut positional = Vec::with_capacity(args.len());
        let mut named = Dict::new();
        for arg in args {
            match arg {
                Arg::Positional(expr) => positional.push(self.eval(expr)?),
                Arg::Named(name, expr) => {
                    named.insert(Value::Str(Arc::clone(name)), self.eval(expr)?);
                }
                Arg::Items(expr) => {
                    let items = self.eval(expr)?;
                    let items = self.defined(items, expr)?;
                    let items =
                        super::iterate(&items, self.cx).map_err(|error| self.fault(error, expr.span))?;
                    positional.extend(items);
                }
                Arg::Entries(expr) => {
                    let entries = self.eval(expr)?;
                    match self.defined(entries, expr)? {
                        Value::Dict(entries) => {
                            named.extend(entries.iter().map(|(key, value)| (key.clone(), value.clone())));
                        }
                        other => {
                            let error =
                                format!("argument after ** must be a mapping, not {}", other.type_name());
                            return Err(self.fault(Diagnostic::new(error), expr.span));
                        }
                    }
                }
            }
        }
        Ok(Arguments { positional, named })
    }

    fn filter(&mut self, subject: &Expr, apply: &Apply) -> Result<Value> {
        let entry = self.filter_of(apply)?;
        let value = match entry.sees_vaults.then(|| self.vaulted(subject)).transpose()?.flatten() {
            Some(vaulted) => vaulted,
            None => self.eval(subject)?,
        };
        self.call_filter(entry, value, apply)
    }

    pub fn apply_filter(&mut self, subject: Value, apply: &Apply) -> Result<Value> {
        self.call_filter(self.filter_of(apply)?, subject, apply)
    }

    fn filter_of(&self, apply: &Apply) -> Result<&'static Entry<Value>> {
        let entry = filters::TABLE.find(&apply.name);
        entry.ok_or_else(|| self.unknown("filter", apply, filters::TABLE.names()))
    }

    fn call_filter(&mut self, entry: &'static Entry<Value>, subject: Value, apply: &Apply) -> Result<Value> {
        let args = self.arguments(&apply.args)?;
        if MOODY_FILTERS.contains(&entry.name) {
            context::note_mood();
        }
        let subject = listed(subject);
        filters::TABLE
            .call(entry, &subject, &args.positional, &args.named, self.cx)
            .map_err(|error| self.placed(error, apply.span))
    }

    fn test(&mut self, subject: &Expr, apply: &Apply) -> Result<Value> {
        let Some(entry) = tests::TABLE.find(&apply.name) else {
            return Err(self.unknown("test", apply, tests::TABLE.names()));
        };
        let value = match entry.sees_vaults.then(|| self.vaulted(subject)).transpose()?.flatten() {
            Some(vaulted) => vaulted,
            None => listed(self.eval(subject)?),
        };
        let args = self.arguments(&apply.args)?;
        tests::TABLE
            .call(entry, &value, &args.positional, &args.named, self.cx)
            .map_err(|error| self.placed(error, apply.span))
    }

    /// What a variable or a part of one holds when that stands under `!vault`.
    fn vaulted(&mut self, expr: &Expr) -> Result<Option<Value>> {
        let value = match &expr.kind {
            Kind::Name(name) => self.scope.get(name).or_else(|| self.cx.names.get(name)),
            Kind::Attr(base, name) => Some(attribute(&self.base(base)?, name)),
            Kind::Item(base, key) => Some(subscript(&self.base(base)?, &self.eval(key)?)),
            _ => None,
        };
        Ok(value.filter(|value| matches!(value, Value::Vault(_))))
    }

    /// Jinja finds these while compiling, so they read like syntax errors.
    fn unknown(&self, kind: &str, apply: &Apply, known: impl Iterator<Item = &'static str>) -> Diagnostic {
        let lead = match self.unit.mode {
            super::syntax::Mode::Expression => "Syntax error in expression",
            _ => "Syntax error in template",
        };
        self.placed(names::unknown(kind, &apply.name, known).context(lead), apply.span)
    }

    fn call(&mut self, expr: &Expr, callee: &Expr, args: &[Arg]) -> Result<Value> {
        let result = match &callee.kind {
            Kind::Attr(base, method) => return self.call_attribute(expr, base, method, args),
            Kind::Name(name) if &**name == "super" && !self.in_blocks.is_empty() => {
                return self.super_block(expr);
            }
            _ => {
                let function = self.base(callee)?;
                if function.is_undefined() {
                    return Ok(function);
                }
                let args = self.arguments(args)?;
                self.call_with(&function, args)
            }
        };
        result.map_err(|error| self.fault_of_call(error, expr))
    }

    fn call_attribute(&mut self, expr: &Expr, base: &Expr, method: &Arc<str>, args: &[Arg]) -> Result<Value> {
        if let Kind::Name(name) = &base.kind
            && &**name == "self"
            && self.scope.get("self").is_none()
        {
            return self.block_again(method, expr);
        }
        let subject = self.base(base)?;
        if subject.is_undefined() {
            return Ok(subject);
        }
        let arguments = self.arguments(args)?;
        let changes = methods::find(&subject, method).is_some_and(|method| method.changes);
        let result = if changes {
            match arguments.undefined() {
                Some(undefined) => Ok(undefined.clone()),
                None => self.change(base, subject, method, &arguments),
            }
        } else if methods::find(&subject, method).is_some() {
            self.call_method(&subject, method, arguments)
        } else if let Value::Object(object) = &subject
            && let Some(result) = object.call_method(method, &arguments.positional, &arguments.named)
        {
            result
        } else {
            let function = self.read(attribute(&subject, method), method)?;
            if function.is_undefined() {
                return Ok(function);
            }
            self.call_with(&function, arguments)
        };
        let value = result.map_err(|error| self.fault_of_call(error, expr))?;
        self.read(value, method)
    }

    /// A method of a plain value, which changes nothing.
    fn call_method(&mut self, subject: &Value, method: &str, arguments: Arguments) -> Result<Value> {
        if let Some(undefined) = arguments.undefined() {
            return Ok(undefined.clone());
        }
        let Arguments { mut positional, named } = arguments;
        if let (Value::Dict(_), "items" | "values") = (subject, method) {
            return match finalize::resolve_parts(subject, self.cx) {
                Ok(rendered) => methods::call(&rendered, method, &positional, &named),
                Err(error) if error.is_undefined() => Ok(Value::from(error)),
                Err(error) => Err(error),
            };
        }
        if let Value::Str(_) = subject {
            for argument in &mut positional {
                *argument = finalize::resolve_deep(&listed(argument.clone()), self.cx)?;
            }
        }
        methods::call(subject, method, &positional, &named)
    }

    fn call_with(&mut self, function: &Value, arguments: Arguments) -> Result<Value> {
        if let Some(undefined) = arguments.undefined()
            && !functions::takes_undefined(function)
        {
            return Ok(undefined.clone());
        }
        self.call_value(function, arguments.positional, arguments.named)
    }

    /// Errors of what was called inside are told already.
    fn fault_of_call(&self, error: Diagnostic, expr: &Expr) -> Diagnostic {
        let told = error.place().is_some()
            || [
                "Error rendering ",
                "Recursive loop ",
                "The lookup plugin ",
                "The filter plugin ",
                "Syntax error ",
            ]
            .iter()
            .any(|lead| error.message().starts_with(lead));
        if told { self.placed(error, expr.span) } else { self.fault(error, expr.span) }
    }
}

/// `left comparison right`.
fn compared(left: &Value, comparison: Comparison, right: &Value, cx: &Context<'_>) -> Result<bool> {
    let (symbol, holds): (&str, fn(Ordering) -> bool) = match comparison {
        Comparison::Eq => return equal(left, right, cx),
        Comparison::Ne => return equal(left, right, cx).map(|equal| !equal),
        Comparison::In => return contains(right, left, cx),
        Comparison::NotIn => return contains(right, left, cx).map(|found| !found),
        Comparison::Lt => ("<", Ordering::is_lt),
        Comparison::Le => ("<=", Ordering::is_le),
        Comparison::Gt => (">", Ordering::is_gt),
        Comparison::Ge => (">=", Ordering::is_ge),
    };
    let (left, right) = (finalize::resolve_deep(left, cx)?, finalize::resolve_deep(right, cx)?);
    Ok(left.partial_compare(&right, symbol)?.is_some_and(holds))
}

/// `==`, which looks no further than the first difference.
fn equal(left: &Value, right: &Value, cx: &Context<'_>) -> Result<bool> {
    match (left, right) {
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !equal_parts(a, b, cx)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Dict(a), Value::Dict(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, a) in a.iter() {
                match b.get_value(key) {
                    Some(b) if equal_parts(a, b, cx)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        _ => Ok(left == right),
    }
}

fn equal_parts(left: &Value, right: &Value, cx: &Context<'_>) -> Result<bool> {
    super::interp::check_stack()?;
    let (left, right) = (finalize::resolve(left, cx)?, finalize::resolve(right, cx)?);
    for part in [&left, &right] {
        if let Value::Undefined(undefined) = part {
            return Err(Diagnostic::undefined(undefined));
        }
    }
    equal(&left, &right, cx)
}

/// `item in container`, which looks no further than where it finds it.
fn contains(container: &Value, item: &Value, cx: &Context<'_>) -> Result<bool> {
    match container {
        Value::List(items) | Value::Tuple(items) => {
            for candidate in items.iter() {
                if equal_parts(candidate, item, cx)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Dict(_) if !hashable(item) => {
            Err(Diagnostic::new(format!("unhashable type: '{}'", item.type_name())))
        }
        other => other.contains(item),
    }
}
