type Action = { label: string; href: string; primary?: boolean };

type PageHeroProps = {
  eyebrow?: string;
  title: string;
  lead?: string;
  actions: Action[];
};

export default function PageHero({ eyebrow, title, lead, actions }: PageHeroProps) {
  return (
    <section className="hero" data-span="full">
      {eyebrow && <p className="rb-eyebrow">{eyebrow}</p>}
      <h1>{title}</h1>
      {lead && <p className="hero-lead">{lead}</p>}
      {actions.length > 0 && (
        <ul className="hero-actions">
          {actions.map((action) => (
            <li key={action.href}>
              <a className={action.primary ? "hero-action hero-action-first" : "hero-action"} href={action.href}>
                {action.label}
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
