use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::edit::{Edit, bad_pattern, pattern, universal};
use crate::kit::regex::Flags;
use crate::kit::{Failure, Result, System};

/// Replaces every match of a pattern in a text file.
///
/// `^` and `$` match at every line; `.` matches no line break.
///
/// # Examples
///
/// ```yaml
/// - name: An old name becomes a new one
///   replace:
///     path: /etc/hosts
///     regexp: '(\s+)old\.host\.name(\s+.*)?$'
///     replace: '\1new.host.name\2'
///
/// - name: Only in one section
///   replace:
///     path: /etc/hosts
///     after: 'Start after line.*'
///     before: 'Start before line.*'
///     regexp: '^(.+)$'
///     replace: '# \1'
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    #[serde(flatten)]
    pub file: Edit,
    /// What to look for.
    pub regexp: String,
    /// What to put in its place; `\1` and `\g<name>` stand for groups. Empty removes the match.
    #[serde(default)]
    pub replace: String,
    /// Only after the first match of this pattern.
    pub after: Option<String>,
    /// Only before the match of this pattern.
    pub before: Option<String>,
}

#[derive(Serialize)]
pub struct Returns {
    msg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    /// Always 0: Ansible says so.
    rc: i32,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let target = args.file.target(sys)?;
    let Some(old) = args.file.read(sys, &target)? else {
        return Err(Failure::new(format!("Path {} does not exist !", args.file.path.text())).with("rc", 257));
    };
    let text = universal(&old);
    let Some((start, end)) = section(&args, &text)? else {
        let wanted = section_pattern(&args).unwrap_or_default();
        let msg = format!("Pattern for before/after params did not match the given file: {wanted}");
        return Ok(Returns { msg, backup_file: None, rc: 0 });
    };
    let flags = Flags { multiline: true, ..Flags::default() };
    let regex = pattern("regexp", &args.regexp, flags)?;
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let (replaced, count) = regex
        .replace(part(start, end), &args.replace, 0)
        .map_err(|error| Failure::new(format!("Unable to process replace due to error: {error}")))?;
    let new = [part(0, start), &replaced, part(end, text.len())].concat();
    let differs = count > 0 && *new != *text;
    let msg = if differs { format!("{count} replacements made") } else { String::new() };
    let (written, msg) = args.file.write(sys, &target, if differs { &new } else { &old }, &msg)?;
    Ok(Returns { msg, backup_file: written.backup_file, rc: 0 })
}

fn section_pattern(args: &Args) -> Option<String> {
    match (&args.after, &args.before) {
        (Some(after), Some(before)) => Some(format!("{after}(?P<subsection>.*?){before}")),
        (Some(after), None) => Some(format!("{after}(?P<subsection>.*)")),
        (None, Some(before)) => Some(format!("(?P<subsection>.*){before}")),
        (None, None) => None,
    }
}

/// The bytes between which to replace; `None` when `after` or `before` match nothing.
fn section(args: &Args, text: &str) -> Result<Option<(usize, usize)>> {
    let Some(source) = section_pattern(args) else { return Ok(Some((0, text.len()))) };
    let regex = pattern("after/before", &source, Flags { dot_all: true, ..Flags::default() })?;
    let found = regex.search(text).map_err(|error| bad_pattern("after/before", &error))?;
    let number = regex.group_number("subsection").unwrap_or(0);
    Ok(found.and_then(|found| found.span(number)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(before: &str, mut args: Json, after: &str, msg: &str) {
        let trial = Trial::of("replace");
        trial.host.file("/f", before);
        args["path"] = json!("/f");
        let result = trial.run(&args);
        assert_eq!(trial.host.read("/f").as_deref(), Some(after), "{args} {result}");
        assert_eq!(result["msg"], msg, "{args}");
        assert_eq!(result["changed"], before != after, "{args}");
    }

    #[test]
    fn replaces() {
        check("a1\nb2\n", json!({"regexp": "[0-9]$", "replace": "x"}), "ax\nbx\n", "2 replacements made");
        check("ab\n", json!({"regexp": "^(a)(b)$", "replace": "\\2\\1"}), "ba\n", "1 replacements made");
        check("ab\n", json!({"regexp": "c"}), "ab\n", "");
        check("a\r\nb\r\n", json!({"regexp": "c"}), "a\r\nb\r\n", "");
        check("a\r\nb\r\n", json!({"regexp": "a$", "replace": "c"}), "c\nb\n", "1 replacements made");
        check(
            "x\na\ny\na\n",
            json!({"regexp": "a", "replace": "b", "after": "y"}),
            "x\na\ny\nb\n",
            "1 replacements made",
        );
        check(
            "a\ny\na\n",
            json!({"regexp": "a", "replace": "b", "before": "y"}),
            "b\ny\na\n",
            "1 replacements made",
        );
        check(
            "a\n",
            json!({"regexp": "a", "replace": "b", "after": "nope"}),
            "a\n",
            "Pattern for before/after params did not match the given file: nope(?P<subsection>.*)",
        );
    }
}
