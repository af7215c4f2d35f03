// What users ask for. Each exported function is a scenario by its name: it gets the user and returns its next call.
// The same draws in the same order as in include/locustfiles: a user asks the same in either engine.

import { chatCall, jsonCall, makeCall, putJson } from './call.js';
import { checkKeys, checkSearch, checkTax, checkUpload, isObject } from './checks.js';
import { DOCUMENTS, PLAN, TAXES } from './plan.js';

// Common tax questions, FAQ-like: mostly answered from the cache.
export function simple_query(user) {
  return chatCall('chat_simple', user.question('simple_query'));
}

// Requests for a detailed analysis: long answers of the LLM.
export function complex_query(user) {
  return chatCall('chat_complex', user.question('complex_query'));
}

// VAT, income tax, property tax and surcharges for several regions, checked against the rule.
export function tax_calculation(user) {
  const { kinds, amounts_eur: amounts, cases } = PLAN.taxes;
  const kind = user.draws.pick(kinds);
  const position = user.draws.below(amounts.count);
  const cap = user.draws.pick(PLAN.caps);
  const { endpoint, path, body, amount_key: key, first } = cases[kind][cap];
  const content = { ...body, [key]: amounts.least + position * amounts.step };
  const expected = TAXES[first + position];
  const token = kind === 'surcharges' ? 'user' : 'session';
  return jsonCall(endpoint, path, content, (reply) => checkTax(reply.json(), expected), { token });
}

// Uploads of Italian tax documents as PDF, with a question about them.
export function document_upload(user) {
  const { body, content_type: type } = user.draws.pick(DOCUMENTS);
  const options = { body, headers: { 'Content-Type': type } };
  return makeCall('document_upload', 'POST', '/documents/upload', (reply) => checkUpload(reply.json(), 1), options);
}

// Searches of the regulatory knowledge base.
export function knowledge_search(user) {
  const keywords = user.draws.pick(PLAN.searches).split(/\s+/);
  const content = { keywords, limit: PLAN.search_results };
  return jsonCall('legal_search', '/italian/legal/search', content, (reply) => checkSearch(reply.json()));
}

const READS = [
  ['user_profile', '/users/me', 'user', ['id', 'email']],
  ['subscription', '/payments/subscription', 'session', ['status']],
  ['usage', '/billing/usage', 'user', ['plan_slug', 'window_5h']],
  ['invoices', '/payments/invoices', 'session', ['invoices', 'total']],
];
const SETTINGS_KEYS = ['studio_id', 'notification_preferences', 'display_preferences'];
const NEW_SETTINGS = { display_preferences: { theme: 'dark' } };

// Profile, subscription, usage, settings and invoices; settings need a studio, which not every target gives its users.
export function user_operations(user) {
  const choice = user.draws.below(READS.length + (user.studioId ? 2 : 0));
  if (choice < READS.length) {
    const [endpoint, path, token, keys] = READS[choice];
    return makeCall(endpoint, 'GET', path, (reply) => checkKeys(reply.json(), keys), { token });
  }
  const options = { token: 'user', headers: { 'X-Studio-ID': user.studioId } };
  const check = (reply) => checkKeys(reply.json(), SETTINGS_KEYS);
  if (choice === READS.length) {
    return makeCall('settings_read', 'GET', '/settings', check, options);
  }
  return putJson('settings_write', 'PUT', '/settings', NEW_SETTINGS, check, options);
}

const SETTINGS_PARTS = ['notification_preferences', 'display_preferences'];

// The settings of the user's studio, read and written back in turn: a load leaves them as it found them.
export function studio_settings(user) {
  const options = { token: 'user', headers: { 'X-Studio-ID': user.studioId || '' } };
  const read = user.memory.studio_settings;
  delete user.memory.studio_settings;
  if (read === undefined) {
    const note = (reply) => noteSettings(user, reply.json());
    return makeCall('studio_settings_read', 'GET', '/settings', note, options);
  }
  const check = (reply) => checkWritten(user, reply.json(), read);
  return putJson('studio_settings_write', 'PUT', '/settings', read, check, options);
}

function noteSettings(user, settings) {
  const error = checkSettings(user, settings);
  if (error === null) {
    user.memory.studio_settings = Object.fromEntries(SETTINGS_PARTS.map((part) => [part, settings[part]]));
  }
  return error;
}

function checkWritten(user, settings, sent) {
  const error = checkSettings(user, settings);
  const same = (part) => sorted(settings[part]) === sorted(sent[part]);
  return error !== null || SETTINGS_PARTS.every(same) ? error : 'settings: not what was written';
}

// As JSON text with all keys in order, to be compared.
function sorted(value) {
  const inOrder = (_key, part) => (isObject(part) ? Object.fromEntries(Object.entries(part).sort()) : part);
  return JSON.stringify(value, inOrder);
}

function checkSettings(user, settings) {
  const missing = checkKeys(settings, ['studio_id', ...SETTINGS_PARTS]);
  if (missing !== null) {
    return missing;
  }
  if (settings.studio_id !== user.studioId) {
    return 'settings: of another studio';
  }
  return SETTINGS_PARTS.every((part) => isObject(settings[part])) ? null : 'settings: not a JSON object';
}
