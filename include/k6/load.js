// The script that k6 runs: each virtual user thinks, asks, and says when it asked and what came back.
//
// Three points a request, `loadtest_started`, `loadtest_answered` and `loadtest_judged`, carry that as metadata; k6
// stamps them in nanoseconds, and include/k6/points.py makes samples of them. The answer's point comes before any work
// on the answer, which is no time of the target's. k6's own clock for scripts counts whole milliseconds.

import encoding from 'k6/encoding';
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
const ANSWERED = new Counter('loadtest_answered');
const JUDGED = new Counter('loadtest_judged');
const FAILED = new Counter('loadtest_failed');
const USERS = new Counter('loadtest_users');
const TIMED_OUT = 1050;
// A moment by the script's clock is so many seconds late at most.
const TICK_S = 0.001;

const SPAWNED_MS = Number(__ENV.LOADTEST_SPAWNED_MS);

let user = null;
let isPresent = false;
let hasAsked = false;
let answeredMs = 0;

// One iteration of one user. What it raises ends the load: the next iteration would begin at once and raise it again.
export default function iterate() {
  try {
    askWhenWanted();
  } catch (error) {
    exec.test.abort(`the script raised ${error}`);
  }
}

function askWhenWanted() {
  user = user || new User(exec.vu.idInTest - 1);
  const think = hasAsked ? user.thinkTime() : null;
  const offset = offsetS();
  const pause = think === null ? 0 : leftS(think);
  const span = user.spanAt(offset + TICK_S);
  if (span === undefined) {
    leave();
    sleep(Math.max(0, PLAN.load_s - offset));
  } else if (offset < span[0]) {
    leave();
    sleep(span[0] - offset);
  } else if (offset + pause + TICK_S >= span[1]) {
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
  const dueMs = think === null ? beganMs : answeredMs + think * 1000;
  sleep(think === null ? 0 : leftS(think));
  refuseIfHeldUp(dueMs, Date.now());
  const renewed = user.isSessionOld();
  if (renewed) {
    user.renewSession();
  }
  ask(user.scenarios.next(), renewed ? null : think);
}

// Seconds until a pause that began with the last answer is over: judging the answer is a part of it.
function leftS(think) {
  return Math.max(0, think - (Date.now() - answeredMs) / 1000);
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
  const timeout = PLAN.timeouts[scenario];
  const [call, params] = ofScenario(scenario, () => prepared(scenario, timeout));
  say(STARTED, {
    user: user.number,
    iteration: user.iteration,
    scenario,
    endpoint: call.endpoint,
    think_s: think,
    began_ms: exec.scenario.startTime,
  });
  const startedMs = Date.now();
  const [response, raised] = exchange(call, params);
  say(ANSWERED, { user: user.number });
  answeredMs = Date.now();
  hasAsked = true;
  user.iteration += 1;
  const result = raised || ofScenario(scenario, () => judged(call, response));
  say(JUDGED, { user: user.number, ...result });
  refuseIfHeldUp(startedMs + parseFloat(timeout), answeredMs);
}

function prepared(scenario, timeout) {
  const call = SCENARIOS[scenario](user);
  const tags = { name: call.endpoint, user_scenario: scenario };
  return [call, { headers: headersOf(call), timeout, tags, redirects: 0, responseType: 'text' }];
}

// What a scenario's own code gives; what it raises ends the load, which would not be the profile's without it.
function ofScenario(scenario, work) {
  try {
    return work();
  } catch (error) {
    const [name, said] = error instanceof Error ? [error.name, error.message] : [typeof error, error];
    const text = String(said).slice(0, PLAN.checks.error_chars);
    say(FAILED, { user: user.number, scenario, name: String(name), text });
    exec.test.abort('a scenario raised an error');
    throw error;
  }
}

// The response, or what k6 raised instead of one.
function exchange(call, params) {
  try {
    return [http.request(call.method, PLAN.base_url + PLAN.api_prefix + call.path, call.body, params), null];
  } catch (error) {
    return [null, { outcome: 'connection_error', name: String(error.name) }];
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

// The body's bytes: as the target announced them, else counted, by a native function: a loop over 100 KB takes 50 ms.
function sizeOf(response, text) {
  const announced = response.headers['Content-Length'];
  if (announced !== undefined && response.headers['Content-Encoding'] === undefined) {
    return Number(announced);
  }
  return Math.floor((encoding.b64encode(text, 'rawstd').length * 3) / 4);
}

function headersOf(call) {
  return { ...PLAN.headers, traceparent: user.traceParent(), ...call.headers, ...user.authorization(call.token) };
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
