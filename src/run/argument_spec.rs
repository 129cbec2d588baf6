//! Argument specs: what a role, or whoever calls `validate_argument_spec`, says about its variables.
//!
//! Values are judged, never changed: defaults are documentation, and what a value was converted to is forgotten.

use fanfare_modules::kit::args::Kind;

use crate::value::{Dict, Value};

/// What is wrong with arguments, in Ansible's words; empty when nothing is.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub errors: Vec<String>,
    pub warnings: Vec<String>,
    /// Names that no option has: told after all else.
    unsupported: Vec<String>,
}

/// Judges `arguments` by the options of `spec`.
pub(super) fn check(spec: &Dict, arguments: &Dict) -> Findings {
    let mut findings = Findings::default();
    Level { spec, rules: None, path: Vec::new() }.check(arguments.clone(), &mut findings);
    findings.errors.append(&mut findings.unsupported);
    findings
}

/// The options of a spec, or those within one of them.
struct Level<'a> {
    spec: &'a Dict,
    /// The option that holds these: it says what excludes or requires what.
    rules: Option<&'a Dict>,
    /// The names of the options around.
    path: Vec<&'a str>,
}

impl<'a> Level<'a> {
    fn check(&self, mut given: Dict, findings: &mut Findings) {
        self.rename(&mut given, findings);
        self.check_names(&given, findings);
        self.check_exclusive(&given, findings);
        self.check_required(&given, findings);
        for (name, option) in self.options() {
            if let Some(value) = given.get(name).cloned()
                && let Some(exact) = self.converted(name, option, &value, findings)
            {
                given.insert(name, exact);
            }
        }
        for (name, option) in self.options() {
            if let (Some(value), Some(choices)) = (given.get(name), option.get("choices")) {
                self.check_choice(name, value, choices.as_list().unwrap_or_default(), findings);
            }
        }
        self.check_together(&given, findings);
        for (name, option) in self.options() {
            self.check_inner(name, option, given.get(name), findings);
        }
    }

    fn options(&self) -> impl Iterator<Item = (&'a str, &'a Dict)> {
        self.spec.iter().filter_map(|(name, option)| Some((name.as_str()?, option.as_dict()?)))
    }

    /// ` found in d -> inner`, for messages.
    fn within(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!(" found in {}", self.path.join(" -> ")) }
    }

    fn rename(&self, given: &mut Dict, findings: &mut Findings) {
        for (name, option) in self.options() {
            for alias in strings(option.get("aliases")) {
                let Some(value) = given.get(&alias).cloned() else { continue };
                if given.contains(name) {
                    let full = |name: &str| dotted(&self.path, name);
                    findings.warnings.push(format!(
                        "Both option {} and its alias {} are set.",
                        full(name),
                        full(&alias)
                    ));
                }
                given.insert(name, value);
            }
        }
    }

    fn check_names(&self, given: &Dict, findings: &mut Findings) {
        let mut aliases: Vec<String> =
            self.options().flat_map(|(_, option)| strings(option.get("aliases"))).collect();
        let mut unknown: Vec<String> = given
            .keys()
            .map(ToString::to_string)
            .filter(|name| !self.spec.contains(name) && !aliases.contains(name))
            .map(|name| dotted(&self.path, &name))
            .collect();
        if unknown.is_empty() {
            return;
        }
        unknown.sort_unstable();
        aliases.sort_unstable();
        let mut known: Vec<&str> = self.options().map(|(name, _)| name).collect();
        known.sort_unstable();
        let aliases = if aliases.is_empty() { String::new() } else { format!(" ({})", aliases.join(", ")) };
        findings.unsupported.push(format!(
            "{}. Supported parameters include: {}{aliases}.",
            unknown.join(", "),
            known.join(", ")
        ));
    }

    fn check_exclusive(&self, given: &Dict, findings: &mut Findings) {
        for group in self.groups("mutually_exclusive") {
            if group.iter().filter(|name| given.contains(name)).count() > 1 {
                let names = group.join("|");
                findings.errors.push(format!("parameters are mutually exclusive: {names}{}", self.within()));
            }
        }
    }

    fn check_required(&self, given: &Dict, findings: &mut Findings) {
        let mut missing: Vec<&str> = self
            .options()
            .filter(|(name, option)| is_set(option, "required") && !given.contains(name))
            .map(|(name, _)| name)
            .collect();
        if !missing.is_empty() {
            missing.sort_unstable();
            let names = missing.join(", ");
            findings.errors.push(format!("missing required arguments: {names}{}", self.within()));
        }
    }

    /// The value as the option's type; `None` where it stays as it is.
    fn converted(&self, name: &str, option: &Dict, value: &Value, findings: &mut Findings) -> Option<Value> {
        let has_default = option.get("default").is_some_and(|default| !default.is_none());
        if value.is_none() && !is_set(option, "required") && !has_default {
            return None;
        }
        let within = match self.path.as_slice() {
            [] => String::new(),
            path => format!(" found in '{}'.", path.join(" -> ")),
        };
        let wanted = option.get("type").map_or_else(|| "str".to_owned(), ToString::to_string);
        let exact = match convert(&wanted, value) {
            Ok(exact) => exact,
            Err(why) => {
                findings.errors.push(format!(
                    "argument '{name}' is of type {}{within} and we were unable to convert to {wanted}: {why}",
                    value.type_name()
                ));
                return None;
            }
        };
        let (Some(elements), Value::List(items)) = (option.get("elements"), &exact) else {
            return Some(exact);
        };
        let elements = elements.to_string();
        let within = within.trim_end_matches('.');
        let mut converted = Vec::with_capacity(items.len());
        for item in items.iter() {
            match convert(&elements, item) {
                Ok(item) => converted.push(item),
                Err(why) => findings.errors.push(format!(
                    "Elements value for option '{name}'{within} is of type {} and we were unable to convert to \
                     {elements}: {why}",
                    item.type_name()
                )),
            }
        }
        Some(Value::list(converted))
    }

    fn check_choice(&self, name: &str, value: &Value, choices: &[Value], findings: &mut Findings) {
        let shown = || choices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match value {
            Value::None => {}
            Value::List(items) => {
                let strange: Vec<String> =
                    items.iter().filter(|item| !choices.contains(item)).map(ToString::to_string).collect();
                if !strange.is_empty() {
                    findings.errors.push(format!(
                        "value of {name} must be one or more of: {}. Got no match for: {}{}",
                        shown(),
                        strange.join(", "),
                        self.within()
                    ));
                }
            }
            one if choices.contains(one) || means_a_choice(one, choices) => {}
            one => findings.errors.push(format!(
                "value of {name} must be one of: {}, got: {one}{}",
                shown(),
                self.within()
            )),
        }
    }

    fn check_together(&self, given: &Dict, findings: &mut Findings) {
        let within = self.within();
        let has = |name: &String| given.contains(name);
        for group in self.groups("required_together") {
            if group.iter().any(has) && !group.iter().all(has) {
                let names = group.join(", ");
                findings.errors.push(format!("parameters are required together: {names}{within}"));
            }
        }
        for group in self.groups("required_one_of") {
            if !group.iter().any(has) {
                let names = group.join(", ");
                findings.errors.push(format!("one of the following is required: {names}{within}"));
            }
        }
        let rows = self.rules.and_then(|rules| rules.get("required_if")).and_then(Value::as_list);
        for row in rows.unwrap_or_default() {
            let Some([option, value, needs, rest @ ..]) = row.as_list() else { continue };
            if given.get(&option.to_string()) != Some(value) {
                continue;
            }
            let needs = strings(Some(needs));
            let missing: Vec<&str> = needs.iter().filter(|name| !has(name)).map(String::as_str).collect();
            let any = rest.first().is_some_and(Value::is_truthy);
            let failed = if any { missing.len() == needs.len() } else { !missing.is_empty() };
            if failed {
                let term = if any { "any" } else { "all" };
                let missing = missing.join(", ");
                findings.errors.push(format!(
                    "{option} is {value} but {term} of the following are missing: {missing}{within}"
                ));
            }
        }
        let by = self.rules.and_then(|rules| rules.get("required_by")).and_then(Value::as_dict);
        for (option, needs) in by.into_iter().flatten() {
            let missing: Vec<String> = strings(Some(needs)).into_iter().filter(|name| !has(name)).collect();
            if given.contains(&option.to_string()) && !missing.is_empty() {
                let missing = missing.join(", ");
                findings
                    .errors
                    .push(format!("missing parameter(s) required by '{option}': {missing}{within}"));
            }
        }
    }

    /// The options within an option that is a dictionary, or a list of dictionaries.
    fn check_inner(&self, name: &'a str, option: &'a Dict, value: Option<&Value>, findings: &mut Findings) {
        let text = |key: &str| option.get(key).and_then(Value::as_str).unwrap_or_default();
        let nests = text("type") == "dict" || (text("type") == "list" && text("elements") == "dict");
        let Some(Value::Dict(inner)) = option.get("options").filter(|_| nests) else { return };
        let mut path = self.path.clone();
        path.push(name);
        let level = Level { spec: inner, rules: Some(option), path };
        let values = match value {
            None | Some(Value::None) if is_set(option, "apply_defaults") => vec![Value::dict(Dict::new())],
            None | Some(Value::None) => return,
            Some(Value::List(items)) => items.to_vec(),
            Some(one) => vec![one.clone()],
        };
        for value in values {
            let Value::Dict(entries) = value else {
                let problem = format!("value of '{name}' must be of type dict or list of dicts");
                findings.errors.push(problem);
                return;
            };
            level.check(entries.as_ref().clone(), findings);
        }
    }

    /// The lists of names under a rule.
    fn groups(&self, rule: &str) -> Vec<Vec<String>> {
        let groups = self.rules.and_then(|rules| rules.get(rule)).and_then(Value::as_list);
        let groups = groups.unwrap_or_default();
        // A single group may stand without the list around it.
        if groups.first().is_some_and(|group| group.as_str().is_some()) {
            return vec![groups.iter().map(ToString::to_string).collect()];
        }
        groups.iter().map(|group| strings(Some(group))).collect()
    }
}

fn dotted(path: &[&str], name: &str) -> String {
    path.iter().copied().chain([name]).collect::<Vec<_>>().join(".")
}

fn is_set(option: &Dict, key: &str) -> bool {
    option.get(key).and_then(super::settings::truth).unwrap_or(false)
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::List(items)) => items.iter().map(ToString::to_string).collect(),
        Some(Value::Str(name)) => vec![name.to_string()],
        _ => Vec::new(),
    }
}

/// YAML made a boolean of what is a choice such as `yes`, or of the choice itself.
fn means_a_choice(value: &Value, choices: &[Value]) -> bool {
    let Some(truth) =
        value.as_str().filter(|text| ["True", "False"].contains(text)).map(|text| text == "True")
    else {
        return false;
    };
    choices.iter().filter(|choice| super::settings::truth(choice) == Some(truth)).count() == 1
}

/// A value as a type of argument specs, or why it cannot be that.
fn convert(wanted: &str, value: &Value) -> Result<Value, String> {
    let kind = match wanted {
        // A path on whatever host: nothing about it can be wrong here.
        "str" | "path" => Kind::Str,
        "int" => Kind::Int,
        "float" => Kind::Float,
        "bool" => Kind::Bool,
        "dict" => Kind::Dict,
        "list" => Kind::List(Box::new(Kind::Raw)),
        "bytes" => Kind::Bytes,
        "bits" => return bits(value),
        "raw" | "json" | "jsonarg" => return Ok(value.clone()),
        other => return Err(format!("there is no type '{other}'")),
    };
    kind.convert(&value.to_json()).map(Value::from)
}

/// `10Mb`: as bytes, with a small `b`.
fn bits(value: &Value) -> Result<Value, String> {
    let text = value.to_string();
    if text.trim_end().ends_with('B') {
        return Err(format!("{} is no number of bits: they are written as 10Mb", value.repr()));
    }
    Kind::Bytes.convert(&value.to_json()).map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::value::Value;

    fn dict(yaml: &str) -> Value {
        let source = crate::diagnostic::Source { path: "spec".into(), text: yaml.into(), secret: false };
        let (document, _) = crate::yaml::load(&source.into()).unwrap().single().unwrap();
        document.unwrap().to_value()
    }

    #[track_caller]
    fn findings(spec: &str, given: &str, expect: &[&str]) {
        let (spec, given) = (dict(spec), dict(given));
        let found = check(spec.as_dict().unwrap(), given.as_dict().unwrap());
        let all: Vec<String> = found.errors.into_iter().chain(found.warnings).collect();
        assert_eq!(all, expect);
    }

    #[test]
    fn types() {
        let spec = "{i: {type: int}, li: {type: list, elements: int}, d: {type: dict}, s: {required: true}, \
                    n: {type: int, default: 4}, bi: {type: bits}}";
        findings(spec, "{s: null, i: '3', li: '1,2', d: a=1, bi: 1Mb}", &[]);
        findings(spec, "{i: null, s: [1]}", &[]);
        findings(
            spec,
            "{i: 5.5, li: [1, q], n: null, bi: 1MB}",
            &[
                "missing required arguments: s",
                r#"argument 'i' is of type float and we were unable to convert to int: "5.5" cannot be converted to an int"#,
                r#"Elements value for option 'li' is of type str and we were unable to convert to int: "'q'" cannot be converted to an int"#,
                r#"argument 'n' is of type NoneType and we were unable to convert to int: "None" cannot be converted to an int"#,
                "argument 'bi' is of type str and we were unable to convert to bits: '1MB' is no number of bits: they are written as 10Mb",
            ],
        );
        findings(
            "{e: {type: nosuch}}",
            "{e: 1}",
            &[
                "argument 'e' is of type int and we were unable to convert to nosuch: there is no type 'nosuch'",
            ],
        );
    }

    #[test]
    fn names_and_choices() {
        let spec = "{a: {aliases: [other], choices: [x, y]}, c: {type: list, elements: str, choices: [p, q]}, \
                    i: {type: int, choices: [1, 2]}, w: {choices: [yes, no, maybe]}}";
        findings(spec, "{other: x, c: 'p,q', i: '1', w: yes}", &[]);
        findings(
            spec,
            "{a: z, c: [p, r], i: 3, zz: 1, b: 2}",
            &[
                "value of a must be one of: x, y, got: z",
                "value of c must be one or more of: p, q. Got no match for: r",
                "value of i must be one of: 1, 2, got: 3",
                "b, zz. Supported parameters include: a, c, i, w (other).",
            ],
        );
        findings(spec, "{a: x, other: y}", &["Both option a and its alias other are set."]);
    }

    #[test]
    fn options_within_options() {
        let spec = "{d: {type: dict, mutually_exclusive: [[x, y]], required_together: [[x, w]], \
                    required_one_of: [[x, y]], required_if: [[x, 1, [v]]], required_by: {x: v}, \
                    options: {x: {type: int}, y: {}, w: {}, v: {}}}, \
                    l: {type: list, elements: dict, options: {k: {required: true}, m: {type: dict, \
                    options: {leaf: {type: int}}}}}, \
                    u: {type: dict, apply_defaults: true, options: {s: {required: true}}}}";
        findings(spec, "{d: {y: 1}, l: [{k: 1, m: {leaf: 2}}], u: {s: 1}}", &[]);
        findings(
            spec,
            "{d: {x: '1', y: 2}, l: [{k: 1, m: {leaf: q}}, {zz: 1}]}",
            &[
                "parameters are mutually exclusive: x|y found in d",
                "parameters are required together: x, w found in d",
                "x is 1 but all of the following are missing: v found in d",
                "missing parameter(s) required by 'x': v found in d",
                r#"argument 'leaf' is of type str found in 'l -> m'. and we were unable to convert to int: "'q'" cannot be converted to an int"#,
                "missing required arguments: k found in l",
                "missing required arguments: s found in u",
                "l.zz. Supported parameters include: k, m.",
            ],
        );
        findings(
            spec,
            "{d: {}, u: {s: 1}, l: [5]}",
            &[
                "Elements value for option 'l' is of type int and we were unable to convert to dict: <class 'int'> cannot be converted to a dict",
                "one of the following is required: x, y found in d",
            ],
        );
    }
}
