//! Methods of text.

use super::{argument, expect, int, items_of};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::python_format;
use crate::value::{Dict, Value, positions};

pub(super) const METHODS: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "decode",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

pub(super) fn call(text: &str, name: &str, args: &[Value], named: &Dict) -> Result<Value> {
    match name {
        "format" => return python_format::str_format(text, args, named).map(Value::from),
        "format_map" => {
            expect("str.format_map", args, 1, 1)?;
            let entries = args.first().and_then(Value::as_dict).cloned().unwrap_or_default();
            return python_format::str_format(text, &[], &entries).map(Value::from);
        }
        "split" => return split(text, args, named, false),
        "rsplit" => return split(text, args, named, true),
        "splitlines" => {
            expect("splitlines", args, 0, 1)?;
            let keep = argument(args, named, 0, "keepends").is_some_and(Value::is_truthy);
            return Ok(texts(split_lines(text, keep)));
        }
        "startswith" | "endswith" => return affix(text, name, args),
        "strip" | "lstrip" | "rstrip" => return strip(text, name, args).map(Value::from),
        "find" | "rfind" | "index" | "rindex" => return find(text, name, args),
        "count" => {
            expect(name, args, 1, 3)?;
            let (part, window) = (str_arg(args, 0)?, window(text, args)?);
            let chars = window.1.chars().count();
            return Ok(Value::from(if part.is_empty() { chars + 1 } else { window.1.matches(part).count() }));
        }
        "replace" => return replace(text, args, named).map(Value::from),
        "join" => return join(text, args).map(Value::from),
        "center" | "ljust" | "rjust" | "zfill" => return pad(text, name, args).map(Value::from),
        "expandtabs" => {
            expect(name, args, 0, 1)?;
            let width = argument(args, named, 0, "tabsize").map_or(Ok(8), int)?;
            return Ok(Value::from(expand_tabs(text, usize::try_from(width).unwrap_or(0))));
        }
        "partition" | "rpartition" => {
            expect(&format!("str.{name}"), args, 1, 1)?;
            let separator = non_empty(str_arg(args, 0)?)?;
            let parts = match (name, text.split_once(separator), text.rsplit_once(separator)) {
                ("partition", Some((a, b)), _) | ("rpartition", _, Some((a, b))) => [a, separator, b],
                ("partition", ..) => [text, "", ""],
                _ => ["", "", text],
            };
            return Ok(Value::Tuple(parts.into_iter().map(Value::from).collect::<Vec<_>>().into()));
        }
        "removeprefix" | "removesuffix" => {
            expect(&format!("str.{name}"), args, 1, 1)?;
            let affix = str_arg(args, 0)?;
            let rest =
                if name == "removeprefix" { text.strip_prefix(affix) } else { text.strip_suffix(affix) };
            return Ok(Value::from(rest.unwrap_or(text)));
        }
        "translate" => return translate(text, args).map(Value::from),
        "encode" | "decode" => {
            let encoding = argument(args, named, 0, "encoding").and_then(Value::as_str).unwrap_or("utf-8");
            return match encoding.to_ascii_lowercase().replace('_', "-").as_str() {
                "utf-8" | "utf8" => Ok(Value::from(text)),
                "ascii" | "us-ascii" if text.is_ascii() => Ok(Value::from(text)),
                _ => Err(Diagnostic::new(format!(
                    "text cannot be encoded as {encoding}: only utf-8 is supported"
                ))),
            };
        }
        _ => {}
    }
    expect(&format!("str.{name}"), args, 0, 0)?;
    let all = |test: fn(char) -> bool| Value::Bool(!text.is_empty() && text.chars().all(test));
    Ok(match name {
        "capitalize" => Value::from(capitalize(text)),
        "casefold" => Value::from(text.to_lowercase().replace('ß', "ss")),
        "lower" => Value::from(text.to_lowercase()),
        "upper" => Value::from(text.to_uppercase()),
        "title" => Value::from(title(text)),
        "swapcase" => Value::from(swap_case(text)),
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => Value::Bool(text.is_ascii()),
        "isdecimal" => all(|c| c.is_numeric() && is_decimal(c) && !is_raised(c)),
        "isdigit" => all(|c| c.is_numeric() && is_decimal(c)),
        "isnumeric" => all(char::is_numeric),
        "isspace" => all(char::is_whitespace),
        "isprintable" => Value::Bool(!text.chars().any(char::is_control)),
        "islower" => Value::Bool(cased(text, char::is_lowercase, char::is_uppercase)),
        "isupper" => Value::Bool(cased(text, char::is_uppercase, char::is_lowercase)),
        "istitle" => Value::Bool(title(text) == text && text.chars().any(char::is_alphabetic)),
        "isidentifier" => {
            let mut chars = text.chars();
            let first = chars.next().is_some_and(|c| c == '_' || c.is_alphabetic());
            Value::Bool(first && chars.all(|c| c == '_' || c.is_alphanumeric()))
        }
        _ => return Err(Diagnostic::new(format!("'str' object has no method '{name}'"))),
    })
}

fn texts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::list(parts.into_iter().map(Value::from).collect())
}

fn str_arg(args: &[Value], place: usize) -> Result<&str> {
    match args.get(place) {
        Some(Value::Str(text)) => Ok(text),
        Some(other) => Err(Diagnostic::new(format!("must be str, not {}", other.type_name()))),
        None => Err(Diagnostic::new("missing 1 required positional argument")),
    }
}

fn non_empty(separator: &str) -> Result<&str> {
    if separator.is_empty() { Err(Diagnostic::new("empty separator")) } else { Ok(separator) }
}

/// `split` and `rsplit`: at most so many splits, counted from the start or the end.
fn split(text: &str, args: &[Value], named: &Dict, from_end: bool) -> Result<Value> {
    expect(if from_end { "rsplit" } else { "split" }, args, 0, 2)?;
    let separator = match argument(args, named, 0, "sep") {
        None | Some(Value::None) => None,
        Some(Value::Str(separator)) => Some(non_empty(separator)?),
        Some(other) => {
            return Err(Diagnostic::new(format!("must be str or None, not {}", other.type_name())));
        }
    };
    let most = argument(args, named, 1, "maxsplit").map_or(Ok(-1), int)?;
    let most = usize::try_from(most).unwrap_or(usize::MAX - 1);
    let mut parts: Vec<&str> = match (separator, from_end) {
        (Some(separator), false) => text.splitn(most.saturating_add(1), separator).collect(),
        (Some(separator), true) => text.rsplitn(most.saturating_add(1), separator).collect(),
        (None, _) => split_whitespace(text, most, from_end),
    };
    if from_end && separator.is_some() {
        parts.reverse();
    }
    Ok(texts(parts))
}

fn split_whitespace(text: &str, most: usize, from_end: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let cut = if parts.len() >= most {
            None
        } else if from_end {
            rest.rfind(char::is_whitespace)
        } else {
            rest.find(char::is_whitespace)
        };
        let Some(cut) = cut else {
            parts.push(rest);
            break;
        };
        let (left, right) = rest.split_at(cut);
        if from_end {
            parts.push(right.trim_start());
            rest = left.trim_end();
        } else {
            parts.push(left);
            rest = right.trim_start();
        }
    }
    if from_end {
        parts.reverse();
    }
    parts
}

fn split_lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let is_end = |c: char| {
        matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_end).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        let mark = if after.starts_with("\r\n") { 2 } else { after.chars().next().map_or(0, char::len_utf8) };
        lines.push(if keep_ends { rest.get(..end + mark).unwrap_or(rest) } else { line });
        rest = after.get(mark..).unwrap_or_default();
    }
    lines
}

/// The part of the text between the second and third argument, and where it begins.
fn window<'t>(text: &'t str, args: &[Value]) -> Result<(usize, &'t str)> {
    let bound = |place: usize| match args.get(place) {
        None | Some(Value::None) => Ok(None),
        Some(value) => int(value).map(Some),
    };
    let (start, stop) = (bound(1)?, bound(2)?);
    if start.is_none() && stop.is_none() {
        return Ok((0, text));
    }
    let length = text.chars().count();
    let mut inside = positions(length, start, stop, 1);
    let first = inside.next();
    let count = inside.count() + usize::from(first.is_some());
    let first = first.unwrap_or_else(|| start.and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(length));
    let byte = |place: usize| text.char_indices().nth(place).map_or(text.len(), |(at, _)| at);
    Ok((first, text.get(byte(first)..byte(first + count)).unwrap_or_default()))
}

fn affix(text: &str, name: &str, args: &[Value]) -> Result<Value> {
    expect(name, args, 1, 3)?;
    let (_, text) = window(text, args)?;
    let matches = |affix: &Value| match affix {
        Value::Str(affix) if name == "startswith" => Ok(text.starts_with(&**affix)),
        Value::Str(affix) => Ok(text.ends_with(&**affix)),
        other => Err(Diagnostic::new(format!(
            "{name} first arg must be str or a tuple of str, not {}",
            other.type_name()
        ))),
    };
    let found = match args.first() {
        Some(Value::Tuple(affixes)) => {
            affixes.iter().try_fold(false, |found, affix| Ok(found || matches(affix)?))?
        }
        Some(affix) => matches(affix)?,
        None => false,
    };
    Ok(Value::Bool(found))
}

fn strip(text: &str, name: &str, args: &[Value]) -> Result<String> {
    expect(name, args, 0, 1)?;
    let set = match args.first() {
        None | Some(Value::None) => None,
        Some(Value::Str(set)) => Some(&**set),
        Some(_) => return Err(Diagnostic::new(format!("{name} arg must be None or str"))),
    };
    let goes = |c: char| set.map_or_else(|| c.is_whitespace(), |set| set.contains(c));
    Ok(match name {
        "lstrip" => text.trim_start_matches(goes),
        "rstrip" => text.trim_end_matches(goes),
        _ => text.trim_matches(goes),
    }
    .to_owned())
}

fn find(text: &str, name: &str, args: &[Value]) -> Result<Value> {
    expect(name, args, 1, 3)?;
    let part = str_arg(args, 0)?;
    let (start, inside) = window(text, args)?;
    let found = if name.starts_with('r') { inside.rfind(part) } else { inside.find(part) };
    match found {
        Some(at) => Ok(Value::from(start + inside.get(..at).unwrap_or_default().chars().count())),
        None if name.ends_with("index") => Err(Diagnostic::new("substring not found")),
        None => Ok(Value::Int(-1)),
    }
}

fn replace(text: &str, args: &[Value], named: &Dict) -> Result<String> {
    if args.len() < 2 {
        return Err(Diagnostic::new(format!(
            "replace() takes at least 2 positional arguments ({} given)",
            args.len()
        )));
    }
    expect("replace", args, 2, 3)?;
    let (old, new) = (str_arg(args, 0)?, str_arg(args, 1)?);
    let count = argument(args, named, 2, "count").map_or(Ok(-1), int)?;
    Ok(match usize::try_from(count) {
        Ok(count) => text.replacen(old, new, count),
        Err(_) => text.replace(old, new),
    })
}

fn join(separator: &str, args: &[Value]) -> Result<String> {
    expect("str.join", args, 1, 1)?;
    let items =
        args.first().map(items_of).transpose().map_err(|_| Diagnostic::new("can only join an iterable"))?;
    let items = items.unwrap_or_default();
    let mut out = String::new();
    for (place, item) in items.iter().enumerate() {
        let Value::Str(text) = item else {
            return Err(Diagnostic::new(format!(
                "sequence item {place}: expected str instance, {} found",
                item.type_name()
            )));
        };
        if place > 0 {
            out.push_str(separator);
        }
        out.push_str(text);
    }
    Ok(out)
}

/// The widest text that padding makes.
const MAX_WIDTH: usize = 1 << 24;

fn pad(text: &str, name: &str, args: &[Value]) -> Result<String> {
    expect(name, args, 1, if name == "zfill" { 1 } else { 2 })?;
    let width = args.first().map_or(Ok(0), int)?;
    let width = usize::try_from(width).unwrap_or(0);
    if width > MAX_WIDTH {
        return Err(Diagnostic::new(format!("a width of {width} is too large")));
    }
    let fill = match args.get(1) {
        None => " ",
        Some(Value::Str(fill)) if fill.chars().count() == 1 => fill,
        Some(_) => return Err(Diagnostic::new("The fill character must be exactly one character long")),
    };
    let missing = width.saturating_sub(text.chars().count());
    Ok(match name {
        "ljust" => format!("{text}{}", fill.repeat(missing)),
        "rjust" => format!("{}{text}", fill.repeat(missing)),
        "zfill" => {
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
            format!("{sign}{}{digits}", "0".repeat(missing))
        }
        _ => {
            // Python gives the odd one to the left when the width is odd too.
            let left = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", fill.repeat(left), fill.repeat(missing - left))
        }
    })
}

fn expand_tabs(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = 0_usize;
    for c in text.chars() {
        match c {
            '\t' => {
                let spaces = column.checked_rem_euclid(width).map_or(0, |past| width - past);
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            _ => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}

fn translate(text: &str, args: &[Value]) -> Result<String> {
    expect("str.translate", args, 1, 1)?;
    let Some(table) = args.first().and_then(Value::as_dict) else {
        return Err(Diagnostic::new("translate() needs a dict from character numbers to texts"));
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match table.get_value(&Value::Int(i64::from(u32::from(c)))) {
            None => out.push(c),
            Some(Value::None) => {}
            Some(Value::Str(new)) => out.push_str(new),
            Some(number) => {
                let code = u32::try_from(int(number)?).ok().and_then(char::from_u32);
                out.push(
                    code.ok_or_else(|| Diagnostic::new("character mapping must be in range(0x110000)"))?,
                );
            }
        }
    }
    Ok(out)
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect()
    })
}

fn title(text: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

fn swap_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_uppercase() {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
    }
    out
}

fn cased(text: &str, wanted: fn(char) -> bool, unwanted: fn(char) -> bool) -> bool {
    text.chars().any(wanted) && !text.chars().any(unwanted)
}

/// Digits that make numbers, in any script; not fractions or Roman numerals.
fn is_decimal(c: char) -> bool {
    c.is_ascii_digit()
        || (!c.is_ascii()
            && c.is_numeric()
            && !c.is_alphabetic()
            && !matches!(c, '¼'..='¾' | '\u{2150}'..='\u{218b}'))
}

/// Digits that are no part of a number: raised, lowered, in circles.
fn is_raised(c: char) -> bool {
    matches!(c, '²' | '³' | '¹' | '\u{2070}'..='\u{2089}' | '\u{2460}'..='\u{249b}' | '\u{24ea}'..='\u{24ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, name: &str, args: &[Value], expect: &str) {
        let result = match call(text, name, args, &Dict::new()) {
            Ok(value) => value.repr(),
            Err(error) => error.message().to_owned(),
        };
        assert_eq!(result, expect, "{text:?}.{name}({args:?})");
    }

    fn args<const N: usize>(args: [&str; N]) -> Vec<Value> {
        args.into_iter().map(Value::from).collect()
    }

    #[test]
    fn splitting() {
        check(" a  b ", "split", &[], "['a', 'b']");
        check("", "split", &[], "[]");
        check("", "split", &args([","]), "['']");
        check("a b c", "split", &[Value::None, Value::Int(1)], "['a', 'b c']");
        check("a b c", "rsplit", &[Value::None, Value::Int(1)], "['a b', 'c']");
        check("a,b,c", "split", &[Value::from(","), Value::Int(1)], "['a', 'b,c']");
        check("a,b,c", "rsplit", &[Value::from(","), Value::Int(1)], "['a,b', 'c']");
        check("a,b", "split", &[Value::from(","), Value::Int(0)], "['a,b']");
        check("a", "split", &args([""]), "empty separator");
        check("a", "split", &[Value::Int(1)], "must be str or None, not int");
        check("a\nb\r\nc\n", "splitlines", &[], "['a', 'b', 'c']");
        check("a\nb", "splitlines", &[Value::Bool(true)], "['a\\n', 'b']");
        check("k=v=w", "partition", &args(["="]), "('k', '=', 'v=w')");
        check("k=v=w", "rpartition", &args(["="]), "('k=v', '=', 'w')");
        check("kv", "rpartition", &args(["="]), "('', '', 'kv')");
    }

    #[test]
    fn finding() {
        check("Grüße", "find", &args(["ß"]), "3");
        check("hello", "find", &args(["x"]), "-1");
        check("hello", "index", &args(["x"]), "substring not found");
        check("hello", "rfind", &args(["l"]), "3");
        check("hello", "find", &[Value::from("l"), Value::Int(3)], "3");
        check("hello", "count", &args(["l"]), "2");
        check("abc", "count", &args([""]), "4");
        check("hello", "startswith", &args(["he"]), "True");
        check("hello", "startswith", &[Value::from("l"), Value::Int(2)], "True");
        check(
            "hello",
            "endswith",
            &[Value::Int(1)],
            "endswith first arg must be str or a tuple of str, not int",
        );
    }

    #[test]
    fn shaping() {
        check("a", "center", &[Value::Int(4)], "' a  '");
        check("ab", "center", &[Value::Int(5)], "'  ab '");
        check("-7", "zfill", &[Value::Int(4)], "'-007'");
        check("a\tb", "expandtabs", &[Value::Int(4)], "'a   b'");
        check("foo bar-baz", "title", &[], "'Foo Bar-Baz'");
        check("hELLO wORLD", "capitalize", &[], "'Hello world'");
        check("xxaxx", "strip", &args(["x"]), "'a'");
        check("aaa", "replace", &[Value::from("a"), Value::from("b"), Value::Int(2)], "'bba'");
        check("a", "upper", &[Value::Int(1)], "str.upper() takes no arguments (1 given)");
        check(",", "join", &[Value::list(args(["a", "b"]))], "'a,b'");
        check(
            ",",
            "join",
            &[Value::list(vec![Value::Int(1)])],
            "sequence item 0: expected str instance, int found",
        );
        check("a", "center", &[Value::Int(i64::MAX)], "a width of 9223372036854775807 is too large");
    }

    #[test]
    fn asking() {
        check("42", "isdigit", &[], "True");
        check("", "isdigit", &[], "False");
        check("١", "isdecimal", &[], "True");
        check("aB", "islower", &[], "False");
        check("a1", "islower", &[], "True");
        check("1a", "isidentifier", &[], "False");
    }
}
