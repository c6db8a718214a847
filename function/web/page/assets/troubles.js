// What a view shows in place of its list: what went wrong, or that there is nothing yet, and a way on.

import { make, makeButton, notice } from "./dom.js";
import { getJson, isMissing, postJson, wordsOf } from "./server.js";
import { refreshStatus } from "./status.js";

const AGAIN_MS = 2000; // between two looks

/**
 * What went wrong in a view, and a button that tries it again. Where there is no gallery, one can
 * be made.
 *
 * @param {string} title
 * @param {unknown} error
 * @param {() => unknown} again
 */
export function trouble(title, error, again) {
  const retry = makeButton("Try again", again);
  return isMissing(error)
    ? notice("There is no gallery", wordsOf(error), createButton(again), retry)
    : notice(title, wordsOf(error), retry);
}

/**
 * That something was not done, shown beside it.
 *
 * @param {unknown} error
 */
export function unchanged(error, title = "Nothing was changed") {
  const shown = notice(title, wordsOf(error));
  shown.classList.add("trouble");
  shown.setAttribute("role", "alert");
  return shown;
}

/**
 * Why a view lists nobody: `nobody`, or that nothing is scanned yet. During a scan it looks `again`.
 *
 * @param {string} words What the view lists.
 * @param {() => unknown} again
 * @param {HTMLElement} nobody
 */
export async function nobodyFound(words, again, nobody) {
  const { state, videos, albums } = await getJson("/library/status");
  const isIdle = state === "idle";
  const how = ["paused", "waiting"].includes(state) ? state : "under way";
  const shown =
    videos.done + albums.done
      ? nobody
      : notice(
          "Nothing is scanned yet",
          `${words} ${isIdle ? "First scan your videos or pictures." : `A scan is ${how}.`}`,
          make("a", { class: "button primary", href: "#library", text: "Go to the library" }),
        );
  const look = () => {
    if (shown.contains(document.activeElement)) setTimeout(look, AGAIN_MS);
    else again();
  };
  if (!isIdle) setTimeout(look, AGAIN_MS);
  return shown;
}

/**
 * A button that makes an empty gallery.
 *
 * @param {() => unknown} then
 */
export function createButton(then) {
  return mainButton("Create an empty gallery", async () => {
    await postJson("/gallery/create", {});
    await Promise.all([then(), refreshStatus()]);
  });
}

/**
 * The button to press first; why it failed is said beside it.
 *
 * @param {string} text
 * @param {() => Promise<unknown>} action
 */
export function mainButton(text, action) {
  const press = () =>
    action().catch((error) => button.after(make("p", { role: "alert", text: wordsOf(error) })));
  const button = makeButton(text, press, { class: "primary" });
  return button;
}
