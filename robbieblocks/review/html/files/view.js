// The bar of a page's view: where the page after begins, and whether what differs is outlined.

const sides = [...document.querySelectorAll("iframe")];

document.getElementById("cut")?.addEventListener("input", (event) => {
  const range = /** @type {HTMLInputElement} */ (event.target);
  document.body.style.setProperty("--cut", `${range.value}%`);
});

document.getElementById("outline")?.addEventListener("change", (event) => {
  const box = /** @type {HTMLInputElement} */ (event.target);
  document.body.classList.toggle("plain", !box.checked);
  for (const frame of sides) {
    frame.src = frame.src.replace(/#.*$/, "") + (box.checked ? "#rb-changed" : "#");
  }
});

addEventListener("message", ({ data, source }) => {
  for (const frame of sides) {
    if (frame.contentWindow !== source && typeof data === "number") {
      frame.contentWindow?.postMessage(data, "*");
    }
  }
});
