// Is a response an answer? The rules of include/loadtest/scenarios/checks.py: null, or a short error.

import { PLAN } from './plan.js';

export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function checkAnswer(text, done) {
  if (text.includes(PLAN.checks.error_sentence)) {
    return "answer: the target's error sentence";
  }
  if (!done) {
    return 'answer: stream ended before done';
  }
  return [...text.trim()].length < PLAN.checks.min_answer_chars ? 'answer: shorter than a useful answer' : null;
}

export function checkTax(body, expectedEur) {
  if (!isObject(body)) {
    return 'tax: not a JSON object';
  }
  const calculation = body.calculation;
  if (expectedEur === null) {
    const known = isObject(calculation) && Object.keys(calculation).length > 0;
    return known ? null : 'tax: no calculation in the answer';
  }
  const amount = isObject(calculation) ? calculation.imposta_dovuta : body.tax_amount;
  if (typeof amount !== 'number') {
    return 'tax: no amount in the answer';
  }
  return Math.abs(amount - expectedEur) <= PLAN.checks.tolerance_eur ? null : 'tax: off by more than 1 euro';
}

export function checkUpload(body, files) {
  if (!isObject(body)) {
    return 'upload: not a JSON object';
  }
  if (body.success !== true) {
    return 'upload: refused (success is not true)';
  }
  const documents = body.uploaded_documents;
  return Array.isArray(documents) && documents.length === files ? null : 'upload: not one document for each file';
}

export function checkSearch(body) {
  if (!isObject(body)) {
    return 'search: not a JSON object';
  }
  const complete = Array.isArray(body.regulations) && typeof body.total === 'number';
  return complete ? null : 'search: regulations or total missing';
}

export function checkKeys(body, keys) {
  if (!isObject(body)) {
    return 'answer: not a JSON object';
  }
  const missing = keys.find((key) => !Object.prototype.hasOwnProperty.call(body, key));
  return missing === undefined ? null : `answer: ${missing} missing`;
}
