use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::change::Shape;
use crate::kit::{Access, Failure, Result, System, WriteOptions};

/// Manages limits of resources that PAM sets at login.
///
/// A line of the limit keeps its comment; others stay as they are.
///
/// # Examples
///
/// ```yaml
/// - name: Many open files
///   pam_limits: {domain: joe, limit_type: soft, limit_item: nofile, value: 64000}
///
/// - name: At least that much
///   pam_limits: {domain: smith, limit_type: hard, limit_item: fsize, value: 1000000, use_max: true}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// A user, `@group`, `*`, or a range of numbers.
    pub domain: String,
    /// Which limit of the two; `-` for both.
    pub limit_type: LimitType,
    /// What is limited.
    pub limit_item: Item,
    /// The limit; `unlimited`, `infinity` or `-1` for none.
    pub value: String,
    /// Keeps what is there when that is more.
    #[serde(default)]
    pub use_max: bool,
    /// Keeps what is there when that is less.
    #[serde(default)]
    pub use_min: bool,
    /// The file.
    #[serde(default = "usual")]
    pub dest: String,
    /// Keeps a copy of the old file, with the time in its name.
    #[serde(default)]
    pub backup: bool,
    /// A comment behind a new line.
    #[serde(default)]
    pub comment: String,
}

fn usual() -> String {
    "/etc/security/limits.conf".to_owned()
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitType {
    Hard,
    Soft,
    #[serde(rename = "-")]
    Both,
}

impl LimitType {
    fn name(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Both => "-",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Item {
    Core,
    Data,
    Fsize,
    Memlock,
    Nofile,
    Rss,
    Stack,
    Cpu,
    Nproc,
    As,
    Maxlogins,
    Maxsyslogins,
    Priority,
    Locks,
    Sigpending,
    Msgqueue,
    Nice,
    Rtprio,
    Chroot,
}

impl Item {
    fn name(self) -> String {
        let name = serde_json::to_value(self).unwrap_or_default();
        name.as_str().unwrap_or_default().to_owned()
    }
}

#[derive(Serialize)]
pub struct Returns {
    /// The line.
    msg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let path = Path::new(&args.dest);
    let texts = [("domain", &args.domain), ("value", &args.value), ("comment", &args.comment)];
    if let Some((name, _)) = texts.iter().find(|(_, text)| text.contains('\n')) {
        return Err(Failure::new(format!("{name}: it has a line break, and would be two lines of the file")));
    }
    let old = sys.read_to_rewrite(path)?;
    let dir = path.parent().unwrap_or(Path::new("/"));
    if old.is_none() && !(sys.is_dir(dir)? && sys.access(dir, Access::Write)) {
        let dir = dir.display();
        return Err(Failure::new(format!(
            "directory {dir} is not writable (check presence, access rights, use sudo)"
        )));
    }
    if args.use_max && args.use_min {
        return Err(Failure::new("Cannot use use_min and use_max at the same time."));
    }
    let is_level = matches!(args.limit_item, Item::Nice | Item::Priority);
    valid(&args.value, is_level).map_err(|why| {
        let item = args.limit_item.name();
        Failure::new(format!(
            " Value of '{}' for item '{item}' is invalid. Value must {why}. Refer to the limits.conf(5) manual pages for more details.",
            args.value
        ))
    })?;
    let mut limits = Limits { args: &args, line: None };
    let mut text: String =
        old.as_deref().unwrap_or_default().split_inclusive('\n').map(|line| limits.updated(line)).collect();
    let line = limits.line.unwrap_or_else(|| {
        let comment = if args.comment.is_empty() { String::new() } else { format!("\t#{}", args.comment) };
        let line = format!("{}{comment}\n", spelled(&args, &args.value));
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&line);
        line
    });
    sys.shape_diff(Shape::Mapping);
    let options = WriteOptions { backup: args.backup, ..WriteOptions::default() };
    let backup_file = sys.write_with(path, text, &options)?.backup_file;
    Ok(Returns { msg: line, backup_file })
}

/// Whether it is a limit, or what it must be.
fn valid(value: &str, is_level: bool) -> Result<(), &'static str> {
    let number = value.parse::<i64>();
    if is_level {
        return match number {
            Ok(-20..=19) => Ok(()),
            _ => Err("be a number in the range -20 to 19 inclusive"),
        };
    }
    match number {
        Ok(-1..) => Ok(()),
        _ if is_endless(value) => Ok(()),
        _ => Err(
            "either be 'unlimited', 'infinity' or -1, all of which indicate no limit, or a limit of 0 or larger",
        ),
    }
}

fn is_endless(value: &str) -> bool {
    matches!(value, "unlimited" | "infinity" | "-1")
}

fn spelled(args: &Args, value: &str) -> String {
    format!("{}\t{}\t{}\t{value}", args.domain, args.limit_type.name(), args.limit_item.name())
}

struct Limits<'a> {
    args: &'a Args,
    /// The last line of the limit.
    line: Option<String>,
}

impl Limits<'_> {
    /// A line as it should be: another one where it is the limit and has another value.
    fn updated(&mut self, line: &str) -> String {
        let args = self.args;
        let (said, comment) =
            line.split_once('#').map_or((line, None), |(said, rest)| (said, Some(rest.trim_end())));
        let words: Vec<&str> = said.split_whitespace().collect();
        let [domain, limit, item, now] = words.as_slice() else { return line.to_owned() };
        if *domain != args.domain || *limit != args.limit_type.name() || *item != args.limit_item.name() {
            return line.to_owned();
        }
        let value = if self.keeps(now) { now } else { &*args.value };
        let spelled = match comment {
            Some(comment) => format!("{}\t#{comment}\n", spelled(args, value)),
            None => format!("{}\n", spelled(args, value)),
        };
        self.line = Some(spelled.clone());
        if value == *now { line.to_owned() } else { spelled }
    }

    /// Whether what is there stays, being more or less.
    fn keeps(&self, now: &str) -> bool {
        let size = |value: &str| if is_endless(value) { Ok(i64::MAX) } else { value.parse::<i64>() };
        match (size(now), size(&self.args.value)) {
            (Ok(now), Ok(wanted)) => {
                (self.args.use_max && now >= wanted) || (self.args.use_min && now <= wanted)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(before: &str, more: Json, after: &str) {
        let trial = Trial::of("pam_limits");
        trial.host.file("/l", before);
        let mut args = json!({"domain": "joe", "limit_type": "soft", "limit_item": "nofile", "dest": "/l"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        trial.lawful(&args);
        assert_eq!(trial.host.read("/l").unwrap(), after, "{args}");
    }

    #[test]
    fn a_limit_has_its_line() {
        let line = |value: &str| format!("joe\tsoft\tnofile\t{value}\n");
        check("", json!({"value": 5}), &line("5"));
        check("# x", json!({"value": 5, "comment": "why"}), "# x\njoe\tsoft\tnofile\t5\t#why\n");
        check("joe soft nofile 5 # a\nx\n", json!({"value": 6}), "joe\tsoft\tnofile\t6\t# a\nx\n");
        check("joe soft nofile 5\n", json!({"value": 5}), "joe soft nofile 5\n");
        check("#joe soft nofile 5\n", json!({"value": 5}), &format!("#joe soft nofile 5\n{}", line("5")));
        let more = json!({"value": 6, "use_max": true});
        check(&line("5"), more.clone(), &line("6"));
        check(&line("7"), more.clone(), &line("7"));
        check(&line("unlimited"), more, &line("unlimited"));
        let less = json!({"value": 6, "use_min": true});
        check(&line("5"), less.clone(), &line("5"));
        check(&line("-1"), less, &line("6"));
        check(&line("5"), json!({"value": "unlimited", "use_max": true}), &line("unlimited"));
    }

    #[test]
    fn what_is_no_limit_is_an_error() {
        let msg = |more: Json| {
            let mut args = json!({"domain": "joe", "limit_type": "-", "limit_item": "nice", "dest": "/l"});
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            Trial::of("pam_limits").run(&args)["msg"].as_str().unwrap().to_owned()
        };
        assert!(msg(json!({"value": 30})).contains("-20 to 19"));
        assert!(
            msg(json!({"value": "lots", "limit_item": "core"})).contains("'unlimited', 'infinity' or -1")
        );
        let two = json!({"value": 1, "comment": "x\n* - nofile 1"});
        assert_eq!(msg(two), "comment: it has a line break, and would be two lines of the file");
        let both = json!({"value": 1, "use_max": true, "use_min": true});
        assert_eq!(msg(both), "Cannot use use_min and use_max at the same time.");
        assert!(msg(json!({"value": 1, "dest": "/no/l"})).starts_with("directory /no is not writable"));
    }
}
