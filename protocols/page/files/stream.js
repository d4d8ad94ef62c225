// The live stream: server-sent events over fetch, because EventSource cannot carry a token.

import { headers, Refused } from "./ask.js";

const PATH = "/api/v1/events";
const AGAIN_MS = [250, 500, 1000, 2000, 5000];

/**
 * Calls `heard(event)` for every event after `seq`, for ever; whatever breaks, it comes back to
 * the place where it was. `state` hears "live" and "lost". Ends when the token is refused.
 */
export async function follow(seq, heard, state) {
  let place = seq;
  for (let tries = 0; ; tries += 1) {
    try {
      const response = await opened(place);
      state("live");
      for await (const event of events(response.body)) {
        tries = 0;
        place = event.seq ?? place;
        heard(event);
      }
    } catch (problem) {
      if (problem instanceof Refused) throw problem;
    }
    state("lost");
    await pause(AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]);
  }
}

async function opened(place) {
  const told = headers({ Accept: "text/event-stream", "Last-Event-ID": String(place) });
  const response = await fetch(PATH, { headers: told, cache: "no-store" });
  if (response.status === 401 || response.status === 403) throw new Refused(await response.json());
  if (!response.ok) throw new Error(`the stream answered ${response.status}`);
  return response;
}

/** Blocks of `field: value` lines, an empty line after each. */
async function* events(body) {
  let text = "";
  for await (const piece of chunks(body.pipeThrough(new TextDecoderStream()).getReader())) {
    text += piece.replaceAll("\r", "");
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const data = block
        .split("\n")
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).trim())
        .join("\n");
      if (data) yield JSON.parse(data);
    }
  }
}

async function* chunks(reader) {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

function pause(ms) {
  return new Promise((wake) => setTimeout(wake, ms));
}
