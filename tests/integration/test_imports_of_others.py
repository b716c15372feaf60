"""Imports of what other projects have get the remedy that helps."""

from __future__ import annotations

import pytest

from tests.pages import Press, component

IMPORTS = [
    ("import x from 'left-pad'", "the package left-pad is not in the toolchain", "clsx"),
    ("import x from 'lodash'", "lodash is not in the toolchain", "JavaScript's own"),
    ("import x from 'lodash/debounce'", "is not in the toolchain", "JavaScript's own"),
    ("import x from '@mui/material/Grid'", "is not in the toolchain", "HTML elements"),
    ("import { FaHome as x } from 'react-icons/fa'", "is not in", "lucide-react"),
    ("import { x } from 'class-variance-authority'", "is not in", "choose by props"),
    ("import { cn, x } from '@/lib/utils'", "there is no file", "clsx(...)"),
    ("import x from 'next/image'", "next/image is not in", "<Image media={photo} />"),
    ("import { React as x } from 'react'", "react has no export React", "import React from"),
    ("import { cn, x } from '@/utils/cn'", "there is no file", "clsx(...) in place of cn"),
    ("import { cx as x, cx } from '~/helpers/cx'", "there is no file", "in place of cx"),
    ("import x from 'swiper/react'", "swiper/react is not in the toolchain", "snap-x"),
    ("import x from '@gsap/react'", "is not in the toolchain", "framer-motion"),
    ("import x from 'react-markdown'", "is not in the toolchain", '"format": "markdown"'),
    ("import x from 'canvas-confetti'", "is not in the toolchain", "`scripts`"),
    ("import x from '@react-three/fiber'", "is not in the toolchain", "`scripts`"),
    ("import { x } from 'react-intersection-observer'", "is not in", "useInView"),
    ("import x from 'create-react-class'", "is not in the toolchain", "returns JSX"),
    ("import x from 'reactt'", "the package reactt is not", "did you mean react?"),
    ("import x from 'components/Button'", "there is no file", "@robbieblocks/"),
    ("import x from 'path'", "the package path is not in the toolchain", "Node's"),
    ("import x from 'node:fs'", "is not loaded", "Node's"),
    ("import x from './a.svg?react'", "can't import the file", "content/media/"),
    ("import x from './a.module.css'", "can't import a stylesheet", 'className="card"'),
    ("import { Github as x } from 'lucide-react'", "has no export", "no marks of brands"),
]


@pytest.mark.parametrize(("code", "what", "remedy"), IMPORTS)
def test_imports_of_other_projects(press: Press, code: str, what: str, remedy: str) -> None:
    """It is an error at its line, and says what stands here in its place."""
    text = f"// first line\n{code};\nexport default () => <p>{{String(x)}}{{cn}}</p>;"
    problem = press.bundle(component("it", text)).problems[0]
    assert what in problem.what
    assert remedy in problem.remedy
    assert problem.line == 2
