use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::edit::{Edit, bad_pattern, bare, lines, pattern, universal};
use crate::kit::regex::{Flags, Regex};
use crate::kit::{Failure, Result, System};

/// Ensures that a line is in a text file, or is not.
///
/// For several lines use `blockinfile`, for other changes `replace`, for whole files `template`.
///
/// # Examples
///
/// ```yaml
/// - name: SELinux is enforcing
///   lineinfile:
///     path: /etc/selinux/config
///     regexp: '^SELINUX='
///     line: SELINUX=enforcing
///     create: yes
///
/// - name: The group wheel is gone from sudoers
///   lineinfile:
///     path: /etc/sudoers
///     state: absent
///     regexp: '^%wheel'
///
/// - name: A line before another
///   lineinfile:
///     path: /etc/services
///     regexp: '^# port for http'
///     insertbefore: '^www.*80/tcp'
///     line: '# port for http by default'
///     create: yes
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["insertbefore", "insertafter"], ["regexp", "search_string"], ["backrefs", "search_string"]]
))]
pub struct Args {
    #[serde(flatten)]
    pub file: Edit,
    /// Whether the line is there.
    #[serde(default)]
    pub state: State,
    /// The line. With `backrefs` it may hold `\1` or `\g<name>`.
    #[schemars(extend("aliases" = ["value"]))]
    pub line: Option<String>,
    /// Which line to replace, or to remove: the last one that matches.
    #[schemars(extend("aliases" = ["regex"]))]
    pub regexp: Option<String>,
    /// As `regexp`, but plain text.
    pub search_string: Option<String>,
    /// Fills groups of `regexp` into `line`; when nothing matches, nothing is changed.
    #[serde(default)]
    pub backrefs: bool,
    /// Puts a new line after the last line that matches, or at the end (`EOF`).
    pub insertafter: Option<String>,
    /// Puts a new line before the last line that matches, or at the beginning (`BOF`).
    pub insertbefore: Option<String>,
    /// Takes the first match instead of the last.
    #[serde(default)]
    pub firstmatch: bool,
    /// Makes the file when there is none.
    #[serde(default)]
    pub create: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Present,
    Absent,
}

#[derive(Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<String>,
    msg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<usize>,
}

const MATCHES_ALL: &str = "is an empty string, which will match every line in the file. This may have unintended \
                           consequences, such as replacing the last line in the file rather than appending.";

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let target = args.file.target(sys)?;
    let old = args.file.read(sys, &target)?;
    if args.state == State::Absent {
        return absent(&args, sys, &target, old);
    }
    let Some(line) = &args.line else { return Err(Failure::new("line is required with state=present")) };
    if args.regexp.as_deref() == Some("") {
        sys.warn(format!(
            "The regular expression {MATCHES_ALL} If this is desired, use '^' to match every line in the file and \
             avoid this warning."
        ));
    }
    if args.search_string.as_deref() == Some("") {
        sys.warn(format!("The search string {MATCHES_ALL}"));
    }
    if args.backrefs && args.regexp.is_none() {
        return Err(Failure::new("regexp is required with backrefs=true"));
    }
    let text = match old {
        Some(text) => text,
        None if args.create => {
            if let Some(parent) = target.parent() {
                sys.make_dirs(parent, None)?;
            }
            String::new()
        }
        None if sys.file_comes_with_package(&target)? => String::new(),
        None => {
            let message = format!("Destination {} does not exist !", args.file.path.text());
            return Err(Failure::new(message).with("rc", 257));
        }
    };
    let (new, msg) = present(&args, line, &universal(&text))?;
    args.file.shape_diff(sys, &text);
    // Unchanged text still gets its attributes.
    let (written, msg) = args.file.write(sys, &target, new.as_deref().unwrap_or(&text), msg)?;
    Ok(Returns { backup: Some(written.backup_file.unwrap_or_default()), msg, found: None })
}

/// The text with the line in it and what was done; `None` when it is as it should be.
fn present(args: &Args, line: &str, text: &str) -> Result<(Option<String>, &'static str)> {
    let mut all: Vec<String> = lines(text).into_iter().map(str::to_owned).collect();
    let regexp = args.regexp.as_deref().map(|text| pattern("regexp", text, Flags::default())).transpose()?;
    let found = match (&regexp, &args.search_string) {
        (Some(regexp), _) => position(&all, args.firstmatch, |line| is_match("regexp", regexp, line))?,
        (None, Some(wanted)) => position(&all, args.firstmatch, |line| Ok(line.contains(wanted.as_str())))?,
        (None, None) => None,
    };
    let exact = all.iter().rposition(|known| bare(known) == line);
    if let Some(index) = found.or(exact.filter(|_| found.is_none())) {
        let Some(slot) = all.get_mut(index) else { return Ok((None, "")) };
        let mut new = match (&regexp, found) {
            (Some(regexp), Some(_)) if args.backrefs => expand(regexp, slot, line)?,
            _ => line.to_owned(),
        };
        if !new.ends_with('\n') {
            new.push('\n');
        }
        if *slot == new {
            return Ok((None, ""));
        }
        *slot = new;
        return Ok((Some(all.concat()), "line replaced"));
    }
    if args.backrefs {
        return Ok((None, ""));
    }
    let at = insertion(args, &all)?;
    let end = all.len();
    if at > 0 && at == end && all.last().is_some_and(|last| !last.ends_with(['\n', '\r'])) {
        all.push("\n".to_owned());
    }
    let at = if at == end { all.len() } else { at };
    all.insert(at, format!("{line}\n"));
    Ok((Some(all.concat()), "line added"))
}

/// Where a new line goes.
fn insertion(args: &Args, all: &[String]) -> Result<usize> {
    let (option, text, after) = match (&args.insertafter, &args.insertbefore) {
        (Some(text), _) => ("insertafter", text, true),
        (None, Some(text)) => ("insertbefore", text, false),
        (None, None) => return Ok(all.len()),
    };
    match text.as_str() {
        "BOF" => return Ok(0),
        "EOF" => return Ok(all.len()),
        _ => {}
    }
    let regex = pattern(option, text, Flags::default())?;
    let found = position(all, args.firstmatch, |line| is_match(option, &regex, line))?;
    Ok(found.map_or(all.len(), |index| index + usize::from(after)))
}

fn position(
    all: &[String],
    first: bool,
    mut matches: impl FnMut(&str) -> Result<bool>,
) -> Result<Option<usize>> {
    let mut found = None;
    for (index, line) in all.iter().enumerate() {
        if matches(line)? {
            found = Some(index);
            if first {
                break;
            }
        }
    }
    Ok(found)
}

fn is_match(option: &str, regex: &Regex, line: &str) -> Result<bool> {
    regex.is_match(line).map_err(|error| bad_pattern(option, &error))
}

fn expand(regex: &Regex, old: &str, line: &str) -> Result<String> {
    let found = regex.search(old).map_err(|error| bad_pattern("regexp", &error))?;
    match found {
        Some(found) => regex.expand(&found, line).map_err(|error| bad_pattern("line", &error)),
        None => Ok(line.to_owned()),
    }
}

fn absent(
    args: &Args,
    sys: &mut System<'_>,
    target: &std::path::Path,
    old: Option<String>,
) -> Result<Returns> {
    let Some(text) = old else {
        return Ok(Returns { backup: None, msg: "file not present".to_owned(), found: None });
    };
    let regexp = args.regexp.as_deref().map(|text| pattern("regexp", text, Flags::default())).transpose()?;
    if regexp.is_none() && args.search_string.is_none() && args.line.is_none() {
        return Err(Failure::new("one of line, search_string, or regexp is required with state=absent"));
    }
    let mut kept = String::with_capacity(text.len());
    let mut found = 0;
    for line in lines(&universal(&text)) {
        let goes = match (&regexp, &args.search_string) {
            (Some(regexp), _) => is_match("regexp", regexp, line)?,
            (None, Some(wanted)) => line.contains(wanted.as_str()),
            (None, None) => args.line.as_deref() == Some(bare(line)),
        };
        if goes {
            found += 1;
        } else {
            kept.push_str(line);
        }
    }
    let msg = if found > 0 { format!("{found} line(s) removed") } else { String::new() };
    args.file.shape_diff(sys, &text);
    let (written, msg) = args.file.write(sys, target, if found > 0 { &kept } else { &text }, &msg)?;
    Ok(Returns { backup: Some(written.backup_file.unwrap_or_default()), msg, found: Some(found) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(before: &str, mut args: Json, after: &str, msg: &str) {
        let trial = Trial::of("lineinfile");
        trial.host.file("/f", before);
        args["path"] = json!("/f");
        let result = trial.run(&args);
        assert_eq!(trial.host.read("/f").as_deref(), Some(after), "{args} {result}");
        assert_eq!(result["msg"], msg, "{args}");
        assert_eq!(result["changed"], before != after, "{args}");
        let again = trial.run(&args);
        if args.get("backrefs").is_none() {
            assert_eq!(again["changed"], false, "{args} again");
        }
    }

    #[test]
    fn lines_are_put_where_they_belong() {
        check("a\nb\n", json!({"line": "c"}), "a\nb\nc\n", "line added");
        check("a\nb", json!({"line": "c"}), "a\nb\nc\n", "line added");
        check("a\nb\n", json!({"line": "b"}), "a\nb\n", "");
        check("x=1\nx=2\n", json!({"line": "x=3", "regexp": "^x="}), "x=1\nx=3\n", "line replaced");
        check(
            "x=1\nx=2\n",
            json!({"line": "x=3", "regexp": "^x=", "firstmatch": true}),
            "x=3\nx=2\n",
            "line replaced",
        );
        check("a\nb\n", json!({"line": "n", "insertafter": "^a"}), "a\nn\nb\n", "line added");
        check("a\nb\n", json!({"line": "n", "insertafter": "^b"}), "a\nb\nn\n", "line added");
        check("a\nb\n", json!({"line": "n", "insertbefore": "^b"}), "a\nn\nb\n", "line added");
        check("a\n", json!({"line": "n", "insertbefore": "BOF"}), "n\na\n", "line added");
        check("a\n", json!({"line": "n", "insertafter": "nothing"}), "a\nn\n", "line added");
        check(
            "ab12\n",
            json!({"line": "\\1-x", "regexp": "([0-9]+)", "backrefs": true}),
            "12-x\n",
            "line replaced",
        );
        check("ab\n", json!({"line": "\\1", "regexp": "([0-9]+)", "backrefs": true}), "ab\n", "");
        check("a[b\n", json!({"line": "z", "search_string": "a[b"}), "z\n", "line replaced");
    }

    #[test]
    fn lines_are_removed() {
        check("a\nb\na\n", json!({"line": "a", "state": "absent"}), "b\n", "2 line(s) removed");
        check("a\nb\n", json!({"regexp": "^c", "state": "absent"}), "a\nb\n", "");
    }

    #[test]
    fn a_missing_file_is_an_error_unless_created() {
        let trial = Trial::of("lineinfile");
        let result = trial.run(&json!({"path": "/none", "line": "a"}));
        assert_eq!(result["failed"], true);
        assert_eq!(result["msg"], "Destination /none does not exist !");
        let result = trial.run(&json!({"path": "/none", "line": "a", "create": true}));
        assert_eq!(result["changed"], true, "{result}");
        assert_eq!(trial.host.read("/none").as_deref(), Some("a\n"));
    }
}
