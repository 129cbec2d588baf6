//! Columns, indentation and folding, after libyaml's emitter (MIT licence), which PyYAML writes with.

use super::DumpOptions;
use super::scalar::{Style, escape, is_break, is_literal};

#[expect(clippy::struct_excessive_bools, reason = "the state of PyYAML's emitter")]
pub(super) struct Emitter {
    out: String,
    width: usize,
    best_indent: usize,
    allow_unicode: bool,
    explicit_start: bool,
    explicit_end: bool,
    literal_blocks: bool,
    canonical: bool,
    version: Option<(i64, i64)>,
    newline: &'static str,
    style: Option<Style>,
    column: usize,
    /// The current indentation and those around it; none at the root.
    indent: Option<usize>,
    indents: Vec<Option<usize>>,
    flow_level: usize,
    /// Whether the last character was whitespace.
    whitespace: bool,
    /// Whether only indentation and indicators stand in this line.
    indention: bool,
}

impl Emitter {
    pub(super) fn new(options: &DumpOptions) -> Self {
        let best_indent = if (2..10).contains(&options.indent) { options.indent } else { 2 };
        let width = if options.width > best_indent * 2 { options.width } else { 80 };
        Self {
            out: String::new(),
            width,
            best_indent,
            allow_unicode: options.allow_unicode,
            explicit_start: options.explicit_start,
            explicit_end: options.explicit_end,
            literal_blocks: options.literal_blocks,
            canonical: options.canonical,
            version: options.version,
            newline: options.line_break,
            style: options.style,
            column: 0,
            indent: None,
            indents: Vec::new(),
            flow_level: 0,
            whitespace: true,
            indention: true,
        }
    }

    pub(super) fn start(&mut self) {
        if let Some((major, minor)) = self.version {
            self.indicator(&format!("%YAML {major}.{minor}"), true, false, false);
            self.write_indent();
        }
        if self.explicit_start || self.canonical || self.version.is_some() {
            self.indicator("---", true, false, false);
        }
        if self.canonical {
            self.write_indent();
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.write_indent();
        if self.explicit_end {
            self.indicator("...", true, false, false);
            self.write_indent();
        }
        self.out
    }

    pub(super) fn is_in_flow(&self) -> bool {
        self.flow_level > 0
    }

    pub(super) fn is_at_indent(&self) -> bool {
        self.indention
    }

    pub(super) fn increase_indent(&mut self, is_flow: bool, is_indentless: bool) {
        self.indents.push(self.indent);
        self.indent = match self.indent {
            None => Some(if is_flow { self.best_indent } else { 0 }),
            Some(indent) if is_indentless => Some(indent),
            Some(indent) => Some(indent + self.best_indent),
        };
    }

    pub(super) fn decrease_indent(&mut self) {
        self.indent = self.indents.pop().flatten();
    }

    pub(super) fn open_flow(&mut self, bracket: &str) {
        self.indicator(bracket, true, true, false);
        self.flow_level += 1;
        self.increase_indent(true, false);
    }

    /// Before each part of a flow collection: the comma and, past the width, a new line.
    pub(super) fn next_in_flow(&mut self, is_first: bool) {
        if !is_first {
            self.indicator(",", false, false, false);
        }
        if self.canonical || self.column > self.width {
            self.write_indent();
        }
    }

    pub(super) fn close_flow(&mut self, bracket: &str, is_empty: bool) {
        self.decrease_indent();
        self.flow_level -= 1;
        if self.canonical && !is_empty {
            self.indicator(",", false, false, false);
            self.write_indent();
        }
        self.indicator(bracket, false, false, false);
    }

    pub(super) fn indicator(&mut self, text: &str, needs_space: bool, is_space: bool, is_indention: bool) {
        if needs_space && !self.whitespace {
            self.write(" ");
        }
        self.write(text);
        self.whitespace = is_space;
        self.indention = self.indention && is_indention;
    }

    pub(super) fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break('\n');
        }
        if self.column < indent {
            self.whitespace = true;
            let padding = " ".repeat(indent - self.column);
            self.write(&padding);
        }
    }

    /// A scalar; `is_text` when it is a string, whose style is to be chosen.
    pub(super) fn scalar(&mut self, text: &str, is_text: bool, is_simple_key: bool) {
        let is_inline = is_simple_key || self.is_in_flow();
        let style = if self.canonical {
            Style::DoubleQuoted
        } else if self.style.is_some() || is_text {
            let literal = self.literal_blocks && !is_inline && is_literal(text, self.allow_unicode);
            let wanted = if literal { Some(Style::Literal) } else { self.style };
            Style::choose(text, wanted, self.is_in_flow(), is_simple_key, self.allow_unicode)
        } else {
            Style::Plain
        };
        if !is_text && !self.canonical && style != Style::Plain {
            // Without it, what is quoted would be a string.
            self.indicator("!", true, false, false);
        }
        let may_fold = !is_simple_key;
        // What is folded goes in one level further.
        self.increase_indent(true, false);
        match style {
            Style::Literal => self.literal(text),
            Style::Folded => self.folded(text),
            Style::Plain => self.plain(text, may_fold),
            Style::SingleQuoted => self.single_quoted(text, may_fold),
            Style::DoubleQuoted => self.double_quoted(text, may_fold),
        }
        self.decrease_indent();
    }

    /// A block scalar under a tag.
    pub(super) fn tagged_literal(&mut self, tag: &str, text: &str) {
        self.indicator(tag, true, false, false);
        self.increase_indent(true, false);
        self.literal(text);
        self.decrease_indent();
    }

    /// A block scalar, one column level further in than what it belongs to.
    fn literal(&mut self, text: &str) {
        self.block_header('|', text);
        // At the root the text would stand in the first column.
        let indent = self.indent.unwrap_or(0).max(self.best_indent);
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            self.line_break('\n');
            if !line.is_empty() {
                let padded = format!("{:indent$}{line}", "");
                self.write(&padded);
            }
        }
        self.whitespace = false;
        self.indention = false;
    }

    /// `|` or `>`, the indentation where the text does not show it, and what becomes of the last line breaks.
    fn block_header(&mut self, mark: char, text: &str) {
        let indentation =
            if text.starts_with([' ', '\n']) { self.best_indent.to_string() } else { String::new() };
        let chomping = match text.strip_suffix('\n') {
            None => "-",
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => "+",
            Some(_) => "",
        };
        self.indicator(&format!("{mark}{indentation}{chomping}"), true, false, false);
    }

    /// A block scalar whose lines are folded.
    fn folded(&mut self, text: &str) {
        self.block_header('>', text);
        self.line_break('\n');
        let (mut after_break, mut is_indented) = (true, true);
        let chars: Vec<char> = text.chars().collect();
        for (at, &c) in chars.iter().enumerate() {
            let next = chars.get(at + 1).copied();
            if is_break(c) {
                if !after_break && !is_indented && c == '\n' {
                    let following = chars.iter().skip(at).find(|c| !is_break(**c));
                    // Only a second line break is one that folding keeps.
                    if following.is_some_and(|c| !matches!(c, ' ' | '\t')) {
                        self.line_break('\n');
                    }
                }
                self.line_break(c);
                after_break = true;
                continue;
            }
            if after_break {
                self.write_indent();
                is_indented = matches!(c, ' ' | '\t');
            }
            if !after_break && c == ' ' && next != Some(' ') && self.column > self.width {
                self.write_indent();
            } else {
                self.write(c.encode_utf8(&mut [0; 4]));
            }
            self.indention = false;
            after_break = false;
        }
    }

    fn plain(&mut self, text: &str, may_fold: bool) {
        if !text.is_empty() && !self.whitespace {
            self.write(" ");
        }
        self.whitespace = false;
        self.indention = false;
        for (index, run) in runs(text).enumerate() {
            if run == " " && index > 0 && self.column > self.width && may_fold {
                self.write_indent();
                self.whitespace = false;
                self.indention = false;
            } else {
                self.write(run);
            }
        }
    }

    fn single_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator("'", true, false, false);
        let mut at = 0;
        for run in runs(text) {
            let is_inside = at > 0 && at + run.len() < text.len();
            at += run.len();
            if run == " " && is_inside && self.column > self.width && may_fold {
                self.write_indent();
            } else if let Some(first) = run.chars().next().filter(|c| is_break(*c)) {
                if first == '\n' {
                    self.line_break('\n');
                }
                for c in run.chars() {
                    self.line_break(c);
                }
                self.write_indent();
            } else {
                self.write(&run.replace('\'', "''"));
            }
        }
        self.indicator("'", false, false, false);
    }

    fn double_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator("\"", true, false, false);
        let mut after_space = false;
        let mut chars = text.chars().peekable();
        let mut is_first = true;
        while let Some(c) = chars.next() {
            if let Some(escaped) = escape(c, self.allow_unicode) {
                self.write(&escaped);
                after_space = false;
            } else if c == ' ' {
                let is_inside = !is_first && chars.peek().is_some();
                if may_fold && is_inside && !after_space && self.column > self.width {
                    self.write_indent();
                    if chars.peek() == Some(&' ') {
                        self.write("\\");
                    }
                } else {
                    self.write(" ");
                }
                after_space = true;
            } else {
                self.write(c.encode_utf8(&mut [0; 4]));
                after_space = false;
            }
            is_first = false;
        }
        self.indicator("\"", false, false, false);
    }

    fn line_break(&mut self, c: char) {
        self.whitespace = true;
        self.indention = true;
        if c == '\n' {
            self.out.push_str(self.newline);
        } else {
            self.out.push(c);
        }
        self.column = 0;
    }

    fn write(&mut self, text: &str) {
        self.column += text.chars().count();
        self.out.push_str(text);
    }
}

/// Cuts a text into runs of spaces, of line breaks, and of everything else.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    fn class(c: char) -> u8 {
        if c == ' ' { 0 } else { 1 + u8::from(is_break(c)) }
    }
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = class(rest.chars().next()?);
        let end = rest.find(|c| class(c) != first).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}
