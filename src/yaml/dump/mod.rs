//! Values as YAML text, byte for byte as PyYAML writes them with libyaml, which Ansible uses.

mod emitter;
mod scalar;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use emitter::Emitter;
pub use scalar::Style;

use crate::value::{Dict, Value};

/// How the text looks; the defaults are those of `ansible-inventory --yaml`.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the options of PyYAML's dump")]
pub struct DumpOptions {
    /// Columns a level.
    pub indent: usize,
    /// Where long strings are folded, in columns.
    pub width: usize,
    pub sort_keys: bool,
    /// Whether letters outside ASCII are written as they are.
    pub allow_unicode: bool,
    pub flow: Flow,
    /// Whether the document begins with `---`.
    pub explicit_start: bool,
    /// Whether the document ends with `...`.
    pub explicit_end: bool,
    /// How every scalar is written, where it can be written so.
    pub style: Option<Style>,
    /// Whether a list or mapping that stands in two places is written once, with an anchor.
    pub aliases: bool,
    /// Whether text of several lines is written as a `|` block, where PyYAML by itself would quote it.
    pub literal_blocks: bool,
    /// Whether every node has its tag and a line of its own, in brackets and double quotes.
    pub canonical: bool,
    /// The version of YAML that the document names.
    pub version: Option<(i64, i64)>,
    pub line_break: &'static str,
}

/// PyYAML's `default_flow_style`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// `- a`, one item a line.
    Block,
    /// Collections of scalars alone as `[a, b]`.
    Leaves,
    /// Everything as `[a, b]`.
    Always,
}

impl Default for DumpOptions {
    fn default() -> Self {
        Self {
            indent: 2,
            width: 80,
            sort_keys: true,
            allow_unicode: true,
            flow: Flow::Block,
            explicit_start: false,
            explicit_end: false,
            style: None,
            aliases: true,
            literal_blocks: false,
            canonical: false,
            version: None,
            line_break: "\n",
        }
    }
}

/// Writes one document, with a newline at the end. Templates are written as their source, vaulted text
/// under `!vault`, what has no YAML form as its text.
pub fn dump(value: &Value, options: &DumpOptions) -> String {
    let mut writer = Writer { options, emitter: Emitter::new(options), shared: HashMap::new(), anchors: 0 };
    if options.aliases {
        writer.count(value);
    }
    writer.emitter.start();
    writer.node(value, Position::ITEM);
    writer.emitter.finish()
}

/// Where a node stands, as far as its form depends on it.
#[derive(Clone, Copy)]
struct Position {
    in_mapping: bool,
    is_simple_key: bool,
}

impl Position {
    const ITEM: Self = Self { in_mapping: false, is_simple_key: false };
    const KEY: Self = Self { in_mapping: true, is_simple_key: true };
    const VALUE: Self = Self { in_mapping: true, is_simple_key: false };
}

struct Writer<'o> {
    options: &'o DumpOptions,
    emitter: Emitter,
    /// By address: how often it occurs, and its anchor once written.
    shared: HashMap<usize, (usize, Option<usize>)>,
    anchors: usize,
}

impl Writer<'_> {
    fn count(&mut self, value: &Value) {
        let Some(address) = address(value) else { return };
        let entry = self.shared.entry(address).or_default();
        entry.0 += 1;
        if entry.0 > 1 {
            return;
        }
        match value {
            Value::List(items) | Value::Tuple(items) => items.iter().for_each(|item| self.count(item)),
            Value::Dict(entries) => entries.iter().for_each(|(key, value)| {
                self.count(key);
                self.count(value);
            }),
            _ => {}
        }
    }

    /// Writes the alias of what was written before (`true`), or the anchor of what will be needed again.
    fn anchor(&mut self, value: &Value) -> bool {
        let Some((count, anchor)) = address(value).and_then(|address| self.shared.get_mut(&address)) else {
            return false;
        };
        if *count < 2 {
            return false;
        }
        if let Some(number) = anchor {
            self.emitter.indicator(&format!("*id{number:03}"), true, false, false);
            return true;
        }
        self.anchors += 1;
        *anchor = Some(self.anchors);
        self.emitter.indicator(&format!("&id{:03}", self.anchors), true, false, false);
        false
    }

    fn node(&mut self, value: &Value, position: Position) {
        if self.options.canonical {
            self.emitter.indicator(tag_of(value), true, false, false);
        }
        match value {
            Value::List(items) | Value::Tuple(items) => {
                if !self.anchor(value) {
                    self.list(items, position);
                }
            }
            Value::Dict(entries) => {
                if !self.anchor(value) {
                    self.dict(entries);
                }
            }
            Value::Vault(vaulted) => {
                if !self.anchor(value) {
                    self.emitter.tagged_literal("!vault", &vaulted.ciphertext);
                }
            }
            scalar => {
                let (text, is_text) = text_of(scalar);
                self.emitter.scalar(&text, is_text, position.is_simple_key);
            }
        }
    }

    fn list(&mut self, items: &[Value], position: Position) {
        if self.is_flow(items.is_empty(), items.iter()) {
            self.emitter.open_flow("[");
            for (index, item) in items.iter().enumerate() {
                self.emitter.next_in_flow(index == 0);
                self.node(item, Position::ITEM);
            }
            self.emitter.close_flow("]", items.is_empty());
            return;
        }
        let is_indentless = position.in_mapping && !self.emitter.is_at_indent();
        self.emitter.increase_indent(false, is_indentless);
        for item in items {
            self.emitter.write_indent();
            self.emitter.indicator("-", true, false, true);
            self.node(item, Position::ITEM);
        }
        self.emitter.decrease_indent();
    }

    fn dict(&mut self, entries: &Dict) {
        let mut order: Vec<(&Value, &Value)> = entries.iter().collect();
        if self.options.sort_keys {
            sort(&mut order);
        }
        let parts = order.iter().flat_map(|(key, value)| [*key, *value]);
        if self.is_flow(order.is_empty(), parts) {
            self.emitter.open_flow("{");
            for (index, (key, value)) in order.into_iter().enumerate() {
                self.emitter.next_in_flow(index == 0);
                self.entry(key, value);
            }
            self.emitter.close_flow("}", entries.is_empty());
            return;
        }
        self.emitter.increase_indent(false, false);
        for (key, value) in order {
            self.emitter.write_indent();
            self.entry(key, value);
        }
        self.emitter.decrease_indent();
    }

    fn entry(&mut self, key: &Value, value: &Value) {
        let (text, _) = text_of(key);
        let is_simple = !self.options.canonical
            && match key {
                Value::List(items) | Value::Tuple(items) => items.is_empty(),
                Value::Dict(entries) => entries.is_empty(),
                _ => text.len() <= 128 && !text.contains(scalar::is_break),
            };
        if is_simple {
            self.node(key, Position::KEY);
            self.emitter.indicator(":", false, false, false);
        } else {
            self.emitter.indicator("?", true, false, true);
            self.node(key, Position::VALUE);
            if self.emitter.is_in_flow() {
                if self.options.canonical {
                    self.emitter.write_indent();
                }
                self.emitter.indicator(":", true, false, false);
            } else {
                self.emitter.write_indent();
                self.emitter.indicator(":", true, false, true);
            }
        }
        self.node(value, Position::VALUE);
    }

    fn is_flow<'v>(&self, is_empty: bool, mut parts: impl Iterator<Item = &'v Value>) -> bool {
        let is_leaf = |value: &Value| address(value).is_none();
        is_empty
            || self.options.canonical
            || self.emitter.is_in_flow()
            || match self.options.flow {
                Flow::Block => false,
                Flow::Always => true,
                // As PyYAML: what has a style of its own is not plain enough for one line.
                Flow::Leaves => self.options.style.is_none() && parts.all(is_leaf),
            }
    }
}

/// The identity of what is more than a scalar.
fn address(value: &Value) -> Option<usize> {
    match value {
        Value::List(items) | Value::Tuple(items) => Some(Arc::as_ptr(items) as usize),
        Value::Dict(entries) => Some(Arc::as_ptr(entries) as usize),
        Value::Vault(vaulted) => Some(Arc::as_ptr(vaulted) as usize),
        _ => None,
    }
}

/// By key, as Python sorts; mixed keys by their text, where Python would leave them unsorted.
fn sort(entries: &mut [(&Value, &Value)]) {
    if entries.iter().all(|(key, _)| key.as_int().is_some()) {
        entries.sort_by_key(|(key, _)| key.as_int());
    } else if entries.iter().all(|(key, _)| key.as_str().is_some()) {
        entries.sort_by(|(a, _), (b, _)| a.as_str().cmp(&b.as_str()));
    }
}

/// What the canonical form calls a node.
fn tag_of(value: &Value) -> &'static str {
    match value {
        Value::List(_) | Value::Tuple(_) => "!!seq",
        Value::Dict(_) => "!!map",
        Value::None | Value::Undefined(_) | Value::Omit => "!!null",
        Value::Bool(_) => "!!bool",
        Value::Float(_) => "!!float",
        Value::Int(_) | Value::BigInt(_) => "!!int",
        Value::Object(object) if object.type_name() == "datetime" => "!!timestamp",
        _ => "!!str",
    }
}

/// The text of a scalar, and whether it is a string, which must not read back as anything else.
fn text_of(value: &Value) -> (String, bool) {
    let text = match value {
        Value::None | Value::Undefined(_) | Value::Omit => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Float(number) if number.is_nan() => ".nan".to_owned(),
        Value::Float(number) if number.is_infinite() => {
            if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned()
        }
        // `1e+16` would read back as a string.
        Value::Float(_) => {
            let text = value.to_string();
            if text.contains('.') { text } else { text.replace('e', ".0e") }
        }
        Value::Int(_) | Value::BigInt(_) => value.to_string(),
        Value::Object(object) if object.type_name() == "datetime" => value.to_string(),
        text => return (text.to_string(), true),
    };
    (text, false)
}

impl Style {
    /// How a scalar is written: as asked for (`wanted`) where that is possible.
    fn choose(
        text: &str,
        wanted: Option<Self>,
        is_in_flow: bool,
        is_simple_key: bool,
        allow_unicode: bool,
    ) -> Self {
        let analysis = scalar::Analysis::of(text, allow_unicode);
        if is_simple_key && analysis.is_multiline {
            return Self::DoubleQuoted;
        }
        let allows_plain = if is_in_flow { analysis.allow_flow_plain } else { analysis.allow_block_plain };
        match wanted.unwrap_or(Self::Plain) {
            Self::Plain if allows_plain && super::scalar::is_plain_string(text) => Self::Plain,
            Self::Plain | Self::SingleQuoted if analysis.allow_single_quoted => Self::SingleQuoted,
            block @ (Self::Literal | Self::Folded)
                if analysis.allow_block && !is_in_flow && !is_simple_key =>
            {
                block
            }
            _ => Self::DoubleQuoted,
        }
    }
}
