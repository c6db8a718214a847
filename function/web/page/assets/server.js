// Requests to the server: the header that marks the page, the token, and readable errors.

import { askInDialog, released } from "./dom.js";

const TOKEN = "token";

/**
 * The server's error in place of a result; `code` is the API's, `performers` have a taken name, and
 * `isMissing` says that there is no gallery.
 */
export class ServerError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number[]} performers Who has the name, if it is taken.
   * @param {boolean} isMissing
   */
  constructor(code, message, performers = [], isMissing = false) {
    super(message);
    this.code = code;
    this.performers = performers;
    this.isMissing = isMissing;
  }
}

/** @param {unknown} error */
export const wordsOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {unknown} error */
export const codeOf = (error) => (error instanceof ServerError ? error.code : "");

/** @param {unknown} error */
export const performersOf = (error) => (error instanceof ServerError ? error.performers : []);

/** @param {unknown} error */
export const isMissing = (error) => error instanceof ServerError && error.isMissing;

/** @param {unknown} error */
export const isAbort = (error) => error instanceof Error && error.name === "AbortError";

/** @type {Promise<string | null> | null} */
let asking = null;
let changes = 0; // how often this page has asked for a change to the gallery
let isGone = false;
let welcomed = sessionStorage.getItem(TOKEN); // the last token that was not refused

/** How many changes were requested: what is shown may be older. */
export const changesSoFar = () => changes;

/** @type {Set<Promise<unknown>>} Changes that are not stored yet. */
const underWay = new Set();

/**
 * Note a change: what is read of the library or gallery from now on waits until it is stored.
 *
 * @template Stored
 * @param {Promise<Stored>} change
 */
export function storing(change) {
  /** @type {Promise<unknown>} */
  const ended = change.catch(() => {}).finally(() => underWay.delete(ended));
  underWay.add(ended);
  return change;
}

/**
 * Whether an answer has to wait for changes under way.
 *
 * @param {string} path
 */
const followsChanges = (path) => /^.(library(?!.status)|gallery)/.test(path);

async function allStored() {
  while (underWay.size) await Promise.all(underWay);
}

/** @param {boolean} wrong */
function askForToken(wrong) {
  const message = wrong
    ? "That is not this server's token. It is in the setting TOKEN."
    : "This server needs a token: its setting TOKEN. Ask whoever runs it.";
  asking ??= askInDialog("Token needed", message, "Token").finally(() => (asking = null));
  return asking;
}

/**
 * Send a request with the token, asking for it if need be; try again if the server is busy.
 *
 * @param {string} path
 * @param {SendOptions} options
 */
export async function send(
  path,
  { method = "GET", body = null, type = null, accept = "application/json", signal } = {},
) {
  for (let tries = 5; ; ) {
    const token = sessionStorage.getItem(TOKEN);
    /** @type {Record<string, string>} */
    const headers = { Accept: accept, "X-Recognition-Page": "1" };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (type) headers["Content-Type"] = type;
    const response = await reach(path, { method, headers, body, signal });
    if (response.status === 429 && method === "GET" && --tries) {
      await new Promise((done) => setTimeout(done, (5 - tries) * (500 + Math.random() * 1e3)));
      continue;
    }
    if (response.status !== 401 && token && token !== welcomed) {
      welcomed = token;
      dispatchEvent(new Event("token-given"));
    }
    if (response.status !== 401)
      return response.ok ? response : Promise.reject(await readError(response));
    if (sessionStorage.getItem(TOKEN) !== token) continue; // another request has asked meanwhile
    const given = await askForToken(Boolean(token));
    if (given === null) {
      throw new ServerError(
        "unauthorized",
        "This server does not answer without the token. Try again, and enter it.",
      );
    }
    sessionStorage.setItem(TOKEN, given);
  }
}

/**
 * The address of a path, as seen from the page: a proxy may add a path of its own.
 *
 * @param {string} path
 */
export const addressOf = (path) => (path.startsWith("/") ? `.${path}` : path);

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function reach(path, options) {
  if (
    options.method === "POST" &&
    /^.(gallery|corrections|library.(strangers.)?(un)?(name|decide))/.test(path)
  )
    changes += 1;
  try {
    const response = await fetch(addressOf(path), options);
    if (isGone) {
      isGone = false;
      dispatchEvent(new Event("server-back"));
    }
    return response;
  } catch (error) {
    if (isAbort(error)) throw error;
    if (!isGone) dispatchEvent(new Event("server-gone"));
    isGone = true;
    throw new ServerError(
      "server_gone",
      "The server does not answer. Start it again (make run MEDIA=/path/to/your/videos), then try again.",
    );
  }
}

/** @param {Response} response */
async function readError(response) {
  try {
    const { error } = await response.json();
    return new ServerError(error.code, error.message, error.performers, error.missing);
  } catch {
    return new ServerError(
      "internal_error",
      `The server answered ${response.status} without saying why; its log may say more.`,
    );
  }
}

/**
 * Read something once every change of this page is stored; or change something.
 *
 * @template {Address} Asked
 * @param {Asked} path
 * @param {SendOptions} options
 * @returns {Promise<ReplyOf<Asked>>}
 */
export async function getJson(path, options = {}) {
  if (options.method === "POST") return read(storing(send(path, options)));
  if (followsChanges(path)) await allStored();
  return read(send(path, options));
}

/**
 * @template {keyof Fields} Asked
 * @param {Asked} path
 * @param {Fields[Asked]} value
 * @returns {Promise<Replies[Asked]>}
 */
export async function postJson(path, value) {
  const body = JSON.stringify(value);
  const sent = send(path, { method: "POST", body, type: "application/json" });
  return read(storing(sent));
}

/** @param {Promise<Response>} sent */
async function read(sent) {
  try {
    return await (await sent).json();
  } finally {
    await released;
  }
}

/**
 * Yield the lines of an NDJSON answer as they arrive; one that is an error is thrown. Aborting the
 * signal ends the server's work.
 *
 * @template {keyof Lines} Asked
 * @param {Asked} path
 * @param {LinesFields[Asked]} value
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<Lines[Asked], void>}
 */
export async function* postForLines(path, value, signal) {
  const response = await send(path, {
    method: "POST",
    body: JSON.stringify(value),
    type: "application/json",
    accept: "application/x-ndjson",
    signal,
  });
  const body = /** @type {NonNullable<Response["body"]>} */ (response.body);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value: text } = await readPart(reader);
    if (done) return;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.map((one) => JSON.parse(one))) {
      if (line.error) throw new ServerError(line.error.code, line.error.message);
      yield line;
    }
  }
}

/** @param {ReadableStreamDefaultReader<string>} reader */
async function readPart(reader) {
  try {
    return await reader.read();
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ServerError(
      "server_gone",
      "The server stopped answering before it was done. Start it again, then try again.",
    );
  }
}

/**
 * Fill an <img> from a URL that may need the token; it stays empty if there is no picture.
 *
 * @param {HTMLImageElement} image
 * @param {string} path
 */
export async function fillImage(image, path) {
  try {
    const picture = await (await send(path, { accept: "image/*" })).blob();
    const address = URL.createObjectURL(picture);
    image.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
    image.src = address;
  } catch {
    image.removeAttribute("src");
  }
}
