//! The proxy the environment names.

use crate::kit::http::url::Url;
use crate::kit::{Result, System};

/// The proxy for that URL, if any.
pub(super) fn of(use_proxy: bool, url: &Url, sys: &System<'_>) -> Result<Option<Url>> {
    if !use_proxy {
        return Ok(None);
    }
    let env = |name: &str| {
        [name.to_owned(), name.to_ascii_uppercase()]
            .iter()
            .find_map(|name| sys.env(name))
            .filter(|v| !v.is_empty())
    };
    let Some(proxy) = env(&format!("{}_proxy", url.scheme)).or_else(|| env("all_proxy")) else {
        return Ok(None);
    };
    if spared(&env("no_proxy").unwrap_or_default(), url) {
        return Ok(None);
    }
    let proxy = if proxy.contains("://") { proxy } else { format!("http://{proxy}") };
    Url::parse(&proxy).map(Some).map_err(|failure| failure.context("the proxy of the environment"))
}

/// Whether `no_proxy` names the host: itself, a domain it is in, or `*`.
fn spared(no_proxy: &str, url: &Url) -> bool {
    let host = url.host.to_ascii_lowercase();
    no_proxy.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).any(
        |name| {
            let domain = name.trim_start_matches('*').trim_start_matches('.');
            name == "*"
                || name == url.authority().to_ascii_lowercase()
                || host == domain
                || (!domain.is_empty() && host.ends_with(&format!(".{domain}")))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::spared;
    use crate::kit::http::url::Url;

    #[test]
    fn some_hosts_are_spared() {
        let url = Url::parse("http://www.Example.com:81/").unwrap();
        for (no_proxy, expected) in [
            ("", false),
            ("*", true),
            ("other, example.com", true),
            (".example.com", true),
            ("*.example.com", true),
            ("www.example.com:81", true),
            ("ample.com", false),
        ] {
            assert_eq!(spared(no_proxy, &url), expected, "{no_proxy}");
        }
    }
}
