/* Charts over time for the report and the pages: LoadCharts.time(element, options) -> {update(options), zoom(from, to)}.
   Drawn by uPlot in the colours of theme.css. Hover, or arrow keys on the focused plot, read the values; dragging zooms,
   a double click, the button or Escape shows all again; every chart has a table of its values.
   options: label, unit, t (seconds since the epoch), series [{label, values, t?, stroke?, dash?, fill?, step?, bound?,
   axis? ("right"), unit?}], and where wanted bands [{low, high, of}], dots {label, values [[t, value, is_bound]],
   stroke?}, spans [{phase, start_s, end_s}], spanNames (false: phases and marks are drawn, not named), marks [{at_s, until_s?, text, kind}], limit ({value, text} or a list),
   range [from, to], log, zero (false: the axis need not begin at 0), height, syncKey.
   A series with a `t` of its own is joined to the others. null is a gap. `bound[i]`: the series' i-th value is a lower
   bound, wherever the joining puts it. */
"use strict";

window.LoadCharts = (() => {
  const PHASE = { ramp_up: "ramp-up", ramp_down: "ramp-down" };
  const MARKS = {
    stall: ["■", "--chart-stall"], alert: ["▲", "--chart-alert"], regression: ["▼", "--chart-failed"],
    baseline: ["●", "--chart-p95"], change: ["◆", "--chart-mark"],
  };
  const GAP_FACTOR = 3;  // readings that far apart, in their usual distances, have a gap between them
  const LIMIT_IN_VIEW = 3;  // a limit further above the data than this many times them would flatten them
  const FEW_POINTS = 40;  // up to so many values of a series each has a dot
  const DOTTED = 3;  // a dash no longer than that looks like a dot
  const AXIS_PX = 58;
  const PRINT_PX = 690;
  const all = new Set();

  /* Colours: custom properties, resolved for the theme that is shown. */
  const probe = document.createElement("span");
  probe.hidden = true;
  let colours = new Map();
  function colour(name) {
    if (!colours.has(name)) {
      if (!probe.isConnected) document.body.append(probe);
      probe.style.color = `var(${name})`;
      colours.set(name, getComputedStyle(probe).color);
    }
    return colours.get(name);
  }
  function faded(name, share) {
    const parts = colour(name).match(/[\d.]+/g);
    return `rgb(${parts[0]} ${parts[1]} ${parts[2]} / ${share})`;
  }
  function redraw() {
    colours = new Map();
    for (const chart of all) chart.redraw();
  }

  /* Figures: as the rest of the report writes them. */
  const SCALE = { ratio: [100, "%"], bytes: [1 / 2 ** 20, "MiB"] };
  function scaled(values, unit) {
    const [factor] = SCALE[unit] || [1];
    return factor === 1 ? values : values.map((value) => (value == null ? value : value * factor));
  }
  const unitOf = (unit) => (SCALE[unit] ? SCALE[unit][1] : unit || "");
  function number(value) {
    if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
    return String(Number(value.toPrecision(4)));
  }
  const figure = (value, unit) => `${number(value)}${unit ? ` ${unit}` : ""}`;
  const two = (value) => String(value).padStart(2, "0");
  function clock(at_s, incr_s = 1) {
    const at = new Date(at_s * 1000);
    const day = `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
    if (incr_s >= 86400) return day;
    return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}${incr_s < 60 ? `:${two(at.getUTCSeconds())}` : ""}`;
  }
  const moment = (at_s) => `${clock(at_s, 86400)} ${clock(at_s)} UTC`;
  const local = (at_s) => new Date(at_s * 1000).toLocaleString(undefined, { timeZoneName: "short" });

  function node(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  /* Data: one column of times and one of values for each series, band end and series with times of its own. */
  function withGaps(times, values) {
    const steps = times.slice(1).map((at, i) => at - times[i]).sort((a, b) => a - b);
    const usual = steps[Math.floor(steps.length / 2)] || Infinity;
    const t = [], v = [];
    times.forEach((at, i) => {
      if (i && at - times[i - 1] > GAP_FACTOR * usual) { t.push((at + times[i - 1]) / 2); v.push(null); }
      t.push(at);
      v.push(values[i]);
    });
    return [t, v];
  }
  function columns(options) {
    const tables = [];
    if (options.t) {
      const own = options.series.filter((series) => !series.t);
      tables.push([options.t, ...own.map((series) => scaled(series.values, series.unit || options.unit))]);
      for (const band of options.bands || []) if (!band.t) tables[0].push(...ends(band, options));
    }
    const order = [...options.series.filter((series) => !series.t)];
    for (const series of options.series.filter((one) => one.t)) {
      tables.push(withGaps(series.t, scaled(series.values, series.unit || options.unit)));
      order.push(series);
    }
    for (const band of (options.bands || []).filter((one) => one.t)) tables.push([band.t, ...ends(band, options)]);
    return { data: tables.length === 1 ? tables[0] : uPlot.join(tables), order };
  }
  function ends(band, options) {
    return [scaled(band.low, options.unit), scaled(band.high, options.unit)];
  }
  /* The place of each series and band end in the data: without own times first, as `columns` puts them. */
  function places(options) {
    const plain = options.series.filter((series) => !series.t).length;
    const bands = options.bands || [];
    const plainBands = options.t ? bands.filter((band) => !band.t) : [];
    let next = 1;
    const at = new Map();
    for (const series of options.series.filter((one) => !one.t)) at.set(series, next++);
    for (const band of plainBands) { at.set(band, next); next += 2; }
    for (const series of options.series.filter((one) => one.t)) at.set(series, next++);
    for (const band of bands.filter((one) => !plainBands.includes(one))) { at.set(band, next); next += 2; }
    return { at, count: next, plain };
  }

  function hasValues(options) {
    const some = (values) => values.some((value) => value != null);
    return options.series.some((series) => some(series.values)) || Boolean(options.dots && options.dots.values.length);
  }
  const limitsOf = (options) => (options.limit ? [].concat(options.limit) : []);

  /* What is drawn beside the series. */
  function drawSpans(u, options) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(u.root).fontFamily}`;
    ctx.textBaseline = "top";
    for (const span of options.spans || []) {
      const left = Math.max(u.valToPos(span.start_s, "x", true), bbox.left);
      const right = Math.min(u.valToPos(span.end_s, "x", true), bbox.left + bbox.width);
      if (right <= left) continue;
      ctx.fillStyle = colour(span.phase === "hold" ? "--chart-phase" : "--chart-phase-other");
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      const name = PHASE[span.phase] || span.phase;
      if (options.spanNames === false) continue;
      if (ctx.measureText(name).width + 8 * devicePixelRatio > right - left) continue;
      ctx.fillStyle = colour("--chart-axis");
      ctx.fillText(name, left + 4 * devicePixelRatio, bbox.top + 3 * devicePixelRatio);
    }
    ctx.restore();
  }
  function line(u, x0, y0, x1, y1, name, dash) {
    const { ctx } = u;
    ctx.strokeStyle = colour(name);
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash(dash.map((part) => part * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
    ctx.stroke();
  }
  function drawLimits(u, options) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(u.root).fontFamily}`;
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    let before = { y: -Infinity, left: 0 };
    for (const limit of limitsOf(options)) {
      const [value] = scaled([limit.value], options.unit);
      if (value < u.scales.y.min || value > u.scales.y.max) continue;
      const y = Math.round(u.valToPos(value, "y", true));
      line(u, bbox.left, y, bbox.left + bbox.width, y, "--chart-limit", [7, 4]);
      ctx.fillStyle = colour("--chart-limit");
      const isNear = Math.abs(y - before.y) < 14 * devicePixelRatio;
      const right = isNear ? before.left - 12 * devicePixelRatio : bbox.left + bbox.width - 4 * devicePixelRatio;
      ctx.fillText(limit.text, right, y - 2 * devicePixelRatio);
      before = { y, left: right - ctx.measureText(limit.text).width };
    }
    ctx.restore();
  }
  function drawMarks(u, options) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px sans-serif`;
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    for (const mark of options.marks || []) {
      const [glyph, name] = MARKS[mark.kind] || MARKS.change;
      const x = u.valToPos(mark.at_s, "x", true);
      const end = mark.until_s == null ? x : Math.min(u.valToPos(mark.until_s, "x", true), bbox.left + bbox.width);
      if (end < bbox.left || x > bbox.left + bbox.width) continue;
      if (end > x) {
        ctx.fillStyle = faded(name, 0.16);
        ctx.fillRect(Math.max(x, bbox.left), bbox.top, end - Math.max(x, bbox.left), bbox.height);
      }
      if (x < bbox.left) continue;
      line(u, x, bbox.top, x, bbox.top + bbox.height, name, [2, 3]);
      ctx.fillStyle = colour(name);
      ctx.fillText(glyph, x, bbox.top + 16 * devicePixelRatio);
    }
    ctx.restore();
  }
  function drawDots(u, options) {
    if (!options.dots) return;
    const { ctx, bbox } = u;
    const name = options.dots.stroke || "--chart-p95";
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = faded(name, 0.55);
    const size = 2.5 * devicePixelRatio;
    for (const [at_s, raw, isBound] of options.dots.values) {
      const [value] = scaled([raw], options.unit);
      const x = u.valToPos(at_s, "x", true), y = u.valToPos(value, "y", true);
      ctx.beginPath();
      if (isBound) { ctx.moveTo(x, y - 2 * size); ctx.lineTo(x - size, y); ctx.lineTo(x + size, y); }
      else ctx.arc(x, y, size, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.restore();
  }

  /* Scales, axes, series of uPlot. */
  function highest(options, data, order, at) {
    let top = -Infinity;
    for (const series of order.filter((one) => one.axis !== "right")) {
      for (const value of data[at.get(series)]) if (value != null && value > top) top = value;
    }
    for (const [, value] of (options.dots || { values: [] }).values) top = Math.max(top, scaled([value], options.unit)[0]);
    return top;
  }
  const isAll = (u, min, max) => min === u.data[0][0] && max === u.data[0][u.data[0].length - 1];
  function yRange(state) {
    return (u, low, high) => {
      const { options } = state;
      const known = [low, high].filter((value) => value != null);
      const values = [...known, ...state.extra];
      if (!values.length) return [0, 1];
      const min = Math.min(...values), max = Math.max(...values);
      if (options.log) return uPlot.rangeLog(Math.max(min, 1e-3), Math.max(max, 2e-3), 10, true);
      if (options.zero === false) return uPlot.rangeNum(min, max, 0.1, true);
      return [Math.min(0, min), max > 0 ? max * 1.12 : 1];
    };
  }
  function extraValues(options, top) {
    const dots = options.dots ? scaled(options.dots.values.map((dot) => dot[1]), options.unit) : [];
    const limits = scaled(limitsOf(options).map((limit) => limit.value), options.unit);
    return [...dots, ...limits.filter((value) => options.log || value <= LIMIT_IN_VIEW * top)];
  }
  function seriesOf(series, options, index) {
    const name = series.stroke || `--series-${(index % 8) + 1}`;
    return {
      label: series.label, scale: series.axis === "right" ? "y2" : "y", stroke: () => colour(name),
      width: series.width || 1.75, dash: series.dash, fill: series.fill ? () => faded(name, 0.14) : undefined,
      paths: series.step ? uPlot.paths.stepped({ align: 1 }) : undefined,
      points: { size: 5, fill: () => colour(name), show: fewPoints, filter: isolated },
    };
  }
  const fewPoints = (u, index) => u.data[index].filter((value) => value != null).length <= FEW_POINTS;
  function isolated(u, index, show) {
    if (show) return null;
    const values = u.data[index];
    const found = [];
    for (let i = 0; i < values.length; i++) {
      if (values[i] != null && values[i - 1] == null && values[i + 1] == null) found.push(i);
    }
    return found;
  }
  function bandSeries(name) {
    return { scale: "y", stroke: null, width: 0, points: { show: false }, _band: name };
  }
  function axes(options) {
    const base = { stroke: () => colour("--chart-axis"), ticks: { stroke: () => colour("--chart-grid"), size: 4 } };
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const grid = { stroke: () => colour("--chart-grid"), width: 1 };
    const values = (u, splits) => splits.map((value) => (value == null ? "" : number(value)));
    const made = [
      { ...base, grid, font, size: 28, space: 70, values: (u, splits, axis, space, incr) => splits.map((s) => clock(s, incr)) },
      { ...base, grid, font, size: AXIS_PX, scale: "y", space: 28, values },
    ];
    if (options.series.some((series) => series.axis === "right")) {
      made.push({ ...base, grid: { show: false }, font, side: 1, size: AXIS_PX, scale: "y2", space: 28, values });
    }
    return made;
  }
  function settings(state, width) {
    const { options } = state;
    const { at, count } = places(options);
    const series = new Array(count).fill(null);
    series[0] = {};
    options.series.forEach((one, i) => { series[at.get(one)] = seriesOf(one, options, i); });
    const bands = (options.bands || []).map((band) => {
      const place = at.get(band), of = options.series.findIndex((one) => one.label === band.of);
      const name = (options.series[of] || {}).stroke || `--series-${(Math.max(of, 0) % 8) + 1}`;
      series[place] = bandSeries(name);
      series[place + 1] = bandSeries(name);
      return { series: [place + 1, place], fill: () => faded(name, 0.18) };
    });
    const scales = {
      x: { time: true, range: (u, min, max) => (isAll(u, min, max) && state.options.range) || [min, max] },
      y: { distr: options.log ? 3 : 1, log: 10, range: yRange(state) },
      y2: { range: (u, low, high) => [0, (high || 1) * 1.12] },
    };
    return {
      width, height: options.height || 180, scales, series, bands, axes: axes(options), legend: { show: false },
      tzDate: (at_s) => uPlot.tzDate(new Date(at_s * 1000), "Etc/UTC"), cursor: cursorOf(state),
      hooks: {
        drawClear: [(u) => drawSpans(u, state.options)],
        draw: [(u) => { drawDots(u, state.options); drawLimits(u, state.options); drawMarks(u, state.options); }],
        setCursor: [() => state.show()],
        setScale: [(u, key) => key === "x" && state.scaled()],
      },
    };
  }
  function cursorOf(state) {
    const passes = (type) => type === "mousemove" || type === "mouseleave";
    const sync = state.options.syncKey ? { key: state.options.syncKey, setSeries: false, filters: { sub: passes } } : undefined;
    return {
      drag: { x: true, y: false, dist: 8 }, points: { size: 7 }, y: false, sync,
      dataIdx: (u, index, at) => nearest(u.data[index], at),
    };
  }
  /* undefined stands where another series of the chart has a time: the nearest reading is meant. */
  function nearest(values, at) {
    if (!values || values[at] !== undefined) return at;
    for (let away = 1; away < values.length; away++) {
      if (values[at - away] !== undefined) return at - away;
      if (values[at + away] !== undefined && at + away < values.length) return at + away;
    }
    return at;
  }

  /* The parts of a chart on the page. */
  function sample(series, index) {
    const made = node("span", { class: "chart-sample", "aria-hidden": "true" });
    const [first] = series.dash || [];
    made.style.borderTopStyle = first === undefined ? "solid" : first <= DOTTED ? "dotted" : "dashed";
    made.style.borderTopColor = `var(${series.stroke || `--series-${(index % 8) + 1}`})`;
    return made;
  }
  function legend(state) {
    const { options } = state;
    state.outputs = options.series.map(() => node("output", { "aria-live": "off" }));
    const named = (series) => (series.label === options.label ? "" : series.label);  // the title says it already
    const entries = options.series.map((series, i) => node("li", {}, sample(series, i), named(series), state.outputs[i]));
    if (options.dots) entries.push(node("li", {}, `● ${options.dots.label}`));
    const kinds = new Set(options.spanNames === false ? [] : (options.marks || []).map((mark) => mark.kind));
    for (const kind of kinds) {
      const [glyph, name] = MARKS[kind] || MARKS.change;
      const sign = node("span", { "aria-hidden": "true" }, glyph);
      sign.style.color = `var(${name})`;
      entries.push(node("li", {}, sign, kind));
    }
    const unseen = limitsOf(options).filter((limit) => !state.extra.includes(scaled([limit.value], options.unit)[0]));
    for (const limit of unseen) entries.push(node("li", { class: "muted" }, `${limit.text}: above this chart`));
    return entries;
  }
  function table(state) {
    const { options } = state, { at } = state.places;
    const heads = options.series.map((series) => {
      const unit = unitOf(series.unit || options.unit);
      return node("th", { scope: "col", class: "number" }, unit ? `${series.label} (${unit})` : series.label);
    });
    const rows = state.data[0].map((at_s, i) => {
      const cells = options.series.map((series) => node("td", { class: "number" }, cellText(state, series, i)));
      return node("tr", {}, node("th", { scope: "row" }, moment(at_s)), ...cells);
    });
    const marks = (options.marks || []).map((mark) => node("li", {}, `${moment(mark.at_s)}: ${mark.kind}, ${mark.text}`));
    const limits = limitsOf(options).map((limit) => node("li", {}, limit.text));
    const made = node("table", {}, node("thead", {}, node("tr", {}, node("th", { scope: "col" }, "time"), ...heads)));
    made.append(node("tbody", {}, ...rows));
    const scroll = node("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Values: ${options.label}` }, made);
    return [...(marks.length + limits.length ? [node("ul", {}, ...limits, ...marks)] : []), scroll];
  }
  function cellText(state, series, i) {
    const value = state.data[state.places.at.get(series)][i];
    if (value == null) return "–";
    return sign(state, series, i) + number(value);
  }
  /* By the row's time: a series that is joined to another one stands in other rows than it had. */
  function sign(state, series, i) {
    return state.bounds.get(series).has(state.data[0][i]) ? "≥ " : "";
  }
  function boundsOf(options) {
    const timesOf = (series) => (series.t || options.t).filter((at, i) => series.bound[i]);
    return new Map(options.series.map((series) => [series, new Set(series.bound ? timesOf(series) : [])]));
  }
  function markAt(u, options, at_s) {
    const near_s = 6 * (u.scales.x.max - u.scales.x.min) / Math.max(u.over.clientWidth, 1);
    const found = (options.marks || []).filter((mark) => at_s >= mark.at_s - near_s && at_s <= (mark.until_s || mark.at_s) + near_s);
    return found.map((mark) => ` · ${(MARKS[mark.kind] || MARKS.change)[0]} ${mark.text}`).join("");
  }

  function time(element, options) {
    const state = { options, isZoomed: false, plot: null };
    const title = node("span", { class: "chart-title" });
    const list = node("ul", { class: "chart-legend" });
    const said = node("output", { class: "chart-time", "aria-live": "off" });
    const reset = node("button", { type: "button", class: "button button-small chart-reset", hidden: "" }, "Show all");
    const plot = node("div", { class: "chart-plot", tabindex: "0", role: "slider", "aria-orientation": "horizontal" });
    const values = node("details", { class: "chart-values" }, node("summary", {}, "Values as a table"));
    const missing = node("p", { class: "muted", hidden: "" }, "Nothing was measured for this chart.");
    const box = node("div", { class: "chart", role: "group" });
    box.append(node("div", { class: "chart-head" }, title, list, said, reset), plot, missing, values);
    element.append(box);

    state.redraw = () => state.plot && state.plot.redraw(true, true);
    state.width = () => Math.max(plot.clientWidth, 200);
    state.scaled = () => {
      const u = state.plot;
      if (!u) return;
      const whole = state.options.range || [u.data[0][0], u.data[0][u.data[0].length - 1]];
      state.isZoomed = u.scales.x.min > whole[0] + 1e-6 || u.scales.x.max < whole[1] - 1e-6;
      reset.hidden = !state.isZoomed;
      follow(state);
    };
    state.show = () => read(state, plot, said);
    state.fit = (width) => state.plot && state.plot.setSize({ width, height: state.options.height || 180 });
    state.zoom = (from, to) => zoom(state, from, to);
    reset.addEventListener("click", () => { state.zoom(); plot.focus(); });
    plot.addEventListener("dblclick", () => state.zoom());
    plot.addEventListener("keydown", (event) => keyed(state, event));
    values.addEventListener("toggle", () => fillTable(state, values));
    new ResizeObserver(() => !state.isPrinting && state.fit(state.width())).observe(plot);
    const update = (changed) => {
      state.options = { ...state.options, ...changed };
      build(state, { title, list, plot, missing, values, box, said });
    };
    update({});
    all.add(state);
    return { update, zoom: state.zoom };
  }
  function build(state, parts) {
    const { options } = state;
    const isEmpty = !hasValues(options);
    parts.missing.hidden = !isEmpty;
    for (const part of [parts.plot, parts.values]) part.hidden = isEmpty;
    const isTwoSided = options.series.some((series) => series.axis === "right");
    const unit = isTwoSided ? "" : unitOf(options.unit);
    parts.title.textContent = unit ? `${options.label} (${unit})` : options.label;
    parts.box.setAttribute("aria-label", options.label);
    parts.plot.setAttribute("aria-label", `${options.label}: left and right read the values, plus and minus zoom, Escape shows all`);
    if (isEmpty) {
      if (state.plot) state.plot.destroy();
      state.plot = null;
      parts.list.replaceChildren();
      return;
    }
    const { data, order } = columns(options);
    Object.assign(state, { data, places: places(options), bounds: boundsOf(options) });
    state.extra = extraValues(options, highest(options, data, order, state.places.at));
    parts.list.replaceChildren(...legend(state));
    const shape = JSON.stringify([options.series.map((one) => [one.label, one.stroke, one.axis, Boolean(one.t)]), (options.bands || []).length, options.log, options.height]);
    if (state.plot && state.shape === shape) state.plot.setData(data, !state.isZoomed);
    else {
      if (state.plot) state.plot.destroy();
      state.shape = shape;
      state.plot = new uPlot(settings(state, state.width()), data, parts.plot);
    }
    const last = String(data[0].length - 1);
    for (const [key, value] of Object.entries({ valuemin: "0", valuemax: last, valuenow: "0", valuetext: "no value chosen" })) {
      parts.plot.setAttribute(`aria-${key}`, value);
    }
    if (parts.values.open) fillTable(state, parts.values);
  }
  function fillTable(state, values) {
    const summary = values.firstElementChild;
    values.replaceChildren(summary, ...(values.open && state.plot ? table(state) : []));
  }
  /* What the cursor stands on, beside the names of the series; the slider's text is the same for a screen reader. */
  function read(state, plot, said) {
    const { plot: u, options } = state;
    if (!u) return;
    const at = u.cursor.idx;
    const texts = options.series.map((series) => {
      if (at == null) return "";
      const i = nearest(u.data[state.places.at.get(series)], at);
      const value = u.data[state.places.at.get(series)][i];
      return value == null ? "–" : sign(state, series, i) + figure(value, unitOf(series.unit || options.unit));
    });
    texts.forEach((text, i) => { state.outputs[i].textContent = text; });
    said.textContent = at == null ? "" : `${moment(u.data[0][at])}${markAt(u, options, u.data[0][at])}`;
    said.title = at == null ? "" : local(u.data[0][at]);
    if (at == null) return;
    plot.setAttribute("aria-valuenow", String(at));
    plot.setAttribute("aria-valuetext", `${said.textContent}: ${options.series.map((one, i) => `${one.label} ${texts[i]}`).join(", ")}`);
  }
  /* A zoom holds for all charts of the same key. */
  let isFollowing = false;
  function follow(state) {
    if (isFollowing || !state.options.syncKey) return;
    const { min, max } = state.plot.scales.x;
    isFollowing = true;
    for (const other of all) {
      if (other !== state && other.plot && other.options.syncKey === state.options.syncKey) {
        other.isZoomed = state.isZoomed;
        other.plot.setScale("x", { min, max });
      }
    }
    isFollowing = false;
  }
  function zoom(state, from, to) {
    const { plot: u, options } = state;
    if (!u) return;
    const whole = options.range || [u.data[0][0], u.data[0][u.data[0].length - 1]];
    state.isZoomed = from != null;
    const [min, max] = from == null ? whole : [Math.max(from, whole[0]), Math.min(to, whole[1])];
    if (max > min) u.setScale("x", { min, max });
  }
  function keyed(state, event) {
    const { plot: u } = state;
    if (!u) return;
    const times = u.data[0], last = times.length - 1;
    const at = u.cursor.idx == null ? -1 : u.cursor.idx;
    const to = { ArrowLeft: at < 0 ? last : at - 1, ArrowRight: at + 1, Home: 0, End: last, PageDown: at - 10, PageUp: at + 10 }[event.key];
    if (to !== undefined) {
      const i = Math.min(Math.max(to, 0), last);
      u.setCursor({ left: u.valToPos(times[i], "x"), top: 10 });
    } else if (event.key === "+" || event.key === "-") {
      const { min, max } = u.scales.x, middle = at < 0 ? (min + max) / 2 : times[at];
      const half = ((max - min) / 2) * (event.key === "+" ? 0.5 : 2);
      state.zoom(middle - half, middle + half);
    } else if (event.key === "Escape") state.zoom();
    else return;
    event.preventDefault();
  }

  function readJson(id) {
    return JSON.parse(document.getElementById(id).textContent);
  }

  /* Another theme, and paper: light colours and the width of a page. */
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  let before = null;
  addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    for (const chart of all) { chart.isPrinting = true; chart.fit(PRINT_PX); }
    redraw();
  });
  addEventListener("afterprint", () => {
    if (before === undefined) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = before;
    for (const chart of all) { chart.isPrinting = false; chart.fit(chart.width()); }
    redraw();
  });

  return { time, read: readJson, unit: unitOf, figure: (value, unit) => (value == null ? "–" : figure(scaled([value], unit)[0], unitOf(unit))) };
})();
