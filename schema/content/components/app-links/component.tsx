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
              className="group grid grid-cols-[auto_1fr] items-center gap-x-md gap-y-xs rounded-lg border border-border bg-surface p-lg text-text no-underline shadow-panel transition-colors hover:border-primary hover:bg-primary-soft"
            >
              <span
                aria-hidden="true"
                className="row-span-2 grid size-12 place-items-center rounded-md bg-accent-soft font-mono text-xl text-accent"
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
