import { create } from "zustand";
import { Reorder, LayoutGroup } from "framer-motion";
import { useEffect, useState, FormEvent } from "react";

type Todo = { id: string; text: string; done: boolean };
type Filter = "all" | "open" | "done";

interface TodoState {
  todos: Todo[];
  filter: Filter;
  add: (text: string) => void;
  toggle: (id: string) => void;
  setFilter: (f: Filter) => void;
  reorder: (todos: Todo[]) => void;
}

const useTodos = create<TodoState>((set) => ({
  todos: [{ id: crypto.randomUUID(), text: "Try the demo", done: false }],
  filter: "all",
  add: (text) => set((s) => ({ todos: [...s.todos, { id: crypto.randomUUID(), text, done: false }] })),
  toggle: (id) => set((s) => ({ todos: s.todos.map((t) => (t.id === id ? { ...t, done: !t.done } : t)) })),
  setFilter: (filter) => set({ filter }),
  reorder: (todos) => set({ todos }),
}));

const matches = (f: Filter) => (t: Todo) => f === "all" || (f === "done") === t.done;

export default function TodoApp() {
  const { todos, filter, add, toggle, setFilter, reorder } = useTodos();
  const [text, setText] = useState("");
  const shown = todos.filter(matches(filter));
  useEffect(() => { document.title = `${todos.filter((t) => !t.done).length} open`; }, [todos]);
  const submit = (e: FormEvent) => { e.preventDefault(); if (text.trim()) { add(text.trim()); setText(""); } };
  return (
    <LayoutGroup>
      <form onSubmit={submit}><input aria-label="New todo" value={text} onChange={(e) => setText(e.target.value)} /></form>
      <Reorder.Group axis="y" values={shown} onReorder={reorder} className="todo">
        {shown.map((t) => (
          <Reorder.Item key={t.id} value={t}>
            <label className={t.done ? "line-through" : ""}><input type="checkbox" checked={t.done} onChange={() => toggle(t.id)} /> {t.text}</label>
          </Reorder.Item>
        ))}
      </Reorder.Group>
      {(["all", "open", "done"] as const).map((f) => <button key={f} aria-pressed={filter === f} onClick={() => setFilter(f)}>{f}</button>)}
    </LayoutGroup>
  );
}
