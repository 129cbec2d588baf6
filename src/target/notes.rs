//! Remarks about connections that are no errors: options without meaning, keys recorded.

use std::sync::Arc;

/// Takes a host's inventory name and a remark about it.
pub type NoteTaker = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// Where one host's remarks go.
#[derive(Clone)]
pub(super) struct Notes {
    pub host: Arc<str>,
    pub taker: Option<NoteTaker>,
}

impl std::fmt::Debug for Notes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Notes({})", self.host)
    }
}

impl Notes {
    pub(super) fn note(&self, text: &str) {
        if let Some(taker) = &self.taker {
            taker(&self.host, text);
        }
    }
}
