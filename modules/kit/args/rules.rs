//! What must, and must not, be given together.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::ArgsError;

/// The rules of a module, declared on its `Args`:
/// `#[schemars(extend("mutually_exclusive" = [["src", "content"]]))]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Rules {
    pub mutually_exclusive: Vec<Vec<String>>,
    pub required_together: Vec<Vec<String>>,
    pub required_one_of: Vec<Vec<String>>,
    pub required_if: Vec<RequiredIf>,
    /// An option, and those that must be given with it.
    pub required_by: Map<String, Json>,
    /// Where Ansible's module says a broken rule in other words: the usual words and its own.
    pub words: Map<String, Json>,
}

/// `["state", "link", ["src"]]`: when `state` is `link`, `src` must be given. With `true` as fourth, one of them
/// is enough.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "RequiredIfRow")]
pub struct RequiredIf {
    pub option: String,
    pub value: Json,
    pub needs: Vec<String>,
    pub any: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RequiredIfRow {
    All(String, Json, Vec<String>),
    Any(String, Json, Vec<String>, bool),
}

impl From<RequiredIfRow> for RequiredIf {
    fn from(row: RequiredIfRow) -> Self {
        match row {
            RequiredIfRow::All(option, value, needs) => Self { option, value, needs, any: false },
            RequiredIfRow::Any(option, value, needs, any) => Self { option, value, needs, any },
        }
    }
}

impl Rules {
    /// What a declaration that cannot be read becomes: a rule nothing satisfies, and a law finds.
    pub(super) fn malformed() -> Self {
        Self { required_one_of: vec![Vec::new()], ..Self::default() }
    }

    /// What does not go together.
    pub(super) fn check_given(&self, given: &Map<String, Json>) -> Result<(), ArgsError> {
        for group in &self.mutually_exclusive {
            if group.iter().filter(|name| given.contains_key(*name)).count() > 1 {
                return Err(ArgsError::new(format!(
                    "parameters are mutually exclusive: {}",
                    group.join("|")
                )));
            }
        }
        Ok(())
    }

    /// The error in the module's own words.
    pub(super) fn worded(&self, mut error: ArgsError) -> ArgsError {
        if let Some(own) = self.words.get(&error.message).and_then(Json::as_str) {
            own.clone_into(&mut error.message);
        }
        error
    }

    /// What is missing. `usual` is what an option is that was not given.
    pub(super) fn check<'d>(
        &self,
        given: &Map<String, Json>,
        usual: impl Fn(&str) -> Option<&'d Json>,
    ) -> Result<(), ArgsError> {
        let has = |name: &String| given.contains_key(name);
        for group in &self.required_together {
            if group.iter().any(has) && !group.iter().all(has) {
                return Err(ArgsError::new(format!(
                    "parameters are required together: {}",
                    group.join(", ")
                )));
            }
        }
        for group in &self.required_one_of {
            if !group.iter().any(has) {
                return Err(ArgsError::new(format!(
                    "one of the following is required: {}",
                    group.join(", ")
                )));
            }
        }
        for rule in &self.required_if {
            if given.get(&rule.option).or_else(|| usual(&rule.option)) != Some(&rule.value) {
                continue;
            }
            let missing: Vec<&str> = rule.needs.iter().filter(|n| !has(n)).map(String::as_str).collect();
            let (failed, term) = if rule.any {
                (missing.len() == rule.needs.len(), "any")
            } else {
                (!missing.is_empty(), "all")
            };
            if failed {
                let value = match &rule.value {
                    Json::String(text) => text.clone(),
                    Json::Bool(true) => "True".to_owned(),
                    Json::Bool(false) => "False".to_owned(),
                    other => other.to_string(),
                };
                return Err(ArgsError::new(format!(
                    "{} is {value} but {term} of the following are missing: {}",
                    rule.option,
                    missing.join(", ")
                ))
                .on(&rule.option));
            }
        }
        for (option, needs) in &self.required_by {
            let needs = needs.as_array().map(Vec::as_slice).unwrap_or_default();
            let missing: Vec<&str> =
                needs.iter().filter_map(Json::as_str).filter(|name| !given.contains_key(*name)).collect();
            if given.contains_key(option) && !missing.is_empty() {
                return Err(ArgsError::new(format!(
                    "missing parameter(s) required by '{option}': {}",
                    missing.join(", ")
                ))
                .on(option));
            }
        }
        Ok(())
    }
}
