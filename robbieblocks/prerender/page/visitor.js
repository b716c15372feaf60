(() => {
  const root = document.documentElement;
  const { when, title } = JSON.parse(document.getElementById("rb-visitor").textContent);
  const query = new URLSearchParams(location.search);
  const holds = ([name, wanted]) => {
    const value = query.get(name);
    return wanted === true ? value !== null : wanted === false ? value === null : wanted.includes(value);
  };
  const held = when.flatMap((each, index) => (holds(each) ? [`q${index}`] : []));
  if (held.length > 0) root.dataset.rbWhen = held.join(" ");
  if (title) {
    document.title = title.replace(
      /\{\{\{\{|\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*(?:\|([^{}]*))?\}\}/g,
      (_, name, fallback = "") => (name ? query.get(name) || fallback.trim() : "{{"),
    );
  }
})();
