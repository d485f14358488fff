// What a JavaScript connector needs besides its mapping: failures of the contract, exact fields, and a cursor that
// loses nothing. Small enough to be read and copied.

import { nowMs } from 'renmen:connector/clock@0.2.0';

// Why one row cannot become a record. The message names the field and what was found, never a person's value.
export class Unfit extends Error {}

// A string member of a row.
export function text(row, name) {
  const value = row?.[name];
  if (typeof value === 'string') return value;
  throw new Unfit(`${name}: expected a string, found ${value === null ? 'null' : typeof value}`);
}

// A number, or a text of one, in the digits in which it was sent.
export function digits(row, name) {
  const value = row?.[name];
  return typeof value?.text === 'string' ? value.text : text(row, name);
}

// A member with an RFC 3339 time. `Date` alone takes a time without a zone for local, and 31 February for March.
export function instant(row, name) {
  const value = text(row, name);
  const parts = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(value);
  const date = new Date(value);
  const day = parts && new Date(Date.UTC(+parts[1], +parts[2] - 1, +parts[3]));
  if (!parts || Number.isNaN(date.getTime()) || day.getUTCDate() !== +parts[3]) {
    throw new Unfit(`${name}: expected an RFC 3339 time with an offset`);
  }
  return date;
}

const failure = (kind, message, more = {}) => ({ kind, code: undefined, message, retryAfterMs: undefined, ...more });

export const fail = {
  changed: (message) => failure('upstream-changed', message),

  // The answer, unless its status says that there is none.
  unlessOk(answer) {
    const { status } = answer;
    if (status < 300) return answer;
    const code = String(status);
    if (status === 401) throw failure('auth-required', 'the vendor refused the credential', { code });
    if (status === 403) throw failure('not-granted', 'the vendor does not let this credential read staff', { code });
    if (status === 429) throw failure('rate-limited', 'the vendor asks to slow down', { code, retryAfterMs: wait(answer) });
    if (status >= 500) throw failure('upstream-unavailable', `the vendor answered ${status}`, { code });
    throw failure('upstream-changed', `the vendor answered ${status}`, { code });
  },

  // The body as JSON. A number becomes `{ text }`, its digits as they were sent: a double would round money.
  unlessJson(answer) {
    let body;
    try {
      body = new TextDecoder('utf-8', { fatal: true }).decode(answer.body);
      return JSON.parse(body, (_, value, { source } = {}) => (typeof value === 'number' && source ? { text: source } : value));
    } catch {
      const type = header(answer, 'content-type') ?? 'no content type';
      const cut = type.includes('json');
      throw failure(cut ? 'upstream-unavailable' : 'upstream-changed', `the answer is no whole JSON (${type}, ${answer.body.length} bytes)`);
    }
  },
};

const header = (answer, name) => answer.headers.find((one) => one.name.toLowerCase() === name)?.value;

function wait(answer) {
  const seconds = Number(header(answer, 'retry-after'));
  return Number.isFinite(seconds) && seconds > 0 ? BigInt(Math.ceil(seconds * 1000)) : undefined;
}

const TIES_MAX = 64;
const SETTLED_MS = 60_000;
const OVERLAP_MS = 600_000;
const SKEW_MS = 900_000;
const PROOF_PAGES_MAX = 32;

// "What changed since?", asked so that nothing is lost, by a vendor's RFC 3339 times and without trust in its clock or its
// order. Each run asks from an overlap before the newest time that there was when the run before it began; a time beyond our
// clock plus a skew comes in and moves nothing; a list that is not sorted by time, oldest first, is refused. Ids read at the
// newest time are skipped if that time is over; the vendor's own cursor only leads past a page that is all of one time, and
// past what lies in the future. It does what `paging::Since` of the Rust SDK does, which says more.
export class Since {
  static resume(cursor) {
    const since = new Since();
    try {
      Object.assign(since, JSON.parse(cursor ?? '{}'));
    } catch {
      throw failure('invalid-input', 'the cursor is not one of this connector');
    }
    const ceiling = Number(nowMs()) + SKEW_MS;
    // A cursor in the future would ask for nothing until then: from the beginning instead.
    if (since.from?.atMs > ceiling) Object.keys(since).forEach((key) => delete since[key]);
    if (since.beganMs === undefined) Object.assign(since, { beganMs: Number(nowMs()), floor: since.from });
    since.page_ = { ceiling, count: 0, ahead: false };
    return since;
  }

  // Notes a row. False: leave it out, another page of this run has it.
  isNew(words, atMs, id) {
    const page = this.page_;
    page.count += 1;
    const before = page.lastMs ?? this.afterMs;
    if (before !== undefined && atMs < before) page.disorder ??= page.count;
    this.ordered ||= before !== undefined && atMs > before;
    page.lastMs = atMs;
    if (this.proof) return false;
    if (atMs > page.ceiling) page.ahead = true;
    else {
      if (!this.newest || this.newest.atMs < atMs) this.newest = { text: words, atMs, ids: [] };
      if (this.newest.atMs === atMs) (this.newest.ids ??= []).push(id);
    }
    return !(this.from?.atMs === atMs && this.from.ids?.includes(id));
  }

  finish(page, vendorNext) {
    const { page_: shown, proof, newest, from, ...rest } = this;
    if (shown.disorder) {
      const place = `record ${shown.disorder} of the page changed before the one in front of it`;
      throw fail.changed(`the list is not in the order that the connector asks for, oldest change first: ${place}`);
    }
    const state = { ...rest, from, newest: plain(newest), page: undefined, afterMs: undefined };
    // An empty text is the end of a list like null: followed, it would be the first page again.
    const isOver = vendorNext === null || vendorNext === undefined || vendorNext === '';
    const ledOn = { ...state, page: vendorNext, afterMs: shown.ahead ? undefined : shown.lastMs };
    const more = (next) => ({ ...page, next: JSON.stringify(next), hasMore: true });
    if (proof) {
      const looksOn = !isOver && !this.ordered && proof.pages < PROOF_PAGES_MAX;
      return more(looksOn ? { ...ledOn, proof: { ...proof, pages: proof.pages + 1 } } : { ...state, from: proof.then });
    }
    if (isOver) return { ...page, next: JSON.stringify({ from: this.next(), ordered: this.ordered }), hasMore: false };
    if (shown.ahead || !(newest?.atMs > (from?.atMs ?? -Infinity))) return more(ledOn);
    const settled = newest.ids?.length <= TIES_MAX && newest.atMs + SETTLED_MS <= Number(nowMs());
    const then = settled ? newest : plain(newest);
    return more(this.ordered ? { ...state, from: then } : { ...ledOn, proof: { then, pages: 1 } });
  }

  // Where the next run asks: an overlap before the vendor's time at which this run began, by whichever clock is behind.
  next() {
    const { newest, floor, beganMs } = this;
    if (!newest) return plain(floor);
    const backMs = OVERLAP_MS + Math.max(Number(nowMs()) - beganMs, newest.atMs - beganMs, 0);
    const atMs = newest.atMs - backMs;
    return floor?.atMs > atMs ? plain(floor) : { text: new Date(atMs).toISOString(), atMs };
  }
}

const plain = (mark) => mark && { text: mark.text, atMs: mark.atMs };
