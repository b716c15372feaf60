import { useState } from "react";

interface WelcomeProps {
  title: string;
  text?: string;
}

export default function Welcome({ title, text }: WelcomeProps) {
  const [count, setCount] = useState(0);
  return (
    <section className="welcome">
      <h1>{title}</h1>
      {text && <p>{text}</p>}
      <button type="button" onClick={() => setCount(count + 1)}>
        Counted to {count}
      </button>
    </section>
  );
}
