import { useEffect, useRef, useState } from "react";
import type { FC, FormEvent } from "react";

type Line = { id: number; from: "robbie" | "you"; text: string };
type Answer = { when: string[]; say: string };

interface ChatProps {
  title: string;
  note: string;
  opening: string;
  answers: Answer[];
  fallbacks: string[];
  suggestions: string[];
  placeholder: string;
}

function reply(said: string, turn: number, answers: Answer[], fallbacks: string[]): string {
  const words = said.toLowerCase();
  const known = answers.find((answer) => answer.when.some((word) => words.includes(word)));
  return known ? known.say : fallbacks[turn % fallbacks.length];
}

export const ChatInterface: FC<ChatProps> = (props) => {
  const { title, note, opening, answers, fallbacks, suggestions, placeholder } = props;
  const [lines, setLines] = useState<Line[]>([{ id: 0, from: "robbie", text: opening }]);
  const [draft, setDraft] = useState("");
  const [thinking, setThinking] = useState(false);
  const log = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(() => () => clearTimeout(timer.current), []);

  useEffect(() => {
    if (lines.length > 1) log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [lines, thinking]);

  const say = (text: string) => {
    const said = text.trim();
    if (!said || thinking) return;
    const turn = lines.filter((line) => line.from === "you").length;
    const next = lines.length;
    setLines([...lines, { id: next, from: "you", text: said }]);
    setDraft("");
    setThinking(true);
    timer.current = setTimeout(() => {
      const answer = reply(said, turn, answers, fallbacks);
      setLines((now) => [...now, { id: next + 1, from: "robbie", text: answer }]);
      setThinking(false);
    }, 450);
  };

  const send = (event: FormEvent) => {
    event.preventDefault();
    say(draft);
    field.current?.focus();
  };

  return (
    <section className="chat" aria-label={title}>
      <header className="chat-head">
        <h2>{title}</h2>
        <p>{note}</p>
      </header>
      <div ref={log} className="chat-log" role="log" aria-label="Conversation" aria-live="polite" tabIndex={0}>
        {lines.map((line) => (
          <p key={line.id} className="chat-line" data-from={line.from}>
            <span className="rb-unseen">{line.from === "you" ? "You: " : "Robbie: "}</span>
            {line.text}
          </p>
        ))}
        {thinking && (
          <p className="chat-line chat-thinking" data-from="robbie">
            <span className="rb-unseen">Robbie is typing</span>
            <i aria-hidden="true" />
            <i aria-hidden="true" />
            <i aria-hidden="true" />
          </p>
        )}
      </div>
      <ul className="chat-hints" aria-label="Things to ask">
        {suggestions.map((hint) => (
          <li key={hint}>
            <button type="button" onClick={() => say(hint)}>
              {hint}
            </button>
          </li>
        ))}
      </ul>
      <form className="chat-form" onSubmit={send}>
        <input
          ref={field}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          aria-label="Your message"
          placeholder={placeholder}
          maxLength={280}
          autoComplete="off"
          enterKeyHint="send"
        />
        <button type="submit" data-variant="primary">
          Send
        </button>
      </form>
    </section>
  );
};
