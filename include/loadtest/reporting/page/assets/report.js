/* The report's own script: charts from the JSON in the page, theme, printing, local times. Text is set as text only. */
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);

  function seriesOfLatency(data) {
    const { latency } = data;
    const drawn = (name) => ({ values: latency[`${name}_ms`], bound: latency[`${name}_is_bound`] });
    return [
      { label: "P50", ...drawn("p50"), stroke: "--chart-p50", dash: [2, 3] },
      { label: "P95", ...drawn("p95"), stroke: "--chart-p95", width: 2.25 },
      { label: "P99", ...drawn("p99"), stroke: "--chart-p99", dash: [8, 3] },
      { label: "max", ...drawn("max"), stroke: "--series-8", dash: [1, 4], width: 1 },
    ];
  }
  function marksOf(data) {
    const stalls = data.stalls.map((one) => ({ at_s: one.start_s, until_s: one.end_s, text: "stall", kind: "stall" }));
    const alerts = data.alerts.map((one) => ({ at_s: one.start_s, until_s: one.end_s || data.range[1], text: one.text, kind: "alert" }));
    return [...stalls, ...alerts];
  }
  const dotsOf = (data) => (data.singles.length ? { label: "single answers", values: data.singles, stroke: "--chart-p95" } : undefined);
  const limits = (data, ...metrics) => metrics.flatMap((metric) => data.limits[metric] || []);

  function drawLoad(data, common) {
    const place = byId("charts-load"), small = { ...common, spanNames: false };
    const latency = {
      ...common, label: "Latency", unit: "ms", t: data.t, series: seriesOfLatency(data), height: 260,
      limit: limits(data, "latency_p95_ms", "latency_p99_ms"),
    };
    latency.dots = dotsOf(data);
    const chart = LoadCharts.time(place, latency);
    byId("log").addEventListener("change", (event) => chart.update({ log: event.target.checked }));
    if (data.users) {
      const users = [{ label: "users", values: data.users.value, stroke: "--chart-users", step: true, fill: true }];
      LoadCharts.time(place, { ...small, label: "Users", unit: "", t: data.users.t, series: users, height: 110 });
    }
    const rates = [{ label: "answers", values: data.rate.ok_rpm, stroke: "--chart-rate", fill: true }];
    const limit = limits(data, "throughput_rpm");
    LoadCharts.time(place, { ...small, label: "Throughput", unit: "req/min", t: data.t, series: rates, limit, height: 140 });
    const failed = [{ label: "failed", values: data.rate.failed_rpm, stroke: "--chart-failed", fill: true, dash: [5, 2] }];
    LoadCharts.time(place, { ...small, label: "Errors", unit: "req/min", t: data.t, series: failed, height: 110 });
  }

  function seriesOf(one, all) {
    const isTwice = all.filter((other) => other.title === one.title).length > 1;
    return { label: isTwice ? `${one.title} (${one.instance})` : one.title, values: one.value, t: one.t, unit: one.unit };
  }
  function bandsOf(drawn, series) {
    return drawn.map((one, i) => [one, series[i]]).filter(([one]) => one.low && one.high)
      .map(([one, own]) => ({ t: one.t, low: one.low, high: one.high, of: own.label }));
  }
  const DASHES = [undefined, [8, 3], [2, 3], [8, 3, 2, 3]];

  function drawResources(data, common) {
    for (const [group, title] of Object.entries(data.groups)) {
      const ofGroup = data.resources.filter((one) => one.group === group);
      for (const unit of new Set(ofGroup.map((one) => one.unit))) {
        const drawn = ofGroup.filter((one) => one.unit === unit);
        const series = drawn.map((one, i) => ({ ...seriesOf(one, drawn), dash: DASHES[i % DASHES.length] }));
        const limit = limits(data, ...new Set(drawn.map((one) => one.key)));
        const label = drawn.length === 1 ? drawn[0].title : title;
        const own = { label, unit, series, bands: bandsOf(drawn, series), limit, height: 110 };
        LoadCharts.time(byId("charts-resources"), { ...common, ...own, spanNames: false });
      }
    }
  }

  function drawEvidence(data, common) {
    const place = byId("chart-evidence");
    if (!place || !data.evidence) return;
    const { places, title, start_s, end_s, named } = data.evidence;
    const first = data.resources[places[0]];
    const fitting = places.map((i) => data.resources[i]).filter((one) => one.unit === first.unit);
    const series = [
      { label: "P95", values: data.latency.p95_ms, stroke: "--chart-p95", bound: data.latency.p95_is_bound, width: 2.25 },
      ...fitting.map((one, i) => ({
        ...seriesOf(one, fitting), axis: "right", dash: [8, 3], stroke: `--series-${[2, 6, 5][i % 3]}`,
      })),
    ];
    const spans = start_s == null ? common.spans : [{ phase: "seen here", start_s, end_s }];
    const what = named ? "the evidence" : "a reading of the same part";
    const label = `P95 (ms, left) and ${what}: ${title} (${LoadCharts.unit(first.unit)}, right)`;
    LoadCharts.time(place, { ...common, label, unit: "ms", t: data.t, series, spans, dots: dotsOf(data), height: 220 });
  }

  function drawAll() {
    if (!byId("charts")) return;
    const data = LoadCharts.read("charts");
    const common = { spans: data.spans, marks: marksOf(data), range: data.range, syncKey: "load" };
    drawLoad(data, common);
    drawResources(data, common);
    drawEvidence(data, common);
  }

  /* A box that scrolls sideways can be reached and scrolled by keyboard. */
  function reachable() {
    for (const box of document.querySelectorAll(".scroll")) {
      const isWider = box.scrollWidth > box.clientWidth + 1;
      if (!isWider) { for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name); continue; }
      const heading = box.closest("section, figure").querySelector("h2, figcaption");
      box.setAttribute("tabindex", "0");
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", `Table: ${heading ? heading.textContent.trim() : ""}`);
    }
  }
  function localTimes() {
    for (const at of document.querySelectorAll("time[datetime]")) {
      at.title = `${new Date(at.dateTime).toLocaleString(undefined, { timeZoneName: "short" })} (your time)`;
    }
  }
  function themes() {
    const button = byId("theme"), root = document.documentElement;
    const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; show(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    show();
  }
  function printing() {
    let opened = [];
    byId("print").addEventListener("click", () => print());
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not([open]):not(.chart-values)")];
      for (const one of opened) one.open = true;
    });
    addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
  }

  themes();
  printing();
  localTimes();
  drawAll();
  reachable();
  addEventListener("resize", reachable);
})();
