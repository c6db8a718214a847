// The types that the page's modules share with each other and with the server. Only the type checker
// reads this; tests/function/web/page/test_types.py compares it with the server's own types and the ids of index.html.

// What the server replies, under the names used in its own code.

interface MatchReply {
  name: string;
  poster: string;
  score: number;
  urls: string[];
  id: string;
  hints: ("path" | "tag")[];
  stash_ids: StashIdReply[];
  sources: SourceReply[];
}

interface StashIdReply {
  endpoint: string;
  stash_id: string;
}

interface SourceReply {
  source: string;
  id: string;
}

interface PersonReply {
  image: string;
  matches: MatchReply[];
  verdict: "match" | "uncertain" | "unknown";
  appearances: [number, number][];
  faces: number;
  best_seconds: number;
}

interface ProgressReply {
  done: number;
  of: number;
  faces: number;
}

interface WaitingReply {
  ahead: number;
}

interface ListedReply {
  id: number;
  name: string;
  disambiguation: string;
  photos: number;
  thumbnail: string;
}

interface PhotoReply {
  hash: string;
  origin: string;
  quality: number;
  remark: string;
  face: string;
}

interface FileEntry {
  name: string;
  path: string;
  bytes: number;
}

interface FolderEntry {
  name: string;
  path: string;
}

interface FolderReply {
  folder: string;
  crumbs: FolderEntry[];
  folders: FolderEntry[];
  videos: FileEntry[];
  pictures: FileEntry[];
  left_out: number;
}

interface NamedInBrief {
  performer: number;
  score: number;
  verdict: "match" | "uncertain" | "unknown";
}

interface VideoInBrief {
  oshash: string;
  path: string;
  kind: "video" | "album";
  state: "queued" | "working" | "done" | "failed" | "gone";
  reason: string;
  duration_seconds: number;
  picture_count: number;
  named: NamedInBrief[];
  strangers: number;
  unreadable_seconds: number;
}

interface PerformerInBrief {
  id: number;
  name: string;
}

interface OverviewReply {
  videos: VideoInBrief[];
  performers: PerformerInBrief[];
  next: number | null;
  stale: boolean;
}

interface PersonListed {
  person: number;
  performer: string | null;
  performer_id: string | null;
  stash_ids: Record<string, string>[];
  score: number;
  verdict: "match" | "uncertain" | "unknown";
  appearances: [number, number][];
  faces: number;
  best_seconds: number;
  decided: string;
  pictures: number[];
}

interface PicturedPerson {
  person: number;
  performer: string | null;
  performer_id: string | null;
  stash_ids: Record<string, string>[];
  score: number;
  verdict: "match" | "uncertain" | "unknown";
  appearances: [number, number][];
  faces: number;
  best_seconds: number;
  decided: string;
  pictures: number[];
  image: string;
}

interface FaceListed {
  person: number;
  area: number[];
}

interface PictureListed {
  number: number;
  name: string;
  reason: string;
  faces: FaceListed[];
}

interface NumberedVideo {
  path: string;
  other_paths: string[];
  kind: "video" | "album";
  picture_count: number;
  oshash: string;
  duration_seconds: number;
  state: "queued" | "working" | "done" | "failed" | "gone";
  reason: string;
  depth: string;
  scanned_at: string;
  strangers_left_out: number;
  unreadable_seconds: number;
  people: PersonListed[];
  id: number;
}

interface VideoReply {
  video: NumberedVideo;
  people: PicturedPerson[];
  pictures: PictureListed[];
  decisions: DecisionListed[];
  stale: boolean;
}

interface VideosReply {
  videos: NumberedVideo[];
  next: number | null;
  stale: boolean;
}

interface CountsReply {
  queued: number;
  working: number;
  done: number;
  failed: number;
  gone: number;
}

interface AtWorkReply {
  path: string;
  kind: "video" | "album";
  progress: ProgressReply;
}

interface JobReply {
  state: "idle" | "looking" | "scanning" | "waiting" | "paused";
  seen: number;
  videos: CountsReply;
  albums: CountsReply;
  now: AtWorkReply[];
  strangers: string;
  pictures: boolean;
}

interface StrangerReply {
  id: number;
  ignored: boolean;
  videos: string[];
  albums: number;
  faces: number;
  days: string[];
  pictures: string[];
}

interface StrangersReply {
  strangers: StrangerReply[];
  next: string | null;
  total: number;
  ungrouped: number;
  kept: string;
  stale: boolean;
}

interface SeenReply {
  sighting: string;
  oshash: string;
  path: string;
  kind: "video" | "album";
  duration_seconds: number;
  appearances: [number, number][];
  best_seconds: number;
  pictures: number[];
  picture: string;
}

interface OneStrangerReply {
  stranger: StrangerReply;
  seen: SeenReply[];
}

interface FillingReply {
  done: number;
  of: number;
}

interface NamedReply {
  performer: number;
  name: string;
  views: number;
  videos: number;
  filled_in: number;
  uncertain: number;
  still_unknown: number;
  correction: string;
}

interface UnnamedReply {
  performer: number;
  name: string;
  views: number;
}

interface IgnoredReply {
  id: number;
  ignored: boolean;
}

interface SplitReply {
  id: number;
  new_id: number;
}

interface JoinedReply {
  id: number;
  joined: string[];
}

interface ReviewedReply {
  sighting: string;
  oshash: string;
  path: string;
  kind: "video" | "album";
  duration_seconds: number;
  scanned_at: string;
  person: number;
  performer: number;
  name: string;
  score: number;
  picture: string;
  poster: string;
  appearances: [number, number][];
  best_seconds: number;
  pictures: number[];
}

interface ReviewReply {
  people: ReviewedReply[];
  total: number;
  next: string | null;
  stale: boolean;
}

interface DecisionListed {
  id: number;
  kind: "confirmed" | "rejected" | "ignored" | "named" | "unreadable";
  at: string;
  performer: string | null;
  performer_id: string | null;
  oshash: string;
  path: string;
  person: number | null;
  picture: string;
  appearances: [number, number][];
  pictures: number[];
  damaged: string[];
}

interface DecisionsReply {
  decisions: DecisionListed[];
  next: number | null;
}

interface DecidedReply {
  decision: number;
}

interface TakenBackReply {
  taken_back: number;
  views: number;
}

interface PhotoNumber {
  performer: string;
  performer_id: number;
  number: number;
}

/** function/matching/audits.py calls it Finding. */
interface AuditFinding {
  kind:
    | "photo_nearer_to_another"
    | "photo_unlike_the_rest"
    | "duplicate_photos"
    | "performers_too_alike"
    | "no_photos";
  performers: string[];
  performer_ids: number[];
  photos: PhotoNumber[];
  distance: number | null;
  advice: string;
}

interface Audit {
  performers: number;
  photos: number;
  total: number;
  findings: AuditFinding[];
}

interface CheckFinding {
  level: "ok" | "mended" | "warning" | "error";
  found: string;
  remedy: string;
}

interface PerformerReply {
  id: number;
  name: string;
  disambiguation: string;
  aliases: string[];
  urls: string[];
  source: string;
  thumbnail: string;
  photos: PhotoReply[];
}

interface ReadyReply {
  status: "ready";
  engine: string;
  provider: string;
  decoder: string;
  model: string;
  second_model: string | null;
  second_licence: string | null;
  performers: number;
  photos: number;
  media_trouble: string;
}

/** The reply without the token. */
interface LittleReadyReply {
  status: "ready";
  performers?: undefined;
}

interface CorrectionReply {
  correction: string;
  said: string;
  performer: number;
}

interface NamedHereReply {
  decision: number;
  performer: number;
  views: number;
}

/** One line of the answer to a video. */
type Line =
  | { waiting: WaitingReply; progress?: undefined }
  | { progress: ProgressReply; waiting?: undefined }
  | { result: PersonReply[]; id: string; waiting?: undefined; progress?: undefined };

/** One line of the answer to a name. */
type NamingLine =
  | { filling: FillingReply; named?: undefined }
  | { named: NamedReply; filling?: undefined };

/** One line of what each URL replies that is asked for lines; errors are thrown. */
interface Lines {
  "/": Line;
  "/library/strangers/name": NamingLine;
}

/** What is sent to each of these. */
interface LinesFields {
  "/": { path: string };
  "/library/strangers/name": Fields["/library/strangers/name"];
}

/** What each URL replies. */
interface Replies {
  "/ready": ReadyReply | LittleReadyReply;
  "/videos": FolderReply;
  "/play": { result: string };
  "/corrections/assign": CorrectionReply;
  "/corrections/name": CorrectionReply;
  "/corrections/reject": CorrectionReply;
  "/corrections/undo": { undone: true };
  "/library/overview": OverviewReply;
  "/library/video": VideoReply;
  "/library/people": VideosReply;
  "/library/name": NamedHereReply;
  "/library/status": JobReply;
  "/library/scan": JobReply;
  "/library/pause": JobReply;
  "/library/resume": JobReply;
  "/library/cancel": JobReply;
  "/library/strangers": StrangersReply;
  "/library/stranger": OneStrangerReply;
  "/library/strangers/name": NamedReply;
  "/library/strangers/unname": UnnamedReply;
  "/library/strangers/ignore": IgnoredReply;
  "/library/strangers/split": SplitReply;
  "/library/strangers/join": JoinedReply;
  "/library/review": ReviewReply;
  "/library/decisions": DecisionsReply;
  "/library/decide": DecidedReply;
  "/library/undecide": TakenBackReply;
  "/gallery": { performers: ListedReply[]; total: number };
  "/gallery/performer": PerformerReply;
  "/gallery/check": { findings: CheckFinding[] };
  "/gallery/audit": Audit;
  "/gallery/photos": { added: boolean; id: number; remark: string };
  "/gallery/create": { created: string };
  "/gallery/rename": { renamed: number };
  "/gallery/remove-alias": { removed: number };
  "/gallery/merge": { merged: number };
  "/gallery/remove-photo": { removed: number };
  "/gallery/forget": { forgotten: number; sightings: number };
}

/** A URL that replies with JSON, with or without a query. */
type Address = keyof Replies | `${keyof Replies}?${string}`;

type ReplyOf<Asked extends Address> = Asked extends keyof Replies
  ? Replies[Asked]
  : Asked extends `${infer Path extends keyof Replies}?${string}`
    ? Replies[Path]
    : never;

/** What is sent to each URL that changes something. */
interface Fields {
  "/play": { path: string };
  "/corrections/assign": PersonOfResult & { performer: number; instead_of: number };
  "/corrections/name": PersonOfResult & { name: string; new: boolean; instead_of: number };
  "/corrections/reject": PersonOfResult & { performer: number };
  "/corrections/undo": { correction: string };
  "/library/scan": {
    retry?: boolean;
    again?: boolean;
    strangers?: string;
    pictures?: boolean;
  };
  "/library/pause": Record<string, never>;
  "/library/resume": Record<string, never>;
  "/library/cancel": Record<string, never>;
  "/library/strangers/name": { stranger: number; name: string; same?: number; new?: boolean };
  "/library/strangers/unname": { performer: number };
  "/library/strangers/ignore": { stranger: number; ignored: boolean };
  "/library/strangers/split": { stranger: number; sightings: string[] };
  "/library/strangers/join": { kept: number; other: number };
  "/library/decide": PersonOfVideo & {
    kind: "confirmed" | "rejected" | "ignored";
    performer?: number;
  };
  "/library/name": PersonOfVideo & { name: string; new: boolean };
  "/library/undecide": { decision: number };
  "/gallery/create": Record<string, never>;
  "/gallery/rename": { id: number; name: string; new: boolean };
  "/gallery/remove-alias": { id: number; alias: string };
  "/gallery/merge": { kept: number; absorbed: number };
  "/gallery/remove-photo": { id: number; photo: string };
  "/gallery/forget": { id: number };
}

/** The id of a result, and the number of a person in it. */
interface PersonOfResult {
  result: string;
  person: number;
}

/** A video by its fingerprint, and when it was scanned that what is asked refers to. */
interface VideoAsked {
  oshash: string;
  scanned_at: string;
}

interface PersonOfVideo extends VideoAsked {
  person: number;
}

// What the modules share.

/**
 * A person as a card shows them; `decided` is what the user said, empty if nothing, and `said` lists
 * all that can be taken back.
 */
interface PersonShown extends PersonReply {
  decided?: string;
  pictures?: number[];
  said?: DecisionListed[];
}

/**
 * A correction that was made: what to say of it, about which performer, and how to undo it;
 * `decision` is its number, if it is listed.
 */
interface Corrected {
  decision?: number;
  said: string;
  performer: number | null;
  undo: () => Promise<unknown>;
}

/** When somebody is seen: a link to it, and the class of that. */
interface Moment {
  at: number;
  text: string;
  label: string;
  kind: string;
}

/** A picture, in which album, and the names of who is on it. */
interface PictureShown {
  album: NumberedVideo;
  picture: PictureListed;
  who: string[];
}

/** What the user says in a review. */
type Answer = "confirmed" | "rejected" | "ignored" | "skipped";

type StrangerCard = import("./assets/stranger.js").StrangerCard;

type PersonCard = import("./assets/person.js").PersonCard;

/** A performer in brief. */
interface Named {
  id: number;
  name: string;
}

/** Sends corrections of one person; `instead` is whom the card offers, or 0. */
interface Corrector {
  confirm: (who: Named, instead: number) => Promise<Corrected>;
  name: (name: string, isNew: boolean, instead: number) => Promise<Corrected>;
  reject: (who: Named) => Promise<Corrected>;
  ignore?: () => Promise<Corrected>;
  takeBack?: (decision: number) => Promise<unknown>;
  refresh?: () => Promise<PersonShown | null>;
}

// What is on the page.

/** The elements of index.html that have an id, each with its tag. */
interface TagsById {
  status: "details";
  lamp: "span";
  "status-line": "span";
  "status-panel": "div";
  main: "main";
  fault: "div";
  identify: "section";
  "identify-title": "h1";
  greeting: "div";
  ask: "form";
  path: "input";
  go: "button";
  browser: "section";
  "browser-title": "h2";
  crumbs: "nav";
  files: "ul";
  progress: "section";
  "progress-title": "h2";
  bar: "progress";
  "progress-text": "p";
  cancel: "button";
  trouble: "div";
  results: "section";
  "results-title": "h2";
  player: "div";
  people: "div";
  library: "section";
  "library-title": "h1";
  "scan-text": "p";
  "scan-bar": "progress";
  "scan-actions": "div";
  filters: "form";
  "library-text": "input";
  "library-performer": "select";
  "library-verdict": "select";
  "library-kind": "select";
  states: "div";
  "library-found": "p";
  "library-said": "div";
  videos: "div";
  video: "section";
  strangers: "section";
  "strangers-title": "h1";
  "strangers-which": "div";
  "strangers-found": "p";
  "strangers-list": "div";
  "strangers-more": "button";
  joining: "div";
  review: "section";
  "review-title": "h1";
  "review-trouble": "div";
  "review-text": "p";
  "review-bar": "progress";
  "review-person": "div";
  "review-answers": "div";
  "review-said": "div";
  gallery: "section";
  "gallery-title": "h1";
  search: "input";
  found: "p";
  new: "details";
  "new-name": "input";
  "new-photos": "div";
  audit: "details";
  "audit-count": "span";
  "audit-findings": "ul";
  grid: "div";
  more: "button";
  performer: "section";
  dialog: "dialog";
}

/** Elements that come and go. */
interface MadeById {
  findings: HTMLUListElement | null;
  "change-trouble": HTMLDivElement | null;
}

type ById = { [Id in keyof TagsById]: HTMLElementTagNameMap[TagsById[Id]] } & MadeById;

type Child = Node | string | null | undefined;

/** What `make` gives to an element. */
interface Properties {
  text?: string;
  onclick?: (event: MouseEvent) => unknown;
  onmousedown?: (event: MouseEvent) => unknown;
  onsubmit?: (event: SubmitEvent) => unknown;
  [attribute: string]: string | number | boolean | null | undefined | ((event: never) => unknown);
}

/** A button of a dialog. */
interface Choice {
  value: string;
  text: string;
  isHarmless?: boolean;
}

interface SendOptions {
  method?: "GET" | "POST";
  body?: BodyInit | null;
  type?: string | null;
  accept?: string;
  signal?: AbortSignal;
}

interface ChooserOptions {
  onchoose: (performer: ListedReply) => unknown;
  onname?: (name: string) => unknown;
  leaveOut?: ReadonlySet<number>;
  nameFirst?: boolean;
}

/** Whose photos are sent: a performer's, or somebody's new; `isNew` where another has the name. */
interface PhotosOf {
  id?: number;
  name?: string;
  isNew?: boolean;
}

interface PhotoDropOptions {
  whose: () => PhotosOf | null;
  missing: string;
  ondone: () => unknown;
  field?: HTMLElement;
}

/** What plays moments of a video; see player.js. */
interface Player {
  play: (seconds: number, fallback: string) => Promise<void>;
  close: () => void;
}

/** A video that is being played, and where pictures of its moments are. */
interface Opened {
  video: HTMLVideoElement;
  title: string;
  frames: string;
}
