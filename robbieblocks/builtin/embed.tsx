// A map, a film or another page of other people. Nothing of it is loaded before the visitor asks.
import { useEffect, useRef, useState } from "react";

export type EmbedProps = {
  /** What it is, as a heading would say. */
  title: string;
  /** Its address, with https. */
  src: string;
  /** Width to height, such as 16/9. */
  ratio?: string;
  /** The words of the button. */
  button?: string;
  /** What it means to show it. */
  note?: string;
};

export default function Embed({ title, src, ratio = "16/9", button, note }: EmbedProps) {
  const [shown, setShown] = useState(false);
  const frame = useRef<HTMLIFrameElement>(null);
  // The button that had the focus is gone.
  useEffect(() => frame.current?.focus(), [shown]);
  const host = src.replace(/^https:\/\/([^/?#]*).*$/i, "$1");
  const style = { aspectRatio: ratio };
  if (shown)
    return (
      <iframe
        ref={frame}
        className="embed"
        style={style}
        src={src}
        title={title}
        allow="autoplay; encrypted-media; fullscreen; picture-in-picture"
        referrerPolicy="strict-origin"
        sandbox="allow-forms allow-popups allow-popups-to-escape-sandbox allow-presentation allow-same-origin allow-scripts"
      />
    );
  // The words that nobody gave are English, whatever the page's language is.
  return (
    <div className="embed" style={style} role="group" aria-label={title}>
      <p className="embed-title">{title}</p>
      <p className="embed-note" lang={note ? undefined : "en"}>
        {note || "Once it is shown, the site it comes from learns of your visit."}
      </p>
      <button type="button" lang={button ? undefined : "en"} onClick={() => setShown(true)}>
        {button || "Show"}
      </button>
      <a href={src} rel="noreferrer">
        {host}
      </a>
    </div>
  );
}
