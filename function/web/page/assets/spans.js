// When the chosen performer is seen in each listed video.

import { byId, clock, make, small } from "./dom.js";
import { getJson } from "./server.js";

const MOST_SPANS = 20; // shown of one video

/** @type {{ performer: string, videos: Map<string, Moment[]> }} */
let known = { performer: "", videos: new Map() };

/** Ask again, once there are new results. */
export const forgetSpans = () => (known = { performer: "", videos: new Map() });

/**
 * Ask when a performer is seen, and fill the places in the list.
 *
 * @param {string} performer
 */
export async function findSpans(performer) {
  if (performer === known.performer) return;
  const own = { performer, videos: new Map() };
  known = own;
  /** @type {number | null} */
  let next = performer ? 0 : null;
  while (next !== null) {
    const address = `/library/people?performer=${performer}&limit=200&after=${next}`;
    /** @type {VideosReply} */
    const part = await getJson(/** @type {"/library/people"} */ (address));
    if (known !== own) return;
    for (const { oshash, people } of part.videos) own.videos.set(oshash, people.flatMap(momentsOf));
    next = part.next;
    for (const place of byId("videos").querySelectorAll("[data-spans]")) fill(place);
  }
}

/**
 * When somebody is seen in a video, or on which pictures of an album.
 *
 * @param {PersonListed} person
 * @returns {Moment[]}
 */
function momentsOf({ appearances, pictures }) {
  return [
    ...appearances.map(([start, end]) => ({
      at: start,
      text: `${clock(start)}–${clock(end)}`,
      label: `Play from ${clock(start)} to ${clock(end)}`,
      kind: "span",
    })),
    ...pictures.map((number) => ({
      at: number,
      text: `picture ${number}`,
      label: `Show picture ${number}`,
      kind: "span still",
    })),
  ];
}

/** @param {Element} place */
function fill(place) {
  const oshash = place.getAttribute("data-spans") ?? "";
  const found = [...(known.videos.get(oshash) ?? [])].sort((one, other) => one.at - other.at);
  if (!found.length || place.childElementCount) return;
  const links = found.slice(0, MOST_SPANS).map(({ at, text, label, kind }) =>
    make("a", {
      class: kind,
      href: `#video/${oshash}/${known.performer}//${at}`,
      text,
      "aria-label": label,
    }),
  );
  const more = found.length - links.length;
  place.replaceChildren(...links, more > 0 ? small(`and ${more} more`) : "");
}

/** @param {VideoInBrief} video */
export function spansOf({ oshash }) {
  const place = make("p", { class: "chips spans", "data-spans": oshash });
  fill(place);
  return place;
}
