import { useState, useTransition, Suspense, lazy, Fragment } from 'react';
import { Check, Copy } from 'lucide-react';
import { AnimatePresence, motion } from 'framer-motion';

const snippet = `const greet = (name: string) => \`Hello, \${name}!\`;
// </script> and <!-- stay text
if (1 < 2 && 3 > 2) greet("you");`;

export default function CopyCode() {
  const [copied, setCopied] = useState(false);
  const [lines, setLines] = useState(false);
  const [pending, startTransition] = useTransition();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(snippet);
    } catch {
      // not allowed here
    } finally {
      setCopied(true);
    }
  };
  return (
    <div className="relative rounded-lg bg-gray-900 p-4 text-gray-100">
      {copied && <style>{`.copied-mark { outline: 2px solid limegreen }`}</style>}
      <pre className="overflow-x-auto text-sm" tabIndex={0}>
        <code>
          {snippet.split('\n').map((line, i) => (
            <Fragment key={i}>{lines && <span className="select-none text-gray-400">{i + 1} </span>}{line}{'\n'}</Fragment>
          ))}
        </code>
      </pre>
      <label><input type="checkbox" checked={lines} onChange={() => startTransition(() => setLines(!lines))} /> Line numbers{pending && '…'}</label>
      <button aria-label={copied ? 'Copied' : 'Copy code'} onClick={copy} className="copied-mark absolute top-2 right-2">
        <AnimatePresence mode="wait" initial={false}>
          <motion.span key={copied ? 'check' : 'copy'} initial={{ opacity: 0 }} animate={{ opacity: 1 }} exit={{ opacity: 0 }}>
            {copied ? <Check size={16} /> : <Copy size={16} />}
          </motion.span>
        </AnimatePresence>
      </button>
    </div>
  );
}
