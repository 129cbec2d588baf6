//! `local`: facts that the machine's administrator left in `facts.d`.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::Facts;
use crate::kit::{Command, Result, System};

pub(super) fn gather(sys: &mut System<'_>, dir: &Path, patience: Duration, facts: &mut Facts) -> Result<()> {
    let mut local = Map::new();
    if sys.stat_followed(dir)?.is_some_and(|meta| meta.is_dir()) {
        for name in sys.list(dir)? {
            let path = dir.join(&name);
            if path.extension().is_none_or(|extension| extension != "fact") {
                continue;
            }
            let fact = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let value = read(sys, &path, patience)?;
            local.insert(fact, value);
        }
    }
    facts.insert("local".to_owned(), local.into());
    Ok(())
}

/// A fact file's value: what the program prints, or the text of the file, as JSON or INI.
fn read(sys: &mut System<'_>, path: &Path, patience: Duration) -> Result<Json> {
    let executable = sys.stat_followed(path)?.is_some_and(|meta| meta.mode & 0o111 != 0);
    let text = if executable {
        let output = sys.query(Command::new(path.as_os_str()).timeout(patience))?;
        if !output.ok() {
            let why = format!(
                "Failure executing fact script ({}), rc: {}, err: {}",
                path.display(),
                output.code,
                output.stderr()
            );
            sys.warn(why.clone());
            return Ok(why.into());
        }
        output.stdout().into_owned()
    } else {
        match sys.read_text_if_there(path) {
            Ok(text) => text.unwrap_or_default(),
            Err(failure) => return Ok(format!("error loading fact - {failure}").into()),
        }
    };
    if let Ok(json) = serde_json::from_str(&text) {
        return Ok(json);
    }
    Ok(ini(&text).unwrap_or_else(|| {
        format!("error loading facts as JSON or ini - please check content: {}", path.display()).into()
    }))
}

/// Sections with options in lower case, as Python's `configparser` has them.
fn ini(text: &str) -> Option<Json> {
    let mut sections: Map<String, Json> = Map::new();
    let mut current: Option<String> = None;
    for raw in text.lines() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.entry(name.to_owned()).or_insert_with(|| Json::Object(Map::new()));
            current = Some(name.to_owned());
            continue;
        }
        let (key, value) = line.split_once(['=', ':'])?;
        let section = sections.get_mut(current.as_ref()?)?.as_object_mut()?;
        section.insert(key.trim().to_lowercase(), value.trim().into());
    }
    Some(sections.into())
}

#[cfg(test)]
mod tests {
    use super::ini;

    #[test]
    fn ini_sections() {
        let json = ini("[General]\nKey = value\n# no\nother: 2\n").unwrap();
        assert_eq!(json, serde_json::json!({"General": {"key": "value", "other": "2"}}));
        assert!(ini("no section = here").is_none());
    }
}
