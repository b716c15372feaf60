// Running text: headings with anchors, lists, tables, tasks, footnotes and code.

export type MarkdownProps = {
  /** Markdown in a page; here it is the HTML that was made of it. */
  body: { __html: string };
  /** Whether headings show a link to themselves. */
  anchors?: boolean;
};

export default function Markdown({ body, anchors = true }: MarkdownProps) {
  const name = anchors ? "markdown" : "markdown without-anchors";
  return <div className={name} dangerouslySetInnerHTML={body} />;
}
