import React, { useEffect, useState } from 'react';

function getTimeLeft(target) {
  const diff = new Date(target) - new Date();
  if (diff <= 0) return null;
  return {
    days: Math.floor(diff / (1000 * 60 * 60 * 24)),
    hours: Math.floor((diff / (1000 * 60 * 60)) % 24),
    minutes: Math.floor((diff / 1000 / 60) % 60),
    seconds: Math.floor((diff / 1000) % 60),
  };
}

export default function LaunchCountdown({ target = '2999-12-31T00:00:00Z' }) {
  const [left, setLeft] = useState(getTimeLeft(target));

  useEffect(() => {
    const timer = setTimeout(() => setLeft(getTimeLeft(target)), 1000);
    return () => clearTimeout(timer);
  });

  if (!left) return <p>We are live!</p>;
  return (
    <div className="flex gap-4 font-mono text-3xl" role="timer" aria-label="Time to launch">
      {Object.entries(left).map(([unit, value]) => (
        <div key={unit} className="rounded-lg bg-surface-sunken p-4 text-center">
          <span data-unit={unit}>{String(value).padStart(2, '0')}</span>
          <div className="text-xs uppercase">{unit}</div>
        </div>
      ))}
    </div>
  );
}
