#!/usr/bin/python3
"""Writes xpath.json: what lxml says of many expressions. `python3 tests/data/xpath.py` where lxml is installed."""

import json
import math
import pathlib

from lxml import etree

DOCUMENT = """<?xml version="1.0"?>
<!-- top --><?style sheet?>
<!DOCTYPE shop SYSTEM "shop.dtd">
<shop xmlns="urn:d" xmlns:p="urn:p" open="yes" xml:lang="en-GB">
  <item xmlns="" id="1" p:id="p1" price="10.5">one</item>
  <item xmlns="" id="2" price="9">two<sub>s1</sub><sub k="v">s2</sub> tail</item>
  <p:item id="3" price="abc">x<![CDATA[<y>]]>z</p:item>
  <group>
    <item xmlns="" id="4" price="9" xml:lang="de">  four\t
      4 </item><!-- in group --><?pi some data?>
    <group><item xmlns="" id="5"/><p:item/><item xmlns="" id="6" price="-1">six</item></group>
  </group>
  <item xmlns="" id="7">one</item>
</shop>
<!-- end -->
"""
NAMESPACES = {"d": "urn:d", "p": "urn:p", "unused": "urn:u"}
AXES = [
    "ancestor", "ancestor-or-self", "attribute", "child", "descendant", "descendant-or-self", "following",
    "following-sibling", "parent", "preceding", "preceding-sibling", "self",
]
TESTS = ["*", "node()", "text()", "comment()", "item", "p:item", "p:*", "d:group", "processing-instruction()", "id"]
CONTEXTS = ["//item[@id='4']", "//d:group", "//sub[1]/text()", "//@price", "/", "//comment()", "//processing-instruction()"]
PREDICATES = [
    "1", "2", "last()", "last()-1", "position()>1", "position()=last()", "position() mod 2 = 1", "@id", "not(@id)",
    "@id=2", "@id='2'", "@id>2", "@price<10", "@price=9 and @id=2", "@id=1 or @id=7", "sub", "sub='s2'", "sub[@k]",
    "sub[2]='s2'", "text()='one'", ".='one'", ".='six'", "contains(., 'o')", "starts-with(@id, '1')", "@*", "count(@*)>2",
    "string-length(.)>3", "normalize-space()='four 4'", "lang('en')", "lang('de')", "lang('EN-gb')", "lang('e')",
    "ancestor::d:group", "parent::d:shop", "following-sibling::*[1][self::p:item]", "@p:id", "@*[local-name()='id']='1'",
    "local-name()='item'", "namespace-uri()='urn:p'", "namespace-uri()=''", "name()='p:item'", "self::item", "self::p:*",
    "@price!=9", "not(@price=9)", "@price>=9", "@price<=@id", "../@open", "1.5", "0", "-1", "'x'", "''", "true()", "false()",
    "@id=//item/@id", "sub|text()", "position()=1 or position()=3", "preceding::*", "preceding::item[1]/@id=2",
    "(@id)[1]=2", "sum(@id|@price)>5", "@id*2=4", "@id mod 2", "string(@id)='2'", "number(@price)=9", "boolean(sub)",
    "translate(., 'oe', 'OE')='OnE'", "substring(.,2)='ne'", "concat(@id,'-',@price)='2-9'", "ceiling(@price)=11",
    "floor(@price)=10", "round(@price)=11", "@id and not(@price)", "not(preceding-sibling::item)", "*[last()]/@k",
]
PATHS = ["//item", "/d:shop/*", "//p:item", "//*", "//@*", "/d:shop/d:group//item", "//node()", "(//item)"]
EXPRESSIONS = [
    "/", "/*", "/d:shop", "d:shop/item", "//item/@id", "//text()", "//comment()", "//processing-instruction('pi')",
    "//processing-instruction('no')", "/node()", ".", "..", "./d:shop/./item/..", "//item/..", "//sub/../@id", "//.", "//..",
    "/comment()", "/descendant::item[2]", "//item[2]", "(//item)[2]", "(//item)[last()]/@id", "//d:group//item[1]",
    "//d:group/descendant::item[1]", "//item | //p:item", "//@id | //@price", "//item/@id | //item | /d:shop",
    "(//d:group)[1]/item | (//item)[1]", "//item[@id=2]/sub/text()", "//*[@id=2]/*[2]/@k", "count(//item)", "count(//@*)",
    "sum(//@id)", "sum(//@price)", "sum(/none)", "string(//item)", "string(/none)", "string(/)", "name(/*)", "name(//@p:id)",
    "local-name(//p:item)", "namespace-uri(/*)", "name(//processing-instruction()[last()])", "name(//comment())",
    "name(/)", "name(//text())", "namespace-uri(//@p:id)", "//item = 'two'", "//item = 'one'", "//item != 'one'", "//@id > 6",
    "//@id < 1", "6 < //@id", "//@id = //@price", "//@id != //@id", "//none = ''", "//none != ''", "//item = true()",
    "//none = false()", "//none < 1", "true() > false()", "//item > false()", "//none >= false()", "1 = '1'", "'a' < 'b'",
    "1 + 2 * 3 - 4 div 2", "7 mod 3", "-7 mod 3", "7 mod -3", "5.5 mod 2", "1 div 0", "-1 div 0", "0 div 0", "- - 3", "--3",
    "-//@price", "2*3", "2 * 3", "3-1", "//item - 1", "//@id-1", "1 - -1", "(1 + 2) * 3", "1 < 2 < 3", "3 > 2 > 1", "1 = 1 = 1",
    "1 or 0 and 0", "not(1 = 2)", "true() and 'x'", "'' or 0", "0 div 0 = 0 div 0", "//item and //none", "//item or //none",
    "boolean(0 div 0)", "boolean('false')", "boolean(//none)", "number('12')", "number(' -12.50 ')", "number('+1')",
    "number('1.')", "number('.5')", "number('-.5')", "number('1e3')", "number('- 5')", "number('')",
    "number('.')", "number(true())", "number(//@price)", "number()", "string(1)", "string(1.0)", "string(0.1 + 0.2)",
    "string(1 div 3)", "string(-0.5)", "string(-0)", "string(100000.1)", "string(123456789.123)", "string(10000000000)",
    "string(2147483647)", "string(2147483648)", "string(1000000000.5)", "string(0.00001)", "string(0.000001234)",
    "string(true())", "string(1 div 0)", "string()", "string(.5)", "string(5.)", "string(1e3)", "concat(1, 'a', true())",
    "concat('a')", "starts-with('abc', 'ab')", "starts-with('abc', '')", "contains('abc', 'bc')", "contains('', '')",
    "substring-before('1999/04', '/')", "substring-before('a', 'x')", "substring-before('abc', '')",
    "substring-after('1999/04', '/')", "substring-after('a', 'x')", "substring-after('abc', '')", "substring('12345', 2, 3)",
    "substring('12345', 2)", "substring('12345', 1.5, 2.6)", "substring('12345', 0, 3)", "substring('12345', 0 div 0, 3)",
    "substring('12345', 1, 0 div 0)", "substring('12345', -42, 1 div 0)", "substring('12345', -1 div 0, 1 div 0)",
    "substring('é😀x', 2, 1)", "string-length('é😀')", "string-length()", "string-length(//item)",
    "normalize-space('  a \t b\n')", "normalize-space()", "translate('bar', 'abc', 'AB')", "translate('--aaa--', 'abc-', 'ABC')",
    "translate('aaa', 'aa', 'xy')", "round(2.5)", "round(-2.5)", "round(-0.4)", "round(0 div 0)",
    "floor(-1.5)", "ceiling(-1.5)", "ceiling(-0.5)", "true()", "false()", "lang('en')", "'a\"b'", "\"a'b\"",
    "*", "@*", "//*/*", "* * *", "//item[* ]", "//div", "div", "//item/div", "div div div", "mod mod mod", "and and and", "or or or",
    "//item[or]", "child::item", "child::*", "child :: *", "/child::d:shop/child::item[position() = 2]", "self::node()",
    "//self::item", "//item/self::*", "//item/self::p:item", "descendant::sub", "attribute::*", "//attribute::price",
    "//*/attribute::p:*", "//item/attribute::node()", "//@id/..", "//@id/../@price", "//@id/self::node()", "//@id/self::id",
    "//@id/node()", "//@*[name()='p:id']", "//@*[. = 9]", "//@id[. > 3]", "//item[@id='2']/following::*", "//sub[1]/preceding::node()",
    "//item[sub]/sub[last()]", "//item[sub[@k='v']]", "//*[self::item or self::p:item]", "//*[not(*)]", "//*[count(*) > 2]",
    "//item[position()=1]/@id", "//item[1]/@id", "//item[last()]/@id", "//d:group/item[1]/@id", "//item[@id][1]/@id",
    "//item[1][@id]/@id", "//item[@price][2]/@id", "//item[2][@price]/@id", "(//item[@price])[2]/@id",
    "//item[@id='6']/preceding-sibling::*[1]", "//item[@id='6']/preceding-sibling::item[1]/@id", "//item[@id='6']/ancestor::*[1]",
    "//item[@id='6']/ancestor::*[2]", "//item[@id='6']/preceding::item[1]/@id", "//item[@id='6']/preceding::item[last()]/@id",
    "(//item[@id='6']/preceding::item)[1]/@id", "//item[@id='1']/following::item[1]/@id", "//item[preceding-sibling::item]/@id",
    "string(//p:item)", "//p:item/text()", "count(//p:item[1]/text())", "//item[.//sub]", "//item[./sub]", "//item[../@open]",
    "//item[/d:shop/@open='yes']/@id", "//item[count(//item) = 6]/@id", "//*[@id = ../@id]", "//item[@id = //sub/../@id]/@id",
    "/d:shop/item[3]", "/d:shop/item[2]/sub[1]", "/d:shop//sub[2]", "//sub[2]", "//sub[@k]/preceding-sibling::sub", "/d:shop/@open",
    "/d:shop/@xml:lang", "//@xml:lang", "//*[@xml:lang='de']", "//none/@x", "/none/none", "/p:shop", "//unused:x",
    "id('x')[1] | //zzz[", "//item[", "//item]", "//item[]", "/d:shop/", "//", "//item/@", "@@id", "item item", "item()", "..item",
    "//item[@id=]", "'open", "1 +", "+ 1", "()", "(1", "1)", "count()", "count(1)", "count(//a, //b)", "not()", "sum(1)", "true(1)",
    "substring('a')", "translate('a','b')", "zzz(1)", "q:item", "//q:*", "$x", "a::b", "child::", "//item[@id='1'", "1 | 2", "//item | 1",
    "(1)[1]", "'a'/b", "//item/1", "//item/'a'", "!", "a ! b", "a != b", "a !b", "a = = b", "#", "item[@id = \"2\"]", "a:b:c", "a: b", "a :b",
    ". /item", "/ d:shop", "/ d:shop / item [ 1 ] / @ id", "//item[@id\n=\n'1']/@id", "text()", "text ( )", "node", "comment", "text",
    "//*[name() = 'item']/@id", "//*[local-name() = 'group']", "//d:*", "//*[namespace-uri() = 'urn:d']", "processing-instruction()",
    "//item[not(@price)]/@id", "//item[not(@price > 0)]/@id", "string-length(string(/))", "-(1)", "-'x'", "-(-1)", "1--1", "1 - - 1",
    "(//item)[1]/following-sibling::item/@id", "(//item | //p:item)[3]", "((//item))[1]", "(//item/@id)[2]", "(//d:group)[1]//item/@id",
    "(//d:group)//item[1]/@id", "(//item)[@id > 3][1]/@id", "count((//item)[@id > 3])", "//item[count(preceding::item) = 2]/@id",
    "/d:shop/item[position() < 3]/@id", "/d:shop/*[position() = 3]", "/d:shop/node()[2]", "/d:shop/text()[1]", "//item[text()]/@id",
    "//item[text()[2]]/@id", "//item[contains(text(), 'o')]/@id", "//item[starts-with(., 't')]/@id", "//item[substring(@id, 1, 1) = '2']/sub",
]


def told(node, numbers):
    if isinstance(node, str):
        if node.is_attribute:
            return f"@{node.attrname}={node}"
        return f"'{node}'"
    if node.tag is etree.Comment:
        return f"<!--{node.text}-->"
    if node.tag is etree.PI:
        return f"<?{node.target} {node.text or ''}?>"
    return f"<{node.tag}> {numbers[node]}"


def main():
    tree = etree.ElementTree(etree.fromstring(DOCUMENT.encode(), etree.XMLParser(strip_cdata=False)))
    elements = [node for node in tree.iter() if isinstance(node.tag, str)]
    numbers = {node: at for at, node in enumerate(elements)}
    expressions = list(EXPRESSIONS)
    expressions += [f"{context}/{axis}::{test}" if context != "/" else f"/{axis}::{test}"
                    for context in CONTEXTS for axis in AXES for test in TESTS]
    expressions += [f"{path}[{predicate}]" for path in PATHS for predicate in PREDICATES]
    recorded = {}
    for expression in expressions:
        try:
            value = tree.xpath(expression, namespaces=NAMESPACES)
        except etree.XPathError:
            value = "error"
        if isinstance(value, list):
            value = [told(node, numbers) for node in value]
        elif isinstance(value, float) and not math.isfinite(value):
            value = {"number": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
        elif isinstance(value, str) and value != "error":
            value = {"text": str(value)}
        recorded[expression] = value
    data = {"namespaces": NAMESPACES, "document": DOCUMENT, "expressions": recorded}
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in recorded.items())
    head = f'"namespaces": {json.dumps(data["namespaces"])},\n"document": {json.dumps(DOCUMENT)}'
    path = pathlib.Path(__file__).with_name("xpath.json")
    path.write_text(f'{{\n{head},\n"expressions": {{\n{lines}\n}}}}\n')


main()
