const quotes = [
  { text: "Simplicity is prerequisite for reliability.", by: "E. W. D." },
  { text: "Make it work, then make it right.", by: "K. B." },
  { text: "Premature optimization is the root of all evil.", by: "D. K." },
];

export default () => {
  const pick = quotes[Math.floor(Math.random() * quotes.length)];
  return (
    <figure className="border-l-4 border-accent pl-4 italic">
      <blockquote>“{pick.text}”</blockquote>
      <figcaption className="mt-1 text-sm text-text-muted not-italic">— {pick.by}</figcaption>
    </figure>
  );
};
