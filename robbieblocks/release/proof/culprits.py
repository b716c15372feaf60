"""Who is at fault where visitors get something else than the release: decided by a few answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from robbieblocks.release.proof import likeness
from robbieblocks.release.proof.answers import Answer, Failure
from robbieblocks.release.proof.known import KnownRelease
from robbieblocks.release.proof.not_served import Culprit, NotServed
from robbieblocks.release.proof.wanted import Wanted

_DETAIL_MAX: Final = 200
_PRINT: Final = "print its configuration again (robbieblocks webserver) and reload it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was asked for, and what came: to a visitor, past caches, and from the origin.

    `on_disk` are the bytes that are served from there, None where they are not those that were
    published. `known` finds the release of the site root that an answer is of. `folder` is the
    node's in the site root.
    """

    wanted: Wanted
    visitor: Answer
    fresh: Answer | None
    origin: Answer | None
    on_disk: bytes | None
    known: Callable[[Answer], KnownRelease | None]
    folder: Path

    @property
    def origin_is_right(self) -> bool:
        """Whether the node's own web server was asked, and is not at fault."""
        return self.origin is not None and not self.wanted.problem(self.origin)

    @property
    def fresh_is_right(self) -> bool:
        """Whether the address is right for somebody who wants nothing from a cache."""
        return self.fresh is not None and not self.wanted.problem(self.fresh)


Verdict = tuple[Culprit, str, str]


def explain(evidence: Evidence) -> NotServed:
    """Name the culprit. What is nearest to the files is at fault first."""
    culprit, why, remedy = _verdict(evidence)
    return NotServed(
        url=evidence.visitor.url,
        problem=evidence.wanted.problem(evidence.visitor),
        culprit=culprit,
        why=why,
        remedy=remedy,
    )


def _verdict(evidence: Evidence) -> Verdict:
    visitor, origin = evidence.visitor, evidence.origin
    if evidence.on_disk is None:
        why = f"{evidence.wanted.file} is not what was published"
        return "the disk", why, "robbieblocks build writes it again; look who changed it"
    if evidence.fresh_is_right or (evidence.origin_is_right and visitor.is_from_cache):
        return _cached(evidence)
    if origin is not None and not evidence.origin_is_right:
        # All that comes later can't be right: the origin's own answer tells more.
        return _of_server(evidence, origin)
    if visitor.failure:
        return _unreached(visitor, evidence)
    if evidence.origin_is_right:
        return _in_between(evidence)
    return _of_server(evidence, visitor)


def _cached(evidence: Evidence) -> Verdict:
    visitor = evidence.visitor
    what = _of_release(evidence.known(visitor)) or "an answer of before"
    told = f" ({visitor.told})" if visitor.told else ""
    return (
        "a cache in between",
        f"it gives {what}{told}, and the server behind it gives the right one",
        "purge it, and have it ask again each time for pages (they are sent with no-cache)",
    )


def _in_between(evidence: Evidence) -> Verdict:
    """The origin is right, and visitors get something else, from no cache that says so."""
    visitor, wanted = evidence.visitor, evidence.wanted
    found = evidence.known(visitor)
    if _is_altered(evidence, visitor):
        return _altered(evidence, visitor)
    if found is not None and wanted.is_of(found):
        return _cached(evidence)
    if visitor.status in _GATEWAY:
        return _gateway(visitor)
    what = f"gives {found}" if found else f"answers {visitor.status} ({_server(visitor)})"
    host = urlsplit(visitor.url).netloc
    return (
        "the address",
        f"{host} {what}, and its origin gives the right one",
        f"see where the name {host} leads, and what the proxy there passes it on to",
    )


def _of_server(evidence: Evidence, answer: Answer) -> Verdict:
    """What is at fault by one answer, which nothing later could have put right."""
    if answer.failure:
        return _unreached(answer, evidence)
    if answer.status in _GATEWAY:
        return _gateway(answer)
    if answer.status != HTTPStatus.OK:
        return _by_status(evidence, answer)
    if not evidence.wanted.is_page:
        return _wrong_asset(evidence, answer)
    return _wrong_page(evidence, answer)


def _wrong_page(evidence: Evidence, answer: Answer) -> Verdict:
    found = evidence.known(answer)
    if found is not None and not evidence.wanted.is_of(found):
        return _other_root(evidence, f"it gives {found}")
    if found is not None and answer.is_through_cache:
        return (
            "a cache in between",
            f"it gives {_of_release(found)} ({answer.told}), asked past it or not",
            "purge it, and have it ask again each time for pages (they are sent with no-cache); "
            "an origin in [site.origins] would show what is behind it",
        )
    if found is not None:
        return (
            "an old server",
            f"it gives {_of_release(found)} ({_server(answer)}): it was started before the folder "
            f"{evidence.folder} was replaced, or reads a copy of it",
            "start it anew, and see that it reads that folder by way of `current`",
        )
    if _is_altered(evidence, answer):
        return _altered(evidence, answer)
    if answer.build:
        why = f"it gives build {answer.build[:12]}, which is not in this site root"
        return _other_root(evidence, why)
    if likeness.is_of_robbieblocks(answer.body):
        return _other_root(
            evidence, "it gives a page of RobbieBlocks that is not in this site root"
        )
    return _other_root(evidence, f"what it gives is nothing of ours ({_server(answer)})")


def _wrong_asset(evidence: Evidence, answer: Answer) -> Verdict:
    """The bytes of a name never change, so this is no earlier one."""
    if evidence.wanted.has_right_bytes(answer):
        why = f"browsers refuse what is sent with that type ({_server(answer)})"
        return "the web server", why, f"have it send the right types: {_PRINT}"
    coding = answer.headers.get("content-encoding", "")
    sent = f", sent in {coding}," if coding else ""
    return (
        "the web server",
        f"what it gives{sent} is not the file {evidence.wanted.file} ({_server(answer)})",
        "remove the compressed copies beside that file, a worker makes them again; or have what "
        "alters it leave /_rb/ alone",
    )


_GATEWAY: Final = (502, 504, 520, 521, 522, 523, 524)


def _gateway(answer: Answer) -> Verdict:
    return (
        "the network",
        f"a proxy answers {answer.status}: it does not reach the server behind it "
        f"({_server(answer)})",
        "start the web server, or correct the address that the proxy asks",
    )


def _by_status(evidence: Evidence, answer: Answer) -> Verdict:
    folder, status = evidence.folder, answer.status
    if 300 <= status < 400:
        to = answer.headers.get("location", "nowhere")
        return (
            "the address",
            f"it leads on to {to}",
            "write the address at which pages are answered into [site.urls]",
        )
    if status == HTTPStatus.UNAUTHORIZED:
        remedy = "let the machine that publishes in without one, or take the address out"
        return "the web server", "it asks for a password", remedy
    if status == HTTPStatus.FORBIDDEN:
        remedy = f"see whether its account may read {folder} (robbieblocks doctor), or what bars us"
        return "the web server", f"it refuses us ({_server(answer)})", remedy
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        remedy = "let the machine that publishes ask more often"
        return "the web server", "it is asked too often", remedy
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        remedy = f"see its log, and whether its account may read {folder} (robbieblocks doctor)"
        return "the web server", f"it fails ({_server(answer)})", remedy
    found = evidence.known(answer) if answer.build else None
    if found is not None and not evidence.wanted.is_of(found):
        what = f"it answers with the 404 page of {found}"
        if found.node != evidence.wanted.node:
            return _other_root(evidence, what)
    return _other_root(evidence, f"it has no such page ({_server(answer)})")


def _other_root(evidence: Evidence, why: str) -> Verdict:
    return (
        "another root",
        why,
        f"have it serve {evidence.folder}: {_PRINT}; where the folder was replaced or mounted "
        "anew, start it anew",
    )


def _is_altered(evidence: Evidence, answer: Answer) -> bool:
    if answer.status != HTTPStatus.OK or evidence.on_disk is None:
        return False
    if evidence.wanted.is_page:
        return likeness.is_altered(evidence.on_disk, answer.body)
    return evidence.origin_is_right


def _altered(evidence: Evidence, answer: Answer) -> Verdict:
    told = f" ({answer.told})" if answer.told else ""
    size = f"{len(evidence.on_disk or b'')} bytes became {len(answer.body)}"
    if not evidence.wanted.is_page:
        remedy = "have it leave /_rb/ alone: browsers refuse a script whose bytes are others"
        return "a proxy that alters answers", f"{size}{told}", remedy
    return (
        "a proxy that alters answers",
        f"the page is ours, and {size}{told}",
        'have it leave pages as they are (minifying, scripts of its own), or set site.compare = "'
        'build"',
    )


_UNREACHED: Final[dict[Failure, tuple[str, str]]] = {
    "name": (
        "the name {host} is not known",
        "make its DNS record, or correct the address in [site.urls]",
    ),
    "certificate": (
        "{host} has no certificate that can be trusted",
        "renew the certificate, or correct the address in [site.urls]",
    ),
    "refused": (
        "nothing listens at {host}",
        "start the web server, or correct the address in [site.urls]",
    ),
    "silent": (
        "{host} gives no answer in time",
        "see whether the server hangs, or a firewall stands before it",
    ),
    "broken": ("{host} gives no whole answer", "see the log of the server there"),
}


def _unreached(answer: Answer, evidence: Evidence) -> Verdict:
    why, remedy = _UNREACHED[answer.failure or "broken"]
    host = urlsplit(answer.url).netloc
    detail = f" ({answer.detail[:_DETAIL_MAX]})" if answer.detail else ""
    is_ours = evidence.origin_is_right and answer is evidence.visitor
    right = "; its origin gives the right page" if is_ours else ""
    return "the network", why.format(host=host) + detail + right, remedy


def _of_release(found: KnownRelease | None) -> str:
    return f"the earlier release {found.build_hash[:12]}" if found else ""


def _server(answer: Answer) -> str:
    return answer.told or "it names no server"
