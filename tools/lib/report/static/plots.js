// Small plots: bars as SVG, words around them as HTML.

const BREAK_S = 600; // a longer pause between two pages is not working time

function plotCard(title, facts, ...content) {
  return h("figure", { class: "card" },
    h("figcaption", {}, h("b", { text: title }), h("span", { class: "muted", text: facts })),
    ...content);
}

// Bars that fill the width; each {value, label}; marks are places from 0 to 1 with a line.
function bars(values, label, marks = []) {
  const most = Math.max(...values.map(({ value }) => value)) || 1;
  const picture = svg("svg", {
    viewBox: `0 0 ${values.length} 100`, preserveAspectRatio: "none", role: "img", "aria-label": label,
  });
  values.forEach(({ value, label: says }, place) => {
    const height = value ? Math.max(1.5, (100 * value) / most) : 0;
    const bar = svg("rect", { x: place + 0.08, width: 0.84, y: 100 - height, height });
    const hover = svg("rect", { class: "hover", x: place, width: 1, y: 0, height: 100 });
    const tip = svg("title");
    tip.textContent = says;
    hover.append(tip);
    picture.append(bar, hover);
  });
  for (const mark of marks) {
    const x = mark * values.length;
    picture.append(svg("line", { x1: x, x2: x, y1: 0, y2: 100, "vector-effect": "non-scaling-stroke" }));
  }
  return picture;
}

const axis = (...labels) => h("div", { class: "axis" }, ...labels.map((text) => h("span", { text })));

const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];

// How often values lie where; the last bar holds what is beyond.
function histogram(title, values, unit) {
  const sorted = values.filter((value) => value > 0).sort((one, other) => one - other);
  if (!sorted.length) return plotCard(title, "–");
  const end = niceCeiling(quantile(sorted, 0.99));
  const count = Math.min(40, Math.max(8, sorted.length));
  const tally = new Array(count).fill(0);
  for (const value of sorted) tally[Math.min(count - 1, Math.floor((count * value) / end))] += 1;
  const median = quantile(sorted, 0.5);
  const facts = t("spread", short(median) + unit, short(quantile(sorted, 0.95)) + unit);
  const rows = tally.map((value, place) => ({
    value,
    label: `${short((place * end) / count)}–${short(((place + 1) * end) / count)}${unit}: ${round(value)}`,
  }));
  return plotCard(title, facts, bars(rows, `${title}: ${facts}`, [Math.min(1, median / end)]),
    axis("0", short(end / 2), short(end) + unit));
}

// Pages per minute over the time that was worked; a line where there was a pause.
function throughput(finished) {
  const title = t("throughput");
  const times = finished.filter((time) => time >= 0).sort((one, other) => one - other);
  const worked = workingTimes(times);
  const length = worked.times.at(-1) ?? 0;
  if (times.length < 2 || !length) return plotCard(title, t("noTimes"));
  const count = Math.min(60, Math.max(6, Math.floor(times.length / 3)), Math.max(6, Math.ceil(length)));
  const width = length / count;
  const tally = new Array(count).fill(0);
  for (const time of worked.times) tally[Math.min(count - 1, Math.floor(time / width))] += 1;
  const rates = tally.map((pages) => (60 * pages) / width);
  const facts = t("throughputFacts", short((60 * times.length) / length), short(Math.max(...rates)));
  const rows = rates.map((value, place) => ({
    value, label: `${duration(place * width)}: ${t("perMinute", short(value))}`,
  }));
  return plotCard(title, facts,
    bars(rows, `${title}: ${facts}`, worked.breaks.map((time) => time / length)),
    axis("0", duration(length / 2), duration(length)));
}

// Times with the pauses taken out, and where these were.
function workingTimes(sorted) {
  const breaks = [];
  let paused = sorted[0] ?? 0;
  const times = sorted.map((time, place) => {
    const gap = place ? time - sorted[place - 1] : 0;
    if (gap > BREAK_S) {
      paused += gap;
      breaks.push(time - paused);
    }
    return time - paused;
  });
  return { times, breaks };
}

function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value * 0.9999);
}

// Rows of a name, a bar and a count; a click picks the name.
function barRows(rows, onpick) {
  const most = Math.max(...rows.map(({ count }) => count), 1);
  return h("ul", { class: "bar-rows" }, ...rows.map(({ key, label, count }) =>
    h("li", {}, h("button", { type: "button", class: key, onclick: () => onpick(key) },
      h("span", { class: "swatch" }),
      h("span", { class: "bar-name", text: label }),
      h("span", { class: "bar-track" }, h("span", { class: "bar-fill", css: { width: `${(100 * count) / most}%` } })),
      h("span", { class: "bar-count", text: round(count) })))));
}
