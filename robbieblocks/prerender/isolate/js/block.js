// What the block that is being rendered has done so far.

export const block = {
  /** It has state, effects, refs or event handlers: the browser must hydrate it. */
  interactive: false,
  /** Rendering it in the browser gives something else: it is rendered there again. */
  rerender: false,
  /** The browser's object that it read last, such as "window". */
  browserName: "",
  /** Why it can't be rendered at once, "" where it can. */
  asyncReason: "",
  /** How many packages are being loaded: they may read the clock meanwhile. */
  loading: 0,
};

/** Forget the block before. */
export const resetBlock = () => {
  block.interactive = false;
  block.rerender = false;
  block.browserName = "";
  block.asyncReason = "";
  block.loading = 0;
};

/** Note that the block has read something that differs in the browser. */
export const readVarying = () => {
  if (block.loading === 0) block.rerender = true;
};
