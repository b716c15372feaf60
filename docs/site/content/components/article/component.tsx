import Markdown from "@robbieblocks/markdown";

type Html = { __html: string };
type Part = { text?: Html; image?: Record<string, string> };

// A block of code, and the one before it that has its caption.
const CODE =
  /(?:<pre tabindex="0"><code class="language-caption">(.*)\n<\/code><\/pre>\n)?(<pre [^]*?<\/pre>)/g;

const framed = ({ __html }: Html): Html => ({
  __html: __html.replace(
    CODE,
    (_, caption: string | undefined, code: string) =>
      `<figure class="code">${caption ? `<figcaption>${caption}</figcaption>` : ""}${code}</figure>`,
  ),
});

export default function Article({ parts }: { parts: Part[] }) {
  return (
    <article className="article">
      {parts.map(({ text, image }, key) =>
        text ? <Markdown key={key} body={framed(text)} /> : <img key={key} {...image} />,
      )}
    </article>
  );
}
