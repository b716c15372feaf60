"""At-rules that a component's stylesheet can't have."""

from __future__ import annotations

from typing import Final

# With what to do instead.
REFUSED: Final = {
    "import": "put the rules here; fonts come from the style tokens",
    "charset": "leave it out: the text is Unicode already",
    "namespace": "leave it out",
    "font-face": "name the font in a style token (font.*): it is hosted for every page",
    "scope": "leave it out: the rules hold for this component's blocks only",
    "apply": "put the classes into className, or write what they do",
    "tailwind": "leave it out: utility classes are there",
    "theme": "add tokens: they are Tailwind's theme",
    "utility": "write a class",
    "variant": "write what it stands for: a media query, :hover, or [data-theme]",
    "custom-variant": "write what it stands for: a media query, :hover, or [data-theme]",
    "screen": "write a media query, such as @media (width >= 40rem)",
    "mixin": "write its declarations: this is CSS",
    "include": "write its declarations: this is CSS",
    "use": "leave it out: this is CSS",
    "extend": "write the declarations: this is CSS",
    "each": "write the rules out: this is CSS",
}
