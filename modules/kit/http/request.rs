//! One question and its chain: redirections, and servers that ask for passwords.

use std::path::{Path, PathBuf};

use crate::kit::encode::base64;
use crate::kit::http::answer::Answer;
use crate::kit::http::cookies::Jar;
use crate::kit::http::options::HttpOptions;
use crate::kit::http::url::{Url, unquote};
use crate::kit::http::{curl, native, netrc, proxy, wget};
use crate::kit::{Failure, Result, System, Time};

const MAX_REDIRECTS: usize = 10;

/// How servers are asked.
#[derive(Clone, Debug)]
pub struct Client<'a> {
    pub options: &'a HttpOptions,
    /// Seconds to wait for a connection, and for more to come.
    pub timeout: u64,
    /// User and password, where a module is given them.
    pub login: Option<(String, String)>,
    pub follow: Follow,
    /// Certificates to believe in, as a PEM file.
    pub ca_path: Option<&'a Path>,
    /// Where to connect to, whatever the URL says.
    pub unix_socket: Option<&'a Path>,
}

/// Which redirections are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    All,
    None,
    /// Those of questions that change nothing.
    Safe,
    /// As Python's urllib2: by another GET.
    Urllib2,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub url: &'a Url,
    pub method: &'a str,
    pub headers: &'a [(&'a str, String)],
    /// A file on the target with what is sent.
    pub body: Option<&'a Path>,
    /// Where the content goes: a temporary file.
    pub to: Option<&'a Path>,
}

/// One request of the chain.
pub(super) struct Hop<'a> {
    pub client: &'a Client<'a>,
    pub url: &'a Url,
    pub method: &'a str,
    pub headers: Vec<(String, String)>,
    pub body: Option<&'a Path>,
    pub to: Option<&'a Path>,
    pub proxy: Option<Url>,
    pub login: Login<'a>,
}

/// How curl is to authenticate, beyond headers.
#[derive(Clone, Copy)]
pub(super) enum Login<'a> {
    None,
    Password(&'a str, &'a str),
    Digest(&'a str, &'a str),
    Kerberos(Option<(&'a str, &'a str)>),
}

impl<'a> Client<'a> {
    pub fn new(options: &'a HttpOptions, timeout: u64) -> Self {
        Self { options, timeout, login: None, follow: Follow::All, ca_path: None, unix_socket: None }
    }
}

impl<'a> Request<'a> {
    /// Without a place for the content, only the head is asked for.
    pub fn get(url: &'a Url, to: Option<&'a Path>) -> Self {
        let method = if to.is_some() { "GET" } else { "HEAD" };
        Self { url, method, headers: &[], body: None, to }
    }
}

impl Hop<'_> {
    /// Where the content goes, of an answer that has some.
    pub fn place(&self) -> Option<&Path> {
        self.to.filter(|_| self.method != "HEAD")
    }

    /// Without a body, whether the server must be told that there is none.
    pub fn lacks_body(&self) -> bool {
        self.body.is_none() && ["POST", "PUT", "PATCH"].contains(&self.method)
    }
}

impl Follow {
    /// The method to follow a redirection with; None for those that are not followed.
    fn method(self, code: u16, method: &str) -> Option<&str> {
        let safe = method == "GET" || method == "HEAD";
        match self {
            Self::Safe if !safe => None,
            Self::Urllib2 if safe || (method == "POST" && code <= 303) => Some("GET"),
            Self::None | Self::Urllib2 => None,
            Self::All | Self::Safe => Some(match code {
                302 | 303 if method != "HEAD" => "GET",
                301 if method == "POST" => "GET",
                _ => method,
            }),
        }
    }

    /// Whether what was sent is sent again.
    fn repeats(self, code: u16) -> bool {
        self != Self::Urllib2 && code >= 307
    }
}

/// Asks, and follows where the server sends to.
pub fn ask(client: &Client<'_>, request: &Request<'_>, sys: &mut System<'_>) -> Result<Answer> {
    if request.url.scheme == "file" {
        return local(request, sys);
    }
    let options = client.options;
    certificate(options, sys)?;
    let mut headers = headers(options, request.headers)?;
    let given = client.login.clone().or_else(|| request.url.credentials.clone());
    let known =
        if given.is_none() && options.use_netrc { netrc::credentials(request.url, sys)? } else { None };
    let mut at_once = options.force_basic_auth || known.is_some();
    let mut digest = false;
    let credentials = given.or(known);
    let (mut at, mut method, mut body) = (request.url.clone(), request.method, request.body);
    let mut left = MAX_REDIRECTS;
    let mut cookies = Jar::default();
    loop {
        let trusted = is_same(request.url, &at);
        let login = credentials.as_ref().filter(|_| trusted).map(|(user, password)| (&**user, &**password));
        let mut hop = Hop {
            client,
            url: &at,
            method,
            headers: headers.clone(),
            body,
            to: request.to,
            proxy: proxy::of(options.use_proxy && client.unix_socket.is_none(), &at, sys)?,
            login: Login::None,
        };
        match login {
            login if options.use_gssapi && trusted => hop.login = Login::Kerberos(login),
            Some((user, password)) if !at.is_http() => hop.login = Login::Password(user, password),
            Some((user, password)) if digest => hop.login = Login::Digest(user, password),
            Some((user, password)) if at_once => {
                let basic = format!("Basic {}", base64(format!("{user}:{password}").as_bytes()));
                hop.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
                hop.headers.push(("Authorization".to_owned(), basic));
            }
            _ => {}
        }
        if !hop.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            hop.headers.extend(cookies.header(&at).map(|cookie| ("Cookie".to_owned(), cookie)));
        }
        let mut answer = fetch(&hop, sys)?;
        cookies.take(&at, &answer.headers, sys.now());
        let next = match (answer.status, answer.location()) {
            (Some(code), Some(location)) if left > 0 => {
                client.follow.method(code, method).map(|next| (code, next, location))
            }
            _ => None,
        };
        if let Some((code, next, location)) = next {
            let url = at.join(location)?;
            if !url.is_http() {
                return Err(Failure::new(format!("Request failed: redirected to {}", url.shown())));
            }
            let stays = is_same(&at, &url);
            let again = client.follow.repeats(code);
            let is =
                |name: &str, those: &[&str]| those.iter().any(|one| name.eq_ignore_ascii_case(one.trim()));
            headers.retain(|(name, _)| {
                (stays || !is(name, &["authorization", "cookie"]))
                    && (again || !is(name, &["content-type", "content-length", "transfer-encoding"]))
                    && !options.unredirected_headers.iter().any(|one| is(name, &[one]))
            });
            body = body.filter(|_| again);
            left -= 1;
            (at, method) = (url, next);
            continue;
        }
        if answer.status == Some(401) && login.is_some() && !at_once && !digest {
            let asks = |scheme: &str| {
                answer.headers.iter().any(|(name, value)| {
                    name == "www-authenticate" && value.to_ascii_lowercase().contains(scheme)
                })
            };
            digest = !asks("basic") && asks("digest");
            at_once = !digest;
            continue;
        }
        unpack(options, &answer, &hop, sys)?;
        answer.redirected |= left < MAX_REDIRECTS;
        answer.cookies = cookies;
        return Ok(answer);
    }
}

/// A certificate that is not there is a mistake also where the server would not ask for it. A key alone is for nothing.
fn certificate(options: &HttpOptions, sys: &System<'_>) -> Result<()> {
    let Some(cert) = &options.client_cert else { return Ok(()) };
    for (option, path) in [("client_cert", Some(cert)), ("client_key", options.client_key.as_ref())] {
        if let Some(path) = path.filter(|path| !path.as_os_str().is_empty())
            && sys.stat_followed(path)?.is_none()
        {
            return Err(Failure::new(format!("{option}: there is no {}", path.display())));
        }
    }
    Ok(())
}

/// Whether what is meant for one is meant for the other: the same server, not on a less private way.
fn is_same(from: &Url, to: &Url) -> bool {
    let upgrade = from.scheme == "http" && to.scheme == "https";
    from.host.eq_ignore_ascii_case(&to.host)
        && (upgrade || (from.scheme == to.scheme && from.port == to.port))
}

fn headers(options: &HttpOptions, extra: &[(&str, String)]) -> Result<Vec<(String, String)>> {
    let mut headers = vec![
        ("User-Agent".to_owned(), options.http_agent.clone()),
        ("Accept-Encoding".to_owned(), "identity".to_owned()),
    ];
    let given = options.headers.iter().flatten().map(|(name, value)| {
        let text = match value {
            serde_json::Value::String(text) => text.clone(),
            // As Python writes it.
            serde_json::Value::Bool(true) => "True".to_owned(),
            serde_json::Value::Bool(false) => "False".to_owned(),
            serde_json::Value::Null => "None".to_owned(),
            other => other.to_string(),
        };
        (name.as_str(), text)
    });
    for (name, value) in extra.iter().map(|(name, value)| (*name, value.clone())).chain(given) {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.to_owned(), value));
    }
    let bad = |(name, value): &&(String, String)| {
        name.is_empty()
            || name.contains(|c: char| !c.is_ascii_graphic() || c == ':')
            || value.contains(['\r', '\n', '\0'])
    };
    match headers.iter().find(bad) {
        Some((name, _)) => {
            Err(Failure::new(format!("headers: {name:?} is no header, or holds a line break")))
        }
        None => Ok(headers),
    }
}

/// By what the target has.
fn fetch(hop: &Hop<'_>, sys: &mut System<'_>) -> Result<Answer> {
    if let Some(program) = sys.which("curl") {
        return curl::fetch(&program, hop, sys);
    }
    if !matches!(hop.login, Login::None) {
        return Err(Failure::new(match hop.login {
            Login::Kerberos(_) => "use_gssapi needs curl on the target, and there is none",
            _ => "this kind of authentication needs curl on the target, and there is none",
        }));
    }
    match hop.url.scheme.as_str() {
        "http" => native::fetch(hop, sys),
        "https" => match sys.which("wget") {
            Some(program) => wget::fetch(&program, hop, sys),
            None => Err(Failure::new("https needs curl (or wget) on the target, and there is neither")),
        },
        scheme => Err(Failure::new(format!("{scheme} needs curl on the target, and there is none"))),
    }
}

/// `file:///path`.
fn local(request: &Request<'_>, sys: &mut System<'_>) -> Result<Answer> {
    let path = PathBuf::from(unquote(request.url.path()));
    let meta = sys.stat_followed(&path)?;
    let Some(meta) = meta.filter(crate::kit::host::Meta::is_file) else {
        let shown = path.display();
        return Err(Failure::new(format!(
            "Request failed: <urlopen error [Errno 2] No such file or directory: '{shown}'>"
        )));
    };
    if let Some(to) = request.to {
        let mut file = sys.open(&path)?;
        sys.spool(to, 0o600, &mut file)?;
    }
    let headers = vec![("content-length".to_owned(), meta.size.to_string())];
    let fetched = request.to.is_some();
    Ok(Answer { fetched, ..Answer::new(None, String::new(), headers, request.url.clone()) })
}

/// Undoes what the server did for the transfer.
fn unpack(options: &HttpOptions, answer: &Answer, hop: &Hop<'_>, sys: &System<'_>) -> Result<()> {
    if let Some(at) = hop.place().filter(|_| answer.fetched && options.decompress && answer.is_packed()) {
        let mut content = flate2::read::MultiGzDecoder::new(sys.open(at)?);
        sys.spool(at, 0o600, &mut content)
            .map_err(|failure| failure.context("cannot unpack what the server packed"))?;
    }
    Ok(())
}

/// `Sat, 21 Nov 2026 04:33:56 GMT`
pub fn http_date(time: Time) -> String {
    jiff::Timestamp::new(time.secs, 0)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default()
}
