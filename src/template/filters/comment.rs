//! `comment`: text as a comment of some language.

use std::borrow::Cow;

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[FilterEntry::new("comment", &["style", "**"], comment)];

/// Decoration of each line, what stands before everything, what after.
const STYLES: &[(&str, &str, &str, &str)] = &[
    ("plain", "# ", "", ""),
    ("erlang", "% ", "", ""),
    ("c", "// ", "", ""),
    ("cblock", " * ", "/*", " */"),
    ("xml", " - ", "<!--", "-->"),
];

fn comment(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let name = args.string("style").unwrap_or("plain".into());
    let Some((_, decoration, beginning, end)) = STYLES.iter().find(|(known, ..)| *known == name) else {
        let known: Vec<&str> = STYLES.iter().map(|(known, ..)| *known).collect();
        return Err(Diagnostic::new(format!("Invalid style '{name}'."))
            .hint(format!("The styles are {}.", known.join(", "))));
    };
    let Value::Str(text) = subject else {
        return Err(Diagnostic::new(format!("'{}' object has no attribute 'replace'", subject.type_name())));
    };
    let option = |name: &str, default: &str| args.string(name).map_or(default.to_owned(), Cow::into_owned);
    let newline = option("newline", "\n");
    let decoration = option("decoration", decoration);
    let bare = decoration.trim_end();
    let (beginning, end) = (option("beginning", beginning), option("end", end));
    let (prefix, postfix) = (option("prefix", bare), option("postfix", bare));
    let count =
        |name: &str| -> Result<usize> { Ok(usize::try_from(args.int(name)?.unwrap_or(1)).unwrap_or(0)) };

    let mut out = String::new();
    if !beginning.is_empty() {
        out.extend([&*beginning, &newline]);
    }
    for _ in 0..count("prefix_count")? {
        match &*prefix {
            "" => {}
            prefix if prefix == newline => out.push_str(&newline),
            prefix => out.extend([prefix, &newline]),
        }
    }
    // A line without text has no blank at its end.
    let lines = format!("{decoration}{}", text.replace(&newline, &format!("{newline}{decoration}")));
    out.push_str(&lines.replace(&format!("{decoration}{newline}"), &format!("{bare}{newline}")));
    for _ in 0..count("postfix_count")? {
        out.extend([&*newline, &*postfix]);
    }
    if !end.is_empty() {
        out.extend([&*newline, &*end]);
    }
    Ok(out.into())
}
