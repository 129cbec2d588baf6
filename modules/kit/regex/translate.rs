//! From Python's pattern syntax to fancy-regex's.

use super::{Anchor, Flags, RegexError};

/// A pattern in fancy-regex's language. Groups are numbered as in the original and never named.
#[derive(Debug)]
pub(super) struct Translation {
    pub source: String,
    pub groups: usize,
    pub names: Vec<(String, usize)>,
}

/// Translates a pattern. The flags `m`, `s`, `x` and `a` are written out; only `i` is left to the engine.
pub(super) fn translate(pattern: &str, flags: Flags) -> Result<Translation> {
    let mut translator = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        out: String::new(),
        groups: 0,
        names: Vec::new(),
        modes: Modes {
            ignore_case: flags.ignore_case,
            multiline: flags.multiline,
            dot_all: flags.dot_all,
            verbose: false,
            ascii: false,
        },
        open: Vec::new(),
        last: Last::Nothing,
    };
    translator.global_flags()?;
    let lead = if translator.modes.ignore_case { "(?i)" } else { "" };
    translator.run()?;
    let Translator { out, groups, names, .. } = translator;
    let source = match flags.anchor {
        Anchor::Anywhere => format!("{lead}{out}"),
        Anchor::Start => format!(r"{lead}\A(?:{out})"),
        Anchor::Whole => format!(r"{lead}\A(?:{out})\z"),
    };
    Ok(Translation { source, groups, names })
}

#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of `re`")]
struct Modes {
    ignore_case: bool,
    multiline: bool,
    dot_all: bool,
    verbose: bool,
    ascii: bool,
}

/// What a repetition would apply to.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Nothing,
    Item,
    Repeat,
}

struct Open {
    /// Where the parenthesis stands.
    at: usize,
    /// The modes to return to.
    modes: Modes,
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
    groups: usize,
    names: Vec<(String, usize)>,
    modes: Modes,
    open: Vec<Open>,
    last: Last,
}

type Result<T> = std::result::Result<T, RegexError>;

impl Translator {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn take(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let found = self
            .chars
            .get(self.at..self.at + length)
            .is_some_and(|part| part.iter().copied().eq(text.chars()));
        if found {
            self.at += length;
        }
        found
    }

    /// The text up to `end`, which is taken too.
    fn until(&mut self, end: char, missing: &str) -> Result<String> {
        let start = self.at;
        let mut text = String::new();
        loop {
            match self.next() {
                Some(c) if c == end => return Ok(text),
                Some(c) => text.push(c),
                None => return bad(missing, start),
            }
        }
    }

    /// `(?imsx)` in front: the flags of the whole pattern.
    fn global_flags(&mut self) -> Result<()> {
        loop {
            let start = self.at;
            if !self.take("(?") {
                return Ok(());
            }
            let mut modes = self.modes;
            let mut some = false;
            while let Some(flag) = self.peek().filter(|c| "aiLmsux".contains(*c)) {
                self.at += 1;
                some = true;
                if flag == 'L' {
                    return bad("bad inline flags: cannot use 'L' flag with a str pattern", self.at);
                }
                set(&mut modes, flag, true);
            }
            if !some || !self.take(")") {
                self.at = start;
                return Ok(());
            }
            self.modes = modes;
        }
    }

    fn run(&mut self) -> Result<()> {
        while let Some(c) = self.next() {
            let start = self.at - 1;
            if self.modes.verbose {
                if c.is_whitespace() {
                    continue;
                }
                if c == '#' {
                    while self.next().is_some_and(|c| c != '\n') {}
                    continue;
                }
            }
            match c {
                '\\' => self.escape(start)?,
                '[' => self.class(start)?,
                '(' => self.group(start)?,
                ')' => {
                    let Some(open) = self.open.pop() else {
                        return bad("unbalanced parenthesis", start);
                    };
                    self.modes = open.modes;
                    self.item(")");
                }
                '|' => {
                    self.out.push('|');
                    self.last = Last::Nothing;
                }
                '^' => self.place(if self.modes.multiline { "(?m:^)" } else { "^" }),
                '$' => self.place(if self.modes.multiline { "(?m:$)" } else { r"(?=\n?\z)" }),
                '.' => self.item(if self.modes.dot_all { "(?s:.)" } else { "." }),
                '*' | '+' | '?' => self.repeat(&c.to_string(), start)?,
                '{' => match self.counts() {
                    Some(counts) => self.repeat(&counts, start)?,
                    None => self.literal('{'),
                },
                c => self.literal(c),
            }
        }
        match self.open.last() {
            Some(open) => bad("missing ), unterminated subpattern", open.at),
            None => Ok(()),
        }
    }

    fn item(&mut self, text: &str) {
        self.out.push_str(text);
        self.last = Last::Item;
    }

    /// Something that matches a place and so cannot be repeated.
    fn place(&mut self, text: &str) {
        self.out.push_str(text);
        self.last = Last::Nothing;
    }

    fn literal(&mut self, c: char) {
        if r"\.+*?()|[]{}^$".contains(c) {
            self.out.push('\\');
        }
        self.out.push(c);
        self.last = Last::Item;
    }

    fn repeat(&mut self, counts: &str, start: usize) -> Result<()> {
        match self.last {
            Last::Nothing => return bad("nothing to repeat", start),
            Last::Repeat => return bad("multiple repeat", start),
            Last::Item => {}
        }
        self.out.push_str(counts);
        if let Some(kind @ ('?' | '+')) = self.peek() {
            self.at += 1;
            self.out.push(kind);
        }
        self.last = Last::Repeat;
        Ok(())
    }

    /// What follows `{` when it is `m}`, `m,}`, `,n}` or `m,n}`; otherwise the brace is a literal.
    fn counts(&mut self) -> Option<String> {
        let start = self.at;
        let digits = |translator: &mut Self| {
            let mut text = String::new();
            while let Some(c) = translator.peek().filter(char::is_ascii_digit) {
                translator.at += 1;
                text.push(c);
            }
            text
        };
        let low = digits(self);
        let comma = self.take(",");
        let high = if comma { digits(self) } else { String::new() };
        if !self.take("}") || (low.is_empty() && !comma) {
            self.at = start;
            return None;
        }
        let low = if low.is_empty() { "0" } else { &low };
        Some(if comma { format!("{{{low},{high}}}") } else { format!("{{{low}}}") })
    }

    fn escape(&mut self, start: usize) -> Result<()> {
        let Some(c) = self.next() else {
            return bad("bad escape (end of pattern)", start);
        };
        match c {
            'A' => self.place(r"\A"),
            'Z' => self.place(r"\z"),
            'b' => self.place(r"\b"),
            'B' => self.place(r"\B"),
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                let class = self.shorthand(c);
                self.item(&class);
            }
            '0' => {
                let code = self.octal(0, 2);
                self.character(code, start)?;
            }
            '1'..='9' => {
                let mut number = c.to_digit(10).unwrap_or(0);
                if let Some(second) = self.peek().and_then(|c| c.to_digit(10)) {
                    let octal = |digit: Option<char>| digit.is_some_and(|c| ('0'..='7').contains(&c));
                    self.at += 1;
                    if ('0'..='3').contains(&c) && octal(char::from_digit(second, 10)) && octal(self.peek()) {
                        let third = self.next().and_then(|c| c.to_digit(8)).unwrap_or(0);
                        return self.character(number * 64 + second * 8 + third, start);
                    }
                    number = number * 10 + second;
                }
                self.backreference(number as usize, start)?;
            }
            _ => {
                let code = self.escaped_character(c, start)?;
                self.literal(code);
            }
        }
        Ok(())
    }

    fn backreference(&mut self, number: usize, start: usize) -> Result<()> {
        if number > self.groups {
            return bad(&format!("invalid group reference {number}"), start + 1);
        }
        // In a group of its own, so that a digit may follow.
        self.item(&format!(r"(?:\{number})"));
        Ok(())
    }

    fn octal(&mut self, mut code: u32, mut digits: u32) -> u32 {
        while digits > 0
            && let Some(digit) = self.peek().and_then(|c| c.to_digit(8))
        {
            self.at += 1;
            digits -= 1;
            code = code * 8 + digit;
        }
        code
    }

    fn character(&mut self, code: u32, start: usize) -> Result<()> {
        match char::from_u32(code) {
            Some(c) => {
                self.literal(c);
                Ok(())
            }
            None => bad("bad escape: no such character", start),
        }
    }

    /// The single character that `\c` stands for, in a class or outside.
    fn escaped_character(&mut self, c: char, start: usize) -> Result<char> {
        let digits = match c {
            'a' => return Ok('\u{7}'),
            'f' => return Ok('\u{c}'),
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'v' => return Ok('\u{b}'),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            c if c.is_ascii_alphabetic() => return bad(&format!(r"bad escape \{c}"), start),
            c => return Ok(c),
        };
        let mut code = String::new();
        while code.len() < digits
            && let Some(digit) = self.peek().filter(char::is_ascii_hexdigit)
        {
            self.at += 1;
            code.push(digit);
        }
        let value = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
        match value {
            Some(value) if code.len() == digits => Ok(value),
            _ => bad(&format!(r"incomplete escape \{c}{code}"), start),
        }
    }

    /// `\d` and its like, narrowed to ASCII by the flag `a`.
    fn shorthand(&self, c: char) -> String {
        // Python's words have no combining marks, and its white space has separators of ASCII.
        let class = match (c.to_ascii_lowercase(), self.modes.ascii) {
            ('d', true) => "0-9",
            ('d', false) => r"\d",
            ('s', true) => r" \t\n\r\x0b\x0c",
            ('s', false) => r"\s\x1c-\x1f",
            (_, true) => "a-zA-Z0-9_",
            (_, false) => r"\p{L}\p{N}_",
        };
        if c.is_ascii_uppercase() { format!("[^{class}]") } else { format!("[{class}]") }
    }

    fn class(&mut self, start: usize) -> Result<()> {
        let mut class = String::from("[");
        if self.take("^") {
            class.push('^');
        }
        let first = self.at;
        loop {
            let at = self.at;
            let Some(c) = self.next() else {
                return bad("unterminated character set", start);
            };
            if c == ']' && at > first {
                break;
            }
            let low = match self.class_item(c, at)? {
                Ok(low) => low,
                Err(shorthand) => {
                    class.push_str(&shorthand);
                    continue;
                }
            };
            push_member(&mut class, low);
            let ranged = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
            if !ranged {
                continue;
            }
            self.at += 1;
            let high_at = self.at;
            let Some(c) = self.next() else {
                return bad("unterminated character set", start);
            };
            match self.class_item(c, high_at)? {
                Ok(high) if low <= high => {
                    class.push('-');
                    push_member(&mut class, high);
                }
                _ => {
                    let range: String = self.chars.get(at..self.at).unwrap_or_default().iter().collect();
                    return bad(&format!("bad character range {range}"), at);
                }
            }
        }
        class.push(']');
        self.item(&class);
        Ok(())
    }

    /// One member of a class: a character, or a shorthand that stands for several.
    fn class_item(&mut self, c: char, at: usize) -> Result<std::result::Result<char, String>> {
        if c != '\\' {
            return Ok(Ok(c));
        }
        let Some(escaped) = self.next() else {
            return bad("bad escape (end of pattern)", at);
        };
        Ok(match escaped {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Err(self.shorthand(escaped)),
            'b' => Ok('\u{8}'),
            '0'..='7' => {
                let code = self.octal(escaped.to_digit(8).unwrap_or(0), 2);
                Ok(char::from_u32(code).unwrap_or('\0'))
            }
            '8' | '9' => return bad(&format!(r"bad escape \{escaped}"), at),
            c => Ok(self.escaped_character(c, at)?),
        })
    }

    fn group(&mut self, start: usize) -> Result<()> {
        let outer = self.modes;
        let lead = if !self.take("?") {
            self.groups += 1;
            "(".to_owned()
        } else if self.take("P<") {
            let at = self.at;
            let name = self.until('>', "missing >, unterminated name")?;
            if !is_name(&name) {
                return bad(&format!("bad character in group name '{name}'"), at);
            }
            self.groups += 1;
            if let Some((_, first)) = self.names.iter().find(|(known, _)| *known == name) {
                let now = self.groups;
                let message =
                    format!("redefinition of group name '{name}' as group {now}; was group {first}");
                return bad(&message, at);
            }
            self.names.push((name, self.groups));
            "(".to_owned()
        } else if self.take("P=") {
            let at = self.at;
            let name = self.until(')', "missing ), unterminated name")?;
            let number = self.named(&name, at)?;
            return self.backreference(number, start);
        } else if self.take("#") {
            self.until(')', "missing ), unterminated comment")?;
            return Ok(());
        } else if self.take("(") {
            let at = self.at;
            let name = self.until(')', "missing ), unterminated name")?;
            let number = match name.parse() {
                Ok(number) => number,
                Err(_) => self.named(&name, at)?,
            };
            if number == 0 || number > self.groups {
                return bad(&format!("invalid group reference {number}"), at);
            }
            format!("(?({number})")
        } else if let Some(look) = [":", "=", "!", "<=", "<!", ">"].into_iter().find(|look| self.take(look)) {
            format!("(?{look}")
        } else {
            self.scoped_flags(start)?
        };
        self.open.push(Open { at: start, modes: outer });
        self.out.push_str(&lead);
        self.last = Last::Nothing;
        Ok(())
    }

    fn named(&self, name: &str, at: usize) -> Result<usize> {
        match self.names.iter().find(|(known, _)| known == name) {
            Some((_, number)) => Ok(*number),
            None => bad(&format!("unknown group name '{name}'"), at),
        }
    }

    /// `(?i-s:`; returns how the group opens and switches the modes.
    fn scoped_flags(&mut self, start: usize) -> Result<String> {
        let mut modes = self.modes;
        let mut on = true;
        let mut some = false;
        loop {
            match self.next() {
                Some(flag) if "aimsux".contains(flag) => {
                    set(&mut modes, flag, on);
                    some = true;
                }
                Some('-') if on => on = false,
                Some(':') if some => break,
                Some(')') if some && on => {
                    return bad("global flags not at the start of the expression", start);
                }
                Some(c) => {
                    // Python shows what follows `?<` as well.
                    let end = self.at + usize::from(c == '<');
                    let shown: String = self.chars.get(start + 1..end).unwrap_or_default().iter().collect();
                    return bad(&format!("unknown extension {shown}"), start + 1);
                }
                None => return bad("unexpected end of pattern", self.at),
            }
        }
        let lead = match (self.modes.ignore_case, modes.ignore_case) {
            (false, true) => "(?i:",
            (true, false) => "(?-i:",
            _ => "(?:",
        };
        self.modes = modes;
        Ok(lead.to_owned())
    }
}

fn bad<T>(message: &str, at: usize) -> Result<T> {
    Err(RegexError(format!("{message} at position {at}")))
}

fn set(modes: &mut Modes, flag: char, on: bool) {
    match flag {
        'a' => modes.ascii = on,
        'i' => modes.ignore_case = on,
        'm' => modes.multiline = on,
        's' => modes.dot_all = on,
        'x' => modes.verbose = on,
        // `u` is the default.
        _ => {}
    }
}

fn push_member(class: &mut String, c: char) {
    if r"\[]^-&~|".contains(c) {
        class.push('\\');
    }
    class.push(c);
}

pub(super) fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}
