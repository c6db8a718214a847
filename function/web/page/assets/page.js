// The start: which view the URL names, and how each is shown.

import { byId, notice } from "./dom.js";
import { startIdentify } from "./identify.js";
import { startStatus } from "./status.js";

// A browser requests six files at a time: more would delay the first view, so the rest is loaded later.
const loadGallery = () => import("./gallery.js");

/** @satisfies {Record<string, { title: string, show: (...places: string[]) => unknown }>} */
const VIEWS = {
  identify: { title: "Identify a video", show: () => {} },
  library: {
    title: "Library",
    show: async (...places) => (await import("./library.js")).showLibrary(...places),
  },
  video: {
    title: "Video",
    show: async (...places) => (await import("./video.js")).showVideo(...places),
  },
  strangers: {
    title: "Strangers",
    show: async (...places) => (await import("./strangers.js")).showStrangers(...places),
  },
  review: { title: "Review", show: async () => (await import("./review.js")).showReview() },
  gallery: { title: "Gallery", show: async () => (await loadGallery()).openGallery() },
  performer: {
    title: "Performer",
    show: async (...places) => (await import("./performer.js")).showPerformer(...places),
  },
};

/** @typedef {keyof typeof VIEWS} View */

/** @type {View | null} */
let shown = null;
let address = location.hash;

/** @type {Partial<Record<View, View>>} Views of one thing, and the view that lists them. */
const LISTED_IN = { performer: "gallery", video: "library" };

/** @type {Partial<Record<View, number>>} How far each was scrolled; one thing is read from the top. */
const scrolled = {};

/**
 * @param {string} name
 * @returns {name is View}
 */
const isView = (name) => Object.hasOwn(VIEWS, name);

function route() {
  const [name = "", ...places] = location.hash.slice(1).split("/");
  // The skip link's #main names no view; the current view stays.
  if (shown !== null && !isView(name)) return;
  const view = isView(name) ? name : "identify";
  if (shown !== null && !LISTED_IN[shown]) scrolled[shown] = scrollY;
  for (const video of document.querySelectorAll("video")) video.pause();
  for (const other of Object.keys(VIEWS).filter(isView)) byId(other).hidden = other !== view;
  for (const anchor of links("header nav a")) {
    if (anchor.hash === `#${LISTED_IN[view] ?? view}`) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  document.title = `${VIEWS[view].title} · Who is in this video?`;
  if (shown !== null) {
    byId("main").focus({ preventScroll: true });
    scrollTo(0, scrolled[view] ?? 0);
  }
  shown = view;
  byId("fault").replaceChildren();
  show(view, places, address);
  address = location.hash;
}

/**
 * @param {string} selector
 * @returns {NodeListOf<HTMLAnchorElement>}
 */
const links = (selector) => document.querySelectorAll(selector);

/**
 * @param {View} view
 * @param {string[]} places
 * @param {string} from
 */
async function show(view, places, from) {
  try {
    await VIEWS[view].show(...places);
    if (view === shown && document.activeElement === byId("main")) returnTo(from);
  } catch {
    byId("fault").replaceChildren(
      notice(
        "Part of the page could not be loaded",
        "The server does not answer. Start it again, then reload this page.",
      ),
    );
  }
}

/**
 * Return the focus to the link that was followed from here, if it is still in view.
 *
 * @param {string} from
 */
function returnTo(from) {
  // Hidden or collapsed links have position 0.
  /** @param {Element} link */
  const isInView = (link) =>
    link.getBoundingClientRect().top > 0 && link.getBoundingClientRect().top < innerHeight;
  const inSight = [...links("main section:not([hidden]) a")];
  inSight.find((link) => link.hash === from && isInView(link))?.focus({ preventScroll: true });
}

startIdentify();
startStatus();
addEventListener("hashchange", route);
route();
// If this fails, the view requests it again, and shows the error.
loadGallery().catch(() => {});
