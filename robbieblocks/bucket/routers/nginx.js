// A router for nginx with its JavaScript module (Debian: libnginx-mod-http-js).
//
// It asks the bucket without a signature: let only this server's address read it. In http {}:
//   js_import robbieblocks from /etc/nginx/robbieblocks.js;
//   proxy_cache_path /var/cache/nginx/robbieblocks keys_zone=robbieblocks:10m max_size=1g;
//   subrequest_output_buffer_size 16m;
// and in server {}:
//   absolute_redirect off;
//   location / { js_content robbieblocks.answer; }
//   location /robbieblocks-bucket/ {
//       internal;
//       proxy_pass http://BUCKET-ENDPOINT/BUCKET/;
//       proxy_set_header Accept-Encoding "";
//       proxy_pass_request_headers off;
//       proxy_cache robbieblocks;
//       proxy_cache_valid 200 7d;
//       proxy_cache_bypass $robbieblocks_is_pointer;
//       proxy_no_cache $robbieblocks_is_pointer;
//   }
// with this in http {}, so that a swap is seen at once:
//   map $uri $robbieblocks_is_pointer { volatile; default ""; "~/pointer\.json$" 1; }
// An endpoint with https needs in that location, too:
//       proxy_ssl_server_name on;
//       proxy_ssl_verify on;
//       proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;

// `robbieblocks bucket router nginx` fills this in.
const SETTINGS = {
  root: "",
  pointer: "pointer.json",
  assets: "assets/",
  assetPrefix: "/_rb/",
  buildHeader: "",
  assetCaching: "",
  pageCaching: "",
  sheetCaching: "",
  errorCaching: "",
  /** @type {Record<string, string>} */
  headers: {},
  /** @type {Record<string, string>} */
  types: {},
};
const BUCKET = "/robbieblocks-bucket/";

/**
 * @typedef {object} Reply
 * @property {number} status
 * @property {string} responseText
 * @property {Uint8Array} responseBuffer
 *
 * @typedef {object} NginxRequest
 * @property {string} method
 * @property {string} uri
 * @property {Record<string, string>} headersIn
 * @property {Record<string, string>} headersOut
 * @property {Record<string, string | undefined>} variables
 * @property {(uri: string, options: { method: string }) => Promise<Reply>} subrequest
 * @property {(status: number, body?: string | Uint8Array) => void} return
 *
 * @typedef {object} Table
 * @property {Record<string, string>} builds
 * @property {Record<string, [string, string]>} files
 * @property {Record<string, string>} redirects
 * @property {[string, string] | null} notFound
 * @property {Record<string, [string, string]>} [notFoundBelow] by folder
 * @property {Record<string, Moved>} [moved] by path, without the last slash
 * @property {Record<string, Moved>} [movedBelow] by folder
 * @property {Record<string, Record<string, string>>} [headers] what settings ask for, by app
 *
 * @typedef {[number, string, boolean]} Moved status, location, whether the path's rest is put behind
 */

/** @param {NginxRequest} r */
async function answer(r) {
  if (r.method !== "GET" && r.method !== "HEAD") {
    plain(r, 405, "only GET and HEAD");
    return;
  }
  if (r.uri.startsWith(SETTINGS.assetPrefix)) {
    await asset(r, r.uri.slice(SETTINGS.assetPrefix.length));
    return;
  }
  const pointer = await read(r, SETTINGS.pointer);
  const found = pointer && (await read(r, JSON.parse(pointer.responseText).table));
  if (!found) {
    plain(r, 503, "the site can't be read at the moment");
    return;
  }
  await page(r, JSON.parse(found.responseText));
}

/**
 * @param {NginxRequest} r
 * @param {Table} table
 */
async function page(r, table) {
  const named = has(table.files, r.uri) ? table.files[r.uri] : null;
  if (!named && has(table.redirects, r.uri)) {
    const query = r.variables.args ? `?${r.variables.args}` : "";
    // nginx makes the Location of what a redirect returns.
    send(r, 308, table.redirects[r.uri] + query, {}, SETTINGS.pageCaching);
    return;
  }
  const to = moved(table, r.uri, r.variables.args || "");
  if (!named && to[1]) {
    send(r, to[0], to[1], {}, SETTINGS.pageCaching);
    return;
  }
  const shown = named || notFoundPage(table, r.uri);
  if (!shown) {
    plain(r, to[0], "not found");
    return;
  }
  const stated = table.headers || {};
  /** @type {Record<string, string>} */
  const headers = Object.assign({}, has(stated, shown[1]) ? stated[shown[1]] : {});
  headers["Content-Type"] = type(shown[0]);
  headers[SETTINGS.buildHeader] = table.builds[shown[1]];
  const live = isSheet(r.uri) ? SETTINGS.sheetCaching : SETTINGS.pageCaching;
  if (named) {
    headers.ETag = `"${named[0]}"`;
    const offered = (r.headersIn["If-None-Match"] || "").split(",");
    if (offered.some((each) => each.trim().replace(/^W\//, "") === headers.ETag)) {
      send(r, 304, "", headers, live);
      return;
    }
  }
  const found = await read(r, shown[0]);
  if (!found) {
    plain(r, 503, "this page can't be read at the moment");
    return;
  }
  const caching = named ? live : SETTINGS.errorCaching;
  send(r, named ? 200 : to[0], found.responseBuffer, headers, caching);
}

/**
 * @param {NginxRequest} r
 * @param {string} name
 */
async function asset(r, name) {
  const isName = /^[a-z0-9][a-z0-9_.-]{0,199}$/.test(name);
  const found = isName && (await read(r, SETTINGS.assets + name));
  if (!found) {
    plain(r, 404, "no such asset");
    return;
  }
  const headers = { ETag: `"${name}"`, "Content-Type": type(name) };
  send(r, 200, found.responseBuffer, headers, SETTINGS.assetCaching);
}

/**
 * @param {NginxRequest} r
 * @param {string} key
 * @returns {Promise<Reply | null>}
 */
async function read(r, key) {
  const reply = await r.subrequest(BUCKET + SETTINGS.root + key, { method: "GET" });
  return reply.status === 200 ? reply : null;
}

/**
 * @param {object} of
 * @param {string} key
 */
function has(of, key) {
  // The module of Debian 12 knows no `Object.hasOwn`.
  return Object.getOwnPropertyDescriptor(of, key) !== undefined;
}

/**
 * Where rows redirect a path that has no page.
 *
 * @param {Table} table
 * @param {string} path
 * @param {string} query without its `?`
 * @returns {[number, string]} status and location; of what is not redirected 404, and of what is
 * gone 410, without a location
 */
function moved(table, path, query) {
  const file = "/index.html";
  let bare = path.endsWith(file) ? path.slice(0, -file.length) : path;
  while (bare.endsWith("/")) {
    bare = bare.slice(0, -1);
  }
  const exact = table.moved || {};
  const below = table.movedBelow || {};
  let folder = bare;
  let found = has(exact, bare) ? exact[bare] : null;
  // No source is longer; a long path of slashes would be cut again and again.
  folder = folder.slice(0, 1000);
  while (found === null && !has(below, folder) && folder !== "") {
    folder = folder.slice(0, folder.lastIndexOf("/"));
  }
  if (found === null) {
    if (!has(below, folder)) {
      return [404, ""];
    }
    found = below[folder];
  }
  const status = found[0];
  const target = found[1];
  // Never `//host`: that would lead to another site.
  const rest = found[2] ? path.slice(folder.length).replace(/^\/+/, "") : "";
  const location = target + encodeURIComponent(rest).replace(/%2F/g, "/");
  if (!query || !target) {
    return [status, location];
  }
  const at = location.includes("#") ? location.indexOf("#") : location.length;
  const before = location.slice(0, at);
  return [status, before + (before.includes("?") ? "&" : "?") + query + location.slice(at)];
}

/**
 * @param {Table} table
 * @param {string} path
 * @returns {[string, string] | null} the 404 page of the deepest folder that the path is in
 */
function notFoundPage(table, path) {
  const below = table.notFoundBelow || {};
  // No folder is longer.
  let folder = path.slice(0, 1000);
  while (folder !== "" && !has(below, folder)) {
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")));
  }
  return folder === "" ? table.notFound : below[folder];
}

/** @param {string} path of a stylesheet at a fixed address, or of something else */
function isSheet(path) {
  return /^\/styles-[^/]+\.css$/.test(path);
}

/** @param {string} key */
function type(key) {
  const ending = key.slice(key.lastIndexOf(".") + 1);
  return has(SETTINGS.types, ending) ? SETTINGS.types[ending] : "application/octet-stream";
}

/**
 * @param {NginxRequest} r
 * @param {number} status
 * @param {string | Uint8Array} body
 * @param {Record<string, string>} headers
 * @param {string} caching
 */
function send(r, status, body, headers, caching) {
  const all = Object.assign({}, SETTINGS.headers, { "Cache-Control": caching }, headers);
  // The module of Debian 12 knows no `for … of`.
  Object.keys(all).forEach((name) => {
    r.headersOut[name] = all[name];
  });
  r.return(status, body);
}

/**
 * @param {NginxRequest} r
 * @param {number} status
 * @param {string} text
 */
function plain(r, status, text) {
  send(r, status, `${text}\n`, { "Content-Type": "text/plain" }, SETTINGS.errorCaching);
}

export default { answer };
