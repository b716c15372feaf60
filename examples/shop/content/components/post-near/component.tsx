import type { Props } from "@robbieblocks/post-near/props";

export default function PostNear({ newer, older }: Props) {
  return (
    <nav className="post-near" aria-label="Other posts">
      {newer.map((post) => (
        <a key={post.route} href={post.route} rel="prev">
          <span>Newer</span> {post.title}
        </a>
      ))}
      {older.map((post) => (
        <a key={post.route} href={post.route} rel="next">
          <span>Older</span> {post.title}
        </a>
      ))}
    </nav>
  );
}
