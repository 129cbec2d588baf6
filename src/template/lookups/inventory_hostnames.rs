//! `inventory_hostnames`: the hosts that a pattern means.

use std::sync::Arc;

use super::search::text;
use crate::diagnostic::{Diagnostic, Result};
use crate::inventory::Inventory;
use crate::template::{Args, Context, LookupEntry, resolve_deep};
use crate::value::{Dict, Value};

pub(super) static ENTRY: LookupEntry =
    LookupEntry { name: "inventory_hostnames", params: &[], run: inventory_hostnames };

fn inventory_hostnames(terms: &[Value], _: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let patterns: Vec<&str> = terms.iter().map(text).collect::<Result<_>>()?;
    let groups = context.names.get("groups").map(|groups| resolve_deep(&groups, context)).transpose()?;
    let Some(Value::Dict(groups)) = groups else {
        return Err(Diagnostic::new("there is no inventory here: 'groups' is not defined"));
    };
    let inventory = inventory(&groups)?;
    let selection = inventory.select(&patterns.join(","), &[])?;
    Ok(selection.hosts.into_iter().map(Value::Str).collect())
}

/// The inventory that `groups` tells of.
fn inventory(groups: &Dict) -> Result<Inventory> {
    let mut inventory = Inventory::default();
    let hosts_of = |hosts: &Value| -> Vec<Arc<str>> {
        hosts.as_list().unwrap_or_default().iter().filter_map(Value::as_str).map(Arc::from).collect()
    };
    // First the hosts in their order, then who belongs where.
    for host in groups.get("all").map(hosts_of).unwrap_or_default() {
        inventory.add_host(&host, &[], &Dict::new())?;
    }
    for (group, hosts) in groups {
        let Some(group) = group.as_str().filter(|group| !matches!(*group, "all" | "ungrouped")) else {
            continue;
        };
        inventory.add_group(group);
        for host in hosts_of(hosts) {
            inventory.add_to_group(&host, group, &[])?;
        }
    }
    Ok(inventory)
}
