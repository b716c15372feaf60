const moods = [
  { key: "playful", says: "Playful", eyes: "M7 10h2M14.5 10a1.5 1.5 0 0 1 3 0", mouth: "M8 14.5q4 5 8 0z" },
  { key: "focused", says: "Focused", eyes: "M7 9l2.5 1M17 9l-2.5 1", mouth: "M9 16h6" },
  { key: "cheerful", says: "Cheerful", eyes: "M7 10.5q1.25-2 2.5 0M14.5 10.5q1.25-2 2.5 0", mouth: "M8 14.5q4 4 8 0" },
  { key: "curious", says: "Curious", eyes: "M8.2 9.5v.6M15.8 8v2.6", mouth: "M11 16h2.4" },
  { key: "sleepy", says: "Sleepy", eyes: "M7 10.5h2.6M14.4 10.5H17", mouth: "M10 16q2-1.6 4 0" },
];

const MoodIndicator = ({ mood, prefix }) => {
  const start = Math.max(0, moods.findIndex((each) => each.key === mood));
  const [at, setAt] = React.useState(start);
  const current = moods[at];

  return (
    <button type="button" className="mood" onClick={() => setAt((at + 1) % moods.length)}>
      <svg className="mood-face" viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="10" />
        <path d={current.eyes} />
        <path d={current.mouth} />
      </svg>
      <span aria-live="polite">
        <span className="rb-unseen">{prefix ?? "Mood"}: </span>
        {current.says}
      </span>
      <span className="rb-unseen">. Nudge to change it.</span>
    </button>
  );
};
