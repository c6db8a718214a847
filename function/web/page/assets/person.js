// One person in a video: who it may be, when they are seen, and the user's corrections.

import { openChooser } from "./chooser.js";
import { clock, count, find, link, make, makeButton, probability } from "./dom.js";
import { face } from "./faces.js";
import { askWhetherSame } from "./names.js";
import { saidRow } from "./said.js";
import { codeOf } from "./server.js";
import { refreshStatus } from "./status.js";
import { unchanged } from "./troubles.js";

const MOST_PICTURES = 12; // of an album that are listed at a person before all are asked for

let cards = 0;

/** A person's card. It is drawn anew after each correction, as the person is seen then. */
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
      make("div", { class: "who" }, ...this.lines(best)),
      place === "album" ? onPictures(pictures, (number) => this.play(number, image)) : "",
      place === "video" ? timeline(person, this.seconds, (start) => this.play(start, image)) : "",
      ...this.said(),
      ...(controls ? [controls] : []),
    );
  }

  /** @param {MatchReply} [best] */
  lines(best) {
    const { person, corrector } = this;
    const others = person.matches.filter((one) => one !== best);
    return [
      heading(person, this.id),
      ...(best ? matchLines(person, best) : [unknownLine(person, corrector !== null)]),
      seen(person),
      ...(best && corrector?.refresh ? [links(best)] : []),
      ...(corrector && others.length && person.decided !== "confirmed"
        ? [otherCandidates(others, (match) => this.assign(match))]
        : []),
    ];
  }

  /** What the user said of this person before, each with a way back; nothing if that is nothing. */
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

  /** Take the last correction back; false if that failed, or there is none. */
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
   * Replace `row` by a type-ahead; nobody is offered who was rejected.
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
   * Send a correction; then the person is shown as in `after`, or as the server sees them then.
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
   * Take something back; then the person is shown as `before`, or as the server sees them then.
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
 * Whom the user said that it is not, as far as that is listed.
 *
 * @param {PersonShown} person
 * @returns {Set<number>}
 */
function rejectedIn({ said = [] }) {
  const rejections = said.filter(({ kind }) => kind === "rejected");
  return new Set(rejections.map(({ performer_id: id }) => Number(id)));
}

/**
 * Whom the card offers: nobody, if the likeliest was just said to be wrong.
 *
 * @param {PersonShown} person
 */
const bestOf = ({ verdict, decided, matches }) =>
  verdict === "unknown" && decided ? undefined : matches[0];

/**
 * @param {PersonShown} person
 * @param {MatchReply} match
 * @returns {PersonShown}
 */
const confirmed = (person, match) => ({
  ...person,
  verdict: "match",
  decided: "confirmed",
  matches: [match, ...person.matches.filter((one) => one.id !== match.id)],
});

/**
 * A performer as a match, of which no more is known.
 *
 * @param {Named} performer
 * @returns {MatchReply}
 */
export function asMatch({ id, name }) {
  const poster = `/gallery/thumbnail?id=${id}`;
  const unknown = { urls: [], hints: [], stash_ids: [], sources: [] };
  return { ...unknown, id: String(id), name, poster, score: 0 };
}

/**
 * Somebody new has a number once they are enrolled.
 *
 * @param {PersonShown} person
 * @param {number | null} performer
 * @returns {PersonShown}
 */
function withNumber(person, performer) {
  const [best, ...others] = person.matches;
  if (best?.id !== "0" || performer === null) return person;
  return { ...person, matches: [asMatch({ id: performer, name: best.name }), ...others] };
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

/**
 * @param {PersonShown} person
 * @param {string} id
 */
function heading(person, id) {
  const name = bestOf(person)?.name ?? "Unknown";
  const words = {
    match: person.decided === "confirmed" ? "confirmed by you" : "match",
    uncertain: "uncertain: check it yourself",
    unknown: person.decided === "ignored" ? "ignored" : "nobody enrolled",
  };
  return make(
    "h3",
    { id },
    name,
    " ",
    make("span", { class: "verdict", text: words[person.verdict] }),
  );
}

const HINT_WORDS = {
  path: "named in the path",
  tag: "tagged in Stash",
};

/**
 * @param {PersonShown} person
 * @param {MatchReply} best
 */
function matchLines(person, best) {
  const rows = [];
  if (person.decided !== "confirmed") rows.push(line("Probability", probability(best)));
  if (best.hints.length) {
    const words = best.hints.map((kind) => HINT_WORDS[kind]).join(", ");
    rows.push(line("Raised by", make("span", { text: words })));
  }
  if (best.urls.length) {
    const row = line("Links", ...best.urls.map(link));
    row.classList.add("links");
    rows.push(row);
  }
  return rows;
}

/**
 * @param {string} label
 * @param {...HTMLElement} what
 */
function line(label, ...what) {
  return make("p", { class: "line" }, make("span", { class: "label", text: label }), ...what);
}

/**
 * @param {PersonShown} person
 * @param {boolean} canBeNamed
 */
function unknownLine({ decided }, canBeNamed) {
  if (decided === "ignored") return make("p", { text: "It does not matter who this is." });
  if (decided === "rejected") return make("p", { text: "It is not who it seemed to be." });
  const what = canBeNamed ? " Name them to recognise them next time." : "";
  return make("p", { text: `Nobody in the gallery looks like this.${what}` });
}

/** @param {MatchReply} best */
function links({ id, name }) {
  return make(
    "p",
    { class: "line links" },
    make("a", { href: `#library/performer=${id}`, text: `Every video of ${name}` }),
    make("a", { href: `#performer/${id}`, text: `${name} in the gallery` }),
  );
}

/** @param {PersonShown} person */
function seen(person) {
  if (person.pictures?.length) {
    const words = `on ${count(person.pictures.length, "picture")}, ${count(person.faces, "face")}`;
    return line("Seen", make("span", { text: words }));
  }
  const spans = person.appearances.length;
  if (!spans) return line("Seen", make("span", { text: count(person.faces, "face") })); // in a photo
  const words = `${spans === 1 ? "once" : `${spans} times`}, ${count(person.faces, "face")}, best at ${clock(person.best_seconds)}`;
  return line("Seen", make("span", { text: words }));
}

/**
 * @param {MatchReply[]} others
 * @param {(match: MatchReply) => unknown} choose
 */
function otherCandidates(others, choose) {
  const rows = others.map((match) =>
    make(
      "li",
      {},
      match.poster.startsWith("data:")
        ? make("img", { src: match.poster, alt: "" })
        : make("span", { class: "blank" }),
      make("span", { class: "name", text: match.name }),
      probability(match),
      action("It is this one", `It is ${match.name}`, () => choose(match)),
    ),
  );
  return make(
    "details",
    { class: "others" },
    make("summary", { text: count(others.length, "other candidate") }),
    make("ul", {}, ...rows),
  );
}

/**
 * @param {PersonReply} person
 * @param {number} seconds
 * @param {(start: number) => unknown} play
 */
function timeline(person, seconds, play) {
  const most = Math.max(seconds, ...person.appearances.map(([, end]) => end), 0.001);
  const track = make("div", {
    class: "track",
    role: "group",
    "aria-label": "Appearances; choose one to play it",
  });
  person.appearances.forEach(([start, end], index) => {
    const words = `Play from ${clock(start)} to ${clock(end)}`;
    const mark = make("button", {
      type: "button",
      title: words,
      "aria-label": words,
      tabindex: index ? -1 : 0,
      onclick: () => play(start),
    });
    mark.style.left = `${(100 * start) / most}%`;
    mark.style.width = `${(100 * (end - start)) / most}%`;
    track.append(mark);
  });
  track.addEventListener("keydown", moveAlong);
  const ends = make(
    "div",
    { class: "ends", "aria-hidden": "true" },
    make("span", { text: "0:00" }),
    make("span", { text: clock(most) }),
  );
  return make("div", { class: "timeline" }, track, ends);
}

/**
 * Buttons that show the pictures of an album somebody is on.
 *
 * @param {number[]} pictures
 * @param {(number: number) => unknown} show
 */
function onPictures(pictures, show) {
  const button = (/** @type {number} */ number) =>
    makeButton(`picture ${number}`, () => show(number), { class: "span" });
  const row = make("p", { class: "on-pictures" }, ...pictures.slice(0, MOST_PICTURES).map(button));
  const rest = pictures.slice(MOST_PICTURES);
  const more = makeButton(
    `and ${rest.length.toLocaleString("en")} more`,
    () => {
      const others = rest.map(button);
      more.replaceWith(...others);
      others[0]?.focus();
    },
    { class: "span" },
  );
  if (rest.length) row.append(more);
  return row;
}

/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/**
 * The arrow keys move along a timeline, so that Tab passes it in one step.
 *
 * @this {HTMLElement}
 * @param {KeyboardEvent} event
 */
function moveAlong(event) {
  const step = STEPS[event.key];
  if (!step) return;
  const marks = [...this.querySelectorAll("button")];
  const current = /** @type {HTMLButtonElement} */ (document.activeElement);
  const next = marks[marks.indexOf(current) + step];
  if (!next) return;
  event.preventDefault();
  for (const mark of marks) mark.tabIndex = mark === next ? 0 : -1;
  next.focus();
}
