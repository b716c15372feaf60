<section className="grid content-start gap-lg rounded-lg border border-border bg-surface p-lg shadow-panel" aria-labelledby="daily-brief-title">
  <header className="grid gap-xs">
    <p className="rb-eyebrow">{props.eyebrow}</p>
    <h2 id="daily-brief-title">{props.greeting}</h2>
    <p className="text-text-muted">{props.summary}</p>
  </header>
  <ol className="grid gap-md">
    {props.items.map((item) => (
      <li key={item.title} className="grid grid-cols-[4.25rem_1fr] items-baseline gap-x-md border-t border-border pt-md">
        <span className="font-mono text-sm text-accent">{item.when}</span>
        <span className="grid gap-xs">
          <strong className="font-semibold text-heading">{item.title}</strong>
          {item.note && <span className="text-sm text-text-muted">{item.note}</span>}
        </span>
      </li>
    ))}
  </ol>
  {props.closing && <p className="rounded-md bg-accent-soft px-md py-sm text-sm text-text">{props.closing}</p>}
</section>
