// Scrolls through the page, as far as pictures go, so that what waits to be seen begins; then waits
// for what it loads, and ends what moves. Gives the page's height, and the families of fonts that
// could not be loaded.

async (/** @type {number} */ most) => {
  // Frames of the real clock: requestAnimationFrame is that of the one which stands still.
  const frame = () =>
    new Promise((done) => {
      new IntersectionObserver((_, observer) => {
        observer.disconnect();
        done(null);
      }).observe(document.documentElement);
    });
  // Where a picture has them: at their end, and at their beginning where they have none. What turns
  // or grows counts in the page's height, which would be another at each moment.
  const end = (/** @type {Document | ShadowRoot} */ tree) => {
    for (const animation of tree.getAnimations()) {
      if (!animation.effect || animation.playbackRate === 0) continue;
      // That of an animation which follows scrolling is no number.
      if (Number.isFinite(animation.effect.getComputedTiming().endTime)) animation.finish();
      else animation.cancel();
    }
    for (const element of tree.querySelectorAll("*")) {
      if (element.shadowRoot) end(element.shadowRoot);
    }
  };
  const root = document.scrollingElement ?? document.documentElement;
  for (let top = 0; top < Math.min(root.scrollHeight, most); top += innerHeight) {
    scrollTo({ top, behavior: "instant" });
    await frame();
  }
  scrollTo({ top: 0, behavior: "instant" });
  await document.fonts.ready;
  for (const image of document.images) {
    image.loading = "eager";
    // One that can't be loaded is shown as that.
    await image.decode().catch(() => {});
  }
  await frame();
  end(document);
  const failed = [...document.fonts].filter((font) => font.status === "error");
  return [root.scrollHeight, failed.map((font) => font.family)];
};
