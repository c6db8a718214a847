// From a folder to a video to the people in it.

import { byId, clock, count, make, makeButton, nameOf, notice, small } from "./dom.js";
import { makePlayer } from "./player.js";
import { codeOf, getJson, isAbort, postForLines, wordsOf } from "./server.js";
import { refreshStatus } from "./status.js";

/** @type {Record<string, string>} */
const WHAT_TO_DO = {
  video_not_found: "No such video",
  unreadable_video: "This cannot be read as a video",
  video_over_limit: "Over the limit",
  outside_media_root: "Outside the media folder",
  gallery_unavailable: "The gallery cannot be read",
  engine_unavailable: "The engine cannot run",
  busy: "Busy with other videos",
  time_limit: "It took too long",
  server_gone: "No answer from the server",
  unauthorized: "Token needed",
};

/** @type {AbortController | null} What stops what is running. */
let work = null;

/** @type {Player | null} */
let player = null;

export function startIdentify() {
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    identify(byId("path").value);
  });
  byId("cancel").addEventListener("click", () => work?.abort());
  openFolder("");
}

/** @param {string} folder */
async function openFolder(folder, focus = false) {
  try {
    showFolder(await getJson(`/videos?folder=${encodeURIComponent(folder)}`));
    if (focus) byId("browser").querySelector("button")?.focus();
  } catch (error) {
    byId("files").replaceChildren(
      make(
        "li",
        {},
        trouble(error, () => openFolder(folder, true)),
      ),
    );
  }
}

/** @param {FolderReply} reply */
function showFolder({ folder, crumbs, folders, videos, pictures, left_out: leftOut }) {
  byId("crumbs").replaceChildren(...crumbs.map(crumb));
  const rows = [
    ...folders.map((one) => fileRow("folder", one.name, "", () => openFolder(one.path, true))),
    ...videos.map((one) => fileRow("video", one.name, size(one.bytes), () => choose(one.path))),
    ...pictures.map((one) => fileRow("photo", one.name, size(one.bytes), () => choose(one.path))),
  ];
  if (leftOut)
    rows.push(
      make("li", {
        text: `${count(leftOut, "more entry", "more entries")}; type the path instead.`,
      }),
    );
  if (!rows.length) {
    rows.push(
      make(
        "li",
        { class: "empty" },
        notice(
          "Nothing to choose here",
          folder
            ? "This folder holds no videos, no pictures and no folders."
            : "The media folder holds no videos and no pictures. Start the server with the right folder: make run MEDIA=/path/to/your/videos.",
        ),
      ),
    );
  }
  byId("files").replaceChildren(...rows);
}

/**
 * @param {FolderEntry} entry
 * @param {number} index
 * @param {FolderEntry[]} all
 */
function crumb({ name, path }, index, all) {
  return makeButton(name, () => openFolder(path, true), {
    "aria-current": index === all.length - 1 ? "location" : null,
  });
}

/**
 * @param {"folder" | "video" | "photo"} kind
 * @param {string} name
 * @param {string} detail
 * @param {() => unknown} onclick
 */
function fileRow(kind, name, detail, onclick) {
  const label = make("span", { class: "name", text: name });
  const button = make("button", { type: "button", class: kind, onclick }, label, small(detail));
  return make("li", {}, button);
}

/** @param {number} bytes */
function size(bytes) {
  if (!bytes) return "empty";
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/**
 * Identify a video that was chosen.
 *
 * @param {string} path
 */
export function choose(path) {
  byId("path").value = path;
  identify(path);
}

/** @param {string} path */
async function identify(path) {
  work?.abort();
  const own = new AbortController();
  work = own;
  startLooking();
  try {
    await look(path, own.signal);
  } catch (error) {
    if (work !== own) return;
    if (isAbort(error))
      byId("trouble").replaceChildren(
        calm(notice("Cancelled", "The server has stopped working on this video.")),
      );
    else byId("trouble").replaceChildren(trouble(error, () => identify(path)));
    byId("trouble").scrollIntoView({ block: "nearest" });
  } finally {
    if (work === own) {
      byId("progress").hidden = true;
      byId("go").disabled = false;
      if (document.activeElement === document.body) byId("go").focus();
    }
  }
}

function startLooking() {
  byId("trouble").replaceChildren();
  byId("results").hidden = true;
  byId("bar").removeAttribute("value");
  byId("progress-text").textContent = "Opening the video …";
  byId("progress").hidden = false;
  byId("go").disabled = true;
  byId("cancel").focus();
  player?.close();
}

/**
 * @param {string} path
 * @param {AbortSignal} signal
 */
async function look(path, signal) {
  const cards = loadCards();
  cards.catch(() => {}); // it is awaited below, if there is a result
  let seconds = 0;
  let started = performance.now();
  for await (const line of postForLines("/", { path }, signal)) {
    if (line.waiting) {
      showWaiting(line.waiting);
      started = 0;
    } else if (line.progress) {
      started ||= performance.now();
      seconds = line.progress.of;
      showProgress(line.progress, (performance.now() - started) / 1000);
    } else {
      const [{ PersonCard }, { arrangePeople }, { ofResult }] = await cards;
      const playing = makePlayer(byId("player"), nameOf(path), async () => line.id);
      player = playing;
      const people = line.result.map((person, number) => {
        const corrector = ofResult({ result: line.id, person: number });
        return new PersonCard(person, seconds, playing.play, corrector);
      });
      showResult(nameOf(path), arrangePeople(people), people.length);
    }
  }
}

/** What the cards need is loaded while the video is searched. */
function loadCards() {
  return Promise.all([import("./person.js"), import("./cast.js"), import("./corrections.js")]);
}

/** @param {WaitingReply} waiting */
function showWaiting({ ahead }) {
  const others = ahead ? `, and ${count(ahead, "other")} before this one` : "";
  byId("bar").removeAttribute("value");
  byId("progress-text").textContent =
    `Waiting in line: another video is being searched${others}. Cancel leaves the line.`;
}

/**
 * @param {ProgressReply} progress
 * @param {number} elapsed
 */
function showProgress({ done, of, faces }, elapsed) {
  byId("bar").max = of;
  byId("bar").value = done;
  const left =
    done > 0 && elapsed > 2
      ? `, about ${Math.max(1, Math.round((elapsed * (of - done)) / done))} s left`
      : "";
  byId("progress-text").textContent =
    `${clock(done)} of ${clock(of)} of video, ${count(faces, "face")} so far${left}`;
}

/**
 * @param {string} name
 * @param {HTMLElement[]} cards
 * @param {number} people
 */
function showResult(name, cards, people) {
  byId("results-title").textContent = people
    ? `${count(people, "person", "people")} in ${name}`
    : `No face in ${name}`;
  byId("people").replaceChildren(...cards);
  if (!people) {
    byId("people").replaceChildren(
      notice(
        "No face found",
        "No face is large enough (28 pixels wide in 1080p, 56 in 4K), or all are seen from behind. A lower EVERY_SECONDS finds brief appearances.",
      ),
    );
  }
  byId("results").hidden = false;
  byId("results-title").focus();
  byId("results").scrollIntoView({ block: "start" });
  refreshStatus();
}

/**
 * A notice of what the user did, in a place where errors are shown.
 *
 * @param {HTMLElement} element
 */
function calm(element) {
  element.classList.add("calm");
  return element;
}

/**
 * @param {unknown} error
 * @param {() => unknown} again
 */
function trouble(error, again) {
  const retry = makeButton("Try again", again);
  return notice(WHAT_TO_DO[codeOf(error)] ?? "Something went wrong", wordsOf(error), retry);
}
