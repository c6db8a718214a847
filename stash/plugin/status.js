// How things stand, among the plugin's settings: the connection, the scans, the last tasks.

(() => {
  const { React, libraries, patch, utils } = window.PluginApi;
  const { h, Check, Wrong, ask, counted } = window.performerRecognition;

  const { Link } = libraries.ReactRouterDOM;

  const POLL_MILLISECONDS = 3000;
  const MOST_TASKS = 5;

  /** @type {Record<string, string>} */
  const KINDS = { sync: "Enrol", scan: "Find people", apply: "Apply", undo: "Undo" };

  /** @param {Recognition.Status} status */
  function scanning({ queued, working }) {
    if (!queued && !working) return "Nothing is left to look at.";
    return `In work: ${counted(working, "video")}. Waiting: ${queued}.`;
  }

  const NAMES = libraries.Apollo.gql(`
    query Names($ids: [ID!]) {
      findPerformers(ids: $ids, filter: { per_page: -1 }) { performers { id name } }
    }`);

  /**
   * Who cannot be recognised, and why. The server tells numbers only; names are Stash's.
   *
   * @param {{rows: Recognition.WithoutPhoto[]}} props
   */
  function WithoutPhoto({ rows }) {
    const [names, setNames] = React.useState(/** @type {Record<string, string>} */ ({}));
    const ids = rows.map((row) => row.stash_id).join(" ");
    React.useEffect(() => {
      // No ids would mean everybody.
      if (!ids) return undefined;
      let current = true;
      const client = utils.StashService.getClient();
      client
        .query({ query: NAMES, variables: { ids: ids.split(" ") } })
        .then(({ data }) => {
          const found = data.findPerformers.performers;
          if (current) setNames(Object.fromEntries(found.map(({ id, name }) => [id, name])));
        })
        .catch(() => {}); // then they are shown by number
      return () => {
        current = false;
      };
    }, [ids]);
    if (!rows.length) return null;
    return h(
      "details",
      { className: "recognition-lines" },
      h("summary", null, `${counted(rows.length, "performer")} without a usable photo`),
      h(
        "ul",
        null,
        rows.map(({ stash_id, reason }) =>
          h(
            "li",
            { key: stash_id },
            h(Link, { to: `/performers/${stash_id}` }, names[stash_id] ?? `Performer ${stash_id}`),
            `: ${reason}`,
          ),
        ),
      ),
    );
  }

  function Status() {
    const [status, setStatus] = React.useState(/** @type {Recognition.Status | null} */ (null));
    const [wrong, setWrong] = React.useState("");
    React.useEffect(() => {
      let current = true;
      const load = async () => {
        try {
          const found = await ask("status");
          if (current) setStatus(found);
          if (current) setWrong("");
        } catch (error) {
          if (current) setWrong(String(/** @type {Error} */ (error).message));
        }
        if (current) timer = setTimeout(load, POLL_MILLISECONDS);
      };
      let timer = setTimeout(load, 0);
      return () => {
        current = false;
        clearTimeout(timer);
      };
    }, []);
    if (wrong) return h(Wrong, { text: wrong });
    if (!status) return null;
    return h(
      "div",
      { className: "recognition-status" },
      h(
        "p",
        null,
        status.connected ? scanning(status) : "Not connected yet: check the connection.",
      ),
      h(
        "ul",
        { "aria-label": "The last tasks" },
        status.tasks
          .slice(0, MOST_TASKS)
          .map(({ id, kind, state, text }) =>
            h("li", { key: id }, `${KINDS[kind] ?? kind} (${state}): ${text}`),
          ),
      ),
      h(WithoutPhoto, { rows: status.without_photo ?? [] }),
      h(Check, null),
    );
  }

  patch.after("PluginSettings", (...given) => {
    const made = /** @type {Recognition.Element} */ (given[given.length - 1]);
    if (given[0].pluginID !== "performer_recognition") return made;
    return h(React.Fragment, null, h(Status, null), made);
  });
})();
