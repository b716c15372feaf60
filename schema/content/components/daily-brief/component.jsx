<section className="grid content-start gap-md" aria-label={props.greeting}>
  <header className="grid gap-sm">
    <p className="rb-eyebrow">{props.eyebrow}</p>
    <h2>{props.greeting}</h2>
    <p className="text-text-muted">{props.summary}</p>
  </header>
  <ol className="grid border-b border-border-strong">
    {props.items.map((item) => (
      <li key={item.title} className="flex flex-wrap items-baseline gap-x-md border-t border-border-strong py-md">
        <span className="w-[5.5rem] font-heading text-xl font-semibold text-primary tabular-nums whitespace-nowrap">{item.when}</span>
        <span className="grid min-w-0 flex-[1_1_min(100%,10rem)] grid-cols-[minmax(0,1fr)] gap-xs">
          <strong className="text-lg font-semibold text-heading">{item.title}</strong>
          {item.note && <span className="text-text-muted">{item.note}</span>}
        </span>
      </li>
    ))}
  </ol>
  {props.closing && <p className="text-sm text-text-muted">{props.closing}</p>}
</section>
