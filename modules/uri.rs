mod body;
mod multipart;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use self::body::Body;
use crate::kit::charset::Charset;
use crate::kit::http::{self, Answer, Client, Follow, HttpOptions, Request, Url};
use crate::kit::{
    Content, ControlSource, Failure, FileAttributes, FilePath, Result, Secret, System, WriteOptions,
};

/// Asks web services.
///
/// The target itself asks: with `curl` where it has one, else plain http without any program, else https with `wget`
/// (GET and HEAD without credentials, headers, certificates and the content of errors). An option the way that is
/// left cannot honour is an error. Passwords and bodies never show in the target's list of processes.
///
/// In check mode nothing is asked, and the task is skipped: nobody can know what a server would do. A file at `dest`
/// counts as changed only when its content changes; Ansible says so of every download.
///
/// # Examples
///
/// ```yaml
/// - name: The page is there
///   uri:
///     url: http://www.example.com
///
/// - name: The page says what it should
///   uri:
///     url: http://www.example.com
///     return_content: yes
///   register: this
///   failed_when: "'AWESOME' not in this.content"
///
/// - name: JSON, with a password
///   uri:
///     url: https://your.jira.example.com/rest/api/2/issue/
///     user: your_username
///     password: '{{ secret }}'
///     method: POST
///     body_format: json
///     body: {fields: {summary: New}}
///     force_basic_auth: yes
///     status_code: 201
///
/// - name: A form
///   uri:
///     url: https://your.form.based.auth.example.com/index.php
///     method: POST
///     body_format: form-urlencoded
///     body: {name: your_username, enter: Sign in}
///     status_code: 302
///   register: login
///
/// - name: With the cookie of that
///   uri:
///     url: https://your.form.based.auth.example.com/dashboard.php
///     return_content: yes
///     headers: {Cookie: '{{ login.cookies_string }}'}
///
/// - name: A form with text that counts as a file
///   uri:
///     url: https://httpbin.org/post
///     method: POST
///     body_format: form-multipart
///     body:
///       notes: {content: text based file content, filename: fake.txt, mime_type: text/plain}
///       text_form_field: value
///
/// - name: A service is up
///   uri:
///     url: http://192.0.2.1/some/test
///   register: answer
///   until: answer.status == 200
///   retries: 720
///   delay: 5
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["body", "src"]]))]
pub struct Args {
    /// What to ask: `http`, `https` or `ftp` (needs `curl`). `user:password@` before the host counts as
    /// `url_username` and `url_password`.
    pub url: String,
    /// The method, one word: `GET`, `POST`, `PUT`, `DELETE` …
    #[serde(default = "get")]
    pub method: String,
    /// What to send. With `form-multipart` a mapping of names to text, or to mappings: `filename` (a file of the
    /// control node, with `remote_src` of the target), or `content`, with `mime_type` and `multipart_encoding`.
    #[schemars(extend("control" = "parts", "unless" = "remote_src"))]
    pub body: Option<Json>,
    /// How the body is written, and its `Content-Type` where `headers` has none.
    #[serde(default)]
    pub body_format: BodyFormat,
    /// A file with what to send.
    #[schemars(extend("control" = "file", "unless" = "remote_src"))]
    pub src: Option<ControlSource>,
    /// Whether `src` and the files of a form are on the target.
    #[serde(default)]
    pub remote_src: bool,
    /// The codes that count as success. `-1` is no answer at all.
    #[serde(default = "ok")]
    pub status_code: Vec<i64>,
    /// Whether the content is part of the result. JSON is, parsed, as `json`, in any case.
    #[serde(default)]
    pub return_content: bool,
    /// Where to put the content. A directory gets it under the name the server gives, else the last part of the URL.
    pub dest: Option<FilePath>,
    /// Asks for a fresh copy. Else the server is asked whether its file is newer than the one at `dest`.
    #[serde(default)]
    pub force: bool,
    /// A path on the target. When something is there, nothing is asked.
    pub creates: Option<FilePath>,
    /// A path on the target. When nothing is there, nothing is asked.
    pub removes: Option<FilePath>,
    /// Which redirections are followed.
    #[serde(default)]
    pub follow_redirects: Redirects,
    /// Seconds to wait for a connection, and for more to come.
    #[serde(default = "thirty")]
    pub timeout: u64,
    /// The user, where the server asks for one.
    #[schemars(extend("aliases" = ["user"]))]
    pub url_username: Option<String>,
    /// The user's password.
    #[schemars(extend("aliases" = ["password"]))]
    pub url_password: Option<Secret>,
    /// Certificates to believe in, as a PEM file on the target.
    pub ca_path: Option<FilePath>,
    /// A socket on the target to connect to, whatever the URL says.
    pub unix_socket: Option<FilePath>,
    #[serde(flatten)]
    pub http: HttpOptions,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BodyFormat {
    /// As it is.
    #[default]
    Raw,
    /// JSON: text as it is, everything else is written as JSON.
    Json,
    /// `a=1&b=2`: a mapping, or a list of pairs. Text as it is.
    FormUrlencoded,
    /// A form with files.
    FormMultipart,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Redirects {
    /// All.
    All,
    /// None.
    None,
    /// Those of GET and HEAD.
    #[default]
    Safe,
    /// As Python's urllib2: those of GET, HEAD and mostly POST, by a GET.
    Urllib2,
    /// The same as `none`.
    No,
    /// The same as `all`.
    Yes,
}

fn get() -> String {
    "GET".to_owned()
}

fn ok() -> Vec<i64> {
    vec![200]
}

fn thirty() -> u64 {
    30
}

pub(crate) fn run(mut args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    if sys.is_check() {
        let msg = "This action (uri) does not support check mode.";
        return Ok(map(json!({"skipped": true, "msg": msg})));
    }
    args.method.make_ascii_uppercase();
    if args.method.is_empty() || !args.method.chars().all(|c| c.is_ascii_uppercase()) {
        let msg = "Parameter 'method' needs to be a single word in uppercase, like GET or POST.";
        return Err(Failure::new(msg));
    }
    if let Some(needless) = needless(&args, sys)? {
        return Ok(map(json!({"stdout": needless})));
    }
    let begun = sys.now().secs;
    if !args.url.contains("://") {
        let failure = Failure::new(format!("unknown url type: '{}'", args.url));
        return Err(failure.with("status", -1).with("url", &args.url));
    }
    let scratch = [sys.scratch(None), sys.scratch(None)];
    let done = talk(&args, &scratch, begun, sys);
    let cleaned = scratch.iter().try_for_each(|path| sys.discard(path));
    done.and_then(|returns| cleaned.map(|()| returns))
}

/// Why nothing is asked.
fn needless(args: &Args, sys: &System<'_>) -> Result<Option<String>> {
    for (path, there) in [(&args.creates, true), (&args.removes, false)] {
        if let Some(path) = path
            && sys.stat_followed(path)?.is_some() == there
        {
            let state = if there { "exists" } else { "does not exist" };
            return Ok(Some(format!("skipped, since '{}' {state}", path.text())));
        }
    }
    Ok(None)
}

fn talk(
    args: &Args,
    [scratch, to_send]: &[PathBuf; 2],
    begun: i64,
    sys: &mut System<'_>,
) -> Result<Map<String, Json>> {
    let body = Body::of(args, sys)?;
    let mut options = args.http.clone();
    let mut headers = Vec::new();
    let mut sent = None;
    if let Some(body) = &body {
        if let Some(kind) = &body.kind {
            headers.push(("Content-Type", kind.clone()));
        }
        if args.body_format == BodyFormat::FormMultipart {
            // Only we know the boundary.
            options.headers.iter_mut().for_each(|all| {
                all.retain(|name, _| !name.eq_ignore_ascii_case("content-type"));
            });
        }
        sent = Some(body.place(to_send, sys)?);
    }
    let there = match &args.dest {
        Some(dest) => sys.stat_followed(dest)?,
        None => None,
    };
    let into = args.dest.as_ref().filter(|_| there.as_ref().is_some_and(crate::kit::host::Meta::is_dir));
    if args.force {
        headers.push(("Cache-Control", "no-cache".to_owned()));
    } else if let Some(meta) = there.as_ref().filter(|_| into.is_none()) {
        headers.push(("If-Modified-Since", http::http_date(meta.mtime)));
    }
    let password = || args.url_password.as_ref().map(|password| password.expose().to_owned());
    let client = Client {
        login: args.url_username.clone().map(|user| (user, password().unwrap_or_default())),
        follow: match args.follow_redirects {
            Redirects::All | Redirects::Yes => Follow::All,
            Redirects::None | Redirects::No => Follow::None,
            Redirects::Safe => Follow::Safe,
            Redirects::Urllib2 => Follow::Urllib2,
        },
        ca_path: args.ca_path.as_deref(),
        unix_socket: args.unix_socket.as_deref(),
        ..Client::new(&options, args.timeout)
    };
    let asked = Url::parse(&args.url).and_then(|url| {
        // Who is asked without TLS needs none, and yet a file that is not there is a mistake.
        if let Some(path) = &args.ca_path {
            sys.read(path).map_err(|failure| failure.context("Connection failure"))?;
        }
        let request =
            Request { url: &url, method: &args.method, headers: &headers, body: sent, to: Some(scratch) };
        http::ask(&client, &request, sys)
    });
    let (wanted, elapsed) = (codes(&args.status_code), sys.now().secs - begun);
    let answer = match asked {
        Ok(answer) => answer,
        Err(failure) => {
            let returns = json!({
                "status": -1, "url": http::shown(&args.url), "redirected": false, "elapsed": elapsed,
            });
            if args.status_code.contains(&-1) {
                let mut returns = map(returns);
                returns.insert("msg".to_owned(), failure.msg.into());
                return Ok(returns);
            }
            let msg = format!("Status code was -1 and not {wanted}: {}", failure.msg);
            return Err(Failure::new(msg).with_all(returns));
        }
    };
    let mut returns = told(args, &answer);
    returns.insert("elapsed".to_owned(), elapsed.into());
    let status = answer.status.map_or(-1, i64::from);
    let good = args.status_code.contains(&status);
    if let Some(dest) = &args.dest {
        let path = into.map_or_else(|| dest.0.clone(), |dir| dir.join(answer.file_name()));
        returns.insert("path".to_owned(), path.to_string_lossy().into());
        if good {
            keep(args, &answer, scratch, &path, sys).map_err(|failure| failure.with_all(&returns))?;
            if sys.exists(&path)? {
                returns.extend(map(serde_json::to_value(sys.file_facts(&path, false)?).unwrap_or_default()));
            }
        }
    }
    tell_content(args, &answer, scratch, &mut returns, sys)?;
    if good {
        return Ok(returns);
    }
    Err(Failure::new(format!("Status code was {status} and not {wanted}: {}", answer.message()))
        .with_all(returns))
}

fn keep(args: &Args, answer: &Answer, from: &Path, path: &Path, sys: &mut System<'_>) -> Result<()> {
    if answer.status != Some(304) {
        let options =
            WriteOptions { attributes: Some(&args.attributes), hidden: true, ..WriteOptions::default() };
        let content = if answer.fetched { Content::Copy(from) } else { "".into() };
        sys.write_with(path, content, &options)?;
    } else if sys.exists(path)? {
        sys.set_attributes(path, &args.attributes, false)?;
    }
    Ok(())
}

/// What the head of the answer tells. A server has no say in what its name for a header would mean here.
fn told(args: &Args, answer: &Answer) -> Map<String, Json> {
    let mut returns = Map::new();
    for (name, value) in &answer.headers {
        let key = name.replace('-', "_");
        let ours = key.starts_with("ansible_") || key.starts_with('_') || RESERVED.contains(&key.as_str());
        if ours {
            continue;
        }
        match returns.get_mut(&key) {
            Some(Json::String(known)) => *known = format!("{known}, {value}"),
            _ => drop(returns.insert(key, value.clone().into())),
        }
    }
    let good = matches!(answer.status, Some(200..=299));
    let asked = match Url::parse(&args.url) {
        Ok(url) if url.credentials.is_some() => Url { credentials: None, ..url }.shown(),
        _ => args.url.clone(),
    };
    let url = if good && answer.redirected { answer.url.shown() } else { asked };
    returns.insert("redirected".to_owned(), (good && url != args.url).into());
    if let Some(location) = answer.header("location") {
        let whole = answer.url.join(location).map_or_else(|_| location.to_owned(), |url| url.shown());
        returns.insert("location".to_owned(), whole.into());
    }
    returns.insert("url".to_owned(), url.into());
    returns.insert("status".to_owned(), answer.status.map_or(-1, i64::from).into());
    returns.insert("msg".to_owned(), answer.message().into());
    if good {
        let cookies = answer.cookies.cookies();
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "None".to_owned());
        let pairs: Vec<_> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name, text(&cookie.value))).collect();
        let values: Map<String, Json> =
            cookies.iter().map(|cookie| (cookie.name.clone(), json!(cookie.value))).collect();
        returns.insert("cookies".to_owned(), values.into());
        returns.insert("cookies_string".to_owned(), pairs.join("; ").into());
    }
    returns
}

/// Keys of results that no header may set.
const RESERVED: [&str; 26] = [
    "changed",
    "failed",
    "skipped",
    "unreachable",
    "diff",
    "warnings",
    "deprecations",
    "exception",
    "invocation",
    "results",
    "rc",
    "stdout",
    "stderr",
    "json",
    "content",
    "path",
    "cookies",
    "cookies_string",
    "elapsed",
    "mode",
    "owner",
    "group",
    "uid",
    "gid",
    "state",
    "size",
];

/// The content, as text and as JSON.
fn tell_content(
    args: &Args,
    answer: &Answer,
    at: &Path,
    returns: &mut Map<String, Json>,
    sys: &System<'_>,
) -> Result<()> {
    let (is_json, charset) = kind(answer);
    if !is_json && !args.return_content {
        return Ok(());
    }
    let bytes = if answer.fetched { sys.read(at)? } else { Vec::new() };
    let text = match charset.decode(bytes) {
        Ok(text) => text,
        Err(_) if !args.return_content => return Ok(()),
        Err(misfit) => {
            let msg =
                format!("the content is no text ({misfit} is not {charset}): put it into a file by dest");
            return Err(Failure::new(msg).with_all(returns));
        }
    };
    if is_json && let Ok(value) = serde_json::from_str(&text) {
        returns.insert("json".to_owned(), value);
    }
    if args.return_content {
        returns.insert("content".to_owned(), text.into());
    }
    Ok(())
}

/// Whether the server says that it is JSON, and in which charset.
fn kind(answer: &Answer) -> (bool, Charset) {
    let header = answer.header("content-type").unwrap_or_default();
    let mut parts = header.split(';').map(str::trim);
    let subtype = parts.next().and_then(|kind| kind.split_once('/')).map_or("", |(_, subtype)| subtype);
    let subtype = subtype.to_ascii_lowercase();
    let is_json = subtype == "json" || subtype == "javascript" || subtype.ends_with("+json");
    let named = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        let is_it = key.trim().eq_ignore_ascii_case("charset");
        is_it.then(|| Charset::named(value.trim().trim_matches('"'))).flatten()
    });
    (is_json, named.unwrap_or_default())
}

/// `[200, 201]`
fn codes(codes: &[i64]) -> String {
    let codes: Vec<String> = codes.iter().map(i64::to_string).collect();
    format!("[{}]", codes.join(", "))
}

fn map(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}
