//! Facts kept between runs, in files as Ansible's `jsonfile` keeps them: each tool reads what the other wrote.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};

/// A directory with a file of facts for each host.
pub struct FactCache {
    directory: PathBuf,
    prefix: String,
    /// For how long facts count; `None` for ever.
    lifetime: Option<Duration>,
    complain: Complain,
}

/// Where to tell what went wrong: without its cache a run goes on, as if nothing were known yet.
pub type Complain = Box<dyn Fn(Diagnostic) + Send + Sync>;

impl FactCache {
    /// Makes the directory when it is missing.
    pub fn open(
        directory: &Path,
        prefix: &str,
        lifetime: Option<Duration>,
        complain: Complain,
    ) -> Result<Self> {
        std::fs::create_dir_all(directory).map_err(|error| {
            Diagnostic::new(format!("could not make the fact cache {}: {error}", directory.display()))
        })?;
        Ok(Self { directory: directory.to_owned(), prefix: prefix.to_owned(), lifetime, complain })
    }

    /// The facts of a host; none when there are none that still count.
    pub(super) fn load(&self, host: &str) -> Dict {
        self.read(host).unwrap_or_else(|error| {
            (self.complain)(error.hint("the facts are gathered anew"));
            Dict::new()
        })
    }

    /// Keeps the facts of a host in place of those kept before.
    pub(super) fn store(&self, host: &str, facts: &Dict) {
        if let Err(error) = self.write(host, facts) {
            (self.complain)(error);
        }
    }

    pub fn forget(&self, host: &str) {
        if let Err(error) = self.path(host).and_then(|path| match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(failed("remove", &path, &error))
            }
            _ => Ok(()),
        }) {
            (self.complain)(error);
        }
    }

    /// `s1` is the version of the format.
    fn path(&self, host: &str) -> Result<PathBuf> {
        if host.contains('/') {
            return Err(Diagnostic::new(format!(
                "the facts of {host} are not kept: its name is no file name"
            )));
        }
        Ok(self.directory.join(format!("{}s1_{host}", self.prefix)))
    }

    fn read(&self, host: &str) -> Result<Dict> {
        let path = self.path(host)?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Dict::new()),
            Err(error) => return Err(failed("read", &path, &error)),
        };
        if self.is_stale(&path) {
            return Ok(Dict::new());
        }
        let broken = || Diagnostic::new(format!("the cached facts in {} are broken", path.display()));
        let outer: Json = serde_json::from_str(&text).map_err(|_| broken())?;
        let payload = outer.get("__payload__").and_then(Json::as_str).ok_or_else(broken)?;
        let payload: Json = serde_json::from_str(payload).map_err(|_| broken())?;
        match Value::from(untagged(payload)) {
            Value::Dict(facts) => Ok(facts.as_ref().clone()),
            _ => Err(broken()),
        }
    }

    fn is_stale(&self, path: &Path) -> bool {
        let age = path
            .metadata()
            .and_then(|meta| meta.modified())
            .map(|then| SystemTime::now().duration_since(then));
        match (self.lifetime, age) {
            (Some(lifetime), Ok(Ok(age))) => age > lifetime,
            _ => false,
        }
    }

    fn write(&self, host: &str, facts: &Dict) -> Result<()> {
        let path = self.path(host)?;
        let payload = Json::Object(facts.to_json()).to_string();
        let text = serde_json::json!({ "__payload__": payload }).to_string();
        // Whoever reads meanwhile sees the old facts or the new ones.
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)
            .map_err(|error| failed("write", &path, &error))?;
        file.write_all(text.as_bytes()).map_err(|error| failed("write", &path, &error))?;
        file.persist(&path).map(drop).map_err(|error| failed("write", &path, &error.error))
    }
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(format!("could not {what} the cached facts in {}: {error}", path.display()))
}

/// Ansible notes beside a value where it came from.
fn untagged(json: Json) -> Json {
    match json {
        Json::Array(items) => Json::Array(items.into_iter().map(untagged).collect()),
        Json::Object(mut entries) => {
            let is_tagged = entries
                .get("__ansible_type")
                .and_then(Json::as_str)
                .is_some_and(|kind| kind.starts_with("_AnsibleTagged"));
            let tagged = if is_tagged { entries.remove("value") } else { None };
            match tagged {
                Some(value) => untagged(value),
                None => {
                    Json::Object(entries.into_iter().map(|(key, value)| (key, untagged(value))).collect())
                }
            }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn facts_outlast_the_run() {
        let dir = tempfile::tempdir().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let open = |lifetime| {
            let told = Arc::clone(&told);
            let complain = move |error: Diagnostic| told.lock().unwrap().push(error.message().to_owned());
            FactCache::open(dir.path(), "p_", lifetime, Box::new(complain)).unwrap()
        };
        let cache = open(None);
        assert!(cache.load("a").is_empty());
        cache.store("a", &Dict::from_iter([("x", Value::Int(5))]));
        let kept = std::fs::read_to_string(dir.path().join("p_s1_a")).unwrap();
        assert_eq!(kept, r#"{"__payload__":"{\"x\":5}"}"#);
        assert_eq!(cache.load("a").get("x"), Some(&Value::Int(5)));
        std::thread::sleep(Duration::from_millis(5));
        assert!(open(Some(Duration::ZERO)).load("a").is_empty());
        cache.forget("a");
        assert!(cache.load("a").is_empty());

        let ansible = r#"{"__payload__": "{\"x\": {\"value\": [{\"value\": \"b\", \"__ansible_type\": \"_AnsibleTaggedStr\"}], \"tags\": [], \"__ansible_type\": \"_AnsibleTaggedList\"}, \"value\": 1}"}"#;
        std::fs::write(dir.path().join("p_s1_b"), ansible).unwrap();
        assert_eq!(Value::from(cache.load("b")).repr(), "{'x': ['b'], 'value': 1}");
        assert_eq!(*told.lock().unwrap(), Vec::<String>::new());

        std::fs::write(dir.path().join("p_s1_c"), "{").unwrap();
        assert!(cache.load("c").is_empty());
        cache.store("a/b", &Dict::new());
        assert_eq!(told.lock().unwrap().len(), 2);
    }
}
