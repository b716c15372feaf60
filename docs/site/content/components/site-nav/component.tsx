interface Group {
  title: string;
  links: { href: string; title: string }[];
}

function Links({ groups, current }: { groups: Group[]; current: string }) {
  return groups.map((group) => (
    <section key={group.title}>
      <p className="group">{group.title}</p>
      <ul>
        {group.links.map(({ href, title }) => (
          <li key={href}>
            <a href={href} aria-current={href === current ? "page" : undefined}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </section>
  ));
}

export default function SiteNav({ groups, current }: { groups: Group[]; current: string }) {
  return (
    <nav className="nav" aria-label="All documents">
      <details className="narrow">
        <summary>All documents</summary>
        <Links groups={groups} current={current} />
      </details>
      <div className="wide">
        <Links groups={groups} current={current} />
      </div>
    </nav>
  );
}
