//! Ansible's loose typing: each kind says what it takes for what it needs.

use serde_json::{Map, Number, Value as Json};

use super::{ArgsError, Kind, OptionSpec};
use crate::kit::mode::Mode;

const TRUE: [&str; 6] = ["y", "yes", "on", "1", "true", "t"];
const FALSE: [&str; 6] = ["n", "no", "off", "0", "false", "f"];

/// `yes`, `on`, `true`, `y`, `t`, `1` and their opposites, in any case; `None` for other text.
pub fn boolean_word(text: &str) -> Option<bool> {
    let word = text.trim().to_lowercase();
    if TRUE.contains(&word.as_str()) {
        Some(true)
    } else if FALSE.contains(&word.as_str()) {
        Some(false)
    } else {
        None
    }
}

/// The key of a path that the worker expands (see [`expand_paths`]).
const EXPAND: &str = "$path";

impl OptionSpec {
    /// The value with the option's exact type.
    pub(super) fn coerce(&self, value: &Json) -> Result<Json, ArgsError> {
        let exact = coerce(&self.kind, value).map_err(|why| {
            let message = match (&self.kind, value) {
                (Kind::Mode, _) => format!("{}: {why}", self.name),
                _ => format!(
                    "argument '{}' is of type {} and we were unable to convert to {}: {why}",
                    self.name,
                    python_type(value),
                    self.kind.name()
                ),
            };
            ArgsError::new(message).on(&self.name)
        })?;
        self.choose(exact)
    }

    fn choose(&self, value: Json) -> Result<Json, ArgsError> {
        if self.choices.is_empty() {
            return Ok(value);
        }
        match value {
            Json::Array(items) => {
                items.into_iter().map(|item| self.choose_one(item)).collect::<Result<_, _>>().map(Json::Array)
            }
            one => self.choose_one(one),
        }
    }

    fn choose_one(&self, value: Json) -> Result<Json, ArgsError> {
        let Some(text) = value.as_str() else { return Ok(value) };
        if self.choices.iter().any(|choice| choice == text) {
            return Ok(value);
        }
        // YAML made a boolean of a choice such as `yes`, or a line break of a choice such as `\n`.
        let meant = match text {
            "\n" | "\r" | "\r\n" => {
                let escaped = text.escape_default().to_string();
                self.choices.iter().find(|choice| **choice == escaped)
            }
            "True" => self.choices.iter().find(|choice| TRUE.contains(&choice.as_str())),
            "False" => self.choices.iter().find(|choice| FALSE.contains(&choice.as_str())),
            _ => None,
        };
        if let Some(choice) = meant {
            return Ok(Json::String(choice.clone()));
        }
        let lead = if matches!(self.kind, Kind::List(_)) { "one or more of" } else { "one of" };
        let error = ArgsError::new(format!(
            "value of {} must be {lead}: {}, got: {text}",
            self.name,
            self.choices.join(", ")
        ))
        .on(&self.name);
        let near = self
            .choices
            .iter()
            .map(|choice| (strsim::damerau_levenshtein(text, choice), choice))
            .filter(|(distance, _)| *distance <= 2)
            .min();
        Err(match near {
            Some((_, choice)) => error.hint(format!("did you mean `{choice}`?")),
            None => error,
        })
    }
}

impl Kind {
    /// A value as this kind, or why it cannot be that.
    pub fn convert(&self, value: &Json) -> Result<Json, String> {
        coerce(self, value)
    }

    /// Ansible's name of the type.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Path | Self::Control => "path",
            Self::Mode | Self::Raw => "raw",
            Self::Bytes => "bytes",
            Self::Dict => "dict",
            Self::List(_) => "list",
        }
    }
}

fn coerce(kind: &Kind, value: &Json) -> Result<Json, String> {
    match kind {
        Kind::Raw => Ok(value.clone()),
        Kind::Str => Ok(Json::String(python_str(value))),
        Kind::Bool => boolean(value).map(Json::Bool),
        Kind::Int => integer(value).map(Json::Number),
        Kind::Float => float(value),
        Kind::Bytes => bytes(value),
        Kind::Mode => mode(value),
        Kind::Path => Ok(path(value)),
        Kind::Dict => dict(value).map(Json::Object),
        Kind::List(element) => {
            list(value)?.iter().map(|item| coerce(element, item)).collect::<Result<_, _>>().map(Json::Array)
        }
        Kind::Control => match value {
            Json::Object(_) => Ok(value.clone()),
            other => Ok(Json::String(python_str(other))),
        },
    }
}

fn boolean(value: &Json) -> Result<bool, String> {
    match value {
        Json::Bool(b) => return Ok(*b),
        Json::Number(n) if n.as_f64() == Some(1.0) => return Ok(true),
        Json::Number(n) if n.as_f64() == Some(0.0) => return Ok(false),
        Json::String(text) => {
            if let Some(meant) = boolean_word(text) {
                return Ok(meant);
            }
        }
        _ => {}
    }
    Err(format!(
        "The value {} is not a valid boolean. Valid booleans include: 0, 1, 'on', '0', '1', 'false', 'y', 'f', \
         'n', 'off', 'yes', 'no', 'true', 't'",
        python_repr(value)
    ))
}

fn integer(value: &Json) -> Result<Number, String> {
    let exact = match value {
        Json::Bool(b) => Some(i64::from(*b)),
        Json::Number(n) => match n.as_i64() {
            Some(i) => Some(i),
            None if n.is_u64() => return Ok(n.clone()),
            None => n.as_f64().and_then(whole),
        },
        Json::String(text) => text.trim().replace('_', "").parse().ok(),
        _ => None,
    };
    exact.map(Number::from).ok_or_else(|| format!("\"{}\" cannot be converted to an int", python_repr(value)))
}

/// A float without a fraction, as an integer.
fn whole(float: f64) -> Option<i64> {
    if float.fract() == 0.0 { format!("{float:.0}").parse().ok() } else { None }
}

fn float(value: &Json) -> Result<Json, String> {
    let exact = match value {
        Json::Number(n) => n.as_f64(),
        Json::Bool(b) => Some(f64::from(u8::from(*b))),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    exact
        .and_then(Number::from_f64)
        .map(Json::Number)
        .ok_or_else(|| format!("{} cannot be converted to a float", python_repr(value)))
}

/// `10`, `10M`, `1.5 GB`: in steps of 1024.
fn bytes(value: &Json) -> Result<Json, String> {
    let text = python_str(value);
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let shift = match unit.trim().trim_end_matches(['b', 'B']).to_uppercase().as_str() {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        "P" => 50,
        "E" => 60,
        _ => {
            return Err(format!(
                "{} is no size: expected a number and one of K, M, G, T",
                python_repr(value)
            ));
        }
    };
    let wrong = || format!("{} is no size: expected a number and one of K, M, G, T", python_repr(value));
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(1 << shift).map(Json::from).ok_or_else(wrong);
    }
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let scaled = format!("{:.0}", number * f64::powi(2.0, shift));
    scaled.parse::<u64>().map(Json::from).map_err(|_| wrong())
}

fn mode(value: &Json) -> Result<Json, String> {
    match value {
        Json::Number(n) => match n.as_u64().and_then(|n| u32::try_from(n).ok()) {
            Some(bits) if bits <= 0o7777 => Ok(Json::from(bits)),
            _ => Err(format!("{n} is no mode: write it as '0644' (in quotes) or 0644")),
        },
        other => {
            let text = python_str(other);
            text.parse::<Mode>().map(|mode| mode.to_json())
        }
    }
}

fn path(value: &Json) -> Json {
    let text = python_str(value);
    if text.starts_with('~') || text.contains('$') {
        Json::Object(Map::from_iter([(EXPAND.to_owned(), Json::String(text))]))
    } else {
        Json::String(text)
    }
}

fn list(value: &Json) -> Result<Vec<Json>, String> {
    match value {
        Json::Array(items) => Ok(items.clone()),
        Json::String(text) => Ok(text.split(',').map(|item| Json::from(item.trim())).collect()),
        Json::Number(_) | Json::Bool(_) => Ok(vec![Json::String(python_str(value))]),
        _ => Err(format!("<class '{}'> cannot be converted to a list", python_type(value))),
    }
}

/// A mapping, JSON text, or `a=1, b="x y"`.
fn dict(value: &Json) -> Result<Map<String, Json>, String> {
    let text = match value {
        Json::Object(map) => return Ok(map.clone()),
        Json::String(text) => text.trim(),
        _ => return Err(format!("<class '{}'> cannot be converted to a dict", python_type(value))),
    };
    if text.starts_with('{') {
        return serde_json::from_str(text)
            .map_err(|why| format!("unable to evaluate string as dictionary: {why}"));
    }
    let mut map = Map::new();
    for pair in fields(text) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err("dictionary requested, could not parse JSON or key=value".to_owned());
        };
        map.insert(key.trim().to_owned(), Json::from(value));
    }
    if map.is_empty() {
        Err("dictionary requested, could not parse JSON or key=value".to_owned())
    } else {
        Ok(map)
    }
}

/// Splits at commas and blanks that are not quoted; the quotes go.
fn fields(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quote = None;
    for c in text.chars() {
        let Some(last) = fields.last_mut() else { break };
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == ',' || c == ' ' => fields.push(String::new()),
            _ => last.push(c),
        }
    }
    fields.retain(|field| !field.is_empty());
    fields
}

/// Replaces the paths that [`Spec::normalise`](super::Spec::normalise) marked by what `expand` makes of them.
pub fn expand_paths<E>(value: &mut Json, expand: &mut dyn FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    match value {
        Json::Array(items) => items.iter_mut().try_for_each(|item| expand_paths(item, expand)),
        Json::Object(map) => {
            if map.len() == 1
                && let Some(Json::String(text)) = map.get(EXPAND)
            {
                *value = Json::String(expand(text)?);
                return Ok(());
            }
            map.values_mut().try_for_each(|item| expand_paths(item, expand))
        }
        _ => Ok(()),
    }
}

fn python_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(n) if n.is_f64() => "float",
        Json::Number(_) => "int",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}

/// `str(value)`.
pub(crate) fn python_str(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => python_repr(other),
    }
}

/// `repr(value)`.
pub(crate) fn python_repr(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(n) => n.to_string(),
        Json::String(text) => {
            let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
            let mut repr = String::from(quote);
            for c in text.chars() {
                match c {
                    '\n' => repr.push_str("\\n"),
                    '\t' => repr.push_str("\\t"),
                    '\r' => repr.push_str("\\r"),
                    c if c == quote || c == '\\' => {
                        repr.push('\\');
                        repr.push(c);
                    }
                    c => repr.push(c),
                }
            }
            repr.push(quote);
            repr
        }
        Json::Array(items) => {
            format!("[{}]", items.iter().map(python_repr).collect::<Vec<_>>().join(", "))
        }
        Json::Object(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| {
                    format!("{}: {}", python_repr(&Json::from(key.as_str())), python_repr(value))
                })
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}
