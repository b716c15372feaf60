"""What is meant by a name that nothing declares, and that other projects have without an import."""

from __future__ import annotations

import re
from typing import Final

_UNDEFINED: Final = re.compile(r"^([A-Za-z_$][\w$]*+) is not defined")
_STYLES: Final = "put the CSS into css_styles, or use Tailwind's classes"
_CLSX: Final = 'import clsx from "clsx", and write clsx(...)'
_MOTION: Final = "framer-motion"
_LINK: Final = "write <a href>: each page is a page of its own"
_ADDRESS: Final = "write <a href>, or set location.href in an event handler"
_HEAD: Final = "leave it out: the page's title, description and metadata make its head"
_ELEMENTS: Final = "use state and event handlers: React changes the elements itself"
_REACT: Final = "write it for React: components are React's"
_INSTEAD: Final = {
    "process": "write the value, or take it as a prop: a page has no environment",
    **dict.fromkeys(("Buffer", "__dirname", "__filename", "global"), "it is Node's: leave it out"),
    **dict.fromkeys(("styles", "classes"), 'write class names as text: className="card"'),
    **dict.fromkeys(("styled", "css", "keyframes", "tw", "makeStyles"), _STYLES),
    **dict.fromkeys(("clsx", "cn", "cx", "classNames", "classnames", "twMerge"), _CLSX),
    "cva": f"{_CLSX}, and choose classes by props",
    **dict.fromkeys(("Link", "NavLink", "Router", "Routes", "Route", "BrowserRouter"), _LINK),
    **dict.fromkeys(("useRouter", "useNavigate", "usePathname", "useLocation"), _ADDRESS),
    **dict.fromkeys(("useParams", "useSearchParams"), "take what the page is about as a prop"),
    **dict.fromkeys(("Head", "Helmet"), _HEAD),
    "Script": "leave it out: scripts come from the site; a node has custom_scripts",
    "PropTypes": "leave it out: props_schema checks props",
    **dict.fromkeys(("$", "jQuery"), _ELEMENTS),
    **dict.fromkeys(("Vue", "defineComponent", "defineProps", "reactive", "createApp"), _REACT),
    **dict.fromkeys(("onMount", "createSignal", "signal"), _REACT),
    **dict.fromkeys(("axios", "useSWR", "useQuery"), "use fetch in useEffect, or take it as props"),
    **dict.fromkeys(
        ("ReactDOM", "createRoot", "hydrateRoot", "render"),
        "a block is mounted by the page: export the component, and leave this out",
    ),
    **dict.fromkeys(("moment", "dayjs", "luxon"), 'import what is used from "date-fns"'),
    "_": "write it with JavaScript's own functions, such as Array.prototype.map",
}
_EXPORTED_BY: Final = {
    **dict.fromkeys(
        (
            *("motion", "AnimatePresence", "LayoutGroup", "MotionConfig", "Reorder"),
            *("useAnimate", "useAnimation", "useInView", "useMotionValue", "useReducedMotion"),
            *("useScroll", "useSpring", "useTransform"),
        ),
        _MOTION,
    ),
    **dict.fromkeys(
        (
            *("Area", "AreaChart", "Bar", "BarChart", "CartesianGrid", "Cell", "Legend", "Line"),
            *("LineChart", "Pie", "PieChart", "ResponsiveContainer", "Tooltip", "XAxis", "YAxis"),
        ),
        "recharts",
    ),
    **dict.fromkeys(
        (
            *("addDays", "differenceInDays", "format", "formatDistance", "formatDistanceToNow"),
            *("isToday", "parseISO", "subDays"),
        ),
        "date-fns",
    ),
    "persist": "zustand/middleware",
}


def undefined_remedy(message: str) -> str:
    """What to do about `x is not defined`; "" where the message says something else."""
    found = _UNDEFINED.match(message[:400])
    if found is None:
        return ""
    name = found[1]
    if package := _EXPORTED_BY.get(name):
        return f'import {{ {name} }} from "{package}"'
    if name in _INSTEAD:
        return _INSTEAD[name]
    if name[:1].isupper():
        return (
            f'import or declare it: import {name} from "@robbieblocks/<component-key>", '
            'or an icon from "lucide-react"'
        )
    return f"import or declare it, or write props.{name} for what a block is given"
