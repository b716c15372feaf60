import { createElement, type ReactNode } from "react";

/** Text, or an element with its attributes and what is in it. */
type Piece = string | [tag: string, attributes: Record<string, string>, ...children: Piece[]];

const shown = (piece: Piece, key: number): ReactNode => {
  if (typeof piece === "string") return piece;
  const [tag, attributes, ...children] = piece;
  return createElement(tag, { key, ...attributes }, ...children.map(shown));
};

export default function Article({ pieces }: { pieces: Piece[] }) {
  return <article className="article">{pieces.map(shown)}</article>;
}
