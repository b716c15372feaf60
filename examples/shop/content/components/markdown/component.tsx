/** `body` is Markdown in a page; here it is the HTML that was made of it. */
export default function Markdown({ body }: { body: { __html: string } }) {
  return <div className="markdown" dangerouslySetInnerHTML={body} />;
}
