//! The one value type of the control node.
//!
//! YAML files, inventories, facts, task results and templates all speak [`Value`]. It behaves as
//! Python's objects do where a playbook can tell the difference: `1 == True == 1.0`, big integers,
//! `repr` of strings, ordered dicts with keys of any scalar type.
//!
//! Values are immutable and cheap to clone (at most one atomic increment). A string that came from
//! the user's own files and holds `{{`, `{%` or `{#` is a [`Value::Template`]: a leaf that is
//! rendered when something reads it, never before. Text from targets is always [`Value::Str`] and so
//! is never rendered.

mod boolean;
mod compare;
mod dict;
pub mod dumps;
mod json;
mod number;
mod ops;
mod order;
mod slice;
mod text;

use std::any::Any;
use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use num_bigint::BigInt;

pub use dict::Dict;
pub use ops::Operator;
pub use slice::{index, positions};
pub use text::split_lines;

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::template::Template;
use crate::vault;

/// A value as a playbook sees it.
#[derive(Clone)]
pub enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// An integer outside `i64`; never one that would fit.
    BigInt(Arc<BigInt>),
    Float(f64),
    Str(Arc<str>),
    /// Python's tuple: only inside an expression. Whatever leaves a template is a list.
    Tuple(Arc<Vec<Value>>),
    List(Arc<Vec<Value>>),
    Dict(Arc<Dict>),
    /// Trusted text with template marks, rendered when read.
    Template(Arc<Template>),
    /// Text under `!vault`, decrypted when read.
    Vault(Arc<Vaulted>),
    /// The absence of a value, with what was asked for: reading it raises, `is defined` does not.
    Undefined(Arc<Undefined>),
    /// Something that answers lazily or can be called: `hostvars`, `loop`, a macro, a namespace.
    Object(Arc<dyn Object>),
    /// Ansible's `omit`: the option or item that holds it is left out.
    Omit,
}

/// Ciphertext under `!vault`, as it stood in the file.
pub struct Vaulted {
    pub ciphertext: Arc<str>,
    pub place: Place,
    /// Decrypted at the first reading.
    plain: OnceLock<Arc<str>>,
}

impl Vaulted {
    pub fn new(ciphertext: impl Into<Arc<str>>, place: Place) -> Self {
        Self { ciphertext: ciphertext.into(), place, plain: OnceLock::new() }
    }

    /// The plain text: never a template, whatever it looks like.
    pub fn open(&self) -> Result<Arc<str>> {
        if let Some(plain) = self.plain.get() {
            return Ok(Arc::clone(plain));
        }
        let undecryptable =
            |error: Diagnostic| error.context("Attempt to use undecryptable variable").at(&self.place);
        let opened = vault::held().open(self.ciphertext.as_bytes()).map_err(undecryptable)?;
        let text = String::from_utf8(opened.text)
            .map_err(|_| undecryptable(Diagnostic::new("what was encrypted is not UTF-8 text")))?;
        Ok(Arc::clone(self.plain.get_or_init(|| text.into())))
    }
}

impl std::fmt::Debug for Vaulted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vaulted({})", self.place)
    }
}

/// What was looked for when nothing was found.
#[derive(Clone, Debug)]
pub struct Undefined {
    /// The whole sentence, as Ansible words it: `'foo' is undefined`.
    pub message: String,
    /// The error that made the value unusable, when it is more than an absent name.
    pub cause: Option<Box<Diagnostic>>,
    /// The value that lacks the part asked for, to say what it has instead.
    pub within: Option<Value>,
}

/// A value that computes its parts on demand. Every method has a sensible default.
pub trait Object: Send + Sync {
    /// The name of the type, as error messages show it.
    fn type_name(&self) -> &'static str;

    /// `object.key` and `object['key']`; `None` when there is no such key.
    fn get(&self, _key: &Value) -> Option<Value> {
        None
    }

    /// The keys when iterated as a mapping; `None` when the object is no mapping.
    fn keys(&self) -> Option<Vec<Value>> {
        None
    }

    /// Whether it has a mapping's methods besides its own: `keys()`, `items()`.
    fn is_mapping(&self) -> bool {
        false
    }

    /// `object(args…)`; `None` when the object cannot be called.
    fn call(&self, _args: &[Value], _kwargs: &Dict) -> Option<Result<Value, Diagnostic>> {
        None
    }

    /// `{% set object.key = value %}`; `false` when the object does not take attributes.
    fn set(&self, _key: &str, _value: Value) -> bool {
        false
    }

    /// `object.name(args…)`; `None` when there is no such method.
    fn call_method(&self, _name: &str, _args: &[Value], _kwargs: &Dict) -> Option<Result<Value, Diagnostic>> {
        None
    }

    /// `object operator other`, or `other operator object` when `reversed`; `None` when it is not supported.
    fn operate(
        &self,
        _operator: Operator,
        _other: &Value,
        _reversed: bool,
    ) -> Option<Result<Value, Diagnostic>> {
        None
    }

    /// How the object sorts against another value; `None` when it does not.
    fn compare(&self, _other: &Value) -> Option<Ordering> {
        None
    }

    /// `repr(object)`.
    fn repr(&self) -> String {
        format!("<{}>", self.type_name())
    }

    /// The text that stands for it in JSON.
    fn in_json(&self) -> String {
        self.repr()
    }

    /// The items when iterated as a sequence; `None` when the object is no sequence.
    fn items(&self) -> Option<Vec<Value>> {
        None
    }

    /// Whether the object is a value like any other, which may be stored: a date.
    fn is_data(&self) -> bool {
        false
    }

    /// The object itself, for code that knows its type.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }
}

impl Value {
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Self::Str(text.into())
    }

    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    pub fn dict(entries: Dict) -> Self {
        Self::Dict(Arc::new(entries))
    }

    pub fn undefined(message: impl Into<String>) -> Self {
        Self::Undefined(Arc::new(Undefined { message: message.into(), cause: None, within: None }))
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list or tuple.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) | Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Bool(flag) => Some(i64::from(*flag)),
            _ => None,
        }
    }

    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    /// Whether something in it has yet to be rendered, or computed.
    pub fn holds_template(&self) -> bool {
        match self {
            Self::Template(_) | Self::Vault(_) | Self::Object(_) => true,
            Self::List(items) | Self::Tuple(items) => items.iter().any(Self::holds_template),
            Self::Dict(entries) => {
                entries.iter().any(|(key, value)| key.holds_template() || value.holds_template())
            }
            _ => false,
        }
    }

    pub fn is_omit(&self) -> bool {
        matches!(self, Self::Omit)
    }

    /// Python's truth: empty, zero, `None` and undefined are false.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::None | Self::Undefined(_) => false,
            Self::Bool(flag) => *flag,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Tuple(items) | Self::List(items) => !items.is_empty(),
            Self::Dict(entries) => !entries.is_empty(),
            Self::Object(object) => {
                object.keys().or_else(|| object.items()).is_none_or(|parts| !parts.is_empty())
            }
            Self::BigInt(_) | Self::Template(_) | Self::Vault(_) | Self::Omit => true,
        }
    }

    /// The name of Python's type, for messages and `type_debug`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) | Self::Template(_) | Self::Vault(_) => "str",
            Self::Tuple(_) => "tuple",
            Self::List(_) => "list",
            Self::Dict(_) => "dict",
            Self::Undefined(_) => "Undefined",
            Self::Object(object) => object.type_name(),
            Self::Omit => "_OmitType",
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<usize> for Value {
    /// A length or an index.
    fn from(number: usize) -> Self {
        Self::from(number as i128)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::list(items)
    }
}

impl From<Diagnostic> for Value {
    /// The undefined value that raises this error when it is read.
    fn from(error: Diagnostic) -> Self {
        let message = error.message().to_owned();
        Self::Undefined(Arc::new(Undefined { message, cause: Some(Box::new(error)), within: None }))
    }
}

impl From<Dict> for Value {
    fn from(entries: Dict) -> Self {
        Self::dict(entries)
    }
}
