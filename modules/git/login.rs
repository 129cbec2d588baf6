//! Passwords of git's URLs, on a way to git that no list of processes shows.
//!
//! Git hands a URL on to its helpers as an argument, and one with a password would show there whichever way it came
//! to git. So the URL goes without, and git asks for the password: a helper in the configuration, which the
//! environment holds, answers with what the environment holds, too.

use std::fmt::Write as _;

use crate::kit::System;

/// A user's password at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    /// `https://host:port`.
    server: String,
    user: String,
    pub password: String,
}

impl Login {
    /// The URL without its password, and that, where it has one.
    pub fn split(url: &str) -> (String, Option<Self>) {
        let parts = url.split_once("://").and_then(|(scheme, rest)| {
            let (login, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
            let (login, host) = login.rsplit_once('@')?;
            let (user, password) = login.split_once(':')?;
            // `git+https` is pip's.
            let scheme_of_git = scheme.rsplit_once('+').map_or(scheme, |(_, scheme)| scheme);
            let login = Self {
                server: format!("{scheme_of_git}://{host}"),
                user: user.to_owned(),
                password: password.to_owned(),
            };
            let user = if user.is_empty() { String::new() } else { format!("{user}@") };
            Some((format!("{scheme}://{user}{host}{path}"), login))
        });
        match parts {
            Some((plain, login)) => (plain, Some(login)),
            None => (url.to_owned(), None),
        }
    }

    /// The environment in which git knows them, besides the configuration it has there already.
    pub fn environment(logins: &[Self], sys: &System<'_>) -> Vec<(String, String)> {
        if logins.is_empty() {
            return Vec::new();
        }
        let mut count: usize = sys.env("GIT_CONFIG_COUNT").and_then(|count| count.parse().ok()).unwrap_or(0);
        let mut env = Vec::new();
        let mut set = |env: &mut Vec<(String, String)>, key: String, value: String| {
            env.push((format!("GIT_CONFIG_KEY_{count}"), key));
            env.push((format!("GIT_CONFIG_VALUE_{count}"), value));
            count += 1;
        };
        for (at, login) in logins.iter().enumerate() {
            let key = format!("credential.{}.helper", login.server);
            let (user, password) = (format!("FANFARE_GIT_USER_{at}"), format!("FANFARE_GIT_PASSWORD_{at}"));
            let helper = format!(
                "!f() {{ test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \"${user}\" \"${password}\"; }}; f"
            );
            // The empty one does away with the user's own, which would keep the password.
            set(&mut env, key.clone(), String::new());
            set(&mut env, key, helper);
            env.push((user, decoded(&login.user)));
            env.push((password, decoded(&login.password)));
        }
        env.push(("GIT_CONFIG_COUNT".to_owned(), count.to_string()));
        env
    }
}

/// As a URL means it: `%40` is `@`. What ends a line is left as it is, for it would end what the helper says.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        if let Some(byte) = byte.filter(|byte| !byte.is_ascii_control()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Text without the passwords of the URLs in it.
pub(crate) fn censored(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(after.len());
        let (host, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        match host.rsplit_once('@').and_then(|(login, host)| Some((login.split_once(':')?.0, host))) {
            Some((user, host)) => {
                let _ = write!(out, "{user}:********@{host}");
            }
            None => out.push_str(host),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{Login, censored, decoded};

    #[test]
    fn passwords_are_split_off() {
        for (url, plain, password, server) in [
            ("https://h/x", "https://h/x", None, ""),
            ("https://u@h/x", "https://u@h/x", None, ""),
            ("https://u:p@h:8/x", "https://u@h:8/x", Some("p"), "https://h:8"),
            ("git+https://u:p%40:q@h", "git+https://u@h", Some("p%40:q"), "https://h"),
            ("https://:p@h/x", "https://h/x", Some("p"), "https://h"),
            ("git@h:x:y@z", "git@h:x:y@z", None, ""),
        ] {
            let (split, login) = Login::split(url);
            assert_eq!(split, plain);
            let login = login.map(|login| (login.password, login.server));
            assert_eq!(login, password.map(|password| (password.to_owned(), server.to_owned())), "{url}");
        }
        assert_eq!(decoded("a%40b%0ac%zz%4"), "a@b%0ac%zz%4");
        assert_eq!(
            censored("x https://u:p@h/x http://h:8/a@b:c"),
            "x https://u:********@h/x http://h:8/a@b:c"
        );
    }
}
