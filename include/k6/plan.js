// What this load is: written by include/loadtest/runners/k6_plan.py from the profile. Sessions hold secrets.

import { SharedArray } from 'k6/data';

export const PLAN = JSON.parse(open(__ENV.LOADTEST_K6_PLAN));

// Expected taxes in euro, null where only the shape is known: one copy for all users.
export const TAXES = new SharedArray('taxes', () => JSON.parse(open(PLAN.taxes.expected_file)));

export const DOCUMENTS = PLAN.documents.map((document) => ({
  content_type: document.content_type,
  body: open(document.file, 'b'),
}));

// The sessions in the order of PLAN.user_numbers.
export const SESSIONS = new SharedArray('sessions', () => {
  const entries = JSON.parse(open(PLAN.sessions_file));
  return PLAN.user_numbers.map((number) => entries[number]);
});
