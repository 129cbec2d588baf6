use super::Entry;
use super::wrap::wrap;
use crate::playbook::keyword::{KEYWORDS, Keyword, Object};

pub(super) fn all() -> Vec<Box<dyn Entry>> {
    KEYWORDS.iter().map(|keyword| Box::new(keyword) as Box<dyn Entry>).collect()
}

impl Entry for &'static Keyword {
    fn name(&self) -> &str {
        self.name
    }

    fn summary(&self) -> String {
        self.help.to_owned()
    }

    fn page(&self) -> String {
        format!(
            "{}\n{}\n    On: {}\n    Type: {}\n",
            self.name,
            wrap(&self.summary(), 4),
            self.on.objects().map(Object::phrase).collect::<Vec<_>>().join(", "),
            self.kind.name()
        )
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "description": self.help,
            "applies_to": self.on.objects().map(Object::name).collect::<Vec<_>>(),
            "type": self.kind.name(),
        })
    }

    fn markdown(&self) -> String {
        self.page()
    }

    fn snippet(&self) -> Option<String> {
        None
    }
}
