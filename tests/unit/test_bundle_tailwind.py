"""Tokens as Tailwind's theme, and which of Tailwind's rules are used."""

from __future__ import annotations

import pytest

from robbieblocks.bundle.tailwind import variables_in
from robbieblocks.bundle.tailwind.safe_rules import flat, safe_rules
from robbieblocks.bundle.tailwind.theme import theme_css
from robbieblocks.model import TokenRow


def theme(*keys: str, value: str = "x") -> str:
    return theme_css([TokenRow(key=key, category="any", default=value) for key in keys])


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("color.primary", "--color-primary:var(--color-primary);"),
        ("color.text-muted", "--color-text-muted:var(--color-text-muted);"),
        ("spacing.lg", "--spacing-lg:var(--spacing-lg);"),
        ("font.heading", "--font-heading:var(--font-heading);"),
        ("font.size-lg", "--text-lg:var(--font-size-lg);"),
        ("font.size.lg", "--text-lg:var(--font-size-lg);"),
        ("font.weight-bold", "--font-weight-bold:var(--font-weight-bold);"),
        ("radius.md", "--radius-md:var(--radius-md);"),
        ("shadow.glow", "--shadow-glow:var(--shadow-glow);"),
        ("animation.fast", "--transition-duration-fast:var(--animation-fast);"),
        ("animation.ease", "--ease-normal:var(--animation-ease);"),
    ],
)
def test_namespaces(key: str, rule: str) -> None:
    """A token becomes the utilities that its kind has, by reference to its own property."""
    assert rule in theme(key)


def test_values_stay_out() -> None:
    """A changed value changes nothing for Tailwind, so that nothing is compiled again."""
    keys = ("color.primary", "spacing.lg", "font.size-lg")
    assert theme(*keys, value="1px") == theme(*keys, value="} body{display:none}")


def test_breakpoints_go_by_value() -> None:
    """A breakpoint's value is needed in media queries; one that is no length is left out."""
    assert "--breakpoint-wide:90rem;" in theme("breakpoint.wide", value="90rem")
    assert "--breakpoint-wide" not in theme("breakpoint.wide", value="1px){}")
    named = theme_css(
        [
            TokenRow(key="breakpoint.wide", category="any", default=" {size.wide} "),
            TokenRow(key="size.wide", category="any", default="90rem"),
        ]
    )
    assert "--breakpoint-wide:90rem;" in named


def test_widths_keep_their_scale() -> None:
    """`max-w-lg` stays a width where a spacing token is called lg."""
    assert "--max-width-lg:var(--container-lg);" in theme("spacing.lg")


@pytest.mark.parametrize("key", ["color.}body{", "color.a b", "color.<", "color.é", "", "."])
def test_odd_tokens_are_left_out(key: str) -> None:
    """A token whose key is no plain name is not Tailwind's affair."""
    assert "@theme inline{}" in theme(key)


@pytest.mark.parametrize(
    "css",
    [
        ".w{color:red}",
        ".w:hover{color:red}",
        ".w p{color:red}",
        ":is(.w > *){color:red}",
        ":where(.w > :not(:last-child)){color:red}",
        "@media (width >= 1px){.w{color:red}}",
        ":is(:where(.group):hover .w){color:red}",
        ".w{color:red;@media print{color:blue}}",
        ".w{background:url(/x.png)}",
    ],
)
def test_kept_rules(css: str) -> None:
    """A rule for the element with the class, or for what is in it, is kept."""
    assert safe_rules("w", css) is not None


@pytest.mark.parametrize(
    "css",
    [
        "body{color:red}",
        ".w,body{color:red}",
        "body:has(.w){color:red}",
        ":not(.w){color:red}",
        ":is(.w,body){color:red}",
        "w{color:red}",
        ".other{color:red}",
        ".w{background:url(https://example.org)}",
        ".w{background:image-set('//example.org' 1x)}",
        ".w{--x:url(//example.org)}",
        "@import 'x';",
        "@font-face{font-family:x}",
        "@page{.w{color:red}}",
        ".w{color:red}body{color:red}",
        ".w{color:red;body{color:blue}}",
        ".w{color:red)}",
        "@property --color-primary{syntax:'*';inherits:false}.w{color:red}",
        "",
    ],
)
def test_dropped_rules(css: str) -> None:
    """A rule that reaches further, or fetches, is dropped whole."""
    assert safe_rules("w", css) is None


def test_registered_properties_are_kept_apart() -> None:
    """Tailwind's own registered properties are kept, once each."""
    found = safe_rules("w", ".w{top:0}@property --tw-x{syntax:'*';inherits:false}")
    assert found is not None
    assert list(found[1]) == ["--tw-x"]


def test_conditions_are_written_around() -> None:
    """A condition nested in a rule is written around it, for browsers without nesting."""
    import tinycss2

    (rule,) = tinycss2.parse_stylesheet(".w{top:0;@media (x){left:0;@media (y){right:0}}}")
    assert flat(rule) == ".w{top:0;}@media (x){.w{left:0;}@media (y){.w{right:0;}}}"


def test_variables() -> None:
    """Custom properties are found wherever a text says their names."""
    assert variables_in(["a var(--x-1) b", "'--y'"]) == {"--x-1", "--y"}
