//! The environment of a container's processes, and its labels: both inherit those of the image.

use serde_json::{Map, Value as Json};

use super::compare::{Comparisons, Method};
use super::plain::texts;
use super::wish::{Kind, Wish};
use super::{Args, LabelMismatch};
use crate::docker::{at, items};
use crate::kit::{Failure, Result, System};

pub fn wish(args: &Args, image: &Json, sys: &System<'_>) -> Result<Option<Wish>> {
    let (env, file) = (&args.process.env, &args.process.env_file);
    let is_given = env.is_some() || file.is_some();
    let mut wanted: Vec<(String, String)> = Vec::new();
    if let Some(path) = file {
        let content = sys.read_text_if_there(path)?;
        let content =
            content.ok_or_else(|| Failure::new(format!("env_file: there is no {}", path.display())))?;
        for (name, value) in lines(&content) {
            set(&mut wanted, name, value);
        }
    }
    for (name, value) in env.iter().flatten() {
        let text = value.as_str().ok_or_else(|| {
            Failure::new(format!(
                "Non-string value found for env option. Ambiguous env options must be wrapped in quotes to avoid them \
                 being interpreted when directly specified in YAML, or explicitly converted to strings when the \
                 option is templated. Key: {name}"
            ))
        })?;
        set(&mut wanted, name, text);
    }
    let mut expected: Vec<(String, String)> = Vec::new();
    for line in items(image, "Config/Env").iter().filter_map(Json::as_str) {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        set(&mut expected, name, value);
    }
    for (name, value) in &wanted {
        set(&mut expected, name, value);
    }
    let written = |pairs: &[(String, String)]| {
        let mut lines: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.sort();
        Json::from(lines)
    };
    if !is_given && expected.is_empty() {
        return Ok(None);
    }
    let value = if is_given { written(&wanted) } else { Json::Null };
    let wish = Wish::new("env", Kind::Set, "Config/Env", value);
    Ok(Some(wish.expecting(written(&expected)).seen_as(sorted)))
}

fn set(pairs: &mut Vec<(String, String)>, name: &str, value: &str) {
    match pairs.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => value.clone_into(old),
        None => pairs.push((name.to_owned(), value.to_owned())),
    }
}

/// `NAME=value` lines, without comments.
fn lines(content: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = content.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('='))
}

pub fn sorted(value: &Json) -> Json {
    let Some(texts) = value.as_array() else { return value.clone() };
    let mut texts: Vec<&str> = texts.iter().filter_map(Json::as_str).collect();
    texts.sort_unstable();
    texts.into()
}

pub fn labels(args: &Args, comparisons: &Comparisons, image: &Json) -> Result<Option<Wish>> {
    let none = Map::new();
    let given = args.process.labels.as_ref().unwrap_or(&none);
    for (name, value) in given {
        if !value.is_string() {
            return Err(Failure::new(format!(
                "Non-string value found for labels option. Ambiguous labels options must be wrapped in quotes to \
                 avoid them being interpreted when directly specified in YAML, or explicitly converted to strings \
                 when the option is templated. Key: {name}"
            )));
        }
    }
    let wanted = texts(&Json::Object(given.clone()));
    let inherited = at(image, "Config/Labels").as_object();
    let is_strict = comparisons.of_option("labels") == Some(Method::Strict);
    if args.image_label_mismatch == LabelMismatch::Fail && is_strict {
        let mut strange: Vec<String> = inherited
            .into_iter()
            .flatten()
            .filter(|(name, _)| !given.contains_key(*name))
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        strange.sort();
        if !strange.is_empty() {
            return Err(Failure::new(format!(
                "Some labels should be removed but are present in the base image. You can set image_label_mismatch to \
                 'ignore' to ignore this error. Labels: {}",
                strange.join(", ")
            )));
        }
    }
    let mut expected: Map<String, Json> = inherited.cloned().unwrap_or_default();
    expected.extend(wanted.as_object().cloned().unwrap_or_default());
    if args.process.labels.is_none() && expected.is_empty() {
        return Ok(None);
    }
    let value = if args.process.labels.is_some() { wanted } else { Json::Null };
    Ok(Some(Wish::new("labels", Kind::Dict, "Config/Labels", value).expecting(expected.into())))
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn files_of_variables_are_read() {
        let content = "A=1\n# B=2\n\n  C = x=y\nD\n";
        assert_eq!(lines(content).collect::<Vec<_>>(), [("A", "1"), ("C ", " x=y")]);
    }
}
