//! `url`: pages of the web, asked for by the control node.

use std::path::PathBuf;

use fanfare_modules::kit::args::FilePath;
use fanfare_modules::kit::background::Nobody;
use fanfare_modules::kit::http::{self, Client, Follow, HttpOptions, Request, Url};
use fanfare_modules::kit::real::Real;
use fanfare_modules::kit::system::{System, Wishes};
use fanfare_modules::kit::{Failure, Result as ModuleResult};

use super::config;
use super::options::{is_yes, list, number};
use super::search::text;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry {
    name: "url",
    params: &[
        "ca_path",
        "ciphers",
        "follow_redirects",
        "force",
        "force_basic_auth",
        "headers",
        "http_agent",
        "password",
        "split_lines",
        "timeout",
        "unix_socket",
        "unredirected_headers",
        "use_gssapi",
        "use_netrc",
        "use_proxy",
        "username",
        "validate_certs",
    ],
    run: url,
};

fn url(terms: &[Value], args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let question = Question::of(&Options { args, context })?;
    let mut found = Vec::new();
    for term in terms {
        let page = question.ask(text(term)?)?;
        if question.splits {
            found.extend(lines(&page).map(Value::from));
        } else {
            found.push(page.into());
        }
    }
    Ok(found)
}

/// The options, from wherever they may be set: the call, the host's variables, the environment, `ansible.cfg`.
struct Options<'a> {
    args: &'a Args<'a>,
    context: &'a Context<'a>,
}

impl Options<'_> {
    fn get(&self, name: &str) -> Result<Option<Value>> {
        if let Some(given) = self.args.get(name) {
            return Ok(Some(given.clone()).filter(|value| !value.is_none()));
        }
        let set = config::option("lookup", ENTRY.name, name, self.context)?;
        Ok(set.map(|(value, _)| value).filter(|value| !value.is_none()))
    }

    fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.get(name)?.is_some_and(|value| is_yes(&value)))
    }

    fn text(&self, name: &str) -> Result<Option<String>> {
        Ok(self.get(name)?.map(|value| value.to_string()))
    }

    fn list(&self, name: &str) -> Result<Option<Vec<String>>> {
        Ok(self.get(name)?.map(|value| list(&value)))
    }
}

/// How pages are asked for.
struct Question {
    options: HttpOptions,
    /// Whole seconds.
    timeout: u64,
    login: Option<(String, String)>,
    follow: Follow,
    ca_path: Option<PathBuf>,
    unix_socket: Option<PathBuf>,
    headers: Vec<(&'static str, String)>,
    splits: bool,
}

impl Question {
    fn of(given: &Options<'_>) -> Result<Self> {
        let headers = match given.get("headers")? {
            None => None,
            Some(Value::Dict(headers)) => Some(headers.to_json().into_iter().collect()),
            Some(other) => {
                return Err(Diagnostic::new(format!(
                    "Config 'headers' has an invalid value: a dictionary is needed, not {}",
                    other.type_name()
                )));
            }
        };
        let usual = HttpOptions::default();
        let options = HttpOptions {
            headers,
            unredirected_headers: given.list("unredirected_headers")?.unwrap_or_default(),
            http_agent: given.text("http_agent")?.unwrap_or(usual.http_agent),
            force_basic_auth: given.flag("force_basic_auth")?,
            use_gssapi: given.flag("use_gssapi")?,
            use_netrc: given.flag("use_netrc")?,
            use_proxy: given.flag("use_proxy")?,
            validate_certs: given.flag("validate_certs")?,
            client_cert: None::<FilePath>,
            client_key: None,
            ciphers: given.list("ciphers")?,
            decompress: true,
        };
        let password = given.text("password")?.unwrap_or_default();
        let seconds = given.get("timeout")?.map_or(Ok(10.0), |timeout| number(&timeout, "timeout"))?;
        Ok(Self {
            options,
            timeout: whole(seconds),
            login: given.text("username")?.map(|user| (user, password)),
            follow: follow(given.text("follow_redirects")?.as_deref())?,
            ca_path: given.text("ca_path")?.map(PathBuf::from),
            unix_socket: given.text("unix_socket")?.map(PathBuf::from),
            headers: given
                .flag("force")?
                .then(|| ("Cache-Control", "no-cache".to_owned()))
                .into_iter()
                .collect(),
            splits: given.flag("split_lines")?,
        })
    }

    /// The page's text.
    fn ask(&self, url: &str) -> Result<String> {
        let (host, mut nobody) = (Real::new(), Nobody);
        let mut system = System::new(&host, &mut nobody, Wishes::default());
        let scratch = system.scratch(None);
        let asked = self.fetch(url, &scratch, &mut system);
        let cleaned = system.discard(&scratch);
        let content = asked.and_then(|content| cleaned.map(|()| content)).map_err(|failure| {
            Diagnostic::new(format!("Failed lookup url for {} : {}", http::shown(url), failure.msg))
        })?;
        String::from_utf8(content)
            .map_err(|_| Diagnostic::new(format!("The page {} is not UTF-8 text", http::shown(url))))
    }

    fn fetch(&self, url: &str, scratch: &std::path::Path, system: &mut System<'_>) -> ModuleResult<Vec<u8>> {
        let client = Client {
            login: self.login.clone(),
            follow: self.follow,
            ca_path: self.ca_path.as_deref(),
            unix_socket: self.unix_socket.as_deref(),
            ..Client::new(&self.options, self.timeout)
        };
        let url = Url::parse(url)?;
        let request = Request { headers: &self.headers, ..Request::get(&url, Some(scratch)) };
        let answer = http::ask(&client, &request, system)?;
        match answer.status {
            Some(200..300) | None if answer.fetched => system.read(scratch),
            Some(200..300) | None => Ok(Vec::new()),
            Some(_) => Err(Failure::new(answer.message())),
        }
    }
}

/// Seconds without a fraction, rounded up.
fn whole(seconds: f64) -> u64 {
    std::time::Duration::try_from_secs_f64(seconds.ceil()).map_or(1, |time| time.as_secs().max(1))
}

fn follow(how: Option<&str>) -> Result<Follow> {
    Ok(match how {
        None | Some("urllib2") => Follow::Urllib2,
        Some("all" | "yes") => Follow::All,
        Some("none" | "no") => Follow::None,
        Some("safe") => Follow::Safe,
        Some(other) => {
            return Err(Diagnostic::new(format!("Invalid value '{other}' for 'follow_redirects'"))
                .hint("It takes all, none, safe or urllib2."));
        }
    })
}

/// The lines of a page; characters that are line ends only in some scripts are none here.
fn lines(page: &str) -> impl Iterator<Item = &str> {
    let mut rest = page;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(end) = rest.find(['\n', '\r']) else { return Some(std::mem::take(&mut rest)) };
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = after.strip_prefix("\r\n").or_else(|| after.get(1..)).unwrap_or_default();
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn lines_end_as_in_bytes() {
        assert_eq!(lines("a\r\nb\rc\n\nd").collect::<Vec<_>>(), ["a", "b", "c", "", "d"]);
        assert_eq!(lines("a\u{2028}b\n").collect::<Vec<_>>(), ["a\u{2028}b"]);
        assert_eq!(lines("").count(), 0);
    }
}
