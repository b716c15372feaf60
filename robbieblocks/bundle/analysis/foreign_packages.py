"""What to write in place of packages that other projects import, and components can't."""

from __future__ import annotations

from typing import Final

_IMAGE: Final = (
    'import Image from "@robbieblocks/image", and write <Image media={photo} /> with a prop of the '
    'format "media"; or write <img> with width and height'
)
_HEAD: Final = "leave it out: the page's title, description and metadata make its head"
_FONT: Final = "name the font in a style token (font.*)"
_LINK: Final = "write <a href>: each page is a page of its own"
_ADDRESS: Final = "write <a href>, or set location.href in an event handler"
_SCRIPT: Final = "leave it out: scripts come from the site; a node has custom_scripts"
_CSS: Final = "put the CSS into css_styles, or use Tailwind's classes"
_ELEMENTS: Final = (
    "write HTML elements with Tailwind's classes, or import a component of your own: "
    '"@robbieblocks/<component-key>"'
)
_ICONS: Final = 'import an icon from "lucide-react"'
_STATE: Final = 'useState, or a store: import { create } from "zustand"'
_DATA: Final = "use fetch in useEffect, or give the data as props"
_FORM: Final = "use useState, or <form action={fn}>; props_schema checks props"
_CHART: Final = 'draw it with "recharts", or as <svg>'
_MOTION: Final = 'import { motion } from "framer-motion", or write @keyframes in css_styles'
_JQUERY: Final = "use state and event handlers: React changes the elements itself"
_WORDS: Final = "give the texts as props: each language has pages of its own"
_REACT: Final = "write it for React: components are React's"
_SERVER: Final = "leave it out: a component runs in the browser, and no server stands behind it"
_VARIANTS: Final = (
    'import clsx from "clsx", and choose by props: { small: "p-2", large: "p-4" }[size]'
)
_DATES: Final = 'import the functions that are used from "date-fns"'
_PLAIN: Final = "write it with JavaScript's own functions, such as Array.prototype.map"
_SLIDES: Final = 'write <ul className="flex snap-x overflow-x-auto">, and snap-center on each <li>'
_SEEN: Final = 'import { useInView } from "framer-motion", or set metadata.hydrate to "visible"'
_MARKDOWN: Final = (
    'give the text as a prop with "format": "markdown" in props_schema, and write '
    "<div dangerouslySetInnerHTML={text} />"
)
_SETTING: Final = (
    "name its script in `scripts` of the node's or the app's settings, and call it in useEffect"
)
_HOOK: Final = "write the hook into the component, or into one of your own that exports it"
_BUILT: Final = "leave it out: a build does that"

_NODE: Final = "leave it out: it is Node's, and components run in browsers"
# Behind which it helps to know what there is.
OPEN_REMEDIES: Final = frozenset({_NODE, _PLAIN})

_OF_PACKAGE: Final = {
    "axios": "use fetch, which browsers have, in useEffect",
    **dict.fromkeys(("classnames", "tailwind-merge"), 'import clsx from "clsx"'),
    "class-variance-authority": _VARIANTS,
    "tailwind-variants": _VARIANTS,
    **dict.fromkeys(("dayjs", "moment", "luxon"), _DATES),
    **dict.fromkeys(("motion", "react-spring", "gsap", "animejs", "aos"), _MOTION),
    **dict.fromkeys(("next", "gatsby", "astro"), _LINK),
    **dict.fromkeys(("react-helmet", "react-helmet-async", "@unhead/react"), _HEAD),
    "next-seo": _HEAD,
    "next-themes": 'leave it out: a node has a theme; CSS asks for [data-theme="dark"]',
    "prop-types": "leave it out: props_schema checks props",
    **dict.fromkeys(("react-router", "react-router-dom", "wouter"), _LINK),
    **dict.fromkeys(("styled-components", "styled-jsx", "goober", "linaria", "stitches"), _CSS),
    **dict.fromkeys(("bootstrap", "bulma", "normalize.css", "animate.css"), _CSS),
    **dict.fromkeys(("react-bootstrap", "reactstrap", "antd", "daisyui", "radix-ui"), _ELEMENTS),
    **dict.fromkeys(("cmdk", "vaul", "sonner", "react-hot-toast", "react-toastify"), _ELEMENTS),
    **dict.fromkeys(("primereact", "flowbite-react", "semantic-ui-react", "rsuite"), _ELEMENTS),
    **dict.fromkeys(("react-icons", "react-feather", "feather-icons", "font-awesome"), _ICONS),
    **dict.fromkeys(("redux", "react-redux", "jotai", "recoil", "mobx", "valtio"), _STATE),
    "mobx-react": _STATE,
    **dict.fromkeys(("swr", "react-query", "graphql", "urql", "firebase"), _DATA),
    **dict.fromkeys(("react-hook-form", "formik", "zod", "yup", "joi", "valibot"), _FORM),
    **dict.fromkeys(("chart.js", "react-chartjs-2", "d3", "victory", "highcharts"), _CHART),
    **dict.fromkeys(("jquery", "cash-dom", "umbrellajs"), _JQUERY),
    **dict.fromkeys(("i18next", "react-i18next", "next-intl", "react-intl"), _WORDS),
    **dict.fromkeys(("vue", "svelte", "solid-js", "preact", "lit", "htmx.org", "alpinejs"), _REACT),
    **dict.fromkeys(("express", "mongoose", "pg", "prisma", "stripe", "next-auth"), _SERVER),
    **dict.fromkeys(("dotenv", "server-only", "client-only", "jsonwebtoken"), _SERVER),
    **dict.fromkeys(("lodash", "lodash-es", "underscore", "ramda"), _PLAIN),
    **dict.fromkeys(("swiper", "embla-carousel-react", "react-slick", "keen-slider"), _SLIDES),
    **dict.fromkeys(("react-responsive-carousel", "flickity", "splide"), _SLIDES),
    **dict.fromkeys(("react-intersection-observer", "react-lazyload", "react-waypoint"), _SEEN),
    **dict.fromkeys(("react-countup", "react-type-animation", "typewriter-effect"), _MOTION),
    **dict.fromkeys(("react-simple-typewriter", "lottie-react", "react-lottie"), _MOTION),
    **dict.fromkeys(("react-transition-group", "react-parallax", "lenis", "wowjs"), _MOTION),
    **dict.fromkeys(("react-markdown", "marked", "markdown-it", "showdown", "remark"), _MARKDOWN),
    **dict.fromkeys(("remark-gfm", "rehype-raw", "rehype-highlight"), _MARKDOWN),
    **dict.fromkeys(("react-syntax-highlighter", "prismjs", "highlight.js", "shiki"), _MARKDOWN),
    **dict.fromkeys(("three", "canvas-confetti", "react-confetti", "leaflet"), _SETTING),
    **dict.fromkeys(("react-leaflet", "mapbox-gl", "maplibre-gl", "cobe", "plyr"), _SETTING),
    **dict.fromkeys(("usehooks-ts", "react-use", "ahooks"), _HOOK),
    **dict.fromkeys(("tslib", "core-js", "regenerator-runtime"), _BUILT),
    **dict.fromkeys(("react-select", "react-datepicker", "react-modal", "react-tabs"), _ELEMENTS),
    **dict.fromkeys(("react-day-picker", "input-otp", "react-resizable-panels"), _ELEMENTS),
    **dict.fromkeys(
        ("react-aria", "react-aria-components", "downshift", "react-popper"), _ELEMENTS
    ),
    **dict.fromkeys(("immer", "use-immer", "nanostores", "xstate", "rxjs"), _STATE),
    **dict.fromkeys(("react-bootstrap-icons", "bootstrap-icons"), _ICONS),
    "create-react-class": "write a function that returns JSX",
    "html-react-parser": "write dangerouslySetInnerHTML={{ __html: text }}",
    "js-cookie": "use document.cookie, or localStorage, in useEffect",
    **dict.fromkeys(("uuid", "nanoid"), "use useId for ids of elements, or crypto.randomUUID()"),
}
_OF_SCOPE: Final = {
    "@emotion": _CSS,
    "@splidejs": _SLIDES,
    "@gsap": _MOTION,
    "@lottiefiles": _MOTION,
    "@formkit": _MOTION,
    "@mdx-js": _MARKDOWN,
    "@react-three": _SETTING,
    "@tsparticles": _SETTING,
    "@splinetool": _SETTING,
    "@react-google-maps": _SETTING,
    "@uidotdev": _HOOK,
    "@babel": _BUILT,
    "@ark-ui": _ELEMENTS,
    "@base-ui": _ELEMENTS,
    "@base-ui-components": _ELEMENTS,
    "@react-aria": _ELEMENTS,
    "@ariakit": _ELEMENTS,
    "@floating-ui": _ELEMENTS,
    "@material-tailwind": _ELEMENTS,
    "@tremor": _ELEMENTS,
    "@dnd-kit": _ELEMENTS,
    "@iconify": _ICONS,
    "@remixicon": _ICONS,
    "@xstate": _STATE,
    "@vanilla-extract": _CSS,
    "@stitches": _CSS,
    "@pandacss": _CSS,
    "@linaria": _CSS,
    "@mui": _ELEMENTS,
    "@material-ui": _ELEMENTS,
    "@chakra-ui": _ELEMENTS,
    "@radix-ui": _ELEMENTS,
    "@headlessui": _ELEMENTS,
    "@mantine": _ELEMENTS,
    "@nextui-org": _ELEMENTS,
    "@heroui": _ELEMENTS,
    "@fluentui": _ELEMENTS,
    "@shadcn": _ELEMENTS,
    "@heroicons": _ICONS,
    "@phosphor-icons": _ICONS,
    "@tabler": _ICONS,
    "@fortawesome": _ICONS,
    "@ant-design": _ICONS,
    "@apollo": _DATA,
    "@trpc": _DATA,
    "@reduxjs": _STATE,
    "@hookform": _FORM,
    "@nivo": _CHART,
    "@visx": _CHART,
    "@react-spring": _MOTION,
    "@remix-run": _LINK,
    "@angular": _REACT,
    "@sveltejs": _REACT,
    "@preact": _STATE,
    "@prisma": _SERVER,
    "@clerk": _SERVER,
    "@auth": _SERVER,
    "@supabase": _DATA,
    "@vercel": _SCRIPT,
    "@next": _SCRIPT,
    "@fontsource": _FONT,
    "@fontsource-variable": _FONT,
}
# Of single paths, before the package that they are in.
_OF_PATH: Final = {
    "motion/react": 'import { motion } from "framer-motion"',
    "motion": 'import { motion } from "framer-motion"',
    "next/image": _IMAGE,
    "next/legacy/image": _IMAGE,
    "next/head": _HEAD,
    "next/script": _SCRIPT,
    "next/dynamic": 'import it at the top; metadata.hydrate = "visible" loads it late',
    "next/font/google": _FONT,
    "next/font/local": _FONT,
    "next/link": "write <a href>",
    "next/navigation": _ADDRESS,
    "next/router": _ADDRESS,
    "next/headers": _SERVER,
    "next/cache": _SERVER,
    "next/server": _SERVER,
    "react-dom/client": "a block is mounted by the page: export the component, and leave this out",
    "react-dom/server": "leave it out: a build renders every block",
    "styled-jsx/style": _CSS,
    "classnames": 'import clsx from "clsx", which does the same',
    "@tanstack/react-query": _DATA,
    "@tanstack/react-router": _LINK,
    "@tanstack/react-form": _FORM,
    "@tanstack/react-table": "write <table>, and sort with useState",
    "@next/font": _FONT,
}
MOUNTED: Final = _OF_PATH["react-dom/client"]
# The modules that Node has without a package.
_OF_NODE: Final = frozenset(
    """
assert async_hooks buffer child_process cluster crypto dns events fs http http2 https module net os
path perf_hooks process querystring readline stream string_decoder timers tls tty url util v8 vm
worker_threads zlib
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
)


def in_place_of(specifier: str) -> str:
    """What to write instead of a package that the toolchain has not; empty where unknown."""
    if is_of_node(specifier):
        return _NODE
    scope = specifier.split("/")[0]
    return (
        _OF_PATH.get(specifier)
        or _OF_PACKAGE.get(whole_package(specifier))
        or (_OF_SCOPE.get(scope, "") if scope.startswith("@") else "")
    )


def is_of_node(specifier: str) -> bool:
    """Whether a specifier names a module that Node has without a package."""
    return specifier.startswith("node:") or specifier.split("/")[0] in _OF_NODE


def whole_package(specifier: str) -> str:
    """The package that a specifier names, or a path in it: `a/b` is of `a`, `@a/b/c` of `@a/b`."""
    return "/".join(specifier.split("/")[: 2 if specifier.startswith("@") else 1])
