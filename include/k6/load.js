// The script that k6 runs: each virtual user thinks, asks, and says when it asked and what came back.
//
// Two points a request, `loadtest_started` and `loadtest_ended`, carry that as metadata; k6 stamps them in nanoseconds,
// and include/k6/points.py makes samples of them. k6's own clock for scripts counts whole milliseconds.

import crypto from 'k6/crypto';
import exec from 'k6/execution';
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

import { parsed } from './call.js';
import { PLAN } from './plan.js';
import * as SCENARIOS from './scenarios.js';
import { User } from './user.js';

export const options = PLAN.options;

const STARTED = new Counter('loadtest_started');
const ENDED = new Counter('loadtest_ended');
const USERS = new Counter('loadtest_users');
const TIMED_OUT = 1050;
// A moment by the script's clock is so many seconds late at most.
const TICK_S = 0.001;

const SPAWNED_MS = Number(__ENV.LOADTEST_SPAWNED_MS);

let user = null;
let isPresent = false;
let hasAsked = false;

// One iteration of one user.
export default function iterate() {
  user = user || new User(exec.vu.idInTest - 1);
  const think = hasAsked ? user.thinkTime() : null;
  const offset = offsetS();
  const span = user.spanAt(offset + TICK_S);
  if (span === undefined) {
    leave();
    sleep(Math.max(0, PLAN.load_s - offset));
  } else if (offset < span[0]) {
    leave();
    sleep(span[0] - offset);
  } else if (offset + (think || 0) + TICK_S >= span[1]) {
    sleep(span[1] - offset);
  } else {
    enter();
    askAfter(think, exec.scenario.startTime + span[0] * 1000);
  }
}

// What k6 itself counted, for its page; verdicts never read it.
export function handleSummary(data) {
  return { [PLAN.summary_file]: JSON.stringify(data) };
}

function askAfter(think, beganMs) {
  refuseIfHeldUp(SPAWNED_MS, exec.scenario.startTime);
  const dueMs = think === null ? beganMs : Date.now() + think * 1000;
  sleep(think || 0);
  refuseIfHeldUp(dueMs, Date.now());
  const renewed = user.isSessionOld();
  if (renewed) {
    user.renewSession();
  }
  ask(user.scenarios.next(), renewed ? null : think);
}

// Who was held up for so long may have lost the target to somebody else, and the process that watches it may not have
// seen it yet: nothing is sent any more.
function refuseIfHeldUp(dueMs, nowMs) {
  if (nowMs - dueMs > PLAN.held_up_s * 1000) {
    exec.test.abort('held up for so long that nothing may be sent any more');
  }
}

// One request, one sample. `think`: seconds since the last one ended, null: it was wanted when it started.
function ask(scenario, think) {
  const call = SCENARIOS[scenario](user);
  const timeout = PLAN.timeouts[scenario];
  const tags = { name: call.endpoint, user_scenario: scenario };
  const params = { headers: headersOf(call), timeout, tags, redirects: 0, responseType: 'text' };
  say(STARTED, {
    user: user.number,
    iteration: user.iteration,
    scenario,
    endpoint: call.endpoint,
    think_s: think,
    began_ms: exec.scenario.startTime,
  });
  const startedMs = Date.now();
  const result = exchange(call, params);
  hasAsked = true;
  user.iteration += 1;
  say(ENDED, { user: user.number, ...result });
  refuseIfHeldUp(startedMs + parseFloat(timeout), Date.now());
}

function exchange(call, params) {
  try {
    const url = PLAN.base_url + PLAN.api_prefix + call.path;
    return judged(call, http.request(call.method, url, call.body, params));
  } catch (error) {
    return { outcome: 'connection_error', name: String(error.name) };
  }
}

function judged(call, response) {
  const { status } = response;
  if (status === 0) {
    const outcome = response.error_code === TIMED_OUT ? 'timeout' : 'connection_error';
    return { outcome, code: response.error_code, text: response.error };
  }
  const text = response.body || '';
  const answer = { status, bytes: sizeOf(response, text) };
  if (status < 200 || status >= 300) {
    const outcome = status === 429 ? 'rejected' : 'http_error';
    return { outcome, text: text.slice(0, PLAN.checks.error_chars), ...answer };
  }
  const error = call.check({ status, text, json: () => parsed(text) });
  return error === null ? { outcome: 'ok', ...answer } : { outcome: 'wrong_answer', text: error, ...answer };
}

// The body's bytes: as the target announced them, else counted.
function sizeOf(response, text) {
  const announced = response.headers['Content-Length'];
  if (announced !== undefined && response.headers['Content-Encoding'] === undefined) {
    return Number(announced);
  }
  let size = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) {
      size += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
    }
  }
  return size;
}

function headersOf(call) {
  return { ...PLAN.headers, traceparent: traceParent(), ...call.headers, ...user.authorization(call.token) };
}

// W3C trace context, a new trace for every request.
function traceParent() {
  const id = crypto.sha256(crypto.randomBytes(24), 'hex'); // as hexadecimal text: the script would be slower at it
  return `00-${id.slice(0, 32)}-${id.slice(32, 48)}-01`;
}

function offsetS() {
  return (Date.now() - exec.scenario.startTime) / 1000;
}

function enter() {
  if (!isPresent) {
    isPresent = true;
    say(USERS, { user: user.number }, 1);
  }
}

function leave() {
  if (isPresent) {
    isPresent = false;
    hasAsked = false;
    say(USERS, { user: user.number }, -1);
  }
}

// A point with facts of its own; metadata, unlike tags, cost k6 no memory. Counters take no negative value.
function say(metric, facts, change = 1) {
  const { metadata } = exec.vu.metrics;
  metadata.loadtest = JSON.stringify({ ...facts, change });
  metric.add(change > 0 ? 1 : 0);
  delete metadata.loadtest;
}
