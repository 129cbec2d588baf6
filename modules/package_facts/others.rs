//! What the package managers of other systems than the most usual ones tell.

use serde_json::json;

use super::{Packages, add};
use crate::kit::{Failure, Result};

/// FreeBSD's: a line a package, its fields between tabs.
pub(super) fn pkg(text: &str, packages: &mut Packages) -> Result<()> {
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, version, origin, installed, automatic, abi, port, prefix, vital] = fields.as_slice()
        else {
            return Err(Failure::new(format!("pkg said what is no package: {line:?}")));
        };
        // `1.24.0_2,3`: the port's own revision and epoch stand behind the version.
        let (version, epoch) = version.split_once(',').unwrap_or((version, ""));
        let (version, revision) = version.split_once('_').unwrap_or((version, "0"));
        let epoch = if epoch.is_empty() { json!(0) } else { json!(epoch) };
        let package = json!({
            "name": name, "version": version, "revision": revision, "port_epoch": epoch, "origin": origin,
            "installed": installed, "automatic": *automatic == "1", "arch": abi.rsplit(':').next(),
            "category": port.split('/').next(), "prefix": prefix, "vital": *vital == "1", "source": "pkg",
        });
        add(packages, name, package);
    }
    Ok(())
}

/// OpenBSD's: `bash-5.2.15         what it is`.
pub(super) fn pkg_info(text: &str, packages: &mut Packages) {
    let names = text.lines().filter_map(|line| line.split_whitespace().next());
    for (name, version) in names.filter_map(|name| name.rsplit_once('-')) {
        add(packages, name, json!({"name": name, "version": version, "source": "pkg_info"}));
    }
}

/// Gentoo's: `app-shells/bash-5.1_p16-r6`, a package a line.
pub(super) fn portage(text: &str, packages: &mut Packages) {
    for atom in text.lines().filter_map(|line| line.split_whitespace().next()) {
        let Some((category, rest)) = atom.split_once('/') else { continue };
        let (rest, revision) = match rest.rsplit_once("-r") {
            Some((rest, number)) if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) => {
                (rest, Some(format!("r{number}")))
            }
            _ => (rest, None),
        };
        // The version begins with a digit; names may have hyphens.
        let Some((name, version)) = rest.rsplit_once('-') else { continue };
        let fields = [("name", name), ("version", version), ("category", category), ("source", "portage")];
        let mut package: Packages =
            fields.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        if let Some(revision) = revision {
            package.insert("ebuild_revision".to_owned(), revision.into());
        }
        add(packages, name, package.into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn check(told: impl Fn(&mut Packages), expected: &Json) {
        let mut packages = Packages::new();
        told(&mut packages);
        assert_eq!(&Json::from(packages), expected);
    }

    #[test]
    fn each_tool_is_understood() {
        let line = "nginx\t1.24.0_2,3\tFreeBSD\t1700000000\t0\tFreeBSD:14:amd64\twww/nginx\t/usr/local\t1\n";
        check(
            |packages| pkg(line, packages).unwrap(),
            &json!({"nginx": [{
                "name": "nginx", "version": "1.24.0", "revision": "2", "port_epoch": "3", "origin": "FreeBSD",
                "installed": "1700000000", "automatic": false, "arch": "amd64", "category": "www",
                "prefix": "/usr/local", "vital": true, "source": "pkg",
            }]}),
        );
        assert!(pkg("nonsense\n", &mut Packages::new()).is_err());
        check(
            |packages| pkg_info("py3-foo-1.0p1 a tool\n", packages),
            &json!({"py3-foo": [{"name": "py3-foo", "version": "1.0p1", "source": "pkg_info"}]}),
        );
        check(
            |packages| portage("app-shells/bash-5.1_p16-r6\nsys-apps/sed-4.8\n", packages),
            &json!({
                "bash": [{"name": "bash", "version": "5.1_p16", "category": "app-shells", "ebuild_revision": "r6",
                          "source": "portage"}],
                "sed": [{"name": "sed", "version": "4.8", "category": "sys-apps", "source": "portage"}],
            }),
        );
    }
}
