import { useMemo, useState } from "react";

type Key<T> = Extract<keyof T, string>;
interface ColumnDef<T> { key: Key<T>; header: string; render?: (row: T) => React.ReactNode }

function DataTable<T extends { id: number }>({ rows, columns }: { rows: T[]; columns: ColumnDef<T>[] }) {
  const [sort, setSort] = useState<{ key: Key<T>; dir: 1 | -1 } | null>(null);
  const [filter, setFilter] = useState("");
  const visible = useMemo(() => {
    const kept = rows.filter((r) => JSON.stringify(r).toLowerCase().includes(filter.toLowerCase()));
    return sort ? [...kept].sort((a, b) => (a[sort.key] > b[sort.key] ? 1 : -1) * sort.dir) : kept;
  }, [rows, sort, filter]);
  return (
    <div>
      <input placeholder="Filter…" aria-label="Filter" value={filter} onChange={(e) => setFilter(e.target.value)} />
      <table>
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c.key} aria-sort={sort?.key === c.key ? (sort.dir === 1 ? "ascending" : "descending") : "none"}>
                <button onClick={() => setSort((s) => ({ key: c.key, dir: s?.key === c.key && s.dir === 1 ? -1 : 1 }))}>{c.header}</button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {visible.map((row) => <tr key={row.id}>{columns.map((c) => <td key={c.key}>{c.render ? c.render(row) : String(row[c.key])}</td>)}</tr>)}
        </tbody>
      </table>
    </div>
  );
}

const people = [
  { id: 1, name: "Grace", age: 45 },
  { id: 2, name: "Alan", age: 41 },
  { id: 3, name: "Katherine", age: 52 },
];

export default function PeopleTable() {
  return <DataTable rows={people} columns={[{ key: "name", header: "Name" }, { key: "age", header: "Age", render: (p) => <b>{p.age}</b> }]} />;
}
