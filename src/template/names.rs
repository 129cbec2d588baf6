//! Names of filters, tests and lookups.

use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;

/// The name without the collection that ansible-core's own plugins live in.
pub fn plain_name(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

/// Names from before plugins had collections, with the places that ansible-core sends those to who still use them.
const MOVED: &[(&str, &str)] = &[
    ("ansible.netcommon.ipaddr", "ansible.utils.ipaddr"),
    ("ansible.netcommon.ipv4", "ansible.utils.ipv4"),
    ("ansible.netcommon.ipv6", "ansible.utils.ipv6"),
    ("filetree", "community.general.filetree"),
    ("flattened", "community.general.flattened"),
    ("ipaddr", "ansible.utils.ipaddr"),
    ("ipv4", "ansible.utils.ipv4"),
    ("ipv6", "ansible.utils.ipv6"),
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
        "cidr_merge"
        | "consolidate"
        | "fact_diff"
        | "from_xml"
        | "get_path"
        | "hwaddr"
        | "in_any_network"
        | "in_network"
        | "in_one_network"
        | "index_of"
        | "ip"
        | "ip4_hex"
        | "ip_address"
        | "ipaddr"
        | "ipcut"
        | "ipmath"
        | "ipsubnet"
        | "ipv4"
        | "ipv4_address"
        | "ipv4_hostmask"
        | "ipv4_netmask"
        | "ipv6"
        | "ipv6_address"
        | "ipv6form"
        | "ipwrap"
        | "keep_keys"
        | "loopback"
        | "mac"
        | "macaddr"
        | "multicast"
        | "network_in_network"
        | "network_in_usable"
        | "next_nth_usable"
        | "nthhost"
        | "param_list_compare"
        | "previous_nth_usable"
        | "private"
        | "public"
        | "reduce_on_network"
        | "remove_keys"
        | "replace_keys"
        | "reserved"
        | "resolvable"
        | "slaac"
        | "subnet_of"
        | "supernet_of"
        | "to_paths"
        | "to_xml"
        | "unspecified"
        | "usable_range"
        | "validate" => "ansible.utils",
        "parse_cli" | "parse_xml" | "type5_pw" | "vlan_parser" => "ansible.netcommon",
        _ => return None,
    })
}
