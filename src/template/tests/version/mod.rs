//! `version`: by Python's rules for loose and strict versions, by semantic versioning, or by PEP 440.

mod loose;
mod pep440;
mod semantic;
mod strict;

use std::cmp::Ordering;

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, TestEntry};
use crate::value::Value;

pub(in crate::template) use loose::compare as loose_version;

pub(super) static TABLE: &[TestEntry] =
    &[TestEntry::new("version", PARAMS, version), TestEntry::new("version_compare", PARAMS, version)];

const PARAMS: &[&str] = &["version", "operator", "strict", "version_type"];

fn version(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let text = |value: &Value| if value.is_truthy() { value.to_string() } else { String::new() };
    let given = text(subject);
    let wanted = text(args.required("version")?);
    if given.is_empty() {
        return Err(Diagnostic::new("Input version value cannot be empty"));
    }
    if wanted.is_empty() {
        return Err(Diagnostic::new("Version parameter to compare against cannot be empty"));
    }
    let holds = operator(&args.string("operator").unwrap_or("eq".into()))?;
    let order =
        compare(args)?(&given, &wanted).map_err(|error| error.context("Version comparison failed"))?;
    Ok(holds(order))
}

type Compare = fn(&str, &str) -> Result<Ordering>;

fn compare(args: &Args<'_>) -> Result<Compare> {
    let strict = args.some("strict");
    let kind = args.string("version_type");
    if strict.is_some() && kind.is_some() {
        return Err(Diagnostic::new("Cannot specify both 'strict' and 'version_type'"));
    }
    Ok(match kind.as_deref() {
        None if strict.is_some_and(Value::is_truthy) => strict::compare,
        None | Some("loose") => loose::compare,
        Some("strict") => strict::compare,
        Some("semver" | "semantic") => semantic::compare,
        Some("pep440") => pep440::compare,
        Some(other) => {
            return Err(Diagnostic::new(format!(
                "Invalid version type ({other}). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'"
            )));
        }
    })
}

fn operator(name: &str) -> Result<fn(Ordering) -> bool> {
    Ok(match name {
        "==" | "=" | "eq" => Ordering::is_eq,
        "<" | "lt" => Ordering::is_lt,
        "<=" | "le" => Ordering::is_le,
        ">" | "gt" => Ordering::is_gt,
        ">=" | "ge" => Ordering::is_ge,
        "!=" | "<>" | "ne" => Ordering::is_ne,
        _ => {
            return Err(Diagnostic::new(format!(
                "Invalid operator type ({name}). Must be one of '==', '=', 'eq', '<', 'lt', '<=', 'le', '>', \
                 'gt', '>=', 'ge', '!=', '<>', 'ne'"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(compare: Compare, ascending: &[&str]) {
        for pair in ascending.windows(2) {
            assert_eq!(compare(pair[0], pair[1]).unwrap(), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]).unwrap(), Ordering::Greater, "{pair:?}");
            assert_eq!(compare(pair[0], pair[0]).unwrap(), Ordering::Equal, "{pair:?}");
        }
    }

    fn refuses(compare: Compare, a: &str, b: &str, message: &str) {
        assert_eq!(compare(a, b).unwrap_err().message(), message);
    }

    #[test]
    fn loose_versions() {
        check(
            loose::compare,
            &["1.0", "1.0-beta", "1.9", "1.10", "1.10.1", "2.1.0", "2.1.0~rc1", "10.5", "10.5p1"],
        );
        refuses(loose::compare, "v1.0", "1.0", "'<' not supported between instances of 'str' and 'int'");
        refuses(loose::compare, "1.1", "1.a", "'<' not supported between instances of 'int' and 'str'");
    }

    #[test]
    fn strict_versions() {
        check(strict::compare, &["0.4", "1.0a1", "1.0a3", "1.0b2", "1.0", "1.0.1", "1.10"]);
        assert_eq!(strict::compare("1.0", "1.0.0").unwrap(), Ordering::Equal);
        for bad in ["x", "1", "1.0.0.0", "1.0c1"] {
            refuses(strict::compare, bad, "1.0", &format!("invalid version number '{bad}'"));
        }
    }

    #[test]
    fn semantic_versions() {
        check(
            semantic::compare,
            &[
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0",
                "1.1.0",
            ],
        );
        assert_eq!(semantic::compare("1.0.0+a", "1.0.0+b").unwrap(), Ordering::Equal);
        for bad in ["1.0", "01.0.0", "1.0.0-", "1.0.0-a..b", "1.0.0+"] {
            refuses(semantic::compare, bad, "1.0.0", &format!("invalid semantic version '{bad}'"));
        }
    }

    #[test]
    fn pep440_versions() {
        check(
            pep440::compare,
            &[
                "1.0.dev1",
                "1.0a1.dev1",
                "1.0a1",
                "1.0b2",
                "1.0rc1",
                "1.0",
                "1.0+abc.5",
                "1.0+abc.10",
                "1.0+5",
                "1.0.post1.dev1",
                "1.0.post1",
                "1.1",
                "1!0.1",
            ],
        );
        for (a, b) in [
            ("v1.0", "1.0"),
            ("1.0-1", "1.0.post1"),
            ("1.0.0a", "1a0"),
            ("1.2", "1.2.0"),
            ("1.0-RC_1", "1rc1"),
        ] {
            assert_eq!(pep440::compare(a, b).unwrap(), Ordering::Equal, "{a} and {b}");
        }
        refuses(pep440::compare, "nonsense", "1.0", "Invalid version: 'nonsense'");
    }
}
