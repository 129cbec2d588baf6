mod checksum;
#[cfg(test)]
mod tests;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use self::checksum::Checksum;
use crate::kit::http::{self, Answer, Client, HttpOptions, Request, Url};
use crate::kit::{
    Access, Algorithm, Content, Failure, FileAttributes, FileFacts, FilePath, Result, Secret, System,
    WriteOptions,
};

/// Downloads a file to the target.
///
/// The target itself fetches it: with `curl` where it has one, else plain http without any program, else https with
/// `wget` (without credentials, headers and certificates). An option the way that is left cannot honour is an error.
/// In check mode the server is asked, and the content is read only where it decides whether something would change.
///
/// # Examples
///
/// ```yaml
/// - name: A file, with its permissions
///   get_url:
///     url: http://example.com/path/file.conf
///     dest: /etc/foo.conf
///     mode: '0440'
///
/// - name: A file that must be the right one
///   get_url:
///     url: http://example.com/path/file.conf
///     dest: /etc/foo.conf
///     checksum: sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c
///
/// - name: The checksum is in a file beside it
///   get_url:
///     url: http://example.com/path/file.conf
///     dest: /etc/foo.conf
///     checksum: sha256:http://example.com/path/sha256sum.txt
///
/// - name: With headers and a password
///   get_url:
///     url: http://example.com/path/file.conf
///     dest: /etc/foo.conf
///     headers: {X-Token: one}
///     username: bar
///     password: '{{ mysecret }}'
///     force_basic_auth: yes
///
/// - name: From a path on the target
///   get_url:
///     url: file:///tmp/a_file.txt
///     dest: /tmp/afilecopy.txt
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What to download: `http`, `https`, `ftp` (needs `curl`) or `file`. `user:password@` before the host counts as
    /// `url_username` and `url_password`.
    pub url: String,
    /// Where to put it. A directory gets it under the name the server gives, else the last part of the URL.
    pub dest: FilePath,
    /// Downloads even when there is a file, and replaces it when the content differs. Else the server is asked
    /// whether its file is newer.
    #[serde(default)]
    pub force: bool,
    /// Keeps a copy of the file that is replaced, with the time in its name.
    #[serde(default)]
    pub backup: bool,
    /// What the file must be: `sha256:` and the checksum, or the URL of a file that lists it. A file that is so
    /// already is not downloaded.
    #[serde(default)]
    pub checksum: String,
    /// Seconds to wait for a connection, and for more to come.
    #[serde(default = "ten")]
    pub timeout: u64,
    /// The user, where the server asks for one.
    #[schemars(extend("aliases" = ["username"]))]
    pub url_username: Option<String>,
    /// The user's password.
    #[schemars(extend("aliases" = ["password"]))]
    pub url_password: Option<Secret>,
    #[serde(flatten)]
    pub http: HttpOptions,
    /// The directory for the file while it is downloaded.
    pub tmp_dest: Option<FilePath>,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

fn ten() -> u64 {
    10
}

impl Args {
    fn client(&self) -> Client<'_> {
        let password = || self.url_password.as_ref().map(|password| password.expose().to_owned());
        let login = self.url_username.clone().map(|user| (user, password().unwrap_or_default()));
        Client { login, ..Client::new(&self.http, self.timeout) }
    }
}

#[derive(Debug, Default, Serialize)]
pub struct Returns {
    url: String,
    dest: String,
    elapsed: i64,
    msg: String,
    /// Null of what is no http.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_src: Option<Json>,
    /// Of the file that was there before; null when there was none. Told of what was downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_dest: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5sum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(flatten)]
    facts: Option<FileFacts>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let begun = sys.now().secs;
    let url = Url::parse(&args.url).map_err(|failure| failure.with("url", &args.url).with("status", -1))?;
    let mut returns = Returns { url: url.shown(), dest: args.dest.text().into_owned(), ..Returns::default() };
    checksum::known(&args.checksum)?;
    let tmp_dest = tmp_dest(&args, sys).map_err(|failure| failure.with("elapsed", 0))?;
    let scratch = sys.scratch(tmp_dest);
    let done = place(&args, &url, &scratch, &mut returns, sys);
    returns.elapsed = sys.now().secs - begun;
    let cleaned = sys.discard(&scratch);
    match done {
        Ok(()) => cleaned.map(|()| returns),
        // Of attributes that cannot be set only the path is told.
        Err(failure) if failure.fields.contains_key("path") => Err(failure),
        // What the failure itself tells counts.
        Err(failure) => Err(Failure {
            fields: failure
                .fields
                .clone()
                .into_iter()
                .fold(Failure::new("").with_all(&returns), |all, (key, value)| all.with(&key, value))
                .fields,
            ..failure
        }),
    }
}

fn tmp_dest<'a>(args: &'a Args, sys: &System<'_>) -> Result<Option<&'a Path>> {
    let Some(dir) = args.tmp_dest.as_deref() else { return Ok(None) };
    match sys.stat_followed(dir)? {
        Some(meta) if meta.is_dir() => Ok(Some(dir)),
        Some(_) => Err(Failure::new(format!("{} is a file but should be a directory.", dir.display()))),
        None => Err(Failure::new(format!("{} directory does not exist.", dir.display()))),
    }
}

fn place(args: &Args, url: &Url, scratch: &Path, returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
    let there = sys.stat_followed(&args.dest)?;
    let is_dir = there.as_ref().is_some_and(crate::kit::host::Meta::is_dir);
    let checksum = Checksum::wanted(args, url, scratch, sys)?;
    let mut headers = Vec::new();
    match there.filter(|_| !is_dir) {
        _ if args.force => headers.push(("Cache-Control", "no-cache".to_owned())),
        Some(meta) => match &checksum {
            Some(checksum) if sys.checksum(&args.dest, checksum.algorithm)? == checksum.hex => {
                (returns.checksum_src, returns.checksum_dest) = (Some(Json::Null), Some(Json::Null));
                "file already exists".clone_into(&mut returns.msg);
                finish(args, &args.dest, returns, sys)?;
                if !sys.changes().is_empty() {
                    returns.msg.push_str(" but file attributes changed");
                }
                return Ok(());
            }
            Some(_) => headers.push(("Cache-Control", "no-cache".to_owned())),
            None => headers.push(("If-Modified-Since", http::http_date(meta.mtime))),
        },
        None => {}
    }
    let answer = download(args, url, &headers, scratch, sys)?;
    returns.status_code = Some(answer.status.into());
    if answer.status == Some(304) {
        "HTTP Error 304: Not Modified".clone_into(&mut returns.msg);
        return finish(args, &args.dest, returns, sys);
    }
    returns.msg = answer.message();
    let path = if is_dir { args.dest.join(answer.file_name()) } else { args.dest.0.clone() };
    returns.dest = path.to_string_lossy().into_owned();
    returns.src = Some(scratch.to_string_lossy().into_owned());
    put(args, &answer, &path, scratch, checksum.as_ref(), returns, sys)?;
    finish(args, &path, returns, sys)?;
    if let Some(facts) = returns.facts.as_mut().filter(|_| !answer.fetched) {
        facts.size = answer.length();
    }
    Ok(())
}

/// Asks the server. In check mode the content comes only where the head of the answer does not tell enough.
fn download(
    args: &Args,
    url: &Url,
    headers: &[(&str, String)],
    scratch: &Path,
    sys: &mut System<'_>,
) -> Result<Answer> {
    let client = args.client();
    let get = Request { headers, ..Request::get(url, Some(scratch)) };
    if !sys.is_check() || !url.is_http() {
        return http::download(&client, &get, sys);
    }
    let mut head = http::download(&client, &Request { method: "HEAD", to: None, ..get }, sys);
    if let Err(failure) = &head
        && failure
            .fields
            .get("status_code")
            .is_some_and(|code| [403, 405, 501].map(Json::from).contains(code))
    {
        // A server that does not answer HEAD.
        head = http::download(&client, &get, sys);
    }
    let answer = head?;
    let path = match sys.stat_followed(&args.dest)? {
        Some(meta) if meta.is_dir() => args.dest.join(answer.file_name()),
        _ => args.dest.0.clone(),
    };
    let size = sys.stat_followed(&path)?.map(|meta| meta.size);
    let coming = answer.length();
    let undecided = size.is_some() && (coming.is_none() || coming == size || answer.is_packed());
    if answer.status == Some(304) || !undecided || answer.fetched {
        return Ok(answer);
    }
    http::download(&client, &get, sys)
}

/// Puts what was downloaded in place, after it was checked.
fn put(
    args: &Args,
    answer: &Answer,
    path: &Path,
    scratch: &Path,
    checksum: Option<&Checksum>,
    returns: &mut Returns,
    sys: &mut System<'_>,
) -> Result<()> {
    let real = if sys.exists(path)? { sys.resolve(path)? } else { path.to_owned() };
    if answer.fetched {
        returns.checksum_src = Some(sys.checksum(scratch, Algorithm::Sha1)?.into());
    }
    let is_readable = sys.exists(&real)? && sys.access(&real, Access::Read);
    let before = if is_readable { Some(sys.checksum(&real, Algorithm::Sha1)?) } else { None };
    returns.checksum_dest = Some(before.map_or(Json::Null, Json::from));
    if let Err(failure) = writable(&real, sys) {
        returns.status_code = None;
        return Err(failure);
    }
    let options = WriteOptions {
        attributes: Some(&args.attributes),
        backup: args.backup,
        hidden: true,
        ..WriteOptions::default()
    };
    if !answer.fetched {
        // Check mode, and it would change: what the content would be nobody needs to know.
        let stand_in = format!("{} would be here", returns.url);
        sys.write_with(&real, stand_in, &options)?;
        return Ok(());
    }
    if let Some(checksum) = checksum {
        let got = sys.checksum(scratch, checksum.algorithm)?;
        if got != checksum.hex {
            let scratch = scratch.display();
            returns.status_code = None;
            return Err(Failure::new(format!(
                "The checksum for {scratch} did not match {}; it was {got}.",
                checksum.hex
            )));
        }
    }
    returns.md5sum = Some(sys.checksum(scratch, Algorithm::Md5)?);
    returns.backup_file = sys.write_with(&real, Content::Copy(scratch), &options)?.backup_file;
    Ok(())
}

/// Ansible asks the file itself, too, although it is its directory that counts.
fn writable(path: &Path, sys: &System<'_>) -> Result<()> {
    let is_there = sys.exists(path)?;
    let wanted = if is_there { path } else { path.parent().unwrap_or(Path::new("/")) };
    if !sys.exists(wanted)? {
        return Err(Failure::new(format!("Destination {} does not exist", wanted.display())));
    }
    if !sys.access(wanted, Access::Write) {
        return Err(Failure::new(format!("Destination {} is not writable", wanted.display())));
    }
    Ok(())
}

fn finish(args: &Args, path: &Path, returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
    if sys.exists(path)? {
        sys.set_attributes(path, &args.attributes, false)?;
        returns.facts = Some(sys.file_facts(path, false)?);
    }
    Ok(())
}
