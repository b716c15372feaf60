import { useSyncExternalStore, useLayoutEffect, useRef, useState, useCallback } from 'react';

function useOnline() {
  return useSyncExternalStore(
    (notify) => {
      window.addEventListener('online', notify);
      window.addEventListener('offline', notify);
      return () => {
        window.removeEventListener('online', notify);
        window.removeEventListener('offline', notify);
      };
    },
    () => navigator.onLine,
    () => true,
  );
}

export default function TickCounter() {
  const online = useOnline();
  const box = useRef<HTMLParagraphElement>(null);
  const [width, setWidth] = useState(0);
  const measure = useCallback(() => setWidth(Math.round(box.current?.getBoundingClientRect().width ?? 0)), []);
  useLayoutEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [measure]);
  return (
    <p ref={box} className="rounded border p-2">
      You are {online ? 'online' : 'offline'}; this box is <b className="width">{width}</b> px wide.
    </p>
  );
}
