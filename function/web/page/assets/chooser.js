// Type-ahead search in the gallery: an ARIA combobox.

import { detail, fillLater, find, make, makeButton, plain, small } from "./dom.js";
import { fillImage, getJson } from "./server.js";

const SHOWN = 8;
let made = 0;

/**
 * Replace `row` by a chooser until the user goes back. It calls `onchoose` with a performer of the
 * gallery, or `onname` with a new name. With `nameFirst`, Enter means the name as typed.
 *
 * @param {string} label
 * @param {HTMLElement} row
 * @param {ChooserOptions} options
 */
export function openChooser(
  label,
  row,
  { onchoose, onname, leaveOut = new Set(), nameFirst = false },
) {
  made += 1;
  const list = make("ul", {
    id: `options-${made}`,
    role: "listbox",
    "aria-label": label,
    hidden: true,
  });
  const input = make("input", {
    id: `chooser-${made}`,
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 300,
    "aria-expanded": "false",
    "aria-controls": list.id,
    "aria-autocomplete": "list",
  });
  /** @type {ReturnType<typeof option>[]} */
  const options = [];
  let active = -1;
  let asked = 0;

  /** @param {number} to */
  function point(to) {
    active = to;
    const pointed = options[to]?.element;
    for (const { element } of options)
      element.setAttribute("aria-selected", String(element === pointed));
    if (pointed) input.setAttribute("aria-activedescendant", pointed.id);
    else input.removeAttribute("aria-activedescendant");
    pointed?.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {ListedReply[]} performers
   * @param {string} text
   */
  function show(performers, text) {
    options.length = 0;
    for (const one of performers)
      options.push(option(one.name, detail(one), () => onchoose(one), thumbnail(one)));
    const name = text.trim();
    if (onname && name) {
      const named = nameFirst
        ? option(name, "as typed", () => onname(name))
        : option(`New performer “${name}”`, "", () => onname(name));
      if (nameFirst) options.unshift(named);
      else options.push(named);
    }
    for (const [index, { element }] of options.entries()) element.id = `${list.id}-${index}`;
    list.replaceChildren(...options.map(({ element }) => element));
    list.hidden = !options.length;
    input.setAttribute("aria-expanded", String(options.length > 0));
    point(name && options.length ? meant(performers, name) : -1);
    if (document.activeElement === input) list.scrollIntoView({ block: "nearest" });
  }

  /**
   * What Enter takes: only what was typed; anything else would be a guess.
   *
   * @param {ListedReply[]} performers
   * @param {string} name
   */
  function meant(performers, name) {
    if (nameFirst || !performers.length) return 0;
    return performers.findIndex((one) => plain(one.name).startsWith(plain(name)));
  }

  async function search() {
    asked += 1;
    const own = asked;
    const text = input.value;
    try {
      const { performers } = await getJson(
        `/gallery?limit=${SHOWN}&search=${encodeURIComponent(text.trim())}`,
      );
      if (own === asked)
        show(
          performers.filter((one) => !leaveOut.has(one.id)),
          text,
        );
    } catch {
      if (own === asked) show([], text);
    }
  }

  const searchLater = fillLater(search);
  input.addEventListener("input", () => {
    // An early Enter must not choose from the list for an earlier text.
    asked += 1;
    show([], "");
    searchLater();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (options.length)
        point((Math.max(active, step > 0 ? -1 : 0) + step + options.length) % options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      options[active]?.take();
    } else if (event.key === "Escape") {
      goBack();
    }
  });
  search();
  const chooser = make(
    "div",
    { class: "chooser" },
    make("label", { for: input.id, text: label }),
    make(
      "div",
      { class: "row" },
      make("div", { class: "combo" }, input, list),
      makeButton("Back", goBack),
    ),
  );
  function goBack() {
    chooser.replaceWith(row);
    find(row, "button")?.focus();
  }
  row.replaceWith(chooser);
  input.focus();
  return chooser;
}

/**
 * @param {string} name
 * @param {string} words
 * @param {() => unknown} take
 * @param {HTMLElement} [picture]
 */
function option(name, words, take, picture) {
  const element = make(
    "li",
    {
      role: "option",
      "aria-selected": "false",
      onmousedown: (event) => event.preventDefault(),
      onclick: take,
    },
    picture ?? null,
    make("span", { class: "name", text: name }),
    small(words),
  );
  return { element, take };
}

/** @param {ListedReply} performer */
function thumbnail({ thumbnail: address }) {
  const image = make("img", { alt: "" });
  if (!address) return make("span", { class: "blank" });
  fillImage(image, address);
  return image;
}
