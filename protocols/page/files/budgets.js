// Budgets with two marks each: how much is used and held, and how much of the window has passed.

import { draw, fill, make } from "./make.js";
import { figure, percent, usd, when } from "./words.js";

const SHOWN_MAX = 6;
const NEAR = 0.8;
const WIDTH = 400;
const MARK = 3;
let all = false;

export function budgets(paces) {
  const fullest = [...paces].sort((a, b) => level(b) - level(a));
  const shown = all ? fullest : fullest.slice(0, SHOWN_MAX);
  fill("budgets",
    shown.map(entry),
    paces.length > SHOWN_MAX && make("li", { class: "more" }, make("button", {
      type: "button", "data-key": "all", onclick: () => { all = !all; budgets(paces); },
    }, all ? "The fullest only" : `All ${paces.length}`)),
    paces.length === 0 && make("li", { class: "quiet" }, "No policy counts yet: nothing is limited. ",
      make("code", {}, "budget policy set --help"), " shows how."));
}

function level(at) {
  return share(at, at.used) + share(at, at.held);
}

function share(at, amount) {
  return Number(at.limit) > 0 ? Number(amount) / Number(at.limit) : Number(amount) > 0 ? 1 : 0;
}

function entry(at) {
  const used = share(at, at.used);
  const name = at.key ? `${at.policy} · ${at.key}` : at.policy;
  const limit = figure(at.axis, at.limit);
  const spent = at.axis === "usd" ? usd(at.used) : figure(at.axis, at.used).replace(` ${at.axis}`, "");
  return make("li", {},
    make("div", { class: "name" }, make("b", {}, name), make("span", {}, `${spent} of ${limit}`)),
    bar(at, used, name),
    make("div", { class: "note" }, notes(at, used)));
}

function bar(at, used, name) {
  const held = share(at, at.held);
  const wide = Math.min(used, 1) * WIDTH;
  const waiting = Math.min(held, Math.max(1 - used, 0)) * WIDTH;
  const kind = used + held >= 1 ? "over" : used + held >= NEAR ? "near" : "ok";
  const svg = draw("svg", {
    viewBox: `0 0 ${WIDTH} 18`, preserveAspectRatio: "none", role: "img",
    "aria-label": `${name}: ${percent(used)} used, ${percent(held)} held`
      + (at.passed_share === null ? "" : `, ${percent(at.passed_share)} of the window passed`),
  },
  draw("rect", { class: "track", x: 0, y: 4, width: WIDTH, height: 10, rx: 4 }),
  draw("rect", { class: "held", x: wide, y: 4, width: waiting, height: 10 }),
  draw("rect", { class: kind, x: 0, y: 4, width: Math.max(wide, used > 0 ? 2 : 0), height: 10, rx: 4 }));
  if (at.passed_share !== null) {
    const x = Math.min(at.passed_share * WIDTH, WIDTH - MARK);
    svg.append(draw("rect", { class: "time", x, y: 0, width: MARK, height: 18, rx: 1 }));
  }
  return svg;
}

function notes(at, used) {
  const told = [`${percent(used)} used`];
  if (Number(at.held) > 0) told.push(`${figure(at.axis, at.held)} held`);
  if (at.passed_share !== null) told.push(`${percent(at.passed_share)} of the time`);
  const text = make("span", {}, told.join(" · "));
  if (at.runs_out_at) {
    text.append(" · ", make("span", { class: "bad" }, `runs out ${when(at.runs_out_at)} at this rate`));
  } else if (at.window_ends) {
    text.append(` · resets ${when(at.window_ends)}`);
  }
  return text;
}
