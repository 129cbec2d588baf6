//! User and password from `~/.netrc`.

use std::path::Path;

use crate::kit::http::url::Url;
use crate::kit::{Result, System};

/// What the file says for the URL's host.
pub(super) fn credentials(url: &Url, sys: &System<'_>) -> Result<Option<(String, String)>> {
    let path = sys.env("NETRC").map_or_else(|| sys.expand("~/.netrc"), Ok)?;
    let text = sys.read_text_if_there(Path::new(&path))?.unwrap_or_default();
    Ok(find(&text, &url.host))
}

fn find(text: &str, host: &str) -> Option<(String, String)> {
    let lines = text.lines().map(|line| if line.trim_start().starts_with('#') { "" } else { line });
    let mut words = lines.flat_map(str::split_whitespace);
    let mut ours = false;
    let (mut login, mut password) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" if ours => break,
            "machine" => ours = words.next() == Some(host),
            "default" => ours = true,
            "login" if ours => login = words.next(),
            "password" if ours => password = words.next(),
            "login" | "password" | "account" => {
                words.next();
            }
            _ => {}
        }
    }
    Some((login?.to_owned(), password.unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_machine_or_the_default_counts() {
        let text = "# machine h login no\nmachine a login x password y\nmachine h\n login u password p\ndefault login d";
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(find(text, "h"), pair("u", "p"));
        assert_eq!(find(text, "other"), pair("d", ""));
        assert_eq!(find("machine a login x", "h"), None);
    }
}
