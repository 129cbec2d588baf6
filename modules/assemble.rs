use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::edit::bad_pattern;
use crate::kit::regex::{Flags, Regex};
use crate::kit::{
    Algorithm, ControlSource, ControlTree, Failure, FileAttributes, FileFacts, FilePath, Result, System,
    TreeNode, WriteOptions,
};

/// Makes one file out of the files of a directory.
///
/// They are joined in the order of their names.
///
/// # Examples
///
/// ```yaml
/// - name: From fragments
///   assemble:
///     src: /srv/fragments
///     dest: /etc/someapp.conf
///
/// - name: With a line between them
///   assemble:
///     src: /srv/fragments
///     dest: /etc/someapp.conf
///     delimiter: '### START FRAGMENT ###'
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The directory with the files.
    #[schemars(extend("unless" = "remote_src"))]
    pub src: ControlSource,
    /// The file to make.
    pub dest: FilePath,
    /// Whether `src` is on the target.
    #[serde(default = "yes")]
    pub remote_src: bool,
    /// What stands between the files. `\n` and the like are understood.
    pub delimiter: Option<String>,
    /// Only files whose names match are taken.
    pub regexp: Option<String>,
    /// Leaves out files whose names begin with a dot.
    #[serde(default)]
    pub ignore_hidden: bool,
    /// Keeps a copy of the file that is replaced, with the time in its name.
    #[serde(default)]
    pub backup: bool,
    /// A command that must accept the new file before it is put in place, with `%s` for its path.
    pub validate: Option<String>,
    /// Whether vaulted sources are decrypted. Done on the control node.
    #[serde(default = "yes")]
    pub decrypt: bool,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

#[derive(Serialize)]
pub struct Returns {
    src: String,
    dest: String,
    checksum: String,
    md5sum: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'static str>,
    #[serde(flatten)]
    facts: FileFacts,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let regexp = match &args.regexp {
        Some(text) => Some(
            Regex::cached(text, Flags::default())
                .map_err(|error| Failure::new(format!("Invalid Regexp ({error}) in \"{text}\"")))?,
        ),
        None => None,
    };
    let wanted = |name: &str| -> Result<bool> {
        let matches = match &regexp {
            Some(regexp) => regexp.is_match(name).map_err(|error| bad_pattern("regexp", &error))?,
            None => true,
        };
        Ok(matches && !(args.ignore_hidden && name.starts_with('.')))
    };
    if let Some(command) = args.validate.as_ref().filter(|command| !command.contains("%s")) {
        return Err(Failure::new(format!("validate must contain %s: {command}")));
    }
    let delimiter = args.delimiter.as_deref().map(unescape).transpose()?;
    let mut text = Joined { bytes: Vec::new(), delimiter, ended: None };
    let shown = match &args.src {
        ControlSource::Path(path) if args.remote_src => {
            let dir = PathBuf::from(sys.expand(path)?);
            from_target(&dir, wanted, &mut text, sys)?;
            dir.to_string_lossy().into_owned()
        }
        ControlSource::Tree(tree) => {
            from_control(tree, wanted, &mut text, sys)?;
            tree.source.clone()
        }
        ControlSource::File(file) => {
            return Err(Failure::new(format!("Source ({}) is not a directory", file.source)));
        }
        ControlSource::Path(path) => return Err(Failure::new(format!("Source ({path}) does not exist"))),
    };
    let options = WriteOptions {
        attributes: Some(&args.attributes),
        backup: args.backup,
        validate: args.validate.as_deref(),
        ..WriteOptions::default()
    };
    let written = sys.write_with(&args.dest, text.bytes, &options).map_err(|failure| {
        // What is put together on the control node is put in place as by copy.
        let plain = |failure: Failure| failure.without("exit_status").without("stdout").without("stderr");
        if args.remote_src { plain(failure) } else { failure }
    })?;
    Ok(Returns {
        src: shown,
        dest: args.dest.text().into_owned(),
        checksum: sys.checksum(&args.dest, Algorithm::Sha1)?,
        md5sum: sys.checksum(&args.dest, Algorithm::Md5)?,
        backup_file: written.backup_file,
        msg: args.remote_src.then_some("OK"),
        facts: sys.file_facts(&args.dest, false)?,
    })
}

/// What was put together so far.
struct Joined {
    bytes: Vec<u8>,
    delimiter: Option<Vec<u8>>,
    /// Whether the last part ended its line; none yet.
    ended: Option<bool>,
}

impl Joined {
    fn push(&mut self, part: &[u8]) {
        if let Some(ended) = self.ended {
            // An empty part ends no line either.
            if !ended {
                self.bytes.push(b'\n');
            }
            if let Some(delimiter) = &self.delimiter {
                self.bytes.extend_from_slice(delimiter);
                if delimiter.last().is_some_and(|last| *last != b'\n') {
                    self.bytes.push(b'\n');
                }
            }
        }
        self.ended = Some(part.ends_with(b"\n"));
        self.bytes.extend_from_slice(part);
    }
}

fn from_target(
    dir: &Path,
    wanted: impl Fn(&str) -> Result<bool>,
    text: &mut Joined,
    sys: &System<'_>,
) -> Result<()> {
    match sys.stat_followed(dir)? {
        None => return Err(Failure::new(format!("Source ({}) does not exist", dir.display()))),
        Some(meta) if !meta.is_dir() => {
            return Err(Failure::new(format!("Source ({}) is not a directory", dir.display())));
        }
        Some(_) => {}
    }
    for name in sys.list(dir)? {
        let path = dir.join(&name);
        let is_file = sys.stat_followed(&path)?.is_some_and(|meta| meta.is_file());
        if is_file && wanted(&name.to_string_lossy())? {
            text.push(&sys.read(&path)?);
        }
    }
    Ok(())
}

fn from_control(
    tree: &ControlTree,
    wanted: impl Fn(&str) -> Result<bool>,
    text: &mut Joined,
    sys: &mut System<'_>,
) -> Result<()> {
    let mut files: Vec<_> = tree
        .entries
        .iter()
        .filter_map(|entry| match &entry.what {
            TreeNode::File(file) if !entry.path.contains('/') => Some((entry.path.as_str(), file)),
            _ => None,
        })
        .collect();
    files.sort_unstable_by_key(|(name, _)| *name);
    for (name, file) in files {
        if wanted(name)? {
            let part = sys.control_content(file)?;
            text.push(&part);
        }
    }
    Ok(())
}

/// The escapes of Python's bytes. What is none stays as it is.
fn unescape(text: &str) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let plain = match bytes.next() {
            Some(b'\n') => continue,
            Some(byte @ (b'\\' | b'\'' | b'"')) => byte,
            Some(b'a') => 7,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 11,
            Some(b'x') => {
                let mut digit =
                    || bytes.next_if(u8::is_ascii_hexdigit).and_then(|byte| char::from(byte).to_digit(16));
                match (digit(), digit()) {
                    (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or_default(),
                    _ => {
                        return Err(Failure::new(format!(
                            "delimiter: \\x wants two hexadecimal digits: {text}"
                        )));
                    }
                }
            }
            Some(first @ b'0'..=b'7') => {
                let mut value = u32::from(first - b'0');
                for _ in 0..2 {
                    let Some(next) = bytes.next_if(|byte| (b'0'..=b'7').contains(byte)) else { break };
                    value = value * 8 + u32::from(next - b'0');
                }
                // As in Python, of what is more than a byte the lower eight bits count.
                u8::try_from(value & 0xff).unwrap_or_default()
            }
            Some(byte) => {
                out.push(b'\\');
                byte
            }
            None => return Err(Failure::new(format!("delimiter: it ends with a lone \\: {text}"))),
        };
        out.push(plain);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(args: Json, expected: &str) {
        let trial = Trial::of("assemble");
        trial
            .host
            .file("/d/1", "a\n")
            .file("/d/2", "b")
            .file("/d/.h", "h\n")
            .dir("/d/sub")
            .file("/e/1", "a\n")
            .file("/e/2", "")
            .file("/e/3", "b")
            .file("/f", "x");
        let mut args = args;
        args["src"] = args.get("src").cloned().unwrap_or(json!("/d"));
        args["dest"] = json!("/out");
        let result = trial.run(&args);
        if result["failed"] == true {
            assert_eq!(result["msg"], expected);
            return;
        }
        assert_eq!(trial.host.read("/out").unwrap(), expected, "{result:#}");
        trial.lawful(&args);
    }

    #[test]
    fn fragments_are_joined() {
        check(json!({}), "h\na\nb");
        check(json!({"ignore_hidden": true}), "a\nb");
        check(json!({"delimiter": "### x\\n", "ignore_hidden": true}), "a\n### x\nb");
        check(json!({"delimiter": "--"}), "h\n--\na\n--\nb");
        check(json!({"delimiter": "\\x41\\u00e9\\101", "ignore_hidden": true}), "a\nA\\u00e9A\nb");
        check(json!({"delimiter": "\\x4"}), "delimiter: \\x wants two hexadecimal digits: \\x4");
        check(json!({"validate": "true"}), "validate must contain %s: true");
        check(json!({"regexp": "^[2]"}), "b");
        check(json!({"src": "/e"}), "a\n\nb");
        check(json!({"src": "/e", "delimiter": "-"}), "a\n-\n\n-\nb");
        check(json!({"src": "/none"}), "Source (/none) does not exist");
        check(json!({"src": "/f"}), "Source (/f) is not a directory");
    }
}
