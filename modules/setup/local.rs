//! `local`: facts that the machine's administrator left in `facts.d`.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::Facts;
use crate::kit::configparser::{BadValue, Ini, Reading};
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

/// A fact file's value: what the program prints, or the text of the file, as JSON or INI. What is wrong with one is
/// its value, and a warning: the other facts are facts all the same.
fn read(sys: &mut System<'_>, path: &Path, patience: Duration) -> Result<Json> {
    let shown = path.display();
    let bad = |sys: &mut System<'_>, why: String| {
        sys.warn(why.clone());
        Ok(Json::from(why))
    };
    let Some(meta) = sys.stat_followed(path)? else {
        let why = format!("[Errno 2] No such file or directory: '{shown}'");
        return bad(sys, format!("Could not stat fact ({shown}): {why}"));
    };
    let text = if meta.mode & 0o111 != 0 {
        if sys.foretells(path) {
            return bad(sys, format!("the fact script ({shown}) is not there yet, so it did not run"));
        }
        let output = sys.query(Command::new(path.as_os_str()).timeout(patience))?;
        if !output.ok() {
            let (code, stderr) = (output.code, output.stderr());
            let why = format!("Failure executing fact script ({shown}), rc: {code}, err: {stderr}");
            return bad(sys, why);
        }
        output.stdout().into_owned()
    } else {
        match sys.read_text_if_there(path) {
            Ok(text) => text.unwrap_or_default(),
            Err(failure) => return bad(sys, format!("error loading fact - {failure}")),
        }
    };
    if let Ok(json) = serde_json::from_str(&text) {
        return Ok(json);
    }
    let Ok(ini) = Ini::parse(&text, Reading::default()) else {
        return bad(sys, format!("error loading facts as JSON or ini - please check content: {shown}"));
    };
    match options(&ini) {
        Ok(json) => Ok(json),
        Err(why) => bad(sys, format!("error loading facts as ini - please check content: {shown} ({why})")),
    }
}

/// The sections' options. An error is that of a value that refers to nothing.
fn options(ini: &Ini) -> std::result::Result<Json, BadValue> {
    let mut sections = Map::new();
    for section in ini.sections() {
        let mut values = Map::new();
        for (key, value) in &section.options {
            let value = section.interpolated(key, value.as_deref().unwrap_or_default())?;
            values.insert(key.clone(), value.into());
        }
        sections.insert(section.name.clone(), values.into());
    }
    Ok(sections.into())
}
