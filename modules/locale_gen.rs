use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};
use crate::lineinfile::State;

/// Ensures that locales are there, or are not, on Debian and its kin.
///
/// # Examples
///
/// ```yaml
/// - name: German
///   locale_gen: {name: de_DE.UTF-8, state: present}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The locales, with their encoding: `de_CH.UTF-8`.
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
}

#[derive(Serialize)]
pub struct Returns {
    name: Vec<String>,
    mechanism: &'static str,
    /// Whether locales are those of an Ubuntu of long ago: never.
    ubuntu_mode: bool,
}

const FILE: &str = "/etc/locale.gen";
const SUPPORTED: [&str; 2] = ["/usr/share/i18n/SUPPORTED", "/usr/local/share/i18n/SUPPORTED"];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let path = Path::new(FILE);
    let Some(old) = sys.read_text_if_there(path)? else {
        return Err(Failure::new(format!("{FILE} is missing. Is the package \"locales\" installed?")));
    };
    let mut supported = old.clone();
    for file in SUPPORTED {
        supported.push('\n');
        supported.push_str(&sys.read_text_if_there(Path::new(file))?.unwrap_or_default());
    }
    let there = sys.query(Command::new("locale").arg("-a"))?;
    if !there.ok() {
        return Err(Failure::new(format!("locale -a: {}", there.stderr().trim())).with("rc", there.code));
    }
    let there: Vec<String> = there.stdout().lines().map(normal).collect();
    // What is there needs no entry: C.UTF-8 is in the C library itself.
    let is_unknown = |name: &&str| charset(&supported, name).is_none() && !there.contains(&normal(name));
    let unknown: Vec<&str> = args.name.iter().map(String::as_str).filter(is_unknown).collect();
    if !unknown.is_empty() {
        return Err(Failure::new(format!(
            "The following locales you have entered are not available on your system: {}",
            unknown.join(", ")
        )));
    }
    let present = args.state == State::Present;
    let differing: Vec<&String> =
        args.name.iter().filter(|name| there.contains(&normal(name)) != present).collect();
    if !differing.is_empty() {
        let mut text = old.clone();
        for name in &differing {
            text = if present { with(&text, name, &supported) } else { without(&text, name) };
        }
        sys.write(path, text)?;
        let command = Command::new(sys.need("locale-gen")?);
        sys.exec(command)?;
    }
    Ok(Returns { name: args.name, mechanism: "glibc", ubuntu_mode: false })
}

/// As `locale -a` writes it.
fn normal(name: &str) -> String {
    let (language, encoding) = name.split_once('.').unwrap_or((name, ""));
    let (encoding, modifier) = encoding.split_once('@').unwrap_or((encoding, ""));
    let encoding = encoding.to_lowercase().replace('-', "");
    format!("{language}.{encoding}@{modifier}")
}

/// The locale and its character set on a line, commented out or not.
fn parse(line: &str) -> Option<(&str, &str)> {
    let mut words = line.trim_start_matches(['#', ' ']).split_whitespace();
    let (name, charset) = (words.next()?, words.next()?);
    words.next().is_none().then_some((name, charset))
}

fn charset<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .filter_map(parse)
        .find(|(known, _)| normal(known) == normal(name))
        .map(|(_, charset)| charset)
}

fn with(text: &str, name: &str, supported: &str) -> String {
    let is_it = |line: &str| parse(line).is_some_and(|(known, _)| normal(known) == normal(name));
    let charset = charset(supported, name).unwrap_or_default();
    let line = format!("{name} {charset}");
    if text.lines().any(is_it) {
        return text
            .lines()
            .flat_map(|known| [if is_it(known) { line.as_str() } else { known }, "\n"])
            .collect();
    }
    format!("{text}{}{line}\n", if text.is_empty() || text.ends_with('\n') { "" } else { "\n" })
}

fn without(text: &str, name: &str) -> String {
    let is_it = |line: &str| {
        !line.starts_with('#') && parse(line).is_some_and(|(known, _)| normal(known) == normal(name))
    };
    text.lines().flat_map(|line| [if is_it(line) { "# " } else { "" }, line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(args: &Json, after: &str, ran: bool) {
        let trial = Trial::of("locale_gen");
        trial.host.file("/etc/locale.gen", "# de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n");
        trial.host.answer("locale", 0, "C\nC.utf8\nen_US.utf8\n");
        trial.host.program("/usr/sbin/locale-gen").answer("/usr/sbin/locale-gen", 0, "");
        let result = trial.run(args);
        assert_eq!(result["changed"], ran, "{result}");
        assert_eq!(trial.host.read("/etc/locale.gen").unwrap(), after);
        assert_eq!(trial.host.ran().contains(&"/usr/sbin/locale-gen".to_owned()), ran);
    }

    #[test]
    fn locales_come_and_go() {
        let both = "de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n";
        check(&json!({"name": "de_DE.UTF-8"}), both, true);
        check(&json!({"name": ["de_DE.UTF-8", "en_US.UTF-8"]}), both, true);
        let same = "# de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n";
        check(&json!({"name": "en_US.UTF-8"}), same, false);
        check(&json!({"name": "xx_XX"}), same, false);
        check(&json!({"name": "C.UTF-8"}), same, false);
        check(
            &json!({"name": "en_US.UTF-8", "state": "absent"}),
            "# de_DE.UTF-8 UTF-8\n# en_US.UTF-8 UTF-8\n",
            true,
        );
    }
}
