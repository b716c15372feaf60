// Loaded where a visitor reloads a page whose styles are at a fixed address: exchanges them if the
// browser has older ones than there are.

const link = /** @type {HTMLLinkElement} */ (
  document.querySelector('link[rel="stylesheet"][href^="/styles-"]')
);
const address = link.getAttribute("href");
const answer = await fetch(`${address}`, { cache: "no-cache" });
const edition = /--rb-styles:(\w+)/.exec(await answer.text())?.[1];
// Until it is there, the page shows no edition at all.
if (!link.sheet) {
  await new Promise((done) => {
    link.onload = done;
    link.onerror = done;
  });
}
const shown = getComputedStyle(link).getPropertyValue("--rb-styles").trim();
if (edition && edition !== shown) {
  const fresh = /** @type {HTMLLinkElement} */ (link.cloneNode());
  // By the address as it is, the browser would take the one that it shows.
  fresh.href = `${address}.${edition}`;
  fresh.onload = () => link.remove();
  link.after(fresh);
}

export {};
