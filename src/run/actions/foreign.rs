//! Modules that Ansible's users know and fanfare may lack.

/// A line for each collection of the Ansible package: its name, and those of its modules. Short names that mean one of
/// them stand with ansible.builtin. Written by `tests/content/names`.
const ELSEWHERE: &str = include_str!("elsewhere.txt");

/// Whether a name is one of Ansible's or of a collection that comes with it, as opposed to a misspelling.
pub fn is_known_elsewhere(name: &str) -> bool {
    let mut parts = name.splitn(3, '.');
    let (collection, module) = match (parts.next(), parts.next(), parts.next()) {
        (Some("ansible"), Some("legacy"), Some(module)) => ("ansible.builtin", module),
        (Some(space), Some(collection), Some(module)) => {
            (name.get(..space.len() + 1 + collection.len()).unwrap_or_default(), module)
        }
        _ => ("ansible.builtin", name),
    };
    let row =
        ELSEWHERE.lines().filter_map(|line| line.split_once(' ')).find(|(known, _)| *known == collection);
    row.is_some_and(|(_, modules)| modules.split(' ').any(|known| known == module))
}

#[cfg(test)]
mod tests {
    use super::is_known_elsewhere;

    #[test]
    fn names_are_known_short_and_in_full() {
        let known = [
            "docker_container",
            "ansible.builtin.docker_container",
            "ansible.legacy.dnf5",
            "community.general.pam_limits",
        ];
        assert!(known.iter().all(|name| is_known_elsewhere(name)));
        let unknown = [
            "docker_contaner",
            "ansible.builtin.nothing",
            "community.general.nothing",
            "no.such.module",
            "a.b",
            "",
        ];
        assert!(!unknown.iter().any(|name| is_known_elsewhere(name)));
    }
}
