// Says of two strangers that they are one.

import { byId, find, make, makeButton } from "./dom.js";
import { postJson } from "./server.js";

/** @type {StrangerCard | null} */
let joining = null; // whose other card is being looked for
const hint = byId("joining");

addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && joining && !byId("strangers").hidden) endJoining();
});

/** @param {StrangerCard} card */
export function startJoining(card) {
  endJoining();
  joining = card;
  card.element.classList.add("meant");
  byId("strangers-list").classList.add("joining-now");
  hint.replaceChildren(
    make("p", { text: "Now press “It is this one” where the same person is listed again." }),
    makeButton("Cancel", endJoining),
  );
  hint.hidden = false;
}

export function endJoining() {
  byId("strangers-list").classList.remove("joining-now");
  hint.hidden = true;
  joining?.element.classList.remove("meant");
  // What offered it takes the focus, now that it is seen again.
  if (joining) find(joining.element, ".join-start")?.focus();
  joining = null;
}

/** @param {StrangerCard} other */
export async function join(other) {
  const kept = joining;
  if (!kept || kept === other) return;
  await other.attempt(async () => {
    const both = { kept: kept.one.id, other: other.one.id };
    const { joined } = await postJson("/library/strangers/join", both);
    endJoining();
    const undo = async () => {
      const fields = { stranger: kept.one.id, sightings: joined };
      const { new_id: id } = await postJson("/library/strangers/split", fields);
      await Promise.all([kept.show(`id=${kept.one.id}`), other.show(`id=${id}`)]);
    };
    await kept.show(`id=${kept.one.id}`);
    other.settle("Joined: both are one stranger now.", undo);
  });
}
