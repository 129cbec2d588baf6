use serde_json::{Value as Json, json};

use crate::kit::trial::Trial;

const HEAD: &str = "<?xml version='1.0' encoding='UTF-8'?>\n";

fn trial(before: &str) -> Trial {
    let trial = Trial::of("xml");
    trial.host.file("/f", before);
    trial
}

/// Lawful, and the file is that afterwards; `=` where nothing changes.
fn check(before: &str, mut args: Json, after: &str) -> Json {
    let trial = trial(before);
    args["path"] = json!("/f");
    let result = trial.lawful(&args);
    let expected = if after == "=" { before.to_owned() } else { format!("{HEAD}{after}") };
    assert_eq!(trial.host.read("/f").unwrap(), expected, "{args}");
    assert_eq!(result["changed"], after != "=", "{args}");
    result
}

/// The same, of what is done each time.
fn check_once(before: &str, mut args: Json, after: &str) {
    let trial = trial(before);
    args["path"] = json!("/f");
    let result = trial.foretold(&args, true);
    assert_eq!(trial.host.read("/f").unwrap(), format!("{HEAD}{after}"), "{args} {result}");
}

fn fails(before: &str, mut args: Json, msg: &str) {
    let trial = trial(before);
    args["path"] = json!("/f");
    let result = trial.run(&args);
    assert_eq!(result["failed"], true, "{args} {result}");
    assert!(result["msg"].as_str().unwrap().contains(msg), "{args} {result}");
    assert_eq!(trial.host.read("/f").unwrap(), before);
}

const DOC: &str = "<a x=\"1\"><b>one</b><b k=\"v\">two</b><c><e/>t</c></a>";

#[test]
fn values() {
    let set = |xpath: &str, value: &str| json!({"xpath": xpath, "value": value});
    check(DOC, set("/a/b[1]", "two"), "<a x=\"1\"><b>two</b><b k=\"v\">two</b><c><e/>t</c></a>");
    check(DOC, set("/a/b[2]", "two"), "=");
    check(DOC, set("/a/c", ""), "=");
    check("<a><b/><b>x</b></a>", set("/a/b", ""), "<a><b></b><b></b></a>");
    check("<a/>", set("/a/b", ""), "<a><b></b></a>");
    check("<a><b><![CDATA[x]]></b><b/></a>", set("/a/b", "x"), "<a><b><![CDATA[x]]></b><b>x</b></a>");
    check(DOC, set("/a/c", "n&w"), "<a x=\"1\"><b>one</b><b k=\"v\">two</b><c>n&amp;w<e/>t</c></a>");
    check(DOC, set("/a/c/f", "n"), "<a x=\"1\"><b>one</b><b k=\"v\">two</b><c><e/>t<f>n</f></c></a>");
    check(DOC, json!({"xpath": "/a/z", "value": "n", "create_if_missing": false}), "=");
    let attribute = |xpath: &str, name: &str| json!({"xpath": xpath, "attribute": name, "value": "v"});
    check(DOC, attribute("/a/b", "k"), "<a x=\"1\"><b k=\"v\">one</b><b k=\"v\">two</b><c><e/>t</c></a>");
    check("<a/>", attribute("/a/b", "k"), "<a><b k=\"v\"/></a>");
    fails(DOC, set("/a/@x", "2"), "does not reference a node!");
    fails(DOC, json!({"xpath": "/a/b", "value": 5}), "A non-string value 5 was parsed for element text");
    fails(DOC, json!({"xpath": "/a/b", "value": true}), "value True");
    fails(DOC, attribute("/a/b", "q:k"), "namespaces has no q");
    fails(DOC, set("/a/b", "\u{1}"), "U+0001");
    fails(DOC, set("string(/a/b)", "x"), "selects no nodes");
}

#[test]
fn what_a_path_names_is_made() {
    let with = |inside: &str| format!("<a x=\"1\"><b>one</b><b k=\"v\">two</b><c><e/>t</c>{inside}</a>");
    let made = |xpath: &str, inside: &str| {
        check(DOC, json!({"xpath": xpath}), &with(inside));
    };
    made("/a/z", "<z/>");
    made("/a/z/y", "<z><y/></z>");
    made("/a/z/@k", "<z k=\"\"/>");
    made("/a/z/@k='1'", "<z k=\"1\"/>");
    made("/a/z/text()='hi'", "<z>hi</z>");
    made("/a/z[@q=\"1\" and @r=\"2\"]/w", "<z q=\"1\" r=\"2\"><w/></z>");
    made("/a/z[@q='1'][text()='x']", "<z q=\"1\">x</z>");
    made("/a/b[@k='w']", "<b k=\"w\"/>");
    made("/a/z[w/@k='1']", "<z><w k=\"1\"/></z>");
    made("/a/b/text()='hi'", "<b>hi</b>");
    check(DOC, json!({"xpath": "//b"}), "=");
    check(DOC, json!({"xpath": "/a/@x='1'"}), "=");
    check("<a k=\"1\"/>", json!({"xpath": "/a/@k"}), "<a k=\"\"/>");
    check("<a k=\"1\"/>", json!({"xpath": "/a/@k='2'"}), "<a k=\"2\"/>");
    check("<a><b/><b/></a>", json!({"xpath": "/a/b/c"}), "<a><b/><b><c/></b></a>");
    check("<a><b/></a>", json!({"xpath": "//b/c"}), "<a><b><c/></b></a>");
    for xpath in
        ["/z", "z", "//z", "//@z", "/a/z[1]", "/a/z[w='hi']", "/a/b/text()", "/a/z[@q>1]", "/a/z/*", "/"]
    {
        fails(DOC, json!({"xpath": xpath}), "in order to spawn nodes");
    }
}

#[test]
fn namespaces_get_the_prefixes_they_have() {
    let spaces = json!({"n": "urn:n", "m": "urn:m"});
    let make = |before: &str, xpath: &str, after: &str| {
        check(before, json!({"xpath": xpath, "namespaces": spaces}), after);
    };
    make("<a/>", "/a/n:z", "<a><ns0:z xmlns:ns0=\"urn:n\"/></a>");
    make("<a xmlns:p=\"urn:n\"/>", "/a/n:z", "<a xmlns:p=\"urn:n\"><p:z/></a>");
    make("<a xmlns=\"urn:n\"/>", "/n:a/n:z", "<a xmlns=\"urn:n\"><z/></a>");
    make("<a xmlns=\"urn:n\"/>", "/n:a/@n:q", "<a xmlns=\"urn:n\" xmlns:ns0=\"urn:n\" ns0:q=\"\"/>");
    make(
        "<a xmlns=\"urn:n\"/>",
        "/n:a/n:z[@n:q='1']",
        "<a xmlns=\"urn:n\"><z xmlns:ns0=\"urn:n\" ns0:q=\"1\"/></a>",
    );
    make(
        "<a/>",
        "/a/n:z/m:w[@n:q='1']",
        "<a><ns0:z xmlns:ns0=\"urn:n\"><ns0:w xmlns:ns0=\"urn:m\" xmlns:ns1=\"urn:n\" ns1:q=\"1\"/></ns0:z></a>",
    );
    make(
        "<a xmlns:x=\"urn:n\"/>",
        "/a/m:z[@n:q='1']",
        "<a xmlns:x=\"urn:n\"><ns0:z xmlns:ns0=\"urn:m\" x:q=\"1\"/></a>",
    );
    check(
        "<a/>",
        json!({"xpath": "/a", "attribute": "n:k", "value": "1", "namespaces": spaces}),
        "<a xmlns:ns0=\"urn:n\" ns0:k=\"1\"/>",
    );
    check("<a/>", json!({"xpath": "/a/@xml:lang='en'"}), "<a xml:lang=\"en\"/>");
    fails("<a/>", json!({"xpath": "/q:a"}), "namespace prefix q is not defined");
}

#[test]
fn removing() {
    let absent = |xpath: &str| json!({"xpath": xpath, "state": "absent"});
    check(DOC, absent("/a/b"), "<a x=\"1\"><c><e/>t</c></a>");
    // The text behind an element is the element's, as lxml sees it.
    check(DOC, absent("/a/c/e"), "<a x=\"1\"><b>one</b><b k=\"v\">two</b><c/></a>");
    check(DOC, absent("//@*"), "<a><b>one</b><b>two</b><c><e/>t</c></a>");
    check(DOC, absent("/a/z"), "=");
    check("<a k=\"1\" l=\"2\" m=\"3\"/>", absent("/a/@k | /a/@m"), "<a l=\"2\"/>");
    check("<a>x<!-- c -->y<?p q?>z</a>", absent("//comment()"), "<a>x<?p q?>z</a>");
    fails(DOC, absent("/a"), "Couldn't delete xpath target: /a");
    fails(DOC, absent("/a/b/text()"), "Couldn't delete xpath target");
    fails(DOC, json!({"state": "absent"}), "give xpath");
}

#[test]
fn children() {
    let add = |xpath: &str, children: Json| json!({"xpath": xpath, "add_children": children});
    check_once("<a><b/>t</a>", add("/a", json!(["x", {"y": "1"}])), "<a><b/>t<x/><y>1</y></a>");
    check_once("<a><b/><b/></a>", add("/a/b", json!(["x"])), "<a><b/><b><x/></b></a>");
    let full = json!([{"x": {"k": "v", "+value": "t", "_": ["s", {"u": "w"}]}}]);
    check_once("<a/>", add("/a", full), "<a><x k=\"v\">t<s/><u>w</u></x></a>");
    check_once("<a/>", add("/a", json!([{"{urn:z}w": ""}])), "<a><ns0:w xmlns:ns0=\"urn:z\"></ns0:w></a>");
    let mut beside = add("/a/b", json!(["p", "q"]));
    beside["insertbefore"] = json!(true);
    check_once("<a>1<b/>2<b/>3</a>", beside.clone(), "<a>1<p/><q/><b/>2<b/>3</a>");
    beside.as_object_mut().unwrap().remove("insertbefore");
    beside["insertafter"] = json!(true);
    check_once("<a>1<b/>2<b/>3<c/></a>", beside, "<a>1<b/>2<b/>3<p/><q/><c/></a>");
    check("<a/>", add("/z", json!(["p"])), "=");
    let xml = json!({"xpath": "/n:a/n:b", "input_type": "xml", "namespaces": {"n": "urn:n"},
        "add_children": ["<q xmlns=\"urn:n\" xmlns:k=\"urn:k\"><k:w xmlns:k=\"urn:k\" xmlns:n=\"urn:n\" n:z=\"1\"/></q>"]});
    check_once(
        "<a xmlns=\"urn:n\"><b/></a>",
        xml,
        "<a xmlns=\"urn:n\"><b><q xmlns:k=\"urn:k\" xmlns:n=\"urn:n\"><k:w n:z=\"1\"/></q></b></a>",
    );
    for (child, msg) in [
        (json!({"x": 5}), "quote it"),
        (json!({"x": "1", "y": "2"}), "one key"),
        (json!("n:x"), "Invalid tag name 'n:x'"),
        (json!(5), "Invalid child type"),
        (json!({"x": {"_": "s"}}), "must be list"),
    ] {
        fails("<a/>", add("/a", json!([child])), msg);
    }
    fails(
        "<a/>",
        json!({"xpath": "/a", "input_type": "xml", "add_children": ["<q"]}),
        "parsing child element",
    );
}

#[test]
fn children_and_no_others() {
    let set = |children: Json| json!({"xpath": "/a/c", "set_children": children});
    let wanted = json!(["p", {"q": "1"}]);
    check("<a><c>\n <p/>\n <q>1</q>\n</c></a>", set(wanted.clone()), "=");
    check("<a><c>\n <q>1</q>\n <p/>\n</c></a>", set(wanted.clone()), "<a><c>\n <p/><q>1</q></c></a>");
    check("<a><c><p/>x<q>1</q></c></a>", set(wanted), "<a><c><p/><q>1</q></c></a>");
    check("<a><c>t<!-- c -->u</c></a>", set(json!([])), "<a><c>t</c></a>");
    check("<a><c><x/></c><c/></a>", set(json!(["x"])), "<a><c><x/></c><c><x/></c></a>");
}

#[test]
fn looking() {
    let look = |key: &str, value: Json, xpath: &str| check(DOC, json!({"xpath": xpath, key: value}), "=");
    let counted = look("count", json!(true), "//b | /a/@x");
    assert_eq!((&counted["count"], &counted["msg"]), (&json!(3), &json!("found 3 nodes")));
    let found = look("print_match", json!(true), "/a/*");
    assert_eq!(found["matches"], json!(["/a/b[1]", "/a/b[2]", "/a/c"]));
    assert_eq!(found["msg"], "selector '/a/*' match: [\"/a/b[1]\", \"/a/b[2]\", \"/a/c\"]");
    let found = look("content", json!("text"), "//*");
    assert_eq!(found["matches"], json!([{"a": null}, {"b": "one"}, {"b": "two"}, {"c": null}, {"e": null}]));
    assert_eq!((&found["count"], &found["msg"]), (&json!(5), &json!(5)));
    let found = look("content", json!("attribute"), "/a/b");
    assert_eq!(found["matches"], json!([{"b": {}}, {"b": {"k": "v"}}]));
    assert_eq!(found["actions"], json!({"xpath": "/a/b", "namespaces": {}, "state": "present"}));
    fails(DOC, json!({"xpath": "/a/z", "content": "text"}), "does not reference a node!");
    fails(DOC, json!({"xpath": "/a/@x", "content": "text"}), "does not reference a node!");
    fails(DOC, json!({"xpath": "1 + 1", "count": true}), "selects no nodes");
    // A path that does not begin with a slash is another for a count.
    assert_eq!(look("count", json!(true), "a/b")["count"], 2);
    assert_eq!(look("print_match", json!(true), "b[2]")["matches"], json!(["/a/b[2]"]));
}

#[test]
fn what_is_written() {
    let touched = |before: &str, after: &str| {
        check(before, json!({"xpath": "/*", "attribute": "z", "value": "1"}), after);
    };
    touched("<?xml version=\"1.0\" standalone=\"yes\"?>\n<a\n k='\"' />", "<a k=\"&quot;\" z=\"1\"/>");
    touched(
        "<!DOCTYPE l:a SYSTEM \"l.dtd\">\n<l:a xmlns:l=\"u\"/>",
        "<!DOCTYPE a SYSTEM \"l.dtd\">\n<l:a xmlns:l=\"u\" z=\"1\"/>",
    );
    touched("<!-- 1 --><!DOCTYPE a><a/><?r s?>\n", "<!-- 1 --><!DOCTYPE a>\n<a z=\"1\"/><?r s?>");
    touched("<a>x<![CDATA[<y>]]>&#13;]]&gt;\r\n</a>", "<a z=\"1\">x<![CDATA[<y>]]>&#13;]]&gt;\n</a>");
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>";
    let trial = Trial::of("xml");
    trial.host.file("/f", latin);
    trial.lawful(&json!({"path": "/f", "xpath": "/a/b"}));
    assert_eq!(trial.host.read("/f").unwrap(), format!("{HEAD}<a>é<b/></a>"));
    check(
        "<a><![CDATA[<y>]]></a>",
        json!({"xpath": "/a/b", "strip_cdata_tags": true}),
        "<a>&lt;y&gt;<b/></a>",
    );
    for (bad, why) in [
        ("<a><b></a>", "tag mismatch"),
        ("", "empty"),
        ("<a/><b/>", "extra content"),
        ("<a>&u;</a>", "entity 'u'"),
        ("<a k='1' k='2'/>", "twice"),
        ("<p:a/>", "prefix p"),
        ("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "not supported"),
        ("<a b=\"<\"/>", "'<'"),
        ("<a>", "not closed"),
        ("<a>\u{1}</a>", "U+0001"),
    ] {
        fails(bad, json!({"xpath": "/a", "count": true}), why);
    }
    let result = trial.run(&json!({"path": "/none", "xpath": "/a"}));
    assert_eq!(result["msg"], "The target XML source '/none' does not exist.");
}

#[test]
fn laid_out() {
    let pretty = |before: &str, after: &str| {
        check(before, json!({"pretty_print": true}), after);
    };
    pretty("<?xml version='1.0' encoding='UTF-8'?>\n<a/>\n", "=");
    pretty(
        "<a> <b>\n <c>x</c></b><d> </d><e> x <f/> </e>\n\n</a>",
        "<a>\n  <b>\n    <c>x</c>\n  </b>\n  <d> </d>\n  <e> x <f/> </e>\n</a>\n",
    );
    pretty(
        "<!-- 1 --><!DOCTYPE a><!-- 2 --><a/><!-- 3 --><?r s?>",
        "<!-- 1 -->\n<!DOCTYPE a>\n<!-- 2 -->\n<a/>\n<!-- 3 -->\n<?r s?>\n",
    );
    pretty("<a>\n<b/>&lt;<c/>\n<d/>\n</a>", "<a><b/>&lt;<c/><d/></a>\n");
    pretty("<a>\n<b/>\n&lt;<c/>\n<d/>\n</a>", "<a><b/>\n&lt;<c/>\n<d/>\n</a>\n");
    pretty("<a xml:space=\"preserve\">\n <b/>\n</a>", "<a xml:space=\"preserve\">\n <b/>\n</a>\n");
    check("<a>\n<b/></a>", json!({"pretty_print": true, "xpath": "/a/c"}), "<a>\n  <b/>\n  <c/>\n</a>\n");
}

#[test]
fn a_document_that_is_no_file() {
    let run = |args: Json| Trial::of("xml").run(&args);
    let result = run(json!({"xmlstring": "<a>é</a>", "xpath": "/a/b"}));
    assert_eq!(
        (&result["changed"], &result["xmlstring"]),
        (&json!(true), &json!(format!("{HEAD}<a>é<b/></a>")))
    );
    let result = run(json!({"xmlstring": "<a/>", "xpath": "/a"}));
    assert_eq!((&result["changed"], &result["xmlstring"]), (&json!(false), &json!(format!("{HEAD}<a/>"))));
}

#[test]
fn a_link_stays_one() {
    let trial = trial("<a/>");
    trial.host.link("/l", "/f");
    trial.lawful(&json!({"path": "/l", "xpath": "/a/b"}));
    assert_eq!(trial.host.read("/f").unwrap(), format!("{HEAD}<a><b/></a>"));
}

#[test]
fn diffs_show_the_document_laid_out() {
    let trial = trial("<a><b/></a>");
    let result = trial.lawful(&json!({"path": "/f", "xpath": "/a/c", "backup": true}));
    assert_eq!(
        result["diff"],
        json!({"before": format!("{HEAD}<a>\n  <b/>\n</a>\n"), "after": format!("{HEAD}<a>\n  <b/>\n  <c/>\n</a>\n")})
    );
    let backup = result["backup_file"].as_str().unwrap();
    assert_eq!(trial.host.read(backup).unwrap(), "<a><b/></a>");
}
