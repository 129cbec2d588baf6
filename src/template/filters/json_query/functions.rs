//! The functions of JMESPath.

use std::borrow::Cow;
use std::cmp::Ordering;

use jmespath::ast::Ast;
use num_traits::ToPrimitive;

use super::{is_number, search};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::dumps::{Style, dumps};
use crate::value::{Dict, Operator, Value};

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Array,
    Boolean,
    Expression,
    Null,
    Number,
    Object,
    Text,
    /// An array of nothing else.
    Numbers,
    Texts,
}

use Kind::{Array, Boolean, Expression, Null, Number, Numbers, Object, Text, Texts};

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Array => "array",
            Boolean => "boolean",
            Expression => "expref",
            Null => "null",
            Number => "number",
            Object => "object",
            Text => "string",
            Numbers => "array-number",
            Texts => "array-string",
        }
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Boolean,
            Value::List(_) | Value::Tuple(_) => Array,
            Value::Dict(_) => Object,
            Value::Str(_) => Text,
            value if is_number(value) => Number,
            _ => Null,
        }
    }
}

enum Argument<'a> {
    Value(Value),
    Expression(&'a Ast),
}

type Run = fn(&'static str, &[Argument<'_>]) -> Result<Value>;

/// Name, what each argument may be (nothing: anything), whether the last one may be repeated, and what is done.
type Function = (&'static str, &'static [&'static [Kind]], bool, Run);

const FUNCTIONS: &[Function] = &[
    ("abs", &[&[Number]], false, |_, args| {
        let number = value(args, 0);
        if number.compare(&Value::Int(0), "<")? == Ordering::Less {
            number.negate()
        } else {
            Ok(number.clone())
        }
    }),
    ("avg", &[&[Numbers]], false, |_, args| match items(args, 0) {
        [] => Ok(Value::None),
        numbers => sum(numbers)?.operate(Operator::Div, &Value::from(numbers.len())),
    }),
    ("ceil", &[&[Number]], false, |_, args| Ok(whole(value(args, 0), f64::ceil))),
    ("contains", &[&[Array, Text], &[]], false, |_, args| {
        value(args, 0).contains(value(args, 1)).map(Value::from)
    }),
    ("ends_with", &[&[Text], &[Text]], false, |_, args| Ok(text(args, 0).ends_with(text(args, 1)).into())),
    ("floor", &[&[Number]], false, |_, args| Ok(whole(value(args, 0), f64::floor))),
    ("join", &[&[Text], &[Texts]], false, |_, args| {
        let parts: Vec<&str> = items(args, 1).iter().filter_map(Value::as_str).collect();
        Ok(parts.join(text(args, 0)).into())
    }),
    ("keys", &[&[Object]], false, |_, args| Ok(Value::list(dict(args, 0).keys().cloned().collect()))),
    ("length", &[&[Text, Array, Object]], false, |_, args| {
        Ok(match value(args, 0) {
            Value::Str(text) => text.chars().count().into(),
            Value::Dict(dict) => dict.len().into(),
            list => list.as_list().map_or(0, <[Value]>::len).into(),
        })
    }),
    ("map", &[&[Expression], &[Array]], false, |_, args| {
        let found = items(args, 1).iter().map(|item| search_by(args, 0, item));
        found.collect::<Result<Vec<_>>>().map(Value::list)
    }),
    ("max", &[&[Numbers, Texts]], false, |_, args| most(items(args, 0), Ordering::Greater)),
    ("max_by", &[&[Array], &[Expression]], false, |name, args| most_by(name, args, Ordering::Greater)),
    ("merge", &[&[Object]], true, |_, args| {
        let mut merged = Dict::new();
        for at in 0..args.len() {
            for (key, value) in dict(args, at).iter() {
                merged.insert(key.clone(), value.clone());
            }
        }
        Ok(Value::dict(merged))
    }),
    ("min", &[&[Numbers, Texts]], false, |_, args| most(items(args, 0), Ordering::Less)),
    ("min_by", &[&[Array], &[Expression]], false, |name, args| most_by(name, args, Ordering::Less)),
    ("not_null", &[&[]], true, |_, args| {
        let first = (0..args.len()).map(|at| value(args, at)).find(|value| !value.is_none());
        Ok(first.cloned().unwrap_or(Value::None))
    }),
    ("reverse", &[&[Array, Text]], false, |_, args| {
        Ok(match value(args, 0) {
            Value::Str(text) => text.chars().rev().collect::<String>().into(),
            list => Value::list(list.as_list().unwrap_or_default().iter().rev().cloned().collect()),
        })
    }),
    ("sort", &[&[Texts, Numbers]], false, |_, args| {
        let mut sorted: Vec<(Value, Value)> =
            items(args, 0).iter().map(|item| (item.clone(), item.clone())).collect();
        sort(&mut sorted)
    }),
    ("sort_by", &[&[Array], &[Expression]], false, |name, args| sort(&mut keyed(name, args, None)?)),
    ("starts_with", &[&[Text], &[Text]], false, |_, args| {
        Ok(text(args, 0).starts_with(text(args, 1)).into())
    }),
    ("sum", &[&[Numbers]], false, |_, args| sum(items(args, 0))),
    ("to_array", &[&[]], false, |_, args| {
        let value = value(args, 0);
        Ok(if value.as_list().is_some() { value.clone() } else { Value::list(vec![value.clone()]) })
    }),
    ("to_number", &[&[]], false, |_, args| {
        Ok(match value(args, 0) {
            Value::Str(text) => number(text.trim()),
            value if is_number(value) => value.clone(),
            _ => Value::None,
        })
    }),
    ("to_string", &[&[]], false, |_, args| {
        Ok(match value(args, 0) {
            Value::Str(text) => Value::Str(text.clone()),
            value => dumps(value, &COMPACT).into(),
        })
    }),
    ("type", &[&[Text, Number, Boolean, Array, Object, Null]], false, |_, args| {
        Ok(Kind::of(value(args, 0)).name().into())
    }),
    ("values", &[&[Object]], false, |_, args| Ok(Value::list(dict(args, 0).values().cloned().collect()))),
];

static COMPACT: Style = Style {
    indent: None,
    item_separator: Cow::Borrowed(","),
    key_separator: Cow::Borrowed(":"),
    sort_keys: false,
    ascii: true,
};

/// Calls a function with the arguments that the expressions find in the value.
pub(super) fn call(name: &str, asts: &[Ast], value: &Value) -> Result<Value> {
    let known = FUNCTIONS.iter().find(|(known, ..)| *known == name);
    let (name, takes, repeats, run) =
        known.ok_or_else(|| Diagnostic::new(format!("Unknown function: {name}()")))?;
    if asts.len() < takes.len() || (asts.len() > takes.len() && !repeats) {
        let least = if *repeats { "at least " } else { "" };
        let plural = if takes.len() == 1 { "" } else { "s" };
        return Err(Diagnostic::new(format!(
            "Expected {least}{} argument{plural} for function {name}(), received {}",
            takes.len(),
            asts.len()
        )));
    }
    let mut args = Vec::with_capacity(asts.len());
    for (at, ast) in asts.iter().enumerate() {
        let kinds = takes.get(at).or(takes.last()).copied().unwrap_or_default();
        let arg = match ast {
            Ast::Expref { ast, .. } => Argument::Expression(ast),
            ast => Argument::Value(search(ast, value)?),
        };
        check(name, &arg, kinds)?;
        args.push(arg);
    }
    run(name, &args)
}

fn check(name: &str, arg: &Argument<'_>, kinds: &[Kind]) -> Result<()> {
    let value = match arg {
        Argument::Expression(_) if kinds.is_empty() || kinds.contains(&Expression) => return Ok(()),
        Argument::Expression(_) => return Err(wrong(name, "&", kinds, Expression.name())),
        Argument::Value(value) => value,
    };
    let kind = Kind::of(value);
    if kinds.is_empty() || kinds.contains(&kind) {
        return Ok(());
    }
    let Some(items) = value.as_list().filter(|_| kinds.contains(&Numbers) || kinds.contains(&Texts)) else {
        return Err(wrong(name, &value.to_string(), kinds, kind.name()));
    };
    // The first one says which it is to be.
    let wanted = match items.first().map(Kind::of) {
        Some(Text) if kinds.contains(&Texts) => Text,
        _ if kinds.contains(&Numbers) => Number,
        _ => Text,
    };
    match items.iter().find(|item| Kind::of(item) != wanted) {
        Some(other) => Err(wrong(name, &other.to_string(), kinds, other.type_name())),
        None => Ok(()),
    }
}

fn wrong(name: &str, value: &str, kinds: &[Kind], received: &str) -> Diagnostic {
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("'{}'", kind.name())).collect();
    let kinds = kinds.join(", ");
    Diagnostic::new(format!(
        "In function {name}(), invalid type for value: {value}, expected one of: [{kinds}], received: \"{received}\""
    ))
}

/// The argument at that place; they have been counted and looked at.
fn value<'a>(args: &'a [Argument<'_>], at: usize) -> &'a Value {
    match args.get(at) {
        Some(Argument::Value(value)) => value,
        _ => &Value::None,
    }
}

fn text<'a>(args: &'a [Argument<'_>], at: usize) -> &'a str {
    value(args, at).as_str().unwrap_or_default()
}

fn items<'a>(args: &'a [Argument<'_>], at: usize) -> &'a [Value] {
    value(args, at).as_list().unwrap_or_default()
}

fn dict<'a>(args: &'a [Argument<'_>], at: usize) -> Cow<'a, Dict> {
    value(args, at).as_dict().map_or_else(|| Cow::Owned(Dict::new()), Cow::Borrowed)
}

fn search_by(args: &[Argument<'_>], at: usize, item: &Value) -> Result<Value> {
    match args.get(at) {
        Some(Argument::Expression(ast)) => search(ast, item),
        _ => Ok(Value::None),
    }
}

fn sum(numbers: &[Value]) -> Result<Value> {
    numbers.iter().try_fold(Value::Int(0), |sum, number| sum.operate(Operator::Add, number))
}

fn whole(value: &Value, round: fn(f64) -> f64) -> Value {
    match value {
        Value::Float(number) => round(*number).to_i64().map_or_else(|| value.clone(), Value::Int),
        other => other.clone(),
    }
}

fn number(text: &str) -> Value {
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(number), _) => Value::Int(number),
        (_, Ok(number)) => Value::Float(number),
        _ => Value::None,
    }
}

/// The items of the first argument, each behind what the second finds in it: numbers, or texts. Where `any` is given, each may
/// be one of these; else they are all as the first.
fn keyed(name: &str, args: &[Argument<'_>], any: Option<&[Kind]>) -> Result<Vec<(Value, Value)>> {
    let mut keyed = Vec::new();
    let mut wanted: Option<Vec<Kind>> = any.map(<[Kind]>::to_vec);
    for item in items(args, 0) {
        let key = search_by(args, 1, item)?;
        let kind = Kind::of(&key);
        let allowed = wanted.get_or_insert_with(|| match kind {
            Number | Text => vec![kind],
            _ => vec![Text, Number],
        });
        if !allowed.contains(&kind) {
            return Err(wrong(name, &key.to_string(), allowed, kind.name()));
        }
        keyed.push((key, item.clone()));
    }
    Ok(keyed)
}

fn sort(keyed: &mut [(Value, Value)]) -> Result<Value> {
    let mut error = None;
    keyed.sort_by(|(a, _), (b, _)| {
        a.compare(b, "<").unwrap_or_else(|failed| {
            error.get_or_insert(failed);
            Ordering::Equal
        })
    });
    match error {
        Some(error) => Err(error),
        None => Ok(Value::list(keyed.iter().map(|(_, item)| item.clone()).collect())),
    }
}

fn most(items: &[Value], wanted: Ordering) -> Result<Value> {
    let keyed: Vec<_> = items.iter().map(|item| (item.clone(), item.clone())).collect();
    first_of(&keyed, wanted)
}

fn most_by(name: &str, args: &[Argument<'_>], wanted: Ordering) -> Result<Value> {
    first_of(&keyed(name, args, Some(&[Number, Text]))?, wanted)
}

/// The first of the greatest, or of the least.
fn first_of(keyed: &[(Value, Value)], wanted: Ordering) -> Result<Value> {
    let mut best: Option<&(Value, Value)> = None;
    for pair in keyed {
        let is_better = match best {
            Some((key, _)) => pair.0.compare(key, "<")? == wanted,
            None => true,
        };
        if is_better {
            best = Some(pair);
        }
    }
    Ok(best.map_or(Value::None, |(_, item)| item.clone()))
}
