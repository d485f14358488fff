// A whole connector in JavaScript: staff from a JSON API that pages and can be asked what changed. It does what the Rust
// example `staff-api` does, and is held to the same conformance kit.
//
// It owns the request and the mapping, and knows nothing of credentials, retries, rates or storage: there is no `fetch`
// in here, only the contract's imports. The types of both sides stand in ../../wit/connector.wit.

import { send } from 'renmen:connector/http@0.2.0';
import { Since, text, digits, instant, fail, Unfit } from './sdk.js';

const STATUS = { active: 'ACTIVE', terminated: 'TERMINATED' };
const KIND = { full_time: 'FULL_TIME', contract: 'CONTRACTOR' };

// The canonical employee that a vendor's row becomes.
function employee(row) {
  const coded = (raw, codes) => (codes[raw] ? { code: codes[raw], raw } : { raw });
  return {
    person: {
      names: { formatted: text(row, 'displayName'), given: text(row, 'firstName'), family: text(row, 'lastName') },
      emails: [{ address: text(row, 'workEmail'), kind: 'WORK' }],
      phones: [{ number: text(row, 'mobile'), kind: 'MOBILE' }],
    },
    number: text(row, 'employeeNumber'),
    work: {
      status: coded(text(row, 'status'), STATUS),
      kind: coded(text(row, 'employmentType'), KIND),
      title: text(row, 'jobTitle'),
      org_unit: { external: { value: text(row.department, 'id') } },
      org_unit_name: text(row.department, 'name'),
      manager: row.managerId ? { external: { value: text(row, 'managerId') } } : undefined,
      location: text(row, 'location'),
      hire_date: text(row, 'hireDate'),
      work_email: text(row, 'workEmail'),
    },
    ext: {
      staff_js: {
        created_at: { kind: 'INSTANT', value: instant(row, 'createdAt').toISOString() },
        salary_amount: { kind: 'DECIMAL', value: digits(row.salary, 'amount') },
        salary_currency: { kind: 'CODE', value: text(row.salary, 'currency') },
      },
    },
  };
}

export const source = {
  pull({ config, cursor, maxRecords }) {
    const { base_url } = JSON.parse(new TextDecoder().decode(config));
    const since = Since.resume(cursor);
    const query = [`limit=${maxRecords}`];
    if (since.from) query.push(`updated_since=${encodeURIComponent(since.from.text)}`);
    if (since.page) query.push(`cursor=${encodeURIComponent(since.page)}`);
    const answer = fail.unlessOk(send({ method: 'GET', url: `${base_url}/employees?${query.join('&')}`, headers: [] }));
    const page = { records: [], rejects: [], findings: [], omissions: [], next: undefined, hasMore: false, coverage: 'changes' };
    const body = fail.unlessJson(answer);
    if (!Array.isArray(body.data)) throw fail.changed('no list at /data in the answer');
    body.data.forEach((row, index) => {
      const place = { entity: 'employee', exchange: answer.exchange, pointer: `/data/${index}` };
      const externalId = typeof row?.id === 'string' ? row.id : undefined;
      try {
        const id = text(row, 'id');
        const updated = instant(row, 'updatedAt');
        if (!since.isNew(row.updatedAt, updated.getTime(), id)) return;
        const payload = new TextEncoder().encode(JSON.stringify(employee(row)));
        page.records.push({
          ...place, externalId: id, updatedAtMs: BigInt(updated.getTime()), deleted: false, payload,
        });
      } catch (unfit) {
        if (!(unfit instanceof Unfit)) throw unfit;
        const raw = new TextEncoder().encode(JSON.stringify(row, (_, value) => value?.text ?? value));
        page.rejects.push({ ...place, externalId, reason: unfit.message, raw });
      }
    });
    return since.finish(page, body.next_cursor);
  },
};

export const probe = {
  check: () => [{ name: 'configuration', ok: true, message: 'is readable; this connector tries nothing more' }],
};
