// The client's own place on the page: a shadow root, which the page's styles do not reach.

const STYLES = `
  :host { all: initial; position: static; }
  * { box-sizing: border-box; }
  .bar, .overlay { font: 13px/1.4 system-ui, sans-serif; color: #f4f4f5; background: #18181b; }
  .bar { position: fixed; right: 12px; bottom: 12px; z-index: 2147483646; display: flex;
    flex-wrap: wrap; gap: 6px 12px; align-items: center; max-width: calc(100vw - 24px);
    padding: 6px 10px; border: 1px solid #52525b; border-radius: 8px; }
  .bar.closed > :not(.toggle, .state) { display: none; }
  .overlay { position: fixed; inset: auto 12px 64px 12px; max-height: 70vh; overflow: auto;
    z-index: 2147483645; padding: 12px 16px; border: 2px solid #f87171; border-radius: 8px; }
  .overlay[hidden] { display: none; }
  h2 { margin: 0 32px 8px 0; font-size: 15px; color: #fca5a5; }
  p { margin: 0 0 8px; overflow-wrap: anywhere; }
  p:empty { display: none; }
  pre { margin: 0 0 12px; font: 12px/1.5 ui-monospace, monospace; white-space: pre-wrap;
    overflow-wrap: anywhere; }
  .close { position: absolute; top: 8px; right: 8px; }
  button, select, input, a { font: inherit; color: inherit; }
  button, select, input[type="datetime-local"] { background: #27272a; border: 1px solid #71717a;
    border-radius: 4px; padding: 1px 6px; color-scheme: dark; }
  label { display: inline-flex; gap: 4px; align-items: center; }
  .state.wrong { background: #7f1d1d; }
  .frame { position: fixed; inset: 0; width: 100%; height: 100%; margin: auto; border: 0;
    background: #fff; }
`;

const host = document.createElement("rb-dev");
/** @type {ShadowRoot} */
export const root = host.attachShadow({ mode: "open" });
const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLES);
root.adoptedStyleSheets = [sheet];
// Outside of the body, which is the page's.
document.documentElement.append(host);
