//! Cookies: those servers give, and where they go back to.

use crate::kit::Time;
use crate::kit::http::url::Url;

/// The cookies of one chain of requests.
#[derive(Clone, Debug, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    pub name: String,
    /// None where the server gives a name alone.
    pub value: Option<String>,
    host: String,
    /// Set by `Domain`: the hosts below count too.
    for_domain: bool,
    path: String,
    secure: bool,
}

impl Jar {
    /// Keeps what an answer's `Set-Cookie` headers say.
    pub(super) fn take(&mut self, url: &Url, headers: &[(String, String)], now: Time) {
        for (_, value) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            let Some((cookie, expired)) = read(value, url, now) else { continue };
            let known = self.cookies.iter().position(|known| known.is_same(&cookie));
            match (known, expired) {
                (Some(at), true) => drop(self.cookies.remove(at)),
                (None, true) => {}
                // It keeps its place.
                (Some(at), false) => self.cookies.splice(at..=at, [cookie]).for_each(drop),
                (None, false) => self.cookies.push(cookie),
            }
        }
    }

    /// The `Cookie` header for that URL.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let meant = self.cookies.iter().filter(|cookie| cookie.is_for(url));
        let pairs: Vec<String> = meant.map(Cookie::pair).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// All of them: those of a host and path together, in the order they came.
    pub fn cookies(&self) -> Vec<&Cookie> {
        let place = |cookie: &Cookie| {
            self.cookies.iter().position(|one| one.host == cookie.host && one.path == cookie.path)
        };
        let mut all: Vec<&Cookie> = self.cookies.iter().collect();
        all.sort_by_key(|cookie| place(cookie));
        all
    }
}

impl Cookie {
    /// `name=value`
    fn pair(&self) -> String {
        match &self.value {
            Some(value) => format!("{}={value}", self.name),
            None => self.name.clone(),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.host, &self.path) == (&other.name, &other.host, &other.path)
    }

    fn is_for(&self, url: &Url) -> bool {
        let host = url.host.to_ascii_lowercase();
        let host_fits = host == self.host || (self.for_domain && is_below(&host, &self.host));
        let path = if url.path().is_empty() { "/" } else { url.path() };
        let path_fits = path
            .strip_prefix(self.path.as_str())
            .is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        host_fits && path_fits && (!self.secure || url.scheme == "https")
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|start| start.ends_with('.'))
}

/// A `Set-Cookie` header, and whether it takes the cookie away. None for a domain the server may not speak for.
fn read(text: &str, url: &Url, now: Time) -> Option<(Cookie, bool)> {
    let mut parts = text.split(';');
    let pair = parts.next()?.trim();
    let (name, value) = match pair.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
        None => (pair, None),
    };
    if name.is_empty() {
        return None;
    }
    let directory = url.path().rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut cookie = Cookie {
        name: name.to_owned(),
        value,
        host: url.host.to_ascii_lowercase(),
        for_domain: false,
        path: if directory.is_empty() { "/".to_owned() } else { directory.to_owned() },
        secure: false,
    };
    let (mut expires, mut max_age) = (None, None);
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim().trim_matches('"');
        match key.trim().to_ascii_lowercase().as_str() {
            "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
            "secure" => cookie.secure = true,
            "domain" => {
                let domain = value.trim_start_matches('.').to_ascii_lowercase();
                if domain != cookie.host {
                    // A name without a dot is everybody's, an address is nobody's domain.
                    let is_name = !cookie.host.chars().all(|c| c.is_ascii_digit() || ".:[]".contains(c));
                    if !is_name || !domain.contains('.') || !is_below(&cookie.host, &domain) {
                        return None;
                    }
                }
                cookie.for_domain = value.contains('.');
                cookie.host = domain;
            }
            "max-age" => max_age = value.parse::<i64>().ok(),
            "expires" => expires = date(value),
            _ => {}
        }
    }
    let expired = match (max_age, expires) {
        (Some(seconds), _) => seconds <= 0,
        (None, Some(at)) => at <= now.secs,
        (None, None) => false,
    };
    Some((cookie, expired))
}

/// `Wed, 21 Oct 2015 07:28:00 GMT`, also with dashes.
fn date(text: &str) -> Option<i64> {
    let text = text.split_once(',').map_or(text, |(_, rest)| rest).trim().trim_end_matches("GMT").trim();
    let text = text.replace('-', " ");
    let form = if text.split(' ').nth(2)?.len() == 2 { "%d %b %y %H:%M:%S" } else { "%d %b %Y %H:%M:%S" };
    let civil = jiff::civil::DateTime::strptime(form, &text).ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::Jar;
    use crate::kit::Time;
    use crate::kit::http::url::Url;

    fn jar(at: &str, set: &[&str]) -> Jar {
        let headers: Vec<_> = set.iter().map(|set| ("set-cookie".to_owned(), (*set).to_owned())).collect();
        let mut jar = Jar::default();
        jar.take(&Url::parse(at).unwrap(), &headers, Time { secs: 1_700_000_000, ..Time::default() });
        jar
    }

    #[test]
    fn cookies_go_back_to_where_they_are_meant_for() {
        for (set, to, expected) in [
            ("a=b", "http://h.example.com/", Some("a=b")),
            ("a=b; Path=/x", "http://h.example.com/x/y", Some("a=b")),
            ("a=b; Path=/x", "http://h.example.com/xy", None),
            ("a=b", "http://other/", None),
            ("a=b; Domain=example.com", "http://g.example.com/", Some("a=b")),
            ("a=b; Domain=other.com", "http://other.com/", None),
            ("a=b; Domain=com", "http://x.com/", None),
            ("a=b; Secure", "http://h.example.com/", None),
            ("a=b; Secure", "https://h.example.com/", Some("a=b")),
            ("a=b; Max-Age=0", "http://h.example.com/", None),
            ("a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "http://h.example.com/", None),
            ("a=b; Expires=Wed, 21-Oct-15 07:28:00 GMT", "http://h.example.com/", None),
            ("a=b; Expires=Wed, 21 Oct 2099 07:28:00 GMT", "http://h.example.com/", Some("a=b")),
            ("alone", "http://h.example.com/", Some("alone")),
        ] {
            let jar = jar("http://h.example.com/login", &[set]);
            assert_eq!(jar.header(&Url::parse(to).unwrap()).as_deref(), expected, "{set} for {to}");
        }
    }

    #[test]
    fn the_last_of_a_name_counts_and_a_path_stays_together() {
        let set = ["a=1; Path=/x", "b=2", "c=3; Path=/x", "a=4; Path=/x", "b=; Max-Age=0"];
        let names: Vec<String> =
            jar("http://h/", &set).cookies().iter().map(|cookie| cookie.pair()).collect();
        assert_eq!(names, ["a=4", "c=3"]);
    }
}
