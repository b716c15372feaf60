import { useState, useRef } from 'react';
import { motion, AnimatePresence } from 'framer-motion';
import { X } from 'lucide-react';

interface Toast { id: number; text: string }

export const ToastStack: React.FC = () => {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(1);

  const push = () => {
    const id = next.current++;
    setToasts((prev) => [...prev, { id, text: `Saved ${id}` }]);
  };

  return (
    <div className="relative min-h-48 p-4">
      <button className="rounded bg-primary px-4 py-2 text-on-primary" onClick={push}>
        Show toast
      </button>
      <ul className="absolute right-4 bottom-4 space-y-2" aria-live="polite">
        <AnimatePresence mode="popLayout" initial={false}>
          {toasts.map((toast) => (
            <motion.li
              key={toast.id}
              layout
              initial={{ opacity: 0, y: 50, scale: 0.3 }}
              animate={{ opacity: 1, y: 0, scale: 1 }}
              exit={{ opacity: 0, scale: 0.5, transition: { duration: 0.2 } }}
              className="flex items-center gap-2 rounded-lg bg-surface-raised p-3 shadow-lg"
            >
              {toast.text}
              <button aria-label={`Dismiss ${toast.text}`} onClick={() => setToasts((t) => t.filter((x) => x.id !== toast.id))}>
                <X size={16} />
              </button>
            </motion.li>
          ))}
        </AnimatePresence>
      </ul>
    </div>
  );
};
