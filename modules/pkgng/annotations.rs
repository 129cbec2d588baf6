//! Notes that pkg keeps with a package.

use std::collections::BTreeMap;

use super::{Done, Package, Pkg};
use crate::kit::{Failure, Result, System};

pub(super) fn ensure(
    pkg: &Pkg<'_>,
    packages: &[Package],
    done: &mut Done,
    sys: &mut System<'_>,
) -> Result<()> {
    let mut count = 0;
    for package in packages {
        // What is only foretold has no notes yet.
        let mut notes =
            if package.there || !sys.is_check() { read(pkg, &package.name, sys)? } else { BTreeMap::new() };
        for wish in &pkg.args.annotation {
            count += usize::from(apply(pkg, &package.name, wish, &mut notes, sys)?);
        }
    }
    done.said.push(match count {
        0 => "changed no annotations".to_owned(),
        count => format!("added {count} annotations."),
    });
    Ok(())
}

/// Does what one wish asks for; says whether there was anything to do.
fn apply(
    pkg: &Pkg<'_>,
    package: &str,
    wish: &str,
    notes: &mut BTreeMap<String, String>,
    sys: &mut System<'_>,
) -> Result<bool> {
    let invalid = || Failure::new(format!("failed to annotate {package}, invalid annotate string: {wish}"));
    let mut rest = wish.chars();
    let act = rest.next().ok_or_else(invalid)?;
    let (key, value) = match rest.as_str().split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (rest.as_str(), None),
    };
    let is = notes.get(key).cloned();
    let (flag, value) = match (act, value, is) {
        ('+' | ':', Some(value), Some(is)) if is == value => return Ok(false),
        ('-', _, None) => return Ok(false),
        ('+', Some(value), None) => ("-A", value),
        ('+', Some(value), Some(is)) => {
            return Err(Failure::new(format!(
                "failed to annotate {package}, because {key} is already set to {is}, but should be set to {value}"
            )));
        }
        (':', Some(value), Some(_)) => ("-M", value),
        (':', Some(_), None) => {
            return Err(Failure::new(format!(
                "could not change annotation to {package}: tag {key} does not exist"
            )));
        }
        ('-', _, Some(_)) => ("-D", ""),
        _ => return Err(invalid()),
    };
    let command = pkg.command("annotate").args(["-y", flag, package, key]).stdin(value);
    sys.exec(command)
        .map_err(|failure| failure.context(format!("failed to annotate {package} with {key}")))?;
    if flag == "-D" {
        notes.remove(key);
    } else {
        notes.insert(key.to_owned(), value.to_owned());
    }
    Ok(true)
}

/// `key : value`, one a line.
fn read(pkg: &Pkg<'_>, package: &str, sys: &mut System<'_>) -> Result<BTreeMap<String, String>> {
    let said = sys.query(pkg.command("info").flag("-g", pkg.args.use_globs).args(["-A", package]))?;
    said.or_fail(&format!("cannot read the annotations of {package}"))?;
    let text = said.stdout();
    let pairs = text.lines().filter(|line| line.starts_with(char::is_whitespace)).filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    });
    Ok(pairs.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    fn check(wishes: &str, msg: &str, ran: &[&str]) {
        let trial = Trial::of("pkgng");
        trial.host.program("/usr/sbin/pkg").answer("/usr/sbin/pkg", 0, "");
        trial.host.answer("/usr/sbin/pkg query", 0, "git devel/git git-2\n");
        let notes = "git-2:\nAnnotations    :\n\ta              : b\n\trepo_type      : binary\n";
        trial.host.answer("/usr/sbin/pkg info -g -A git", 0, notes);
        let result = trial.run(&json!({"name": "git", "annotation": wishes}));
        assert_eq!(result["msg"], msg, "{wishes}");
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix("/usr/sbin/pkg annotate -y "));
        assert_eq!(acts.collect::<Vec<_>>(), ran);
    }

    #[test]
    fn notes_come_change_and_go() {
        let present = |said: &str| format!("package(s) already present, {said}");
        check("+a=b,-n", &present("changed no annotations"), &[]);
        check("+n=c,:a=b", &present("added 1 annotations."), &["-A git n"]);
        check(":a=c,-a", &present("added 2 annotations."), &["-M git a", "-D git a"]);
        check("+a=c", "failed to annotate git, because a is already set to b, but should be set to c", &[]);
        check(":n=c", "could not change annotation to git: tag n does not exist", &[]);
        check("zz", "failed to annotate git, invalid annotate string: zz", &[]);
    }
}
