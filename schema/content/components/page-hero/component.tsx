type Action = { label: string; href: string; primary?: boolean };
type Art = "cards" | "doors" | "rows";

type PageHeroProps = {
  eyebrow?: string;
  title: string;
  lead?: string;
  actions: Action[];
  art?: Art;
};

const HEART = "M0 8C-4 2-14-1-14-9c0-5 3-8 7-8 3 0 6 2 7 5 1-3 4-5 7-5 4 0 7 3 7 8C14-1 4 2 0 8z";
const SPADE = "M0-18C4-10 14-7 14 1c0 5-3 7-6 7-3 0-5-1-7-4 0 4 1 7 4 9H-5c3-2 4-5 4-9-2 3-4 4-7 4-3 0-6-2-6-7 0-8 10-11 14-19z";

function Card({ turn, rank, suit, red }: { turn: number; rank: string; suit: string; red?: boolean }) {
  return (
    <g transform={`rotate(${turn} 160 300)`} className={red ? "art-card art-red" : "art-card"}>
      <rect x="98" y="30" width="124" height="174" rx="10" />
      <text x="112" y="66">
        {rank}
      </text>
      <path d={suit} transform="translate(160 120) scale(2.1)" />
    </g>
  );
}

function Cards() {
  return (
    <>
      <Card turn={-20} rank="K" suit={HEART} red />
      <Card turn={-2} rank="10" suit={SPADE} />
      <Card turn={16} rank="A" suit={HEART} red />
    </>
  );
}

/** Four doors of one house; behind the open one there is light. */
function Doors() {
  return (
    <>
      <path className="art-line" d="M0 214H320" />
      {[0, 1, 2, 3].map((door) => (
        <g key={door} transform={`translate(${8 + door * 78} 0)`} className={`art-door art-door-${door + 1}`}>
          <path d="M0 214V76a32 32 0 0 1 64 0v138z" />
          {door === 2 ? <path className="art-light" d="M10 214V80a22 22 0 0 1 44 0v134z" /> : <circle cx="52" cy="146" r="4" />}
        </g>
      ))}
      <path className="art-beam" d="M174 214L148 240H246L220 214z" />
    </>
  );
}

/** One row of a table becomes a page. */
function Rows() {
  return (
    <>
      {[0, 1, 2, 3, 4].map((row) => (
        <g key={row} transform={`translate(0 ${30 + row * 38})`} className={row === 2 ? "art-row art-row-new" : "art-row"}>
          <rect width="132" height="28" rx="3" />
          <path d={`M12 14h${20 + ((row * 37) % 24)}M62 14h${28 + ((row * 23) % 30)}`} />
        </g>
      ))}
      <path className="art-arrow" d="M142 120h32m-10-9l10 9-10 9" />
      <g className="art-page">
        <rect x="186" y="30" width="132" height="180" rx="5" />
        <path d="M202 56h62" />
        <path className="art-thin" d="M202 80h98M202 96h84M202 112h98" />
        <rect x="202" y="132" width="100" height="58" rx="3" />
      </g>
    </>
  );
}

const ART = { cards: Cards, doors: Doors, rows: Rows };

export default function PageHero({ eyebrow, title, lead, actions, art }: PageHeroProps) {
  const Drawing = art && ART[art];
  return (
    <section className="hero" data-span="full">
      <div className="hero-words">
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
      </div>
      {Drawing && (
        <svg className="hero-art" viewBox="0 0 320 244" aria-hidden="true">
          <Drawing />
        </svg>
      )}
    </section>
  );
}
