//! Asking servers: native HTTP, else what the target has for it (curl, wget), through redirections, proxies and for
//! passwords. Nothing secret reaches the arguments of a program.

mod answer;
mod cookies;
mod curl;
mod native;
mod netrc;
mod options;
mod proxy;
mod request;
mod url;
mod wget;
pub mod wire;

use std::path::Path;

pub use self::answer::Answer;
pub use self::cookies::Cookie;
pub use self::options::HttpOptions;
pub use self::request::{Client, Follow, Request, ask, http_date};
pub use self::url::{Url, quote_plus};
use crate::kit::{Failure, Result, System};

/// Downloads to a temporary file, with the usual options. No change by itself.
pub fn fetch(url: &str, to: &Path, validate_certs: bool, sys: &mut System<'_>) -> Result<()> {
    let options = HttpOptions { validate_certs, ..HttpOptions::default() };
    let client = Client::new(&options, 10);
    download(&client, &Request::get(&Url::parse(url)?, Some(to)), sys).map(drop)
}

/// The content of a URL, read into memory. No change by itself.
pub fn content(url: &str, validate_certs: bool, sys: &mut System<'_>) -> Result<Vec<u8>> {
    let scratch = sys.scratch(None);
    let fetched = fetch(url, &scratch, validate_certs, sys).and_then(|()| sys.read(&scratch));
    let cleaned = sys.discard(&scratch);
    fetched.and_then(|content| cleaned.map(|()| content))
}

/// Asks for content: an answer that is none (and not "unchanged", where that was asked) is an error.
pub fn download(client: &Client<'_>, request: &Request<'_>, sys: &mut System<'_>) -> Result<Answer> {
    let answer = ask(client, request, sys)?;
    let unchanged = || request.headers.iter().any(|(name, _)| *name == "If-Modified-Since");
    match answer.status {
        None | Some(200) => Ok(answer),
        Some(304) if unchanged() => Ok(answer),
        Some(code) => {
            Err(Failure::new("Request failed").with("response", answer.message()).with("status_code", code))
        }
    }
}

/// A URL as it may show: without user and password.
pub fn shown(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.shown())
}
