// React puts what belongs into a page's head around a block's HTML: hints for what is fetched soon in
// front of it, and behind it a script that keeps forms which are sent before they are hydrated
// (runtime/islands.js does that). A component's own elements can't stand among them.

const ELEMENT =
  /<link [^<>]*>|<style [^<>]*>(?:[^<]|<(?!\/style))*<\/style>|<script [^<>]*><\/script>/y;
const HINT = /^<link [^<>]*?\brel="(preload|modulepreload|preconnect|dns-prefetch)"/;
const REPLAY = '<script>addEventListener("submit",';
const MAX_HINTS = 20;

/** @type {(link: string, name: string) => string | undefined} */
const attribute = (link, name) => new RegExp(` ${name}="([^"]*)"`, "i").exec(link)?.[1];

/** Whether the HTML names what is preloaded: a browser finds it there as early. */
/** @type {(link: string, html: string) => boolean} */
const isNamed = (link, html) =>
  ["href", "imageSrcSet"].some((name) => {
    const value = attribute(link, name);
    return value !== undefined && html.includes(`="${value}"`);
  });

// The page's policy takes scripts, styles and fonts of this site alone.
/** @type {(link: string, rel: string) => void} */
const checkSite = (link, rel) => {
  const as = attribute(link, "as") ?? "";
  const href = attribute(link, "href") ?? "";
  const guarded = rel === "modulepreload" || ["script", "style", "font"].includes(as);
  if (guarded && !/^\/(?![/\\])/.test(href))
    throw new Error(`it preloads ${href} (${as || "module"}), which the page's policy refuses`);
};

/**
 * The HTML without what React puts around it, and the hints as elements for a page's head.
 * @type {(html: string) => {html: string, hints: string}}
 */
export const withoutHints = (html) => {
  if (html.endsWith("</script>")) {
    const at = html.lastIndexOf(REPLAY);
    if (at !== -1) html = html.slice(0, at);
  }
  if (!/^<(?:link|style|script) /.test(html)) return { html, hints: "" };
  let kept = "";
  const links = [];
  let at = 0;
  while (true) {
    ELEMENT.lastIndex = at;
    const found = ELEMENT.exec(html);
    if (found === null) break;
    at += found[0].length;
    const rel = HINT.exec(found[0])?.[1];
    if (rel === undefined) kept += found[0];
    else {
      if (rel.endsWith("preload")) checkSite(found[0], rel);
      links.push(found[0]);
    }
  }
  const rest = kept + html.slice(at);
  const hints = links.filter((link) => !/ as="image"/.test(link) || !isNamed(link, rest));
  return { html: rest, hints: hints.slice(0, MAX_HINTS).join("") };
};
