// Plays a moment of the video, or shows the picture of that moment.

import { byId, clock, make } from "/page/dom.js";

let source = "";
let frames = "";
let title = "";
/** @type {HTMLVideoElement | null} */
let video = null;

/**
 * Set the result whose video to play; nothing is loaded before the first moment is requested.
 *
 * @param {string} result
 * @param {string} name
 */
export function preparePlayer(result, name) {
  closePlayer();
  source = `/media?result=${encodeURIComponent(result)}`;
  frames = `/frame?result=${encodeURIComponent(result)}`;
  title = name;
}

export function closePlayer() {
  video?.pause();
  video?.removeAttribute("src");
  video?.load();
  video = null;
  byId("player").replaceChildren();
}

/**
 * Play from `seconds` on. If the browser cannot, show the picture of that moment, and if there is
 * none either, `fallback`.
 *
 * @param {number} seconds
 * @param {string} fallback
 */
export function playMoment(seconds, fallback) {
  video ??= open();
  const own = video;
  if (byId("player").querySelector(".fallback")) {
    showFallback(own, seconds, fallback);
    return;
  }
  const start = () => {
    own.currentTime = seconds;
    own.play().catch(() => {}); // no permission for sound, or interrupted by the next click
  };
  own.onerror = () => showFallback(own, seconds, fallback);
  if (own.readyState > 0) start();
  else own.addEventListener("loadedmetadata", start, { once: true });
  byId("player").scrollIntoView({ block: "nearest" });
}

function open() {
  const opened = make("video", {
    controls: true,
    playsinline: true,
    preload: "metadata",
    src: source,
    "aria-label": `Video ${title}`,
  });
  const close = make("button", {
    type: "button",
    class: "close",
    text: "Close the video",
    onclick: closePlayer,
  });
  byId("player").replaceChildren(make("div", { class: "screen" }, opened, close));
  return opened;
}

/**
 * Show the picture of a moment in place of the video; it is hidden until it is loaded.
 *
 * @param {HTMLVideoElement} own
 * @param {number} seconds
 * @param {string} image
 */
function showFallback(own, seconds, image) {
  const picture = make("img", { alt: `The picture at ${clock(seconds)}` });
  picture.style.width = "auto";
  picture.style.maxHeight = "60vh";
  const caption = make("figcaption", {
    text: `This browser cannot play ${title}. Fetching the picture at ${clock(seconds)} …`,
  });
  picture.onload = () => {
    caption.textContent = `This browser cannot play ${title}. This is the picture at ${clock(seconds)}.`;
  };
  picture.onerror = () => {
    picture.onload = picture.onerror = null;
    picture.removeAttribute("style");
    picture.alt = "Best face";
    picture.src = image;
    caption.textContent = `This browser cannot play ${title}, and its picture cannot be shown now. This is the best face of this person; the moment you chose is at ${clock(seconds)}.`;
  };
  picture.src = `${frames}&seconds=${seconds}`;
  own.hidden = true;
  byId("player").querySelector(".fallback")?.remove();
  own.after(make("figure", { class: "fallback", role: "status" }, picture, caption));
}
