import { useState } from "react";
import { addDays, differenceInCalendarDays, eachDayOfInterval, format, formatDistance, isWeekend, parseISO } from "date-fns";

export default function DateRange({ start = "2026-03-02", nights = 3 }: { start?: string; nights?: number }) {
  const [from, setFrom] = useState(start);
  const [count, setCount] = useState(nights);
  const first = parseISO(from);
  const last = addDays(first, count);
  const days = eachDayOfInterval({ start: first, end: last });
  return (
    <div>
      <label>From <input type="date" value={from} onChange={(e) => e.target.value && setFrom(e.target.value)} /></label>
      <label>Nights <input type="number" min={1} max={14} value={count} onChange={(e) => setCount(Number(e.target.value) || 1)} /></label>
      <p className="stay">{format(first, "EEE d MMM")} to {format(last, "EEE d MMM yyyy")}: {differenceInCalendarDays(last, first)} nights, {formatDistance(first, last)}</p>
      <ol className="flex gap-1">{days.map((d) => <li key={d.toISOString()} className={isWeekend(d) ? "font-bold" : undefined}>{format(d, "d")}</li>)}</ol>
    </div>
  );
}
