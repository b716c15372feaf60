// What components find instead of the visitor's clock, locale and randomness.

export const NOW = Date.UTC(2025, 0, 1);
export const LOCALE = "en-US";
export const SEED = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
