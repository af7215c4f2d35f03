// What the users of a plan would ask, and what the checks say of made-up answers, as lines of JSON on standard error.

import crypto from 'k6/crypto';

import { parsed } from '../../include/k6/call.js';
import { PLAN } from '../../include/k6/plan.js';
import * as SCENARIOS from '../../include/k6/scenarios.js';
import { User } from '../../include/k6/user.js';

const WANTED = JSON.parse(open(__ENV.WANTED));

export const options = { vus: 1, iterations: 1 };

export default function say() {
  PLAN.user_numbers.forEach((number, index) => {
    const user = new User(index);
    for (let iteration = 0; iteration < WANTED.iterations; iteration += 1) {
      const scenario = user.scenarios.next();
      const call = SCENARIOS[scenario](user);
      const errors = iteration < WANTED.judged ? WANTED.answers.map((text) => judge(call, text)) : [];
      const trace = user.traceParent();
      user.iteration += 1;
      console.log(JSON.stringify({ ...shown(call), number, scenario, think_s: user.thinkTime(), errors, trace }));
    }
  });
}

function shown({ endpoint, method, path, token, headers, body }) {
  const isText = typeof body === 'string';
  const sha256 = body === null || isText ? null : crypto.sha256(body, 'hex');
  return { endpoint, method, path, token, headers, content: isText ? JSON.parse(body) : null, sha256 };
}

function judge(call, text) {
  return call.check({ status: 200, text, json: () => parsed(text) });
}
