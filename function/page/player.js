// Plays a moment of the video, or shows the face it would have shown.

import { byId, clock, make } from "/page/dom.js";

let source = "";
let title = "";
let video = null;

/** Say which result's video is meant; nothing is loaded before the first moment is asked for. */
export function preparePlayer(result, name) {
  closePlayer();
  source = `/media?result=${encodeURIComponent(result)}`;
  title = name;
}

export function closePlayer() {
  video?.pause();
  video?.removeAttribute("src");
  video?.load();
  video = null;
  byId("player").replaceChildren();
}

/** Play from `seconds` on; `fallback` is the picture for browsers that cannot play the file. */
export function playMoment(seconds, fallback) {
  if (!video) open(fallback);
  if (byId("player").querySelector(".fallback")) return showFallback(seconds, fallback);
  const start = () => {
    video.currentTime = seconds;
    video.play().catch(() => {}); // without sound permission, or cut short by the next click
  };
  video.onerror = () => showFallback(seconds, fallback);
  if (video.readyState > 0) start();
  else video.addEventListener("loadedmetadata", start, { once: true });
  byId("player").scrollIntoView({ block: "nearest" });
  return undefined;
}

function open() {
  video = make("video", { controls: true, playsinline: true, preload: "metadata", src: source, "aria-label": `Video ${title}` });
  const close = make("button", { type: "button", class: "close", text: "Close the video", onclick: closePlayer });
  byId("player").replaceChildren(make("div", { class: "screen" }, video, close));
}

function showFallback(seconds, image) {
  const words = `This browser cannot play ${title}. The best face of this person; the moment you chose is at ${clock(seconds)}.`;
  video.hidden = true;
  byId("player").querySelector(".fallback")?.remove();
  video.after(make("figure", { class: "fallback" }, make("img", { src: image, alt: "Best face" }), make("figcaption", { text: words })));
}
