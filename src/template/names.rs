//! Names of filters, tests and lookups.

use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;

/// The name without the collection that ansible-core's own plugins live in.
pub fn plain_name(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

/// Names from before plugins had collections, with the places that ansible-core sends those to who still use them.
const MOVED: &[(&str, &str)] = &[
    ("filetree", "community.general.filetree"),
    ("flattened", "community.general.flattened"),
    ("json_query", "community.general.json_query"),
    ("random_mac", "community.general.random_mac"),
];

/// The name by which a table has it.
pub fn own_name(name: &str) -> &str {
    let plain = plain_name(name);
    MOVED.iter().find(|(old, _)| *old == plain).map_or(plain, |(_, new)| new)
}

/// The error for a name that is not in a table: the nearest right name, or where it would come from.
pub fn unknown(kind: &str, name: &str, known: impl Iterator<Item = &'static str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let error = match kind {
        "lookup" => Diagnostic::new(format!("The lookup plugin '{name}' was not found.")),
        _ => Diagnostic::new(format!("No {kind} named '{name}'.")),
    };
    let plain = plain_name(name);
    let last = plain.rsplit('.').next().unwrap_or(plain);
    if let Some(collection) = home(last) {
        let full = format!("{collection}.{last}");
        if known.contains(&full.as_str()) {
            return error.hint(format!("Did you mean '{full}'?"));
        }
        return error.hint(format!(
            "'{last}' is not part of ansible-core but of the collection {collection}; fanfare does not have it."
        ));
    }
    if let Some((collection, _)) = plain.rsplit_once('.') {
        return error.hint(format!("fanfare does not have this one of the collection {collection}."));
    }
    match nearest(plain, known) {
        Some(candidate) => error.hint(format!("Did you mean '{candidate}'?")),
        None => error,
    }
}

/// The collection of well-known plugins that many believe to be built in.
fn home(name: &str) -> Option<&'static str> {
    Some(match name {
        "dict_kv" | "counter" | "version_sort" | "from_csv" | "dig" | "random_string" | "passwordstore"
        | "merge_variables" | "to_ini" | "redis" | "hiera" => "community.general",
        "ipaddr" | "ipv4" | "ipv6" | "ipwrap" | "ipsubnet" | "ipmath" | "nthhost" | "next_nth_usable"
        | "network_in_usable" | "hwaddr" | "macaddr" | "slaac" | "to_paths" | "get_path" | "index_of"
        | "from_xml" | "to_xml" | "usable_range" | "validate" => "ansible.utils",
        "parse_cli" | "parse_xml" | "type5_pw" | "vlan_parser" => "ansible.netcommon",
        _ => return None,
    })
}
