//! Asking a server, through redirections and for passwords, by whatever the target has for it.

use std::path::{Path, PathBuf};

use crate::get_url::url::{Url, unquote};
use crate::get_url::{Args, curl, native, netrc, proxy, wget};
use crate::kit::encode::base64;
use crate::kit::{Failure, Result, System, Time};

const MAX_REDIRECTS: usize = 10;

#[derive(Clone, Copy, Debug)]
pub(super) enum Method<'a> {
    Head,
    /// The content goes to this temporary file.
    Get(&'a Path),
}

/// What the server said in the end.
#[derive(Debug)]
pub(super) struct Answer {
    /// Of http only.
    pub status: Option<u16>,
    pub reason: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Where it came from.
    pub url: Url,
    /// The content is in the temporary file.
    pub fetched: bool,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn length(&self) -> Option<u64> {
        self.header("content-length")?.trim().parse().ok()
    }

    pub fn is_packed(&self) -> bool {
        self.header("content-encoding").is_some_and(|how| how.trim().eq_ignore_ascii_case("gzip"))
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

/// One request of the chain.
pub(super) struct Hop<'a> {
    pub args: &'a Args,
    pub url: &'a Url,
    pub headers: Vec<(String, String)>,
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

/// Asks, and follows where the server sends to. An answer that is no content (and not "unchanged", where that was
/// asked) is an error.
pub(super) fn ask(
    args: &Args,
    url: &Url,
    extra: &[(&str, String)],
    method: &Method<'_>,
    sys: &mut System<'_>,
) -> Result<Answer> {
    if url.scheme == "file" {
        return local(url, method, sys);
    }
    let mut headers = headers(args, extra)?;
    let given = args.url_username.clone().map(|user| {
        (user, args.url_password.as_ref().map(|password| password.expose().to_owned()).unwrap_or_default())
    });
    let given = given.or_else(|| url.credentials.clone());
    let known = if given.is_none() && args.use_netrc { netrc::credentials(url, sys)? } else { None };
    let mut at_once = args.force_basic_auth || known.is_some();
    let mut digest = false;
    let credentials = given.or(known);
    let mut at = url.clone();
    let mut left = MAX_REDIRECTS;
    loop {
        let trusted = is_same(url, &at);
        let login = credentials.as_ref().filter(|_| trusted).map(|(user, password)| (&**user, &**password));
        let mut hop = Hop {
            args,
            url: &at,
            headers: headers.clone(),
            proxy: proxy::of(args, &at, sys)?,
            login: Login::None,
        };
        match login {
            login if args.use_gssapi && trusted => hop.login = Login::Kerberos(login),
            Some((user, password)) if !at.is_http() => hop.login = Login::Password(user, password),
            Some((user, password)) if digest => hop.login = Login::Digest(user, password),
            Some((user, password)) if at_once => {
                let basic = format!("Basic {}", base64(format!("{user}:{password}").as_bytes()));
                hop.headers.push(("Authorization".to_owned(), basic));
            }
            _ => {}
        }
        let answer = fetch(&hop, method, sys)?;
        match (answer.status, answer.header("location")) {
            (Some(301 | 302 | 303 | 307 | 308), Some(location)) if left > 0 => {
                let next = at.join(location)?;
                if !next.is_http() {
                    return Err(Failure::new(format!("Request failed: redirected to {}", next.shown())));
                }
                let stays = is_same(&at, &next);
                headers.retain(|(name, _)| {
                    let private =
                        ["authorization", "cookie"].iter().any(|one| name.eq_ignore_ascii_case(one));
                    (stays || !private)
                        && !args.unredirected_headers.iter().any(|one| name.eq_ignore_ascii_case(one.trim()))
                });
                left -= 1;
                at = next;
            }
            (Some(401), _) if login.is_some() && !at_once && !digest => {
                let asks = |scheme: &str| {
                    answer.headers.iter().any(|(name, value)| {
                        name == "www-authenticate" && value.to_ascii_lowercase().contains(scheme)
                    })
                };
                digest = !asks("basic") && asks("digest");
                at_once = !digest;
            }
            (None | Some(200), _) => return unpack(args, answer, method, sys),
            (Some(304), _) if extra.iter().any(|(name, _)| *name == "If-Modified-Since") => {
                return Ok(answer);
            }
            (Some(code), _) => return Err(refused(code, &answer)),
        }
    }
}

fn refused(code: u16, answer: &Answer) -> Failure {
    let loops = if (300..400).contains(&code) && answer.header("location").is_some() {
        ": the server redirects without end"
    } else {
        ""
    };
    Failure::new("Request failed")
        .with("response", format!("HTTP Error {code}: {}{loops}", answer.reason))
        .with("status_code", code)
}

/// Whether what is meant for one is meant for the other: the same server, not on a less private way.
fn is_same(from: &Url, to: &Url) -> bool {
    let upgrade = from.scheme == "http" && to.scheme == "https";
    from.host.eq_ignore_ascii_case(&to.host)
        && (upgrade || (from.scheme == to.scheme && from.port == to.port))
}

fn headers(args: &Args, extra: &[(&str, String)]) -> Result<Vec<(String, String)>> {
    let mut headers = vec![
        ("User-Agent".to_owned(), args.http_agent.clone()),
        ("Accept-Encoding".to_owned(), "identity".to_owned()),
    ];
    let given = args.headers.iter().flatten().map(|(name, value)| {
        (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
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
fn fetch(hop: &Hop<'_>, method: &Method<'_>, sys: &mut System<'_>) -> Result<Answer> {
    if let Some(program) = sys.which("curl") {
        return curl::fetch(&program, hop, method, sys);
    }
    if !matches!(hop.login, Login::None) {
        return Err(Failure::new(match hop.login {
            Login::Kerberos(_) => "use_gssapi needs curl on the target, and there is none",
            _ => "this kind of authentication needs curl on the target, and there is none",
        }));
    }
    match hop.url.scheme.as_str() {
        "http" => native::fetch(hop, method, sys),
        "https" => match sys.which("wget") {
            Some(program) => wget::fetch(&program, hop, method, sys),
            None => Err(Failure::new("https needs curl (or wget) on the target, and there is neither")),
        },
        scheme => Err(Failure::new(format!("{scheme} needs curl on the target, and there is none"))),
    }
}

/// `file:///path`.
fn local(url: &Url, method: &Method<'_>, sys: &mut System<'_>) -> Result<Answer> {
    let path = PathBuf::from(unquote(url.path()));
    let meta = sys.stat_followed(&path)?;
    let Some(meta) = meta.filter(crate::kit::host::Meta::is_file) else {
        let shown = path.display();
        return Err(Failure::new(format!(
            "Request failed: <urlopen error [Errno 2] No such file or directory: '{shown}'>"
        )));
    };
    if let Method::Get(to) = method {
        let mut file = sys.open(&path)?;
        sys.spool(to, 0o600, &mut file)?;
    }
    let headers = vec![("content-length".to_owned(), meta.size.to_string())];
    Ok(Answer { status: None, reason: String::new(), headers, url: url.clone(), fetched: is_get(method) })
}

pub(super) fn is_get(method: &Method<'_>) -> bool {
    matches!(method, Method::Get(_))
}

/// Undoes what the server did for the transfer.
fn unpack(args: &Args, answer: Answer, method: &Method<'_>, sys: &System<'_>) -> Result<Answer> {
    if let Method::Get(at) = method
        && args.decompress
        && answer.is_packed()
    {
        let mut content = flate2::read::MultiGzDecoder::new(sys.open(at)?);
        sys.spool(at, 0o600, &mut content)
            .map_err(|failure| failure.context("cannot unpack what the server packed"))?;
    }
    Ok(answer)
}

/// `Sat, 21 Nov 2026 04:33:56 GMT`
pub(super) fn http_date(time: Time) -> String {
    jiff::Timestamp::new(time.secs, 0)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default()
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
