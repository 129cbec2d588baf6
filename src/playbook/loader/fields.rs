use crate::diagnostic::{Diagnostic, Place, Result};
use crate::playbook::Setting;
use crate::playbook::keyword::{Keyword, Kind, Object, check, convert};
use crate::value::Value;
use crate::yaml::Node;

/// One entry of a mapping.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub name: &'a str,
    pub key: &'a Node,
    pub value: &'a Node,
}

/// A mapping whose keys are all text.
pub(super) struct Fields<'a> {
    pub all: Vec<Field<'a>>,
    pub place: &'a Place,
}

impl<'a> Fields<'a> {
    /// `what` is for the message: `a task`.
    pub fn of(node: &'a Node, what: &str) -> Result<Self> {
        let Some(entries) = node.as_map() else {
            return Err(
                Diagnostic::new(format!("{what} must be a mapping, not {}", node.describe())).at(&node.place)
            );
        };
        let all = entries
            .iter()
            .map(|(key, value)| {
                let name = key.as_str().ok_or_else(|| {
                    Diagnostic::new(format!("the keys of {what} must be text, not {}", key.describe()))
                        .at(&key.place)
                })?;
                Ok(Field { name, key, value })
            })
            .collect::<Result<_>>()?;
        Ok(Self { all, place: &node.place })
    }

    pub fn get(&self, name: &str) -> Option<Field<'a>> {
        self.all.iter().find(|field| field.name == name).copied()
    }

    /// Checks every key as a keyword of `object`.
    pub fn check(&self, object: Object) -> Result<()> {
        self.all.iter().try_for_each(|field| field.check(object).map(drop))
    }

    /// The value of a keyword that takes one; `None` when absent or null.
    pub fn setting(&self, name: &str, object: Object) -> Result<Option<Setting>> {
        let Some(field) = self.get(name) else { return Ok(None) };
        field.setting(field.check(object)?)
    }

    /// The items of a keyword that takes a list, a single one standing for a list of one.
    pub fn items(&self, name: &str) -> Vec<&'a Node> {
        self.get(name).map(|field| field.items()).unwrap_or_default()
    }

    pub fn settings(&self, name: &str) -> Vec<Setting> {
        self.items(name).into_iter().map(setting_of).collect()
    }
}

impl<'a> Field<'a> {
    /// The keyword of that name on `object`. A text must be one from the start; what else cannot be converted may be
    /// found out later.
    pub fn check(&self, object: Object) -> Result<&'static Keyword> {
        let keyword = check(self.name, object, &self.key.place)?;
        if keyword.kind == Kind::Text && self.value.as_scalar().is_none() {
            self.setting(keyword)?;
        }
        Ok(keyword)
    }

    /// `None` for null, which is as good as absent.
    pub fn setting(&self, keyword: &Keyword) -> Result<Option<Setting>> {
        if self.value.is_null() {
            return Ok(None);
        }
        let value = convert(keyword, &self.value.to_value()).map_err(|error| error.at(&self.value.place))?;
        Ok(Some(Setting::new(value, self.value.place.clone())))
    }

    pub fn items(&self) -> Vec<&'a Node> {
        match self.value.as_list() {
            Some(items) => items.iter().collect(),
            None if self.value.is_null() => Vec::new(),
            None => vec![self.value],
        }
    }

    /// Conditions: texts, templates or booleans.
    pub fn conditions(&self) -> Result<Vec<Setting>> {
        self.items()
            .into_iter()
            .map(|item| match item.as_scalar() {
                Some(Value::None) | None => Err(Diagnostic::new(format!(
                    "a condition of '{}' must be text or a boolean, not {}",
                    self.name,
                    item.describe()
                ))
                .at(&item.place)),
                Some(_) => Ok(setting_of(item)),
            })
            .collect()
    }
}

pub(super) fn setting_of(node: &Node) -> Setting {
    Setting::new(node.to_value(), node.place.clone())
}
