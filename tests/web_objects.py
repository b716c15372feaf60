"""Code that computes with what browsers have, and what it gives, there and in the isolate."""

from __future__ import annotations

from typing import Final

# By topic: the body of a function, and what it returns.
WEB_OBJECTS: Final[dict[str, tuple[str, list[object]]]] = {
    "events": (
        "const seen = [], it = new EventTarget();"
        "it.addEventListener('a', () => seen.push(1), { once: true });"
        "it.addEventListener('a', { handleEvent(e) { seen.push(e.detail, e.target === it); } });"
        "it.addEventListener('a', (e) => { seen.push('c'); e.preventDefault(); }, true);"
        "it.addEventListener('a', () => { throw new Error('told, and gone on'); });"
        "const event = new CustomEvent('a', { detail: 7, cancelable: true });"
        "seen.push(it.dispatchEvent(event), it.dispatchEvent(new Event('b')));"
        "it.dispatchEvent(new CustomEvent('a')); return [...seen, event.defaultPrevented];",
        [1, 7, True, "c", False, True, None, True, "c", True],
    ),
    "signals": (
        "const one = new AbortController(), any = AbortSignal.any([one.signal]), seen = [];"
        "any.onabort = (e) => seen.push(e.type); const it = new EventTarget();"
        "it.addEventListener('a', () => seen.push('never'), { signal: any });"
        "one.abort(); one.abort('again'); it.dispatchEvent(new Event('a'));"
        "try { any.throwIfAborted(); } catch (e) { seen.push(e instanceof DOMException, e.name); }"
        "return [...seen, AbortSignal.abort('x').reason, AbortSignal.timeout(99).aborted];",
        ["abort", True, "AbortError", "x", False],
    ),
    "headers": (
        "const it = new Headers({ 'X-B': ' 1 ' }); it.append('x-b', 2); it.append('A', 'é');"
        "try { it.set('a b', 1); } catch (e) { it.set('err', e.name); }"
        "return [...it, it.get('none'), it.has('a'), new Headers([...it]).get('X-B')];",
        [["a", "é"], ["err", "TypeError"], ["x-b", "1, 2"], None, True, "1, 2"],
    ),
    "files": (
        "const it = new Blob(['€', new Uint8Array([65])], { type: 'Text/Plain' });"
        "const file = new File([it, it], 'a.txt', { lastModified: 5 });"
        "return [it.size, it.type, file.size, file.name, file.lastModified, it.slice(3).size,"
        " file instanceof Blob, String(file)];",
        [4, "text/plain", 8, "a.txt", 5, 1, True, "[object File]"],
    ),
    "forms": (
        "const it = new FormData(); it.append('a', 1); it.append('b', new Blob(['x']), 'n.txt');"
        "it.append('a', 2); it.set('a', 3); it.set('c', null);"
        "return [...it.keys(), it.get('b').name, it.getAll('a'), Object.fromEntries(it).c];",
        ["a", "b", "c", "n.txt", ["3"], "null"],
    ),
    "shapes": (
        "const it = new DOMRect(1, 2, -3, 4); it.y = 5; return [it.left, it.right, it.bottom,"
        " { ...DOMPoint.fromPoint({ x: 9 }).toJSON() }, JSON.parse(JSON.stringify(it)).top];",
        [-2, 1, 9, {"x": 9, "y": 0, "z": 0, "w": 1}, 5],
    ),
    "names in CSS": (
        "return ['1a', '-1', '-', 'a.b c', '\\u0001é', '\\0'].map((it) => CSS.escape(it));",
        [r"\31 a", r"-\31 ", r"\-", r"a\.b\ c", "\\1 é", "\ufffd"],
    ),
    "subclasses": (
        "class Store extends EventTarget { constructor() { super(); this.addEventListener = 5; } }"
        "class Said extends CustomEvent { get loud() { return this.detail.toUpperCase(); } }"
        "return [new Store().addEventListener, new Said('a', { detail: 'x' }).loud,"
        " new Said('a') instanceof Event, new Said('a').isTrusted];",
        [5, "X", True, False],
    ),
}
