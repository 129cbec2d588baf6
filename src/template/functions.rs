//! The functions every template knows.

use std::any::Any;
use std::sync::Arc;

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::access::listed;
use super::filters::dates;
use super::interp::Interp;
use super::methods::dict::pairs;
use super::objects::{Cycler, Joiner, Loop, MacroObject, Namespace, Range, TemplateReference, downcast};
use super::{Context, context, finalize, lookups};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Object, Value};

/// Their names, `omit` and `self` among them.
pub(super) const NAMES: [&str; 13] = [
    "cycler",
    "dict",
    "joiner",
    "lipsum",
    "lookup",
    "namespace",
    "now",
    "omit",
    "q",
    "query",
    "range",
    "self",
    "undef",
];

/// Whether templates know a function, or a name of their own, by that name.
pub fn is_function(name: &str) -> bool {
    NAMES.contains(&name)
}

/// What `undef()` says.
pub(super) const MANDATORY: &str = "Mandatory variable has not been overridden";

/// The value of a name that nobody else has bound.
pub(super) fn global(name: &str) -> Option<Value> {
    match name {
        "omit" => Some(Value::Omit),
        "self" => Some(Value::Object(Arc::new(TemplateReference))),
        _ => {
            let name = NAMES.iter().find(|known| **known == name)?;
            Some(Value::Object(Arc::new(Function(name))))
        }
    }
}

/// One of the functions.
struct Function(&'static str);

impl Object for Function {
    fn type_name(&self) -> &'static str {
        match self.0 {
            "cycler" | "dict" | "joiner" | "namespace" | "range" => "type",
            _ => "function",
        }
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }

    fn call(&self, args: &[Value], named: &Dict) -> Option<Result<Value>> {
        match self.0 {
            "lookup" | "query" | "q" => None,
            name => Some(run(name, args, named)),
        }
    }
}

/// Whether the function wants undefined arguments instead of handing them on.
pub(super) fn takes_undefined(function: &Value) -> bool {
    downcast::<MacroObject>(function).is_some()
        || downcast::<Loop>(function).is_some()
        || downcast::<Function>(function)
            .is_some_and(|function| matches!(function.0, "namespace" | "lookup" | "query" | "q"))
}

impl Interp<'_> {
    /// `function(positional…, named…)`.
    pub fn call_value(&mut self, function: &Value, positional: Vec<Value>, named: Dict) -> Result<Value> {
        if downcast::<MacroObject>(function).is_some() {
            return self.call_macro(function, positional, named);
        }
        if let Some(current) = downcast::<Loop>(function) {
            return self.loop_again(current, &positional);
        }
        if let Some(function) = downcast::<Function>(function)
            && matches!(function.0, "lookup" | "query" | "q")
        {
            return look_up(function.0, &positional, &named, self.cx);
        }
        let result = match function {
            Value::Object(object) => object.call(&positional, &named),
            _ => None,
        };
        result.unwrap_or_else(|| {
            Err(Diagnostic::new(format!("'{}' object is not callable", function.type_name())))
        })
    }
}

fn run(name: &str, args: &[Value], named: &Dict) -> Result<Value> {
    let object = |object: Arc<dyn Object>| Ok(Value::Object(object));
    match name {
        "range" => object(Arc::new(Range::new(args)?)),
        "dict" => Ok(Value::dict(mapping("dict", args, named)?)),
        "namespace" => object(Arc::new(Namespace::new(mapping("namespace", args, named)?))),
        "cycler" => object(Arc::new(Cycler::new(args.to_vec())?)),
        "joiner" => {
            let separator = args.first().or_else(|| named.get("sep"));
            object(Arc::new(Joiner::new(separator.cloned().unwrap_or_else(|| Value::from(", ")))))
        }
        "now" => now(args, named),
        "undef" => {
            let hint = args.first().or_else(|| named.get("hint")).and_then(Value::as_str);
            Ok(Value::undefined(hint.unwrap_or(MANDATORY)))
        }
        "lipsum" => Ok(Value::from(LIPSUM)),
        _ => Err(Diagnostic::new(format!("'{name}' cannot be called here"))),
    }
}

const LIPSUM: &str = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt \
    ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi \
    ut aliquip ex ea commodo consequat.";

/// What `dict()` and `namespace()` make of their arguments.
fn mapping(name: &str, args: &[Value], named: &Dict) -> Result<Dict> {
    if args.len() > 1 {
        return Err(Diagnostic::new(format!("{name} expected at most 1 argument, got {}", args.len())));
    }
    let mut entries = Dict::new();
    if let Some(source) = args.first() {
        entries.extend(pairs(source)?);
    }
    entries.extend(named.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(entries)
}

/// `now(utc=False, fmt=None)`: the time, as text when there is a format.
fn now(args: &[Value], named: &Dict) -> Result<Value> {
    context::note_mood();
    if let Some(unknown) = named.keys().find(|key| !matches!(key.as_str(), Some("utc" | "fmt"))) {
        return Err(Diagnostic::new(format!("now() got an unexpected keyword argument '{unknown}'")));
    }
    let utc = args.first().or_else(|| named.get("utc")).is_some_and(Value::is_truthy);
    match args.get(1).or_else(|| named.get("fmt")) {
        Some(Value::Str(format)) => {
            let now = Zoned::now();
            let now = if utc { now.with_time_zone(TimeZone::UTC) } else { now };
            dates::format(&now, format, false).map(Value::from)
        }
        None | Some(Value::None) => Ok(dates::now(utc)),
        Some(other) => Err(Diagnostic::new(format!("now(): fmt must be str, not {}", other.type_name()))),
    }
}

/// `lookup(name, terms…, options…)` and `query`.
fn look_up(function: &str, args: &[Value], named: &Dict, cx: &Context<'_>) -> Result<Value> {
    context::note_mood();
    let (name, terms) = match args.split_first() {
        Some((Value::Str(name), terms)) => (name, terms),
        Some((undefined @ Value::Undefined(_), _)) => return Ok(undefined.clone()),
        Some((other, _)) => {
            return Err(Diagnostic::new(format!(
                "{function}() needs the name of a lookup plugin, not {}",
                other.type_name()
            )));
        }
        None => return Err(Diagnostic::new(format!("{function}() needs the name of a lookup plugin"))),
    };
    let rendered = |value: &Value| finalize::resolve_deep(&listed(value.clone()), cx);
    let terms = match terms.iter().map(rendered).collect::<Result<Vec<_>>>() {
        Ok(terms) => terms,
        Err(error) if error.is_undefined() => return Ok(Value::from(error)),
        Err(error) => return Err(error),
    };
    let unusable =
        named.iter().find(|(key, value)| value.is_undefined() && !lookups::takes_undefined(name, key));
    if let Some((_, undefined)) = unusable {
        return Ok(undefined.clone());
    }
    let mut options = Dict::new();
    let (mut want_list, mut errors) = (function != "lookup", None);
    for (key, value) in named {
        match key.as_str() {
            Some("wantlist") => want_list |= value.is_truthy(),
            Some("errors") => errors = value.as_str().map(str::to_owned),
            _ if value.is_undefined() => {
                options.insert(key.clone(), value.clone());
            }
            _ => {
                options.insert(key.clone(), rendered(value)?);
            }
        }
    }
    let found = match lookups::apply(name, &terms, &options, cx) {
        Ok(found) => found,
        Err(error) if error.is_undefined() => return Ok(Value::from(error)),
        Err(error) => {
            match errors.as_deref() {
                Some("ignore") => {}
                Some("warn") => cx.warn(error.message()),
                None | Some("strict") => return Err(error),
                Some(other) => {
                    return Err(Diagnostic::new(format!(
                        "{function}(): errors must be 'strict', 'warn' or 'ignore', not '{other}'"
                    )));
                }
            }
            return Ok(if want_list { Value::list(Vec::new()) } else { Value::None });
        }
    };
    if want_list {
        return Ok(Value::list(found));
    }
    let texts: Option<Vec<&str>> = found.iter().map(Value::as_str).collect();
    Ok(match (found.as_slice(), texts) {
        ([only], _) => only.clone(),
        (_, Some(texts)) if !texts.is_empty() => Value::from(texts.join(",")),
        _ => Value::list(found),
    })
}
