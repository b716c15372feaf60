"""Finds attributes of JSX that say something else than they seem to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tree_sitter import Node

from robbieblocks.bundle.analysis.queries import text_of
from robbieblocks.bundle.analysis.syntax import DoubtfulCode
from robbieblocks.messages import nearest

# A browser's own attributes, in small letters, which React drops where they are just there.
_CAPITALS: Final = {
    name.lower(): name
    for name in """
allowFullScreen autoFocus autoPlay contentEditable defaultChecked disablePictureInPicture
disableRemotePlayback formNoValidate itemScope noModule noValidate playsInline readOnly spellCheck
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
}
_HANDLERS: Final = {
    name.lower(): name
    for name in """
onBlur onChange onClick onContextMenu onCopy onDoubleClick onDragEnd onDragOver onDragStart onDrop
onError onFocus onInput onInvalid onKeyDown onKeyPress onKeyUp onLoad onMouseDown onMouseEnter
onMouseLeave onMouseMove onMouseOut onMouseOver onMouseUp onPaste onPointerDown onPointerEnter
onPointerLeave onPointerMove onPointerUp onReset onScroll onSelect onSubmit onToggle onTouchEnd
onTouchMove onTouchStart onWheel
""".split()  # noqa: SIM905 - as above
}
# Of attributes that are on where they are there, those for which React takes any text for on.
_FLAGS: Final = frozenset(
    """
allowFullScreen autoFocus autoPlay checked controls default defaultChecked defaultSelected disabled
formNoValidate hidden inert itemScope loop multiple muted noValidate open playsInline readOnly
required reversed selected
""".split()  # noqa: SIM905 - as above
)
_DIRECTIVES: Final = {
    "v-if": "{it && <p />}",
    "v-show": "hidden={!it}",
    "v-for": "{items.map((it) => <li key={it.id}>{it.name}</li>)}",
    "v-model": "value={it} onChange={(event) => setIt(event.target.value)}",
    "v-html": "dangerouslySetInnerHTML={{ __html: it }}",
    "v-text": "{it}",
    "v-on": "onClick={() => ...}",
    "v-bind": "title={it}",
    "on": "onClick={() => ...}",
    "x-on": "onClick={() => ...}",
    "bind": "value={it} onChange={(event) => setIt(event.target.value)}",
    "class": 'className={on ? "a" : "b"}',
    "client": "metadata.hydrate of the component",
}
_CLASSES: Final = "put the CSS into css_styles, or write Tailwind's classes in className"
# What a compiler or package of others makes something of.
_OF_OTHERS: Final = {
    "css": _CLASSES,
    "sx": _CLASSES,
    "tw": "write Tailwind's classes in className",
    "styleName": "write className",
    "innerHTML": "write dangerouslySetInnerHTML={{ __html: it }}",
}
# In a text of class names: a selector, or names with commas between them.
_NO_CLASS: Final = re.compile(r"(?:^|\s)[.#][a-zA-Z]|[a-z0-9\])][,;](?:\s|$)")
_NO_FIELDS: Final = frozenset({"submit", "button", "reset", "hidden", "image"})
_MARKED: Final = frozenset({"checkbox", "radio"})
_CHANGING: Final = ("onChange", "onInput", "onClick", "onKey", "onBeforeInput")

# What attributes begin with that a script finds elements by.
_SCRIPTED: Final = {
    "data-bs-": "Bootstrap",
    "data-aos": "AOS",
    "data-(dropdown|modal|collapse|drawer|tabs)-toggle$": "Flowbite",
    "data-(modal|drawer|dismiss|tooltip|popover|accordion|tabs)-target$": "Flowbite",
    "data-hs-": "Preline",
    "uk-": "UIkit",
    "x-(data|show|text|html|if|for|model|init|cloak|transition|ref|effect)$": "Alpine",
    "hx-": "htmx",
    "data-w-id$": "Webflow",
}
_ATTRIBUTE: Final = "(jsx_attribute . (property_identifier)"
PATTERNS: Final = f"""
    {_ATTRIBUTE} @handler (#match? @handler "^on[a-z]+$") [(jsx_expression) (string)])
    {_ATTRIBUTE} @called (#match? @called "^on[A-Z]") (string))
    {_ATTRIBUTE} @foreign (#match? @foreign "^(v-[a-z]+|ng-[a-z]+)$"))
    {_ATTRIBUTE} @scripted (#match? @scripted "^({"|".join(_SCRIPTED)})"))
    {_ATTRIBUTE} @joined (#match? @joined "^(aria|data)[A-Z]"))
    (jsx_attribute . (jsx_namespace_name) @foreign
      (#match? @foreign "^(on|x-on|v-on|v-bind|bind|class|client|use|let):"))
    {_ATTRIBUTE} @flag (string (string_fragment) @_off) (#match? @_off "^(false|no|off|0)$"))
    (jsx_attribute (string (string_fragment) @quoted (#match? @quoted "[$][{{][^}}]*[}}]")))
    {_ATTRIBUTE} @small (#match? @small "^({"|".join(sorted(_CAPITALS))})$"))
    {_ATTRIBUTE} @others (#match? @others "^({"|".join(sorted(_OF_OTHERS))}|jsx)$"))
    {_ATTRIBUTE} @_class (#eq? @_class "className") [
      (string (string_fragment) @classes)
      (jsx_expression [(string (string_fragment) @classes)
        (template_string (string_fragment) @classes)])])
    {_ATTRIBUTE} @ref (#eq? @ref "ref") (string))
    {_ATTRIBUTE} @address (#match? @address "^(href|src|action|formAction)$")
      [(string (string_fragment) @_code) (jsx_expression (string (string_fragment) @_code))]
      (#match? @_code "^[ ]*[jJ]ava[sS]cript:"))
    (jsx_opening_element name: (identifier) @field (#match? @field "^(input|select|textarea)$"))
    (jsx_self_closing_element name: (identifier) @field
      (#match? @field "^(input|select|textarea)$"))
"""


def in_attributes(found: dict[str, list[Node]]) -> Iterator[DoubtfulCode]:
    """Doubts about attributes, by what the patterns found."""
    for node in found.get("handler", ()):
        yield from _handler(node)
    for node in found.get("called", ()):
        what = f"{text_of(node)} has a text, and no browser runs it"
        yield DoubtfulCode(node.start_byte, what, f"write {text_of(node)}={{() => ...}}")
    for node in found.get("foreign", ()):
        name = text_of(node)
        right = _DIRECTIVES.get(name.partition(":")[0])
        what = f"{name} is another framework's: it does nothing"
        yield DoubtfulCode(node.start_byte, what, f"write {right}" if right else "write it in JSX")
    for node in found.get("flag", ()):
        if text_of(node) in _FLAGS:
            what = f"{text_of(node)} has a text, and any text means yes"
            yield DoubtfulCode(node.start_byte, what, f"write {text_of(node)}={{false}}")
    for node in found.get("quoted", ()):
        what = "${} between quotes is text as it stands, and no value"
        yield DoubtfulCode(node.start_byte, what, "write {`...`}: backticks, in braces")
    yield from _of_scripts(found)
    yield from _classes(found)
    for node in found.get("ref", ()):
        what = "React has no refs by name any more: the block fails in the browser"
        remedy = "write const it = useRef(null), and ref={it}"
        yield DoubtfulCode(node.start_byte, what, remedy)
    for node in found.get("address", ()):
        what = f"{text_of(node)} is a script, which no page runs"
        remedy = 'write <button type="button" onClick={() => ...}>, or an address'
        yield DoubtfulCode(node.start_byte, what, remedy)
    yield from _on_elements(found)
    for node in found.get("field", ()):
        yield from _frozen_field(node)


def _classes(found: dict[str, list[Node]]) -> Iterator[DoubtfulCode]:
    for node in found.get("classes", ()):
        if _NO_CLASS.search(text_of(node)):
            what = "a class has a sign that is none of its name: it does nothing"
            remedy = "write names alone, with spaces between them, and no . # , or ;"
            yield DoubtfulCode(node.start_byte, what, remedy)


def _of_scripts(found: dict[str, list[Node]]) -> Iterator[DoubtfulCode]:
    """Attributes that a script of others reads, and those that browsers write with a hyphen."""
    for node in found.get("scripted", ()):
        name = text_of(node)
        owner = next(it for start, it in _SCRIPTED.items() if re.match(start, name))
        what = f"{name} is read by {owner}'s script, which is not there: it does nothing"
        yield DoubtfulCode(node.start_byte, what, "use useState, onClick and effects")
    for node in found.get("joined", ()):
        name = text_of(node)
        if _is_html(node):
            right = f"{name[:4]}-{name[4:].lower()}"
            what = f"browsers know no {name}: it does nothing"
            yield DoubtfulCode(node.start_byte, what, f"write {right}")


def _handler(node: Node) -> Iterator[DoubtfulCode]:
    if not _is_html(node):
        return
    name = text_of(node)
    near = nearest(name, _HANDLERS, most=1)
    right = _HANDLERS[near[0]] if near else f"on{name[2:].capitalize()}"
    value = _value(node)
    if value is not None and value.type == "string":
        right += "={() => ...}"
    yield DoubtfulCode(
        node.start_byte, f"React knows no {name}: nothing is called", f"write {right}"
    )


def _on_elements(found: dict[str, list[Node]]) -> Iterator[DoubtfulCode]:
    """What no HTML element has; a component may have any prop."""
    for node in found.get("small", ()):
        name, value = text_of(node), _value(node)
        # Given a text, it is an attribute like others.
        if _is_html(node) and (value is None or not set("\"'`") & set(text_of(value))):
            what = f"React passes {name} over where it has no text"
            yield DoubtfulCode(node.start_byte, what, f"write {_CAPITALS[name]}")
    for node in found.get("others", ()):
        name = text_of(node)
        if not _is_html(node):
            continue
        if name in _OF_OTHERS:
            what = f"no HTML element has {name}: it does nothing"
            yield DoubtfulCode(node.start_byte, what, f"{_OF_OTHERS[name]}")
        elif _element_name(node) == "style":
            what = "<style jsx> is Next's: here its rules hold for the whole page"
            yield DoubtfulCode(node.start_byte, what, "put the CSS into css_styles")


def _frozen_field(name: Node) -> Iterator[DoubtfulCode]:
    """A field with a value that nothing changes: React undoes what is typed."""
    opening = name.parent
    if opening is None:
        return
    given: dict[str, Node | None] = {}
    for each in opening.named_children:
        if each.type == "jsx_expression":  # {...props} may have anything
            return
        if each.type == "jsx_attribute":
            given[text_of(each.named_children[0])] = each.named_children[-1]
    kind = given.get("type")
    kind_text = text_of(kind).strip("\"'") if kind is not None else "text"
    if "{" in kind_text or kind_text in _NO_FIELDS:
        return
    held = "checked" if kind_text in _MARKED else "value"
    if held not in given or given.keys() & {"readOnly", "disabled", "readonly"}:
        return
    if any(each.startswith(_CHANGING) for each in given):
        return
    at = given[held]
    right = f"default{held.capitalize()}"
    what = f"a field with {held} and without onChange keeps it: visitors can't change it"
    offset = at.start_byte if at is not None else name.start_byte
    yield DoubtfulCode(offset, what, f"write {right}, or add onChange or readOnly")


def _value(name: Node) -> Node | None:
    """The value of an attribute, by its name; None where it has none."""
    attribute = name.parent
    last = attribute.named_children[-1] if attribute is not None else None
    return None if last is None or last.start_byte == name.start_byte else last


def _element_name(name: Node) -> str:
    """The name of the element that an attribute stands in."""
    opening = name.parent.parent if name.parent is not None else None
    return text_of(opening.child_by_field_name("name")) if opening is not None else ""


def _is_html(name: Node) -> bool:
    """Whether an attribute stands in an element of HTML, and not in a component."""
    element = _element_name(name)
    return element[:1].islower() and not {".", "-"} & set(element)
