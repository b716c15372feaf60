(() => {
  const root = document.documentElement;
  const { when, title, built } = JSON.parse(document.getElementById("rb-visitor").textContent);
  const query = new URLSearchParams(location.search);
  const holds = ([name, wanted]) => {
    const value = query.get(name);
    return wanted === true ? value !== null : wanted === false ? value === null : wanted.includes(value);
  };
  const held = when.flatMap((each, index) => (holds(each) ? [`q${index}`] : []));
  if (held.length > 0) root.dataset.rbWhen = held.join(" ");
  if (title) {
    const filled = title.replace(
      /\{\{\{\{|\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*(?:\|([^{}]*))?\}\}/g,
      (_, name, fallback = "") => (name ? query.get(name) || fallback.trim() : "{{"),
    );
    // A node may have written its name beside the title, in which the title may stand again.
    const element = document.querySelector("title");
    const shown = element.textContent;
    const at = Number(element.dataset.rbAt);
    document.title = shown.slice(0, at) + filled + shown.slice(at + built.length);
  }
})();
