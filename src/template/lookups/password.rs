//! `password`: a random password, kept in a file.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::super::filters::{encrypt, expanduser, fresh_salt};
use super::inline;
use super::search::{base, text};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::python_random::Random;
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "password", params: OPTIONS, run: password };

const OPTIONS: &[&str] = &["length", "chars", "encrypt", "ident", "seed"];

fn password(terms: &[Value], args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    terms.iter().map(|term| one(text(term)?, args, context)).collect()
}

/// What the options say.
struct Wanted {
    path: PathBuf,
    length: usize,
    chars: Vec<char>,
    encrypt: Option<String>,
    ident: Option<String>,
    seed: Option<Value>,
}

fn one(term: &str, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let wanted = wanted(term, args, context)?;
    let failed = |error: std::io::Error| {
        Diagnostic::new(format!("the password file {}: {error}", wanted.path.display()))
    };
    if wanted.path == Path::new("/dev/null") {
        let mut kept = Kept { password: fresh(&wanted)?, salt: None, ident: wanted.ident.clone() };
        return encrypted(&wanted, &mut kept).map(Value::from);
    }
    // One after the other, also between processes: two hosts must not make two passwords.
    let _lock = Lock::of(&wanted.path).map_err(failed)?;
    let stored = match std::fs::read_to_string(&wanted.path) {
        Ok(text) => Some(Kept::parse(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    let mut kept = match &stored {
        Some(kept) => kept.clone(),
        None => Kept { password: fresh(&wanted)?, salt: None, ident: None },
    };
    let result = encrypted(&wanted, &mut kept)?;
    if stored.as_ref() != Some(&kept) {
        kept.write(&wanted.path).map_err(failed)?;
    }
    Ok(result.into())
}

/// The password as asked for; a hash gets its salt here, and keeps it.
fn encrypted(wanted: &Wanted, kept: &mut Kept) -> Result<String> {
    let Some(scheme) = &wanted.encrypt else { return Ok(kept.password.clone()) };
    let salt = match &kept.salt {
        Some(salt) => salt.clone(),
        None => kept.salt.insert(fresh_salt(scheme)?).clone(),
    };
    if kept.ident.is_none() {
        kept.ident.clone_from(&wanted.ident);
    }
    encrypt(&kept.password, scheme, &salt, kept.ident.as_deref())
}

fn wanted(term: &str, args: &Args<'_>, context: &Context<'_>) -> Result<Wanted> {
    // The path may hold blanks; the options come after it.
    let end = OPTIONS.iter().filter_map(|name| term.find(&format!(" {name}="))).min().unwrap_or(term.len());
    let (path, options) = term.split_at(end);
    if let Some((_, word)) = path.rsplit_once(' ')
        && let Some((name, _)) = word.split_once('=')
        && !word.contains('/')
    {
        return Err(Diagnostic::new(format!("Unrecognized parameter(s) given to password lookup: {name}"))
            .hint(format!("It takes {}.", OPTIONS.join(", "))));
    }
    let (unknown, inline) = inline::split(options, OPTIONS)?;
    if !unknown.is_empty() {
        let names: Vec<&str> = unknown.iter().map(|word| word.split('=').next().unwrap_or(word)).collect();
        return Err(Diagnostic::new(format!(
            "Unrecognized parameter(s) given to password lookup: {}",
            names.join(", ")
        ))
        .hint(format!("It takes {}.", OPTIONS.join(", "))));
    }
    let option = |name: &str| inline.get(name).cloned().or_else(|| args.string(name).map(Into::into));
    let path = expanduser(path.trim());
    if path.is_empty() {
        return Err(Diagnostic::new("the password lookup needs the path of a file"));
    }
    let length = match option("length") {
        Some(text) => text
            .parse()
            .map_err(|_| Diagnostic::new(format!("'length' of a password must be a number, not '{text}'")))?,
        None => 20,
    };
    let sets = match (inline.get("chars"), args.some("chars")) {
        (Some(text), _) => split_sets(text),
        (None, Some(Value::List(sets))) => sets.iter().map(Value::to_string).collect(),
        (None, Some(text)) => split_sets(&text.to_string()),
        (None, None) => vec!["ascii_letters".to_owned(), "digits".to_owned(), ".,:-_".to_owned()],
    };
    let seed = inline.get("seed").map(|seed| Value::from(seed.as_str()));
    Ok(Wanted {
        path: base(context).join(path),
        length,
        chars: sets.iter().flat_map(|set| characters(set)).collect(),
        encrypt: option("encrypt"),
        ident: option("ident"),
        seed: seed.or_else(|| args.string("seed").map(|seed| Value::from(&*seed))),
    })
}

/// Sets of characters between commas; two commas are the comma itself.
fn split_sets(text: &str) -> Vec<String> {
    let mut sets: Vec<String> =
        text.replace(",,", ",").split(',').filter(|set| !set.is_empty()).map(str::to_owned).collect();
    if text.contains(",,") || text.is_empty() {
        sets.push(",".to_owned());
    }
    sets
}

/// The characters of a set, by the names of Python's `string` module, or those it is written with.
fn characters(set: &str) -> Vec<char> {
    let ascii = |wanted: fn(&u8) -> bool| (0..128_u8).filter(wanted).map(char::from).collect::<Vec<char>>();
    match set {
        "ascii_letters" => ('a'..='z').chain('A'..='Z').collect(),
        "ascii_lowercase" => ('a'..='z').collect(),
        "ascii_uppercase" => ('A'..='Z').collect(),
        "digits" => ('0'..='9').collect(),
        "hexdigits" => ('0'..='9').chain('a'..='f').chain('A'..='F').collect(),
        "octdigits" => ('0'..='7').collect(),
        "punctuation" => ascii(u8::is_ascii_punctuation),
        "whitespace" => " \t\n\r\u{b}\u{c}".chars().collect(),
        "printable" => {
            let parts = ["digits", "ascii_letters", "punctuation", "whitespace"];
            parts.into_iter().flat_map(characters).collect()
        }
        other => other.replace(['"', '\''], "").chars().collect(),
    }
}

fn fresh(wanted: &Wanted) -> Result<String> {
    let mut random = match &wanted.seed {
        Some(seed) => Random::seeded(seed),
        None => Random::system()
            .map_err(|error| Diagnostic::new(format!("the system gives no random numbers: {error}")))?,
    };
    if wanted.chars.is_empty() {
        return Err(Diagnostic::new("'chars' of a password must not be empty"));
    }
    Ok((0..wanted.length).filter_map(|_| random.choice(&wanted.chars)).collect())
}

/// What the file holds: `secret salt=… ident=…`.
#[derive(Clone, PartialEq)]
struct Kept {
    password: String,
    salt: Option<String>,
    ident: Option<String>,
}

impl Kept {
    fn parse(text: &str) -> Self {
        let mut password = text.trim_end_matches(['\n', '\r']);
        let mut cut = |mark: &str| {
            let (before, after) = password.rsplit_once(mark).filter(|(_, after)| !after.contains(' '))?;
            password = before;
            Some(after.to_owned())
        };
        let ident = cut(" ident=");
        let salt = cut(" salt=");
        Self { password: password.to_owned(), salt, ident }
    }

    /// Writes beside the file first: whoever reads it finds the old content or the new one.
    fn write(&self, path: &Path) -> std::io::Result<()> {
        let salt = self.salt.as_ref().map(|salt| format!(" salt={salt}")).unwrap_or_default();
        let ident = self.ident.as_ref().map(|ident| format!(" ident={ident}")).unwrap_or_default();
        let beside = beside(path, "new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        writeln!(file, "{}{salt}{ident}", self.password)?;
        std::fs::rename(beside, path)
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{ending}"))
}

/// Held while a password file is read and written; leaves nothing behind.
struct Lock {
    file: std::fs::File,
    path: PathBuf,
}

impl Lock {
    fn of(path: &Path) -> std::io::Result<Self> {
        if let Some(directory) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let path = beside(path, "lock");
        loop {
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            file.lock()?;
            // Who held it before has removed it: the file that is there now is another.
            let same = path.metadata().is_ok_and(|there| {
                file.metadata().is_ok_and(|mine| (mine.dev(), mine.ino()) == (there.dev(), there.ino()))
            });
            if same {
                return Ok(Self { file, path });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        std::fs::remove_file(&self.path).ok();
        // Closing the file would do so as well.
        self.file.unlock().ok();
    }
}
