//! Forms with files.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::kit::encode::base64;
use crate::kit::{ControlFile, Failure, Result, System};

/// A part that is no plain text.
#[derive(Deserialize)]
struct Part {
    filename: Option<File>,
    content: Option<String>,
    mime_type: Option<String>,
    #[serde(default)]
    multipart_encoding: Encoding,
}

/// A file of the control node, or a name: of a file of the target, or just for the form.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Named(String),
    Sent(ControlFile),
}

#[derive(Clone, Copy, Default, Deserialize)]
enum Encoding {
    #[default]
    #[serde(rename = "base64")]
    Base64,
    #[serde(rename = "7or8bit")]
    Plain,
}

/// The `Content-Type` and the body.
pub(super) fn form(
    parts: &Map<String, Json>,
    on_target: bool,
    sys: &mut System<'_>,
) -> Result<(String, Vec<u8>)> {
    let mut sorted: Vec<_> = parts.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut written = Vec::with_capacity(sorted.len());
    for (name, value) in sorted {
        written.push(
            part(name, value, on_target, sys)
                .map_err(|failure| failure.context("failed to parse body as form-multipart"))?,
        );
    }
    let boundary = loop {
        let boundary = format!("==============={}==", sys.unique());
        if !written.iter().any(|part| part.windows(boundary.len()).any(|at| at == boundary.as_bytes())) {
            break boundary;
        }
    };
    let mut body = Vec::new();
    for part in written {
        body.extend(format!("--{boundary}\r\n").bytes());
        body.extend(part);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").bytes());
    Ok((format!("multipart/form-data; boundary=\"{boundary}\""), body))
}

fn part(name: &str, value: &Json, on_target: bool, sys: &mut System<'_>) -> Result<Vec<u8>> {
    let part = match value {
        Json::String(text) => {
            return head(&[
                ("Content-Type", "text/plain"),
                ("Content-Disposition", &disposition(name, None)),
            ])
            .map(|head| [head, lines(text.as_bytes())].concat());
        }
        Json::Object(_) => {
            Part::deserialize(value).map_err(|error| Failure::new(format!("{name}: {error}")))?
        }
        _ => return Err(Failure::new(format!("{name}: value must be a string, or mapping"))),
    };
    let file_name = part.filename.as_ref().map(|file| match file {
        File::Named(path) => path.rsplit('/').next().unwrap_or_default().to_owned(),
        File::Sent(file) => file.name.clone(),
    });
    let guessed = guess(file_name.as_deref().unwrap_or_default());
    let mime_type = part.mime_type.as_deref().unwrap_or(guessed);
    if mime_type.split('/').count() != 2 {
        return Err(Failure::new(format!("{name}: mime_type: {mime_type:?} is no type/subtype")));
    }
    let mut headers = Vec::new();
    let content = match (part.content, part.filename) {
        (Some(content), _) => lines(content.as_bytes()),
        (None, None) => return Err(Failure::new("at least one of filename or content must be provided")),
        (None, Some(file)) => {
            let bytes = match file {
                File::Sent(file) => sys.control_content(&file)?,
                File::Named(path) if !on_target => {
                    return Err(Failure::new(format!("the control node sent a name and no file: {path}")));
                }
                File::Named(path) => sys.read(&PathBuf::from(sys.expand(&path)?))?,
            };
            match part.multipart_encoding {
                Encoding::Base64 => {
                    headers.push(("Content-Transfer-Encoding", "base64"));
                    wrapped(&base64(&bytes))
                }
                Encoding::Plain => {
                    let how = if bytes.is_ascii() { "7bit" } else { "8bit" };
                    headers.push(("Content-Transfer-Encoding", how));
                    lines(&bytes)
                }
            }
        }
    };
    let disposition = disposition(name, file_name.as_deref());
    headers.extend([("Content-Type", mime_type), ("Content-Disposition", disposition.as_str())]);
    Ok([head(&headers)?, content].concat())
}

fn disposition(name: &str, file_name: Option<&str>) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let file_name = file_name.map(|file| format!("; filename=\"{}\"", quoted(file))).unwrap_or_default();
    format!("form-data; name=\"{}\"{file_name}", quoted(name))
}

fn head(headers: &[(&str, &str)]) -> Result<Vec<u8>> {
    let mut text = String::new();
    for (name, value) in headers {
        if value.contains(['\r', '\n', '\0']) {
            return Err(Failure::new(format!("{name} holds a line break: {value:?}")));
        }
        text.extend([name, ": ", value, "\r\n"]);
    }
    Ok((text + "\r\n").into_bytes())
}

/// With the line ends of mail and forms.
fn lines(bytes: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(bytes.len());
    let mut last = 0;
    for byte in bytes {
        if *byte == b'\n' && last != b'\r' {
            lines.push(b'\r');
        }
        lines.push(*byte);
        last = *byte;
    }
    lines
}

fn wrapped(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect()
}

/// By the end of the file's name.
fn guess(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end).to_ascii_lowercase();
    match end.as_str() {
        "txt" | "log" | "conf" | "cfg" | "c" | "h" | "ksh" | "pl" | "bat" => "text/plain",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "md" => "text/markdown",
        "py" => "text/x-python",
        "xml" | "xsl" => "text/xml",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "tar" | "tgz" => "application/x-tar",
        "sh" => "application/x-sh",
        "doc" => "application/msword",
        "rtf" => "application/rtf",
        "p12" | "pfx" => "application/x-pkcs12",
        "crt" | "cer" | "der" => "application/x-x509-ca-cert",
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "ico" => "image/vnd.microsoft.icon",
        "bmp" => "image/bmp",
        "tif" | "tiff" => "image/tiff",
        "mp3" => "audio/mpeg",
        "wav" => "audio/x-wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        _ => "application/octet-stream",
    }
}
