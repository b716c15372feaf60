"""Finds code that compiles and does not do what it seems to do."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from typing import Final

from tree_sitter import Node, QueryCursor

from robbieblocks.bundle.analysis.queries import query, text_of
from robbieblocks.bundle.analysis.syntax import DoubtfulCode, Syntax
from robbieblocks.messages import nearest

_PATTERNS: Final = """
    (jsx_attribute . (property_identifier) @handler (#match? @handler "^on[a-z]+$")
      (jsx_expression))
    (jsx_opening_element name: (identifier) @tag (#match? @tag "^[a-z]"))
    (jsx_self_closing_element name: (identifier) @tag (#match? @tag "^[a-z]"))
    (statement_block (expression_statement [(jsx_element) (jsx_self_closing_element)
      (parenthesized_expression [(jsx_element) (jsx_self_closing_element)])] @lost))
    (return_statement [(jsx_element) (jsx_self_closing_element)] @cut)
    (jsx_attribute . (property_identifier) @called (#match? @called "^on[A-Z]") (string))
    (jsx_attribute . (property_identifier) @foreign (#match? @foreign "^(v-[a-z]+|ng-[a-z]+)$"))
    (jsx_attribute . (property_identifier) @flag
      (string (string_fragment) @_off) (#match? @_off "^(false|no|off|0)$"))
    (jsx_attribute (string (string_fragment) @quoted (#match? @quoted "[$][{][^}]*[}]")))
    (export_statement declaration: (function_declaration name: (identifier) @export))
    (export_statement declaration: (lexical_declaration
      (variable_declarator name: (identifier) @export)))
    (function_declaration name: (identifier) @local (#match? @local "^[a-z]"))
    (variable_declarator name: (identifier) @local (#match? @local "^[a-z]")
      value: (arrow_function))
    (assignment_expression left: (member_expression object: (identifier) @owner
      property: (property_identifier) @defaults (#eq? @defaults "defaultProps")))
    (function_declaration name: (identifier) @component (#match? @component "^[A-Z]")
      parameters: (formal_parameters . (required_parameter pattern: (object_pattern
        (shorthand_property_identifier_pattern) @key (#eq? @key "key")))))
    (variable_declarator name: (identifier) @component (#match? @component "^[A-Z]")
      value: (arrow_function parameters: (formal_parameters . (required_parameter
        pattern: (object_pattern
          (shorthand_property_identifier_pattern) @key (#eq? @key "key"))))))
    (class_declaration name: (type_identifier) @class)
"""
# An editor needs no more of them, and finding the line of each takes time.
_MOST: Final = 10
_HANDLERS: Final = {
    name.lower(): name
    for name in """
onBlur onChange onClick onContextMenu onCopy onDoubleClick onDragEnd onDragOver onDragStart onDrop
onError onFocus onInput onInvalid onKeyDown onKeyPress onKeyUp onLoad onMouseDown onMouseEnter
onMouseLeave onMouseMove onMouseOut onMouseOver onMouseUp onPaste onPointerDown onPointerEnter
onPointerLeave onPointerMove onPointerUp onReset onScroll onSelect onSubmit onToggle onTouchEnd
onTouchMove onTouchStart onWheel
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
}
# Of attributes that are on where they are there, those for which React takes any text for on.
_FLAGS: Final = frozenset(
    """
allowFullScreen autoFocus autoPlay checked controls default defaultChecked defaultSelected disabled
formNoValidate hidden inert itemScope loop multiple muted noValidate open playsInline readOnly
required reversed selected
""".split()  # noqa: SIM905 - as above
)
_DATA: Final = "give the data as props of the block, or load it in useEffect"
_HEAD: Final = "leave it out: the page's title, description and metadata make its head"
# What Next calls, and nobody here.
_OF_NEXT: Final = {
    "getServerSideProps": _DATA,
    "getStaticProps": _DATA,
    "getStaticPaths": "leave it out: each page is a row with its route",
    "generateStaticParams": "leave it out: each page is a row with its route",
    "generateMetadata": _HEAD,
    "metadata": _HEAD,
    "viewport": _HEAD,
}
_DIRECTIVES: Final = {
    "v-if": "{it && <p />}",
    "v-show": "hidden={!it}",
    "v-for": "{items.map((it) => <li key={it.id}>{it.name}</li>)}",
    "v-model": "value={it} onChange={(event) => setIt(event.target.value)}",
    "v-html": "dangerouslySetInnerHTML={{ __html: it }}",
    "v-on": "onClick={() => ...}",
    "v-bind": "title={it}",
}
# Elements that a function in lower case may be named like, and which are meant then.
_ELEMENTS: Final = frozenset(
    """
a abbr address article aside audio b blockquote body br button canvas caption circle cite code col
data datalist dd del details dfn dialog div dl dt ellipse em embed fieldset figcaption figure filter
footer form g h1 h2 h3 h4 h5 h6 head header hr html i iframe image img input ins kbd label legend li
line link main map mark marker mask menu meta meter nav object ol optgroup option output p path
pattern picture polygon polyline pre progress q rect s samp script search section select slot small
source span stop strong style sub summary sup svg switch symbol table tbody td template text
textarea tfoot th thead time title tr track u ul use var video view wbr
""".split()  # noqa: SIM905 - as above
)


def doubtful_code(root: Node, syntax: Syntax) -> list[DoubtfulCode]:
    """The first doubtful places of a text, whose imports and declarations were read."""
    found = QueryCursor(query(_PATTERNS)).captures(root)
    components = {
        local
        for each in (*syntax.imports, *syntax.unused_imports)
        if each.specifier.startswith("@robbieblocks/")
        for local, name in each.local.items()
        if name == "default"
    }
    doubts = _doubts(found, components, syntax.top_level)
    return heapq.nsmallest(_MOST, doubts)


def _doubts(
    found: dict[str, list[Node]], components: Collection[str], declared: Collection[str]
) -> Iterator[DoubtfulCode]:
    yield from _attributes(found)
    yield from _tags(found, components, declared)
    yield from _lost(found)
    for node in found.get("export", ()):
        name = text_of(node)
        if name in _OF_NEXT:
            yield DoubtfulCode(
                node.start_byte, f"nobody asks for {name}: it is Next's", _OF_NEXT[name]
            )
    classes = {text_of(node) for node in found.get("class", ())}
    owners = {node.start_byte: text_of(node) for node in found.get("owner", ())}
    for node in found.get("defaults", ()):
        parent = node.parent
        owner = owners.get(parent.start_byte, "") if parent else ""
        if owner in declared and owner not in classes:
            what = "React passes defaultProps of functions over"
            remedy = "give defaults in props_schema, or in the parameter: ({ size = 1 }) => ..."
            yield DoubtfulCode(node.start_byte, what, remedy)
    for node in found.get("key", ()):
        what = "no component gets a prop named key: React keeps it to itself"
        yield DoubtfulCode(node.start_byte, what, "give the prop another name")


def _tags(
    found: dict[str, list[Node]], components: Collection[str], declared: Collection[str]
) -> Iterator[DoubtfulCode]:
    """Elements in lower case that are meant to be components."""
    own = {text_of(node) for node in found.get("local", ())} - _ELEMENTS
    for node in found.get("tag", ()):
        name = text_of(node)
        right = f"{name[:1].upper()}{name[1:]}"
        if name in components:
            what = f"<{name}> is an HTML element of that name, and not the component"
            remedy = f"import it by a name with a capital letter: {right}"
            yield DoubtfulCode(node.start_byte, what, remedy)
        elif name in own and name in declared:
            what = f"<{name}> is an HTML element of that name, and not the function"
            yield DoubtfulCode(node.start_byte, what, f"name it with a capital letter: {right}")


def _lost(found: dict[str, list[Node]]) -> Iterator[DoubtfulCode]:
    """JSX that no function returns."""
    for node in found.get("lost", ()):
        what = "the JSX of this function goes nowhere: there are braces around it, and no return"
        yield DoubtfulCode(
            node.start_byte, what, "write `return` before it, or take the braces away"
        )
    for node in found.get("cut", ()):
        parent = node.parent
        if parent is not None and parent.start_point.row < node.start_point.row:
            what = "nothing is returned: the line ends behind `return`, and with it the statement"
            yield DoubtfulCode(parent.start_byte, what, "write `return (`, and `)` behind the JSX")


def _attributes(found: dict[str, list[Node]]) -> Iterator[DoubtfulCode]:
    """Attributes of elements that say something else than they seem to."""
    for node in found.get("handler", ()):
        name = text_of(node)
        near = nearest(name, _HANDLERS, most=1)
        right = _HANDLERS[near[0]] if near else f"on{name[2:].capitalize()}"
        what = f"React knows no {name}: nothing is called"
        yield DoubtfulCode(node.start_byte, what, f"write {right}")
    for node in found.get("called", ()):
        what = f"{text_of(node)} has a text, and no browser runs it"
        yield DoubtfulCode(node.start_byte, what, f"write {text_of(node)}={{() => ...}}")
    for node in found.get("foreign", ()):
        name = text_of(node)
        remedy = f"write {_DIRECTIVES[name]}" if name in _DIRECTIVES else "write it in JSX"
        yield DoubtfulCode(
            node.start_byte, f"{name} is another framework's: it does nothing", remedy
        )
    for node in found.get("flag", ()):
        if text_of(node) in _FLAGS:
            what = f"{text_of(node)} has a text, and any text means yes"
            yield DoubtfulCode(node.start_byte, what, f"write {text_of(node)}={{false}}")
    for node in found.get("quoted", ()):
        what = "${} between quotes is text as it stands, and no value"
        yield DoubtfulCode(node.start_byte, what, "write {`...`}: backticks, in braces")
