mod hash;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::hash::Scheme;
use crate::command::yes;
use crate::kit::{Access, Failure, FileAttributes, FilePath, Result, Secret, System, WriteOptions};
use crate::lineinfile::State;

/// Manages files of users and passwords, as web servers read them.
///
/// # Examples
///
/// ```yaml
/// - name: Jane may enter
///   htpasswd:
///     path: /etc/passwdfile
///     name: janedoe
///     password: '9s36?;fyNp'
///     mode: '0640'
///
/// - name: Somebody may not
///   htpasswd: {path: /etc/passwdfile, name: foobar, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The file.
    #[schemars(extend("aliases" = ["dest", "destfile"]))]
    pub path: FilePath,
    /// The user.
    #[schemars(extend("aliases" = ["username"]))]
    pub name: String,
    /// The user's password.
    pub password: Option<Secret>,
    /// How it is hashed, by passlib's names: `apr_md5_crypt`, `bcrypt`, `des_crypt`, `md5_crypt`, `sha256_crypt`,
    /// `sha512_crypt`, `plaintext`; `portable`, `portable_apache_22`, `host` and such, which stand for one of these;
    /// `ldap_md5`, `ldap_sha1`, `ldap_plaintext`; with a salt `ldap_salted_md5`, `ldap_salted_sha1`,
    /// `ldap_salted_sha256`, `ldap_salted_sha512`; `hex_md5`, `hex_sha1`, `hex_sha256`, `hex_sha512`. A hash of the
    /// password that is there stays, though it be of another scheme.
    #[serde(default = "usual")]
    #[schemars(extend("aliases" = ["crypt_scheme"]))]
    pub hash_scheme: String,
    /// Whether the file has the user.
    #[serde(default)]
    pub state: State,
    /// Makes the file when there is none.
    #[serde(default = "yes")]
    pub create: bool,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

fn usual() -> String {
    "apr_md5_crypt".to_owned()
}

#[derive(Serialize)]
pub struct Returns {
    msg: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let name = &args.name;
    if name.contains([':', '\n', '\r', '\t', '\0']) {
        return Err(Failure::new(format!("user contains invalid characters: '{name}'")));
    }
    // Where a link leads: it stays one.
    let path: PathBuf = sys.resolve(&args.path)?;
    let old = sys.read_to_rewrite(&path)?;
    let lines = parse(old.as_deref().unwrap_or_default())?;
    let has = lines.iter().find(|line| line.user() == Some(name));
    let (mut msg, text) = match (args.state, has) {
        (State::Absent, _) if old.is_none() => {
            sys.warn(format!("{} does not exist", path.display()));
            return Ok(Returns { msg: format!("{name} not present") });
        }
        (State::Absent, None) => (format!("{name} not present"), None),
        (State::Absent, Some(_)) => {
            let rest = lines.iter().filter(|line| line.user() != Some(name)).map(|line| line.0);
            (format!("Remove {name}"), Some(rest.collect::<String>()))
        }
        (State::Present, _) if old.is_none() && !args.create => {
            return Err(Failure::new(format!("Destination {} does not exist", path.display())));
        }
        (State::Present, has) => {
            let scheme = Scheme::parse(&args.hash_scheme)?;
            let Some(password) = &args.password else {
                return Err(Failure::new("password: a user that is to be there needs one"));
            };
            match has.and_then(Line::hash) {
                Some(stands) if hash::is_of(password.expose(), stands, scheme) => {
                    (format!("{name} already present"), None)
                }
                _ => {
                    let hash = scheme.hash(password.expose(), &sys.unique());
                    // What would be a line of its own lets in somebody else.
                    if hash.contains(['\n', '\r', '\0']) {
                        return Err(Failure::new(
                            "password: it has a line break, and would be two lines as it is",
                        ));
                    }
                    let line = format!("{name}:{hash}\n");
                    let said =
                        if old.is_some() { format!("Add/update {name}") } else { created(&path, name) };
                    (said, Some(with(&lines, name, &line)))
                }
            }
        }
    };
    if let Some(text) = text {
        if let Some(parent) = path.parent().filter(|_| old.is_none()) {
            sys.make_dirs(parent, None)?;
        }
        let options =
            WriteOptions { attributes: Some(&args.attributes), hidden: true, ..WriteOptions::default() };
        let before = old.is_some() && sys.access(&path, Access::Read);
        sys.write_with(&path, text, &options)?;
        if before && sys.changes().len() > 1 {
            msg.push_str(" and ownership, perms or SE linux context changed");
        }
    } else if sys.set_attributes(&path, &args.attributes, false)? {
        msg.push_str(" and ownership, perms or SE linux context changed");
    }
    Ok(Returns { msg })
}

fn created(path: &std::path::Path, name: &str) -> String {
    format!("Created {} and added {name}", path.display())
}

/// A line of the file with its line break.
struct Line<'t>(&'t str);

impl<'t> Line<'t> {
    /// `user:hash`; `None` of comments and empty lines.
    fn pair(&self) -> Option<(&'t str, &'t str)> {
        let text = self.0.trim();
        if text.is_empty() || text.starts_with('#') { None } else { text.split_once(':') }
    }

    fn user(&self) -> Option<&'t str> {
        self.pair().map(|(user, _)| user)
    }

    fn hash(&self) -> Option<&'t str> {
        self.pair().map(|(_, hash)| hash)
    }
}

fn parse(text: &str) -> Result<Vec<Line<'_>>> {
    let lines: Vec<Line<'_>> = text.split_inclusive('\n').map(Line).collect();
    let wrong = lines.iter().position(|line| {
        let text = line.0.trim();
        !text.is_empty() && !text.starts_with('#') && line.pair().is_none()
    });
    match wrong {
        Some(at) => Err(Failure::new(format!("malformed htpasswd file (error reading line {})", at + 1))),
        None => Ok(lines),
    }
}

/// The text with that line of the user, in its place or at the end.
fn with(lines: &[Line<'_>], name: &str, line: &str) -> String {
    let mut text = String::new();
    let mut found = false;
    for known in lines {
        let is_it = known.user() == Some(name);
        // Of several the first one counts.
        if !is_it || !found {
            text.push_str(if is_it { line } else { known.0 });
        }
        found |= is_it;
    }
    if !found {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(before: &str, mut args: Json, msg: &str) -> String {
        let trial = Trial::of("htpasswd");
        trial.host.file("/f", before);
        args["path"] = json!("/f");
        let got = trial.run(&args);
        assert_eq!((&got["msg"], got.get("failed")), (&json!(msg), None), "{got}");
        assert_eq!(trial.run(&args)["changed"], false, "{args}");
        assert!(!got.to_string().contains("secret"), "{got}");
        trial.host.read("/f").unwrap()
    }

    #[test]
    fn users_come_and_go() {
        let add = |name: &str| json!({"name": name, "password": "secret", "hash_scheme": "ldap_sha1"});
        let hash = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";
        assert_eq!(check("# c\nb:x\n", add("a"), "Add/update a"), format!("# c\nb:x\na:{hash}\n"));
        assert_eq!(check("a:x\nb:x\n", add("a"), "Add/update a"), format!("a:{hash}\nb:x\n"));
        let there = format!("a:{hash}\n");
        assert_eq!(check(&there, add("a"), "a already present"), there);
        assert_eq!(check("a:x\nb:x\n", json!({"name": "a", "state": "absent"}), "Remove a"), "b:x\n");
        assert_eq!(check("b:x\n", json!({"name": "a", "state": "absent"}), "a not present"), "b:x\n");
        // A hash of a scheme that is not asked for is no hash, as the real module has it.
        let md5 = "a:$1$zOxEwUVm$5JyQ8c.fULgOKdLLnXoPX0\n";
        check(md5, json!({"name": "a", "password": "y", "hash_scheme": "md5_crypt"}), "a already present");
        let bcrypt = "a:$2y$04$iRcLCLMj5dSrkeIsIxh4V.RJ7cuIN42CY/AEXGaCocfSeUcvBYfv6\n";
        check(bcrypt, json!({"name": "a", "password": "y"}), "a already present");
        for unknown in [md5, "a:$2y$12$FLfEEYeKu4FDfWLYIW1krO\n"] {
            check(unknown, json!({"name": "a", "password": "y"}), "Add/update a");
        }
        for scheme in ["apr_md5_crypt", "md5_crypt", "plaintext"] {
            check("", json!({"name": "a", "password": "geheim", "hash_scheme": scheme}), "Add/update a");
        }
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("htpasswd");
        trial.host.file("/bad", "a:b\nbad\n");
        for (args, msg) in [
            (
                json!({"path": "/f", "name": "a:b", "password": "x"}),
                "user contains invalid characters: 'a:b'",
            ),
            (
                json!({"path": "/f", "name": "a", "password": "x", "create": false}),
                "Destination /f does not exist",
            ),
            (
                json!({"path": "/bad", "name": "a", "password": "x"}),
                "malformed htpasswd file (error reading line 2)",
            ),
            (json!({"path": "/f", "name": "a"}), "password: a user that is to be there needs one"),
            (
                json!({"path": "/f", "name": "a", "password": "x", "hash_scheme": "lmhash"}),
                "hash_scheme: 'lmhash' is not supported: no web server reads it",
            ),
        ] {
            assert_eq!(trial.run(&args)["msg"], msg);
        }
        assert_eq!(trial.host.read("/f"), None);
    }
}
