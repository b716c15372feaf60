// Loads scripts of other sites once the visitor agrees to them, and remembers the answer.
(() => {
  const KEY = "rb-consent";
  const root = document.documentElement;
  const { scripts, texts } = JSON.parse(document.getElementById(KEY)?.textContent ?? "{}");
  /** @type {string[]} */
  const categories = [...new Set(scripts.map((/** @type {any} */ { category }) => category))];
  const trusted = /** @type {any} */ (window).trustedTypes?.createPolicy(KEY, {
    createScriptURL: (/** @type {string} */ url) => url,
  });
  /** @type {Set<string>} */
  const loaded = new Set();
  /** @type {HTMLElement | null} */
  let banner = null;
  /** @type {Element | null} */
  let opener = null;

  // A browser may refuse storage: then it is asked on each page.
  /** @type {() => Record<string, boolean>} */
  const remembered = () => {
    try {
      const found = JSON.parse(localStorage.getItem(KEY) ?? "{}");
      return found !== null && typeof found === "object" ? found : {};
    } catch {
      return {};
    }
  };
  /** @type {(answers: object) => void} */
  const remember = (answers) => {
    try {
      localStorage.setItem(KEY, JSON.stringify(answers));
    } catch {}
  };

  /** @type {Record<string, boolean>} */
  let answers = remembered();
  const isAnswered = () => categories.every((each) => typeof answers[each] === "boolean");

  const load = () => {
    for (const { category, src, integrity, async, data } of scripts) {
      if (answers[category] !== true || loaded.has(src)) continue;
      loaded.add(src);
      const script = document.createElement("script");
      script.async = async;
      if (integrity) {
        script.integrity = integrity;
        script.crossOrigin = "anonymous";
      }
      for (const [name, value] of Object.entries(data)) script.setAttribute(`data-${name}`, value);
      script.src = trusted ? trusted.createScriptURL(src) : src;
      document.head.append(script);
    }
  };

  // What has the keyboard is scrolled to where the banner does not cover it; the page's end, too.
  const makeRoom = () => {
    const height = banner ? `${banner.offsetHeight}px` : "";
    root.style.scrollPaddingBottom = height;
    document.body.style.paddingBottom = height;
  };
  const resized = new ResizeObserver(makeRoom);

  const close = () => {
    if (!banner) return;
    banner.remove();
    banner = null;
    resized.disconnect();
    makeRoom();
    if (opener instanceof HTMLElement) opener.focus();
    opener = null;
  };

  /** @type {(given: Record<string, boolean>) => void} */
  const answer = (given) => {
    const before = answers;
    answers = { ...remembered(), ...given };
    remember(answers);
    root.dataset.rbConsent = isAnswered() ? "answered" : "asking";
    if (isAnswered()) close();
    document.dispatchEvent(new CustomEvent("rb:consented", { detail: { ...answers } }));
    const withdrawn = categories.some((each) => before[each] === true && !answers[each]);
    // What runs can't be taken out of a page.
    if (withdrawn && loaded.size > 0) location.reload();
    else load();
  };
  /** @type {(agreed: boolean) => void} */
  const answerAll = (agreed) =>
    answer(Object.fromEntries(categories.map((each) => [each, agreed])));

  const ask = () => {
    root.dataset.rbConsent = "asking";
    if (banner || document.querySelector("[data-consent-banner]")) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`@layer base {
      .rb-consent { position: fixed; inset: auto 0 0 0; z-index: 2147483000; display: flex; flex-wrap: wrap;
        gap: 0.75rem 1.5rem; align-items: center; justify-content: center; padding: 1rem; box-sizing: border-box;
        max-height: 100%; overflow: auto; font: inherit; line-height: 1.5; color: var(--color-text, CanvasText);
        background: var(--color-surface-raised, var(--color-surface, Canvas));
        border-top: 1px solid var(--color-border-strong, currentColor); }
      .rb-consent p { margin: 0; max-width: 60ch; }
      .rb-consent div { display: flex; gap: 0.75rem; }
      .rb-consent button { min-height: 2.75rem; padding: 0.5rem 1.25rem; font: inherit; font-weight: 600;
        color: inherit; background: transparent; border: 2px solid currentColor; border-radius: 0.375rem; cursor: pointer; }
      .rb-consent button:focus-visible { outline: 3px solid var(--color-focus, Highlight); outline-offset: 2px; }
      @media print { .rb-consent { display: none; } } }`);
    document.adoptedStyleSheets.push(sheet);
    banner = document.createElement("section");
    banner.className = "rb-consent";
    // The words that nobody gave are English, whatever the page's language is.
    if (!texts.text) banner.lang = "en";
    const text = document.createElement("p");
    text.id = "rb-consent-text";
    text.textContent =
      texts.text ||
      `This site would like to load scripts of other sites, for ${categories.join(", ")}.`;
    banner.setAttribute("aria-labelledby", text.id);
    const buttons = document.createElement("div");
    for (const [act, words] of [
      ["decline", texts.decline || "Decline"],
      ["accept", texts.accept || "Allow"],
    ]) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.consent = act;
      button.textContent = words;
      buttons.append(button);
    }
    banner.append(text, buttons);
    // Whoever has answered before may leave it at that.
    banner.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || !isAnswered()) return;
      root.dataset.rbConsent = "answered";
      close();
    });
    const skip = document.querySelector(".rb-skip");
    if (skip) skip.after(banner);
    else document.body.prepend(banner);
    resized.observe(banner);
  };

  document.addEventListener("click", ({ target }) => {
    const element = target instanceof Element ? target.closest("[data-consent]") : null;
    if (!(element instanceof HTMLElement)) return;
    switch (element.dataset.consent) {
      case "accept":
        return answerAll(true);
      case "decline":
        return answerAll(false);
      case "ask":
        ask();
        opener = element;
        banner?.querySelector("button")?.focus();
    }
  });
  document.addEventListener("rb:consent", (event) => {
    const given = event instanceof CustomEvent ? event.detail : null;
    if (given !== null && typeof given === "object")
      answer(
        Object.fromEntries(
          categories.flatMap((each) =>
            typeof given[each] === "boolean" ? [[each, given[each]]] : [],
          ),
        ),
      );
  });
  window.addEventListener("storage", ({ key }) => {
    if (key === KEY) answer({});
  });

  root.dataset.rbConsent = "answered";
  if (!isAnswered()) ask();
  load();
})();
