//! What lxml says of many expressions (`tests/data/xpath.py` wrote it down), and we.

use serde_json::{Value as Json, json};

use super::{Namespaces, Node, Value, evaluate, parse};
use crate::xml::read::{Options, read};
use crate::xml::tree::{Kind, ROOT, Tree};

fn told(tree: &Tree, node: Node) -> Option<Json> {
    Some(match node {
        Node::Attribute(id, at) => {
            let attribute = &tree.element(id)?.attributes[at];
            json!(format!("@{}={}", attribute.name.full(), attribute.value))
        }
        Node::Of(id) => match &tree.node(id).kind {
            Kind::Element(element) => {
                let number = tree
                    .subtree(ROOT)
                    .iter()
                    .filter(|id| tree.element(**id).is_some())
                    .position(|one| *one == id)?;
                json!(format!("<{}> {number}", element.name.full()))
            }
            Kind::Text(text) | Kind::Cdata(text) => json!(format!("'{text}'")),
            Kind::Comment(text) => json!(format!("<!--{text}-->")),
            Kind::Instruction { target, data } => json!(format!("<?{target} {data}?>")),
            Kind::Root | Kind::Doctype { .. } => return None,
        },
    })
}

#[test]
fn expressions_come_to_what_lxml_says() {
    let recorded: Json = serde_json::from_str(include_str!("../../../tests/data/xpath.json")).unwrap();
    let namespaces: Namespaces = serde_json::from_value(recorded["namespaces"].clone()).unwrap();
    let tree = read(recorded["document"].as_str().unwrap(), Options::default()).unwrap();
    let own = tree.document_element().unwrap();
    let mut wrong = Vec::new();
    for (expr, expected) in recorded["expressions"].as_object().unwrap() {
        let value = parse(expr, &namespaces).and_then(|expr| evaluate(&expr, &tree, own));
        let ours = match value {
            Ok(Value::Nodes(nodes)) => {
                json!(nodes.into_iter().filter_map(|node| told(&tree, node)).collect::<Vec<_>>())
            }
            Ok(Value::Boolean(truth)) => json!(truth),
            Ok(Value::Number(number)) if number.is_finite() => json!(number),
            Ok(Value::Number(number)) => json!({"number": super::value::text(number)}),
            Ok(Value::Text(text)) => json!({"text": text}),
            Err(_) => json!("error"),
        };
        if ours != *expected {
            wrong.push(format!("{expr}\n  lxml {expected}\n  ours {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_not_understood_is_an_error() {
    let namespaces = Namespaces::new();
    for expr in [
        "id('x')",
        "$x",
        "namespace::*",
        "re:test(., 'x')",
        "/q:a",
        "nonsense()",
        "a b",
        "a[",
        "a]",
        "count()",
        "",
    ] {
        parse(expr, &namespaces).expect_err(expr);
    }
    let deep = format!("{}1{}", "(".repeat(1000), ")".repeat(1000));
    parse(&deep, &namespaces).expect_err("nested too deep");
}
