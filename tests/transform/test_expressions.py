"""Written expressions answer as the engine does, on every kind of node."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from fhir_bridge import cda, hl7v2, tables
from fhir_bridge.codegen import FunctionText
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir.marks import NULL, USUAL
from fhir_bridge.transform import load
from fhir_bridge.transform.compile.expression import CompiledExpression
from fhir_bridge.transform.compile.scope import Scope, Slots
from fhir_bridge.transform.generate.expressions.condition import (
    EXPRESSION_PARTS,
    write_condition,
    write_value,
)
from fhir_bridge.transform.runtime.run import RuleLocation, Run
from fhir_bridge.transform.runtime.source import Item
from tests.transform.maps import map_text

V2 = (
    "MSH|^~\\&|A|B|C|D|20250101||ORU^R01^ORU_R01|1|P|2.5.1\r"
    'PID|1||7^^^H~8^^^H||王^小明||20200102|""|||||abc\r'
    "OBX|1|NM|a^b||12|mg\rOBX|2|date|c^d||2020-01-02|\rOBX|3|CWE|e^f||x^Text^L~y|"
)
CDA = b"""<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<id root="1.2.3" extension="abc"/><id root="1.2.4"/><code code="a" displayName="12"/><a>abc<b code="1"/></a>
<value xsi:type="PQ" value="7.5" unit="kg"/><value xsi:type="date" value="1"/><b>x</b><b/></ClinicalDocument>"""
TABLE = "a,b,c,d,更新\nabc,12,x;无,,2020-01-02\n1,,-,\\N,7\n"


class Tree(dict[str, Any]):
    """A node that is not FHIR JSON and keeps nothing of what was asked."""


def nodes() -> dict[str, Item | None]:
    """One item of each kind, made anew: nothing was asked of it yet."""
    message = hl7v2.parse(V2.encode())
    obx = message.get("OBX")
    for one in obx:
        one.get("f2")  # the engine asks for it whenever it meets OBX-5
    document = cda.parse(CDA, fragments=True).tree
    row, other = tables.read_rows(BytesIO(TABLE.encode()))
    cell = row.get("a")
    tree = Tree(a=["abc", None, "x"], b=Tree(a="1", code="a"), c=True, d=7, code=["1", "2"], e=[])
    return {
        "nothing": None,
        "row": Item(row),
        "row of blanks": Item(other),
        "cell": Item(cell),
        "cell as text": Item(cell, SHAPES.find("string")),
        "segment": Item(message.get("PID")),
        "message": Item(message),
        "number of v2": Item(obx[0].get("f5")),
        "date of v2": Item(obx[1].get("f5")),
        "codes of v2": Item(obx[2]),
        "document": Item(document),
        "element": Item(document.get("a")),
        "attribute": Item(document.get("code").get("code")),
        "quantity": Item(document.get("value")[0], SHAPES.resolve("PQ")),
        "tree": Item(tree),
        "FHIR JSON": Item({"resourceType": "Basic", "a": "abc", "code": {"text": "1"}, "b": [1]}),
        "text": Item("abc"),
        "number in text": Item("12", SHAPES.find("string")),
        "code": Item("abc", SHAPES.find("code")),
        "date": Item("2020-01-02", SHAPES.find("date")),
        "null": Item(NULL),
        "usual": Item(f"{USUAL}x"),
        "true": Item(True, SHAPES.find("boolean")),
        "integer": Item(7, SHAPES.find("integer")),
        "decimal": Item(Decimal("7.50")),
        "with extension": Item("abc", SHAPES.find("string"), {"id": "1"}),
    }


UNIT = load(map_text("src -> tgt.active = true;"))._units[0][1]
SHAPES = UNIT.shapes
SLOTS = Slots()
SCOPE = Scope(SLOTS)
THIS, OTHER, MANY = (SCOPE.declare_source(name) for name in ("own", "other", "many"))

EXPRESSIONS = {
    "names": "a; b; a.b; code.code; f3.c1; PID.f5; OBX.f5; other.a; %own.a; %own.f3.c1; %many; e.f; id.extension; b.xmlText",
    "value": "value; a.value; $this.value; %own.value; value.value; b.value; code.value; %many.value",
    "exists": "exists(); a.exists(); %own.exists(); %other.exists(); a.b.exists(); a.exists($this = 'abc'); exists(a = 'x')",
    "empty": "empty(); a.empty(); %other.empty(); d.empty(); a.empty() and b.empty(); nothing.empty(); e.empty()",
    "not": "a.exists().not(); c.not(); not(); %other.not(); (a = '1').not(); d.not(); code.not()",
    "equality": "a = 'abc'; a != 'abc'; $this = 'abc'; b = '12'; code = '1'; code.code = 'a'; c = true; c != false; $this = true;"
    " $this = %null; $this != %null; a = %other; %own = %other; 'abc' = a; code = code; d = 7; $this = 7; $this = '7';"
    " f5 = '12'; $this = '2020-01-02'; %many = 'abc'; b = 'x'; count() = 1",
    "logic": "a = '1' and b = '2'; a = 'abc' or b.exists(); a.exists() and a = 'abc'; d and c; c or d; a = '1' or (b = '12' and c.empty());"
    " a = 'abc' and code = '1'; c = true and %other = 'x'",
    "in": "$this in ('abc' | '12'); a in ('abc' | 'x'); code in ('1'); b in %many; $this in %given; a in %given; d in ('7'); code.code in ('a')",
    "matches": "matches('^a'); a.matches('^[a-z]+$'); b.matches('1'); code.matches('1'); %own.matches('2'); $this.matches('.*');"
    " f5.matches('^[0-9-]+$'); a.matches(%other); matches(b); d.matches('7'); xmlText.matches('b')",
    "where": "a.where($this = 'abc'); where(a = 'abc'); where(a.exists()).b; %many.where($this != 'abc'); code.where(matches('^1$')).exists();"
    " id.where(root = '1.2.3').extension; OBX.where(f2 = 'NM').f5; a.where($index = 0); b.where(code); a.where(%other = 'x'); where(PID.exists())",
    "select": "a.select($this & '!'); select(a | b); %many.select(iif($this = 'x', $this, 'no')); id.select(root); a.select($index); OBX.select(f3.c1)",
    "all": "a.all($this = 'abc'); %many.all(matches('a')); code.all(exists()); all(a = 'abc'); OBX.all(f2 = 'NM'); e.all($this = '1')",
    "iif": "iif(a.exists(), a, b); iif(a = 'abc', 'yes', 'no'); iif($this = 'abc', $this); iif(code, 'x', 'y'); iif(c, d, '1');"
    " iif(empty(), 'none', $this); iif(a.empty(), %own, %other); iif(d = 7, 1, 'one')",
    "subsets": "a.first(); a.last(); a.tail(); a.skip(1); a.take(1); %many.first(); %many.last(); code[0]; a[5]; first(); last(); tail();"
    " OBX.first().f5; id.last().root; e.first(); e.last(); a.take(0); a.skip(9); skip(0); %many[1]; $this.first(); take(2)",
    "count": "count(); a.count(); code.count() > 1; a.count() < 2; %many.count() >= 2; id.count() = 2; e.count() <= 0; OBX.count()",
    "combine": "a.combine(b); combine(a); %many.combine(%other); a.combine(code).count(); a.combine(e); e.combine(a); id.root.combine(b.xmlText).first()",
    "union": "a | b; a | a; %many | %own; $this | $this; (a | b | code).where($this = 'abc'); (a | d); id | id; (a | b).matches('a').anyTrue(); a.distinct(); %many.distinct(); code.distinct(); id.distinct(); e.distinct()",
    "truths": "a.matches('a').anyTrue(); a.select($this = 'abc').anyTrue(); %many.select(matches('a')).allTrue(); c.anyTrue(); a.allTrue(); e.anyTrue(); d.allTrue()",
    "children": "children(); children().exists(); children().where($this = 'abc'); b.children(); %own.children().count(); OBX.children().count()",
    "descendants": "descendants(); descendants().where(code = '1').exists(); descendants().count(); b.descendants(); %own.descendants().where($this = 'abc').exists()",
    "sums": "a + 'x'; '0' + $this; a & b; a & 'x'; d + 1; d - 1; count() + 1; $this & %other; code & 'x'; 'a' + 1; a - b",
    "order": "a < 'b'; d > 6; d <= 7; b >= '12'; $this > '1'; a.length() < 4; code < 'x'; c < 1; 'a' < d; length() > 2",
    "case": "upper(); lower(); a.upper(); a.lower(); %other.upper(); code.lower(); d.upper(); f5.c1.upper(); trim(); (' ' + a + ' ').trim(); code.trim(); d.trim()",
    "length": "length(); a.length(); %many.length(); d.length(); f5.length(); code.length(); e.length()",
    "substring": "substring(1); substring(0, 2); a.substring(1, 1); a.substring(9); a.substring(-1); code.substring(0); d.substring(0); a.substring(0, d); substring(a); f7.substring(0, 4)",
    "replace": "replace('a', 'b'); a.replace('', '-'); replaceMatches('[a-c]', 'x'); replaceMatches('^(.)(.*)$', '$2$1'); a.replaceMatches('', 'x');"
    " code.replace('1', '2'); d.replace('7', '8'); a.replaceMatches(%other, ''); code.replaceMatches('1', '')",
    "parts": "join(','); a.join(' '); a.join(); %many.join('-'); code.join('+'); d.join(','); e.join(); OBX.f3.c1.join(' '); split('b'); a.split(','); code.split('1'); d.split(''); split('')",
    "finding": "startsWith('a'); a.endsWith('c'); contains('b'); a.contains('b'); a.indexOf('b'); code.startsWith('1'); d.contains('7'); startsWith(%other); endsWith(''); indexOf('z'); code.indexOf('1'); code.endsWith('2')",
    "conversion": "toInteger(); b.toInteger(); toDecimal(); b.toDecimal(); toString(); d.toString(); c.toString(); code.toInteger(); a.toDecimal(); code.toString(); f5.toInteger()",
    "hasValue": "hasValue(); a.hasValue(); code.hasValue(); %own.hasValue(); b.hasValue(); e.hasValue()",
    "literals": "'x'; 12; true; {}; 'a' = 'a'; %null; %given; (a); ((a.b)); $index; $this",
}  # fmt: skip


def outcome(function: Callable[..., Any], name: str) -> Any:
    """What a function gives for the node of the name, and what was asked of it."""
    made = nodes()
    item = made[name]
    run = Run({"given": ["abc", "12"]})
    run.constants = {"null": lambda _run: NULL}
    other, text = Item("abc"), Item("x", SHAPES.find("string"))
    frame = [item or text, text, [other, text]]
    try:
        found = function(run, frame, item)
    except BridgeError as error:
        found = error.issues
    if type(found) is list:
        found = [(told(one.value), one.type_name, one.companion) for one in found]
    return found, run.issues, asked(item.value if item else None, 3)


def told(value: Any) -> tuple[str, str, str]:
    """What a value is, and where it stands."""
    text = str(value) if isinstance(value, (str, int, Decimal, dict)) else ""
    return type(value).__name__, text, str(getattr(value, "where", ""))


def asked(node: Any, depth: int) -> Any:
    """What was asked of a node and what of it was put somewhere, a few steps down."""
    if type(node) is list:
        return [asked(one, depth) for one in node]
    answers = getattr(node, "read_parts", None)
    if answers is None or not depth:
        return getattr(node, "carried", None)
    below = {name: asked(one, depth - 1) for name, one in dict(answers).items() if one is not node}
    return getattr(node, "carried", None), below


def written(expression: CompiledExpression, write: Any) -> Callable[..., Any]:
    """The function that is written for an expression; it must not be the engine's."""
    text = FunctionText(EXPRESSION_PARTS)
    name = write(text, expression)
    assert name.startswith("expression"), expression.text
    made: Any = text.compiled(
        ["def group(run, frame, item):"], f"    return {name}(run, frame, item)", "<test>"
    )
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_any_node(name: str) -> None:
    """As a condition and as a value, with the same errors, types and marks."""
    texts = [text.strip() for text in EXPRESSIONS[name].split(";")]
    assert len(texts) > 4
    for text in texts:
        expression = CompiledExpression(text, SCOPE, UNIT, RuleLocation("urn:m", "rule", 1))
        for write, engine in (
            (write_condition, expression.is_true),
            (write_value, expression.items),
        ):
            function = written(expression, write)
            for kind in nodes().keys() - (ENDLESS if name == "descendants" else set()):
                assert outcome(function, kind) == outcome(engine, kind), (text, kind)


ENDLESS = {"row", "cell", "cell as text", "row of blanks"}
"""Nodes whose parts have parts without end: the engine stops at its limit, in seconds."""

ENGINE = {"FHIR JSON", "date", "date of v2", "code", "with extension"}
"""Nodes that some expressions leave to the engine."""


@pytest.mark.parametrize(
    "text", ["a.b", "iif(a = 'abc', 'yes', 'no')", "a.where($this = 'abc').exists()", "a | b"]
)
def test_engine_rests(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a source gives is answered without the engine."""
    expression = CompiledExpression(text, SCOPE, UNIT, RuleLocation("urn:m", "rule", 1))
    function = written(expression, write_value)
    monkeypatch.setattr(CompiledExpression, "_run", None)
    for name in nodes().keys() - ENGINE:
        function(Run(), [None, None, None], nodes()[name])


@pytest.mark.parametrize("text", ["today()", "a is Patient", "a.ofType(string)", "resolve()"])
def test_engine_answers(text: str) -> None:
    """What is not written is the engine's as it stands."""
    expression = CompiledExpression(text, SCOPE, UNIT, RuleLocation("urn:m", "rule", 1))
    writer = FunctionText(EXPRESSION_PARTS)
    assert writer.space[write_value(writer, expression)] == expression.items
