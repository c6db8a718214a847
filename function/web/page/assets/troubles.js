// What a view shows in place of its list: what went wrong, or that there is nothing yet, and a way on.

import { make, notice } from "./dom.js";
import { isMissing, postJson, wordsOf } from "./server.js";
import { refreshStatus } from "./status.js";

/**
 * What went wrong in a view, and a button that tries it again. Where there is no gallery yet, one can
 * be made.
 *
 * @param {string} title
 * @param {unknown} error
 * @param {() => unknown} again
 */
export function trouble(title, error, again) {
  const retry = make("button", { type: "button", text: "Try again", onclick: again });
  return isMissing(error)
    ? notice("There is no gallery", wordsOf(error), createButton(again), retry)
    : notice(title, wordsOf(error), retry);
}

/**
 * That nothing is scanned yet, in a view that says who was found by scans.
 *
 * @param {string} words What the view shows afterwards.
 */
export function nothingScanned(words) {
  return notice(
    "Nothing is scanned yet",
    `${words} First scan your videos or pictures.`,
    make("a", { class: "button primary", href: "#library", text: "Go to the library" }),
  );
}

/**
 * A button that makes an empty gallery; why that failed is said beside it.
 *
 * @param {() => unknown} then
 */
export function createButton(then) {
  const button = make("button", {
    type: "button",
    class: "primary",
    text: "Create an empty gallery",
    onclick: async () => {
      try {
        await postJson("/gallery/create", {});
      } catch (error) {
        button.after(make("p", { role: "alert", text: wordsOf(error) }));
        return;
      }
      await Promise.all([then(), refreshStatus()]);
    },
  });
  return button;
}
