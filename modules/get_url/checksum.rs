//! What the file must be.

use std::path::Path;

use serde_json::Value as Json;

use crate::get_url::Args;
use crate::kit::http::{self, Request, Url};
use crate::kit::{Algorithm, Failure, Result, System};

/// `sha256:b5bb9d80…`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Checksum {
    pub algorithm: Algorithm,
    /// In lower case.
    pub hex: String,
}

impl Checksum {
    /// What the option says; it may name a file to fetch, for which `scratch` is used.
    pub fn wanted(args: &Args, url: &Url, scratch: &Path, sys: &mut System<'_>) -> Result<Option<Self>> {
        let text = args.checksum.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let bad = || {
            let failure = Failure::new("The checksum parameter has to be in format <algorithm>:<checksum>");
            failure.with("checksum_src", Json::Null).with("checksum_dest", Json::Null)
        };
        let (name, sum) = text.split_once(':').ok_or_else(bad)?;
        let algorithm = algorithm(name.trim())?;
        let sum = sum.trim();
        if !["http://", "https://", "ftp://", "file://"].iter().any(|scheme| sum.starts_with(scheme)) {
            let hex = sum.to_ascii_lowercase();
            let good = !hex.is_empty() && hex.chars().all(|c| c.is_ascii_hexdigit());
            return if good { Ok(Some(Self { algorithm, hex })) } else { Err(bad()) };
        }
        let list = Url::parse(sum)?;
        http::download(&args.client(), &Request::get(&list, Some(scratch)), sys)
            .map_err(|failure| failure.with("url", list.shown()))?;
        let text = sys.read_text_if_there(scratch)?.unwrap_or_default();
        sys.discard(scratch)?;
        let file = url.file_name();
        match find(&text, &file) {
            Some(hex) => Ok(Some(Self { algorithm, hex })),
            None => Err(Failure::new(format!(
                "Unable to find a checksum for file '{file}' in '{}'",
                list.shown()
            ))),
        }
    }
}

/// Fails where the option names an algorithm nobody knows.
pub(super) fn known(option: &str) -> Result<()> {
    option.split_once(':').map_or(Ok(()), |(name, _)| algorithm(name.trim()).map(drop))
}

fn algorithm(name: &str) -> Result<Algorithm> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "md5" => Algorithm::Md5,
        "sha1" => Algorithm::Sha1,
        "sha224" => Algorithm::Sha224,
        "sha256" => Algorithm::Sha256,
        "sha384" => Algorithm::Sha384,
        "sha512" => Algorithm::Sha512,
        _ => {
            return Err(Failure::new(format!(
                "checksum: unknown algorithm {name}. Known are: md5, sha1, sha224, sha256, sha384, sha512"
            )));
        }
    })
}

/// The checksum of that file in the text `sha256sum` writes, in BSD's form, or in a file with one checksum and
/// nothing else.
fn find(text: &str, file: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let [only] = lines.as_slice()
        && only.chars().all(|c| c.is_ascii_hexdigit())
    {
        return Some(only.to_ascii_lowercase());
    }
    lines.iter().find_map(|line| {
        if let Some((start, hex)) = line.rsplit_once(") = ") {
            let (_, name) = start.split_once(" (")?;
            return (name == file).then(|| hex.to_ascii_lowercase());
        }
        let (hex, name) = line.split_once(char::is_whitespace)?;
        let name = name.trim_start().trim_start_matches('*');
        (name.trim_start_matches("./") == file).then(|| hex.to_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn checksum_files_have_several_forms() {
        for (text, expected) in [
            ("AB12\n", Some("ab12")),
            ("00  other\nab12  f.txt\n", Some("ab12")),
            ("ab12 *f.txt\n", Some("ab12")),
            ("ab12  ./f.txt", Some("ab12")),
            ("SHA256 (f.txt) = ab12\n", Some("ab12")),
            ("ab12  g.txt\n", None),
            ("", None),
        ] {
            assert_eq!(find(text, "f.txt").as_deref(), expected, "{text:?}");
        }
    }
}
