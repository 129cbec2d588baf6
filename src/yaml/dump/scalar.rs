//! What a string may look like.

/// The ways to write a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// `|`
    Literal,
    /// `>`
    Folded,
    SingleQuoted,
    DoubleQuoted,
}

/// What a string's characters allow, found as libyaml finds it.
#[expect(clippy::struct_excessive_bools, reason = "each is one question about the string")]
pub(super) struct Analysis {
    pub(super) is_multiline: bool,
    pub(super) allow_flow_plain: bool,
    pub(super) allow_block_plain: bool,
    pub(super) allow_single_quoted: bool,
    pub(super) allow_block: bool,
}

/// Whether a text has several lines and nothing that needs escapes.
pub(super) fn is_literal(text: &str, allow_unicode: bool) -> bool {
    text.contains('\n')
        && text
            .split('\n')
            .flat_map(str::chars)
            .all(|c| !is_break(c) && escape(c, allow_unicode).is_none_or(|_| matches!(c, '"' | '\\')))
}

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_space(c: char) -> bool {
    is_break(c) || matches!(c, '\0' | ' ' | '\t' | '\r')
}

impl Analysis {
    pub(super) fn of(text: &str, allow_unicode: bool) -> Self {
        if text.is_empty() {
            return Self {
                is_multiline: false,
                allow_flow_plain: false,
                allow_block_plain: true,
                allow_single_quoted: true,
                allow_block: false,
            };
        }
        let (mut block_indicators, mut flow_indicators) = (false, false);
        let (mut line_breaks, mut special_characters) = (false, false);
        let (mut break_space, mut space_break) = (false, false);
        if text.starts_with("---") || text.starts_with("...") {
            block_indicators = true;
            flow_indicators = true;
        }
        let mut before: Option<char> = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let is_before_space = chars.peek().is_none_or(|next| is_space(*next));
            match (c, before) {
                (
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
                    | '`',
                    None,
                ) => {
                    flow_indicators = true;
                    block_indicators = true;
                }
                ('?', None) | (':', _) => {
                    flow_indicators = true;
                    block_indicators |= is_before_space;
                }
                ('-', None) if is_before_space => {
                    flow_indicators = true;
                    block_indicators = true;
                }
                (',' | '?' | '[' | ']' | '{' | '}', Some(_)) => flow_indicators = true,
                ('#', Some(before)) if is_space(before) => {
                    flow_indicators = true;
                    block_indicators = true;
                }
                _ => {}
            }
            line_breaks |= is_break(c);
            special_characters |= !is_shown(c, allow_unicode) && c != '\n';
            break_space |= c == ' ' && before.is_some_and(is_break);
            space_break |= is_break(c) && before == Some(' ');
            before = Some(c);
        }
        let is_ragged =
            text.starts_with(|c| c == ' ' || is_break(c)) || text.ends_with(|c| c == ' ' || is_break(c));
        let is_hard = space_break || special_characters;
        let allow_plain = !(is_ragged || break_space || is_hard || line_breaks);
        Self {
            is_multiline: line_breaks,
            allow_flow_plain: allow_plain && !flow_indicators,
            allow_block_plain: allow_plain && !block_indicators,
            allow_single_quoted: !break_space && !is_hard,
            allow_block: !is_hard && !text.ends_with(' '),
        }
    }
}

/// Whether a character stands for itself in any style.
fn is_shown(c: char, allow_unicode: bool) -> bool {
    let is_letter = matches!(c, '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}';
    (' '..='~').contains(&c) || (is_letter && allow_unicode)
}

/// A character as a double-quoted string holds it; `None` when it stands for itself.
pub(super) fn escape(c: char, allow_unicode: bool) -> Option<String> {
    let code = c as u32;
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c if is_shown(c, allow_unicode) => return None,
        '\u{a0}' => '_',
        _ if code <= 0xff => return Some(format!("\\x{code:02X}")),
        _ if code <= 0xffff => return Some(format!("\\u{code:04X}")),
        _ => return Some(format!("\\U{code:08X}")),
    };
    Some(format!("\\{short}"))
}
