//! URLs, as far as a download needs them.

use std::fmt::Write as _;

use crate::kit::{Failure, Result};

/// `scheme://user:password@host:port/path?query`, without the fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// In lower case: `http`, `https`, `ftp`, `file`.
    pub scheme: String,
    pub credentials: Option<(String, String)>,
    /// With the brackets of an IPv6 address; empty for `file`.
    pub host: String,
    pub port: Option<u16>,
    /// With the query; starts with `/`, or is empty.
    pub target: String,
}

impl Url {
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| Failure::new(format!("bad URL {}: {why}", hide_credentials(text)));
        if text.chars().any(|c| c.is_control() || c == ' ') {
            return Err(bad("it holds spaces or control characters"));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("it has no scheme"))?;
        let scheme = scheme.to_ascii_lowercase();
        if !["http", "https", "ftp", "file"].contains(&scheme.as_str()) {
            return Err(Failure::new(format!("Request failed: <urlopen error unknown url type: {scheme}>")));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at_checked(at).unwrap_or((rest, "")),
            None => (rest, ""),
        };
        let target = if target.starts_with('?') { format!("/{target}") } else { target.to_owned() };
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((user, address)) => {
                let (name, password) = user.split_once(':').unwrap_or((user, ""));
                (Some((unquote(name), unquote(password))), address)
            }
            None => (None, authority),
        };
        let colon = address.rfind(':').filter(|at| address.rfind(']').is_none_or(|bracket| bracket < *at));
        let (host, port) = match colon.and_then(|at| address.split_at_checked(at)) {
            Some((host, port)) => {
                let port = port.trim_start_matches(':');
                let number = (!port.is_empty()).then(|| port.parse()).transpose();
                (host, number.map_err(|_| bad("the port is no number"))?)
            }
            None => (address, None),
        };
        if host.is_empty() && scheme != "file" {
            return Err(bad("it names no host"));
        }
        Ok(Self { scheme, credentials, host: host.to_owned(), port, target })
    }

    pub fn is_http(&self) -> bool {
        self.scheme == "http" || self.scheme == "https"
    }

    /// Where a redirection leads.
    pub fn join(&self, location: &str) -> Result<Self> {
        let location = location.trim().replace(' ', "%20");
        let base = format!("{}://{}", self.scheme, self.authority());
        if location.split('?').next().is_some_and(|start| start.contains("://")) {
            return Self::parse(&location);
        }
        if location.starts_with("//") {
            return Self::parse(&format!("{}:{location}", self.scheme));
        }
        if location.starts_with('/') {
            return Self::parse(&format!("{base}{location}"));
        }
        let path = self.path();
        if location.starts_with('?') {
            return Self::parse(&format!("{base}{path}{location}"));
        }
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let mut parts: Vec<&str> = dir.split('/').collect();
        let mut rest = location.as_str();
        while let Some((step, more)) = rest.split_once('/').filter(|(step, _)| [".", ".."].contains(step)) {
            if step == ".." && parts.len() > 1 {
                parts.pop();
            }
            rest = more;
        }
        Self::parse(&format!("{base}{}/{rest}", parts.join("/")))
    }

    /// Host and port, as the `Host` header has them.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The last part of the path, decoded. `index.html` when there is none.
    pub fn file_name(&self) -> String {
        let name = unquote(self.path().rsplit('/').next().unwrap_or_default());
        if name.is_empty() || name == "." || name == ".." || name.contains('/') {
            return "index.html".to_owned();
        }
        name
    }

    /// Without credentials: what goes to programs.
    pub fn plain(&self) -> String {
        let slash = if self.target.is_empty() && self.is_http() { "/" } else { "" };
        format!("{}://{}{}{slash}", self.scheme, self.authority(), self.target)
    }

    /// For results and messages.
    pub fn shown(&self) -> String {
        let user = if self.credentials.is_some() { "****:****@" } else { "" };
        format!("{}://{user}{}{}", self.scheme, self.authority(), self.target)
    }
}

fn hide_credentials(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://****:****@{rest}"),
        _ => text.to_owned(),
    }
}

/// Decodes `%41`. What is no UTF-8 then becomes U+FFFD.
pub fn unquote(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let hex = more.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { more.get(2..).unwrap_or_default() } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Encodes text for a form: `a b&c` becomes `a+b%26c`.
pub fn quote_plus(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => quoted.push(byte.into()),
            b' ' => quoted.push('+'),
            _ => {
                let _ = write!(quoted, "%{byte:02X}");
            }
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::{Url, quote_plus};

    #[test]
    fn urls_are_taken_apart() {
        let url = Url::parse("HTTP://u%40x:p:q@[::1]:81/a%20b?c=d#e").unwrap();
        assert_eq!(url.credentials, Some(("u@x".to_owned(), "p:q".to_owned())));
        assert_eq!((url.host.as_str(), url.port, url.target.as_str()), ("[::1]", Some(81), "/a%20b?c=d"));
        assert_eq!(url.file_name(), "a b");
        assert_eq!(url.shown(), "http://****:****@[::1]:81/a%20b?c=d");
        assert_eq!(url.plain(), "http://[::1]:81/a%20b?c=d");
        assert_eq!(Url::parse("http://h").unwrap().file_name(), "index.html");
        for bad in ["h/x", "http://", "http://h:x/", "http://h/a b", "gopher://h/", "http://h/\r\nX: y"] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn forms_are_encoded_as_python_does() {
        assert_eq!(quote_plus("a b&c=/~_.-\u{e9}"), "a+b%26c%3D%2F~_.-%C3%A9");
    }

    #[test]
    fn redirections_are_relative_to_where_they_come_from() {
        let base = Url::parse("http://u:p@h:1/a/b/c?q").unwrap();
        for (location, expected) in [
            ("https://other/x", "https://other/x"),
            ("//other/x", "http://other/x"),
            ("/x?next=http://y/", "http://h:1/x?next=http://y/"),
            ("x", "http://h:1/a/b/x"),
            ("../x", "http://h:1/a/x"),
            ("./x", "http://h:1/a/b/x"),
            ("?z", "http://h:1/a/b/c?z"),
        ] {
            assert_eq!(base.join(location).unwrap().shown(), expected, "{location}");
        }
    }
}
