// The small panel that shows whether the server is ready.

import { byId, command, count, make, notice } from "./dom.js";
import { getJson, isMissing, wordsOf } from "./server.js";

export function startStatus() {
  const box = byId("status");
  let top = 0; // a scroll from before is told late
  box.addEventListener("click", () => (top = scrollY));
  box.addEventListener("toggle", () => {
    if (box.open) checkGallery();
  });
  for (const elsewhere of ["pointerdown", "focusin", "scroll"])
    addEventListener(elsewhere, ({ target, type }) => {
      const isInside = box.contains(/** @type {Node} */ (target));
      if (type === "scroll" ? scrollY !== top : !isInside) box.open = false;
    });
  addEventListener("token-given", refreshStatus);
  addEventListener("server-back", refreshStatus);
  addEventListener("server-gone", () => {
    byId("lamp").className = "lamp bad";
    byId("status-line").textContent = "No answer";
  });
  refreshStatus();
}

let asked = 0; // a slow answer must not replace a later one

export async function refreshStatus() {
  asked += 1;
  const question = asked;
  try {
    const ready = await getJson("/ready");
    if (question !== asked) return;
    byId("lamp").className = "lamp good";
    // Without the token, the server says no more.
    if (ready.performers === undefined) {
      byId("status-line").textContent = "Ready";
      return;
    }
    byId("status-line").textContent = `${count(ready.performers, "performer")}, ${ready.provider}`;
    showPanel(ready);
    greet(ready.performers === 0);
    if (ready.media_trouble) {
      byId("lamp").className = "lamp bad";
      byId("greeting").prepend(notice("No videos here", ready.media_trouble));
    }
  } catch (error) {
    if (question !== asked) return;
    byId("lamp").className = "lamp bad";
    byId("status-line").textContent = "Not ready";
    byId("status-panel").replaceChildren(make("p", { text: wordsOf(error) }));
    greet(false);
    if (isMissing(error)) await offerGallery(wordsOf(error));
  }
}

/** @param {ReadyReply} ready */
function showPanel(ready) {
  const facts = {
    Performers: ready.performers.toLocaleString("en"),
    Photos: ready.photos.toLocaleString("en"),
    Engine: ready.engine,
    "Runs on": ready.provider,
    "Videos decoded by": ready.decoder,
    Model: ready.model,
  };
  const list = make("dl");
  for (const [name, value] of Object.entries(facts))
    list.append(make("dt", { text: name }), make("dd", { text: value }));
  byId("status-panel").replaceChildren(list, make("ul", { id: "findings", class: "findings" }));
}

async function checkGallery() {
  const list = byId("findings");
  if (!list) return;
  list.replaceChildren(make("li", { text: "Checking the gallery …" }));
  try {
    const { findings } = await getJson("/gallery/check");
    list.replaceChildren(
      ...findings.map(({ level, found, remedy }) =>
        make("li", { class: level, text: remedy ? `${found} ${remedy}` : found }),
      ),
    );
  } catch (error) {
    list.replaceChildren(make("li", { class: "error", text: wordsOf(error) }));
  }
}

/** @param {boolean} isEmpty */
function greet(isEmpty) {
  byId("greeting").replaceChildren();
  if (!isEmpty) return;
  const welcome = notice(
    "Welcome. The gallery is empty, so everybody is unknown.",
    "There are four ways to fill it:",
  );
  welcome.append(
    make(
      "ol",
      {},
      make("li", { text: "Identify a video below, and name the unknown people." }),
      make(
        "li",
        {},
        make("a", { href: "#gallery", text: "Add a performer" }),
        " from photos that you drop on the page.",
      ),
      make(
        "li",
        {},
        "Import a folder of photos: ",
        command("python -m tools import folder photos/"),
      ),
      make(
        "li",
        {},
        "Import the performers of your Stash: ",
        command("python -m tools import stash --url URL"),
      ),
    ),
  );
  byId("greeting").append(welcome);
}

/** @param {string} message */
async function offerGallery(message) {
  const { createButton } = await import("./troubles.js"); // which few need, and which needs this
  byId("greeting").replaceChildren(
    notice(
      "There is no gallery",
      message,
      createButton(() => {}),
    ),
  );
}
