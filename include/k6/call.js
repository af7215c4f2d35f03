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
  for (const line of body.split(/\r\n|\n|\r/)) {
    const event = line.startsWith('data:') ? parsed(line.slice(5)) : null;
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

// The parsed text; null where it is no JSON.
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (_error) {
    return null;
  }
}
