"""Expressions over variables that are templates themselves, hold undefined parts, or are unsafe."""
from .expressions import lines, packed

VARIABLES = """    number: 5
    chained: '{{ number + 1 }}'
    later: {a: {b: [1, '{{ number }}']}}
    broken: '{{ nowhere.x }}'
    partly: {fine: 1, bad: '{{ nowhere }}'}
    list_partly: [1, '{{ nowhere }}']
    deep_partly: {fine: 1, bad: {worse: '{{ nowhere }}'}}
    circle: '{{ circle }}'
    circle_a: '{{ circle_b }}'
    circle_b: '{{ circle_a }}'
    circle_list: ['{{ circle_list }}']
    deep_circle: {a: 1, b: '{{ deep_circle.b }}'}
    unsafe_text: !unsafe '{{ 1 }} x'
    unsafe_map: !unsafe {a: '{{ number }}', b: ['{{ 2 }}', '{% if %}']}
    texts: [grün, naïve café, 日本 語, STRASSE, "e\\u0301", '']
    numbers: [1, 2.5, true, -3, 1.0, 0]
    people:
      - {name: bea, age: 41, tags: [x, y], address: {city: Ulm}}
      - {name: al, age: 7, tags: []}
      - {name: cy}
"""


def cases():
    yield from packed("expressions/combined", "Chains, statements and macros on templates, unsafe, undefined and nested variables.",
                      lines("combined"), VARIABLES)
