// Asks whose name it is when somebody enrolled has it.

import { chooseInDialog, count } from "./dom.js";
import { facesOf } from "./faces.js";
import { getJson, performersOf } from "./server.js";

/**
 * Ask whether somebody is one of those who have the name. Returns that one, "new" for somebody else,
 * or null if the user goes back.
 *
 * @param {unknown} error What the server said: it knows who has the name.
 * @param {string} name
 * @param {ReadonlySet<number>} leaveOut Who is not meant, as the user said.
 */
export async function askWhetherSame(error, name, leaveOut) {
  const ids = performersOf(error).filter((id) => !leaveOut.has(id));
  const known = await Promise.all(ids.map((id) => getJson(`/gallery/performer?id=${id}`)));
  const [first] = known;
  const words = first
    ? `${first.name} is enrolled already. Is this the same person?`
    : `You said that this is not the ${name} who is enrolled. Is it somebody else of that name?`;
  const chosen = await chooseInDialog(
    "The same person?",
    [words, ...(known.length ? [facesOf(known)] : [])],
    { text: "Back" },
    ...known.map((one) => ({
      value: String(one.id),
      isHarmless: true,
      text: `The same: ${one.name}, ${count(one.photos.length, "photo")}`,
    })),
    { value: "new", isHarmless: true, text: "Somebody else of that name" },
  );
  if (chosen === "new") return chosen;
  return known.find((one) => String(one.id) === chosen) ?? null;
}
