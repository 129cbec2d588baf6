//! The file, line by line.

use serde_json::{Map, Value as Json, json};

/// Options of which an interface may have many.
const MANY: [&str; 4] = ["pre-up", "up", "down", "post-up"];
/// What begins something else than an interface.
const STARTS: [&str; 5] = ["mapping", "source", "source-dir", "source-directory", "rename"];

pub(super) struct Document {
    lines: Vec<Line>,
    trailing: bool,
}

struct Line {
    text: String,
    what: What,
}

#[derive(Clone, PartialEq, Eq)]
enum What {
    Other,
    Iface {
        name: String,
        family: String,
    },
    /// An option of the interface that came last.
    Option {
        name: String,
        value: String,
    },
}

impl Document {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = Vec::new();
        let mut inside = false;
        for (number, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let what = match words.as_slice() {
                [first, ..] if first.starts_with('#') => What::Other,
                ["iface", name, family, _, ..] => {
                    inside = true;
                    What::Iface { name: (*name).to_owned(), family: (*family).to_owned() }
                }
                ["iface", ..] => return Err(format!("line {}: not `iface NAME FAMILY METHOD`", number + 1)),
                [first, ..]
                    if STARTS.contains(first)
                        || first.starts_with("allow-")
                        || *first == "auto"
                        || *first == "no-auto-down" =>
                {
                    inside = false;
                    What::Other
                }
                [name, ..] if inside => {
                    let value = line.trim_start().strip_prefix(name).unwrap_or_default().trim();
                    What::Option { name: (*name).to_owned(), value: value.to_owned() }
                }
                // Within a mapping.
                _ => What::Other,
            };
            lines.push(Line { text: line.to_owned(), what });
        }
        Ok(Self { lines, trailing: text.ends_with('\n') || text.is_empty() })
    }

    pub fn text(&self) -> String {
        let mut text = self.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
        if self.trailing && !text.is_empty() {
            text.push('\n');
        }
        text
    }

    /// Where the interface is: its line, and where what belongs to it ends; the last one of several.
    fn span(&self, iface: &str, family: Option<&str>) -> Option<(usize, usize)> {
        let is_it = |line: &Line| match &line.what {
            What::Iface { name, family: has } => name == iface && family.is_none_or(|family| family == has),
            _ => false,
        };
        let start = self.lines.iter().rposition(is_it)?;
        let rest = self.lines.get(start + 1..)?;
        let options = rest.iter().take_while(|line| !matches!(line.what, What::Iface { .. })).enumerate();
        let last = options.filter(|(_, line)| matches!(line.what, What::Option { .. })).last();
        Some((start, last.map_or(start, |(at, _)| start + 1 + at)))
    }

    pub fn has(&self, iface: &str, family: Option<&str>) -> bool {
        self.span(iface, family).is_some()
    }

    /// Where options of that name are.
    fn options(&self, iface: &str, family: Option<&str>, option: &str) -> Vec<usize> {
        let Some((start, end)) = self.span(iface, family) else { return Vec::new() };
        let is_it = |at: &usize| match self.lines.get(*at).map(|line| &line.what) {
            Some(What::Option { name, .. }) => name == option,
            _ => false,
        };
        (start..=end).filter(is_it).collect()
    }

    fn value(&self, at: usize) -> &str {
        match self.lines.get(at).map(|line| &line.what) {
            Some(What::Option { value, .. }) => value,
            _ => "",
        }
    }

    pub fn set(&mut self, iface: &str, family: Option<&str>, option: &str, value: &str) {
        let Some((start, end)) = self.span(iface, family) else { return };
        if option == "method" {
            self.set_method(start, value);
            return;
        }
        let has = self.options(iface, family, option);
        let is_many = MANY.contains(&option);
        if has.iter().any(|at| self.value(*at) == value) && (is_many || has.len() == 1) {
            return;
        }
        let what = What::Option { name: option.to_owned(), value: value.to_owned() };
        match has.last().filter(|_| !is_many) {
            Some(at) if self.value(*at) != value => {
                if let Some(line) = self.lines.get_mut(*at) {
                    let old = match &line.what {
                        What::Option { value, .. } => value.clone(),
                        _ => String::new(),
                    };
                    let text = line.text.trim_end();
                    let kept = text.strip_suffix(old.as_str()).unwrap_or(text);
                    // One that had no value has nothing between.
                    let gap = if old.is_empty() { " " } else { "" };
                    *line = Line { text: format!("{kept}{gap}{value}"), what };
                }
            }
            Some(_) => {}
            None => {
                let indent = self.indent(start, end);
                let line = Line { text: format!("{indent}{option} {value}"), what };
                self.lines.insert((end + 1).min(self.lines.len()), line);
            }
        }
    }

    /// What stands before the options of an interface.
    fn indent(&self, start: usize, end: usize) -> String {
        let last = self.lines.get(start + 1..=end).and_then(|lines| lines.last());
        let text = last.map_or("    ", |line| line.text.as_str());
        text.chars().take_while(|c| c.is_whitespace()).collect()
    }

    fn set_method(&mut self, start: usize, method: &str) {
        let Some(line) = self.lines.get_mut(start) else { return };
        let words: Vec<&str> = line.text.split_whitespace().collect();
        if let [_, _, _, now, ..] = words.as_slice()
            && *now != method
            && let Some((before, after)) = line.text.rsplit_once(*now)
        {
            line.text = format!("{before}{method}{after}");
        }
    }

    /// Takes the option away wherever the interface has it; without a family, from all of them.
    pub fn remove(&mut self, iface: &str, family: Option<&str>, option: &str, value: Option<&str>) {
        let is_many = MANY.contains(&option);
        let mut inside = false;
        self.lines.retain(|line| match &line.what {
            What::Iface { name, family: has } => {
                inside = name == iface && family.is_none_or(|family| family == has);
                true
            }
            What::Option { name, value: has } => {
                let is_it = inside && name == option;
                !(is_it && (!is_many || value.is_none_or(|value| value == has)))
            }
            What::Other => true,
        });
    }

    pub fn interfaces(&self) -> Map<String, Json> {
        let mut interfaces = Map::new();
        let mut current: Option<String> = None;
        for line in &self.lines {
            match &line.what {
                What::Iface { name, family } => {
                    let method = line.text.split_whitespace().nth(3).unwrap_or_default();
                    let facts = json!({"address_family": family, "method": method, "pre-up": [], "up": [], "down": [],
                                       "post-up": []});
                    interfaces.insert(name.clone(), facts);
                    current = Some(name.clone());
                }
                What::Option { name, value } => {
                    let facts = current.as_ref().and_then(|current| interfaces.get_mut(current));
                    let Some(facts) = facts.and_then(Json::as_object_mut) else { continue };
                    match facts.get_mut(name) {
                        Some(Json::Array(list)) => list.push(json!(value)),
                        _ => drop(facts.insert(name.clone(), json!(value))),
                    }
                }
                What::Other => {}
            }
        }
        interfaces
    }
}
