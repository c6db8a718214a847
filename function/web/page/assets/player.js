// Plays moments of a video, or shows the pictures of these moments.

import { clock, make, makeButton, notice } from "./dom.js";
import { addressOf, wordsOf } from "./server.js";

/**
 * Make a player in `place`; nothing is loaded before the first moment is requested.
 *
 * @param {HTMLElement} place
 * @param {string} title
 * @param {() => Promise<string>} findResult Gives the id by which the server knows the video.
 * @returns {Player}
 */
export function makePlayer(place, title, findResult) {
  /** @type {Promise<Opened> | null} */
  let opening = null;

  async function open() {
    const result = encodeURIComponent(await findResult());
    const video = make("video", {
      controls: true,
      playsinline: true,
      preload: "metadata",
      src: addressOf(`/media?result=${result}`),
      "aria-label": `Video ${title}`,
    });
    const shut = makeButton("Close the video", close, { class: "close" });
    place.replaceChildren(make("div", { class: "screen" }, video, shut));
    return { video, title, frames: addressOf(`/frame?result=${result}`) };
  }

  function close() {
    const video = place.querySelector("video");
    video?.pause();
    video?.removeAttribute("src");
    video?.load();
    opening = null;
    place.replaceChildren();
  }

  /**
   * Play from `seconds` on. If the browser cannot, show the picture of that moment, and if there is
   * none either, `fallback`.
   *
   * @param {number} seconds
   * @param {string} fallback
   */
  async function play(seconds, fallback) {
    opening ??= open();
    const own = opening;
    try {
      const opened = await own;
      if (opening === own) start(opened, seconds, fallback);
    } catch (error) {
      if (opening !== own) return;
      opening = null;
      place.replaceChildren(notice("The video cannot be played", wordsOf(error)));
    }
    place.scrollIntoView({ block: "nearest" });
  }

  close();
  return { play, close };
}

/**
 * @param {Opened} opened
 * @param {number} seconds
 * @param {string} fallback
 */
function start(opened, seconds, fallback) {
  const { video } = opened;
  if (video.hidden) {
    showFallback(opened, seconds, fallback);
    return;
  }
  const begin = () => {
    video.currentTime = seconds;
    video.play().catch(() => {}); // no permission for sound, or interrupted by the next click
  };
  video.onerror = () => showFallback(opened, seconds, fallback);
  if (video.readyState > 0) begin();
  else video.addEventListener("loadedmetadata", begin, { once: true });
}

/**
 * Show the picture of a moment in place of the video; it is hidden until it is loaded.
 *
 * @param {Opened} opened
 * @param {number} seconds
 * @param {string} image
 */
function showFallback({ video, title, frames }, seconds, image) {
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
  video.hidden = true;
  video.parentElement?.querySelector(".fallback")?.remove();
  video.after(make("figure", { class: "fallback", role: "status" }, picture, caption));
}
