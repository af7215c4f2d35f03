// One request of a scenario, as include/locustfiles/call.py has it: endpoint, method, path below the target's API
// prefix, and `check(reply)`, which says what is wrong with a 2xx reply, or null. `token`: session, user or none.

import { checkAnswer, isObject } from './checks.js';

const JSON_HEADERS = { 'Content-Type': 'application/json' };

export function makeCall(endpoint, method, path, check, options = {}) {
  return { endpoint, method, path, check, token: 'session', body: null, headers: {}, ...options };
}

export function jsonCall(endpoint, path, content, check, options = {}) {
  return putJson(endpoint, 'POST', path, content, check, options);
}

export function putJson(endpoint, method, path, content, check, options = {}) {
  const headers = { ...(options.headers || {}), ...JSON_HEADERS };
  return makeCall(endpoint, method, path, check, { ...options, body: JSON.stringify(content), headers });
}

// A question to the chat. `skip_proactivity`: an answer is wanted, never a form to fill in.
export function chatCall(endpoint, question) {
  const content = { messages: [{ role: 'user', content: question }], skip_proactivity: true };
  return jsonCall(endpoint, '/chatbot/chat/stream', content, (reply) => checkStream(reply.text));
}

// A stream of server-sent events; comment frames are no answer, and what follows `done` is not read.
function checkStream(body) {
  const parts = [];
  let done = false;
  // Not by the pattern where it is not needed: it takes ten times as long.
  for (const line of body.split(body.includes('\r') ? /\r\n|\n|\r/ : '\n')) {
    const event = line.startsWith('data:') ? eventOf(line.slice(5)) : null;
    if (isObject(event)) {
      if (typeof event.content === 'string') {
        parts.push(event.content);
      }
      done = event.done === true;
      if (done) {
        break;
      }
    }
  }
  return checkAnswer(parts.join(''), done);
}

// Events of a stream mostly differ in their content only, and to parse 100 KB of them takes k6 7 ms. So the text before
// and after the content of one is kept: what stands between the same two, and needs no escape, is a content as well.
const PROBE = 'loadtest-probe';
const PLAIN = /^[^"\\\u0000-\u001f]*$/;
let around = null;

function eventOf(data) {
  const known = around !== null && data.startsWith(around.before) && data.endsWith(around.after);
  if (known && data.length >= around.least) {
    const content = data.slice(around.before.length, data.length - around.after.length);
    if (PLAIN.test(content)) {
      return { content, done: around.done };
    }
  }
  const event = parsed(data);
  if (!known && isObject(event) && typeof event.content === 'string' && event.done !== true) {
    keepAround(data, event.content);
  }
  return event;
}

// Kept only where another content in the same place is read as the content.
function keepAround(data, content) {
  const at = data.indexOf(`"${content}"`) + 1;
  const [before, after] = [data.slice(0, at), data.slice(at + content.length)];
  const probed = data.includes(PROBE) ? null : parsed(before + PROBE + after);
  if (isObject(probed) && probed.content === PROBE) {
    around = { before, after, done: probed.done, least: before.length + after.length };
  }
}

// The parsed text; null where it is no JSON.
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (_error) {
    return null;
  }
}
