'use client';

import * as React from 'react';
import { Search } from 'lucide-react';

const COMMANDS = ['Go home', 'Open settings', 'Sign out', 'Toggle theme'] as const;
type Command = (typeof COMMANDS)[number];

export function CommandPalette() {
  const [open, setOpen] = React.useState(false);
  const [query, setQuery] = React.useState('');
  const [ran, setRan] = React.useState<Command>();
  const deferred = React.useDeferredValue(query);
  const found = React.useMemo(() => COMMANDS.filter((c) => c.toLowerCase().includes(deferred.toLowerCase())), [deferred]);

  React.useEffect(() => {
    const down = (e: KeyboardEvent) => {
      if (e.key === 'k' && (e.metaKey || e.ctrlKey)) {
        e.preventDefault();
        setOpen((o) => !o);
      }
    };
    window.addEventListener('keydown', down);
    return () => window.removeEventListener('keydown', down);
  }, []);

  return (
    <div>
      <p className="text-sm">Press <kbd className="rounded border px-1">Ctrl K</kbd>{ran ? <> — ran <b>{ran}</b></> : null}</p>
      {open && (
        <div role="dialog" aria-label="Commands" className="mt-2 w-72 rounded-lg border bg-surface shadow-xl">
          <div className="flex items-center gap-2 border-b px-3">
            <Search size={14} aria-hidden />
            <input autoFocus aria-label="Search commands" value={query} onChange={(e) => setQuery(e.target.value)} className="w-full bg-transparent py-2 outline-none" />
          </div>
          <ul>
            {found.map((c) => (
              <li key={c}>
                <button className="w-full px-3 py-2 text-left hover:bg-surface-sunken" onClick={() => { setRan(c); setOpen(false); setQuery(''); }}>{c}</button>
              </li>
            ))}
            {!found.length && <li className="px-3 py-2">Nothing found</li>}
          </ul>
        </div>
      )}
    </div>
  );
}
