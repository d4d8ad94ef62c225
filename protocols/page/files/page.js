// The operator's window: ask for everything, draw it, and again whenever something happens.

import { adoptToken, dropToken, get, hasToken, keepToken, post, Refused } from "./ask.js";
import { budgets } from "./budgets.js";
import { spendChart } from "./chart.js";
import { alerts, calls, CALLS_SHOWN, happened, showEvents, tiles } from "./lists.js";
import { byId } from "./make.js";
import { follow } from "./stream.js";
import { timeOf, ZONE } from "./words.js";

const LOOK_EVERY_MS = 4000;
const SOON_MS = 120;
const RECENT = 100;
const THEMES = ["system", "light", "dark"];
const STATES = { live: "live", lost: "connection lost, trying again" };

let looking = false;
let again = false;
let soon = null;
let lastReport = null;

/** One look at everything. Looks never overlap: one asked for meanwhile follows at once. */
async function look() {
  if (looking) {
    again = true;
    return;
  }
  looking = true;
  try {
    await drawn();
  } catch (problem) {
    if (problem instanceof Refused) refused(problem);
    else state("lost");
  } finally {
    looking = false;
  }
  if (again) {
    again = false;
    await look();
  }
}

async function drawn() {
  const day = { span: "today", compare: true, zone: ZONE };
  const hours = { span: "last_24_hours", every: "hour", group_by: ["model"], zone: ZONE, limit: 10_000 };
  const [today, byHour, paces, held, entries, open] = await Promise.all([
    post("/reports", day),
    post("/reports", hours),
    get("/paces", { limit: 1000 }),
    get("/reservations", { status: "held", limit: 1000 }),
    get("/entries", { newest: true, calls: true, limit: CALLS_SHOWN }),
    get("/alerts", { limit: 50 }),
  ]);
  enter(true);
  tiles(today, held.items, held.next_cursor !== null);
  lastReport = byHour;
  spendChart(byHour);
  budgets(paces.items);
  calls(entries.items);
  alerts(open.items, acknowledge);
  byId("clock").textContent = timeOf(new Date());
}

async function acknowledge(alertId, button) {
  button.disabled = true;
  try {
    await post(`/alerts/${alertId}/acknowledge`, {});
  } catch (problem) {
    button.disabled = false;
    button.textContent = problem.status === 403 ? "this token may only read" : "again";
    return;
  }
  await look();
}

function heard(event) {
  happened(event);
  clearTimeout(soon);
  soon = setTimeout(look, SOON_MS);
}

function state(name) {
  const live = byId("live");
  if (live.dataset.state === name) return;
  live.dataset.state = name;
  live.textContent = STATES[name];
}

/** Shows the figures, or the field for a token. */
function enter(inside) {
  byId("figures").hidden = !inside;
  byId("enter").hidden = inside;
}

function refused(problem) {
  if (problem.status === 401) dropToken();
  byId("refused").textContent = [problem.message, problem.hint].filter(Boolean).join("; ");
  byId("live").textContent = "not connected";
  enter(false);
  byId("secret").focus();
}

async function begin() {
  if (!hasToken()) {
    byId("live").textContent = "not connected";
    enter(false);
    byId("secret").focus();
    return;
  }
  let place;
  try {
    const known = await get("/outbox", { cursor: "0", limit: 1 });
    const after = Math.max(known.last_seq - RECENT, 0);
    const recent = await get("/outbox", { cursor: String(after), limit: RECENT });
    recent.items.forEach(happened);
    place = recent.items.at(-1)?.seq ?? known.last_seq;
  } catch (problem) {
    refused(problem);
    return;
  }
  showEvents();
  await look();
  const timer = setInterval(() => document.hidden || look(), LOOK_EVERY_MS);
  follow(place, heard, state).catch((problem) => {
    clearInterval(timer);
    refused(problem);
  });
}

function theme(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  byId("theme").textContent = `Theme: ${name}`;
  localStorage.setItem("budget-theme", name);
}

byId("theme").addEventListener("click", () => {
  const now = THEMES.indexOf(localStorage.getItem("budget-theme") ?? "system");
  theme(THEMES[(now + 1) % THEMES.length]);
});
byId("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(byId("secret").value);
  byId("secret").value = "";
  begin();
});
addEventListener("resize", () => lastReport && !byId("figures").hidden && spendChart(lastReport));
document.addEventListener("visibilitychange", () => !document.hidden && hasToken() && look());

theme(localStorage.getItem("budget-theme") ?? "system");
adoptToken();
begin();
