// What the plugin's scripts share with each other, with Stash's page and with the server. Only the
// type checker reads this; it is not in the package.

declare namespace Recognition {
  type Element = object | string | number | null | false | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: components of another program, of any shape
  type Component = (props: any) => Element;
  type Setter<Value> = (value: Value | ((before: Value) => Value)) => void;

  interface React {
    createElement(
      kind: string | Component,
      properties?: object | null,
      ...children: unknown[]
    ): object;
    Fragment: Component;
    useState<Value>(first: Value): [Value, Setter<Value>];
    useEffect(effect: () => (() => void) | undefined, on: unknown[]): void;
    useCallback<Work extends (...given: never[]) => unknown>(work: Work, on: unknown[]): Work;
    useRef<Value>(first: Value): { current: Value };
  }

  interface Client {
    mutate(asked: { mutation: unknown; variables: object }): Promise<{
      data: { runPluginOperation: unknown };
    }>;
    query(asked: { query: unknown; variables: object }): Promise<{
      data: { findPerformers: { performers: { id: string; name: string }[] } };
    }>;
    refetchQueries(which: { include: unknown[] }): unknown;
  }

  interface StashPage {
    React: React;
    GQL: {
      FindSceneDocument: unknown;
      FindImageDocument: unknown;
      FindGalleryDocument: unknown;
      useConfigurationQuery(): {
        data?: { configuration: { plugins: Record<string, Record<string, unknown> | undefined> } };
      };
    };
    libraries: {
      Apollo: { gql(document: string): unknown };
      Bootstrap: {
        Alert: Component;
        Badge: Component;
        Button: Component;
        Form: { Control: Component };
        Nav: { Item: Component; Link: Component };
        ProgressBar: Component;
        Spinner: Component;
        Tab: { Pane: Component };
      };
      ReactRouterDOM: { Link: Component };
      FontAwesomeSolid: { faUserCheck: object };
    };
    components: { Icon: Component };
    utils: { StashService: { getClient(): Client } };
    hooks: { useToast(): { success(text: string): void; error(error: unknown): void } };
    patch: {
      // biome-ignore lint/suspicious/noExplicitAny: the properties of Stash's own components
      before(component: string, change: (...given: any[]) => unknown[]): void;
      // biome-ignore lint/suspicious/noExplicitAny: the properties of Stash's own components
      after(component: string, change: (...given: any[]) => Element): void;
    };
  }

  type Kind = "scene" | "image" | "gallery";

  /** A scene, image or gallery, as the server is asked about it. */
  interface Subject {
    kind: Kind;
    id: string;
    files: { path: string; size: number; oshash: string }[];
  }

  interface Match {
    performer: string;
    stash_id: string;
    name: string;
    score: number;
    poster: string;
    urls: string[];
  }

  interface Person {
    person: number;
    verdict: "match" | "uncertain" | "unknown";
    bystander: boolean;
    image: string;
    faces: number;
    best_seconds: number;
    appearances: [number, number][];
    pictures: number[];
    matches: Match[];
    tagged: boolean;
    added: boolean;
    markers: number;
  }

  interface View {
    state: "unseen" | "queued" | "working" | "done" | "failed" | "elsewhere";
    reason: string;
    changed: boolean;
    unseen: number;
    progress: { done: number; of: number } | null;
    people: Person[];
    strangers_left_out: number;
    written: number;
    stash: string;
  }

  /** What is queued, done, and was written. */
  interface Status {
    connected: boolean;
    stash_version: string;
    queued: number;
    working: number;
    tasks: { id: number; kind: string; state: string; text: string; done: number; of: number }[];
    without_photo: WithoutPhoto[];
  }

  interface WithoutPhoto {
    stash_id: string;
    reason: string;
  }

  interface Line {
    ok: boolean;
    text: string;
  }

  interface Name {
    name: string;
    stash_id?: string;
    performer?: string;
    disambiguation?: string;
    stash_ids?: { endpoint: string; stash_id: string }[];
    told_apart_by?: string;
  }

  interface Untagged {
    id: string;
    title: string;
    score: number;
    appearances: [number, number][];
    person: number;
    performer: string;
  }

  /** What base.js gives the other files. */
  interface Base {
    h: React["createElement"];
    Button: Component;
    Icon: Component;
    ask<Answer>(operation: string, fields?: object): Promise<Answer>;
    clock(seconds: number): string;
    percent(score: number): string;
    counted(number: number, noun: string): string;
    settings(): Record<string, unknown>;
    refresh(kind: Kind): void;
    Check: Component;
    Wrong: Component;
  }

  interface Parts extends Partial<Base> {
    PersonCard?: Component;
    FacesPanel?: Component;
  }
}

interface Window {
  PluginApi: Recognition.StashPage;
  performerRecognition: Recognition.Base & Required<Recognition.Parts>;
}
