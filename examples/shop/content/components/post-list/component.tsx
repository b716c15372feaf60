import { day } from "@robbieblocks/shop-words";
import type { Props } from "@robbieblocks/post-list/props";

interface Parts {
  number: number;
  count: number;
  previous: string | null;
  next: string | null;
}

export default function PostList({ title, level, posts, parts }: Props) {
  const Heading = level === 1 ? "h1" : "h2";
  const pages = parts as Parts | null;
  return (
    <section className={pages ? "post-list" : "post-list beside"}>
      {title && <Heading>{title}</Heading>}
      <ol role="list">
        {posts.map((post) => (
          <li key={post.route}>
            <time dateTime={post.published_at}>{day(post.published_at, "en-IE")}</time>
            <a href={post.route}>{post.title}</a>
            <p>{post.description}</p>
            <p className="tags">
              {post.tags.map((tag) => (
                <a key={tag} href={`/shop/journal/tags/${tag}/`}>
                  {tag}
                </a>
              ))}
            </p>
          </li>
        ))}
      </ol>
      {pages && pages.count > 1 && (
        <nav aria-label="Parts of the journal">
          {pages.previous ? (
            <a href={pages.previous} rel="prev">
              Newer
            </a>
          ) : (
            <span>Newer</span>
          )}
          <span>
            {pages.number} of {pages.count}
          </span>
          {pages.next ? (
            <a href={pages.next} rel="next">
              Older
            </a>
          ) : (
            <span>Older</span>
          )}
        </nav>
      )}
    </section>
  );
}
