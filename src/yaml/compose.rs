//! From the parser's events to nodes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{
    ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle, Tag, options,
};
use indexmap::IndexMap;

use super::{Duplicates, Kind, Loaded, Node, Trust, mistake, scalar, tag};
use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::template::Template;
use crate::value::{Value, Vaulted};

/// How many nodes a document with aliases may stand for, once they are written out. Nodes are shared, so
/// the document itself stays small; whoever copies the data would not.
const MAX_NODES: usize = 1_000_000;

pub(super) fn compose(source: &Arc<Source>, trust: Trust) -> Result<Loaded> {
    refuse_control_characters(source)?;
    let mut text = Cow::Borrowed(source.text.strip_prefix('\u{feff}').unwrap_or(&source.text));
    let mut padding = HashMap::new();
    loop {
        let mut composer = Composer::new(source, &text, trust, &padding);
        let error = match composer.documents() {
            Ok(documents) => return Ok(Loaded { documents, warnings: composer.warnings }),
            Err(error) => error,
        };
        match composer.misindented {
            Some(line) if padding.len() < MAX_PADDED_LINES && !padding.contains_key(&line) => {
                let (padded, width) = pad(&text, line);
                padding.insert(line, width);
                text = Cow::Owned(padded);
            }
            _ => return Err(error),
        }
    }
}

/// How many lines [`pad`] is tried on; each costs a new start.
const MAX_PADDED_LINES: usize = 500;

/// Indents one line beyond everything before it, which changes nothing inside quotes: there the parser
/// insists on an indentation that PyYAML does not ask for.
fn pad(text: &str, line: usize) -> (String, usize) {
    let indents =
        text.split('\n').take(line).map(|line| line.len() - line.trim_start_matches([' ', '-']).len());
    let width = indents.max().unwrap_or_default() + 1;
    let at: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let (before, after) = text.split_at(at.min(text.len()));
    (format!("{before}{:width$}{after}", ""), width)
}

/// `as` for lines and columns: no file has four billion of them.
pub(super) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

type Spanned<'t> = (Event<'t>, Span);

struct Composer<'t> {
    source: &'t Arc<Source>,
    /// The source without its byte order mark: what spans count in.
    text: &'t str,
    trust: Trust,
    events: Parser<'t, StrInput<'t>>,
    peeked: Option<Spanned<'t>>,
    /// Finished nodes under an anchor, with how many nodes each stands for.
    anchors: HashMap<usize, (Node, usize)>,
    anchor_names: HashSet<String>,
    /// How many `!unsafe` containers are open.
    unsafe_depth: usize,
    /// How many flow collections (`[`, `{`) are open.
    flow_depth: usize,
    /// Nodes of the document so far, aliases written out.
    nodes: usize,
    /// By line, how many columns [`pad`] added.
    padding: &'t HashMap<usize, usize>,
    /// The line of a quoted scalar that stopped the parser for its indentation alone.
    misindented: Option<usize>,
    warnings: Vec<Diagnostic>,
}

impl<'t> Composer<'t> {
    fn new(source: &'t Arc<Source>, text: &'t str, trust: Trust, padding: &'t HashMap<usize, usize>) -> Self {
        let options = options! { emit_comments: false, emit_anchor_events: true };
        Self {
            source,
            text,
            trust,
            events: Parser::new_from_str_with_options(text, options),
            peeked: None,
            anchors: HashMap::new(),
            anchor_names: HashSet::new(),
            unsafe_depth: 0,
            flow_depth: 0,
            nodes: 0,
            padding,
            misindented: None,
            warnings: Vec::new(),
        }
    }

    fn documents(&mut self) -> Result<Vec<Node>> {
        let mut documents = Vec::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::DocumentStart(..)) {
                self.anchors.clear();
                self.anchor_names.clear();
                let (event, span) = self.expect(&span)?;
                documents.push(self.node(event, &span)?);
            }
        }
        Ok(documents)
    }

    fn next(&mut self) -> Result<Option<Spanned<'t>>> {
        if let Some(event) = self.peeked.take() {
            return Ok(Some(event));
        }
        match self.events.next() {
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok(None),
        }
    }

    /// The next event; the parser promises one inside a document.
    fn expect(&mut self, near: &Span) -> Result<Spanned<'t>> {
        match self.next()? {
            Some(event) => Ok(event),
            None => Err(Diagnostic::new("unexpected end of the document").at(&self.place(near))),
        }
    }

    fn syntax_error(&mut self, error: &ScanError) -> Diagnostic {
        let marker = error.marker();
        match error.kind() {
            ErrorKind::InvalidQuotedScalarIndent => self.misindented = Some(marker.line()),
            // The line that begins with a tab, or the one before it.
            ErrorKind::TabInIndentation => {
                let begins_here = self.line(marker.line()).starts_with('\t');
                self.misindented = Some(marker.line() + usize::from(!begins_here));
            }
            _ => {}
        }
        mistake::explain(error.kind(), &error.info(), self.place_at(marker, 0))
    }

    /// A line of the text, counted from 1.
    fn line(&self, number: usize) -> &'t str {
        self.text.split('\n').nth(number.wrapping_sub(1)).unwrap_or_default()
    }

    fn place(&self, span: &Span) -> Place {
        let covered = span.slice(self.text).unwrap_or_default();
        let first_line = covered.lines().next().unwrap_or_default();
        self.place_at(&span.start, first_line.trim_end().chars().count())
    }

    fn place_at(&self, marker: &Marker, length: usize) -> Place {
        let added = self.padding.get(&marker.line()).copied().unwrap_or_default();
        Place {
            source: Arc::clone(self.source),
            line: narrow(marker.line().max(1)),
            column: narrow(marker.col().saturating_sub(added) + 1),
            length: narrow(length),
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span) -> Result<Node> {
        self.nodes += 1;
        let before = self.nodes;
        self.refuse_tabs(span)?;
        match event {
            Event::Alias(id) => self.alias(id, span),
            Event::Scalar(text, style, anchor, tag) => {
                self.name_anchor(anchor)?;
                let node =
                    Node { kind: self.scalar(&text, style, tag.as_deref(), span)?, place: self.place(span) };
                Ok(self.keep(anchor, before, node))
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.name_anchor(anchor)?;
                let place = self.place(span);
                let shape = self.container_tag(tag.as_deref(), span, tag::Container::List)?;
                let items = self.inside(&shape, style, |composer| composer.items(span))?;
                let kind = shape.finish_list(items)?;
                Ok(self.keep(anchor, before, Node { kind, place }))
            }
            Event::MappingStart(style, anchor, tag) => {
                self.name_anchor(anchor)?;
                let place = self.place(span);
                let shape = self.container_tag(tag.as_deref(), span, tag::Container::Map)?;
                let entries = self.inside(&shape, style, |composer| composer.entries(span))?;
                let kind = shape.finish_map(entries);
                Ok(self.keep(anchor, before, Node { kind, place }))
            }
            _ => Err(Diagnostic::new("unexpected end of the document").at(&self.place(span))),
        }
    }

    /// Refuses a second anchor of the same name, as PyYAML does. Its event follows the node's.
    fn name_anchor(&mut self, anchor: usize) -> Result<()> {
        if anchor == 0 {
            return Ok(());
        }
        match self.next()? {
            Some((Event::Anchor(_, name), span)) => {
                if !self.anchor_names.insert(name.into_owned()) {
                    return Err(Diagnostic::new("found a duplicate anchor").at(&self.place(&span)));
                }
            }
            other => self.peeked = other,
        }
        Ok(())
    }

    /// Remembers an anchored node, once it is complete.
    fn keep(&mut self, anchor: usize, before: usize, node: Node) -> Node {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before + 1));
        }
        node
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<Node> {
        match self.anchors.get(&id) {
            Some((node, weight)) => {
                self.nodes = self.nodes.saturating_add(*weight);
                if self.nodes > MAX_NODES {
                    let message = "the document's aliases stand for too many nodes";
                    return Err(Diagnostic::new(message).at(&self.place(span)));
                }
                Ok(node.clone())
            }
            None => {
                Err(Diagnostic::new("an alias cannot stand inside the node it names").at(&self.place(span)))
            }
        }
    }

    fn inside<T>(
        &mut self,
        shape: &tag::Shape,
        style: StructureStyle,
        body: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let (is_unsafe, is_flow) = (usize::from(shape.is_unsafe), usize::from(style == StructureStyle::Flow));
        self.unsafe_depth += is_unsafe;
        self.flow_depth += is_flow;
        let result = body(self);
        self.unsafe_depth -= is_unsafe;
        self.flow_depth -= is_flow;
        result
    }

    fn items(&mut self, span: &Span) -> Result<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            match self.expect(span)? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, &span)?),
            }
        }
    }

    fn entries(&mut self, span: &Span) -> Result<Vec<(Node, Node)>> {
        let mut merged: Vec<(Node, Node)> = Vec::new();
        let mut own: IndexMap<Value, (Node, Node)> = IndexMap::new();
        loop {
            let (event, span) = match self.expect(span)? {
                (Event::MappingEnd, _) => break,
                other => other,
            };
            let is_merge = is_merge_key(&event);
            self.refuse_missing_key(&event, &span)?;
            let key = self.node(event, &span)?;
            let (event, span) = self.expect(&span)?;
            let value = self.node(event, &span)?;
            if is_merge {
                merge(&mut merged, &value)?;
                continue;
            }
            let name = key_value(&key)?;
            match own.get_mut(&name) {
                Some(entry) => {
                    let told = duplicate(&name, &entry.0, &key);
                    match Duplicates::chosen() {
                        Duplicates::Warn => self.warnings.push(told.hint("Using last defined value only.")),
                        Duplicates::Ignore => {}
                        Duplicates::Error => return Err(told),
                    }
                    // As in Python the first key stays (`1`, when the second is `true`), with its rank.
                    entry.0.place = key.place;
                    entry.1 = value;
                }
                None => {
                    own.insert(name, (key, value));
                }
            }
        }
        if merged.is_empty() {
            return Ok(own.into_values().collect());
        }
        let mut all: IndexMap<Value, (Node, Node)> = IndexMap::new();
        for (key, value) in merged {
            all.insert(key_value(&key)?, (key, value));
        }
        all.extend(own);
        Ok(all.into_values().collect())
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Result<Kind> {
        // The parser says `~` where nothing is written at all.
        let text = if text == "~" && span.start.index() == span.end.index() { "" } else { text };
        let text = self.without_invented_newline(text, style, span);
        let value = match tag {
            Some(tag) if !tag::is_non_specific(tag) => match tag::scalar(tag, text) {
                tag::Scalar::Value(value) => value,
                tag::Scalar::Text(text) => self.text(&text, span),
                // What has marks must not look like a template to anybody.
                tag::Scalar::Unsafe if Template::is_template(text) => Value::from(text),
                tag::Scalar::Unsafe => {
                    Value::Template(Arc::new(Template::distrusted(text, Some(self.place(span)))))
                }
                tag::Scalar::Vault => Value::Vault(Arc::new(Vaulted::new(text, self.place(span)))),
                tag::Scalar::Wrong(message) => {
                    return Err(Diagnostic::new(message).at(&self.tag_place(span)));
                }
            },
            _ if style == ScalarStyle::Plain => {
                scalar::resolve(text).unwrap_or_else(|| self.text(text, span))
            }
            _ => self.text(text, span),
        };
        Ok(Kind::Scalar(value))
    }

    fn text(&self, text: &str, span: &Span) -> Value {
        if self.trust == Trust::Trusted && self.unsafe_depth == 0 && Template::is_template(text) {
            Value::Template(Arc::new(Template::new(text, Some(self.place(span)))))
        } else {
            Value::from(text)
        }
    }

    /// The parser ends a block scalar with a newline even where the file ends without one.
    fn without_invented_newline<'a>(&self, text: &'a str, style: ScalarStyle, span: &Span) -> &'a str {
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if !is_block || self.text.ends_with(['\n', '\r']) || span.end.byte_offset() != Some(self.text.len()) {
            return text;
        }
        let last_line = self.text.rsplit(['\n', '\r']).next().unwrap_or_default();
        let content = text.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
        let is_content =
            !last_line.trim().is_empty() || (!content.is_empty() && last_line.ends_with(content));
        if is_content { text.strip_suffix('\n').unwrap_or(text) } else { text }
    }

    /// A line that begins with `:`: the parser takes it for an empty key, PyYAML does not.
    fn refuse_missing_key(&self, event: &Event<'_>, span: &Span) -> Result<()> {
        let is_missing = matches!(event, Event::Scalar(_, ScalarStyle::Plain, 0, None))
            && span.start.index() == span.end.index();
        let (before, after) = self.around(span);
        if is_missing && after.starts_with(':') && !before.trim_end().ends_with('?') {
            return Err(Diagnostic::new("expected a key before the colon").at(&self.place(span)));
        }
        Ok(())
    }

    /// Block nodes indented with tabs, some of which the parser lets pass.
    fn refuse_tabs(&self, span: &Span) -> Result<()> {
        let (before, _) = self.around(span);
        let line = before.rsplit('\n').next().unwrap_or_default();
        if self.flow_depth == 0 && line.contains('\t') && line.chars().all(|c| matches!(c, ' ' | '\t' | '-'))
        {
            let message = "tabs cannot indent a list or mapping";
            return Err(Diagnostic::new(message).at(&self.place(span)).hint(mistake::TABS));
        }
        Ok(())
    }

    /// The text before a node and from it on.
    fn around(&self, span: &Span) -> (&'t str, &'t str) {
        let at = span.start.byte_offset().unwrap_or_default();
        (self.text.get(..at).unwrap_or_default(), self.text.get(at..).unwrap_or_default())
    }

    fn container_tag(&self, tag: Option<&Tag>, span: &Span, container: tag::Container) -> Result<tag::Shape> {
        match tag {
            None => Ok(tag::Shape::plain()),
            Some(tag) => tag::container(tag, container)
                .map_err(|message| Diagnostic::new(message).at(&self.tag_place(span))),
        }
    }

    fn tag_place(&self, span: &Span) -> Place {
        match span.tag_span() {
            Some(tag) => self.place(&tag),
            None => self.place(span),
        }
    }
}

fn is_merge_key(event: &Event<'_>) -> bool {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, _, None) => text == "<<",
        Event::Scalar(_, _, _, Some(tag)) => tag::is_merge(tag),
        _ => false,
    }
}

/// Adds what a `<<` brings in: a mapping, or a list of mappings of which the first wins.
fn merge(merged: &mut Vec<(Node, Node)>, value: &Node) -> Result<()> {
    let wrong = |node: &Node| {
        Err(Diagnostic::new(format!(
            "`<<` takes a mapping or a list of mappings, this is {}",
            node.describe()
        ))
        .at(&node.place))
    };
    if let Some(entries) = value.as_map() {
        merged.extend_from_slice(entries);
        return Ok(());
    }
    let Some(items) = value.as_list() else { return wrong(value) };
    for item in items.iter().rev() {
        match item.as_map() {
            Some(entries) => merged.extend_from_slice(entries),
            None => return wrong(item),
        }
    }
    Ok(())
}

/// A key as data. Keys are never rendered.
fn key_value(key: &Node) -> Result<Value> {
    match &key.kind {
        Kind::Scalar(Value::Template(template)) => Ok(Value::Str(Arc::clone(template.source()))),
        Kind::Scalar(value) => Ok(value.clone()),
        Kind::List(_) | Kind::Map(_) => Err(mistake::unhashable(key)),
    }
}

fn duplicate(name: &Value, first: &Node, second: &Node) -> Diagnostic {
    Diagnostic::new(format!("Found duplicate mapping key {}.", name.repr()))
        .at(&second.place)
        .note("first defined here", Some(first.place.clone()))
}

/// YAML allows no control characters, not even in comments; nor do PyYAML's readers.
fn refuse_control_characters(source: &Arc<Source>) -> Result<()> {
    let is_refused = |c: char| {
        c != '\u{85}'
            && matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
    };
    let Some(at) = source.text.find(is_refused) else { return Ok(()) };
    let before = source.text.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    let place = Place {
        source: Arc::clone(source),
        line: narrow(before.matches('\n').count() + 1),
        column: narrow(column),
        length: 1,
    };
    let character = source.text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
    Err(Diagnostic::new(format!(
        "control characters are not allowed in YAML (found U+{:04X})",
        character as u32
    ))
    .at(&place)
    .hint("in a double-quoted string, write it as an escape: \"\\x1b\""))
}
