//! Carrying out statements.

use std::sync::Arc;

use super::ast::{Apply, Expr, For, Kind, Macro, Stmt, Target};
use super::interp::{Interp, NO_ELSE};
use super::objects::{Loop, MacroObject, Module, downcast};
use super::scope::Scope;
use super::syntax::Mode;
use super::{finalize, iterate};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};

/// What a template puts out: the parts, until it is known whether there is more than one.
#[derive(Default)]
pub(super) struct Output(Vec<Value>);

impl Output {
    /// Nothing leaves no trace.
    pub fn push(&mut self, value: Value) {
        if !value.is_none() {
            self.0.push(value);
        }
    }
}

impl Interp<'_> {
    /// Renders the whole template: a single value as it is, several as text, none as `None`.
    pub fn run(&mut self) -> Result<Value> {
        if self.unit.origin.source.is_empty() {
            return Ok(Value::from(""));
        }
        let output = self.run_body()?;
        let value = self.joined(output)?;
        Ok(match value {
            Value::Str(text) if self.unit.mode != Mode::Expression => {
                Value::Str(with_newlines(text, &self.unit.origin.source, &self.unit.syntax.newline_sequence))
            }
            other => other,
        })
    }

    /// One value from what was put out.
    pub fn joined(&self, output: Output) -> Result<Value> {
        let mut parts = output.0;
        if parts.len() < 2 {
            return Ok(parts.pop().unwrap_or(Value::None));
        }
        let mut text = String::new();
        for part in &parts {
            push_text(&mut text, part, self)?;
        }
        Ok(Value::from(text))
    }

    pub fn exec(&mut self, statements: &[Stmt], out: &mut Output) -> Result<()> {
        self.check_stack()?;
        for statement in statements {
            match statement {
                Stmt::Text(text) => {
                    if !self.silent {
                        out.push(Value::Str(Arc::clone(text)));
                    }
                }
                Stmt::Emit(expr) => {
                    if !self.silent {
                        let value = self.emitted(expr)?;
                        out.push(value);
                    }
                }
                Stmt::If { arms, otherwise } => self.exec_if(arms, otherwise, out)?,
                Stmt::For(node) => self.exec_for(node, out)?,
                Stmt::Set { target, value } => self.exec_set(target, value)?,
                Stmt::With { bindings, body } => self.exec_with(bindings, body, out)?,
                Stmt::SetBlock { target, filters, body } => {
                    let value = self.captured(body)?;
                    let value = self.filtered(value, filters)?;
                    self.assign(target, value)?;
                }
                Stmt::Filter { filters, body } => {
                    if !self.silent {
                        let value = self.captured(body)?;
                        let value = self.filtered(value, filters)?;
                        out.push(value);
                    }
                }
                Stmt::Scope(body) => {
                    let outer = self.enter();
                    let result = self.exec(body, out);
                    self.scope = outer;
                    result?;
                }
                Stmt::Macro(definition) => {
                    let value = self.macro_value(definition);
                    self.scope.set(&definition.name, value);
                }
                Stmt::Call { call, caller } => {
                    if !self.silent {
                        let value = self.exec_call(call, caller)?;
                        out.push(value);
                    }
                }
                Stmt::Block(block) => self.exec_block(block, out)?,
                Stmt::Extends(name) => self.exec_extends(name)?,
                Stmt::Include { name, ignore_missing, with_context } => {
                    self.exec_include(name, *ignore_missing, *with_context, out)?;
                }
                Stmt::Import { name, binding, with_context } => {
                    let module = self.import(name, *with_context)?;
                    self.scope.set(binding, module);
                }
                Stmt::FromImport { name, names, with_context } => {
                    self.exec_from_import(name, names, *with_context)?;
                }
            }
        }
        Ok(())
    }

    /// Opens a level of names; gives back the one to return to.
    pub fn enter(&mut self) -> Arc<Scope> {
        let inner = Scope::child(&self.scope);
        std::mem::replace(&mut self.scope, inner)
    }

    fn emitted(&mut self, expr: &Expr) -> Result<Value> {
        let value = self.eval(expr)?;
        Ok(match &value {
            // Told here, where the expression is known; a template that is nothing else hands it on.
            Value::Undefined(undefined) if undefined.message != NO_ELSE => {
                Value::from(self.raise(undefined, expr))
            }
            Value::Object(_) => match downcast::<Module>(&value) {
                Some(module) => module.body.clone(),
                None => value,
            },
            _ => value,
        })
    }

    /// What a body puts out, as a value.
    fn captured(&mut self, body: &[Stmt]) -> Result<Value> {
        let outer = self.enter();
        let silent = std::mem::replace(&mut self.silent, false);
        let mut out = Output::default();
        let result = self.exec(body, &mut out);
        self.silent = silent;
        self.scope = outer;
        result?;
        self.joined(out)
    }

    fn filtered(&mut self, value: Value, filters: &[Apply]) -> Result<Value> {
        filters.iter().try_fold(value, |value, filter| self.apply_filter(value, filter))
    }

    fn exec_if(&mut self, arms: &[(Expr, Vec<Stmt>)], otherwise: &[Stmt], out: &mut Output) -> Result<()> {
        for (test, body) in arms {
            if self.truth(test)? {
                return self.exec(body, out);
            }
        }
        self.exec(otherwise, out)
    }

    fn exec_set(&mut self, target: &Target, expr: &Expr) -> Result<()> {
        let value = self.eval(expr)?;
        if let Target::Name(name) = target
            && let Value::List(_) | Value::Dict(_) = value
        {
            let origin = self.path_of(expr)?;
            self.scope.bind(name, value, origin);
            return Ok(());
        }
        self.assign(target, value)
    }

    fn exec_with(&mut self, bindings: &[(Target, Expr)], body: &[Stmt], out: &mut Output) -> Result<()> {
        let values: Vec<Value> = bindings.iter().map(|(_, expr)| self.eval(expr)).collect::<Result<_>>()?;
        let outer = self.enter();
        let result = bindings
            .iter()
            .zip(values)
            .try_for_each(|((target, _), value)| self.assign(target, value))
            .and_then(|()| self.exec(body, out));
        self.scope = outer;
        result
    }

    pub fn assign(&mut self, target: &Target, value: Value) -> Result<()> {
        match target {
            Target::Name(name) => {
                self.scope.set(name, value);
                Ok(())
            }
            Target::Attr(base, name, span) => {
                let object = self.eval(base)?;
                let set = match self.defined(object, base)? {
                    Value::Object(object) => object.set(name, value),
                    _ => false,
                };
                if set {
                    return Ok(());
                }
                Err(self.fault(Diagnostic::new("cannot assign attribute on non-namespace object"), *span))
            }
            Target::Tuple(targets, span) => {
                let parts =
                    unpacked(&value, targets.len(), self).map_err(|error| self.fault(error, *span))?;
                targets.iter().zip(parts).try_for_each(|(target, part)| self.assign(target, part))
            }
        }
    }

    fn exec_for(&mut self, node: &Arc<For>, out: &mut Output) -> Result<()> {
        let items = self.eval(&node.items)?;
        let items = self.defined(items, &node.items)?;
        let origin = match items {
            Value::List(_) => self.path_of(&node.items)?,
            _ => None,
        };
        let items = match items {
            Value::List(items) | Value::Tuple(items) => items,
            other => Arc::new(iterate(&other, self.cx).map_err(|error| self.fault(error, node.items.span))?),
        };
        self.turns(node, items, origin.as_ref(), 0, out)
    }

    /// The turns of a loop over what is left by its condition.
    fn turns(
        &mut self,
        node: &Arc<For>,
        items: Arc<Vec<Value>>,
        origin: Option<&super::mutate::Path>,
        depth: usize,
        out: &mut Output,
    ) -> Result<()> {
        let outer = Arc::clone(&self.scope);
        let result = self.turns_inside(node, items, origin, depth, out, &outer);
        self.scope = outer;
        result
    }

    fn turns_inside(
        &mut self,
        node: &Arc<For>,
        mut items: Arc<Vec<Value>>,
        origin: Option<&super::mutate::Path>,
        depth: usize,
        out: &mut Output,
        outer: &Arc<Scope>,
    ) -> Result<()> {
        if let Some(condition) = &node.condition {
            let mut kept = Vec::new();
            for item in items.iter() {
                self.scope = Scope::child(outer);
                self.assign(&node.target, self.item_of_loop(item, node)?)?;
                if self.truth(condition)? {
                    kept.push(item.clone());
                }
            }
            self.scope = Arc::clone(outer);
            items = Arc::new(kept);
        }
        if items.is_empty() {
            self.scope = Scope::child(outer);
            return self.exec(&node.otherwise, out);
        }
        let again = node.recursive.then(|| (Arc::clone(node), Arc::downgrade(outer)));
        let state = Arc::new(Loop::new(Arc::clone(&items), depth, again));
        let name: Arc<str> = Arc::from("loop");
        for (position, item) in items.iter().enumerate() {
            state.advance_to(position);
            self.scope = Scope::child(outer);
            let item = self.item_of_loop(item, node)?;
            match (&node.target, origin, &item) {
                (Target::Name(target), Some(origin), Value::List(_) | Value::Dict(_))
                    if node.condition.is_none() =>
                {
                    let place = i64::try_from(position).unwrap_or(i64::MAX);
                    self.scope.bind(target, item, Some(origin.step(Value::Int(place))));
                }
                _ => self.assign(&node.target, item)?,
            }
            self.scope.set(&name, Value::Object(Arc::clone(&state) as Arc<_>));
            self.exec(&node.body, out)?;
        }
        Ok(())
    }

    fn item_of_loop(&self, item: &Value, node: &For) -> Result<Value> {
        match item {
            Value::Template(_) | Value::Vault(_) => {
                super::resolve(item, self.cx).map_err(|error| self.placed(error, node.items.span))
            }
            other => Ok(other.clone()),
        }
    }

    /// `loop(items)` in a recursive loop.
    pub fn loop_again(&mut self, current: &Loop, args: &[Value]) -> Result<Value> {
        let (Some((node, scope)), [items]) = (&current.again, args) else {
            return Err(Diagnostic::new(
                "The loop must have the 'recursive' marker to be called, with what to loop over.",
            ));
        };
        let Some(scope) = scope.upgrade() else {
            return Err(Diagnostic::new("the loop is over"));
        };
        let items = Arc::new(iterate(items, self.cx)?);
        let outer = std::mem::replace(&mut self.scope, scope);
        let mut out = Output::default();
        let result = self.turns(node, items, None, current.depth + 1, &mut out);
        self.scope = outer;
        result?;
        self.joined(out)
    }

    pub fn macro_value(&self, definition: &Arc<Macro>) -> Value {
        Value::Object(Arc::new(MacroObject {
            definition: Arc::clone(definition),
            scope: Arc::downgrade(&self.scope),
            unit: Arc::clone(&self.unit),
        }))
    }

    /// `{% call macro() %}body{% endcall %}`.
    fn exec_call(&mut self, call: &Expr, caller: &Arc<Macro>) -> Result<Value> {
        let Kind::Call(callee, args) = &call.kind else { return self.eval(call) };
        let function = self.eval(callee)?;
        let function = self.defined(function, callee)?;
        let mut arguments = self.arguments(args)?;
        arguments.named.insert("caller", self.macro_value(caller));
        self.call_value(&function, arguments.positional, arguments.named)
            .map_err(|error| if error.place().is_some() { error } else { self.fault(error, call.span) })
    }

    pub fn call_macro(&mut self, function: &Value, positional: Vec<Value>, mut named: Dict) -> Result<Value> {
        let Some(function) = downcast::<MacroObject>(function) else {
            return Err(Diagnostic::new("not a macro"));
        };
        self.check_stack()?;
        let definition = Arc::clone(&function.definition);
        let Some(scope) = function.scope.upgrade() else {
            return Err(Diagnostic::new(format!("macro '{}' outlived its template", definition.name)));
        };
        let inner = Scope::child(&scope);
        let caller = named.remove("caller");
        let name = &definition.name;
        let mut positional = positional.into_iter();
        let mut missing = Vec::new();
        for (param, default) in &definition.params {
            match positional.next() {
                Some(value) => inner.set(param, value),
                None => match named.remove(param) {
                    Some(value) => inner.set(param, value),
                    None => missing.push((param, default)),
                },
            }
        }
        let rest: Vec<Value> = positional.collect();
        if definition.reads_varargs {
            inner.set(&Arc::from("varargs"), Value::Tuple(Arc::new(rest)));
        } else if !rest.is_empty() {
            return Err(Diagnostic::new(format!(
                "macro '{name}' takes not more than {} argument(s)",
                definition.params.len()
            )));
        }
        if definition.reads_kwargs {
            inner.set(&Arc::from("kwargs"), Value::dict(named));
        } else if let Some(key) = named.keys().next() {
            return Err(Diagnostic::new(format!("macro '{name}' takes no keyword argument {}", key.repr())));
        }
        match caller {
            Some(caller) if definition.reads_caller => inner.set(&Arc::from("caller"), caller),
            Some(_) => {
                return Err(Diagnostic::new(format!(
                    "macro '{name}' was invoked with two values for the special caller argument. This is most \
                     likely a bug."
                ))
                .hint("The macro never calls caller(), so it cannot be used with {% call %}."));
            }
            None if definition.reads_caller => {
                inner.set(&Arc::from("caller"), Value::undefined("No caller defined"));
            }
            None => {}
        }
        let outer_scope = std::mem::replace(&mut self.scope, inner);
        let outer_unit = std::mem::replace(&mut self.unit, Arc::clone(&function.unit));
        let silent = std::mem::replace(&mut self.silent, false);
        let mut out = Output::default();
        let result = missing
            .into_iter()
            .try_for_each(|(param, default)| {
                let value = match default {
                    Some(default) => self.eval(default)?,
                    None => Value::undefined(format!("parameter '{param}' was not provided")),
                };
                self.scope.set(param, value);
                Ok(())
            })
            .and_then(|()| self.exec(&definition.body, &mut out))
            .and_then(|()| self.joined(out));
        self.silent = silent;
        self.unit = outer_unit;
        self.scope = outer_scope;
        result
    }
}

fn push_text(text: &mut String, part: &Value, interp: &Interp<'_>) -> Result<()> {
    use std::fmt::Write;
    match part {
        Value::Str(part) => text.push_str(part),
        Value::Undefined(undefined) if undefined.message == NO_ELSE => {}
        Value::Undefined(undefined) => return Err(Diagnostic::undefined(undefined)),
        Value::None | Value::Omit => {}
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) => {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}", finalize::render_all(part, interp.cx)?);
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
    Ok(())
}

/// The parts of a value for so many targets.
fn unpacked(value: &Value, count: usize, interp: &Interp<'_>) -> Result<Vec<Value>> {
    if let Value::Undefined(undefined) = value {
        return Err(Diagnostic::undefined(undefined));
    }
    let parts = iterate(value, interp.cx).map_err(|error| {
        if error.is_undefined() {
            return error;
        }
        Diagnostic::new(format!("cannot unpack non-iterable {} object", value.type_name()))
    })?;
    match parts.len() {
        given if given < count => {
            Err(Diagnostic::new(format!("not enough values to unpack (expected {count}, got {given})")))
        }
        given if given > count => {
            Err(Diagnostic::new(format!("too many values to unpack (expected {count})")))
        }
        _ => parts.iter().map(|part| super::resolve(part, interp.cx)).collect(),
    }
}

/// Jinja drops the last newline of a template; Ansible puts back those of the source.
fn with_newlines(text: Arc<str>, source: &str, newline: &str) -> Arc<str> {
    let count = |text: &str, newline: &str| {
        let mut rest = text;
        let mut count = 0;
        while let Some(shorter) = rest.strip_suffix(newline) {
            rest = shorter;
            count += 1;
        }
        count
    };
    let (wanted, present) = (count(source, "\n"), count(&text, newline));
    if wanted > present { format!("{text}{}", newline.repeat(wanted - present)).into() } else { text }
}
