// Hears what the server tells.

/**
 * Calls `told` with each state that the server tells at an address, and `opened` before the first.
 * A browser keeps few connections to a server: a tab that nobody sees needs none.
 * @type {(address: string, told: (state: any) => void, opened?: () => void) => void}
 */
export const listen = (address, told, opened = () => {}) => {
  /** @type {EventSource | null} */
  let events = null;
  const look = () => {
    if (document.hidden) {
      events?.close();
      events = null;
    } else if (events === null) {
      events = new EventSource(address);
      events.addEventListener("open", opened);
      events.addEventListener("message", (event) => told(JSON.parse(event.data)));
    }
  };
  document.addEventListener("visibilitychange", look);
  look();
};
