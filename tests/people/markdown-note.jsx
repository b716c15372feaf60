import { useMemo } from "react";

const escapeHtml = (s) => s.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));

function toHtml(md) {
  return escapeHtml(md)
    .split(/\n{2,}/)
    .map((block) => {
      if (/^#{1,3} /.test(block)) { const n = block.match(/^#+/)[0].length + 1; return `<h${n}>${block.replace(/^#+ /, "")}</h${n}>`; }
      if (/^- /.test(block)) return "<ul>" + block.split("\n").map((l) => `<li>${l.slice(2)}</li>`).join("") + "</ul>";
      return `<p>${block}</p>`;
    })
    .join("")
    .replace(/\*\*(.+?)\*\*/g, "<strong>$1</strong>")
    .replace(/`(.+?)`/g, "<code>$1</code>");
}

export default function MarkdownNote({ text }) {
  const html = useMemo(() => toHtml(text), [text]);
  return <article className="prose" dangerouslySetInnerHTML={{ __html: html }} />;
}
