// Everyone in a video: leads first and large, others smaller, bystanders folded away.

import { count, make, makeButton } from "./dom.js";

/**
 * Arrange cards by how often people are seen. Those seen less than a third as often as the first get
 * a small card; strangers seen less than a tenth as often are folded away.
 *
 * @param {PersonCard[]} cards
 * @returns {HTMLElement[]}
 */
export function arrangePeople(cards) {
  const most = Math.max(...cards.map(({ person }) => person.faces));
  const sorted = [...cards].sort((one, other) => other.person.faces - one.person.faces);
  /** @param {PersonCard} card */
  const isBystander = ({ person }) =>
    (person.verdict === "unknown" || person.decided === "ignored") && person.faces * 10 < most;
  const bystanders = sorted.filter(isBystander);
  const leads = sorted.filter(({ person }) => person.faces * 3 >= most);
  const others = sorted.filter((one) => !leads.includes(one) && !bystanders.includes(one));
  for (const card of [...others, ...bystanders]) card.element.classList.add("minor");
  return [
    confirmTogether(sorted),
    ...leads.map(({ element }) => element),
    ...(others.length ? [grid(others)] : []),
    ...(bystanders.length ? [folded(bystanders)] : []),
  ];
}

/** @param {PersonCard[]} cards */
function grid(cards) {
  return make("div", { class: "cast" }, ...cards.map(({ element }) => element));
}

/** @param {PersonCard[]} cards */
function folded(cards) {
  const words = `${count(cards.length, "bystander")}, seen only briefly`;
  return make("details", { class: "bystanders" }, make("summary", { text: words }), grid(cards));
}

/**
 * A button that confirms every sure match at once, and one that undoes it.
 *
 * @param {PersonCard[]} cards
 */
function confirmTogether(cards) {
  const bar = make("div", { class: "actions together" });
  let isOffering = true;
  const offer = () => {
    isOffering = true;
    const sure = cards.filter((card) => card.isSure());
    const words = `Confirm all ${sure.length} together: ${namesOf(sure)}`;
    const onclick = () => run(sure, (card) => card.confirm(), offerUndo);
    bar.hidden = sure.length < 2;
    bar.replaceChildren(makeButton(words, onclick));
  };
  /** @param {PersonCard[]} done */
  const offerUndo = (done) => {
    const onclick = () => run(done, (card) => card.takeBack(), offer);
    bar.replaceChildren(
      make("p", { role: "status", text: `Confirmed: ${namesOf(done)}.` }),
      makeButton("Undo all", onclick),
    );
  };
  /**
   * A card that fails says so itself.
   *
   * @param {PersonCard[]} chosen
   * @param {(card: PersonCard) => Promise<boolean>} act
   * @param {(done: PersonCard[]) => void} then
   */
  const run = async (chosen, act, then) => {
    isOffering = false;
    for (const button of bar.querySelectorAll("button")) button.disabled = true;
    const done = [];
    for (const card of chosen) if (await act(card)) done.push(card);
    if (done.length) then(done);
    else offer();
    bar.querySelector("button")?.focus();
  };
  for (const card of cards) card.onchange = () => isOffering && offer();
  offer();
  return bar;
}

/** @param {PersonCard[]} cards */
const namesOf = (cards) => cards.map(({ person }) => person.matches[0]?.name).join(", ");
