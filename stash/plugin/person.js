// One person in a scene: the face beside the enrolled one, how sure it is, when, and what can be done.

(() => {
  const { React, libraries } = window.PluginApi;
  const { h, Button, ask, clock, counted, percent } = window.performerRecognition;
  const { Badge, Form } = libraries.Bootstrap;
  const { Link } = libraries.ReactRouterDOM;

  const VERDICTS = {
    match: { variant: "success", text: "Match" },
    uncertain: { variant: "warning", text: "Uncertain" },
    unknown: { variant: "secondary", text: "Unknown" },
  };

  const FEW_SPANS = 6;

  const MOST_PICTURES = 12;

  /** In percent; who is less likely than this is not worth a line. */
  const LEAST_WORTH_SHOWING = 1;

  /** Only the fields that say something. @param {Record<string, unknown>} fields */
  const filled = (fields) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value));

  /** @param {{source: string, text: string}} props */
  const Face = ({ source, text }) =>
    source
      ? h("img", { className: "recognition-face", src: source, alt: text })
      : h("div", { className: "recognition-face", role: "img", "aria-label": text });

  /** @param {{person: Recognition.Person, onSeek?: (seconds: number) => void}} props */
  function Spans({ person, onSeek }) {
    const [all, setAll] = React.useState(false);
    const spans = all ? person.appearances : person.appearances.slice(0, FEW_SPANS);
    const rest = person.appearances.length - spans.length;
    return h(
      "div",
      { className: "recognition-spans" },
      spans.map(([start, end]) =>
        h(
          Button,
          {
            key: start,
            variant: "link",
            size: "sm",
            "aria-label": `Play from ${clock(start)}`,
            onClick: () => onSeek?.(start),
          },
          `${clock(start)}–${clock(end)}`,
        ),
      ),
      rest > 0 &&
        h(Button, { variant: "link", size: "sm", onClick: () => setAll(true) }, `${rest} more`),
    );
  }

  /**
   * Name the person: somebody who is in Stash already, somebody of a stash-box, or somebody new.
   *
   * @param {{onChosen: (name: Recognition.Name) => void, onClose: () => void, busy: boolean}} props
   */
  function NameForm({ onChosen, onClose, busy }) {
    const [text, setText] = React.useState("");
    const [names, setNames] = React.useState(/** @type {Recognition.Name[]} */ ([]));
    const [wrong, setWrong] = React.useState("");
    React.useEffect(() => {
      if (text.trim().length < 2) {
        setNames([]);
        return;
      }
      let current = true;
      const timer = setTimeout(async () => {
        try {
          const found = (await ask("names", { text: text.trim() })).names;
          if (current) setNames(found);
        } catch (error) {
          if (current) setWrong(String(/** @type {Error} */ (error).message));
        }
      }, 400);
      return () => {
        current = false;
        clearTimeout(timer);
      };
    }, [text]);
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      if (text.trim()) onChosen({ name: text.trim() });
    };
    return h(
      "form",
      { className: "recognition-name", onSubmit: submit },
      h(Form.Control, {
        autoFocus: true,
        className: "text-input",
        "aria-label": "Name of the performer",
        placeholder: "Name of the performer",
        value: text,
        onChange: (/** @type {{target: HTMLInputElement}} */ event) => setText(event.target.value),
      }),
      h(
        "ul",
        { className: "list-unstyled mb-1", "aria-label": "Suggestions" },
        names.map((name, index) =>
          h(
            "li",
            { key: index },
            h(
              Button,
              {
                variant: "link",
                size: "sm",
                type: "button",
                disabled: busy,
                onClick: () => onChosen(name),
              },
              name.disambiguation ? `${name.name} (${name.disambiguation})` : name.name,
              name.stash_id ? " – already in Stash" : "",
            ),
          ),
        ),
      ),
      wrong && h("p", { className: "text-danger" }, wrong),
      h(Button, { type: "submit", size: "sm", disabled: busy || !text.trim() }, "Create performer"),
      h(
        Button,
        { variant: "secondary", size: "sm", className: "ml-2", onClick: onClose },
        "Cancel",
      ),
    );
  }

  /** Which pictures of a gallery show somebody, as its own order counts. @param {number[]} numbers */
  function onPictures(numbers) {
    const shown = numbers.slice(0, MOST_PICTURES).join(", ");
    const rest = numbers.length > MOST_PICTURES ? ", ..." : "";
    return `${counted(numbers.length, "picture")}: ${shown}${rest}`;
  }

  /** @param {{match: Recognition.Match}} props */
  const MatchName = ({ match }) =>
    match.stash_id
      ? h(Link, { to: `/performers/${match.stash_id}` }, match.name)
      : h("span", null, match.name);

  /** @param {Recognition.Person} person @param {Recognition.Match | undefined} match */
  function heading(person, match) {
    const verdict = VERDICTS[person.verdict];
    return h(
      "div",
      { className: "recognition-heading" },
      match ? h(MatchName, { match }) : "Nobody you enrolled",
      match && h("span", { className: "ml-2" }, percent(match.score)),
      h(Badge, { variant: verdict.variant, className: "ml-2" }, verdict.text),
      person.tagged && h(Badge, { variant: "info", className: "ml-2" }, "Added"),
      person.markers > 0 &&
        h("span", { className: "ml-2 text-muted" }, counted(person.markers, "marker")),
    );
  }

  /**
   * Ask who of several it is.
   *
   * @param {Recognition.Person} person @param {number} chosen @param {(index: number) => void} choose
   */
  function others(person, chosen, choose) {
    const likely = person.matches.filter(
      ({ score }, index) => index === 0 || score >= LEAST_WORTH_SHOWING,
    );
    if (likely.length < 2) return null;
    return h(
      Form.Control,
      {
        as: "select",
        size: "sm",
        className: "recognition-others input-control",
        "aria-label": "Who it may be",
        value: chosen,
        onChange: (/** @type {{target: HTMLSelectElement}} */ event) =>
          choose(Number(event.target.value)),
      },
      likely.map((match, index) =>
        h(
          "option",
          { key: match.performer, value: index },
          `${match.name}, ${percent(match.score)}`,
        ),
      ),
    );
  }

  /**
   * @param {{person: Recognition.Person, kind: Recognition.Kind, busy: boolean,
   *   act: (operation: string, fields: object, done: string) => Promise<boolean>,
   *   onSeek?: (seconds: number) => void}} props
   */
  function PersonCard({ person, kind, busy, act, onSeek }) {
    const [chosen, setChosen] = React.useState(0);
    const [naming, setNaming] = React.useState(false);
    const match = person.matches[chosen] ?? person.matches[0];
    const name = match?.name ?? "this person";
    /** @param {string} text @param {object} properties */
    const button = (text, properties) =>
      h(Button, { size: "sm", variant: "secondary", disabled: busy, ...properties }, text);
    /** Somebody whom both sides know is added; else one side is missing, or both are. */
    const nameAs = async (/** @type {Recognition.Name} */ one) => {
      const { performer: as_performer, stash_id, stash_ids, told_apart_by: disambiguation } = one;
      const known = { as_performer, stash_id, stash_ids, disambiguation };
      const [operation, fields] =
        one.performer && one.stash_id
          ? ["add", { people: [{ person: person.person, performer: one.performer }] }]
          : ["create", { person: person.person, name: one.name, ...filled(known) }];
      if (await act(operation, fields, `Added ${one.name}.`)) setNaming(false);
    };
    return h(
      "article",
      { className: "recognition-person", "aria-label": name },
      h(Face, {
        source: person.image && `data:image/jpeg;base64,${person.image}`,
        text: "Seen here",
      }),
      match && h(Face, { source: match.poster, text: `${match.name}, as enrolled` }),
      h(
        "div",
        { className: "recognition-words" },
        heading(person, match),
        others(person, chosen, setChosen),
        kind === "scene" && h(Spans, { person, onSeek }),
        kind === "gallery" &&
          person.pictures.length > 0 &&
          h("p", { className: "mb-1 text-muted" }, onPictures(person.pictures)),
        naming
          ? h(NameForm, { onChosen: nameAs, onClose: () => setNaming(false), busy })
          : h(
              "div",
              { className: "recognition-actions" },
              match &&
                !person.tagged &&
                button("Add", {
                  variant: person.verdict === "match" ? "primary" : "secondary",
                  "aria-label": `Add ${name}`,
                  onClick: () =>
                    act(
                      "add",
                      { people: [{ person: person.person, performer: match.performer }] },
                      `Added ${name}.`,
                    ),
                }),
              match &&
                button("Not them", {
                  "aria-label": `This is not ${name}`,
                  onClick: () =>
                    act(
                      "reject",
                      { person: person.person, performer: match.performer },
                      `This is not ${name}; remembered.`,
                    ),
                }),
              kind === "scene" &&
                person.tagged &&
                !person.markers &&
                button("Add markers", {
                  "aria-label": `Add markers for ${name}`,
                  onClick: () => act("markers", { people: [person.person] }, "Markers added."),
                }),
              !person.tagged && button("Create performer", { onClick: () => setNaming(true) }),
            ),
      ),
    );
  }

  window.performerRecognition.PersonCard = PersonCard;
})();
