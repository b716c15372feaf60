// Before a page's scripts: what differs from one visit to the next is the same each time. The clock
// is Playwright's.

{
  // mulberry32
  const SEED = 0x9e3779b9;
  let seed = SEED;
  // A picture of the whole page alters the window for a moment, each time: what a page draws anew
  // for that is the same too.
  const reseed = () => {
    seed = SEED;
  };
  addEventListener("resize", reseed, { capture: true });
  const random32 = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  Math.random = () => random32() / 4294967296;

  /** @type {(view: ArrayBufferView) => ArrayBufferView} */
  const getRandomValues = (view) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = random32();
    return view;
  };
  const randomUUID = () =>
    "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => (random32() & 15).toString(16));
  Object.assign(Crypto.prototype, { getRandomValues, randomUUID });
}
