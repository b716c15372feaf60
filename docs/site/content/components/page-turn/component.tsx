interface Link {
  href: string;
  title: string;
}

export default function PageTurn({ before, next }: { before?: Link; next?: Link }) {
  return (
    <nav className="turn" aria-label="Before and next">
      {before && (
        <a href={before.href} rel="prev">
          ← {before.title}
        </a>
      )}
      {next && (
        <a href={next.href} rel="next">
          {next.title} →
        </a>
      )}
    </nav>
  );
}
