"""One build of the new cases, and what each says."""
import json, sys
import pytest
from tests import hostile_parsers
from tests.integration.test_hostile_site import *
import time

def test_probe(make_site):
    site = make_site()
    context = site.builder.context
    context.prerenderer.close()
    import os; lo, hi = map(int, os.environ["PROBE"].split(":")); cases = list(enumerate(hostile_parsers.CASES))[lo:hi]
    with Prerenderer(cpu_s=1.0, heap_bytes=96 << 20) as impatient:
        context.prerenderer = impatient
        site.component("good", GOOD, css=".good { color: var(--color-primary) }")
        site.page("good", Block(component="good", props={"text": "Good"}), title="A good page")
        site.build()
        before = site.file("/good/").read_bytes()
        for number, case in cases:
            case.store(site, number)
        t=time.time()
        report = site.build()
        print("BUILD", time.time()-t, {k: round(v) for k,v in report.phases.items()})
        assert site.file("/good/").read_bytes() == before
        out=[]
        for number, case in cases:
            key=f"case-{number}"
            own=[p for p in report.problems if {p.key,p.page} & {key, f"hostile-{number}"}]
            path=site.file(f"/{key}/")
            html=path.read_text() if path.exists() else None
            text=None
            if html:
                n=LexborHTMLParser(html).css_first(".shown, main .rb-block")
                text=n.text()[:60] if n is not None else "NO NODE"
            out.append(dict(n=number,name=case.name,expect=case.error,want=case.text[:60],live=html is not None,text=text,said=[f"{p.severity}: {p}"[:420] for p in own][:3],size=len(html or "")))
        json.dump(out,open(os.environ["PROBE_OUT"],"w"),indent=1)
