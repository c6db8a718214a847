// Builds elements. Text is inserted as text: nothing is parsed as HTML.

/**
 * Settled unless a button is held down: replaced then, it would lose the click.
 *
 * @type {Promise<unknown>}
 */
export let released = Promise.resolve();
addEventListener("pointerdown", ({ target }) => {
  if (/** @type {Element} */ (target).closest("a, button, summary"))
    released = new Promise((done) => {
      for (const end of ["pointerup", "pointercancel", "contextmenu"])
        addEventListener(end, () => setTimeout(done), { once: true });
      setTimeout(done, 9000);
    });
});

/**
 * @template {keyof ById} Id
 * @param {Id} id
 * @returns {ById[Id]}
 */
export const byId = (id) => /** @type {ById[Id]} */ (document.getElementById(id));

/**
 * The first element in `parent` that fits the selector.
 *
 * @param {Element} parent
 * @param {string} selector
 */
export const find = (parent, selector) =>
  /** @type {HTMLElement | null} */ (parent.querySelector(selector));

/**
 * Make an element. `on…` are listeners, `class` and `text` say what they are; the rest are
 * attributes, left out where null, undefined or false.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} properties
 * @param {...Child} children
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function")
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (name === "text") element.textContent = String(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** @param {string} text */
export const small = (text) => make("span", { class: "detail", text });

/**
 * @param {string} text
 * @param {(event: Event) => unknown} onclick
 * @param {Properties} [more]
 */
export const makeButton = (text, onclick, more) =>
  make("button", { type: "button", text, onclick, ...more });

/**
 * A button for one choice, with the number it would show; pressed if chosen.
 *
 * @param {string} words
 * @param {number} number
 * @param {boolean} isChosen
 * @param {(event: Event) => unknown} onclick
 */
export function choiceButton(words, number, isChosen, onclick) {
  const button = makeButton(`${words} `, onclick, { "aria-pressed": String(isChosen) });
  button.append(small(number.toLocaleString("en")));
  return button;
}

/**
 * A link if the text is an http or https URL, else plain text.
 *
 * @param {string} text
 */
export function link(text) {
  let address;
  try {
    address = new URL(text);
  } catch {
    return make("span", { text });
  }
  if (address.protocol !== "https:" && address.protocol !== "http:") return make("span", { text });
  const label = address.hostname.replace(/^www\./, "");
  return make("a", {
    href: address.href,
    text: label,
    title: text,
    target: "_blank",
    rel: "noopener noreferrer",
  });
}

/**
 * A command to type, broken between words only.
 *
 * @param {string} text
 */
export function command(text) {
  const words = text.split(" ").map((word) => make("span", { text: word }));
  return make("code", {}, ...words.flatMap((word, index) => (index ? [" ", word] : [word])));
}

/**
 * @param {string} title
 * @param {string} message
 * @param {...HTMLElement} actions
 */
export function notice(title, message, ...actions) {
  const row = actions.length ? make("div", { class: "actions" }, ...actions) : null;
  return make(
    "div",
    { class: "notice" },
    make("p", {}, make("strong", { text: title })),
    make("p", { text: message }),
    row,
  );
}

/**
 * A bar from 0 to `most`; `words` is the number shown and read out.
 *
 * @param {string} label
 * @param {number} value
 * @param {number} most
 * @param {string} words
 */
export function meter(label, value, most, words) {
  const fill = make("span", { class: "fill" });
  fill.style.width = `${Math.max(0, Math.min(100, (100 * value) / most))}%`;
  const bar = make("span", {
    class: "bar",
    role: "meter",
    "aria-label": label,
    "aria-valuemin": 0,
    "aria-valuemax": most,
    "aria-valuenow": value,
    "aria-valuetext": words,
  });
  bar.append(fill);
  return make("span", { class: "meter" }, bar, make("span", { class: "number", text: words }));
}

/** @param {{ name: string, score: number }} who */
export const probability = ({ name, score }) =>
  meter(`Probability that this is ${name}`, score, 100, `${score.toFixed(1)} %`);

/**
 * The nearest second, as a player shows it: 1:04, or 1:02:03.
 *
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.round(seconds);
  /** @param {number} number */
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/**
 * How much of a video could not be read; empty if it is whole.
 *
 * @param {{ unreadable_seconds: number }} video
 */
export function damage({ unreadable_seconds: seconds }) {
  return seconds ? `${clock(Math.ceil(seconds))} damaged, not seen` : "";
}

/** @param {Pick<VideoInBrief, "picture_count" | "duration_seconds">} video */
export function lengthOf({ picture_count: pictures, duration_seconds: seconds }) {
  return pictures ? count(pictures, "picture") : seconds ? clock(seconds) : "";
}

/**
 * @param {number} number
 * @param {string} one
 */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** @param {ListedReply} performer */
export const detail = ({ disambiguation, photos }) =>
  [disambiguation, count(photos, "photo")].filter(Boolean).join(", ");

/**
 * @param {number} videos
 * @param {number} albums
 */
export function countBoth(videos, albums) {
  const some = [
    videos || !albums ? count(videos, "video") : "",
    albums ? count(albums, "album") : "",
  ];
  return some.filter(Boolean).join(" and ");
}

/**
 * Without accents and capitals.
 *
 * @param {string} text
 */
export const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").trim().toLowerCase();

/**
 * When somebody is seen, or on which pictures.
 *
 * @param {Pick<SeenReply, "appearances" | "pictures">} seen
 */
export const timesOf = ({ appearances, pictures }) => [
  ...appearances.map(([start, until]) => `${clock(start)}–${clock(until)}`),
  ...pictures.map((number) => `picture ${number}`),
];

/**
 * The first few words, and a sign that there are more.
 *
 * @param {string[]} words
 * @param {number} most
 */
export const firstOf = (words, most) =>
  words.slice(0, most).join(", ") + (words.length > most ? " …" : "");

/**
 * The name of a file, without its folders.
 *
 * @param {string} path
 */
export const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);

/**
 * Ask in a dialog; returns true if the user agrees.
 *
 * @param {string} title
 * @param {(string | HTMLElement)[]} paragraphs
 * @param {string} agree
 */
export async function confirmInDialog(title, paragraphs, agree) {
  return (
    (await chooseInDialog(title, paragraphs, { text: "Keep" }, { value: "yes", text: agree })) ===
    "yes"
  );
}

/**
 * Ask with several answers; returns the chosen value, "" for `back`.
 *
 * @param {string} title
 * @param {(string | HTMLElement)[]} paragraphs
 * @param {{ text: string }} back
 * @param {...(Choice | null)} choices
 */
export function chooseInDialog(title, paragraphs, back, ...choices) {
  const buttons = choices
    .filter((choice) => choice !== null)
    .map(({ value, text, isHarmless }) =>
      make("button", { value, class: isHarmless ? null : "danger", text }),
    );
  // A question belongs to what is shown: Back closes it unanswered.
  const leave = () => byId("dialog").close("");
  addEventListener("hashchange", leave);
  return showDialog(
    title,
    ...paragraphs.map((one) => (typeof one === "string" ? make("p", { text: one }) : one)),
    make(
      "div",
      { class: "actions" },
      make("button", { value: "", text: back.text, autofocus: true }),
      ...buttons,
    ),
  ).finally(() => removeEventListener("hashchange", leave));
}

/**
 * Ask for a secret; returns null if the user goes back.
 *
 * @param {string} title
 * @param {string} message
 * @param {string} label
 */
export async function askInDialog(title, message, label) {
  const input = make("input", {
    type: "password",
    id: "dialog-input",
    autocomplete: "off",
    autofocus: true,
  });
  const value = await showDialog(
    title,
    make("p", { text: message }),
    make("label", { for: "dialog-input", text: label }),
    input,
    make(
      "div",
      { class: "actions" },
      make("button", { value: "yes", class: "primary", text: "Continue" }),
      make("button", { value: "", text: "Not now", formnovalidate: true }),
    ),
  );
  return value === "yes" && input.value ? input.value : null;
}

/**
 * @param {string} title
 * @param {...HTMLElement} asked
 * @returns {Promise<string>}
 */
function showDialog(title, ...asked) {
  const dialog = byId("dialog");
  const head = make("h2", { id: "dialog-title", text: title });
  dialog.replaceChildren(make("form", { method: "dialog" }, head, ...asked));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

const PAUSE_MS = 150;

/**
 * Call `action` once typing has paused.
 *
 * @param {() => unknown} action
 */
export function fillLater(action) {
  /** @type {number | undefined} */
  let waiting;
  return () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => released.then(action), PAUSE_MS);
  };
}
