//! "Did you mean …?"

/// The candidate that a mistyped name most likely stands for; `None` when none is near. Names of one or two
/// letters are nobody's misspelling.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .filter_map(|candidate| {
            let allowed = match length.min(candidate.chars().count()) {
                0..=2 => return None,
                3..=5 => 1,
                6..=8 => 2,
                _ => 3,
            };
            let distance = strsim::damerau_levenshtein(name, candidate);
            (distance <= allowed).then_some((distance, candidate))
        })
        .min_by(|(a, left), (b, right)| {
            // As near as each other: the one of the same letters, or that shares more of them, in order.
            a.cmp(b)
                .then_with(|| (letters(left) != letters(name)).cmp(&(letters(right) != letters(name))))
                .then_with(|| strsim::jaro_winkler(name, right).total_cmp(&strsim::jaro_winkler(name, left)))
        })
        .map(|(_, candidate)| candidate)
}

fn letters(name: &str) -> Vec<char> {
    let mut letters: Vec<char> = name.chars().collect();
    letters.sort_unstable();
    letters
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names() {
        let names = ["when", "hosts", "become_user", "vars", "tags", "tasks", "q", "xy"];
        let check = |name, expect| assert_eq!(nearest(name, names), expect, "{name}");
        check("whne", Some("when"));
        check("host", Some("hosts"));
        check("becomeuser", Some("become_user"));
        check("var", Some("vars"));
        check("taks", Some("tasks"));
        check("zebra", None);
        check("x", None);
        check("d", None);
        check("xyz", None);
        check("tags", None);
    }
}
