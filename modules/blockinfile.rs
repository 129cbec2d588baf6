use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::edit::{Edit, bad_pattern, bare, lines, pattern};
use crate::kit::regex::Flags;
use crate::kit::{Failure, Result, System};
use crate::lineinfile::State;

/// Ensures that a block of lines, surrounded by marker lines, is in a text file, or is not.
///
/// Give each block of a file its own `marker`.
///
/// # Examples
///
/// ```yaml
/// - name: A user may connect only from one network
///   blockinfile:
///     path: /etc/ssh/sshd_config
///     append_newline: true
///     prepend_newline: true
///     create: yes
///     block: |
///       Match User ansible-agent
///       PasswordAuthentication no
///
/// - name: HTML has other comments
///   blockinfile:
///     path: /var/www/html/index.html
///     create: yes
///     marker: "<!-- {mark} ANSIBLE MANAGED BLOCK -->"
///     insertafter: "<body>"
///     block: |
///       <h1>Welcome</h1>
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["insertbefore", "insertafter"]]))]
pub struct Args {
    #[serde(flatten)]
    pub file: Edit,
    /// Whether the block is there.
    #[serde(default)]
    pub state: State,
    /// The lines between the markers. When empty the block is removed.
    #[serde(default)]
    #[schemars(extend("aliases" = ["content"]))]
    pub block: String,
    /// The marker line; `{mark}` becomes `marker_begin` or `marker_end`. It must differ between the two.
    #[serde(default = "marker")]
    pub marker: String,
    /// What `{mark}` is in the line before the block.
    #[serde(default = "begin")]
    pub marker_begin: String,
    /// What `{mark}` is in the line after the block.
    #[serde(default = "end")]
    pub marker_end: String,
    /// Puts a new block after the last match of this pattern, or at the end (`EOF`, the default).
    pub insertafter: Option<String>,
    /// Puts a new block before the last match of this pattern, or at the beginning (`BOF`).
    pub insertbefore: Option<String>,
    /// Makes the file when there is none.
    #[serde(default)]
    pub create: bool,
    /// Whether an empty line follows the block.
    #[serde(default)]
    pub append_newline: bool,
    /// Whether an empty line comes before the block.
    #[serde(default)]
    pub prepend_newline: bool,
}

fn marker() -> String {
    "# {mark} ANSIBLE MANAGED BLOCK".to_owned()
}

fn begin() -> String {
    "BEGIN".to_owned()
}

fn end() -> String {
    "END".to_owned()
}

#[derive(Serialize)]
pub struct Returns {
    msg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let target = args.file.target(sys)?;
    let old = args.file.read(sys, &target)?;
    let is_new = old.is_none();
    let wanted = args.state == State::Present && !args.block.is_empty();
    let text = match old {
        Some(text) => text,
        None if !args.create && sys.file_comes_with_package(&target)? => String::new(),
        None if !args.create => return Err(missing(&args)),
        None if args.state == State::Absent => {
            let msg = format!("File {} not present", args.file.path.text());
            return Ok(Returns { msg, backup_file: None });
        }
        None => {
            if let Some(parent) = target.parent() {
                sys.make_dirs(parent, None)?;
            }
            String::new()
        }
    };
    let (new, msg) = edited(&args, &text, wanted)?;
    args.file.shape_diff(sys, &text);
    let msg = if is_new { "File created" } else { msg };
    let (written, msg) = args.file.write(sys, &target, &new, msg)?;
    Ok(Returns { msg, backup_file: written.backup_file })
}

fn missing(args: &Args) -> Failure {
    Failure::new(format!("Path {} does not exist !", args.file.path.text())).with("rc", 257)
}

/// The text with the block where and as it should be, and what was done.
fn edited(args: &Args, text: &str, wanted: bool) -> Result<(String, &'static str)> {
    let begin = args.marker.replace("{mark}", &args.marker_begin);
    let end = args.marker.replace("{mark}", &args.marker_end);
    let mut all: Vec<String> = lines(text).into_iter().map(str::to_owned).collect();
    let block: Vec<String> = if wanted {
        let body = lines(&args.block)
            .into_iter()
            .map(|line| format!("{}\n", line.strip_suffix('\n').unwrap_or(line)));
        std::iter::once(format!("{begin}\n")).chain(body).chain([format!("{end}\n")]).collect()
    } else {
        Vec::new()
    };
    let first = all.iter().rposition(|line| bare(line) == begin);
    let last = all.iter().rposition(|line| bare(line) == end);
    let at = match (first, last) {
        // Markers out of order: the lines between them are the block all the same.
        (Some(a), Some(b)) => {
            all.drain(a.min(b)..=a.max(b));
            a.min(b)
        }
        _ if wanted => insertion(args, text)?,
        _ => 0,
    };
    if !wanted {
        if let Some(end) = all.last_mut().filter(|end| !end.ends_with('\n')) {
            end.push('\n');
        }
        let new = all.concat();
        let msg = if new == text { "" } else { "Block removed" };
        return Ok((new, msg));
    }
    if at > 0
        && let Some(before) = all.get_mut(at - 1)
        && !before.ends_with('\n')
    {
        before.push('\n');
    }
    let mut at = at;
    if args.prepend_newline && at > 0 && all.get(at - 1).is_some_and(|line| !bare(line).is_empty()) {
        all.insert(at, "\n".to_owned());
        at += 1;
    }
    let after = at + block.len();
    all.splice(at..at, block);
    if args.append_newline && all.get(after).is_some_and(|line| !bare(line).is_empty()) {
        all.insert(after, "\n".to_owned());
    }
    let new = all.concat();
    let msg = if new == text { "" } else { "Block inserted" };
    Ok((new, msg))
}

/// Before which line a new block goes.
fn insertion(args: &Args, text: &str) -> Result<usize> {
    let all = lines(text);
    let (option, source, after) = match (&args.insertafter, &args.insertbefore) {
        (Some(source), _) => ("insertafter", source, true),
        (None, Some(source)) => ("insertbefore", source, false),
        (None, None) => return Ok(all.len()),
    };
    match source.as_str() {
        "BOF" => return Ok(0),
        "EOF" => return Ok(all.len()),
        _ => {}
    }
    let spans_lines = source.contains("(?m)") || source.contains("(?s)");
    let regex = pattern(option, source, Flags::default())?;
    if spans_lines {
        // The pattern may match over several lines: the block goes by the end, or the start, of the last match.
        let found = regex.find_all(text).map_err(|error| bad_pattern(option, &error))?;
        let Some(found) = found.last() else { return Ok(all.len()) };
        let offset = if after { found.end() } else { found.start() };
        let before = text.get(..offset).unwrap_or_default();
        let count = lines(before).len();
        return Ok(if after || before.ends_with('\n') || before.is_empty() { count } else { count - 1 });
    }
    let mut place = None;
    for (index, line) in all.iter().enumerate() {
        if regex.is_match(line).map_err(|error| bad_pattern(option, &error))? {
            place = Some(index + usize::from(after));
        }
    }
    Ok(place.unwrap_or(all.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const BEGIN: &str = "# BEGIN ANSIBLE MANAGED BLOCK\n";
    const END: &str = "# END ANSIBLE MANAGED BLOCK\n";

    fn check(before: &str, mut args: Json, after: &str) {
        let trial = Trial::of("blockinfile");
        trial.host.file("/f", before);
        args["path"] = json!("/f");
        let result = trial.run(&args);
        assert_eq!(trial.host.read("/f").as_deref(), Some(after), "{args} {result}");
        assert_eq!(result["changed"], before != after, "{args}");
        assert_eq!(trial.run(&args)["changed"], false, "{args} again");
    }

    #[test]
    fn blocks() {
        check("a\n", json!({"block": "x\ny"}), &format!("a\n{BEGIN}x\ny\n{END}"));
        check("a", json!({"block": "x"}), &format!("a\n{BEGIN}x\n{END}"));
        check("a\nb\n", json!({"block": "x", "insertafter": "^a"}), &format!("a\n{BEGIN}x\n{END}b\n"));
        check("a\nb\n", json!({"block": "x", "insertbefore": "^b"}), &format!("a\n{BEGIN}x\n{END}b\n"));
        check("a\n", json!({"block": "x", "insertbefore": "BOF"}), &format!("{BEGIN}x\n{END}a\n"));
        check(
            &format!("a\n{BEGIN}old\n{END}b\n"),
            json!({"block": "new"}),
            &format!("a\n{BEGIN}new\n{END}b\n"),
        );
        check(&format!("a\n{BEGIN}old\n{END}b\n"), json!({"state": "absent"}), "a\nb\n");
        check(&format!("a\n{BEGIN}old\n{END}b\n"), json!({"block": ""}), "a\nb\n");
        check(
            "a\nb\n",
            json!({"block": "x", "insertafter": "^a", "append_newline": true, "prepend_newline": true}),
            &format!("a\n\n{BEGIN}x\n{END}\nb\n"),
        );
    }
}
