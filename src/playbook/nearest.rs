/// The candidate that a mistyped name most likely stands for; `None` when none is near.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = match name.chars().count() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names() {
        let check = |name, expect| {
            assert_eq!(nearest(name, ["when", "hosts", "become_user", "vars"]), expect, "{name}")
        };
        check("whne", Some("when"));
        check("host", Some("hosts"));
        check("becomeuser", Some("become_user"));
        check("var", Some("vars"));
        check("zebra", None);
        check("x", None);
    }
}
