use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::{Failure, FilePath, Result, System, encode};

/// Reads a file of the target into a variable.
///
/// The content comes as base64, because a file need not be text: use `b64decode`. The whole file passes through
/// memory on both sides; use `fetch` for large ones.
///
/// # Examples
///
/// ```yaml
/// - name: Which key the host has
///   slurp: {src: /etc/hosts}
///   register: hosts
///
/// - name: Text as it is
///   slurp: {src: /etc/passwd, armor: false}
///   register: passwd
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The file to read.
    #[schemars(extend("aliases" = ["path"]))]
    pub src: FilePath,
    /// Whether the content comes as base64. Without, it must be UTF-8.
    #[serde(default = "yes")]
    pub armor: bool,
}

const EACCES: i32 = 13;
const ENOTDIR: i32 = 20;

#[derive(Debug, Serialize)]
pub struct Returns {
    content: String,
    /// `base64` or `utf-8`.
    encoding: &'static str,
    source: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let source = args.src.text().into_owned();
    let bytes =
        sys.read(&args.src).map_err(|failure| match (failure.errno, sys.stat_followed(&args.src)) {
            (Some(EACCES), _) => Failure::new(format!("File is not readable: {source}")),
            (_, Ok(Some(meta))) if meta.is_dir() => {
                Failure::new(format!("Source is a directory and must be a file: {source}"))
            }
            (errno, Ok(None)) if errno != Some(ENOTDIR) => Failure::new(format!("File not found: {source}")),
            _ => Failure::new(format!("Unable to slurp file: {}", failure.msg)),
        })?;
    if args.armor {
        return Ok(Returns { content: encode::base64(&bytes), encoding: "base64", source });
    }
    let content = String::from_utf8(bytes)
        .map_err(|_| Failure::new(format!("{source} is not UTF-8 text: read it with armor: true")))?;
    Ok(Returns { content, encoding: "utf-8", source })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(args: Json, expected: Json) {
        let trial = Trial::of("slurp");
        trial.host.file("/f", "hi\n").file("/b", b"\xff");
        let got = trial.run(&args);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(got.get(key), Some(value), "{key} of {got:#}");
        }
    }

    #[test]
    fn reads_files() {
        check(
            json!({"path": "/f"}),
            json!({"content": "aGkK", "encoding": "base64", "source": "/f", "changed": false}),
        );
        check(json!({"src": "/f", "armor": "no"}), json!({"content": "hi\n", "encoding": "utf-8"}));
        check(json!({"src": "/b"}), json!({"content": "/w=="}));
        check(json!({"src": "/b", "armor": "no"}), json!({"failed": true}));
        check(json!({"src": "/nope"}), json!({"msg": "File not found: /nope"}));
        check(json!({"src": "/etc"}), json!({"msg": "Source is a directory and must be a file: /etc"}));
    }
}
