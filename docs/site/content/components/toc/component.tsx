export default function Toc({ links }: { links: { href: string; title: string }[] }) {
  return (
    <nav className="toc" aria-label="On this page">
      <p>On this page</p>
      <ul>
        {links.map(({ href, title }) => (
          <li key={href}>
            <a href={href}>{title}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
