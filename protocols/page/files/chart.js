// Spend by the hour: stacked columns, one colour a model. Arrow keys read it hour by hour.

import { byId, draw, fill, make } from "./make.js";
import { hourOf, usd } from "./words.js";

const SERIES_MAX = 6;
const OTHERS = "others";
const HEIGHT = 240;
const LEFT = 52;
const BOTTOM = 22;
const GAP = 2;

/** A model keeps its colour as long as the page is open. */
const colours = new Map();

/** `report` is cut by the hour and told apart by model. */
export function spendChart(report) {
  const names = ranked(report);
  const hours = report.pieces.map((starts) => hourOfReport(report, starts, names));
  const shown = [...names, ...(hours.some((hour) => hour.parts.has(OTHERS)) ? [OTHERS] : [])];
  const box = byId("chart");
  const chosen = box.dataset.chosen;
  fill("chart", picture(hours, shown, box), make("div", { class: "tip", hidden: true }));
  fill("legend", shown.map(legendEntry));
  table(hours, shown);
  if (chosen !== undefined) choose(box, hours, shown, Number(chosen));
}

function ranked(report) {
  const sums = new Map();
  for (const { group, figures } of report.items) {
    sums.set(group.model, (sums.get(group.model) ?? 0) + Number(figures.cost_usd));
  }
  const spent = [...sums].filter(([, cost]) => cost > 0).sort((a, b) => b[1] - a[1]);
  const names = spent.slice(0, SERIES_MAX).map(([name]) => name);
  for (const name of [...colours.keys()]) if (!names.includes(name)) colours.delete(name);
  for (const name of names) {
    if (colours.has(name)) continue;
    const taken = new Set(colours.values());
    colours.set(name, [...Array(SERIES_MAX).keys()].find((n) => !taken.has(n)));
  }
  return names;
}

function hourOfReport(report, starts, names) {
  const parts = new Map();
  for (const item of report.items) {
    const cost = Number(item.figures.cost_usd);
    if (item.starts !== starts || cost <= 0) continue;
    const name = names.includes(item.group.model) ? item.group.model : OTHERS;
    parts.set(name, (parts.get(name) ?? 0) + cost);
  }
  return { starts, parts, total: [...parts.values()].reduce((a, b) => a + b, 0) };
}

function picture(hours, names, box) {
  const width = Math.max(box.clientWidth, 320);
  const highest = Math.max(...hours.map((hour) => hour.total), 0);
  const top = ceiling(highest);
  const floor = HEIGHT - BOTTOM;
  const step = (width - LEFT) / hours.length;
  const y = (cost) => floor - (cost / top) * (floor - 8);
  const svg = draw("svg", {
    viewBox: `0 0 ${width} ${HEIGHT}`, preserveAspectRatio: "none", tabindex: "0", role: "img",
    "data-key": "chart", "aria-label": `Spend by the hour, ${usd(sum(hours))} in all. Arrow keys read the hours.`,
    onkeydown: (event) => steer(event, box, hours, names),
    onmouseleave: () => choose(box, hours, names, null),
    onblur: () => choose(box, hours, names, null),
  });
  for (const share of [0, 0.5, 1]) svg.append(...gridLine(y(top * share), width, top * share));
  hours.forEach((hour, place) => {
    const x = LEFT + place * step;
    svg.append(...column(hour, names, x, step, y, floor));
    if (place % Math.ceil(hours.length / 8) === 0) {
      svg.append(draw("text", { x: x + step / 2, y: HEIGHT - 5, "text-anchor": "middle" }, hourOf(hour.starts)));
    }
    svg.append(draw("rect", {
      class: "over", x, y: 0, width: step, height: floor, "data-place": place,
      onmouseenter: () => choose(box, hours, names, place),
    }));
  });
  if (highest === 0) {
    const middle = { class: "empty", x: width / 2, y: floor / 2, "text-anchor": "middle" };
    svg.append(draw("text", middle, "nothing was spent in these hours"));
  }
  return svg;
}

function gridLine(y, width, cost) {
  const label = { x: LEFT - 8, y: y + 4, "text-anchor": "end" };
  return [
    draw("line", { class: "grid", x1: LEFT, x2: width, y1: y, y2: y }),
    draw("text", label, cost ? usd(cost) : "0"),
  ];
}

function column(hour, names, x, step, y, floor) {
  const wide = Math.max(Math.min(step - 4, 26), 2);
  const left = x + (step - wide) / 2;
  let under = 0;
  return names
    .filter((name) => hour.parts.has(name))
    .map((name) => {
      const bottom = y(under);
      under += hour.parts.get(name);
      const height = Math.max(Math.min(bottom, floor) - y(under) - GAP, 1);
      return draw("rect", { class: colour(name), x: left, y: y(under), width: wide, height, rx: 2 });
    });
}

function colour(name) {
  return `c${name === OTHERS ? SERIES_MAX : colours.get(name)}`;
}

function legendEntry(name) {
  return make("li", {}, make("span", { class: `dot ${colour(name)}` }), name);
}

function steer(event, box, hours, names) {
  const now = Number(box.dataset.chosen ?? hours.length);
  const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: hours.length - 1 }[event.key];
  if (event.key === "Escape") choose(box, hours, names, null);
  if (to === undefined) return;
  event.preventDefault();
  choose(box, hours, names, Math.max(0, Math.min(hours.length - 1, to)));
}

/** Shows one hour's figures beside its column; null shows none. */
function choose(box, hours, names, place) {
  const tip = box.querySelector(".tip");
  for (const rect of box.querySelectorAll(".over")) {
    rect.classList.toggle("on", rect.dataset.place === String(place));
  }
  if (place === null || !hours[place]) {
    delete box.dataset.chosen;
    tip.hidden = true;
    return;
  }
  box.dataset.chosen = place;
  const hour = hours[place];
  const lines = names
    .filter((name) => hour.parts.has(name))
    .map((name) => make("div", {}, make("span", { class: `dot ${colour(name)}` }), make("span", {}, name),
      make("span", {}, usd(hour.parts.get(name)))));
  tip.replaceChildren(make("strong", {}, `${hourOf(hour.starts)} · ${usd(hour.total)}`), ...lines);
  tip.setAttribute("aria-live", "polite");
  tip.hidden = false;
  const share = (place + 0.5) / hours.length;
  const middle = LEFT + share * (box.clientWidth - LEFT);
  const beside = share > 0.5 ? middle - tip.offsetWidth - 16 : middle + 16;
  tip.style.left = `${Math.max(0, beside)}px`;
}

function table(hours, names) {
  const head = make("tr", {}, make("th", { scope: "col" }, "hour"),
    ["all", ...names].map((name) => make("th", { scope: "col", class: "n" }, name)));
  const rows = hours.filter((hour) => hour.total > 0).map((hour) => make("tr", {},
    make("th", { scope: "row" }, hourOf(hour.starts)), make("td", { class: "n" }, usd(hour.total)),
    names.map((name) => make("td", { class: "n" }, hour.parts.has(name) ? usd(hour.parts.get(name)) : ""))));
  fill("chart-table", make("thead", {}, head), make("tbody", {}, rows));
}

function sum(hours) {
  return hours.reduce((all, hour) => all + hour.total, 0);
}

/** The next round number. */
function ceiling(value) {
  if (value <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 6, 8, 10].map((n) => n * size).find((n) => n >= value);
}
