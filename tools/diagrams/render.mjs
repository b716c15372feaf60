// Draws diagrams: from stdin an object of Mermaid texts by name, to stdout one of SVGs. The argument
// is the module that draws: its packages stand elsewhere.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { renderMermaidSVG } = await import(pathToFileURL(process.argv[2]));
const texts = JSON.parse(readFileSync(0, "utf-8"));
const drawn = Object.entries(texts).map(([name, text]) => [name, renderMermaidSVG(text, {})]);
process.stdout.write(JSON.stringify(Object.fromEntries(drawn)));
