use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::copy::{How, Returns, place_file};
use crate::kit::charset::Charset;
use crate::kit::{ControlFile, FileAttributes, FilePath, Result, System};

/// Renders a template and puts the result on the target.
///
/// Templates are Jinja's, with all variables of the host. They are rendered on the control node; only what differs
/// travels. In a template `ansible_managed`, `template_host`, `template_path` and their like are set.
///
/// # Examples
///
/// ```yaml
/// - name: A configuration file
///   template:
///     src: /mytemplates/foo.j2
///     dest: /etc/file.conf
///     owner: bin
///     group: wheel
///     mode: '0644'
///
/// - name: The sudoers file, checked before it is put in place
///   template: {src: sudoers.j2, dest: /etc/sudoers, validate: /usr/sbin/visudo -cf %s}
///
/// - name: A template that has braces of its own
///   template:
///     src: report.tex.j2
///     dest: /srv/report.tex
///     variable_start_string: '[['
///     variable_end_string: ']]'
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("words" = {
    "missing required arguments: src": "src and dest are required",
    "missing required arguments: dest": "src and dest are required",
    "missing required arguments: dest, src": "src and dest are required",
}))]
pub struct Args {
    /// The template on the control node.
    #[schemars(extend("control" = "template"))]
    pub src: ControlFile,
    /// Where to put the result. With a trailing slash, or when a directory is there, under the template's own name
    /// in it.
    pub dest: FilePath,
    /// Keeps a copy of the file that is replaced, with the time in its name.
    #[serde(default)]
    pub backup: bool,
    /// Whether a file that is there with other content is replaced.
    #[serde(default = "yes")]
    pub force: bool,
    /// Whether the target of a symbolic link at `dest` is meant; else the link is replaced.
    #[serde(default)]
    pub follow: bool,
    /// A command that must accept the new file before it is put in place, with `%s` for its path.
    pub validate: Option<String>,
    #[serde(flatten)]
    pub rendering: Rendering,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

/// How the control node renders: it reads these from the normalised arguments.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Rendering {
    /// How a block begins.
    pub block_start_string: String,
    /// How a block ends.
    pub block_end_string: String,
    /// How an expression begins.
    pub variable_start_string: String,
    /// How an expression ends.
    pub variable_end_string: String,
    /// How a comment begins.
    pub comment_start_string: String,
    /// How a comment ends.
    pub comment_end_string: String,
    /// Whether the line break after a block is taken away.
    pub trim_blocks: bool,
    /// Whether blanks and tabs before a block are taken away.
    pub lstrip_blocks: bool,
    /// How lines end.
    pub newline_sequence: Newline,
    /// The charset of the result, by its name in Python: `utf-8`, `utf-16`, `latin-1` …
    pub output_encoding: Charset,
}

impl Default for Rendering {
    fn default() -> Self {
        Self {
            block_start_string: "{%".to_owned(),
            block_end_string: "%}".to_owned(),
            variable_start_string: "{{".to_owned(),
            variable_end_string: "}}".to_owned(),
            comment_start_string: "{#".to_owned(),
            comment_end_string: "#}".to_owned(),
            trim_blocks: true,
            lstrip_blocks: false,
            newline_sequence: Newline::Lf,
            output_encoding: Charset::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Newline {
    /// As on Unix.
    #[default]
    #[serde(rename = "\\n")]
    Lf,
    /// As on old Macs.
    #[serde(rename = "\\r")]
    Cr,
    /// As on Windows.
    #[serde(rename = "\\r\\n")]
    CrLf,
}

impl Newline {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::Cr => "\r",
            Self::CrLf => "\r\n",
        }
    }
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let how = How {
        dest: args.dest,
        force: args.force,
        backup: args.backup,
        follow: args.follow,
        directory_mode: None,
        checksum: None,
        validate: args.validate,
        charset: args.rendering.output_encoding,
        attributes: args.attributes,
    };
    place_file(&args.src, how, sys)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Newline, Rendering};
    use crate::find;
    use crate::kit::trial::{Trial, control_file};

    #[test]
    fn puts_what_was_rendered() {
        let trial = Trial::of("template");
        let got =
            trial.lawful(&json!({"src": control_file("x.j2", "hi\n"), "dest": "/etc/", "mode": "0600"}));
        assert_eq!((&got["dest"], &got["mode"]), (&json!("/etc/x.j2"), &json!("0600")));
        assert_eq!(trial.host.read("/etc/x.j2").unwrap(), "hi\n");
    }

    #[test]
    fn the_control_node_reads_how_to_render() {
        let given = json!({"src": "x", "dest": "y", "trim_blocks": "no", "newline_sequence": "\r\n"});
        let exact = find("template").unwrap().spec().normalise(given.as_object().unwrap()).unwrap();
        let single_quoted =
            json!({"src": "x", "dest": "y", "trim_blocks": false, "newline_sequence": "\\r\\n"});
        assert_eq!(
            find("template").unwrap().spec().normalise(single_quoted.as_object().unwrap()).unwrap(),
            exact
        );
        let rendering: Rendering = serde_json::from_value(exact.into()).unwrap();
        let expected =
            Rendering { trim_blocks: false, newline_sequence: Newline::CrLf, ..Rendering::default() };
        assert_eq!(rendering, expected);
    }
}
