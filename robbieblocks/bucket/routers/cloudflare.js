// A Cloudflare Worker that answers from an R2 bucket, by what its pointer names.
//
// In wrangler.toml:
//   main = "router.js"
//   [[r2_buckets]]
//   binding = "BUCKET"
//   bucket_name = "..."

// `robbieblocks bucket router cloudflare` fills this in.
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
// How long a swap may stay unseen.
const POINTER_MS = 1000;

/**
 * @typedef {object} Table
 * @property {Record<string, string>} builds the build hash of each app
 * @property {Record<string, [string, string]>} files by path: an object, and its app
 * @property {Record<string, string>} redirects
 * @property {[string, string] | null} notFound
 * @property {Record<string, [string, string]>} [notFoundBelow] by folder
 * @property {Record<string, Moved>} [moved] by path, without the last slash
 * @property {Record<string, Moved>} [movedBelow] by folder
 * @property {Record<string, Record<string, string>>} [headers] what settings ask for, by app
 *
 * @typedef {[number, string, boolean]} Moved status, location, whether the path's rest is put behind
 *
 * @typedef {object} Stored
 * @property {ReadableStream | string} body
 * @property {() => Promise<unknown>} json
 *
 * @typedef {{ BUCKET: { get: (key: string) => Promise<Stored | null> } }} Environment
 */

/** @type {{ at: number, key: string, table: Table } | null} */
let known = null;

export default {
  /**
   * @param {Request} request
   * @param {Environment} environment
   */
  async fetch(request, environment) {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plain(405, "only GET and HEAD");
    }
    const url = new URL(request.url);
    const path = decoded(url.pathname);
    if (path.startsWith(SETTINGS.assetPrefix)) {
      return asset(path.slice(SETTINGS.assetPrefix.length), environment);
    }
    return (
      (await page(request, path, url.search, environment, false)) ??
      // The table was an old one, and its object is gone: the pointer is asked again.
      (await page(request, path, url.search, environment, true)) ??
      plain(503, "the site can't be read at the moment")
    );
  },
};

/**
 * @param {Request} request
 * @param {string} path
 * @param {string} query
 * @param {Environment} environment
 * @param {boolean} anew
 * @returns {Promise<Response | null>} null where an object is missing
 */
async function page(request, path, query, environment, anew) {
  const table = await tableThatCounts(environment, anew);
  if (table === null) {
    return null;
  }
  if (!Object.hasOwn(table.files, path)) {
    if (Object.hasOwn(table.redirects, path)) {
      const location = table.redirects[path] + query;
      return answer(308, null, { Location: location }, SETTINGS.pageCaching);
    }
    const [status, location] = moved(table, path, query.slice(1));
    if (location) {
      return answer(status, null, { Location: location }, SETTINGS.pageCaching);
    }
    return notFound(table, path, environment, status);
  }
  const [key, app] = table.files[path];
  const tag = `"${key}"`;
  const headers = { ...own(table, app), ETag: tag };
  const caching = isSheet(path) ? SETTINGS.sheetCaching : SETTINGS.pageCaching;
  const offered = (request.headers.get("If-None-Match") ?? "").split(",");
  if (offered.some((each) => [tag, "*"].includes(each.trim().replace(/^W\//, "")))) {
    return answer(304, null, headers, caching);
  }
  const found = await environment.BUCKET.get(SETTINGS.root + key);
  if (found === null) {
    return null;
  }
  return answer(200, found.body, { ...headers, "Content-Type": type(key) }, caching);
}

/**
 * @param {Table} table
 * @param {string} path
 * @param {Environment} environment
 * @param {number} status
 */
async function notFound(table, path, environment, status) {
  const [key, app] = notFoundPage(table, path) ?? [null, ""];
  const found = key === null ? null : await environment.BUCKET.get(SETTINGS.root + key);
  if (key === null || found === null) {
    return plain(status, "not found");
  }
  const headers = { ...own(table, app), "Content-Type": type(key) };
  return answer(status, found.body, headers, SETTINGS.errorCaching);
}

/**
 * @param {Table} table
 * @param {string} app
 * @returns {Record<string, string>} the headers of an app's files
 */
function own(table, app) {
  return { ...table.headers?.[app], [SETTINGS.buildHeader]: table.builds[app] };
}

/**
 * @param {string} name
 * @param {Environment} environment
 */
async function asset(name, environment) {
  const isName = /^[a-z0-9][a-z0-9_.-]{0,199}$/.test(name);
  const key = SETTINGS.root + SETTINGS.assets + name;
  const found = isName ? await environment.BUCKET.get(key) : null;
  if (found === null) {
    return plain(404, "no such asset");
  }
  const headers = { ETag: `"${name}"`, "Content-Type": type(name) };
  return answer(200, found.body, headers, SETTINGS.assetCaching);
}

/**
 * @param {Environment} environment
 * @param {boolean} anew
 * @returns {Promise<Table | null>}
 */
async function tableThatCounts(environment, anew) {
  const now = Date.now();
  if (known !== null && !anew && now - known.at < POINTER_MS) {
    return known.table;
  }
  const pointer = await environment.BUCKET.get(SETTINGS.root + SETTINGS.pointer);
  if (pointer === null) {
    return null;
  }
  const { table: key } = /** @type {{ table: string }} */ (await pointer.json());
  if (known !== null && known.key === key) {
    known.at = now;
    return known.table;
  }
  const found = await environment.BUCKET.get(SETTINGS.root + key);
  if (found === null) {
    return null;
  }
  const table = /** @type {Table} */ (await found.json());
  known = { at: now, key, table };
  return table;
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
  let found = Object.hasOwn(exact, bare) ? exact[bare] : null;
  // No source is longer; a long path of slashes would be cut again and again.
  folder = folder.slice(0, 1000);
  while (found === null && !Object.hasOwn(below, folder) && folder !== "") {
    folder = folder.slice(0, folder.lastIndexOf("/"));
  }
  if (found === null) {
    if (!Object.hasOwn(below, folder)) {
      return [404, ""];
    }
    found = below[folder];
  }
  const [status, target, withRest] = found;
  // Never `//host`: that would lead to another site.
  const rest = withRest ? path.slice(folder.length).replace(/^\/+/, "") : "";
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
  while (folder !== "" && !Object.hasOwn(below, folder)) {
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")));
  }
  return folder === "" ? table.notFound : below[folder];
}

/** @param {string} path */
function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    // No path of a page.
    return path;
  }
}

/** @param {string} path of a stylesheet at a fixed address, or of something else */
function isSheet(path) {
  return /^\/styles-[^/]+\.css$/.test(path);
}

/** @param {string} key */
function type(key) {
  const ending = key.slice(key.lastIndexOf(".") + 1);
  const known = Object.hasOwn(SETTINGS.types, ending);
  return known ? SETTINGS.types[ending] : "application/octet-stream";
}

/**
 * @param {number} status
 * @param {BodyInit | null} body
 * @param {Record<string, string>} headers
 * @param {string} caching
 */
function answer(status, body, headers, caching) {
  const sent = { ...SETTINGS.headers, "Cache-Control": caching, ...headers };
  return new Response(body, { status, headers: sent });
}

/**
 * @param {number} status
 * @param {string} text
 */
function plain(status, text) {
  const headers = { "Content-Type": "text/plain; charset=utf-8" };
  return answer(status, `${text}\n`, headers, SETTINGS.errorCaching);
}
