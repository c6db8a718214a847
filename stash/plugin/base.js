// What all parts of the plugin use: how the server is asked, and how numbers are written.
// Stash joins the plugin's files into one script, so each keeps to itself in a function of its own.

(() => {
  const { React, GQL, components, libraries, utils } = window.PluginApi;
  const h = React.createElement;
  const { Alert, Button } = libraries.Bootstrap;
  const PLUGIN = "performer_recognition";

  const RUN = libraries.Apollo.gql(`
    mutation Recognise($plugin: ID!, $args: Map) {
      runPluginOperation(plugin_id: $plugin, args: $args)
    }`);

  /** @param {object} variables @returns {Promise<any>} */
  async function run(variables) {
    try {
      const { data } = await utils.StashService.getClient().mutate({ mutation: RUN, variables });
      return data.runPluginOperation;
    } catch (error) {
      // Only where Stash itself said nothing; what it says is passed on.
      const { networkError } = /** @type {any} */ (error);
      if (networkError && !networkError.result)
        throw new Error("Stash itself does not answer. Reload the page once it does.");
      throw error;
    }
  }

  /**
   * Ask the server, through the plugin's script: the page needs no way of its own to it.
   *
   * @param {string} operation
   * @param {object} fields
   */
  async function ask(operation, fields = {}) {
    const variables = { plugin: PLUGIN, args: { ...fields, operation } };
    const answer = await run(variables);
    if (!answer) throw new Error("The plugin's script said nothing. Stash's log may tell why.");
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  /** The nearest second, as a player shows it. @param {number} seconds */
  function clock(seconds) {
    const whole = Math.round(seconds);
    const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) =>
      String(part).padStart(2, "0"),
    );
    const hours = Math.floor(whole / 3600);
    return hours ? [hours, ...parts].join(":") : parts.join(":");
  }

  /** A probability; what is nearly certain is not rounded up to certain. @param {number} score */
  const percent = (score) => `${score > 99 ? Math.floor(score * 10) / 10 : Math.round(score)} %`;

  /** A number with its noun: 1 scene, 2 scenes. @param {number} number @param {string} noun */
  const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

  /** The user's settings; a React hook. */
  function settings() {
    const { data } = GQL.useConfigurationQuery();
    return data?.configuration.plugins[PLUGIN] ?? {};
  }

  /** Let Stash's own page show what was written. @param {Recognition.Kind} kind */
  function refresh(kind) {
    const include = {
      scene: [GQL.FindSceneDocument],
      image: [GQL.FindImageDocument],
      gallery: [GQL.FindGalleryDocument],
    };
    utils.StashService.getClient().refetchQueries({ include: include[kind] });
  }

  /** A button that says what each side sees of the other, line by line. */
  function Check() {
    const [lines, setLines] = React.useState(/** @type {Recognition.Line[]} */ ([]));
    const [checking, setChecking] = React.useState(false);
    const check = async () => {
      setChecking(true);
      try {
        setLines((await ask("check")).lines);
      } catch (error) {
        setLines([{ ok: false, text: String(/** @type {Error} */ (error).message) }]);
      }
      setChecking(false);
    };
    const said = { variant: "secondary", size: "sm", disabled: checking, onClick: check };
    return h(
      React.Fragment,
      null,
      h(Button, said, "Check connection"),
      h(
        "ul",
        { className: "recognition-lines", "aria-live": "polite" },
        lines.map((line) => h("li", { key: line.text }, line.ok ? "OK: " : "Not OK: ", line.text)),
      ),
    );
  }

  /**
   * What went wrong, in words that say what to do, and a way to find out more.
   *
   * @param {{text: string, onRetry?: () => void}} props
   */
  const Wrong = ({ text, onRetry }) =>
    h(
      Alert,
      { variant: "danger", role: "alert" },
      h("p", { className: "mb-2" }, text),
      onRetry &&
        h(
          Button,
          { variant: "secondary", size: "sm", className: "mr-2", onClick: onRetry },
          "Try again",
        ),
      h(Check, null),
    );

  // The other files add their parts.
  window.performerRecognition = /** @type {any} */ ({
    h,
    Button,
    Icon: components.Icon,
    ask,
    clock,
    percent,
    counted,
    settings,
    refresh,
    Check,
    Wrong,
  });
})();
