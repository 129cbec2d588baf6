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
    match ini(&text) {
        Some(Ok(json)) => Ok(json),
        Some(Err(why)) => {
            bad(sys, format!("error loading facts as ini - please check content: {shown} ({why})"))
        }
        None => bad(sys, format!("error loading facts as JSON or ini - please check content: {shown}")),
    }
}

/// Options of a section, in order.
type Section = Vec<(String, String)>;

/// Sections with options in lower case, as Python's `configparser` has them: those of `DEFAULT` are in every section,
/// `%(name)s` stands for another option. `None` for what is no INI, an error for what refers to nothing.
fn ini(text: &str) -> Option<std::result::Result<Json, String>> {
    let mut sections: Vec<(String, Section)> = Vec::new();
    for raw in text.lines() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name.to_owned(), Section::new()));
            continue;
        }
        let (key, value) = line.split_once(['=', ':'])?;
        let (_, section) = sections.last_mut()?;
        section.push((key.trim().to_lowercase(), value.trim().to_owned()));
    }
    let (defaults, own): (Vec<_>, Vec<_>) = sections.into_iter().partition(|(name, _)| name == "DEFAULT");
    let defaults: Section = defaults.into_iter().flat_map(|(_, options)| options).collect();
    let sections: std::result::Result<Map<String, Json>, String> = own
        .into_iter()
        .map(|(name, mut options)| {
            let inherited = defaults.iter().filter(|(key, _)| !options.iter().any(|(own, _)| own == key));
            let inherited: Section = inherited.cloned().collect();
            options.extend(inherited);
            let values = options
                .iter()
                .map(|(key, value)| {
                    Ok((key.clone(), Json::from(interpolated(value, key, &name, &options, 10)?)))
                })
                .collect::<std::result::Result<Map<String, Json>, String>>()?;
            Ok((name, Json::Object(values)))
        })
        .collect();
    Some(sections.map(Json::Object))
}

/// A value with `%(name)s` replaced and `%%` for a percent sign.
fn interpolated(
    value: &str,
    key: &str,
    section: &str,
    options: &Section,
    depth: u8,
) -> std::result::Result<String, String> {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let Some((name, after)) = after.strip_prefix('(').and_then(|after| after.split_once(")s")) else {
            return Err(format!("'%' must be followed by '%' or '(', found: '%{after}'"));
        };
        let wanted = name.to_lowercase();
        let Some((_, referred)) = options.iter().find(|(own, _)| *own == wanted) else {
            return Err(format!(
                "Bad value substitution: option '{key}' in section '{section}' contains an interpolation key \
                 '{name}' which is not a valid option name. Raw value: '{value}'"
            ));
        };
        let Some(depth) = depth.checked_sub(1) else {
            return Err(format!("'%({name})s' in section '{section}' refers to itself"));
        };
        out.push_str(&interpolated(referred, key, section, options, depth)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::ini;

    fn check(text: &str, expect: Option<std::result::Result<serde_json::Value, &str>>) {
        let got = ini(text);
        assert_eq!(
            got.as_ref().map(|got| got.as_ref().map_err(String::as_str)),
            expect.as_ref().map(|expect| expect.as_ref().map_err(|why| *why)),
            "{text}"
        );
    }

    #[test]
    fn sections() {
        use serde_json::json;
        check(
            "[General]\nKey = value\n# no\nother: 2\n",
            Some(Ok(json!({"General": {"key": "value", "other": "2"}}))),
        );
        check("[DEFAULT]\nd=1\n[a]\nb=%(d)s0%%\n", Some(Ok(json!({"a": {"b": "10%", "d": "1"}}))));
        check("[a]\nb=50 %\n", Some(Err("'%' must be followed by '%' or '(', found: '%'")));
        check("[a]\nb=%(b)s\n", Some(Err("'%(b)s' in section 'a' refers to itself")));
        check("no section = here", None);
    }
}
