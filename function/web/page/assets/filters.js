// Which videos of the library are wanted; the address says it, too.

import { byId, make, plain } from "./dom.js";
import { natural } from "./order.js";

/** Those set of text, performer, verdict, kind, state. */
export let wanted = new URLSearchParams();

/** @type {WeakMap<VideoInBrief, string>} */
const sought = new WeakMap();

/** @param {string} query Such as `performer=1&verdict=match`. */
export function wantOnly(query) {
  wanted = new URLSearchParams(query);
}

/**
 * Set filters; an empty one is dropped.
 *
 * @param {Iterable<[string, FormDataEntryValue]>} fields
 */
export function want(fields) {
  for (const [name, value] of fields) {
    const text = String(value).trim();
    if (text) wanted.set(name, text);
    else wanted.delete(name);
  }
  if (/^#lib/.test(location.hash)) history.replaceState(null, "", libraryAddress());
}

/** The address of the library as it was last seen. */
export const libraryAddress = () => (wanted.size ? `#library/${wanted}` : "#library");

export const readFilters = () => want(new FormData(byId("filters")));

/**
 * @param {VideoInBrief[]} videos
 * @param {(performer: number) => string} nameFor
 */
export function showFilters(videos, nameFor) {
  /** @type {Map<number, number>} */
  const often = new Map();
  for (const { performer } of videos.flatMap((video) => video.named))
    often.set(performer, (often.get(performer) ?? 0) + 1);
  const performer = Number(wanted.get("performer"));
  if (performer && !often.has(performer)) often.set(performer, 0);
  const options = natural(
    [...often].map(([id, number]) => ({
      id,
      text: `${nameFor(id)} (${number.toLocaleString("en")})`,
    })),
    ({ text }) => text,
  );
  byId("library-performer").replaceChildren(
    make("option", { value: "", text: "anybody" }),
    ...options.map(({ id, text }) => make("option", { value: id, text })),
  );
  for (const name of /** @type {const} */ (["performer", "verdict", "kind"]))
    byId(`library-${name}`).value = wanted.get(name) ?? "";
  const hasAlbums = videos.some((video) => video.kind === "album");
  const kind = byId("library-kind");
  kind.closest("label")?.toggleAttribute("hidden", !hasAlbums && !kind.value);
  const text = byId("library-text");
  if (document.activeElement !== text) text.value = wanted.get("text") ?? "";
}

/**
 * @param {VideoInBrief} video
 * @param {(performer: number) => string} nameFor
 */
export function fits(video, nameFor) {
  const state = wanted.get("state");
  if (state && video.state !== state) return false;
  const kind = wanted.get("kind");
  if (kind && video.kind !== kind) return false;
  const performer = Number(wanted.get("performer"));
  const verdict = wanted.get("verdict");
  if (verdict === "unknown") {
    if (performer || !video.strangers) return false;
  } else if (performer || verdict) {
    /** @param {NamedInBrief} one */
    const isMeant = (one) =>
      (!performer || one.performer === performer) && (!verdict || one.verdict === verdict);
    if (!video.named.some(isMeant)) return false;
  }
  const words = plain(wanted.get("text") ?? "").split(" ");
  return words.every((word) => textOf(video, nameFor).includes(word));
}

/**
 * @param {VideoInBrief} video
 * @param {(performer: number) => string} nameFor
 */
function textOf(video, nameFor) {
  let text = sought.get(video);
  if (text === undefined) {
    text = plain([video.path, ...video.named.map((one) => nameFor(one.performer))].join(" "));
    sought.set(video, text);
  }
  return text;
}
