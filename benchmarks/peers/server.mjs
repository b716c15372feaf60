// Serves folders over HTTP/1.1, or over HTTP/2 with a certificate, each file compressed with gzip.
// node server.mjs [--certificate FILE --key FILE] PREFIX FOLDER [PREFIX FOLDER]...
// Prints its port. Nothing is kept between requests, and a file is read once.

import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { join, normalize } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

const TYPES = {
  css: "text/css",
  html: "text/html",
  js: "text/javascript",
  json: "application/json",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { certificate: { type: "string" }, key: { type: "string" } },
});
const roots = [];
for (let at = 0; at < positionals.length; at += 2) roots.push(positionals.slice(at, at + 2));

const read = (path) => {
  for (const [prefix, folder] of roots) {
    if (!path.startsWith(prefix)) continue;
    const named = join(folder, normalize(`/${path.slice(prefix.length)}`));
    for (const file of [named, join(named, "index.html")]) {
      try {
        if (statSync(file).isFile()) return [file, readFileSync(file)];
      } catch {}
    }
  }
  return null;
};

const kept = new Map();
const answer = (request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://host").pathname);
  if (!kept.has(path)) {
    const found = read(path);
    const type = found && TYPES[found[0].split(".").pop()];
    const packed = found && type !== TYPES.woff2;
    kept.set(path, found && { type, packed, body: packed ? gzipSync(found[1]) : found[1] });
  }
  const file = kept.get(path);
  if (!file) {
    response.writeHead(404).end();
    return;
  }
  const page = file.type === TYPES.html;
  const caching = path.startsWith("/styles-")
    ? "max-age=10, s-maxage=0, stale-while-revalidate=86400"
    : "public, max-age=31536000, immutable";
  response.writeHead(200, {
    "content-type": file.type ?? "application/octet-stream",
    "cache-control": page ? "no-cache" : caching,
    ...(file.packed ? { "content-encoding": "gzip" } : {}),
  });
  response.end(file.body);
};

const server = values.certificate
  ? createSecureServer(
      { cert: readFileSync(values.certificate), key: readFileSync(values.key) },
      answer,
    )
  : createServer(answer);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
