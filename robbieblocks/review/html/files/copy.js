// In a page's copy: both sides are scrolled together.

let told = -1;

addEventListener("scroll", () => {
  const top = Math.round(scrollY);
  if (top !== told) {
    told = top;
    parent.postMessage(top, "*");
  }
});

addEventListener("message", ({ data, source }) => {
  if (source === parent && parent !== window && typeof data === "number") {
    told = Math.min(data, document.documentElement.scrollHeight - innerHeight);
    scrollTo({ top: told, behavior: "instant" });
  }
});
