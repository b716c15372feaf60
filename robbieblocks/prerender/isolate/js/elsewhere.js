// Takes the place of here.js to show what differs for another visitor: nothing published is made so.

export const NOW = Date.UTC(2031, 7, 19, 17, 42, 23);
export const LOCALE = "de-AT";
export const SEED = [0x85a308d3, 0x13198a2e, 0x03707344, 7];
