// All people in one scene, image or gallery: looked up at once where they are known, asked for where
// they are not, followed while the server looks.

(() => {
  const { React, hooks, libraries } = window.PluginApi;
  const { h, Button, PersonCard, Wrong, ask, clock, refresh, settings } =
    window.performerRecognition;
  const { ProgressBar, Spinner } = libraries.Bootstrap;

  const POLL_MILLISECONDS = 1500;
  const USUAL_MIN_SCORE = 99;

  /** @param {Recognition.View | null} view */
  const isLooking = (view) => view?.state === "queued" || view?.state === "working";

  /**
   * What is known, kept up to date while the server looks.
   *
   * @param {Recognition.Subject} subject
   * @param {boolean} lookAtOnce
   */
  function useView(subject, lookAtOnce) {
    const [view, setView] = React.useState(/** @type {Recognition.View | null} */ (null));
    const [wrong, setWrong] = React.useState("");
    const [busy, setBusy] = React.useState(false);
    const [polls, setPolls] = React.useState(0);
    const hurried = React.useRef("");
    const current = React.useRef(subject.id);
    current.current = subject.id;

    const load = React.useCallback(
      async (/** @type {string} */ operation, /** @type {object} */ fields) => {
        const id = subject.id;
        try {
          const answer = await ask(operation, { scene: subject, ...fields });
          if (current.current !== id) return false;
          setWrong("");
          setView(answer);
          return true;
        } catch (error) {
          if (current.current === id) setWrong(String(/** @type {Error} */ (error).message));
          return false;
        }
      },
      [subject],
    );

    React.useEffect(() => {
      setView(null);
      setWrong("");
      load(lookAtOnce ? "look" : "view", lookAtOnce ? {} : { pictures: true });
      return undefined;
    }, [load, lookAtOnce]);

    React.useEffect(() => {
      if (!isLooking(view)) return undefined;
      // A server that is away for a while is asked again, too.
      const poll = async () => {
        // A long scan may have queued it: whoever opens it is not to wait for all the others.
        const isLate = view?.state === "queued" && hurried.current !== subject.id;
        const went = await load(isLate ? "look" : "view", isLate ? {} : { pictures: true });
        if (isLate && went) hurried.current = subject.id;
        setPolls((before) => before + 1);
      };
      const timer = setTimeout(poll, POLL_MILLISECONDS);
      return () => clearTimeout(timer);
    }, [view, polls, load, subject.id]);

    return { view, wrong, busy, setBusy, load };
  }

  /** @param {{view: Recognition.View, kind: Recognition.Kind}} props */
  function Looking({ view, kind }) {
    const { progress } = view;
    // Of images and galleries pictures are counted, not seconds.
    const said = kind === "scene" ? clock : String;
    const text =
      view.state === "queued"
        ? "Waiting for its turn. It is the next one."
        : progress
          ? `Looking: ${said(progress.done)} of ${said(progress.of)}`
          : "Looking";
    return h(
      "div",
      null,
      h("p", null, h(Spinner, { animation: "border", size: "sm", className: "mr-2" }), text),
      progress &&
        h(ProgressBar, { now: (100 * progress.done) / (progress.of || 1), "aria-label": text }),
    );
  }

  /** @param {Recognition.Person} person @param {number} least */
  const isSure = (person, least) =>
    person.verdict === "match" && !person.tagged && (person.matches[0]?.score ?? 0) >= least;

  /**
   * The buttons over the list.
   *
   * @param {{view: Recognition.View, kind: Recognition.Kind, busy: boolean,
   *   act: (operation: string, fields: object, done: string) => Promise<boolean>}} props
   */
  function Toolbar({ view, kind, busy, act }) {
    const least = Number(settings().min_score) || USUAL_MIN_SCORE;
    const sure = view.people.filter((person) => isSure(person, least)).length;
    const bare = view.people.filter((person) => person.tagged && !person.markers);
    /** @param {string} text @param {boolean} shown @param {() => void} onClick */
    const button = (text, shown, onClick) =>
      shown && h(Button, { size: "sm", variant: "secondary", disabled: busy, onClick }, text);
    return h(
      "div",
      { className: "recognition-toolbar" },
      button(`Add all sure (${sure})`, sure > 0, () => act("add_sure", {}, `Added ${sure}.`)),
      button("Add markers", kind === "scene" && bare.length > 0, () =>
        act("markers", { people: bare.map((person) => person.person) }, "Markers added."),
      ),
      button(`Undo (${view.written})`, view.written > 0, () => act("undo", {}, "Taken back.")),
    );
  }

  /** Who was seen, but is not kept: else they would seem to be overlooked. @param {{count: number}} props */
  function LeftOut({ count }) {
    if (!count) return null;
    const said =
      `Unknown people who are not kept: ${count}. To see and name them here, choose to keep them: ` +
      "in Review, under Strangers.";
    return h("p", { className: "mt-2 text-muted" }, said);
  }

  /** @param {{view: Recognition.View, subject: Recognition.Subject, busy: boolean, act: unknown, onSeek: unknown}} props */
  function People({ view, subject, busy, act, onSeek }) {
    const [folded, rest] = [true, false].map((bystander) =>
      view.people
        .filter((person) => person.bystander === bystander)
        .map((person) =>
          h(PersonCard, { key: person.person, person, kind: subject.kind, busy, act, onSeek }),
        ),
    );
    const leftOut = h(LeftOut, { count: view.strangers_left_out });
    if (!view.people.length)
      return view.strangers_left_out ? leftOut : h("p", null, "No face was found.");
    return h(
      React.Fragment,
      null,
      view.stash && h(Wrong, { text: view.stash }),
      h(Toolbar, { view, kind: subject.kind, busy, act }),
      rest,
      folded?.length
        ? h("details", null, h("summary", null, `${folded.length} in the background`), folded)
        : null,
      leftOut,
    );
  }

  /**
   * @param {{subject: Recognition.Subject, lookAtOnce?: boolean, onSeek?: (seconds: number) => void}} props
   */
  function FacesPanel({ subject, lookAtOnce = false, onSeek }) {
    const toast = hooks.useToast();
    const { view, wrong, busy, setBusy, load } = useView(subject, lookAtOnce);

    /** Do something, say so, and let Stash show it. */
    const act = async (
      /** @type {string} */ operation,
      /** @type {object} */ fields,
      /** @type {string} */ done,
    ) => {
      setBusy(true);
      let went = false;
      if (operation === "undo") {
        try {
          const { left } = await ask("undo", { scene: subject });
          went = await load("view", { pictures: true });
          if (left?.length) toast.error(left.map((/** @type {any} */ one) => one.why).join(" "));
        } catch (error) {
          toast.error(error);
        }
      } else went = await load(operation, fields);
      setBusy(false);
      if (went) toast.success(done);
      refresh(subject.kind);
      return went;
    };

    const look = (/** @type {boolean} */ retry) => load("look", { retry });
    const button = (/** @type {string} */ text, /** @type {boolean} */ retry) =>
      h(Button, { size: view?.changed ? "sm" : undefined, onClick: () => look(retry) }, text);
    let shown;
    if (!view) shown = wrong ? null : h(Spinner, { animation: "border", role: "status" });
    else if (isLooking(view))
      // Who was found before is still shown; numbers may change, so nothing can be done with it.
      shown = h(
        React.Fragment,
        null,
        h(Looking, { view, kind: subject.kind }),
        view.people.length > 0 &&
          h(People, { key: "people", view, subject, busy: true, act, onSeek }),
      );
    else if (view.state === "unseen")
      shown = h(
        "div",
        null,
        h("p", null, "Nobody has looked for people here yet."),
        button("Find people", false),
      );
    else if (view.state === "failed" && !view.changed)
      shown = h("div", null, h("p", null, view.reason), button("Try again", true));
    else if (view.state === "elsewhere" && !subject.files.length) shown = h("p", null, view.reason);
    else if (view.state === "elsewhere")
      shown = h(Wrong, { text: view.reason, onRetry: () => load("look", {}) });
    else
      shown = h(
        React.Fragment,
        null,
        view.changed &&
          h(
            "div",
            { className: "mb-3" },
            h("p", { className: "mb-2" }, "It was changed since it was looked at."),
            button("Look again", true),
          ),
        view.reason && h("p", null, view.reason),
        view.unseen > 0 && h("p", null, button("Find people", false)),
        view.state === "done" && h(People, { key: "people", view, subject, busy, act, onSeek }),
      );
    return h(
      "div",
      { className: "recognition-faces" },
      wrong && h(Wrong, { text: wrong, onRetry: () => load("view", { pictures: true }) }),
      h("div", { "aria-live": "polite" }, shown),
    );
  }

  window.performerRecognition.FacesPanel = FacesPanel;
})();
