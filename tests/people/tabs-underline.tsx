import { useId, useState, type KeyboardEvent, type ReactNode } from "react";
import { motion } from "framer-motion";

type Tab = { label: string; content: ReactNode };
const TABS = [
  { label: "Account", content: <p>Change your name here.</p> },
  { label: "Password", content: <p>Choose a new password.</p> },
  { label: "Billing", content: <p>See your invoices.</p> },
] satisfies Tab[];

function TabsUnderline() {
  const [active, setActive] = useState(0);
  const base = useId();
  function onKeyDown(e: KeyboardEvent<HTMLDivElement>) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const next = (active + step + TABS.length) % TABS.length;
    setActive(next);
    document.getElementById(`${base}-tab-${next}`)?.focus();
  }
  return (
    <div className="w-full max-w-md">
      <div role="tablist" aria-label="Settings" onKeyDown={onKeyDown} className="flex border-b border-border">
        {TABS.map((tab, i) => (
          <button
            key={tab.label}
            id={`${base}-tab-${i}`}
            role="tab"
            aria-selected={i === active}
            aria-controls={`${base}-panel-${i}`}
            tabIndex={i === active ? 0 : -1}
            onClick={() => setActive(i)}
            className="relative px-4 py-2 text-sm"
          >
            {tab.label}
            {i === active && <motion.span layoutId="underline" className="absolute inset-x-0 -bottom-px h-0.5 bg-primary" />}
          </button>
        ))}
      </div>
      {TABS.map((tab, i) => (
        <div key={tab.label} role="tabpanel" id={`${base}-panel-${i}`} aria-labelledby={`${base}-tab-${i}`} hidden={i !== active} className="p-4">
          {tab.content}
        </div>
      ))}
    </div>
  );
}

export default TabsUnderline;
