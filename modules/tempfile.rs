use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fail;
use crate::kit::{Failure, FileAttributes, FileFacts, FilePath, Mode, Result, System, WriteOptions};

/// Makes a temporary file or directory.
///
/// Its name is new each time, so every run makes another one: remove it with `file` when it is no longer needed.
/// Only its owner may read it.
///
/// # Examples
///
/// ```yaml
/// - name: A directory to build in
///   tempfile: {state: directory, suffix: build}
///   register: build
///
/// - name: A file
///   tempfile: {suffix: temp}
///   register: scratch
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What to make.
    #[serde(default)]
    pub state: State,
    /// Where to make it. Without it: `TMPDIR`, else `/tmp`.
    pub path: Option<FilePath>,
    /// How its name begins.
    #[serde(default = "prefix")]
    pub prefix: String,
    /// How its name ends.
    #[serde(default)]
    pub suffix: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A directory.
    Directory,
    /// An empty file.
    #[default]
    File,
}

fn prefix() -> String {
    "ansible.".to_owned()
}

#[derive(Debug, Default, Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(flatten)]
    facts: Option<FileFacts>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'static str>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if sys.is_check() {
        // The name cannot be foretold, and tasks that follow would use one that is never made.
        let msg = Some("remote module (tempfile) does not support check mode");
        return Ok(Returns { skipped: true, msg, ..Returns::default() });
    }
    let dir = match args.path {
        Some(path) => path,
        None => FilePath::from(sys.env("TMPDIR").as_deref().unwrap_or("/tmp")),
    };
    if !matches!(sys.stat_followed(&dir)?, Some(meta) if meta.is_dir()) {
        return Err(Failure::new(format!("cannot make a temporary file in {}: no directory", dir.display())));
    }
    for (option, part) in [("prefix", &args.prefix), ("suffix", &args.suffix)] {
        if part.contains('/') {
            fail!("{option} must be a valid file name component, got '{part}'");
        }
    }
    let path = dir.join(format!("{}{}{}", args.prefix, sys.unique(), args.suffix));
    match args.state {
        State::Directory => {
            sys.make_dirs(&path, Some(0o700))?;
        }
        State::File => {
            let attributes = FileAttributes { mode: Some(Mode::Bits(0o600)), ..FileAttributes::default() };
            let options = WriteOptions { attributes: Some(&attributes), ..WriteOptions::default() };
            sys.write_with(&path, "", &options)?;
        }
    }
    let facts = Some(sys.file_facts(&path, false)?);
    Ok(Returns { path: Some(path.to_string_lossy().into_owned()), facts, ..Returns::default() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn makes_something_new_each_time() {
        let trial = Trial::of("tempfile");
        let first = trial.run(&json!({"suffix": "_x", "prefix": "p"}));
        let second = trial.run(&json!({"state": "directory", "path": "/var"}));
        let path = first["path"].as_str().unwrap();
        assert!(path.starts_with("/tmp/p") && path.ends_with('x'), "{path}");
        assert_eq!(
            (&first["mode"], &first["state"], &first["size"]),
            (&json!("0600"), &json!("file"), &json!(0))
        );
        assert!(second["path"].as_str().unwrap().starts_with("/var/ansible."));
        assert_eq!((&second["mode"], &second["changed"]), (&json!("0700"), &json!(true)));
        assert_ne!(trial.run(&json!({}))["path"], trial.run(&json!({}))["path"]);
        assert_eq!(trial.run(&json!({"path": "/nope"}))["failed"], true);
        assert_eq!(trial.check(&json!({}))["skipped"], true);
    }
}
