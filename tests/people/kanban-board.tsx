import { useState, type DragEvent } from "react";

enum Column { Todo = "todo", Doing = "doing", Done = "done" }

interface Card { id: string; title: string; column: Column }

const titles: Record<Column, string> = { [Column.Todo]: "To do", [Column.Doing]: "Doing", [Column.Done]: "Done" };

export default function KanbanBoard() {
  const [cards, setCards] = useState<Card[]>([
    { id: "c1", title: "Write tests", column: Column.Todo },
    { id: "c2", title: "Fix bugs", column: Column.Doing },
  ]);
  const move = (id: string, column: Column) => setCards((all) => all.map((c) => (c.id === id ? { ...c, column } : c)));
  const drop = (column: Column) => (event: DragEvent) => {
    event.preventDefault();
    move(event.dataTransfer.getData("text/plain"), column);
  };
  return (
    <div className="grid grid-cols-3 gap-4">
      {Object.values(Column).map((column) => (
        <section key={column} aria-label={titles[column]} data-column={column} onDragOver={(e) => e.preventDefault()} onDrop={drop(column)}
          className="min-h-40 rounded-lg bg-surface-sunken p-3">
          <h3 className="mb-2 font-semibold">{titles[column]}</h3>
          {cards.filter((c) => c.column === column).map((c) => (
            <article key={c.id} draggable onDragStart={(e) => e.dataTransfer.setData("text/plain", c.id)}
              className="mb-2 cursor-grab rounded bg-surface p-2 shadow">
              {c.title}
            </article>
          ))}
        </section>
      ))}
    </div>
  );
}
