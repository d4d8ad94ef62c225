// Figures as people read them. Amounts come as decimal strings; they become numbers only here.

const LOCALE = "en-US";
const whole = new Intl.NumberFormat(LOCALE);
const short = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 2 });
const H24 = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const clock = new Intl.DateTimeFormat(LOCALE, { ...H24, second: "2-digit" });
const hour = new Intl.DateTimeFormat(LOCALE, H24);
const day = new Intl.DateTimeFormat("en-GB", { ...H24, day: "numeric", month: "short" });
const DAY_MS = 86_400_000;

export function usd(text) {
  const amount = Number(text);
  const size = Math.abs(amount);
  const digits = size === 0 || size >= 100 ? 2 : size >= 0.01 ? 4 : 7;
  const shown = size.toLocaleString(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: digits });
  return `${amount < 0 ? "−" : ""}$${shown}`;
}

export function count(number) {
  return whole.format(number);
}

export function brief(number) {
  return number < 100_000 ? whole.format(number) : short.format(number);
}

export function figure(axis, value) {
  return axis === "usd" ? usd(value) : `${brief(Number(value))} ${axis}`;
}

export function percent(share) {
  return `${Math.round(share * 100)} %`;
}

export function timeOf(stamp) {
  return clock.format(new Date(stamp));
}

export function hourOf(stamp) {
  return hour.format(new Date(stamp));
}

/** The hour alone if it is within a day, else with its date. */
export function when(stamp) {
  const at = new Date(stamp);
  return Math.abs(at - Date.now()) < DAY_MS ? hour.format(at) : day.format(at);
}

export function change(before, now) {
  if (Number(before) === 0) return Number(now) === 0 ? "as yesterday" : "nothing by then yesterday";
  const share = (now - before) / before;
  const arrow = share > 0 ? "▲" : share < 0 ? "▼" : "=";
  return `${arrow} ${Math.abs(Math.round(share * 100))} % on yesterday by now`;
}

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
