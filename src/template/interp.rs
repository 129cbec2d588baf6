//! One rendering: the state that walks along while a template is evaluated.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::ast::{Block, Expr, Kind, Program, Span};
use super::locate::Origin;
use super::scope::Scope;
use super::syntax::Mode;
use super::syntax::Syntax;
use super::{Context, Template, context, functions};
use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;
use crate::value::{Undefined, Value};

/// A parsed template with where it stands.
pub(super) struct Unit {
    pub origin: Origin,
    pub program: Program,
    pub mode: Mode,
    pub syntax: Syntax,
}

/// What an `if` without `else` gives: nothing in text, an error where a value is needed.
pub(super) const NO_ELSE: &str = "Type 'Undefined' is unsupported for variable storage.";

/// How much stack a rendering may use, with all the renderings inside it. Threads have 2 MiB, and parsing
/// and the caller need their part.
const STACK_BUDGET: usize = 900 * 1024;

thread_local! {
    /// Where the stack stood when the outermost rendering began; 0 when there is none.
    static STACK_BASE: Cell<usize> = const { Cell::new(0) };
    /// The variables being rendered: template, variables it sees, name.
    static ACTIVE: RefCell<Vec<(usize, usize, Arc<str>)>> = const { RefCell::new(Vec::new()) };
}

/// A block with the template that defines it.
type Definition = (Arc<Unit>, Arc<Block>);

/// State of one rendering.
pub(super) struct Interp<'a> {
    pub cx: &'a Context<'a>,
    pub unit: Arc<Unit>,
    pub scope: Arc<Scope>,
    /// Scopes of imported templates, which their macros need.
    pub kept: Vec<Arc<Scope>>,
    /// Every definition of each block, the most derived first.
    pub blocks: Vec<(Arc<str>, Vec<Definition>)>,
    /// The blocks being rendered, with which definition.
    pub in_blocks: Vec<(Arc<str>, usize)>,
    /// The template to render instead, once `extends` was seen.
    pub parent: Option<Arc<Unit>>,
    /// After `extends`, what would be put out is not even evaluated.
    pub silent: bool,
    base: usize,
}

/// Marks the outermost rendering on this thread.
pub(super) struct StackMark {
    outermost: bool,
}

impl StackMark {
    pub fn new() -> Self {
        let outermost = STACK_BASE.get() == 0;
        if outermost {
            STACK_BASE.set(stack_position());
        }
        Self { outermost }
    }
}

impl Drop for StackMark {
    fn drop(&mut self) {
        if self.outermost {
            STACK_BASE.set(0);
        }
    }
}

#[inline(never)]
fn stack_position() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here).addr()
}

/// Whether more stack is in use than a rendering may take.
pub(super) fn check_stack() -> Result<()> {
    check_stack_from(STACK_BASE.get())
}

fn check_stack_from(base: usize) -> Result<()> {
    if base != 0 && base.abs_diff(stack_position()) > STACK_BUDGET {
        return Err(too_deep());
    }
    Ok(())
}

fn too_deep() -> Diagnostic {
    let chain = ACTIVE.with_borrow(|active| {
        active.iter().rev().take(8).map(|(.., name)| format!("'{name}'")).collect::<Vec<_>>()
    });
    let error = Diagnostic::new("Recursive loop detected in template: maximum recursion depth exceeded");
    if chain.is_empty() {
        return error;
    }
    error.hint(format!("While rendering {}.", chain.join(", needed by ")))
}

/// Marks a variable as being rendered.
struct Rendering;

impl Rendering {
    /// An error when it already is: the variable needs itself.
    fn enter(template: &Arc<Template>, cx: &Context<'_>, name: &Arc<str>) -> Result<Self> {
        let (template, variables) = (Arc::as_ptr(template).addr(), cx.identity());
        ACTIVE.with_borrow_mut(|active| {
            let seen = active.iter().position(|(t, v, _)| (*t, *v) == (template, variables));
            if let Some(start) = seen {
                let chain = active.iter().skip(start).map(|(.., name)| &**name).chain([&**name]);
                return Err(Diagnostic::new(format!(
                    "Recursive loop detected in template: {}",
                    chain.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(" needs ")
                )));
            }
            active.push((template, variables, Arc::clone(name)));
            Ok(Self)
        })
    }
}

impl Drop for Rendering {
    fn drop(&mut self) {
        ACTIVE.with_borrow_mut(Vec::pop);
    }
}

/// Renders a value that is a template or vaulted; any other is given back. The result may be undefined, and
/// its parts are as stored. `name` is what the user knows it by.
pub(super) fn read(value: Value, name: &Arc<str>, cx: &Context<'_>) -> Result<Value> {
    match value {
        Value::Template(template) => read_template(&template, name, cx),
        Value::Vault(vaulted) => vaulted.open().map(Value::Str),
        other => Ok(other),
    }
}

fn read_template(template: &Arc<Template>, name: &Arc<str>, cx: &Context<'_>) -> Result<Value> {
    if template.is_unsafe() {
        return Ok(Value::Str(Arc::clone(template.source())));
    }
    if let Some(value) = cx.recall(template) {
        return Ok(value);
    }
    let _mark = StackMark::new();
    check_stack()?;
    let _rendering = Rendering::enter(template, cx, name)
        .map_err(|error| template.place().map_or_else(|| error.clone(), |place| error.clone().at(place)))?;
    let moods = context::moods();
    let unit = template.unit()?;
    let value = match Interp::new(cx, Arc::clone(&unit)).run() {
        // What is undefined in there must be told at its own place, not at the reader's.
        Ok(Value::Undefined(undefined)) => {
            let span = Span { start: 0, end: super::scan::offset(unit.origin.source.len()) };
            Value::from(raised(&undefined, unit.origin.place(span).as_ref(), Vec::new))
        }
        Ok(value) => value,
        Err(error) if error.is_undefined() => Value::from(error),
        Err(error) => return Err(error),
    };
    if moods == context::moods() {
        cx.remember(template, &value);
    }
    Ok(value)
}

/// The error of reading an undefined value at that place.
fn raised(
    undefined: &Undefined,
    place: Option<&crate::diagnostic::Place>,
    names: impl FnOnce() -> Vec<Arc<str>>,
) -> Diagnostic {
    let told = undefined.cause.is_some();
    let mut error = Diagnostic::undefined(undefined);
    if let Some(place) = place {
        error = error.at(place);
    }
    if told {
        return error;
    }
    let hint = |near: Option<&str>| near.map(|name| format!("Did you mean '{name}'?"));
    let hint = match (&undefined.within, quoted(&undefined.message)) {
        (None, Some(name)) if undefined.message.ends_with("' is undefined") => {
            hint(nearest(name, names().iter().map(AsRef::as_ref)))
        }
        (Some(Value::Dict(entries)), Some(name)) => {
            hint(nearest(name, entries.keys().filter_map(Value::as_str)))
        }
        _ => None,
    };
    hint.into_iter().fold(error, Diagnostic::hint)
}

/// The last thing in single quotes.
fn quoted(message: &str) -> Option<&str> {
    let end = message.rfind('\'')?;
    let start = message.get(..end)?.rfind('\'')?;
    message.get(start + 1..end)
}

impl<'a> Interp<'a> {
    pub fn new(cx: &'a Context<'a>, unit: Arc<Unit>) -> Self {
        Self::in_scope(cx, unit, Scope::root(true))
    }

    pub fn in_scope(cx: &'a Context<'a>, unit: Arc<Unit>, scope: Arc<Scope>) -> Self {
        Self {
            cx,
            unit,
            scope,
            kept: Vec::new(),
            blocks: Vec::new(),
            in_blocks: Vec::new(),
            parent: None,
            silent: false,
            base: STACK_BASE.get(),
        }
    }

    /// An interpreter without a template, for calls from filters.
    pub fn bare(cx: &'a Context<'a>) -> Self {
        let unit = Unit {
            origin: Origin { source: Arc::from(""), place: None },
            program: Program { body: Vec::new(), blocks: Vec::new() },
            mode: Mode::Value,
            syntax: Syntax::default(),
        };
        Self::new(cx, Arc::new(unit))
    }

    pub fn check_stack(&self) -> Result<()> {
        check_stack_from(self.base)
    }

    /// An error of this template: with its place, and the lead that ansible-core gives it.
    pub fn fault(&self, error: Diagnostic, span: Span) -> Diagnostic {
        if error.is_undefined() {
            return self.placed(error, span);
        }
        let lead = match self.unit.mode {
            Mode::Expression => "Error rendering expression",
            Mode::Value | Mode::File => "Error rendering template",
        };
        self.placed(error.context(lead), span)
    }

    /// An error that already says what it is.
    pub fn placed(&self, error: Diagnostic, span: Span) -> Diagnostic {
        if error.place().is_some() {
            return error;
        }
        match self.unit.origin.place(span) {
            Some(place) => error.at(&place),
            None => error,
        }
    }

    /// The value itself, or the error of reading what is undefined. What an `if` without `else` gives
    /// passes: it is false and empty.
    pub fn defined(&self, value: Value, expr: &Expr) -> Result<Value> {
        match &value {
            Value::Undefined(undefined) if undefined.message != NO_ELSE => Err(self.raise(undefined, expr)),
            _ => Ok(value),
        }
    }

    /// The error of reading an undefined value that this expression gave.
    pub fn raise(&self, undefined: &Undefined, expr: &Expr) -> Diagnostic {
        let place = match undefined.cause {
            Some(_) => None,
            None => self.unit.origin.place(culprit(expr, &undefined.message).unwrap_or(expr.span)),
        };
        let error = raised(undefined, place.as_ref(), || {
            let mut names = self.scope.names();
            if self.scope.sees_variables {
                names.extend(self.cx.names.names());
            }
            names.extend(functions::NAMES.iter().map(|name| Arc::from(*name)));
            names
        });
        self.placed(error, expr.span)
    }
}

/// The part of an expression that an undefined value came from.
fn culprit(expr: &Expr, message: &str) -> Option<Span> {
    let within = |part: &Expr| culprit(part, message);
    match &expr.kind {
        Kind::Name(name) => (message == format!("'{name}' is undefined")).then_some(expr.span),
        Kind::Attr(base, name) => {
            within(base).or_else(|| message.ends_with(&format!("no attribute '{name}'")).then_some(expr.span))
        }
        Kind::Item(base, key) => within(base).or_else(|| within(key)).or_else(|| match &key.kind {
            Kind::Const(key) => message.ends_with(&key.repr()).then_some(expr.span),
            _ => Some(expr.span),
        }),
        Kind::Slice(slice) => within(&slice.subject),
        Kind::Not(part)
        | Kind::Negate(part)
        | Kind::Plus(part)
        | Kind::Filter(part, _)
        | Kind::Test(part, _) => within(part),
        Kind::Call(callee, _) => within(callee),
        Kind::Binary(first, rest) => within(first).or_else(|| rest.iter().find_map(|(_, part)| within(part))),
        Kind::Compare(first, rest) => {
            within(first).or_else(|| rest.iter().find_map(|(_, part)| within(part)))
        }
        Kind::And(parts) | Kind::Or(parts) | Kind::List(parts) | Kind::Tuple(parts) => {
            parts.iter().find_map(within)
        }
        Kind::Dict(entries) => entries.iter().find_map(|(key, value)| within(key).or_else(|| within(value))),
        Kind::If(choice) => within(&choice.test)
            .or_else(|| within(&choice.yes))
            .or_else(|| choice.no.as_ref().and_then(within)),
        Kind::Const(_) | Kind::Nested(_) => None,
    }
}
