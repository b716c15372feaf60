interface Stream {
  name: string;
  values: number[];
}

interface MoneyProps {
  title: string;
  currency: string;
  months: string[];
  streams: Stream[];
  costs: number[];
  note?: string;
}

const spans = [3, 6, 12];

/** 1234567.8 -> "1,234,568": the same on every machine, which no locale promises. */
function grouped(amount: number): string {
  return String(Math.round(Math.abs(amount))).replace(/\B(?=(\d{3})+$)/g, ",");
}

function money(amount: number, currency: string): string {
  return `${amount < 0 ? "−" : ""}${currency}${grouped(amount)}`;
}

/** A part of a whole as a whole percentage, with a minus that is one. */
function percent(part: number, whole: number): string {
  const share = whole === 0 ? 0 : Math.round((part / whole) * 100);
  return `${share < 0 ? "−" : ""}${Math.abs(share)}%`;
}

function change(now: number, before: number): string {
  if (before === 0) return "new";
  return `${now < before ? "" : "+"}${percent(now - before, before)}`;
}

function total(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Round values from nothing to above the highest: four or five steps. */
function ticks(highest: number): number[] {
  const rough = Math.max(1, highest) / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 5].find((each) => each * size >= rough) ?? 10);
  return Array.from({ length: Math.ceil(highest / step) + 1 }, (_, index) => index * step);
}

function short(amount: number, currency: string): string {
  return amount >= 1000 ? `${currency}${grouped(amount / 1000)}k` : `${currency}${grouped(amount)}`;
}

function path(values: number[], top: number, width: number, height: number): string {
  const step = width / Math.max(1, values.length - 1);
  const spot = (value: number, index: number) => `${(index * step).toFixed(1)} ${(height - (value / top) * height).toFixed(1)}`;
  return `M${values.map(spot).join("L")}`;
}

const MoneyDashboard: React.FC<MoneyProps> = ({ title, currency, months, streams, costs, note }) => {
  const [span, setSpan] = React.useState(Math.min(6, months.length));
  const [chosen, setChosen] = React.useState("all");
  const id = React.useId();

  const shown = chosen === "all" ? streams : streams.filter((stream) => stream.name === chosen);
  const income = months.map((_, month) => total(shown.map((stream) => stream.values[month] ?? 0)));
  const spent = months.map((_, month) => costs[month] ?? 0);
  const recent = income.slice(-span);
  const recentSpent = spent.slice(-span);
  const labels = months.slice(-span);
  const scale = ticks(Math.max(1, ...recent, ...recentSpent));
  const top = scale[scale.length - 1];
  const before = income.slice(-2 * span, -span);
  const earned = total(recent);
  const paid = total(recentSpent);
  const best = recent.indexOf(Math.max(...recent));

  const figures = [
    { label: "Came in", value: money(earned, currency), more: before.length === span ? `${change(earned, total(before))} on the ${span} before` : `over ${span} months` },
    { label: "Went out", value: money(paid, currency), more: `${money(paid / span, currency)} a month` },
    { label: chosen === "all" ? "Kept" : "Against all costs", value: money(earned - paid, currency), more: chosen === "all" ? `${percent(earned - paid, earned)} of what came in` : `it carries ${percent(earned, paid)} of them`, tone: earned >= paid ? "good" : "bad" },
    { label: "Best month", value: labels[best] ?? "–", more: money(recent[best] ?? 0, currency) },
  ];

  return (
    <section className="money" aria-labelledby={`${id}-title`} data-span="full">
      <header className="money-head">
        <h2 id={`${id}-title`}>{title}</h2>
        <div className="money-tools">
          <label htmlFor={`${id}-stream`} className="rb-unseen">Stream</label>
          <select id={`${id}-stream`} value={chosen} onChange={(event) => setChosen(event.target.value)}>
            <option value="all">All streams</option>
            {streams.map((stream) => <option key={stream.name}>{stream.name}</option>)}
          </select>
          <div className="money-spans" role="group" aria-label="Months shown">
            {spans.filter((each) => each <= months.length).map((each) => (
              <button key={each} type="button" aria-pressed={each === span} onClick={() => setSpan(each)}>
                {each}
              </button>
            ))}
            <span>months</span>
          </div>
        </div>
      </header>

      <dl className="money-figures" aria-live="polite">
        {figures.map((figure) => (
          <div key={figure.label} className="money-figure" data-tone={figure.tone}>
            <dt>{figure.label}</dt>
            <dd className="money-value">{figure.value}</dd>
            <dd className="money-more">{figure.more}</dd>
          </div>
        ))}
      </dl>

      <figure className="money-chart">
        <div className="money-axis" aria-hidden="true">
          {scale.map((tick) => (
            <span key={tick} style={{ insetBlockEnd: `${(tick / top) * 100}%` }}>
              {short(tick, currency)}
            </span>
          ))}
        </div>
        <svg viewBox="0 0 600 160" preserveAspectRatio="none" role="img" aria-label={`Income and costs of the last ${span} months; the table below has the numbers`}>
          <path className="money-line-grid" d={scale.map((tick) => `M0 ${(160 - (tick / top) * 160).toFixed(1)}H600`).join("")} />
          <path className="money-area" d={`${path(recent, top, 600, 160)}L600 160L0 160Z`} />
          <path className="money-line-in" d={path(recent, top, 600, 160)} />
          <path className="money-line-out" d={path(recentSpent, top, 600, 160)} />
        </svg>
        <div className="money-months" aria-hidden="true">
          {labels.map((label, index) => <span key={index}>{label}</span>)}
        </div>
        <figcaption>
          <span className="money-key" data-line="in">Income</span>
          <span className="money-key" data-line="out">Costs</span>
        </figcaption>
      </figure>

      <details className="money-table">
        <summary>The same as numbers</summary>
        <div className="money-scroll" tabIndex={0} role="region" aria-label="Monthly numbers">
          <table>
            <thead>
              <tr><th scope="col">Month</th><th scope="col">Income</th><th scope="col">Costs</th><th scope="col">Kept</th></tr>
            </thead>
            <tbody>
              {labels.map((label, index) => (
                <tr key={index}>
                  <th scope="row">{label}</th>
                  <td>{money(recent[index], currency)}</td>
                  <td>{money(recentSpent[index], currency)}</td>
                  <td>{money(recent[index] - recentSpent[index], currency)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
      {note && <p className="money-note">{note}</p>}
    </section>
  );
};
