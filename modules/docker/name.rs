//! Names of images: `registry/repository:tag`, `repository@sha256:…`, and ids.

/// A name as it is taken apart. `tag` may be a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    pub repository: String,
    pub tag: Option<String>,
}

impl ImageName {
    pub fn parse(text: &str) -> Self {
        let split = text.split_once('@').or_else(|| {
            let (repository, tag) = text.rsplit_once(':')?;
            (!tag.contains('/')).then_some((repository, tag))
        });
        match split {
            Some((repository, tag)) => {
                // Of a tag and a digest the digest counts.
                let repository = if text.contains('@') { without_tag(repository) } else { repository };
                Self { repository: repository.to_owned(), tag: Some(tag.to_owned()) }
            }
            None => Self { repository: text.to_owned(), tag: None },
        }
    }

    /// With that tag where it has none.
    #[must_use]
    pub fn or_tag(self, tag: &str) -> Self {
        Self { tag: Some(self.tag.unwrap_or_else(|| tag.to_owned())), ..self }
    }

    /// As the engine takes it.
    pub fn whole(&self) -> String {
        match &self.tag {
            None => self.repository.clone(),
            Some(digest) if digest.contains(':') => format!("{}@{digest}", self.repository),
            Some(tag) => format!("{}:{tag}", self.repository),
        }
    }

    pub fn has_digest(&self) -> bool {
        self.tag.as_ref().is_some_and(|tag| tag.contains(':'))
    }

    /// Whose the repository is.
    pub fn registry(&self) -> &str {
        match self.repository.split_once('/') {
            Some((first, _)) if first == "localhost" || first.contains(['.', ':']) => first,
            _ => "docker.io",
        }
    }
}

fn without_tag(repository: &str) -> &str {
    match repository.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => repository,
    }
}

/// Whether it is the id of an image.
pub fn is_id(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|id| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (text, repository, tag, registry) in [
            ("busybox", "busybox", None, "docker.io"),
            ("busybox:1.2", "busybox", Some("1.2"), "docker.io"),
            ("me/app", "me/app", None, "docker.io"),
            ("localhost:5000/me/app", "localhost:5000/me/app", None, "localhost:5000"),
            ("localhost:5000/me/app:1", "localhost:5000/me/app", Some("1"), "localhost:5000"),
            ("localhost/app:1", "localhost/app", Some("1"), "localhost"),
            ("quay.io/a/b@sha256:12", "quay.io/a/b", Some("sha256:12"), "quay.io"),
            ("quay.io/a/b:3@sha256:12", "quay.io/a/b", Some("sha256:12"), "quay.io"),
        ] {
            let name = ImageName::parse(text);
            assert_eq!((name.repository.as_str(), name.tag.as_deref()), (repository, tag), "{text}");
            assert_eq!(name.registry(), registry, "{text}");
        }
        assert_eq!(ImageName::parse("a").or_tag("latest").whole(), "a:latest");
        assert_eq!(ImageName::parse("a:1").or_tag("latest").whole(), "a:1");
        assert_eq!(ImageName::parse("a@sha256:1").whole(), "a@sha256:1");
    }

    #[test]
    fn ids_are_known() {
        assert!(is_id(&format!("sha256:{}", "a0".repeat(32))));
        assert!(!is_id("sha256:a0") && !is_id(&"a0".repeat(32)));
    }
}
