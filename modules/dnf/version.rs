//! Versions of packages, and which of two is the newer one, as rpm orders them.

use std::cmp::Ordering;

/// A package's name and a version, as a user writes them together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'n> {
    pub(super) name: &'n str,
    epoch: Option<&'n str>,
    version: &'n str,
    release: Option<&'n str>,
}

/// What a name may mean: `a-b-1` is version `b` and release `1` of `a`, or version `1` of `a-b`. None where it has no
/// version. Kernels of several versions stand side by side: they do not count.
pub(super) fn named(text: &str) -> Vec<Named<'_>> {
    let Some((front, last)) = text.rsplit_once('-') else { return Vec::new() };
    if text.starts_with("kernel") {
        return Vec::new();
    }
    let split = |version| match str::split_once(version, ':') {
        Some((epoch, version)) => (Some(epoch), version),
        None => (None, version),
    };
    let of = |name, version, release| {
        let (epoch, version): (Option<&str>, &str) = split(version);
        version.starts_with(|c: char| c.is_ascii_alphanumeric()).then_some(Named {
            name,
            epoch,
            version,
            release,
        })
    };
    let with_release = front.rsplit_once('-').and_then(|(name, version)| of(name, version, Some(last)));
    of(front, last, None).into_iter().chain(with_release).collect()
}

/// A package that is installed.
pub(super) struct Version<'v> {
    pub(super) name: &'v str,
    epoch: &'v str,
    number: &'v str,
    release: &'v str,
}

impl<'v> Version<'v> {
    /// `git (none) 2.4 3.el9`; `None` of what rpm says else.
    pub(super) fn parse(line: &'v str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, epoch, version, release] = words.as_slice() else { return None };
        Some(Self { name, epoch: if *epoch == "(none)" { "0" } else { epoch }, number: version, release })
    }

    /// What is not said of the other one is as it is here.
    pub(super) fn is_newer_than(&self, other: &Named<'_>) -> bool {
        let epoch = other.epoch.map_or(Ordering::Equal, |epoch| compare(self.epoch, epoch));
        let version = compare(self.number, other.version);
        // An architecture may stand behind the release.
        let release =
            other.release.map_or(Ordering::Equal, |release| match release.strip_prefix(self.release) {
                Some(rest) if rest.is_empty() || rest.starts_with('.') => Ordering::Equal,
                _ => compare(self.release, release),
            });
        epoch.then(version).then(release) == Ordering::Greater
    }
}

/// Runs of digits are numbers, runs of letters are words, and anything between only parts them. `~` is older than the
/// end, `^` newer than it, and older than all else.
fn compare(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '~' || c == '^';
    loop {
        one = one.trim_start_matches(|c| !is_part(c));
        other = other.trim_start_matches(|c| !is_part(c));
        match (one.starts_with('~'), other.starts_with('~')) {
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (true, true) => {
                (one, other) = (one.get(1..).unwrap_or_default(), other.get(1..).unwrap_or_default());
                continue;
            }
            (false, false) => {}
        }
        match (one.starts_with('^'), other.starts_with('^')) {
            (true, true) => {
                (one, other) = (one.get(1..).unwrap_or_default(), other.get(1..).unwrap_or_default());
                continue;
            }
            (true, false) => return if other.is_empty() { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if one.is_empty() { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        if one.is_empty() || other.is_empty() {
            return one.len().cmp(&other.len());
        }
        let digits = one.starts_with(|c: char| c.is_ascii_digit());
        if digits != other.starts_with(|c: char| c.is_ascii_digit()) {
            // A number is newer than a word.
            return if digits { Ordering::Greater } else { Ordering::Less };
        }
        let is_of_run = |c: char| if digits { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
        let end = |text: &str| text.find(|c| !is_of_run(c)).unwrap_or(text.len());
        let (run, rest) = one.split_at(end(one));
        let (other_run, other_rest) = other.split_at(end(other));
        let order = if digits {
            let (a, b) = (run.trim_start_matches('0'), other_run.trim_start_matches('0'));
            a.len().cmp(&b.len()).then(a.cmp(b))
        } else {
            run.cmp(other_run)
        };
        if order != Ordering::Equal {
            return order;
        }
        (one, other) = (rest, other_rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_rpms_order() {
        let order = ["1.0~rc1", "1.0", "1.0^git1", "1.0a", "1.0.1", "1.2", "1.10", "2", "10.0001", "10.2"];
        for (at, one) in order.iter().enumerate() {
            for (place, other) in order.iter().enumerate() {
                assert_eq!(compare(one, other), at.cmp(&place), "{one} {other}");
            }
        }
        assert_eq!(compare("1.05", "1.5"), Ordering::Equal);
        assert_eq!(compare("2_0", "2.0"), Ordering::Equal);
    }

    #[test]
    fn names_may_mean_two_things() {
        let names =
            |text| named(text).iter().map(|one| (one.name, one.version, one.release)).collect::<Vec<_>>();
        assert_eq!(names("a-b-1"), [("a-b", "1", None), ("a", "b", Some("1"))]);
        assert_eq!(names("git"), []);
        assert_eq!(names("kernel-5.1"), []);
        assert_eq!(named("a-3:1")[0].epoch, Some("3"));
    }
}
