//! `cidr_merge`: the fewest networks that hold the same addresses, or the one that spans them.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::net::Net;
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(in super::super) static TABLE: &[FilterEntry] =
    &[FilterEntry::new("ansible.utils.cidr_merge", &["action"], cidr_merge)];

/// A list, or text that is one with commas.
pub(in crate::template) fn listed(subject: &Value, name: &str) -> Result<Vec<Value>> {
    match subject {
        Value::List(items) | Value::Tuple(items) => Ok(items.to_vec()),
        Value::Str(text) => Ok(text.split(',').map(Value::from).collect()),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => Ok(vec![subject.to_string().into()]),
        other => Err(Diagnostic::new(format!("'{name}' must be a list, not '{}'", other.type_name()))),
    }
}

fn cidr_merge(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let action = args.string("action").unwrap_or("merge".into());
    if !matches!(&*action, "merge" | "span") {
        return Err(Diagnostic::new(format!("cidr_merge: invalid action '{action}'")));
    }
    let nets: Vec<Net> = listed(subject, "value")?.iter().map(network).collect::<Result<_>>()?;
    if action == "merge" {
        return Ok(merge(nets).iter().map(|net| net.to_string().into()).collect::<Vec<Value>>().into());
    }
    Ok(span(&nets)?.map_or(Value::None, |net| net.to_string().into()))
}

fn network(item: &Value) -> Result<Net> {
    item.as_str()
        .and_then(Net::parse)
        .ok_or_else(|| Diagnostic::new(format!("cidr_merge: error in netaddr: invalid IPNetwork {item}")))
}

fn merge(mut nets: Vec<Net>) -> Vec<Net> {
    nets.sort_by_key(|net| (net.version, net.first(), net.prefix));
    let mut merged: Vec<Net> = Vec::new();
    for mut net in nets {
        if merged.last().is_some_and(|last| last.holds(net)) {
            continue;
        }
        // Two halves are the whole, which may be a half again.
        while net.prefix > 0
            && let Some(half) = merged.last()
            && half.prefix == net.prefix
            && let whole = (Net { prefix: net.prefix - 1, ..net }).network()
            && whole.holds(*half)
        {
            merged.pop();
            net = whole;
        }
        merged.push(net);
    }
    merged
}

fn span(nets: &[Net]) -> Result<Option<Net>> {
    let [first, rest @ ..] = nets else { return Ok(None) };
    if rest.is_empty() {
        return Ok(Some(*first));
    }
    let mut span = first.network();
    for net in rest {
        if net.version != span.version {
            return Err(Diagnostic::new(
                "cidr_merge: error in netaddr: IP sequence cannot contain both IPv4 and IPv6!",
            ));
        }
        while !span.holds(*net) {
            span = Net { prefix: span.prefix - 1, ..span }.network();
        }
    }
    Ok(Some(span))
}
