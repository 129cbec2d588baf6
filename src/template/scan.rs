//! What the parser needs done to a template before it can read it.
//!
//! minijinja's lexer and parser are stricter than Jinja's in some places and looser in others. This pass
//! walks over the tags once and
//!
//! - puts spaces for Unicode's other spaces, harmless letters for backslash escapes, and zeros for very long
//!   integers (the values are read from the source afterwards): the length stays;
//! - puts minus for unary plus (the lowering looks at the source), and puts parentheses around bare tuples;
//! - refuses the numbers and chained tests that Jinja refuses;
//! - hides blocks in macros;
//! - refuses nesting and chains so deep that working on them would overflow the stack.

use std::borrow::Cow;

use super::ast::Span;
use super::literal::number_length;
use super::syntax::Syntax;

/// A problem in the source.
pub(super) struct Fault {
    pub message: String,
    pub span: Span,
}

/// A source that minijinja reads as Jinja would have read the original.
pub(super) struct Scanned<'s> {
    pub text: Cow<'s, str>,
    /// Where the original has a byte less, in its own offsets, ascending.
    inserted: Vec<usize>,
}

impl Scanned<'_> {
    /// The offset in the original that an offset in the text stands for.
    pub fn original(&self, offset: usize) -> usize {
        let before =
            self.inserted.iter().enumerate().take_while(|(earlier, at)| *at + earlier < offset).count();
        offset - before
    }
}

/// Prepares a template.
pub(super) fn scan_template<'s>(source: &'s str, syntax: &Syntax) -> Result<Scanned<'s>, Fault> {
    let mut scanner = Scanner::new(source);
    let marks = [
        (&syntax.variable.0, Mark::Variable),
        (&syntax.block.0, Mark::Block),
        (&syntax.comment.0, Mark::Comment),
    ];
    while let Some((at, mark, length)) = scanner.next_mark(&marks) {
        scanner.at = at + length;
        match mark {
            Mark::Comment => scanner.skip_past(&syntax.comment.1),
            Mark::Variable => scanner.tag(Some(&syntax.variable.1), Mark::Variable)?,
            Mark::Block => {
                let tag = scanner.at;
                if scanner.is_tag(tag, "raw", &syntax.block.1) {
                    scanner.skip_raw(&syntax.block);
                } else {
                    scanner.tag(Some(&syntax.block.1), Mark::Block)?;
                }
            }
        }
    }
    scanner.check_closed()?;
    Ok(scanner.finish())
}

/// Prepares a bare expression.
pub(super) fn scan_expression(source: &str) -> Result<Scanned<'_>, Fault> {
    let mut scanner = Scanner::new(source);
    scanner.tag(None, Mark::Variable)?;
    Ok(scanner.finish())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Variable,
    Block,
    Comment,
}

/// What may go on a chain (`a.b | c`) or in a row (`1 + 2 + …`, `if … elif …`) before it is too much.
const MAX_CHAIN: u32 = 200;
const MAX_OPERATORS: u32 = 1000;
const MAX_PREFIXES: u32 = 100;
const MAX_OPEN: u32 = 150;

struct Scanner<'s> {
    source: &'s str,
    bytes: &'s [u8],
    at: usize,
    /// Where each edit goes, how many bytes it replaces, and what it puts there.
    edits: Vec<(usize, usize, String)>,
    /// The statements that wait for their end, and how many `elif`s each has.
    open: Vec<(Statement, u32)>,
}

/// A statement with a body: its tag, those that may come next, and the last of them.
#[derive(Clone, Copy)]
struct Statement {
    tag: &'static str,
    next: &'static [&'static str],
    end: &'static str,
}

const fn statement(tag: &'static str, next: &'static [&'static str], end: &'static str) -> Statement {
    Statement { tag, next, end }
}

const STATEMENTS: [Statement; 9] = [
    statement("if", &["elif", "else", "endif"], "endif"),
    statement("for", &["endfor", "else"], "endfor"),
    statement("macro", &["endmacro"], "endmacro"),
    statement("call", &["endcall"], "endcall"),
    statement("filter", &["endfilter"], "endfilter"),
    statement("set", &["endset"], "endset"),
    statement("with", &["endwith"], "endwith"),
    statement("block", &["endblock"], "endblock"),
    statement("autoescape", &["endautoescape"], "endautoescape"),
];

/// The token before, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing, an operator, an opening bracket, a comma, a keyword: an operand comes next.
    Operator,
    Dot,
    Operand,
}

/// How far along a test is, for `x is a is b`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InTest {
    No,
    /// After `is`, `is not`, or a dot in the name.
    Name,
    Done,
}

/// One level of brackets.
#[derive(Default)]
struct Level {
    chain: u32,
    operators: u32,
}

impl<'s> Scanner<'s> {
    fn new(source: &'s str) -> Self {
        Self { source, bytes: source.as_bytes(), at: 0, edits: Vec::new(), open: Vec::new() }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn starts_with(&self, at: usize, what: &str) -> bool {
        self.bytes.get(at..).is_some_and(|rest| rest.starts_with(what.as_bytes()))
    }

    /// The nearest mark that opens a tag; the longer one where two begin.
    fn next_mark(&self, marks: &[(&String, Mark)]) -> Option<(usize, Mark, usize)> {
        marks
            .iter()
            .filter_map(|(open, mark)| {
                let at = self.source.get(self.at..)?.find(open.as_str())?;
                Some((self.at + at, *mark, open.len()))
            })
            .min_by_key(|(at, _, length)| (*at, usize::MAX - length))
    }

    fn skip_past(&mut self, end: &str) {
        let rest = self.source.get(self.at..).unwrap_or_default();
        self.at += rest.find(end).map_or(rest.len(), |found| found + end.len());
    }

    /// Whether the tag whose inside begins here is just that word.
    fn is_tag(&self, at: usize, word: &str, end: &str) -> bool {
        let Some(inside) = self.source.get(at..) else { return false };
        let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside).trim_ascii_start();
        inside.strip_prefix(word).is_some_and(|rest| {
            let rest = rest.trim_ascii_start();
            rest.strip_prefix(['-', '+']).unwrap_or(rest).starts_with(end)
        })
    }

    fn skip_raw(&mut self, block: &(String, String)) {
        while let Some(found) = self.source.get(self.at..).and_then(|rest| rest.find(block.0.as_str())) {
            self.at += found + block.0.len();
            if self.is_tag(self.at, "endraw", &block.1) {
                break;
            }
        }
        self.skip_past(&block.1);
    }

    /// Walks over the inside of a tag, up to and with its end mark.
    fn tag(&mut self, end: Option<&str>, mark: Mark) -> Result<(), Fault> {
        if end.is_some() && matches!(self.byte(self.at), b'-' | b'+') {
            self.at += 1;
        }
        let mut levels = vec![Level::default()];
        let mut before = Before::Operator;
        let mut in_test = InTest::No;
        let mut prefixes = 0;
        let mut statement: Option<&str> = None;
        // Where a bare tuple would start and whether it is one.
        let mut tuple = (mark == Mark::Variable && end.is_some()).then_some(self.at);
        let mut has_comma = false;
        let mut assigns = false;
        // In a tag that is hidden from the parser: how many more of its words stay.
        let mut hidden: Option<usize> = None;
        loop {
            self.space();
            let at = self.at;
            if at >= self.bytes.len() {
                break;
            }
            if let Some(end) = end
                && levels.len() == 1
            {
                let sign = usize::from(matches!(self.byte(at), b'-' | b'+'));
                if let Some(sign) = [0, sign].into_iter().find(|sign| self.starts_with(at + sign, end)) {
                    self.at = at + sign + end.len();
                    self.wrap(tuple.filter(|_| has_comma), at);
                    if statement == Some("set") && assigns {
                        self.open.pop();
                    }
                    return Ok(());
                }
            }
            let c = self.byte(at);
            let level_count = levels.len();
            let Some(level) = levels.last_mut() else { break };
            let mut next = Before::Operator;
            let mut test = InTest::No;
            match c {
                b'\'' | b'"' => {
                    self.string(c)?;
                    next = Before::Operand;
                }
                b'0'..=b'9' => {
                    self.number(before == Before::Dot)?;
                    next = Before::Operand;
                }
                _ if c == b'_' || c.is_ascii_alphabetic() || c >= 0x80 => {
                    let word = self.word();
                    let keyword = before != Before::Dot;
                    next = Before::Operand;
                    if in_test == InTest::Name {
                        test = if word == "not" && keyword { InTest::Name } else { InTest::Done };
                    }
                    match word {
                        "is" if keyword => {
                            if in_test == InTest::Done {
                                return Err(self.fault(
                                    "You cannot chain multiple tests with is",
                                    at,
                                    self.at,
                                ));
                            }
                            test = InTest::Name;
                            level.chain += 1;
                        }
                        "and" | "or" | "in" if keyword => {
                            next = Before::Operator;
                            level.chain = 0;
                            level.operators += 1;
                        }
                        "not" | "if" | "else" | "elif" if keyword => {
                            next = Before::Operator;
                            level.chain = 0;
                            prefixes += 1;
                        }
                        _ => {}
                    }
                    if mark == Mark::Block && level_count == 1 {
                        if statement.is_none() {
                            statement = Some(word);
                            hidden = self.hide_block(word, at);
                            self.statement(word, at)?;
                        } else if let Some(stay) = &mut hidden {
                            match stay.checked_sub(1) {
                                Some(left) => *stay = left,
                                None => self.edits.push((at, word.len(), " ".repeat(word.len()))),
                            }
                        } else if statement == Some("for") && keyword {
                            match word {
                                "in" if tuple.is_none() => {
                                    (tuple, has_comma) = (Some(self.at), false);
                                }
                                "if" | "recursive" if tuple.is_some() => {
                                    self.wrap(tuple.filter(|_| has_comma), at);
                                    (tuple, statement) = (None, Some("for …"));
                                }
                                _ => {}
                            }
                        }
                    }
                }
                b'(' | b'[' | b'{' => {
                    self.at += 1;
                    level.chain += 1;
                    levels.push(Level::default());
                }
                b')' | b']' | b'}' => {
                    self.at += 1;
                    if levels.len() > 1 {
                        levels.pop();
                    }
                    next = Before::Operand;
                }
                b'.' => {
                    self.at += 1;
                    next = Before::Dot;
                    if in_test == InTest::Done {
                        test = InTest::Name;
                    } else {
                        level.chain += 1;
                    }
                }
                b'|' => {
                    self.at += 1;
                    level.chain += 1;
                }
                b',' => {
                    self.at += 1;
                    has_comma |= level_count == 1;
                    *level = Level::default();
                    prefixes = 0;
                }
                b'+' | b'-' if before == Before::Operator => {
                    self.at += 1;
                    prefixes += 1;
                    if c == b'+' {
                        self.edits.push((at, 1, "-".to_owned()));
                    }
                }
                _ => {
                    assigns |= c == b'=';
                    let double = matches!(
                        (c, self.byte(at + 1)),
                        (b'*', b'*') | (b'/', b'/') | (b'=' | b'!' | b'<' | b'>', b'=')
                    );
                    self.at += if double { 2 } else { 1 };
                    level.chain = 0;
                    level.operators += 1;
                }
            }
            before = next;
            in_test = test;
            let too_long =
                levels.last().is_some_and(|level| level.chain > MAX_CHAIN || level.operators > MAX_OPERATORS);
            if too_long || prefixes > MAX_PREFIXES {
                return Err(self.fault("template exceeds maximum recursion limits", at, self.at));
            }
        }
        self.at = self.bytes.len();
        Ok(())
    }

    /// Keeps count of the statements that are open.
    fn statement(&mut self, word: &str, at: usize) -> Result<(), Fault> {
        match word {
            "do" | "break" | "continue" | "debug" => {
                return Err(self.fault(format!("Encountered unknown tag '{word}'."), at, self.at));
            }
            "elif" => {
                if let Some((_, branches)) = self.open.last_mut() {
                    *branches += 1;
                }
            }
            _ => {
                if self.open.last().is_some_and(|(open, _)| open.end == word) {
                    self.open.pop();
                } else if let Some(begun) = STATEMENTS.into_iter().find(|known| known.tag == word) {
                    self.open.push((begun, 1));
                }
            }
        }
        if self.open.iter().map(|(_, branches)| branches).sum::<u32>() > MAX_OPEN {
            return Err(self.fault("template exceeds maximum recursion limits", at, self.at));
        }
        Ok(())
    }

    /// Jinja allows blocks in macros, minijinja does not: there they become block assignments, which the
    /// lowering tells by their source. Gives how many more words of the tag stay.
    fn hide_block(&mut self, word: &str, at: usize) -> Option<usize> {
        let in_macro = self.open.iter().any(|(open, _)| matches!(open.tag, "macro" | "call"));
        let (replacement, stay) = match word {
            "block" if in_macro => ("set  ", 1),
            "endblock" if in_macro => ("endset  ", 0),
            _ => return None,
        };
        self.edits.push((at, word.len(), replacement.to_owned()));
        Some(stay)
    }

    /// Whether every statement has found its end.
    fn check_closed(&self) -> Result<(), Fault> {
        let Some((open, _)) = self.open.last() else { return Ok(()) };
        let wanted: Vec<String> = open.next.iter().map(|tag| format!("'{tag}'")).collect();
        let message = format!(
            "Unexpected end of template. Jinja was looking for the following tags: {}. The innermost block that \
             needs to be closed is '{}'.",
            wanted.join(" or "),
            open.tag
        );
        let end = self.source.len();
        Err(self.fault(message, end, end))
    }

    /// Skips a string and hides its escapes.
    fn string(&mut self, quote: u8) -> Result<(), Fault> {
        let start = self.at;
        let mut at = start + 1;
        while at < self.bytes.len() {
            match self.byte(at) {
                b'\\' => {
                    let escaped = self.source.get(at + 1..).and_then(|rest| rest.chars().next());
                    let length = 1 + escaped.map_or(0, char::len_utf8);
                    self.edits.push((at, length, "x".repeat(length)));
                    at += length;
                }
                c if c == quote => {
                    self.at = at + 1;
                    return Ok(());
                }
                _ => at += 1,
            }
        }
        let c = char::from(quote);
        Err(self.fault(format!("unexpected char {:?} at {start}", c.to_string()), start, start + 1))
    }

    fn number(&mut self, after_dot: bool) -> Result<(), Fault> {
        let start = self.at;
        let length = number_length(self.bytes.get(start..).unwrap_or_default(), after_dot);
        let end = start + length;
        self.at = end;
        let next = self.byte(end);
        let is_name = |c: u8| c == b'_' || c.is_ascii_alphanumeric() || c >= 0x80;
        let after_point = self.byte(end + 1);
        if length == 0 || is_name(next) || (next == b'.' && !is_name(after_point)) {
            let unexpected =
                if next == b'.' { "'.'".to_owned() } else { format!("{:?}", char::from(next).to_string()) };
            return Err(self.fault(format!("unexpected {unexpected} after a number"), start, end + 1));
        }
        let text = self.source.get(start..end).unwrap_or_default();
        if length > 18 && (text.starts_with("0x") || !text.contains(['.', 'e', 'E'])) {
            let prefix =
                usize::from(matches!(self.byte(start + 1), b'x' | b'X' | b'o' | b'O' | b'b' | b'B')) * 2;
            self.edits.push((start + prefix, length - prefix, "0".repeat(length - prefix)));
        }
        Ok(())
    }

    /// Skips what Python takes for space, such as a no-break space; the parser knows only ASCII's.
    fn space(&mut self) {
        let rest = self.source.get(self.at..).unwrap_or_default();
        for c in rest.chars().take_while(|c| c.is_whitespace()) {
            if !c.is_ascii() {
                self.edits.push((self.at, c.len_utf8(), " ".repeat(c.len_utf8())));
            }
            self.at += c.len_utf8();
        }
    }

    fn word(&mut self) -> &'s str {
        let rest = self.source.get(self.at..).unwrap_or_default();
        let length = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
        // A character that is no part of any word is the parser's to refuse.
        let length = length.max(rest.chars().next().map_or(0, char::len_utf8));
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn wrap(&mut self, tuple: Option<usize>, end: usize) {
        if let Some(start) = tuple {
            self.edits.push((start, 0, "(".to_owned()));
            self.edits.push((end, 0, ")".to_owned()));
        }
    }

    fn fault(&self, message: impl Into<String>, start: usize, end: usize) -> Fault {
        let end = end.min(self.source.len());
        Fault { message: message.into(), span: Span { start: offset(start), end: offset(end) } }
    }

    fn finish(mut self) -> Scanned<'s> {
        if self.edits.is_empty() {
            return Scanned { text: Cow::Borrowed(self.source), inserted: Vec::new() };
        }
        self.edits.sort_by_key(|(at, ..)| *at);
        let mut text = String::with_capacity(self.source.len() + 8);
        let mut inserted = Vec::new();
        let mut done = 0;
        for (at, length, replacement) in &self.edits {
            text.push_str(self.source.get(done..*at).unwrap_or_default());
            text.push_str(replacement);
            done = at + length;
            if *length == 0 {
                inserted.push(*at);
            }
        }
        text.push_str(self.source.get(done..).unwrap_or_default());
        Scanned { text: Cow::Owned(text), inserted }
    }
}

/// Sources are far smaller than 4 GB; a larger one gets wrong places, nothing worse.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expect: &str) {
        let text = match scan_template(source, &Syntax::default()) {
            Ok(scanned) => scanned.text.into_owned(),
            Err(fault) => fault.message,
        };
        assert_eq!(text, expect, "{source}");
    }

    #[test]
    fn escapes_and_long_integers_are_hidden() {
        check(r"a\n {{ 'a\nb' }}", r"a\n {{ 'axxb' }}");
        check(r#"{{ "\"" ~ '\\' }}"#, r#"{{ "xx" ~ 'xx' }}"#);
        check("{{\u{a0}a\u{2003}}}\u{a0}", "{{  a   }}\u{a0}");
        check("{{ 12345678901234567890 + 1 }}", "{{ 00000000000000000000 + 1 }}");
        check(r"{# 'a\ #}{% raw %}{{ 'a\ }}{% endraw %}", r"{# 'a\ #}{% raw %}{{ 'a\ }}{% endraw %}");
    }

    #[test]
    fn bare_tuples_and_unary_plus() {
        check("{{ 1, 2 }}", "{{( 1, 2 )}}");
        check("{{- f(1, 2) -}}", "{{- f(1, 2) -}}");
        check("{% for a, b in x, y if a %}{% endfor %}", "{% for a, b in( x, y )if a %}{% endfor %}");
        check("{% for a in [1, 2] %}{% endfor %}", "{% for a in [1, 2] %}{% endfor %}");
        check("{{ +n + +1 }}", "{{ -n + -1 }}");
        check(
            "{% macro m() %}{% block a scoped %}x{% endblock a %}{% endmacro %}{% block b %}{% endblock b %}",
            "{% macro m() %}{% set   a        %}x{% endset     %}{% endmacro %}{% block b %}{% endblock b %}",
        );
    }

    #[test]
    fn offsets_go_back_to_the_source() {
        let scanned = scan_template("{{1,2}}{{ n }}", &Syntax::default()).ok().unwrap();
        assert_eq!(scanned.text, "{{(1,2)}}{{ n }}");
        for (edited, original) in [(0, 0), (2, 2), (3, 2), (4, 3), (6, 5), (7, 5), (12, 10)] {
            assert_eq!(scanned.original(edited), original, "{edited}");
        }
    }

    #[test]
    fn what_jinja_refuses_is_refused() {
        check("{{ 007 }}", "unexpected \"7\" after a number");
        check("{{ 1. }}", "unexpected '.' after a number");
        check("{{ 1 is number is true }}", "You cannot chain multiple tests with is");
        check("{{ 1 is eq(1) is true }}", "{{ 1 is eq(1) is true }}");
        check("{{ x.is.y is z }}", "{{ x.is.y is z }}");
        check("{{ 'a }}", "unexpected char \"'\" at 3");
    }

    #[test]
    fn too_much_is_refused() {
        let limit = "template exceeds maximum recursion limits";
        check(&format!("{{{{ a{} }}}}", ".b".repeat(500)), limit);
        check(&format!("{{{{ {}a }}}}", "not ".repeat(500)), limit);
        check(&format!("{{{{ {}a }}}}", "- ".repeat(500)), limit);
        check(&format!("{{{{ 1{} }}}}", "+1".repeat(5000)), limit);
        check(&format!("{{{{ 1{} }}}}", " if 1 else 1".repeat(500)), limit);
        check(&format!("{{% if a %}}{}", "{% elif a %}".repeat(500)), limit);
        let long = format!("{{{{ [{}] }}}}", "a.b, ".repeat(5000));
        check(&long, &long);
    }
}
