// One person in a video, and the user's corrections.

import { onPictures, timeline } from "./appearances.js";
import { openChooser } from "./chooser.js";
import { find, make, makeButton } from "./dom.js";
import { face } from "./faces.js";
import { asMatch, bestOf, confirmed, rejectedIn, withNumber } from "./matches.js";
import { askWhetherSame } from "./names.js";
import { saidRow } from "./said.js";
import { codeOf } from "./server.js";
import { refreshStatus } from "./status.js";
import { unchanged } from "./troubles.js";
import { linesOf } from "./verdict.js";

let cards = 0;

/** A person's card, drawn again after each correction. */
export class PersonCard {
  /**
   * The video lasts `seconds`, and `play` plays it. Without a corrector, nothing can be corrected.
   *
   * @param {PersonShown} person
   * @param {number} seconds
   * @param {(start: number, image: string) => unknown} play
   * @param {Corrector | null} corrector
   */
  constructor(person, seconds, play, corrector) {
    cards += 1;
    this.id = `person-${cards}`;
    this.element = make("article", { class: "person card", "aria-labelledby": this.id });
    this.seconds = seconds;
    this.play = play;
    this.corrector = corrector;
    this.person = person;
    /** @type {Set<number>} Whom the user said that it is not. */
    this.rejected = rejectedIn(person);
    /** @type {(() => Promise<boolean>) | null} */
    this.undo = null;
    /** @type {number | undefined} The decision that was just made, which is offered to be undone. */
    this.made = undefined;
    /** Called after each correction and undoing. */
    this.onchange = () => {};
    this.draw(this.actions());
  }

  /** @param {HTMLElement | null} controls */
  draw(controls) {
    const { person, element } = this;
    const best = bestOf(person);
    const lines = linesOf(person, this.id, this.corrector, (match) => this.assign(match));
    const image = `data:image/jpeg;base64,${person.image}`;
    const { pictures = [], appearances } = person;
    const place = pictures.length ? "album" : appearances.length ? "video" : "picture";
    for (const kind of ["match", "uncertain", "unknown"])
      element.classList.toggle(kind, kind === person.verdict);
    element.dataset.performer = best?.id ?? "";
    element.replaceChildren(
      make(
        "div",
        { class: "faces" },
        face(image, `Face in the ${place}`, `In the ${place}`),
        ...(best ? [face(best.poster, `Enrolled face of ${best.name}`, "Enrolled")] : []),
      ),
      make("div", { class: "who" }, ...lines),
      place === "album" ? onPictures(pictures, (number) => this.play(number, image)) : "",
      place === "video" ? timeline(person, this.seconds, (start) => this.play(start, image)) : "",
      ...this.said(),
      ...(controls ? [controls] : []),
    );
  }

  /** What the user said of this person before, each with Undo. */
  said() {
    const { person, corrector } = this;
    const earlier = (person.said ?? []).filter(({ id }) => id !== this.made);
    const { takeBack } = corrector ?? {};
    if (!earlier.length || !takeBack) return [];
    const rows = earlier.map((one) =>
      saidRow(one, () => this.restore(() => takeBack(one.id), person)),
    );
    return [make("ul", { class: "said", "aria-label": "What you said" }, ...rows)];
  }

  actions() {
    const { person, corrector } = this;
    if (!corrector) return null;
    const best = bestOf(person);
    const row = make("div", { class: "actions" });
    if (best && person.decided !== "confirmed")
      row.append(action("Yes, right", `Yes, this is ${best.name}`, () => this.confirm(), true));
    if (best) row.append(action("Not this person", `Not ${best.name}`, () => this.reject(best)));
    const words = best ? "Someone else …" : "Name this person …";
    row.append(action(words, words, () => this.openChooser(row), !best));
    const { ignore } = corrector;
    if (ignore && person.decided !== "ignored")
      row.append(
        action("Ignore", "Ignore this person", () =>
          this.correct(ignore, { ...person, verdict: "unknown", decided: "ignored" }),
        ),
      );
    return row;
  }

  /** Whether the user has only to say yes. */
  isSure() {
    return Boolean(this.corrector && this.person.verdict === "match" && !this.person.decided);
  }

  /** Confirm the likeliest; false if that failed. */
  async confirm() {
    const best = bestOf(this.person);
    return best ? this.assign(best) : false;
  }

  /** Undo the last correction; false if that failed, or there is none. */
  async takeBack() {
    return this.undo ? this.undo() : false;
  }

  /** @param {MatchReply} match */
  async assign(match) {
    const { person, corrector } = this;
    const offered = Number(bestOf(person)?.id ?? 0);
    const number = Number(match.id);
    if (!corrector) return false;
    return this.correct(
      () => corrector.confirm({ id: number, name: match.name }, offered === number ? 0 : offered),
      confirmed(person, match),
    );
  }

  /** @param {MatchReply} match */
  async reject(match) {
    const { person, corrector } = this;
    if (!corrector) return;
    const number = Number(match.id);
    const matches = person.matches.filter((one) => one.id !== match.id);
    const after = { ...person, verdict: /** @type {const} */ ("unknown"), matches };
    this.rejected.add(number);
    const isDone = await this.correct(() => corrector.reject({ id: number, name: match.name }), {
      ...after,
      decided: "rejected",
    });
    if (!isDone) this.rejected.delete(number);
  }

  /**
   * Replace `row` by a chooser that leaves out those who were rejected.
   *
   * @param {HTMLElement} row
   */
  openChooser(row) {
    const best = bestOf(this.person);
    const leaveOut = new Set(this.rejected);
    if (best) leaveOut.add(Number(best.id));
    openChooser("Who is this?", row, {
      leaveOut,
      onchoose: (performer) => this.assign(asMatch(performer)),
      onname: (name) => this.name(name, leaveOut, false),
    });
  }

  /**
   * Enrol somebody new; if the name is taken, the user says whether it is the same person.
   *
   * @param {string} name
   * @param {ReadonlySet<number>} leaveOut
   * @param {boolean} isNew
   */
  async name(name, leaveOut, isNew) {
    const { corrector, person } = this;
    if (!corrector) return;
    const offered = Number(bestOf(person)?.id ?? 0);
    const after = confirmed(person, asMatch({ id: 0, name }));
    await this.correct(
      () => corrector.name(name, isNew, offered),
      after,
      async (error) => {
        const same = await askWhetherSame(error, name, leaveOut);
        if (same === "new") await this.name(name, leaveOut, true);
        else if (same) await this.assign(asMatch(same));
      },
    );
  }

  /**
   * Send a correction, then show the person as `after`, or as the server sees them now.
   *
   * @param {() => Promise<Corrected>} send
   * @param {PersonShown} after
   * @param {(error: unknown) => Promise<void>} [ontaken] What to do where a name is taken.
   */
  async correct(send, after, ontaken) {
    const before = this.person;
    find(this.element, ".trouble")?.remove();
    try {
      const done = await send();
      this.undo = () => this.restore(done.undo, before);
      this.made = done.decision;
      await this.show(withNumber(after, done.performer));
      this.draw(this.kept(done.said));
      find(this.element, ".undo")?.focus({ preventScroll: true });
      this.onchange();
      refreshStatus();
      return true;
    } catch (error) {
      if (ontaken && codeOf(error) === "name_taken") await ontaken(error);
      else this.complain(error);
      return false;
    }
  }

  /**
   * Undo something, then show the person as `before`, or as the server sees them now.
   *
   * @param {() => Promise<unknown>} undo
   * @param {PersonShown} before
   */
  async restore(undo, before) {
    find(this.element, ".trouble")?.remove();
    try {
      await undo();
      this.undo = null;
      this.made = undefined;
      if (before.decided !== "rejected") this.rejected.clear();
      await this.show(before);
      this.draw(this.actions());
      find(this.element, ".actions button")?.focus({ preventScroll: true });
      this.onchange();
      refreshStatus();
      return true;
    } catch (error) {
      this.complain(error);
      return false;
    }
  }

  /** @param {PersonShown} person */
  async show(person) {
    const seen = await this.corrector?.refresh?.();
    this.person = seen ? { ...seen, image: person.image } : person;
    if (seen) this.rejected = rejectedIn(seen);
  }

  /** @param {string} said */
  kept(said) {
    const line = make(
      "div",
      { class: "actions kept" },
      make("p", { role: "status", text: said }),
      makeButton("Undo", () => this.takeBack(), { class: "undo" }),
    );
    if (this.person.decided === "rejected")
      line.append(
        action("Who is it then …", "Who is it then …", () => this.openChooser(line), false),
      );
    return line;
  }

  /** @param {unknown} error */
  complain(error) {
    this.element.lastElementChild?.before(unchanged(error));
  }
}

/**
 * @param {string} text
 * @param {string} label
 * @param {() => unknown} onclick
 */
function action(text, label, onclick, isPrimary = false) {
  return makeButton(text, onclick, {
    class: isPrimary ? "primary" : null,
    "aria-label": label === text ? null : label,
  });
}
