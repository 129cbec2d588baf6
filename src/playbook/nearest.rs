/// The candidate that a mistyped name most likely stands for; `None` when none is near.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = match name.chars().count() {
        0..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by(|(a, left), (b, right)| {
            // As near as each other: the one that shares more of its letters, in order.
            a.cmp(b)
                .then_with(|| strsim::jaro_winkler(name, right).total_cmp(&strsim::jaro_winkler(name, left)))
        })
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names() {
        let names = ["when", "hosts", "become_user", "vars", "tags", "tasks"];
        let check = |name, expect| assert_eq!(nearest(name, names), expect, "{name}");
        check("whne", Some("when"));
        check("host", Some("hosts"));
        check("becomeuser", Some("become_user"));
        check("var", Some("vars"));
        check("taks", Some("tasks"));
        check("zebra", None);
        check("x", None);
    }
}
