// What comes in lists: headline tiles, the latest calls, alerts, and what happened.

import { fill, make } from "./make.js";
import { brief, change, count, timeOf, usd, when } from "./words.js";

export const CALLS_SHOWN = 16;
const ALERTS_SHOWN = 5;
const EVENTS_SHOWN = 8;
const QUIET = /\.alert\.(resolved|acknowledged)\./;
const NANOS = 1e9;
const events = [];
let newest = 0;
let allAlerts = false;

export function tiles(today, held, moreHeld) {
  const { total, total_before: before } = today;
  const usdHeld = held.reduce((sum, hold) => sum + Number(hold.held.usd), 0);
  fill("tiles",
    tile("spent", "Spent today", usd(total.cost_usd), change(before.cost_usd, total.cost_usd)),
    tile("tokens", "Tokens today", brief(total.tokens), cached(total)),
    tile("called", "Calls today", count(total.calls), total.overruns ? `${count(total.overruns)} cost more than held` : ""),
    tile("denied", "Refused today", count(total.denied), sentAway(total), total.denied > 0),
    tile("held", "Held now", usd(usdHeld), `${moreHeld ? "more than " : ""}${count(held.length)} under way`));
}

function tile(id, title, value, note, alarm = false) {
  return make("article", { class: `card tile${alarm ? " alarm" : ""}`, "data-tile": id },
    make("h2", {}, title), make("div", { class: "value" }, value), make("div", { class: "note" }, note));
}

function sentAway({ denied, calls: made }) {
  if (!denied) return "nobody was sent away";
  return `${Math.round((denied / (denied + made)) * 100)} % of those who asked`;
}

function cached(total) {
  const read = total.cache_read_tokens;
  const entered = read + total.input_tokens + total.cache_write_tokens;
  if (!read) return "";
  return `${Math.round((read / entered) * 100)} % of input cached, saved ${usd(total.cache_saved_usd)}`;
}

/** Bookings and refusals, the newest first. */
export function calls(shown) {
  const head = make("tr", {}, ["at", "component", "model"].map((name) => make("th", { scope: "col" }, name)),
    ["tokens", "cost"].map((name) => make("th", { scope: "col", class: "n" }, name)),
    make("th", { scope: "col" }, "how"));
  const rows = shown.map(call);
  newest = Math.max(newest, ...shown.map((entry) => entry.seq));
  const none = make("tr", {}, make("td", { colspan: 6, class: "quiet" }, "No call yet."));
  fill("calls", make("thead", {}, head), make("tbody", {}, rows.length ? rows : none));
}

function call(entry) {
  const refused = entry.kind === "denied";
  const { model, tokens, usd: nanos, policy, axis } = entry.body;
  const fresh = newest > 0 && entry.seq > newest;
  const how = refused ? `refused by ${policy ?? "a limit"}${axis ? ` (${axis})` : ""}` : entry.kind;
  return make("tr", { class: [refused ? "refused" : "", fresh ? "new" : ""].join(" ").trim() },
    make("td", {}, timeOf(entry.at)), make("td", {}, entry.component), make("td", {}, model),
    make("td", { class: "n" }, count(tokens)), make("td", { class: "n" }, refused ? "" : usd(nanos / NANOS)),
    make("td", {}, how));
}

export function alerts(items, acknowledge) {
  const shown = allAlerts ? items : items.slice(0, ALERTS_SHOWN);
  const turn = () => { allAlerts = !allAlerts; alerts(items, acknowledge); };
  fill("alerts",
    items.length === 0 && make("li", { class: "none" }, "No alert is open."),
    shown.map((alert) => make("li", { class: alert.severity, "data-alert": alert.alert_id },
      make("span", { class: "dot" }),
      make("span", { class: "text" }, alert.detail),
      make("button", {
        type: "button", "data-key": alert.alert_id, onclick: (event) => acknowledge(alert.alert_id, event.target),
        "aria-label": `Acknowledge: ${alert.detail}`,
      }, "Acknowledge"),
      make("span", { class: "note" }, `${alert.severity}, since ${when(alert.raised_at)}`
        + (alert.count > 1 ? `, seen ${count(alert.count)} times` : "")))),
    items.length > ALERTS_SHOWN && make("li", { class: "none" }, make("button", {
      type: "button", "data-key": "all", onclick: turn,
    }, allAlerts ? "The newest only" : `All ${items.length}`)));
}

/** Takes one event in, at the top. */
export function happened(event) {
  if (QUIET.test(event.type)) return;
  events.unshift(event);
  events.length = Math.min(events.length, EVENTS_SHOWN);
  showEvents();
}

export function showEvents() {
  fill("events",
    events.length === 0 && make("li", { class: "none" }, "Nothing of note has happened yet."),
    events.map((event) => make("li", { class: event.severity, "data-seq": event.seq },
      make("span", { class: "dot" }),
      make("span", { class: "text" }, event.data.detail ?? event.type),
      make("time", { class: "at", datetime: event.time }, timeOf(event.time)))));
}
