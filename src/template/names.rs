//! Names of filters, tests and lookups.

use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;

/// The name without the collection that ansible-core's own plugins live in.
pub fn plain_name(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

/// The error for a name that is not in a table: the nearest right name, or where it would come from.
pub fn unknown(kind: &str, name: &str, known: impl Iterator<Item = &'static str>) -> Diagnostic {
    let error = match kind {
        "lookup" => Diagnostic::new(format!("The lookup plugin '{name}' was not found.")),
        _ => Diagnostic::new(format!("No {kind} named '{name}'.")),
    };
    let plain = plain_name(name);
    let last = plain.rsplit('.').next().unwrap_or(plain);
    if let Some(collection) = home(last) {
        return error.hint(format!(
            "'{last}' is not part of ansible-core but of the collection {collection}, which is not supported."
        ));
    }
    if let Some((collection, _)) = plain.rsplit_once('.') {
        return error.hint(format!("Plugins of collections such as {collection} are not supported."));
    }
    match nearest(plain, known) {
        Some(candidate) => error.hint(format!("Did you mean '{candidate}'?")),
        None => error,
    }
}

/// The collection of well-known plugins that many believe to be built in.
fn home(name: &str) -> Option<&'static str> {
    Some(match name {
        "json_query" | "dict_kv" | "counter" | "random_mac" | "version_sort" | "from_csv" | "flattened"
        | "filetree" | "dig" | "random_string" | "passwordstore" | "merge_variables" | "to_ini" | "redis"
        | "hiera" => "community.general",
        "ipaddr" | "ipv4" | "ipv6" | "ipwrap" | "ipsubnet" | "ipmath" | "nthhost" | "next_nth_usable"
        | "network_in_usable" | "hwaddr" | "macaddr" | "slaac" | "to_paths" | "get_path" | "index_of"
        | "from_xml" | "to_xml" | "usable_range" | "validate" => "ansible.utils",
        "parse_cli" | "parse_xml" | "type5_pw" | "vlan_parser" => "ansible.netcommon",
        _ => return None,
    })
}
