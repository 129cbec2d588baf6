mod document;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::document::{Document, Section, Wish};
use crate::command::yes;
use crate::kit::change::Shape;
use crate::kit::{Failure, FileAttributes, FileFacts, FilePath, Result, System, WriteOptions};
use crate::lineinfile::State;

/// Ensures that an INI file has an option, or has it not.
///
/// # Examples
///
/// ```yaml
/// - name: An option in a section
///   ini_file:
///     path: /etc/someapp.ini
///     section: drinks
///     option: fav
///     value: lemonade
///     mode: '0600'
///
/// - name: Several values of one option
///   ini_file:
///     path: /etc/someapp.ini
///     section: drinks
///     option: beverage
///     values: [coke, pepsi]
///
/// - name: No such section
///   ini_file: {path: /etc/someapp.ini, section: food, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["value", "values"]]))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// The file.
    #[schemars(extend("aliases" = ["dest"]))]
    pub path: FilePath,
    /// The section; without one the lines before the first.
    pub section: Option<String>,
    /// Among several sections of that name the one that has these options with these values.
    #[serde(default)]
    pub section_has_values: Vec<Has>,
    /// The option; without one the section as a whole.
    pub option: Option<String>,
    /// Its value.
    pub value: Option<String>,
    /// Its values, each on a line of its own.
    pub values: Option<Vec<String>>,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// Whether other values of the option go.
    #[serde(default = "yes")]
    pub exclusive: bool,
    /// Puts no blanks around `=`.
    #[serde(default)]
    pub no_extra_spaces: bool,
    /// Leaves a line as it is that differs in blanks around `=` only.
    #[serde(default)]
    pub ignore_spaces: bool,
    /// Makes the file when there is none.
    #[serde(default = "yes")]
    pub create: bool,
    /// Allows an option without a value.
    #[serde(default)]
    pub allow_no_value: bool,
    /// Whether a line that is commented out is taken for the option.
    #[serde(default = "yes")]
    pub modify_inactive_option: bool,
    /// Whether the file a symbolic link points to is meant; else the link is replaced.
    #[serde(default)]
    pub follow: bool,
    /// Keeps a copy of the old file, with the time in its name.
    #[serde(default)]
    pub backup: bool,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

/// What tells sections of one name apart.
#[derive(Deserialize, JsonSchema)]
pub struct Has {
    /// The option.
    pub option: String,
    /// Its value.
    pub value: Option<String>,
    /// Its values.
    pub values: Option<Vec<String>>,
}

#[derive(Serialize)]
pub struct Returns {
    path: String,
    msg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(flatten)]
    facts: FileFacts,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let values =
        args.values.clone().or_else(|| args.value.clone().map(|value| vec![value])).unwrap_or_default();
    let present = args.state == State::Present;
    if present && values.is_empty() && !args.allow_no_value {
        return Err(Failure::new(
            "Parameter 'value(s)' must be defined if state=present and allow_no_value=False.",
        ));
    }
    let mut path: PathBuf = args.path.0.clone();
    if args.follow && sys.exists(&path)? {
        path = sys.resolve(&path)?;
    }
    let old = sys.read_text_if_there(&path)?;
    if old.is_none() && !args.create {
        return Err(Failure::new(format!("Destination {} does not exist!", path.display())).with("rc", 257));
    }
    if let Some(parent) = path.parent()
        && old.is_none()
        && present
    {
        sys.make_dirs(parent, None)?;
    }
    let mut document = Document::parse(old.as_deref().unwrap_or_default());
    let wish = Wish {
        option: args.option.as_deref(),
        values: &values,
        exclusive: args.exclusive,
        tight: args.no_extra_spaces,
        ignore_spaces: args.ignore_spaces,
        inactive: args.modify_inactive_option,
    };
    let required: Vec<Wish<'_>> = args
        .section_has_values
        .iter()
        .map(|has| {
            let values = has.values.as_deref().or(has.value.as_ref().map(std::slice::from_ref));
            Wish { option: Some(&has.option), values: values.unwrap_or_default(), ..wish }
        })
        .collect();
    let section = Section { name: args.section.as_deref().unwrap_or_default(), required: &required };
    let msg = if present { document.ensure(&section, &wish) } else { document.remove(&section, &wish) };
    // A link that is replaced by a file leaves it the permissions of its target: nobody else is to read it now.
    let new_mode = sys.stat_followed(&path)?.map(|meta| meta.mode);
    sys.shape_diff(Shape::Parts);
    let options = WriteOptions {
        attributes: Some(&args.attributes),
        backup: args.backup,
        new_mode,
        ..WriteOptions::default()
    };
    let mut backup_file = None;
    if old.is_some() || msg != "OK" {
        backup_file = sys.write_with(&path, document.text(), &options)?.backup_file;
    }
    let facts = sys.file_facts(&path, false)?;
    Ok(Returns { path: path.to_string_lossy().into_owned(), msg, backup_file, facts })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(before: &str, mut args: Json, after: &str, msg: &str) {
        let trial = Trial::of("ini_file");
        trial.host.file("/f", before);
        args["path"] = json!("/f");
        let result = trial.lawful(&args);
        assert_eq!(trial.host.read("/f").unwrap(), after, "{args}");
        assert_eq!(result["msg"], msg, "{args}");
    }

    #[test]
    fn options() {
        let set = |option: &str, value: &str| json!({"section": "s", "option": option, "value": value});
        check("", set("a", "1"), "\n[s]\na = 1\n", "section and option added");
        check("", json!({"option": "a", "value": "1"}), "a = 1\n\n", "option added");
        check("[s]\na = 1\n", set("a", ""), "[s]\na = \n", "option changed");
        check("[s]\na = 1\n", set("a", "1"), "[s]\na = 1\n", "OK");
        check("[s]\na=0\n\n[t]\na = 2\n", set("a", "1"), "[s]\na = 1\n\n[t]\na = 2\n", "option changed");
        check("[s]\na = 1\n\n[t]\n", set("b", "2"), "[s]\na = 1\nb = 2\n\n[t]\n", "option added");
        check("[s]\n#a = 0\n", set("a", "1"), "[s]\na = 1\n", "option changed");
        check("[t]\nx = 1", set("a", "1"), "[t]\nx = 1\n[s]\na = 1\n", "section and option added");
        check("x = 1\n[s]\n", json!({"option": "a", "value": "1"}), "x = 1\na = 1\n[s]\n", "option added");
        check(
            "[s]\na=1\n",
            json!({"section": "s", "option": "a", "value": "1", "ignore_spaces": true}),
            "[s]\na=1\n",
            "OK",
        );
        check(
            "[s]\n",
            json!({"section": "s", "option": "a", "value": "1", "no_extra_spaces": true}),
            "[s]\na=1\n",
            "option added",
        );
        check(
            "[s]\na = 1\na = 2\na = 3\n",
            json!({"section": "s", "option": "a", "values": ["2", "4"]}),
            "[s]\na = 4\na = 2\n",
            "option changed",
        );
        check(
            "[s]\na = 1\n",
            json!({"section": "s", "option": "a", "value": "2", "exclusive": false}),
            "[s]\na = 1\na = 2\n",
            "option added",
        );
        check(
            "[s]\n",
            json!({"section": "s", "option": "skip", "allow_no_value": true}),
            "[s]\nskip\n",
            "option added",
        );
    }

    #[test]
    fn other_lines_of_the_option() {
        let set = |args: Json| {
            let mut all = json!({"section": "s", "option": "f"});
            all.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
            all
        };
        let one = || set(json!({"value": "v"}));
        check("[s]\n#f = w\nx\nf = q\n; f = y\n", one(), "[s]\nf = v\nx\n", "option changed");
        check("[s]\n#f = w\nf = v\n", one(), "[s]\nf = v\n", "option changed");
        check("[s]\n#f\n## f = v\n", one(), "[s]\nf = v\n#f\n## f = v\n", "option added");
        check("[ s ] # x\nf=v\n", one(), "[ s ] # x\nf = v\n", "option changed");
        check(" [s]\n", one(), " [s]\n[s]\nf = v\n", "section and option added");
        let two = || set(json!({"values": ["v", "w", "v"]}));
        check("[s]\nf = q\n#f = w\n", two(), "[s]\nf = v\nf = w\n", "option changed");
        let active = || set(json!({"value": "v", "modify_inactive_option": false}));
        check("[s]\n#f = w\nf = q\n", active(), "[s]\n#f = w\nf = v\n", "option changed");
        let beside = || set(json!({"value": "v", "exclusive": false}));
        check("[s]\n#f = w\n#f = v\n", beside(), "[s]\n#f = w\nf = v\n", "option changed");
        let bare = || set(json!({"allow_no_value": true}));
        check("[s]\nf = v\nf = w\n", bare(), "[s]\nf\nf = w\n", "option changed");
        let gone = || set(json!({"state": "absent", "exclusive": false}));
        check("[s]\nf = v\n", gone(), "[s]\nf = v\n", "OK");
        let some = || set(json!({"state": "absent", "exclusive": false, "value": "v"}));
        check("[s]\n#f = v\nf = v\nf = w\n", some(), "[s]\n#f = v\nf = w\n", "option changed");
    }

    #[test]
    fn sections_of_one_name() {
        let before = "[s]\na = 1\n[s]\na = 2\n";
        let set = |has: Json| json!({"section": "s", "option": "b", "value": "3", "section_has_values": has});
        let second = "[s]\na = 1\n[s]\na = 2\nb = 3\n";
        check(before, set(json!([{"option": "a", "value": "2"}])), second, "option added");
        check(before, set(json!([{"option": "a"}])), "[s]\na = 1\nb = 3\n[s]\na = 2\n", "option added");
        check(before, set(json!([{"option": "a", "values": ["3", "2"]}])), second, "option added");
        let new = "[s]\na = 1\n[s]\na = 2\n[s]\nn = x\nn = y\nb = 3\n";
        check(before, set(json!([{"option": "n", "values": ["x", "y"]}])), new, "section and option added");
    }

    #[test]
    fn a_link_leaves_the_permissions_of_its_target() {
        let trial = Trial::of("ini_file");
        trial.host.file("/t", "[s]\n").link("/l", "/t");
        trial.host.set_mode_of("/t", 0o600);
        trial.run(&json!({"path": "/l", "section": "s", "option": "a", "value": "1"}));
        let meta = trial.host.meta("/l").unwrap();
        assert_eq!((meta.is_file(), meta.mode), (true, 0o600));
    }

    #[test]
    fn removing() {
        let before = "[s]\na = 1\nb = 2\n[t]\nc = 3\n";
        check(before, json!({"section": "s", "state": "absent"}), "[t]\nc = 3\n", "section removed");
        let a = json!({"section": "s", "option": "a", "state": "absent"});
        check(before, a, "[s]\nb = 2\n[t]\nc = 3\n", "option changed");
        check(before, json!({"section": "x", "option": "a", "state": "absent"}), before, "OK");
        let section = json!({"section": "s", "allow_no_value": true});
        check("a\n", section, "a\n[s]\n", "only section added");
        let gone =
            json!({"section": "s", "state": "absent", "section_has_values": [{"option": "a", "value": "1"}]});
        check("[s]\na = 2\n[s]\na = 1\n[t]\n", gone.clone(), "[s]\na = 2\n[t]\n", "section removed");
        check("[s]\na = 2\n", gone, "[s]\na = 2\n", "OK");
    }

    #[test]
    fn a_value_is_needed() {
        assert_eq!(Trial::of("ini_file").run(&json!({"path": "/f", "option": "a"}))["failed"], true);
    }
}
