// Runs before React: the two host classes that react-dom/server names while it loads.
globalThis.MessageChannel = class { constructor() { this.port1 = {}; this.port2 = { postMessage() {} }; } };
globalThis.TextEncoder = class { encode() { return new Uint8Array(0); } };
