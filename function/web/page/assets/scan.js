// The scan of the library: its progress, and the buttons to start, pause and end it.

import {
  byId,
  chooseInDialog,
  clock,
  command,
  count,
  countBoth,
  make,
  makeButton,
  nameOf,
  notice,
} from "./dom.js";
import { getJson, postJson, wordsOf } from "./server.js";

const ASK_MS = 1000; // while it runs
const IDLE_MS = 10_000; // a scan may be started elsewhere
const NEWS_MS = 15_000; // a long library is not read again more often

/** @typedef {"/library/scan" | "/library/pause" | "/library/resume" | "/library/cancel"} Change */

/** @type {number | undefined} */
let waiting;
let buttons = ""; // what the buttons were made for
let told = ""; // what there was when the library was last read
let toldState = "";
let toldAt = 0;
/** @type {boolean | undefined} */
let isChosen; // what becomes of strangers
let isIdle = true;
let asked = 0;
/** @type {HTMLElement | null} How to begin, while nothing is scanned. */
let beginner = null;
/** @type {() => unknown} */
let onnews = () => {};

/**
 * Follow the scan while the library is shown; call `news` when there are results.
 *
 * @param {() => unknown} news
 */
export function watchScan(news) {
  onnews = news;
  told = "";
  follow();
}

async function follow() {
  asked += 1;
  const question = asked;
  let delay = IDLE_MS;
  try {
    const job = await getJson("/library/status");
    if (question !== asked) return; // what was asked later knows more
    showScan(job);
    if (job.state !== "idle") delay = ASK_MS;
  } catch (error) {
    showTrouble(error);
  }
  clearTimeout(waiting);
  waiting = setTimeout(() => byId("library").hidden || follow(), delay);
}

/** @param {unknown} error */
function showTrouble(error) {
  byId("scan-text").textContent = wordsOf(error);
  byId("scan-bar").hidden = true;
}

/** @param {JobReply} job */
function showScan(job) {
  isIdle = job.state === "idle";
  if (beginner) beginner.hidden = !isIdle;
  isChosen = job.strangers !== "";
  const { queued, working, done, failed } = both(job);
  byId("scan-text").textContent = wordsFor(job);
  byId("scan-bar").hidden = job.state === "idle" || job.state === "looking";
  byId("scan-bar").max = Math.max(1, done + failed + queued + working);
  const partly = job.now.map(({ progress }) => progress.done / Math.max(progress.of, 1));
  byId("scan-bar").value = partly.reduce((sum, part) => sum + part, done + failed);
  showButtons(job);
  tellNews(job);
}

/**
 * How many videos and albums are in each state.
 *
 * @param {JobReply} job
 * @returns {CountsReply}
 */
function both({ videos, albums }) {
  const sum = { ...videos };
  for (const state of /** @type {(keyof CountsReply)[]} */ (Object.keys(sum)))
    sum[state] += albums[state];
  return sum;
}

/** @param {JobReply} job */
function tellNews(job) {
  const { state } = job;
  const { done, failed, gone } = both(job);
  const news = JSON.stringify([state, done, failed, gone]);
  const isSoon = state === toldState && state !== "idle" && Date.now() - toldAt < NEWS_MS;
  if (news === told || isSoon) return;
  const isFirst = !told;
  told = news;
  toldState = state;
  toldAt = Date.now();
  if (!isFirst) onnews();
}

/** @param {CountsReply} counts */
const known = ({ queued, working, done, failed }) => queued + working + done + failed;

/** @param {JobReply} job */
function wordsFor(job) {
  const { state, videos, albums, now, seen } = job;
  const { done, failed } = both(job);
  const first = now[0];
  const whole = `${(done + failed).toLocaleString("en")} of ${countBoth(known(videos), known(albums))}`;
  switch (state) {
    case "looking":
      return `Looking … ${count(seen, "file")} so far`;
    case "waiting":
      return `${whole} done. The rest waits for the hours set by SCAN_HOURS.`;
    case "paused":
      return `${whole} done. Paused.`;
    case "scanning":
      if (!first) return `${whole} done`;
      return `${whole} done. Now ${nameOf(first.path)}: ${progressOf(first)}, ${count(first.progress.faces, "face")}`;
    case "idle":
      return done + failed
        ? `${countBoth(videos.done, albums.done)} scanned${failed ? `, ${failed.toLocaleString("en")} failed` : ""}.`
        : "A scan looks at everything in the media folder once, and remembers who is in it.";
  }
}

/** @param {AtWorkReply} now */
function progressOf({ kind, progress }) {
  if (kind === "album") return `${progress.done} of ${count(progress.of, "picture")}`;
  return `${clock(progress.done)} of ${clock(progress.of)}`;
}

/** @param {JobReply} job */
function showButtons(job) {
  const { state, pictures } = job;
  const { failed } = both(job);
  const isNew = state === "idle" && !Object.values(both(job)).some(Boolean);
  byId("scan-actions").hidden = isNew; // the buttons are below, with what they do
  const needed = state === "idle" ? `idle ${failed > 0}` : String(state === "paused");
  if (needed === buttons) return; // the one with the focus stays
  buttons = needed;
  const row = byId("scan-actions");
  const hadFocus = row.contains(document.activeElement);
  if (state === "idle") {
    const box = make("input", { type: "checkbox", checked: pictures });
    row.replaceChildren(
      makeButton("Scan for new videos", () => scan({ pictures: box.checked })),
      make(
        "label",
        { class: "option", title: "Folders of pictures, and zip archives" },
        box,
        "pictures too",
      ),
      failed ? makeButton("Try those again", () => scan({ retry: true })) : "",
    );
  } else {
    const verb = state === "paused" ? "resume" : "pause";
    row.replaceChildren(
      makeButton(verb === "pause" ? "Pause" : "Resume", () => change(`/library/${verb}`, {})),
      makeButton("Cancel", () => change("/library/cancel", {})),
    );
  }
  if (hadFocus) row.querySelector("button")?.focus();
}

/** How to begin, in place of the list while nothing is scanned. */
export function beginning() {
  if (beginner) return beginner;
  const more = "Folders and zip archives of pictures become albums: ";
  beginner = notice(
    "Nothing is scanned yet",
    "Scan once, and see here who is in which video, and when. You may close the page meanwhile.",
    makeButton("Scan all videos", () => scan({ pictures: false }), { class: "primary" }),
    makeButton("Scan videos and pictures", () => scan({ pictures: true })),
  );
  beginner.hidden = !isIdle;
  beginner.append(
    make("p", { class: "detail" }, "Or in a terminal: ", command("python -m tools scan /videos")),
    make("p", { class: "detail" }, more, command("python -m tools scan /videos --pictures")),
  );
  return beginner;
}

/**
 * @template {Change} Asked
 * @param {Asked} path
 * @param {Fields[Asked]} fields
 */
async function change(path, fields) {
  try {
    await postJson(path, fields);
    await follow();
  } catch (error) {
    showTrouble(error);
  }
}

/**
 * Scan; before the first scan, ask what becomes of strangers.
 *
 * @param {Fields["/library/scan"]} fields
 */
export async function scan(fields) {
  if (isChosen === undefined) await follow();
  if (isChosen) return change("/library/scan", fields);
  const strangers = await chooseInDialog(
    "Keep the faces of people you did not enrol?",
    [
      "Keep: name them later, in all videos at once, without another scan. They take up to 36 KB for each person in a video, in a file that only you can read.",
      "Keep for 90 days: each scan erases those of videos scanned longer ago.",
      "Do not keep: to name one later, the videos have to be scanned again.",
      "This is asked once. The setting STRANGERS changes it later.",
    ],
    { text: "Not now" },
    { value: "keep", text: "Keep", isHarmless: true },
    { value: "90d", text: "Keep for 90 days", isHarmless: true },
    { value: "off", text: "Do not keep", isHarmless: true },
  );
  if (strangers) await change("/library/scan", { ...fields, strangers });
}
