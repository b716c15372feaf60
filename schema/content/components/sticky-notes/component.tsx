import { memo, useEffect, useRef, useState } from "react";
import type { KeyboardEvent } from "react";

type Note = { id: number; text: string; hue: number };

interface StickyNotesProps {
  title: string;
  storageKey: string;
  notes: { text: string; hue?: number }[];
  most: number;
}

const HUES = ["Classic", "Calm", "Urgent", "Cool"];

/** What was kept, or null when nothing was or it is not ours to read. */
function kept(key: string): Note[] | null {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    if (!Array.isArray(stored)) return null;
    return stored
      .filter((note) => typeof note?.text === "string")
      .map((note, id) => ({ id, text: note.text, hue: [1, 2, 3, 4].includes(note.hue) ? note.hue : 1 }));
  } catch {
    return null;
  }
}

function keep(key: string, notes: Note[]) {
  try {
    localStorage.setItem(key, JSON.stringify(notes.map(({ text, hue }) => ({ text, hue }))));
  } catch {
    // A full or forbidden store costs the memory, not the notes on screen.
  }
}

function moved(notes: Note[], from: number, to: number): Note[] {
  const next = notes.slice();
  const [note] = next.splice(from, 1);
  next.splice(to, 0, note);
  return next;
}

function Icon({ path }: { path: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

function StickyNotes({ title, storageKey, notes: initial, most }: StickyNotesProps) {
  const [notes, setNotes] = useState<Note[]>(() =>
    initial.map((note, id) => ({ id, text: note.text, hue: note.hue ?? 1 })),
  );
  const [dragged, setDragged] = useState<number | null>(null);
  const [said, setSaid] = useState("");
  const [fresh, setFresh] = useState<number | null>(null);
  const board = useRef<HTMLUListElement>(null);
  const store = `robbieblocks:${storageKey}`;

  // After hydration, so that the first render equals the prerendered one.
  useEffect(() => {
    const stored = kept(store);
    if (stored) setNotes(stored);
  }, [store]);

  useEffect(() => {
    if (fresh !== null) board.current?.querySelector<HTMLElement>(`[data-note="${fresh}"] textarea`)?.focus();
  }, [fresh]);

  const change = (next: Note[]) => {
    setNotes(next);
    keep(store, next);
  };

  const add = () => {
    const id = Math.max(-1, ...notes.map((note) => note.id)) + 1;
    change([...notes, { id, text: "", hue: (id % 4) + 1 }]);
    setFresh(id);
    setSaid("A new note. Write on it.");
  };

  const patch = (id: number, part: Partial<Note>) =>
    change(notes.map((note) => (note.id === id ? { ...note, ...part } : note)));

  const remove = (index: number) => {
    change(notes.filter((_, at) => at !== index));
    setSaid(`Note ${index + 1} is in the bin. ${notes.length - 1} left.`);
    board.current?.parentElement?.querySelector<HTMLElement>(".notes-add")?.focus();
  };

  const put = (from: number, to: number) => {
    if (to < 0 || to >= notes.length || to === from) return;
    change(moved(notes, from, to));
    setSaid(`Moved to place ${to + 1} of ${notes.length}.`);
  };

  const onKey = (event: KeyboardEvent, index: number) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    put(index, index + step);
  };

  // The window hears the pointer: a note that changes its place in the list would lose its capture.
  useEffect(() => {
    if (dragged === null) return undefined;
    const over = (event: PointerEvent) => {
      const under = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>("[data-note]");
      if (!under || !board.current?.contains(under)) return;
      put(
        notes.findIndex((note) => note.id === dragged),
        notes.findIndex((note) => note.id === Number(under.dataset.note)),
      );
    };
    const drop = () => setDragged(null);
    window.addEventListener("pointermove", over);
    window.addEventListener("pointerup", drop);
    window.addEventListener("pointercancel", drop);
    return () => {
      window.removeEventListener("pointermove", over);
      window.removeEventListener("pointerup", drop);
      window.removeEventListener("pointercancel", drop);
    };
  }, [dragged, notes]);

  return (
    <section className="notes" aria-label={title} data-span="full">
      <header className="notes-head">
        <h2>{title}</h2>
        <button type="button" className="notes-add" onClick={add} disabled={notes.length >= most}>
          <span aria-hidden="true">+</span> Add a note
        </button>
      </header>
      <ul ref={board} className="notes-board">
        {notes.map((note, index) => (
          <li key={note.id} className="note" data-note={note.id} data-hue={note.hue} data-dragged={dragged === note.id}>
            <textarea
              aria-label={`Note ${index + 1}`}
              value={note.text}
              placeholder="Write here"
              maxLength={240}
              rows={3}
              onChange={(event) => patch(note.id, { text: event.target.value })}
            />
            <div className="note-tools">
              <button
                type="button"
                className="note-grip"
                aria-label={`Move note ${index + 1} with the arrow keys`}
                onKeyDown={(event) => onKey(event, index)}
                onPointerDown={() => setDragged(note.id)}
              >
                <Icon path="M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01" />
              </button>
              <button
                type="button"
                aria-label={`Colour of note ${index + 1}: ${HUES[note.hue - 1]}. Next colour`}
                onClick={() => patch(note.id, { hue: (note.hue % 4) + 1 })}
              >
                <Icon path="M12 3a9 9 0 1 0 0 18V3M12 3a9 9 0 0 1 0 18" />
              </button>
              <button type="button" aria-label={`Throw away note ${index + 1}`} onClick={() => remove(index)}>
                <Icon path="M6 6l12 12M18 6L6 18" />
              </button>
            </div>
          </li>
        ))}
      </ul>
      {notes.length === 0 && <p className="notes-empty">Nothing to remember. Suspicious, but pleasant.</p>}
      <p className="notes-foot">Kept in this browser only.</p>
      <p className="rb-unseen" role="status">
        {said}
      </p>
    </section>
  );
}

export default memo(StickyNotes);
