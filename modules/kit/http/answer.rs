//! What a server said.

use crate::kit::http::cookies::Jar;
use crate::kit::http::url::{Url, unquote};

/// What the server said in the end.
#[derive(Debug)]
pub struct Answer {
    /// Of http only.
    pub status: Option<u16>,
    pub reason: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Where it came from.
    pub url: Url,
    /// The content is in the temporary file.
    pub fetched: bool,
    /// Another URL answered than the one that was asked.
    pub redirected: bool,
    /// What the servers on the way gave to keep.
    pub cookies: Jar,
}

impl Answer {
    pub(super) fn new(status: Option<u16>, reason: String, headers: Vec<(String, String)>, url: Url) -> Self {
        Self { status, reason, headers, url, fetched: false, redirected: false, cookies: Jar::default() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn length(&self) -> Option<u64> {
        self.header("content-length")?.trim().parse().ok()
    }

    pub fn is_packed(&self) -> bool {
        self.header("content-encoding").is_some_and(|how| how.trim().eq_ignore_ascii_case("gzip"))
    }

    /// Where it sends to, when it is a redirection.
    pub fn location(&self) -> Option<&str> {
        self.header("location").filter(|_| matches!(self.status, Some(301 | 302 | 303 | 307 | 308)))
    }

    /// `OK (6 bytes)`, and of what is no success `HTTP Error 404: Not Found`.
    pub fn message(&self) -> String {
        match self.status {
            Some(code) if !(200..300).contains(&code) => {
                let loops = if self.redirected && self.location().is_some() {
                    ": the server redirects without end"
                } else {
                    ""
                };
                format!("HTTP Error {code}: {}{loops}", self.reason)
            }
            _ => format!("OK ({} bytes)", self.header("content-length").unwrap_or("unknown")),
        }
    }

    /// The name the server gives the file, else the last part of the URL.
    pub fn file_name(&self) -> String {
        let given = self.header("content-disposition").and_then(disposition);
        given.unwrap_or_else(|| self.url.file_name())
    }
}

/// The file name of `attachment; filename="x"`. Never a path.
fn disposition(header: &str) -> Option<String> {
    let parameter = |name: &str| {
        header.split(';').skip(1).find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let encoded = || Some(unquote(parameter("filename*")?.rsplit('\'').next()?));
    let name = parameter("filename").or_else(encoded)?;
    let name = name.rsplit(['/', '\\']).next()?.to_owned();
    (!name.is_empty() && name != "." && name != "..").then_some(name)
}

/// Reads a status line.
pub(super) fn status_line(line: &str) -> Option<(u16, String)> {
    let (_, rest) = line.trim().strip_prefix("HTTP/")?.split_once(' ')?;
    let (code, reason) = rest.trim_start().split_once(' ').unwrap_or((rest.trim(), ""));
    Some((code.parse().ok()?, reason.trim().to_owned()))
}

/// Reads a header line.
pub(super) fn header_line(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}
