// One virtual user: what its scenarios may know of it, its session, its pauses, and when it is wanted.

import crypto from 'k6/crypto';
import http from 'k6/http';

import { parsed } from './call.js';
import { Draws, ScenarioOrder, zipfRank } from './draws.js';
import { PLAN, SESSIONS } from './plan.js';

// Keys that keep the streams of draws apart.
const [THINK, CALLS] = [2, 3];

export class User {
  // `index`: its place among the users of this load, from 0.
  constructor(index) {
    this.number = PLAN.user_numbers[index];
    this.spans = PLAN.user_spans[index];
    this.session = SESSIONS[index];
    this.studioId = this.session.studio_id;
    this.draws = new Draws(PLAN.seed, this.number, 0, CALLS);
    this.memory = {};
    this.iteration = 0;
    this.newQuestions = 0;
    this.thinking = new Draws(PLAN.seed, this.number, 0, THINK);
    this.scenarios = new ScenarioOrder(PLAN.deck, PLAN.seed, this.number);
  }

  // The next question of a kind: a popular one more often, and some that nobody has asked before.
  question(kind) {
    const { pools, cumulative, new_share: share, new_form: form } = PLAN.questions;
    const question = pools[kind][zipfRank(cumulative, this.draws)];
    if (this.draws.uniform(0, 1) >= share) {
      return question;
    }
    this.newQuestions += 1;
    const words = { question, run_key: PLAN.run_key, user: this.number, number: this.newQuestions };
    return form.replace(/\{(\w+)\}/g, (_all, name) => words[name]);
  }

  // Seconds until the user wants its next iteration.
  thinkTime() {
    return this.thinking.uniform(PLAN.think_time_s.min, PLAN.think_time_s.max);
  }

  // The time, in seconds of the load, in which it is wanted at an offset or will be next; undefined: never again.
  spanAt(offset) {
    return this.spans.find(([, end]) => offset < end);
  }

  // The headers that a call with that kind of token needs.
  authorization(token) {
    const forwarded = this.session.forwarded_for;
    const headers = forwarded ? { 'X-Forwarded-For': forwarded } : {};
    if (token !== 'none') {
      headers.Authorization = `Bearer ${token === 'session' ? this.session.session_token : this.session.user_token}`;
    }
    return headers;
  }

  // W3C trace context: a trace for each iteration, which its samples lead to, and a span for each request. Both are
  // hexadecimal text of a digest, since the script itself would be slower at it.
  traceParent() {
    const trace = crypto.sha256(`${PLAN.run_id}/${this.number}/${this.iteration}`, 'hex').slice(0, 32);
    return `00-${trace}-${crypto.sha256(crypto.randomBytes(8), 'hex').slice(0, 16)}-01`;
  }

  isSessionOld() {
    return Date.now() / 1000 - this.session.obtained_at > PLAN.renewal.max_age_s;
  }

  // Log in again and open a new session; on failure the old one stays, and the load shows what follows.
  renewSession() {
    const headers = { ...PLAN.renewal.headers, ...this.authorization('none') };
    const form = { username: PLAN.renewal.username.replace('{}', this.number), password: PLAN.renewal.password };
    const userToken = post('/auth/login', form, headers, ['access_token']);
    const bearer = { ...headers, Authorization: `Bearer ${userToken}` };
    const sessionToken = userToken && post('/auth/session', null, bearer, ['token', 'access_token']);
    if (sessionToken) {
      const tokens = { user_token: userToken, session_token: sessionToken, obtained_at: Date.now() / 1000 };
      this.session = { ...this.session, ...tokens };
    }
  }
}

// The text at a path of the answer; null where there is none.
function post(path, form, headers, keys) {
  const options = { headers, timeout: PLAN.renewal.timeout, tags: { name: 'login' } };
  const response = http.post(PLAN.base_url + PLAN.api_prefix + path, form, options);
  const found = keys.reduce((value, key) => value && value[key], parsed(response.body || ''));
  return typeof found === 'string' ? found : null;
}
