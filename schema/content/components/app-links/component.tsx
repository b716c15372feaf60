type AppLink = { label: string; href: string; blurb: string; mark: string };

export default function AppLinks({ heading, links }: { heading: string; links: AppLink[] }) {
  return (
    <nav className="grid gap-md" aria-label={heading} data-span="full">
      <h2>{heading}</h2>
      <ul className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,17rem),1fr))] gap-md">
        {links.map((link) => (
          <li key={link.href} className="grid">
            <a
              href={link.href}
              className="group grid grid-cols-[2.75rem_1fr] content-start items-baseline gap-x-sm border-t-2 border-border-strong py-md text-text no-underline transition-colors hover:border-primary hover:bg-primary-soft"
            >
              <span
                aria-hidden="true"
                className="row-span-2 font-heading text-xl font-semibold text-accent"
              >
                {link.mark}
              </span>
              <span className="font-heading text-lg font-semibold text-heading">{link.label}</span>
              <span className="text-sm text-text-muted">{link.blurb}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
