/* Follows a run that is under way: asks for its state every few seconds and shows it, until its report is there.
   All text is set as text, never as markup. Words and figures come from the server; see `live/page_state.py`. */
"use strict";

(() => {
  const POLL_S = 2, HIDDEN_S = 15, IDLE_S = 5, LONGEST_S = 30;
  const QUIET_SHARE = 0.05;  // what has been quiet for ten minutes is asked for every 30 s
  const STALE_S = 10;  // live.json is written every 2 s while load is sent
  const RELOAD_S = 3;
  const root = document.getElementById("live");
  if (!root) return;
  const part = (name) => document.getElementById(`live-${name}`);
  const charts = new Map();
  let tag = null, failures = 0, timer = 0, found = null;
  let askedAt = 0;  // when the last new answer came, in ms of this page's own clock
  let isStale = false, isLeaving = false;

  function node(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }
  function setText(element, text) {
    const wanted = text == null ? "" : String(text);
    if (element.textContent !== wanted) element.textContent = wanted;
    element.hidden = !wanted;
  }
  const say = (text) => { part("said").textContent = text; };
  const clock = (text) => `${text.slice(11, 19)} UTC`;
  const seconds = (text) => Date.parse(text) / 1000;
  const count = (value) => value.toLocaleString("en-US");
  function lasting(value_s) {
    const whole = Math.max(0, Math.round(value_s));
    return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  }

  /* Asking: soon while a stage works, ever later while none does or nobody answers, seldom in a hidden tab. */
  function pause() {
    if (failures) return Math.min(POLL_S * 2 ** failures, LONGEST_S);
    if (!found || ["working", "between"].includes(found.state.kind)) return document.hidden ? HIDDEN_S : POLL_S;
    const quiet_s = Math.max(age() || 0, (performance.now() - askedAt) / 1000);
    return Math.min(Math.max(quiet_s * QUIET_SHARE, document.hidden ? HIDDEN_S : IDLE_S), LONGEST_S);
  }
  async function ask() {
    clearTimeout(timer);
    try {
      const answer = await fetch(root.dataset.source, {
        cache: "no-store", headers: tag ? { Accept: "application/json", "If-None-Match": tag } : { Accept: "application/json" },
        signal: AbortSignal.timeout(10000),
      });
      if (answer.status === 401 || answer.status === 403) return refused(answer.status);
      if (answer.status === 200) {
        const document = await answer.json();
        tag = answer.headers.get("ETag");
        show(document);
      } else if (answer.status !== 304) throw new Error(`HTTP ${answer.status}`);
      failures = 0;
    } catch (error) {
      failures += 1;
    }
    freshen();
    if (!isLeaving) timer = setTimeout(ask, 1000 * pause());
  }
  function refused(status) {
    setText(part("todo"), status === 401
      ? "Your login has ended: reload this page and log in. The run goes on."
      : "You may no longer see this run. The run goes on.");
    isLeaving = true;
  }

  /* How old the figures are, by the server's clock at the answer and this page's since then. */
  function age() {
    if (!found || found.state.age_s == null) return null;
    return found.state.age_s + (performance.now() - askedAt) / 1000;
  }
  function freshen() {
    const age_s = age();
    const isLive = found && ["working", "silent"].includes(found.state.kind);
    const wasStale = isStale;
    isStale = Boolean(failures > 1 || (isLive && age_s != null && age_s > STALE_S));
    root.classList.toggle("live-stale", isStale);
    let text = age_s == null ? "no update so far" : `last update ${lasting(age_s)} ago`;
    if (failures) text += `; the server has not answered ${failures === 1 ? "the last question" : `${failures} times`}, it is asked again`;
    else if (isStale) text += ": the figures below are old";
    setText(part("fresh"), text);
    if (isStale !== wasStale) say(isStale ? "The figures are old: no update arrives." : "Updates arrive again.");
  }

  /* One answer. */
  function show(document) {
    const before = found;
    found = document;
    askedAt = performance.now();
    showState(before);
    part("load").hidden = !found.load;
    if (found.load) showLoad(found.load);
    showLog(found.log, before);
    if (found.is_over) leave();
  }
  function showState(before) {
    const { state } = found;
    if (!found.is_over) showBadge(found.badge);
    setText(part("state"), state.text);
    setText(part("todo"), state.todo);
    setText(part("phase"), found.load ? phaseText(found.load) : "");
    if (before && before.state.kind !== state.kind && ["silent", "waiting"].includes(state.kind)) say(`${state.text} ${state.todo || ""}`);
  }
  /* At the head of the page and of this part; a final verdict is not shown before its page is loaded. */
  function showBadge({ text, tone }) {
    const head = document.querySelector(".answers"), shown = part("badge").textContent;
    for (const badge of [part("badge"), head && head.querySelector("h1 .verdict")]) {
      if (!badge) continue;
      if (badge.textContent !== text) badge.textContent = text;
      badge.className = `verdict verdict-${tone}`;
    }
    if (head) head.className = `answers verdict-${tone}`;
    if (document.title.startsWith(`${shown}: `)) document.title = text + document.title.slice(shown.length);
  }
  function phaseText(load) {
    const parts = [];
    if (load.phase) {
      const name = load.phase.name.replace("_", " ");
      const stage = load.phase.stage === load.phase.name ? "" : ` (${load.phase.stage})`;
      parts.push(`Phase ${name}${stage}, ${lasting(load.phase.left_s)} left`);
    }
    if (load.ended) parts.push(`The load ended at ${clock(load.ended)}`);
    else if (load.until) parts.push(`the load ends ${load.may_end_sooner ? "at the latest " : ""}about ${clock(load.until)}, in ${lasting(load.left_s)}`);
    else parts.push("The load begins");
    parts.push(`${count(load.requests.n)} requests so far, ${count(load.requests.failed)} failed`);
    if (load.unreadable_parts) parts.push(`${load.unreadable_parts} parts of the samples could not be read`);
    return `${parts.join("; ")}.`;
  }
  function leave() {
    if (isLeaving) return;
    isLeaving = true;
    const what = found.has_report ? "The report is there" : "The run is over, without a report";
    setText(part("state"), `${what}: verdict ${found.verdict}. It is loaded now.`);
    setText(part("todo"), "");
    say(`The run has ended with ${found.verdict}; its report is loaded now.`);
    setTimeout(() => location.reload(), 1000 * RELOAD_S);
  }

  /* Figures. */
  function showLoad(load) {
    showTiles(part("figures"), load.figures, load);
    showTiles(part("resources"), load.resources, load);
    showAlerts(load);
    showRequests(load.requests);
    if (window.LoadCharts && load.history.t.length) {
      for (const one of MAIN) draw(part("charts"), one, load);
      for (const figure of load.resources) draw(part("resource-charts"), { key: figure.key, series: [[figure.key, figure.title]] }, load);
    }
  }
  function showTiles(box, figures, load) {
    box.replaceChildren(...figures.map((figure) => tile(figure, load)));
  }
  function tile(figure, load) {
    const isBeyond = figure.limits.some((limit) => limit.beyond);
    const window_s = ["throughput_rpm", "failed_rpm"].includes(figure.key) ? load.rate_window_s : load.window_s;
    const of = figure.key === "users" || figure.value == null ? "" : `last ${window_s} s`;
    const made = node("div", isBeyond ? "tile tile-beyond" : "tile",
      node("div", "title", node("span", "", figure.title), node("span", "", of)),
      node("div", "value", figure.text == null ? "–" : figure.text));
    made.dataset.key = figure.key;
    if (figure.why) made.append(node("div", "note unknown", figure.why));
    if (figure.note) made.append(node("div", "note", figure.note));
    if (figure.planned != null) made.append(node("div", "note", `planned now: ${count(figure.planned)}`));
    for (const limit of figure.limits) {
      const note = node("div", "note", `${limit.of}: ${limit.text}`);
      if (limit.beyond) note.append(" – ", node("span", "beyond", "beyond it now"));
      made.append(note);
    }
    return made;
  }
  function showRequests(requests) {
    const rows = [...requests.scenarios, { scenario: "all", ...requests }].map((one) => {
      const head = node("th", "", one.scenario);
      head.scope = "row";
      return node("tr", "", head, ...[one.n, one.ok, one.failed].map((value) => node("td", "number", count(value))));
    });
    part("requests").replaceChildren(...rows);
  }

  /* Charts. */
  const MAIN = [
    { key: "users", series: [["users", "Users", "--chart-users"], ["planned_users", "planned", "--series-3", [5, 4]]] },
    { key: "throughput_rpm", label: "Requests a minute", series: [["throughput_rpm", "good answers", "--chart-rate"], ["failed_rpm", "failed", "--chart-failed"]] },
    { key: "latency_p95_ms", series: [["latency_p95_ms", "P95", "--chart-p95"]] },
    { key: "error_rate", series: [["error_rate", "error rate", "--chart-failed"]] },
  ];
  function draw(box, one, load) {
    const { t, series } = load.history;
    const figure = [...load.figures, ...load.resources].find((row) => row.key === one.key);
    const known = one.series.filter(([key]) => series[key]);
    if (!known.length) return;
    const options = {
      label: one.label || figure.title, unit: figure.unit, t, syncKey: "live", height: 140,
      series: known.map(([key, label, stroke, dash]) => ({ label, values: series[key].value, stroke, dash })),
      bands: known.filter(([key]) => series[key].low).map(([key, label]) => ({ low: series[key].low, high: series[key].high, of: label })),
      spans: load.phases.map((phase) => ({ phase: phase.name, start_s: seconds(phase.start), end_s: seconds(phase.end) })),
      marks: load.alerts.filter((alert) => alert.metric === one.key).map((alert) => ({
        at_s: seconds(alert.since), until_s: alert.until ? seconds(alert.until) : t[t.length - 1], text: `alert ${alert.id}`, kind: "alert",
      })),
      limit: figure.limits.map((limit) => ({ value: limit.value, text: `${limit.of} ${limit.text}` })),
    };
    const chart = charts.get(one.key);
    if (chart) chart.update(options);
    else {
      const place = node("div", "");
      box.append(place);
      charts.set(one.key, LoadCharts.time(place, options));
    }
  }

  /* Alerts and the log: a line is made once, so that a screen reader hears only what is new. An alert's line stays the
     same while its text, which has the worst value so far, changes. */
  function showAlerts(load) {
    const list = part("alerts").querySelector("ul");
    part("alerts").hidden = !load.alerts.length;
    list.replaceChildren(...load.alerts.slice().reverse().map((alert) => {
      const until = alert.until ? ` until ${clock(alert.until)}` : load.ended ? " until the load's end" : ", still on";
      const made = node("li", "", node("span", `kind kind-${alert.severity === "critical" ? "critical" : "warning"}`, `${alert.severity} ${alert.id}`),
        `${alert.text}; since ${clock(alert.since)}${until}. `);
      if (alert.page) made.append(pageLink(alert.page, alert.id));
      return made;
    }));
    if (load.alerts_left_out) list.append(node("li", "muted", `${count(load.alerts_left_out)} earlier ones are in alerts.json`));
  }
  function pageLink(address, id) {
    const made = node("a", "", "What to do");
    made.href = address;
    made.setAttribute("aria-label", `What to do: ${id}`);
    return made;
  }
  const logged = new Map();
  function showLog(log, before) {
    const list = part("log"), box = part("log-box");
    if (!before) {
      box.setAttribute("aria-live", "off");
      box.setAttribute("aria-relevant", "additions");
    }
    for (const entry of log) {
      const key = `${entry.at} ${entry.kind} ${entry.alert || entry.text}`;
      const known = logged.get(key);
      if (known) {
        if (known.data !== entry.text) known.data = entry.text;
        continue;
      }
      const text = document.createTextNode(entry.text);
      logged.set(key, text);
      const time = node("time", "", clock(entry.at));
      time.dateTime = entry.at;
      const made = node("li", "", time, node("span", `kind kind-${entry.kind}`, { fault: "failed", alert: "alert", over: "over" }[entry.kind] || ""), text);
      if (entry.page && entry.kind === "alert") made.append(" ", pageLink(entry.page, `alert ${entry.alert}`));
      list.append(made);
      box.scrollTop = box.scrollHeight;
    }
    if (!before) setTimeout(() => box.setAttribute("aria-live", "polite"), 1000);
  }

  setInterval(freshen, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !isLeaving) ask(); });
  ask();
})();
