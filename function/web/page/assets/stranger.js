// A stranger's card: the best faces, the videos, and what can be done.

import { count, countBoth, find, make, makeButton } from "./dom.js";
import { blank } from "./faces.js";
import { join, startJoining } from "./joining.js";
import { askName } from "./naming.js";
import { latePicture } from "./pictures.js";
import { getJson, postJson } from "./server.js";
import { seenIn } from "./sightings.js";
import { unchanged } from "./troubles.js";

export class StrangerCard {
  /**
   * `tell` gets how many more strangers there are after each change.
   *
   * @param {StrangerReply} one
   * @param {(more: number) => unknown} tell
   */
  constructor(one, tell) {
    this.one = one;
    this.tell = tell;
    this.element = this.draw();
  }

  draw() {
    const { one } = this;
    const id = `stranger-${one.id}`;
    return make(
      "article",
      { class: "card stranger", "aria-labelledby": id },
      faces(one),
      make(
        "div",
        { class: "who" },
        make("h2", { id, text: `In ${countBoth(one.videos.length - one.albums, one.albums)}` }),
        make("p", { class: "detail", text: [count(one.faces, "face"), days(one)].join(", ") }),
        seenIn(this),
      ),
      this.actions(),
    );
  }

  actions() {
    const { ignored } = this.one;
    /** @type {HTMLElement} */
    const row = make(
      "div",
      { class: "actions" },
      makeButton("Name this person …", () => askName(this, row), { class: "primary" }),
      makeButton("Same as …", () => startJoining(this), {
        class: "join-start",
        "aria-label": "The same person as another stranger",
      }),
      makeButton("It is this one", () => join(this), { class: "join-end" }),
      makeButton(ignored ? "List again" : "Ignore", () => this.ignore(!ignored)),
    );
    return row;
  }

  /** @param {boolean} ignored */
  async ignore(ignored) {
    /** @param {boolean} isSo */
    const send = (isSo) =>
      postJson("/library/strangers/ignore", { stranger: this.one.id, ignored: isSo });
    await this.attempt(async () => {
      await send(ignored);
      this.settle(ignored ? "Ignored: not listed from now on." : "Listed again.", async () => {
        await send(!ignored);
        this.renew();
      });
    });
  }

  renew() {
    const before = this.element;
    this.element = this.draw();
    before.replaceWith(this.element);
    find(this.element, "button")?.focus();
  }

  /**
   * Show a stranger as the server knows them now.
   *
   * @param {string} query Such as `id=1`.
   */
  async show(query) {
    Object.assign(this.one, (await getJson(`/library/stranger?${query}`)).stranger);
    this.renew();
  }

  /**
   * Say what was done, with Undo, in place of what the card offers. There is one stranger less then.
   *
   * @param {string} words
   * @param {() => Promise<unknown>} undo
   * @param {...(Node | string)} links
   */
  settle(words, undo, ...links) {
    this.tell(-1);
    const said = make("p", { role: "status", text: words });
    const takeBack = async () => {
      said.textContent = "Taking it back …";
      await undo().finally(() => (said.textContent = words));
      this.tell(1);
    };
    const line = make(
      "div",
      { class: "actions kept" },
      said,
      ...links,
      makeButton("Undo", () => this.attempt(takeBack), { class: "undo" }),
    );
    this.element.classList.add("settled");
    find(this.element, ":scope > .actions")?.replaceWith(line);
    find(line, ".undo")?.focus();
  }

  /**
   * Do something; the card says what goes wrong.
   *
   * @param {() => Promise<void>} action
   */
  async attempt(action) {
    find(this.element, ":scope > .trouble")?.remove();
    try {
      await action();
    } catch (error) {
      this.element.append(unchanged(error));
    }
  }
}

/** @param {StrangerReply} one */
function faces({ pictures }) {
  const [best, ...others] = pictures.map((source, number) =>
    latePicture(source, number ? "" : "Best face of this stranger"),
  );
  return make("div", { class: "looks" }, best ?? blank(), make("div", {}, ...others));
}

/** @param {StrangerReply} one */
function days({ days: [first, last] }) {
  return first === last ? `scanned ${first}` : `scanned ${first} to ${last}`;
}
