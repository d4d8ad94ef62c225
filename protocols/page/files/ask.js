// Asking the daemon: our own origin only, with a token that stays in this tab.

const KEY = "budget-token";
const PREFIX = "/api/v1";

/** A token that came along behind the `#` is taken, and leaves the address bar. */
export function adoptToken() {
  const brought = /^#token=(.+)$/.exec(location.hash);
  if (brought) {
    keepToken(decodeURIComponent(brought[1]));
    history.replaceState(null, "", location.pathname);
  }
}

export function keepToken(token) {
  sessionStorage.setItem(KEY, token.trim());
}

export function dropToken() {
  sessionStorage.removeItem(KEY);
}

export function hasToken() {
  return sessionStorage.getItem(KEY) !== null;
}

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail ?? "the daemon refused");
    this.status = problem.status;
    this.hint = problem.hint;
  }
}

export function headers(more = {}) {
  return { Authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}`, ...more };
}

export function get(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  return answerOf(fetch(`${PREFIX}${path}${text ? `?${text}` : ""}`, { headers: headers() }));
}

export function post(path, body) {
  const told = { method: "POST", headers: headers({ "Content-Type": "application/json" }) };
  return answerOf(fetch(`${PREFIX}${path}`, { ...told, body: JSON.stringify(body) }));
}

async function answerOf(asked) {
  const response = await asked;
  const body = await response.json();
  if (!response.ok) throw new Refused(body);
  return body;
}
