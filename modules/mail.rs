mod curl;
mod message;
mod smtp;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use self::message::{Address, Message, Part};
use self::smtp::Session;
use crate::kit::{Failure, FilePath, Result, Secret, System};

/// Sends mail, from the target.
///
/// A session that is encrypted needs `curl` there; no certificate is checked, as in Ansible. It is no change.
///
/// # Examples
///
/// ```yaml
/// - name: Good news for root
///   mail: {subject: "The host is ready"}
///
/// - name: With files, by a server that knows who sends
///   mail:
///     host: smtp.example.com
///     port: 587
///     secure: starttls
///     username: ann
///     password: "{{ smtp_password }}"
///     from: Ann <ann@example.com>
///     to: [Bob <bob@example.com>, ops@example.com]
///     subject: Report
///     body: All is well.
///     attach: [/var/log/report.txt]
///     headers: [Reply-To=ops@example.com]
///   delegate_to: localhost
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What it is about.
    #[schemars(extend("aliases" = ["msg"]))]
    subject: String,
    /// The text; the subject when there is none.
    body: Option<String>,
    /// Who sends it.
    #[serde(default = "root")]
    #[schemars(extend("aliases" = ["from"]))]
    sender: String,
    /// Who gets it.
    #[serde(default = "to_root")]
    #[schemars(extend("aliases" = ["recipients"]))]
    to: Vec<String>,
    /// Who gets a copy.
    #[serde(default)]
    cc: Vec<String>,
    /// Who gets a copy that the others do not know of.
    #[serde(default)]
    bcc: Vec<String>,
    /// Files of the target to send with it.
    #[serde(default)]
    attach: Vec<FilePath>,
    /// Pictures of the target that an HTML text shows.
    #[serde(default)]
    inline: Vec<Picture>,
    /// More headers: `Name=value`.
    #[serde(default)]
    headers: Vec<String>,
    /// The character set of text and subject.
    #[serde(default = "utf8")]
    charset: String,
    /// The kind of text.
    #[serde(default)]
    subtype: Subtype,
    /// The mail server.
    #[serde(default = "localhost")]
    host: String,
    /// Its port.
    #[serde(default = "port")]
    port: u16,
    /// Who logs in.
    username: Option<String>,
    /// The password of who logs in.
    password: Option<Secret>,
    /// Whether the session is encrypted: from its start, after its start, or where the server can.
    #[serde(default)]
    secure: Secure,
    /// How many seconds to wait for the server.
    #[serde(default = "twenty")]
    timeout: u64,
    /// The name the target calls itself.
    ehlohost: Option<String>,
    /// The domain in the id of the message.
    #[serde(default = "domain")]
    message_id_domain: String,
}

/// A picture within an HTML text.
#[derive(Deserialize, JsonSchema)]
struct Picture {
    /// The file.
    path: FilePath,
    /// What the text calls it, behind `cid:`.
    cid: String,
    /// Its type; else by the name of the file.
    mime_type: Option<String>,
}

fn root() -> String {
    "root".into()
}

fn to_root() -> Vec<String> {
    vec![root()]
}

fn utf8() -> String {
    "utf-8".into()
}

fn localhost() -> String {
    "localhost".into()
}

fn domain() -> String {
    "ansible".into()
}

fn port() -> u16 {
    25
}

fn twenty() -> u64 {
    20
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Subtype {
    Html,
    #[default]
    Plain,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Secure {
    Always,
    Never,
    StartTls,
    #[default]
    Try,
}

#[derive(Serialize)]
pub struct Returns {
    msg: String,
    /// What the server says of recipients it refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Map<String, Json>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<bool>,
}

/// What is handed to the server.
struct Letter {
    from: String,
    to: Vec<String>,
    text: String,
    /// What the target calls itself.
    me: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if sys.is_check() {
        let msg = "remote module (mail) does not support check mode".into();
        return Ok(Returns { msg, result: None, skipped: Some(true) });
    }
    let letter = letter(&args, sys)?;
    let refused = match args.secure {
        Secure::Always => encrypted("smtps", &args, &letter, sys)?,
        Secure::Never => {
            let session = open(&args, &letter, sys)?;
            plain(session, &args, &letter, sys)?
        }
        // By its number it is encrypted from the start, and says nothing until then.
        Secure::Try if args.port == 465 => encrypted("smtps", &args, &letter, sys)?,
        Secure::StartTls | Secure::Try => {
            let session = open(&args, &letter, sys)?;
            if session.extension("STARTTLS").is_some() {
                session.close();
                encrypted("smtp", &args, &letter, sys)?
            } else if args.secure == Secure::Try {
                plain(session, &args, &letter, sys)?
            } else {
                let (host, port) = (&args.host, args.port);
                return Err(told(Failure::new(format!("StartTLS is not offered on server {host}:{port}"))));
            }
        }
    };
    let msg = if refused.is_empty() {
        "Mail sent successfully"
    } else {
        "Failed to send mail to at least one recipient"
    };
    Ok(Returns { msg: msg.into(), result: Some(refused), skipped: None })
}

fn told(failure: Failure) -> Failure {
    failure.with("rc", 1)
}

fn open(args: &Args, letter: &Letter, sys: &mut System<'_>) -> Result<Session> {
    let timeout = Duration::from_secs(args.timeout.max(1));
    let session = Session::open(&args.host, args.port, &letter.me, timeout, sys);
    session.map_err(|failure| told(failure.context(format!("{}:{}", args.host, args.port))))
}

fn encrypted(scheme: &str, args: &Args, letter: &Letter, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    curl::send(scheme, args, letter, sys)?;
    Ok(Map::new())
}

fn plain(
    mut session: Session,
    args: &Args,
    letter: &Letter,
    sys: &mut System<'_>,
) -> Result<Map<String, Json>> {
    if let (Some(user), Some(password)) = (&args.username, &args.password) {
        if session.extension("AUTH").is_none() {
            let (host, port) = (&args.host, args.port);
            return Err(told(Failure::new(format!("No Authentication on the server at {host}:{port}"))));
        }
        session.login(user, password).map_err(told)?;
        sys.warn("Username and Password was sent without encryption");
    }
    let refused = session.send(&letter.from, &letter.to, &letter.text).map_err(told)?;
    session.close();
    if refused.len() == letter.to.len() {
        let said: Vec<String> =
            refused.iter().map(|(mailbox, (code, said))| format!("{mailbox}: {code} {said}")).collect();
        return Err(told(Failure::new(format!("Failed to send mail: {}", said.join("; ")))));
    }
    for (mailbox, (code, said)) in &refused {
        sys.warn(format!("Failed to send mail to '{mailbox}': {code} {said}"));
    }
    Ok(refused.into_iter().map(|(mailbox, (code, said))| (mailbox, json!([code, said]))).collect())
}

fn letter(args: &Args, sys: &mut System<'_>) -> Result<Letter> {
    let addresses = |all: &[String]| {
        let given = all.iter().filter(|text| !text.trim().is_empty());
        given.map(|text| Address::parse(text)).collect::<Result<Vec<_>>>()
    };
    let from = Address::parse(&args.sender)?;
    let (to, cc, bcc) = (addresses(&args.to)?, addresses(&args.cc)?, addresses(&args.bcc)?);
    let mut headers = Vec::new();
    for header in &args.headers {
        let named = header.split_once('=').map(|(name, value)| (name.trim(), value));
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && c != ':');
        match named.filter(|(name, _)| is_name(name)) {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => sys.warn(format!("Skipping header '{header}', unable to parse")),
        }
    }
    let me = if let Some(name) = &args.ehlohost {
        name.clone()
    } else {
        let name = sys.read_text_if_there("/proc/sys/kernel/hostname".as_ref())?.unwrap_or_default();
        let name = name.trim();
        if name.contains('.') { name.to_owned() } else { "[127.0.0.1]".into() }
    };
    let domain = &args.message_id_domain;
    if [&me, domain].iter().any(|text| text.contains(|c: char| c.is_control() || c.is_whitespace())) {
        return Err(Failure::new("ehlohost, message_id_domain: a name has no blanks"));
    }
    let now = sys.now();
    let message = Message {
        from: &from,
        to: &to,
        cc: &cc,
        subject: &args.subject,
        charset: &args.charset,
        headers: &headers,
        parts: &parts(args, sys)?,
        date: now.secs,
        id: format!("{}.{}@{domain}", now.secs, sys.unique()),
        boundary: format!("==={}===", sys.unique()),
    };
    let text = message.text()?;
    let mut mailboxes: Vec<String> = Vec::new();
    for address in to.into_iter().chain(cc).chain(bcc) {
        if !mailboxes.contains(&address.mailbox) {
            mailboxes.push(address.mailbox);
        }
    }
    if mailboxes.is_empty() {
        return Err(Failure::new("to: nobody would get the mail"));
    }
    Ok(Letter { from: from.mailbox, to: mailboxes, text, me })
}

/// The text, the files, the pictures.
fn parts(args: &Args, sys: &mut System<'_>) -> Result<Vec<Part>> {
    let body = args.body.as_deref().unwrap_or(&args.subject);
    let subtype = if args.subtype == Subtype::Html { "html" } else { "plain" };
    let mut parts = vec![Part {
        kind: format!("text/{subtype}; charset=\"{}\"", args.charset),
        headers: Vec::new(),
        content: message::bytes(&format!("{body}\n\n"), &args.charset, "body")?,
    }];
    let read = |path: &FilePath, sys: &System<'_>| {
        let failed = |failure: Failure| {
            told(failure.context(format!("Failed to send mail: can't attach file {}", path.text())))
        };
        sys.read(path).map_err(failed)
    };
    for path in &args.attach {
        parts.push(Part {
            kind: "application/octet-stream".into(),
            headers: vec![format!("Content-Disposition: attachment; filename=\"{}\"", name(path))],
            content: read(path, sys)?,
        });
    }
    for picture in &args.inline {
        let kind = picture.mime_type.clone().or_else(|| kind(&picture.path).map(str::to_owned));
        let kind = kind.filter(|kind| !kind.contains(char::is_control)).ok_or_else(|| {
            let path = picture.path.text();
            Failure::new(format!("inline: {path} tells no type by its name: give mime_type"))
        })?;
        if picture.cid.contains(|c: char| c.is_control() || "<>".contains(c)) {
            return Err(Failure::new(format!("inline: {:?} is no cid", picture.cid)));
        }
        parts.push(Part {
            kind,
            headers: vec![
                format!("Content-ID: <{}>", picture.cid),
                format!("Content-Disposition: inline; filename=\"{}\"", name(&picture.path)),
            ],
            content: read(&picture.path, sys)?,
        });
    }
    Ok(parts)
}

/// The name of a file, as it can stand between quotes.
fn name(path: &FilePath) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().map(|c| if c.is_control() { '_' } else { c }).collect();
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

fn kind(path: &FilePath) -> Option<&'static str> {
    let end = path.extension()?.to_string_lossy().to_lowercase();
    Some(match end.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" | "jpe" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "bmp" => "image/bmp",
        "tif" | "tiff" => "image/tiff",
        "ico" => "image/vnd.microsoft.icon",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    /// A server that says all of this, whatever it hears.
    fn run(says: &'static str, args: &Json) -> Json {
        let trial = Trial::of("mail");
        trial.host.serve(25, move |_| says.as_bytes().to_vec());
        let mut args = args.clone();
        args["subject"] = json!("s");
        let got = trial.run(&args);
        assert_eq!(got["changed"], false);
        got
    }

    const HELLO: &str = "220 x\r\n250-x\r\n250-AUTH LOGIN\r\n250 SIZE\r\n";

    #[test]
    fn mail_is_sent() {
        let got = run("220 x\r\n250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n", &json!({}));
        assert_eq!((&got["msg"], &got["result"]), (&json!("Mail sent successfully"), &json!({})));
        let some = "220 x\r\n250 x\r\n250 ok\r\n550 who\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n";
        let got = run(some, &json!({"to": ["a@x", "b@x"], "secure": "never"}));
        assert_eq!(got["result"], json!({"a@x": [550, "who"]}));
    }

    #[test]
    fn a_check_sends_nothing() {
        let trial = Trial::of("mail");
        assert_eq!(trial.check(&json!({"subject": "s"}))["skipped"], true);
    }

    #[test]
    fn an_encrypted_session_is_for_curl() {
        let trial = Trial::of("mail");
        trial.host.program("/usr/bin/curl").script("/usr/bin/curl", |command, host| {
            let told = String::from_utf8(command.stdin.clone().unwrap()).unwrap();
            assert!(told.contains("url = \"smtps://localhost:465/[127.0.0.1]\"\n"), "{told}");
            assert!(
                told.contains("mail-from = \"root\"\nmail-rcpt = \"b@x\"\nuser = \"u:se\\\"cret\"\n"),
                "{told}"
            );
            assert_eq!(command.argv.len(), 4);
            let path = told.lines().last().unwrap().split('"').nth(1).unwrap();
            assert_eq!(host.stat(path.as_ref(), false).unwrap().unwrap().mode, 0o600);
            crate::kit::Output::default()
        });
        let before = trial.host.snapshot();
        let args =
            json!({"subject": "s", "port": 465, "to": "B <b@x>", "username": "u", "password": "se\"cret"});
        assert_eq!(trial.run(&args)["msg"], "Mail sent successfully");
        assert_eq!(trial.host.snapshot(), before);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (says, args, msg) in [
            (HELLO, json!({"secure": "starttls"}), "StartTLS is not offered on server localhost:25"),
            (
                "220 x\r\n250 x\r\n",
                json!({"username": "u", "password": "p"}),
                "No Authentication on the server at localhost:25",
            ),
            (
                "220 x\r\n250-x\r\n250 AUTH LOGIN\r\n334 x\r\n535 no\r\n",
                json!({"username": "u", "password": "p"}),
                "Authentication failed: 535 no",
            ),
            ("554 go away\r\n", json!({}), "localhost:25: the server: the server says 554 go away"),
            ("hello\r\n", json!({}), "localhost:25: the server speaks no SMTP: hello"),
            ("", json!({}), "localhost:25: the server hung up"),
            (
                "220 x\r\n250 x\r\n250 ok\r\n550 who\r\n221 bye\r\n",
                json!({}),
                "Failed to send mail: root: 550 who",
            ),
            (HELLO, json!({"to": "a b"}), "\"a b\" is no address"),
            (
                HELLO,
                json!({"charset": "us-ascii", "body": "ü"}),
                "body: it has characters that are not in us-ascii",
            ),
            (
                HELLO,
                json!({"secure": "always"}),
                "an encrypted session needs curl on the target, and there is none: install it, or give secure: never",
            ),
        ] {
            assert_eq!(run(says, &args)["msg"], msg);
        }
    }
}
